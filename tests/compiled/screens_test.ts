/**
 * README's picture is made of screens that were seen.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import { test } from "../sanitized.ts";

test("README shows the kept screens, row by row", async () => {
  const readme = await Deno.readTextFile("README.md");
  const [, picture = ""] = readme.split("\n## A picture of it running\n");
  const [section = ""] = picture.split("\n## ");
  const shown = Array.from(section.matchAll(/```text\n([^]*?)```/g), ([, rows = ""]) => rows);
  const kept = await Promise.all(
    ["server", "ann", "ben"].map((name) => Deno.readTextFile(`docs/screens/${name}.txt`)),
  );
  deepEqual(shown, kept);
});
