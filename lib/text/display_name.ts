/**
 * Display names, and names of devices: what people call themselves and their machines, in any living script, and still
 * nothing that passes for what it is not. A name is told by what it may hold; all else is refused, with the reason.
 *
 * @module
 */

import { utf8 } from "../wire/bytes.ts";
import { DISPLAY_NAME_BYTES_MAX } from "../wire/limits.ts";
import { MARKS_PER_BASE_MAX, visible } from "./visible.ts";

/**
 * Marks in a row that go with letters of any script: two are what Vietnamese and vocalised Arabic need. Those that belong
 * to one script, as in Burmese, may be as many as {@linkcode MARKS_PER_BASE_MAX}.
 */
export const NAME_MARKS_MAX = 2;

/** Characters of a refused text that its sentence repeats: enough to know it again by, and still one line. */
const QUOTED_CHARS_MAX = 40;

/**
 * The scripts in daily use (UAX #31, table 5). Others, of which some are full of look-alikes, would take a reader by
 * surprise more often than they would please a writer.
 */
const SCRIPTS = [
  "Latin",
  "Greek",
  "Cyrillic",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Thaana",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Oriya",
  "Tamil",
  "Telugu",
  "Kannada",
  "Malayalam",
  "Sinhala",
  "Thai",
  "Lao",
  "Tibetan",
  "Myanmar",
  "Georgian",
  "Ethiopic",
  "Khmer",
  "Hangul",
  "Hiragana",
  "Katakana",
  "Bopomofo",
  "Han",
] as const;

/** Scripts that stand in one word in East Asia, beside Latin: none of their letters is drawn like a Latin one (UTS #39 §5.2). */
const TOGETHER: readonly (readonly string[])[] = [
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
];

const BY_SCRIPT = SCRIPTS.map((script) => ({ script, letter: new RegExp(`\\p{Script=${script}}`, "u") }));

/** Of every script, or of that of the letter before. */
const SHARED = /[\p{Script=Common}\p{Script=Inherited}]/u;

/** Letters, their marks, digits, blanks, what stands within names, and emoji that are one code point. */
const ALLOWED = /[\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Emoji_Presentation} \-_'’.,&+!?()·・་׳״]/u;

/** Emoji that could pass for the mark of a checked message. */
const MARK_LIKE = /[✅❌❎⬜⬛🔲🔳]/u;

const TOO_MANY_MARKS = new RegExp(
  `[\\p{M}&&\\p{Script=Inherited}]{${NAME_MARKS_MAX + 1}}|\\p{M}{${MARKS_PER_BASE_MAX + 1}}`,
  "v",
);

/** Thai and Lao AM, which Unicode's compatibility forms take apart though nobody writes them so. */
const AM = /[\u0E33\u0EB3]/gu;

/**
 * The sentence, safe for a terminal, that says why `text` is no display name and no name of a device, and what to do;
 * `undefined` where it is one: 1 to {@linkcode DISPLAY_NAME_BYTES_MAX} octets of UTF-8 in the form NFKC, without
 * controls, bidi controls and anything invisible, each word of one script, single blanks between words.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { displayNameFault } from "./display_name.ts";
 * equal(displayNameFault("Zoë O’Neill"), undefined);
 * equal(displayNameFault("Ann "), 'Cannot use "Ann " as a name: it ends with a blank; leave it out');
 * ```
 */
export function displayNameFault(text: string): string | undefined {
  const reason = whyNot(text);
  return reason === undefined ? undefined : `Cannot use "${quoted(text)}" as a name: ${reason}`;
}

function whyNot(text: string): string | undefined {
  if (text === "") return "it is empty; give one";
  if (!text.isWellFormed()) return "it is no proper text; type it anew";
  // Before anything that takes time in proportion to the length.
  if (utf8(text).length > DISPLAY_NAME_BYTES_MAX) {
    return `it is longer than ${DISPLAY_NAME_BYTES_MAX} octets; use a shorter one`;
  }
  return whyNotCharacters(text) ?? whyNotBlanks(text) ?? whyNotForm(text) ?? whyNotMarks(text) ??
    whyNotScripts(text);
}

function whyNotCharacters(text: string): string | undefined {
  for (const character of text) {
    if (!ALLOWED.test(character) || /[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(character)) {
      return `${named(character)} is not allowed; leave it out`;
    }
    if (MARK_LIKE.test(character)) {
      return `${named(character)} looks like a mark of this program; leave it out`;
    }
  }
  return /[\p{L}\p{Nd}]/u.test(text) ? undefined : "it has no letter or digit; use at least one";
}

function whyNotBlanks(text: string): string | undefined {
  if (text.startsWith(" ")) return "it begins with a blank; leave it out";
  if (text.endsWith(" ")) return "it ends with a blank; leave it out";
  return text.includes("  ") ? "it has two blanks in a row; use one" : undefined;
}

/** One spelling for one name; fullwidth and styled letters, which look like plain ones, have another form. */
function whyNotForm(text: string): string | undefined {
  const judged = text.replace(AM, "");
  const form = judged.normalize("NFKC");
  if (judged === form && text === text.normalize("NFC")) return undefined;
  const strange = Array.from(judged).find((character) => character !== character.normalize("NFKC"));
  return strange === undefined
    ? "its marks are not joined with their letters; type it anew"
    : `${named(strange)} is another form of a plain character; use that`;
}

function whyNotMarks(text: string): string | undefined {
  if (/^\p{M}| \p{M}/u.test(text)) return "it has a mark without a letter; leave it out";
  if (TOO_MANY_MARKS.test(text)) return "it has too many marks on one letter; leave some out";
  // Korean's vowels and finals, too, are drawn onto what stands before them.
  return visible(text) === text ? undefined : "it has part of a letter alone; type it anew";
}

function whyNotScripts(text: string): string | undefined {
  for (const word of text.split(" ")) {
    const scripts = new Set<string>();
    for (const character of word) {
      if (SHARED.test(character)) continue;
      const script = BY_SCRIPT.find(({ letter }) => letter.test(character))?.script;
      if (script === undefined) {
        return `${named(character)} is of a script that names do not use; leave it out`;
      }
      scripts.add(script);
    }
    if (!goTogether(Array.from(scripts))) {
      return `the word "${visible(word)}" mixes letters of ${
        Array.from(scripts).join(" and ")
      }; use one script`;
    }
  }
  return undefined;
}

function goTogether(scripts: readonly string[]): boolean {
  return scripts.length < 2 ||
    TOGETHER.some((together) => scripts.every((script) => together.includes(script)));
}

/** A look-alike is told from what it looks like by its number only. */
function named(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `"${visible(character)}" (U+${code})`;
}

function quoted(text: string): string {
  return visible(text.slice(0, QUOTED_CHARS_MAX)) + (text.length > QUOTED_CHARS_MAX ? "…" : "");
}
