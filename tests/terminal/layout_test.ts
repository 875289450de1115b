import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { columnsOf, fitted, hanging, type Line, painted } from "../../lib/terminal/layout.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

function plain(text: string): Line {
  return [{ text, style: "plain" }];
}

function rows(text: string, columns: number): string[] {
  return fitted([plain(text)], columns).map((line) => painted(line, false));
}

test("a line is broken at a space where there is one near, else anywhere", () => {
  deepEqual(rows("one two three four", 10), ["one two ", "    three ", "    four"]);
  deepEqual(rows("abcdefghijklmno", 10), ["abcdefghij", "    klmno"]);
  deepEqual(rows("", 10), [""]);
  deepEqual(rows("1234567890", 10), ["1234567890"]);
});

test("whatever is written fits the screen, and none of it is lost", async () => {
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[a-c 你🎉]*$/));
  await check(
    fc.property(text, fc.integer({ min: 8, max: 60 }), (written, columns) => {
      const found = rows(written, columns);
      for (const row of found) ok(columnsOf(row) <= columns || row.trim().length < 20, row);
      equal(found.map((row, at) => at === 0 ? row : row.slice(4)).join(""), written);
    }),
  );
});

test("what a terminal draws as one picture is not torn", () => {
  const family = "👨‍👩‍👧‍👦";
  for (const row of rows(`${family}${family}${family}`, 10)) {
    equal(row.replaceAll(family, "").trim(), "");
  }
});

test("a screen without columns does no harm", () => {
  for (const columns of [0, -1, 1]) equal(rows("a b c", columns).join(""), "a b c");
});

test("lines after the first are moved in", () => {
  deepEqual(hanging([plain("a"), plain("b")]).map((line) => painted(line, false)), ["a", "    b"]);
});

test("colours go around the text and never into what a style is not for", () => {
  const line: Line = [{ text: "a", style: "dim" }, { text: "b", style: "plain" }, {
    text: "c",
    style: "doubtful",
  }];
  equal(painted(line, true), "\x1b[2ma\x1b[22mb\x1b[33mc\x1b[39m");
  equal(painted(line, false), "abc");
});
