/**
 * What a name looks like: texts with the same skeleton can be taken for each other (after Unicode's UTS #39 §4, for
 * the scripts that hold most look-alikes of Latin letters). A skeleton is for comparing and never for showing.
 *
 * @module
 */

/**
 * Letters by the Latin letters that they are drawn like, both cases each on their own: Greek Η is drawn like H, and
 * η like n. Letters that have a decomposition are taken apart before this is looked at.
 */
const DRAWN_LIKE: readonly (readonly [latin: string, others: string])[] = [
  ["a", "аАɑαΑ"],
  ["b", "ВвΒЬьɓ"],
  ["c", "сСϲϹᴄ"],
  ["d", "ԁđĐɗ"],
  ["e", "еЕεΕєЄ"],
  ["f", "ƒ"],
  ["g", "ɡցԌ"],
  ["h", "һҺНнΗհħĦ"],
  ["i", "іІӏӀιΙıɩ"],
  ["j", "јЈϳյ"],
  ["k", "кКκΚĸ"],
  ["l", "łŁ"],
  ["m", "мМΜ"],
  ["n", "ոΝηп"],
  ["o", "оОοΟσօՕøØ"],
  ["p", "рРρΡթ"],
  ["q", "ԛզ"],
  ["r", "гɼ"],
  ["s", "ѕЅՏ"],
  ["t", "тТτΤŧŦ"],
  ["u", "υսʋ"],
  ["v", "νѵѴ"],
  ["w", "ԝԜωшᴡ"],
  ["x", "хХχΧ"],
  ["y", "уУүҮγΥƴ"],
  ["z", "ΖᴢՀ"],
];

const LATIN = new Map(DRAWN_LIKE.flatMap(([latin, others]) => Array.from(others, (other) => [other, latin])));

/**
 * Marks that go with letters of any script, and what is invisible. Marks of one script, such as Devanagari's vowels,
 * tell words apart.
 */
const UNSEEN = /[[\p{M}&&\p{Script=Inherited}]\p{Default_Ignorable_Code_Point}]/gv;

/** What a hasty reader takes for something else. */
const TAKEN_FOR: readonly (readonly [RegExp, string])[] = [
  [/0/g, "o"],
  [/[1i|]/g, "l"],
  // Taken apart rather than joined: so that "vw" and "wv" meet, too.
  [/m/g, "rn"],
  [/w/g, "vv"],
];

/**
 * The skeleton of `text`, total and idempotent; two handles or display names with the same one look alike. Case, marks,
 * invisible characters, and how often what separates words is repeated, count for nothing.
 *
 * ```ts
 * import { equal, notEqual } from "node:assert/strict";
 * import { skeleton } from "./skeleton.ts";
 * equal(skeleton("rnart1n-0"), skeleton("martin_o"));
 * equal(skeleton("сора"), "copa");
 * notEqual(skeleton("ann"), skeleton("anna"));
 * ```
 */
export function skeleton(text: string): string {
  const drawn = drawnLike(bareLetters(text)).toLowerCase();
  // Once more: lower-casing can put a mark on (İ), or give a letter of the table (of a capital that is not in it).
  const letters = drawnLike(bareLetters(drawn));
  const folded = TAKEN_FOR.reduce((folding, [seen, taken]) => folding.replace(seen, taken), letters);
  return folded.replace(/[\s_\-–—.'’·]+/gu, "-").replace(/^-|-$/g, "");
}

function bareLetters(text: string): string {
  return text.normalize("NFKD").replace(UNSEEN, "");
}

function drawnLike(text: string): string {
  return Array.from(text, (letter) => LATIN.get(letter) ?? letter).join("");
}
