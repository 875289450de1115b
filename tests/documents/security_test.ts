import { deepEqual, equal } from "node:assert/strict";
import { test } from "../sanitized.ts";
import { attackRow, attackTests, attackTestsIn } from "./attack_tests.ts";
import { read, tableRows } from "./markdown.ts";

const SECURITY = await read("SECURITY.md");

/** The attacks that are numbered, those of later releases too. */
const ATTACKS = 42;

test("every test of an attack has a row in SECURITY.md, and every row's test exists", async () => {
  const expected = (await attackTests()).map((each) => markdown(attackRow(each)));
  const written = tableRows(SECURITY, "#", "test", "file").map(markdown);
  const missing = expected.filter((row) => !written.includes(row));
  const stale = written.filter((row) => !expected.includes(row));
  equal(stale.join("\n"), "", "rows of SECURITY.md without a test: remove them");
  equal(missing.join("\n"), "", "tests without a row in SECURITY.md: add these rows");
  equal(written.length, new Set(written).size, "no row is there twice");
});

test("SECURITY.md calls an attack tested if and only if a test mounts it", async () => {
  const rows = tableRows(SECURITY, "#", "attack", "state");
  deepEqual(rows.map(([number]) => Number(number)), Array.from({ length: ATTACKS }, (_, at) => at + 1));
  const mounted = new Set((await attackTests()).map(({ number }) => number));
  const tested = rows.filter(([, , state = ""]) => /^tested(,|$)/.test(state)).map(([number]) =>
    Number(number)
  );
  deepEqual(tested, Array.from(mounted).sort((a, b) => a - b));
});

test("names of attacks are found in plain and in template strings", () => {
  const source = [
    'test("attack 7: one", f);',
    "  test(`attack 12: two, ${kind.name}`, f);",
    'helper(\n  "attack 7: on its own line",\n);',
    'test("no attack 9: here", f);',
  ].join("\n");
  deepEqual(attackTestsIn(source).map(({ number, shows }) => `${number} ${shows}`), [
    "7 one",
    "12 two, …",
    "7 on its own line",
  ]);
});

function markdown(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}
