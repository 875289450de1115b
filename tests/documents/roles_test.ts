import { equal } from "node:assert/strict";
import { test } from "../sanitized.ts";
import { read } from "./markdown.ts";
import { ROLES_PAGE, rolesPage } from "./roles_page.ts";

test("the page of roles is the table that the rules read", async () => {
  equal(await read(ROLES_PAGE), rolesPage());
});
