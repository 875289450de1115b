/**
 * Safety words in rows.
 *
 * @module
 */

import { visible } from "../text/visible.ts";

/** Words in a row: six are read aloud in one breath, and fit a narrow window. */
const WORDS_PER_ROW = 6;

/**
 * `words`, safe for a terminal, in rows of six.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { wordRows } from "./word_rows.ts";
 * deepEqual(wordRows(["one", "two"]), ["one two"]);
 * ```
 */
export function wordRows(words: readonly string[]): string[] {
  const rows: string[] = [];
  for (let at = 0; at < words.length; at += WORDS_PER_ROW) {
    rows.push(words.slice(at, at + WORDS_PER_ROW).map(visible).join(" "));
  }
  return rows;
}
