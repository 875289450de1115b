/**
 * Safety words: octets as English words that two people can compare aloud.
 *
 * @module
 */

import { wordlist } from "@scure/bip39/wordlists/english.js";
import type { Bytes } from "../wire/bytes.ts";

/**
 * Bits that one word stands for: the list has 2^11 words, of which no two begin with the same four letters.
 */
export const WORD_BITS = 11;

/**
 * The first `count` × {@linkcode WORD_BITS} bits of `bits`, most significant bit first, as words; 12 words
 * need 17 octets. Throws a `RangeError` where `count` is no positive integer or `bits` is too short for it.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { words } from "./words.ts";
 * deepEqual(words(Uint8Array.of(0x00, 0x00, 0x04), 2), ["abandon", "ability"]);
 * ```
 */
export function words(bits: Bytes, count: number): string[] {
  const needed = Math.ceil((count * WORD_BITS) / 8);
  if (!Number.isSafeInteger(count) || count < 1 || bits.length < needed) {
    throw new RangeError(`Cannot make ${count} words of ${bits.length} octets: they need ${needed}`);
  }
  return Array.from({ length: count }, (_, at) => wordAt(bits, at * WORD_BITS));
}

function wordAt(bits: Bytes, start: number): string {
  const octet = Math.floor(start / 8);
  // A word lies within three octets, wherever in the first one it starts.
  const [first = 0, second = 0, third = 0] = bits.subarray(octet, octet + 3);
  const index = ((first << 16 | second << 8 | third) >> (24 - WORD_BITS - start % 8)) % 2 ** WORD_BITS;
  const word = wordlist[index];
  if (word === undefined) throw new RangeError(`Cannot name word ${index}: the list has ${wordlist.length}`);
  return word;
}
