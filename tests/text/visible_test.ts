import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { EMOJI_JOINED_MAX, MARKS_PER_BASE_MAX, visible, visibleLines } from "../../lib/text/visible.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const RUNS = 3_000;
/** Many times the longest message; at this length, time in proportion to its square would be minutes. */
const LONG_UNITS = 100_000;
/** Twenty times what a slow machine takes. */
const LONG_MS_MAX = 30_000;

/**
 * Told by number, not by the properties that the sanitiser goes by: two lists must be wrong to let one
 * through.
 */
const NEVER: readonly (readonly [from: number, to: number, what: string])[] = [
  [0x0000, 0x001f, "C0: ESC, CR, LF, BS, BEL"],
  [0x007f, 0x009f, "DEL and C1: CSI, OSC, NEL"],
  [0x00ad, 0x00ad, "soft hyphen"],
  [0x034f, 0x034f, "grapheme joiner"],
  [0x061c, 0x061c, "Arabic letter mark"],
  [0x115f, 0x1160, "Hangul fillers"],
  [0x17b4, 0x17b5, "Khmer inherent vowels"],
  [0x180b, 0x180f, "Mongolian selectors"],
  [0x200b, 0x200b, "zero-width space"],
  [0x200e, 0x200f, "direction marks"],
  [0x2028, 0x202e, "line and paragraph separators, bidi embeddings and overrides"],
  [0x2060, 0x206f, "word joiner, invisible operators, bidi isolates"],
  [0x3164, 0x3164, "Hangul filler"],
  [0xd800, 0xdfff, "surrogates"],
  [0xe000, 0xf8ff, "private use"],
  [0xfdd0, 0xfdef, "noncharacters"],
  [0xfe00, 0xfe0d, "variation selectors that no emoji takes"],
  [0xfeff, 0xfeff, "byte order mark"],
  [0xffa0, 0xffa0, "halfwidth Hangul filler"],
  [0xfff0, 0xfffb, "interlinear annotation"],
  [0xfffe, 0xffff, "noncharacters"],
  [0x1bca0, 0x1bca3, "shorthand format controls"],
  [0x1d173, 0x1d17a, "musical format controls"],
  [0x1fffe, 0x1ffff, "noncharacters"],
  [0xe0000, 0xe001f, "language tag"],
  [0xe0080, 0xe0fff, "variation selectors supplement"],
  [0xf0000, 0x10ffff, "private use and noncharacters"],
];

/** England, Scotland and Wales: a black flag, its region in tags, an end. */
const TAG_FLAGS = ["gbeng", "gbsct", "gbwls"].map((region) =>
  ["🏴", ...Array.from(region, (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))), "\u{e007f}"]
    .join("")
);

/** Where an invisible character may stay, because the text around it needs it. */
const BY_CONTEXT: readonly RegExp[] = [
  /(?<=\p{Extended_Pictographic})[\uFE0E\uFE0F]/gu,
  /(?<=[0-9#*])\uFE0F(?=\u20E3)/gu,
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?)\u200D(?=\p{Extended_Pictographic})/gu,
  /(?<=[^\P{L}a-zA-Z]\p{M}*(?:[\u200C\u200D]\p{M}+)*)[\u200C\u200D](?=[^\P{L}a-zA-Z]|\p{M})/gu,
  new RegExp(TAG_FLAGS.join("|"), "gu"),
];

/** What in `output` a terminal should not get, as hex: nothing, if the sanitiser is right. */
function dangers(output: string): string[] {
  const allowed = new Set(BY_CONTEXT.flatMap((context) => [...output.matchAll(context)].flatMap(unitsOf)));
  const found: string[] = [];
  let index = 0;
  for (const character of output) {
    if (!allowed.has(index) && dangerous(character)) found.push(character.codePointAt(0)?.toString(16) ?? "");
    index += character.length;
  }
  return found;
}

function unitsOf(found: RegExpExecArray): number[] {
  return Array.from({ length: found[0].length }, (_, at) => found.index + at);
}

function dangerous(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return NEVER.some(([from, to]) => code >= from && code <= to) ||
    /[\u200C\u200D\uFE0E\uFE0F\u{E0020}-\u{E007F}]/u.test(character) ||
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(character);
}

const PIECES = [
  ..."aZ9#* é中אبپकരකქ👩👨❤🏳🏴🏽🇩⟨◌␛",
  ..."\u0301\u0308\u0489\u05b8\u0651\u094d\u20e3\u1100\u1161\u11a8",
  ..."\u200b\u200c\u200d\u200e\u202e\u2066\u2028\u034f\ufeff\ufe0e\ufe0f\u{e0067}\u{e007f}\u{e0100}",
  ..."\0\b\t\n\r\x07\x1b\x7f\x85\x9b\x9d\xad\ue000\uffff\u{1fc00}\u{10ffff}",
  ...["\ud83d", "\udc69", "\u0301".repeat(9), ...TAG_FLAGS],
];

/** The pieces with the narrowest contexts, and few others, so that their contexts come about. */
const JOINING_PIECES = [..."aपک👩\u{1f3fd}\u094d\u0651\u200c\u200d\ufe0e\ufe0f 1\u20e3"];

/** Any text, with the pieces that interact drawn often enough to meet. */
const anyText = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 24, size: "max" }).map((pieces) =>
      pieces.join("")
    ),
  },
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...JOINING_PIECES), { maxLength: 20, size: "max" }).map((p) =>
      p.join("")
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40, size: "max" }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 40, size: "max" }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.nat(0xffff), { maxLength: 40, size: "max" }).map((units) =>
      String.fromCharCode(...units)
    ),
  },
);

test("attack 31: no text whatever puts a control character on a terminal", async () => {
  await check(fc.property(anyText, (text) => deepEqual(dangers(visible(text)), [])), RUNS);
});

test("attack 31: of every code point there is, only printable ones stay as they are", () => {
  for (let plane = 0; plane <= 0x10ffff; plane += 0x10000) {
    const outputs: string[] = [];
    for (let code = plane; code < plane + 0x10000; code++) {
      const output = visible(`x${String.fromCodePoint(code)}y`);
      ok(output.length > 2, `U+${code.toString(16)} left no trace`);
      outputs.push(output);
    }
    deepEqual(dangers(outputs.join("")), []);
  }
});

test("attack 31: escape sequences lose their force and stay readable", () => {
  const cases: readonly (readonly [sent: string, shown: string])[] = [
    ["\x1b[2J\x1b[H", "␛[2J␛[H"],
    ["\x1b]0;title\x07", "␛]0;title␇"],
    ["\x1b]52;c;cm0gLXJm\x1b\\", "␛]52;c;cm0gLXJm␛\\"],
    ["\x1b]8;;http://evil\x1b\\bank\x1b]8;;\x1b\\", "␛]8;;http://evil␛\\bank␛]8;;␛\\"],
    ["\x9b31m\x9d0;t\x9c", "⟨U+009B⟩31m⟨U+009D⟩0;t⟨U+009C⟩"],
    ["safe\rroot", "safe␍root"],
    ["one\r\ntwo", "one␍␊two"],
    ["yes\b\b\bno", "yes␈␈␈no"],
    ["\x07\0\x7f\t", "␇␀␡␉"],
    ["\ud800", "⟨U+D800⟩"],
    ["\ue0a0\uffff", "⟨U+E0A0⟩⟨U+FFFF⟩"],
  ];
  for (const [sent, shown] of cases) equal(visible(sent), shown);
});

test("attack 31: a tower of combining marks is cut to a few and the rest counted", () => {
  const marks = "\u0301".repeat(1_000);
  equal(
    visible(`Z${marks}!`),
    `Z${"\u0301".repeat(MARKS_PER_BASE_MAX)}⟨marks +${1_000 - MARKS_PER_BASE_MAX}⟩!`,
  );
  equal(visible(`Z${marks}`).length, 1 + MARKS_PER_BASE_MAX + "⟨marks +994⟩".length);
  equal(visible("\u1100" + "\u1161".repeat(9)), `\u1100${"\u1161".repeat(MARKS_PER_BASE_MAX)}⟨marks +3⟩`);
  equal(
    visible("क" + "\u200d\u094d".repeat(8)),
    `क${"\u200d\u094d".repeat(6)}⟨U+200D⟩◌\u094d⟨U+200D⟩◌\u094d`,
  );
});

test("attack 31: a very long line is dealt with whole, in a time that grows as its length does", () => {
  const started = performance.now();
  for (const unit of ["x", "\u0301", "👩\u200d", "क\u200d", "क\u094d\u200d", "\u200d", "\x1b"]) {
    deepEqual(dangers(visible(unit.repeat(LONG_UNITS))), []);
  }
  ok(performance.now() - started < LONG_MS_MAX, "too slow");
});

test("attack 31: marks, whatever they are, do not touch what we wrote before them", async () => {
  await check(
    fc.property(anyText, (text) => {
      match(visible(text), /^(?![\p{M}\u200c\u200d\ufe0e\ufe0f])/u);
      ok(!/\s\p{M}/u.test(visible(text)), "a space is no base");
    }),
    RUNS,
  );
  equal(visible("\u0338"), "◌\u0338");
  equal(visible("a \u0338"), "a ◌\u0338");
  equal(visible("\x1b\u0338"), "␛◌\u0338");
});

test("attack 31: lines are split at line feeds alone, and no other character moves the cursor", async () => {
  deepEqual(visibleLines("one\ntwo\r\nthree\rfour\u2028five\x0bsix"), [
    "one",
    "two",
    "three␍four⟨U+2028⟩five␋six",
  ]);
  deepEqual(visibleLines("\tif\n"), ["    if", ""]);
  deepEqual(visibleLines(""), [""]);
  await check(
    fc.property(anyText, (text) => {
      const lines = visibleLines(text);
      equal(lines.length, text.split("\n").length);
      for (const line of lines) deepEqual(dangers(line), []);
      deepEqual(visibleLines(lines.join("\n")), lines);
    }),
    RUNS,
  );
});

test("attack 32: bidi controls, zero-width characters and hidden tags become visible", () => {
  const cases: readonly (readonly [sent: string, shown: string])[] = [
    ["\u202egpj.exe", "⟨U+202E⟩gpj.exe"],
    ["\u2066a\u2069\u061c\u200e\u200f", "⟨U+2066⟩a⟨U+2069⟩⟨U+061C⟩⟨U+200E⟩⟨U+200F⟩"],
    ["pay\u200bpal\ufeff\u00ad\u2060", "pay⟨U+200B⟩pal⟨U+FEFF⟩⟨U+00AD⟩⟨U+2060⟩"],
    ["pay\u200dpal pay\u200cpal", "pay⟨U+200D⟩pal pay⟨U+200C⟩pal"],
    ["\u3164\u115f", "⟨U+3164⟩⟨U+115F⟩"],
    ["a\ufe0fb\u{e0100}", "a⟨U+FE0F⟩b⟨U+E0100⟩"],
    ["1\ufe0f", "1⟨U+FE0F⟩"],
    ["ok\u{e0068}\u{e0069}", "ok⟨U+E0068⟩⟨U+E0069⟩"],
    ["🏴\u{e0068}\u{e007f}", "🏴⟨U+E0068⟩⟨U+E007F⟩"],
    ["❤\ufe0f\ufe0f", "❤\ufe0f⟨U+FE0F⟩"],
    ["👩\u200d", "👩⟨U+200D⟩"],
    ["❤\ufe0e\u200d👩\u200d❤\ufe0e", "❤\ufe0e⟨U+200D⟩👩\u200d❤⟨U+FE0E⟩"],
    ["\u200d👩", "⟨U+200D⟩👩"],
    ["\u{1fc00}", "⟨U+1FC00⟩"],
    ["می\u200c\u200cخ", "می⟨U+200C⟩⟨U+200C⟩خ"],
    ["क\u200d\u200d\u094d", "क⟨U+200D⟩⟨U+200D⟩◌\u094d"],
  ];
  for (const [sent, shown] of cases) equal(visible(sent), shown);
  const joined = Array.from({ length: EMOJI_JOINED_MAX }, () => "👩").join("\u200d");
  equal(visible(joined), joined);
  equal(visible(`${joined}\u200d👩`), `${joined}⟨U+200D⟩👩`);
});

test("attack 32: two texts that differ look different", async () => {
  const wanted = fc.stringMatching(/^[a-z ]{0,12}$/);
  const hidden = fc.constantFrom(
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\u202d",
    "\ufe0f",
    "\u034f",
    "\u{e0061}",
  );
  await check(
    fc.property(wanted, hidden, wanted, (before, mark, after) => {
      const code = mark.codePointAt(0)?.toString(16).toUpperCase();
      equal(visible(before + mark + after), `${before}⟨U+${code?.padStart(4, "0")}⟩${after}`);
    }),
  );
});

test("what is visible stays as it is when made visible again", async () => {
  await check(fc.property(anyText, (text) => equal(visible(visible(text)), visible(text))), RUNS);
});

test("ordinary texts of many scripts pass unchanged", () => {
  const texts = [
    "Grüße aus Köln, ça va? Ñandú, žluťoučký kůň — “quoted” … €5 ½ ™",
    "Tiếng Việt",
    "Tiếng Việt".normalize("NFD"),
    "Привет, мир! Γειά σου Κόσμε. Բարեւ. გამარჯობა.",
    "שָׁלוֹם עוֹלָם",
    "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
    "السَّلَامُ عَلَيْكُمْ",
    "می\u200cخواهم نامه\u200cها",
    "ܫܠܡܐ",
    "नमस्ते, क\u094d\u200dष क\u094d\u200cष",
    "র\u200d\u09cdযাব বাংলা",
    "ਸਤ ਸ੍ਰੀ ਅਕਾਲ",
    "வணக்கம்",
    "నమస్కారం",
    "നമസ്കാരം",
    "ශ\u0dca\u200dරී ලංකාව",
    "สวัสดีที่นี่",
    "ສະບາຍດີ",
    "မြန်မာ မြွှေ့",
    "ជំរាបសួរ",
    "བོད་སྐད་ བསྒྲིགས་",
    "你好，世界。日本語 カナ ｶﾞ、한국어",
    "한국어".normalize("NFD"),
    "ᠮᠣᠩᠭᠣᠯ",
    "አማርኛ",
    "ᏣᎳᎩ",
    "𐍈𝒳𝔸",
    "a\u00a0b\u202fc\u3000d",
    "┌─┐ █▓▒ ∑∫√ ←→ ⟨x⟩ ☒ ☐",
  ];
  for (const text of texts) equal(visible(text), text);
});

test("emoji of every kind pass unchanged", () => {
  const texts = [
    "😀🎉👍",
    "👍🏽🙏🏿",
    "❤️ ☺️ ☎︎ ©️",
    "👨‍👩‍👧‍👦 👩‍❤️‍💋‍👨 👩🏽‍🚀",
    "👩🏻‍🤝‍👨🏿",
    "🏃🏽‍♀️‍➡️",
    "🏳️‍🌈🏴‍☠️",
    "🇩🇪🇯🇵",
    "1️⃣#️⃣*️⃣",
    "👁️‍🗨️",
    ...TAG_FLAGS,
    "👩‍❤‍👩",
    "🚲\u20e0",
  ];
  for (const text of texts) equal(visible(text), text);
});
