/**
 * Lines for a screen: pieces of safe text with a style each, broken by us and not by the terminal. A terminal
 * goes on in its first column, where a peer that counts its spaces could make the rest of a message look like
 * one of somebody else.
 *
 * @module
 */

import { styleText } from "node:util";

/** What a piece of text is, for the eye. */
export type Style = "plain" | "dim" | "name" | "ownName" | "good" | "doubtful";

/** A piece of one line. `text` is safe: of peers' texts only what lib/text/visible.ts gives. */
export interface Span {
  /** Without line breaks. */
  readonly text: string;
  /** How it is shown where colours are. */
  readonly style: Style;
}

/** One line, which may yet be longer than the screen is wide. */
export type Line = readonly Span[];

/** Columns that lines after the first of one event are moved in by; leaves 16 of a narrow window's 20. */
export const INDENT_COLUMNS = 4;

/** Narrowest screen that lines are broken for: what a picture and the indentation take, and some. */
const BREAK_COLUMNS_MIN = 8;

const FORMATS = {
  plain: [],
  dim: ["dim"],
  name: ["cyan"],
  ownName: ["green"],
  good: ["green"],
  doubtful: ["yellow"],
} as const;

// What some terminal draws two columns wide; more than any one of them does. A line broken too early is
// harmless.
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u231a-\\u23ff\\u25fd\\u25fe\\u2600-\\u27bf\\u2934\\u2935\\u2b05-\\u2b55\\u2e80-\\ua4cf" +
    "\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe0f\\ufe10-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6" +
    "\\u{16fe0}-\\u{18fff}\\u{1aff0}-\\u{1b2ff}" +
    "\\u{1d300}-\\u{1d37f}\\u{1f000}-\\u{1faff}\\u{20000}-\\u{3fffd}]",
  "u",
);
const WITHOUT_WIDTH = /[\p{Mn}\p{Me}\u200c\u200d]/u;

const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** `lines` of one event moved in below the first, as a program or a file gets them: never broken. */
export function hanging(lines: readonly Line[]): readonly Line[] {
  const indent: Span = { text: " ".repeat(INDENT_COLUMNS), style: "plain" };
  return lines.map((line, at) => at === 0 ? line : [indent, ...line]);
}

/**
 * `lines` of one event for a screen of `columns`: moved in below the first and broken, at a space where there
 * is one, so that each fits.
 */
export function fitted(lines: readonly Line[], columns: number): readonly Line[] {
  const widest = Math.max(columns, BREAK_COLUMNS_MIN);
  const rows = lines.flatMap((line, at) =>
    broken(line, { first: at === 0 ? widest : widest - INDENT_COLUMNS, rest: widest - INDENT_COLUMNS })
  );
  return hanging(rows);
}

/** Safe lines of text for a screen of `columns`, each broken as {@linkcode fitted} breaks it. */
export function fittedText(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((text) =>
    fitted([[{ text, style: "plain" }]], columns).map((line) => painted(line, false))
  );
}

/** The text of `line`, with our own colour codes where `colour` is set. */
export function painted(line: Line, colour: boolean): string {
  return line.map(({ text, style }) => {
    const format = FORMATS[style];
    return !colour || format.length === 0 || text === ""
      ? text
      // Whether there is a screen, and NO_COLOR, the caller knows.
      : styleText([...format], text, { validateStream: false });
  }).join("");
}

/**
 * Columns that `text` takes at most, whatever the terminal.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { columnsOf } from "./layout.ts";
 * equal(columnsOf("Zoë 你好"), 8);
 * ```
 */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character === "\ufe0f") columns += 1;
    else if (!WITHOUT_WIDTH.test(character)) columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

/** A character as it is seen, and how. */
interface Cell {
  readonly text: string;
  readonly style: Style;
  readonly columns: number;
}

function broken(line: Line, { first, rest }: { first: number; rest: number }): Line[] {
  const rows: Line[] = [];
  let row: Cell[] = [];
  let used = 0;
  for (const cell of cellsOf(line)) {
    if (used + cell.columns > (rows.length === 0 ? first : rest) && row.length > 0) {
      const kept = row.slice(0, breakAt(row));
      rows.push(spansOf(kept));
      row = row.slice(kept.length);
      used = row.reduce((columns, { columns: each }) => columns + each, 0);
    }
    row.push(cell);
    used += cell.columns;
  }
  return [...rows, spansOf(row)];
}

/** How many cells of a full row stay on it: up to its last space, unless that would leave it half empty. */
function breakAt(row: readonly Cell[]): number {
  const space = row.findLastIndex(({ text }) => text === " ");
  return space + 1 > row.length / 2 ? space + 1 : row.length;
}

function cellsOf(line: Line): Cell[] {
  return line.flatMap(({ text, style }) =>
    Array.from(clusters.segment(text), ({ segment }) => ({
      text: segment,
      style,
      columns: columnsOf(segment),
    }))
  );
}

function spansOf(cells: readonly Cell[]): Span[] {
  const spans: Span[] = [];
  for (const { text, style } of cells) {
    const last = spans.at(-1);
    if (last?.style === style) spans.splice(-1, 1, { text: last.text + text, style });
    else spans.push({ text, style });
  }
  return spans;
}
