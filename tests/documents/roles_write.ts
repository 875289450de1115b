/**
 * Writes docs/roles.md anew, after a change of the table:
 * `deno run --no-lock --allow-read --allow-write=docs/roles.md tests/documents/roles_write.ts`.
 *
 * @module
 */

import { ROLES_PAGE, rolesPage } from "./roles_page.ts";

await Deno.writeTextFile(new URL(`../../${ROLES_PAGE}`, import.meta.url), rolesPage());
