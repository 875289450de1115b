import { equal, match, notEqual, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { displayNameFault } from "../../lib/text/display_name.ts";
import { visible } from "../../lib/text/visible.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { DISPLAY_NAME_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const RUNS = 3_000;

test("names of many scripts are display names", () => {
  const names = [
    "a",
    "Ann",
    "Zoë O’Neill",
    "J. R. R. Tolkien, Jr.",
    "linux 2",
    "laptop (old)",
    "Thị Nguyễn",
    "Анна Каренина",
    "Ann Анна",
    "Μαρία",
    "שָׁלוֹם",
    "مُحَمَّد",
    "मोहन",
    "မြို့",
    "สำนัก",
    "山田 太郎",
    "JR東日本カード",
    "김철수",
    "ქეთევან",
    "Ann 🦊",
    "x".repeat(DISPLAY_NAME_BYTES_MAX),
  ];
  for (const name of names) equal(displayNameFault(name.normalize()), undefined, name);
});

test("attack 32: bidi controls, zero-width and other invisible characters are refused in a display name", () => {
  const hidden = [0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202e]
    .concat([0x2060, 0x2066, 0x2069, 0x3164, 0xfe0f, 0xfeff, 0xfff9, 0xe0041, 0xe0100]);
  for (const code of hidden) {
    for (const text of ["An?n", "?Ann", "Ann?", "म?ह", "Ann ❤?"]) {
      notEqual(
        displayNameFault(text.replace("?", String.fromCodePoint(code))),
        undefined,
        `${text} ${code.toString(16)}`,
      );
    }
  }
});

test("attack 31: controls, escape sequences and line ends are refused in a display name", () => {
  const texts = [
    "\u001b[2J",
    "a\u001b]52;c;aGk=\u0007",
    "a\rb",
    "a\nb",
    "a\u0008b",
    "a\u009b1mb",
    "a\tb",
    "a\u0000b",
  ];
  for (const text of texts.concat(["a\u2028b", "a\u0085b", "a\ud800b", "\udc00"])) {
    notEqual(displayNameFault(text), undefined, JSON.stringify(text));
  }
});

test("attack 32: a word of mixed scripts is refused, and so are letters in disguise", () => {
  const texts = [
    "Аnn",
    "pаypal",
    "Αnna",
    "Ann аnna",
    "Annа",
    "ոame",
    "Ａｎｎ",
    "𝐀𝐧𝐧",
    "ⓐnn",
    "ﬁn",
    "ᴀnn\u2102",
    "Ꭺnn",
    "ᎪᏙᏓ",
    "𐐀𐐁",
    "ª",
    "カタカナа",
    "한글Д",
  ];
  for (const text of texts) notEqual(displayNameFault(text), undefined, text);
  match(displayNameFault("pаypal") ?? "", /mixes letters of Latin and Cyrillic/);
});

test("attack 32: what looks like this program's own signs is refused in a display name", () => {
  for (
    const sign of [
      "☒",
      "☐",
      "☑",
      "✅",
      "✔",
      "❌",
      "⬜",
      "🔲",
      "<",
      ">",
      "#",
      ":",
      "|",
      "[",
      "]",
      "│",
      "→",
      "*",
    ]
  ) {
    notEqual(displayNameFault(`Ann ${sign}`), undefined, sign);
    notEqual(displayNameFault(`Ann${sign}`), undefined, sign);
  }
});

test("a name has one spelling: blanks, marks and forms", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /it is empty/],
    [" Ann", /begins with a blank/],
    ["Ann ", /ends with a blank/],
    ["Ann  Lee", /two blanks in a row/],
    ["Ann\u00a0Lee", /U\+00A0/],
    ["Zoe\u0308", /marks are not joined/],
    ["\u0301Ann", /mark without a letter/],
    ["Ann \u0301e", /mark without a letter/],
    ["q\u0338\u0323\u0331", /too many marks/],
    ["မ\u103c\u102d\u102f\u1037\u103a\u1039\u1039", /too many marks/],
    ["\u1161", /part of a letter/],
    ["...", /no letter or digit/],
    ["🦊", /no letter or digit/],
    ["x".repeat(DISPLAY_NAME_BYTES_MAX + 1), /longer than 64 octets/],
    ["я".repeat(DISPLAY_NAME_BYTES_MAX / 2 + 1), /longer than 64 octets/],
  ];
  for (const [text, reason] of cases) {
    match(displayNameFault(text) ?? "accepted", reason, JSON.stringify(text));
  }
});

test("what is accepted is shown as it is; the sentence of what is not is safe for a terminal", async () => {
  const parts = fc.constantFrom(..."aZé0 -_.'’אمมี가ｱ山Дα\u0301\u0338\u200d\u202e\ufe0f🦊✅\ud83e\n");
  const texts = fc.oneof(
    fc.string({ unit: parts, maxLength: 24 }),
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  await check(
    fc.property(texts, (text) => {
      const sentence = displayNameFault(text);
      if (sentence !== undefined) return equal(visible(sentence), sentence);
      equal(visible(text), text);
      equal(text.normalize(), text);
      equal(text.trim(), text);
      ok(utf8(text).length <= DISPLAY_NAME_BYTES_MAX);
    }),
    RUNS,
  );
});

test("a very long text is refused at once", () => {
  const before = performance.now();
  notEqual(displayNameFault("a\u0301".repeat(1_000_000)), undefined);
  ok(performance.now() - before < 5_000);
});
