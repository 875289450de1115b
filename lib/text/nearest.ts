/**
 * The word that a misspelt one was meant to be, for "did you mean".
 *
 * @module
 */

/**
 * Letters per slip of the finger: one in a word of three letters, two in one of six. More slips than that
 * make another word, and a wrong suggestion is worse than none.
 */
export const LETTERS_PER_SLIP = 3;

/**
 * The word of `known` nearest to `word`, or `undefined` where none is near. A slip is a letter left out,
 * put in, changed, or swapped with its neighbour; capitals count as their small letters. Of equally near
 * ones, the first.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { nearest } from "./nearest.ts";
 * equal(nearest("chta", ["chat", "tail"]), "chat");
 * equal(nearest("weather", ["chat", "tail"]), undefined);
 * ```
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let found: { candidate: string; slips: number } | undefined;
  for (const candidate of known) {
    const slipsMax = Math.floor(Math.max(word.length, candidate.length) / LETTERS_PER_SLIP);
    const slips = distance(word.toLowerCase(), candidate.toLowerCase());
    if (slips <= slipsMax && (found === undefined || slips < found.slips)) found = { candidate, slips };
  }
  return found?.candidate;
}

/** Damerau and Levenshtein's distance, no letter moved twice ("optimal string alignment"). */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = from[row - 1] === to[column - 1] ? 0 : 1;
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + changed,
        swapped ? cell(beforeLast, column - 2) + 1 : Infinity,
      ));
    }
    beforeLast = last;
    last = current;
  }
  return cell(last, to.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
