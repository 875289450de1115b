import { deepEqual } from "node:assert/strict";
import { documentationFaults } from "../../tools/documentation.ts";
import { test } from "../sanitized.ts";

test("a missing docstring is a fault, a private table behind a type is none", () => {
  const output = [
    "error[private-type-ref]: public type 'A' references private type 'B'",
    "  --> /a.ts:1:1",
    "",
    "error[missing-jsdoc]: exported symbol is missing JSDoc documentation",
    "  --> /a.ts:2:1",
    "",
    "error: Found 2 documentation lint errors.",
    "",
  ].join("\n");
  deepEqual(documentationFaults(output), [
    "error[missing-jsdoc]: exported symbol is missing JSDoc documentation\n  --> /a.ts:2:1",
  ]);
  deepEqual(documentationFaults("Checked 3 files\n"), []);
});
