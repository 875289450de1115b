/**
 * Writes vectors.json anew, after a change of the protocol:
 * `deno run --no-lock --allow-env --allow-write=tests/identity tests/identity/golden_identity_write.ts`.
 *
 * @module
 */

import { GOLDEN_IDENTITY_FILE, goldenIdentity } from "./golden_identity.ts";

await Deno.writeTextFile(GOLDEN_IDENTITY_FILE, await goldenIdentity());
