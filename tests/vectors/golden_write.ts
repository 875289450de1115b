/**
 * Writes golden_sessions.json anew, after a change of the protocol:
 * `deno run --no-lock --allow-env --allow-write=tests/vectors tests/vectors/golden_write.ts`.
 *
 * @module
 */

import { GOLDEN_FILE, goldenFile } from "./golden_sessions.ts";

await Deno.writeTextFile(GOLDEN_FILE, await goldenFile());
