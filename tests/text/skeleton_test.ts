import { equal, notEqual } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { skeleton } from "../../lib/text/skeleton.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const RUNS = 2_000;
const HANDLE_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789-_";

test("attack 32: handles that look alike have one skeleton", () => {
  const alike = [
    ["bob", "b0b"],
    ["alice", "a1ice", "allce", "aiice"],
    ["martin", "rnartin", "rnart1n"],
    ["wim", "vvim", "vvirn"],
    ["vvv", "vw", "wv"],
    ["ann-lee", "ann_lee", "ann--lee", "ann-_-lee"],
    ["ann", "ann-", "ann__"],
  ];
  for (const [first = "", ...others] of alike) {
    for (const other of others) equal(skeleton(other), skeleton(first), `${other} like ${first}`);
  }
});

test("handles that a reader tells apart have skeletons of their own", () => {
  const names = [
    "ann",
    "anna",
    "anne",
    "hanna",
    "ann-lee",
    "annlee",
    "ann2",
    "bob",
    "rob",
    "clara",
    "dara",
    "u",
    "v",
  ];
  equal(new Set(names.map(skeleton)).size, names.length);
});

test("attack 32: names in other letters, styles and with invisible characters have the skeleton of what they look like", () => {
  const alike = [
    ["paypal", "раураӏ", "ＰａｙＰａｌ", "𝐩𝐚𝐲𝐩𝐚𝐥", "pay\u200bpal", "p\u202eaypal", "pàypál", "PAYPAL"],
    ["ann", "Αnn", "Аnn", "a\u0338nn", "ann\u00ad", " ann ", "ann."],
    ["bob", "ВОВ", "ΒΟΒ", "вов"],
    ["hex", "НЕХ", "ΗΕΧ", "нех"],
    ["ann lee", "ann-lee", "ann\u00a0lee", "ann.lee"],
    ["il", "İI", "ıℓ"],
  ];
  for (const [first = "", ...others] of alike) {
    for (const other of others) equal(skeleton(other), skeleton(first), `${other} like ${first}`);
  }
  notEqual(skeleton("मोहन"), skeleton("मोहिन"), "vowels of Devanagari tell words apart");
});

test("a skeleton is its own skeleton", async () => {
  const handles = fc.string({ unit: fc.constantFrom(...HANDLE_CHARS), maxLength: 32 });
  const texts = fc.oneof(handles, fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  await check(
    fc.property(texts, (text) => equal(skeleton(skeleton(text)), skeleton(text))),
    RUNS,
  );
});

test("every code point up to the letters in disguise, after another letter, has a settled skeleton", () => {
  for (let code = 0; code < 0x1e000; code++) {
    const text = `a${String.fromCodePoint(code)}`;
    equal(skeleton(skeleton(text)), skeleton(text), code.toString(16));
  }
});
