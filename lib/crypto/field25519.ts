/**
 * The field both curves are over: integers modulo p = 2^255 - 19, as 32 octets, little-endian.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

/** Octets of a field element (RFC 7748 §5). */
export const FIELD_BYTES = 32;

/**
 * Whether the low 255 bits of `encoding` are below p, so that no other encoding means the same element.
 * The top bit, which the curves use for themselves, is not looked at. Not in constant time: for public
 * values only. `false` for another length than 32 octets.
 */
export function isReduced(encoding: Bytes): boolean {
  if (encoding.length !== FIELD_BYTES) return false;
  const [lowest = 0] = encoding;
  const highest = (encoding[FIELD_BYTES - 1] ?? 0) & 0x7f;
  // p is 0x7f, thirty times 0xff, 0xed from the highest octet down: at least p are 19 values alone.
  const middleIsFull = encoding.subarray(1, FIELD_BYTES - 1).every((octet) => octet === 0xff);
  return !(highest === 0x7f && middleIsFull && lowest >= 0xed);
}
