import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { TokenLines } from "../../lib/bridge/token_lines.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const LINE_BYTES_MAX = 40;

test("any split of the bytes gives the same lines", () =>
  check(fc.property(
    fc.array(fc.string({ maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, ""))),
    fc.array(fc.nat({ max: 300 })),
    fc.constantFrom("\n", "\r\n"),
    (lines, cuts, end) => {
      const bytes = utf8(lines.map((line) => `${line}${end}`).join(""));
      assert.deepEqual(taken(split(bytes, cuts)), { lines, broken: false });
    },
  )));

test("a line as long as the limit is taken, and one longer breaks the stream, however it comes", () => {
  const [longest, tooLong] = ["x".repeat(LINE_BYTES_MAX), "x".repeat(LINE_BYTES_MAX + 1)];
  for (let at = 0; at <= LINE_BYTES_MAX; at++) {
    assert.deepEqual(taken(split(utf8(`one\n${longest}\n`), [at])), {
      lines: ["one", longest],
      broken: false,
    });
    for (const text of [`one\n${tooLong}\n`, `one\n${tooLong}`]) {
      assert.deepEqual(taken(split(utf8(text), [at])), { lines: ["one"], broken: true });
    }
  }
});

test("what is not UTF-8 breaks the stream, and what came before it is told", () => {
  assert.deepEqual(taken([concat(utf8("one\n"), Uint8Array.of(0xff, 10), utf8("two\n"))]), {
    lines: ["one"],
    broken: true,
  });
});

test("attack 16: a million line ends, and a long line octet by octet, cost what their octets cost", () => {
  const ends = new Uint8Array(1_048_576).fill(10);
  assert.equal(new TokenLines(LINE_BYTES_MAX).push(ends).lines.length, ends.length);
  const lines = new TokenLines(1_048_576);
  const one = utf8("x");
  for (let sent = 0; sent < 1_048_576; sent++) assert.equal(lines.push(one).broken, false);
  assert.equal(lines.push(one).broken, true);
});

function taken(parts: readonly Bytes[]): { readonly lines: readonly string[]; readonly broken: boolean } {
  const cutter = new TokenLines(LINE_BYTES_MAX);
  const lines: string[] = [];
  for (const part of parts) {
    const each = cutter.push(part);
    lines.push(...each.lines);
    if (each.broken) return { lines, broken: true };
  }
  return { lines, broken: false };
}

function split(bytes: Bytes, cuts: readonly number[]): readonly Bytes[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, at) => bytes.slice(places[at], end));
}
