/**
 * Writes the table of attack tests in SECURITY.md anew; `deno fmt SECURITY.md` then gives it its width:
 * `deno run --no-lock --allow-read --allow-write=SECURITY.md tests/documents/security_write.ts`.
 *
 * @module
 */

import { attackRow, attackTests } from "./attack_tests.ts";
import { read } from "./markdown.ts";

const TABLE = /^(\| # +\| test +\| file +\|\n\|[- |]+\|\n)(?:\|.*\n)+/m;

const rows = (await attackTests()).map((each) => `| ${attackRow(each).join(" | ")} |\n`).join("");
const written = (await read("SECURITY.md")).replace(TABLE, (_, head: string) => head + rows);
await Deno.writeTextFile(new URL("../../SECURITY.md", import.meta.url), written);
