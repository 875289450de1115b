import { deepEqual, equal } from "node:assert/strict";
import { mayBeSkipped, parseTestReport, readReasons } from "../../tools/test_report.ts";
import { test } from "../sanitized.ts";

test("sums and skipped tests are read from what deno test prints", () => {
  const output = [
    "running 3 tests from ./tests/a_test.ts",
    "one ...",
    "  a step ... ok (0ms)",
    "one ... ok (1ms)",
    "two [skipped: no vectors] ... ignored (0ms)",
    "three ... FAILED (2ms)",
    "",
    "FAILED | 1 passed (1 step) | 1 failed | 1 ignored (45ms)",
    "",
  ].join("\n");
  deepEqual(parseTestReport(output), { passed: 1, failed: 1, skipped: ["two [skipped: no vectors]"] });
  deepEqual(parseTestReport("ok | 12 passed | 0 failed (1s)\n"), { passed: 12, failed: 0, skipped: [] });
});

test("a run that broke off has no report", () => {
  equal(parseTestReport("error: Type checking failed.\n"), undefined);
});

test("a test may be left out for a listed reason only", () => {
  const reasons = readReasons("# remark\n\nno vectors  # why\n");
  deepEqual(reasons, ["no vectors"]);
  equal(mayBeSkipped("a [skipped: no vectors]", reasons), true);
  equal(mayBeSkipped("a [skipped: no vectors in ../shared]", reasons), true);
  equal(mayBeSkipped("a [skipped: slow]", reasons), false);
  equal(mayBeSkipped("a", reasons), false);
});
