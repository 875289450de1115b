/**
 * The sanitiser: whatever a peer wrote passes here before a terminal sees it. Nothing is dropped and nothing
 * stays invisible: what cannot be printed safely is spelled out, so that an attempt to deceive shows as one.
 * The alphabet is told by what may stay; all else is spelled, code points not yet assigned included.
 *
 * What a peer can still do: write the spelling of a character itself, which is harmless; and write
 * right-to-left letters, whose order within the line is the terminal's affair.
 *
 * @module
 */

/**
 * Combining marks kept on one base. The fullest ordinary clusters, Burmese and Tibetan stacks, carry five,
 * and Hebrew with points and accents four; beyond six it is a tower that covers the lines around it.
 */
export const MARKS_PER_BASE_MAX = 6;

/**
 * Emoji joined into one, as in 👩‍❤️‍💋‍👨. No sequence that Unicode recommends has more than four; a terminal
 * that counts a sequence as one picture would lose its column over a longer one.
 */
export const EMOJI_JOINED_MAX = 4;

/** Spaces a tab becomes: stops would need the width of all that stands before it. */
export const TAB_SPACES = 4;

const EXTENDING = String.raw`\p{M}\u1161-\u11FF\uD7B0-\uD7FF`;
const UNPRINTABLE = String.raw`\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}`;

// Besides marks, Korean's conjoining vowels and finals: terminals draw them without a width too.
const MARK = `[[${EXTENDING}]--[${UNPRINTABLE}]]`;
const BASE = String.raw`[^${EXTENDING}${UNPRINTABLE}\p{Zs}]`;

// Joiners shape the letters of these scripts. Elsewhere they only make two equal-looking words differ.
const JOINER = String.raw`[\u200C\u200D]`;
const SCRIPTS = "Arab Syrc Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh".split(" ");
const JOINING_LETTER = String.raw`[\p{L}&&[${
  SCRIPTS.map((script) => String.raw`\p{scx=${script}}`).join("")
}]]`;
const JOINING =
  `${JOINING_LETTER}(?:${JOINER}?${MARK}){0,${MARKS_PER_BASE_MAX}}(?:${JOINER}(?=${JOINING_LETTER}))?`;

// Extended_Pictographic reserves code points that are not assigned yet, hence the subtraction.
const PICTURE = String.raw`[\p{Extended_Pictographic}--\p{Cn}]`;
const EMOJI = String.raw`${PICTURE}(?:\uFE0F|\p{Emoji_Modifier})?`;
// A picture in text style (U+FE0E) is no emoji, so nothing joins it.
const PICTURES = String.raw`(?:${PICTURE}\uFE0E|${EMOJI}(?:\u200D${EMOJI}){0,${EMOJI_JOINED_MAX - 1}})`;
const KEYCAP = String.raw`[0-9#*]\uFE0F\u20E3`;
// Exactly the flags of England, Scotland and Wales: tags in any other order can carry a hidden text.
const TAG_FLAG = String.raw`\p{RGI_Emoji_Tag_Sequence}`;

const PLAIN = `(?:${TAG_FLAG}|${PICTURES}|${KEYCAP}|${BASE})${MARK}{0,${MARKS_PER_BASE_MAX}}`;

// A cluster, or marks without a base, each with the marks that are too many; or any other character. A
// space is none of these and stays. Each piece, put out, is read as the same piece again: hence visible is
// idempotent.
const PIECE = new RegExp(
  String.raw`(?:(${JOINING}|${PLAIN})|(${MARK}{1,${MARKS_PER_BASE_MAX}}))(${MARK}*)|\P{Zs}`,
  "gv",
);

/**
 * `text` made safe for one line of a terminal; total and idempotent. Letters, digits, signs, spaces and
 * emoji of every script stay as they are. C0 controls and DEL become control pictures (`␛`). Spelled out as
 * `⟨U+202E⟩` are C1 and bidi controls, zero-width and other invisible code points, line and paragraph
 * separators, tags, private use, unassigned code points, noncharacters and lone surrogates; but the joiners
 * and variation selectors that an emoji or a script needs stay. Marks without a base get a dotted circle,
 * and those beyond {@linkcode MARKS_PER_BASE_MAX} become one `⟨marks +N⟩`. The answer to escape sequences
 * and to bidi and zero-width tricks in every field that a peer fills.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { visible } from "./visible.ts";
 * equal(visible("safe\u001b[2J \u202Egpj.exe"), "safe␛[2J ⟨U+202E⟩gpj.exe");
 * equal(visible("Grüße, سلام, 👩🏽‍🚀"), "Grüße, سلام, 👩🏽‍🚀");
 * ```
 */
export function visible(text: string): string {
  return text.replace(PIECE, pieceShown);
}

/**
 * As {@linkcode visible}, for a text of several lines: each LF or CRLF ends one, and a tab becomes
 * {@linkcode TAB_SPACES} spaces. There is always at least one line; a final line break gives an empty last
 * one.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { visibleLines } from "./visible.ts";
 * deepEqual(visibleLines("one\r\n\ttwo\r"), ["one", "    two␍"]);
 * ```
 */
export function visibleLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => visible(line.replaceAll("\t", " ".repeat(TAB_SPACES))));
}

function pieceShown(piece: string, cluster?: string, stray?: string, excess = ""): string {
  const more = excess === "" ? "" : `⟨marks +${[...excess].length}⟩`;
  if (cluster !== undefined) return cluster + more;
  if (stray !== undefined) return "◌" + stray + more;
  return spelled(piece.codePointAt(0) ?? 0);
}

function spelled(code: number): string {
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
