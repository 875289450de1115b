/**
 * Whether octets are CBOR in its deterministic encoding (RFC 8949 §4.2.1), found by walking over them: to encode anew what
 * was decoded, and to compare, takes as long as all else that is done with a message.
 *
 * @module
 */

import type { Bytes } from "./bytes.ts";

/** Maps and arrays within each other, beyond which this says nothing: no message has as many. */
const DEPTH_MAX = 16;

/** CBOR's major types (RFC 8949 §3.1). */
const [UNSIGNED, NEGATIVE, OCTETS, TEXT, ARRAY, MAP, , SIMPLE] = [0, 1, 2, 3, 4, 5, 6, 7];

/** The simple values that have a meaning here: false, true and null. */
const [FALSE, NULL] = [20, 22];

/** What no key begins with. */
const UNDERSCORE = 0x5f;

/** Where something that is not so would end. */
const NOWHERE = -1;

/**
 * True only for one item in its deterministic encoding, made of integers, octets, ASCII texts, arrays, maps whose keys are
 * such texts and begin with no underscore, booleans and null. False says nothing: there are other items, and other texts.
 */
export function isDeterministic(bytes: Bytes): boolean {
  return bytes.length > 0 && endOf(bytes, 0, 0) === bytes.length;
}

function endOf(bytes: Bytes, at: number, depth: number): number {
  const major = (bytes[at] ?? 0) >>> 5;
  if (major === SIMPLE) {
    const value = (bytes[at] ?? 0) & 31;
    return value >= FALSE && value <= NULL ? at + 1 : NOWHERE;
  }
  const head = headBytes(bytes, at);
  if (head === 0 || depth > DEPTH_MAX) return NOWHERE;
  const start = at + head;
  if (major === UNSIGNED || major === NEGATIVE) return start;
  const count = argumentOf(bytes, at, head);
  switch (major) {
    case OCTETS:
      return start + count <= bytes.length ? start + count : NOWHERE;
    case TEXT:
      return endOfText(bytes, start, count);
    case ARRAY:
      return endOfArray(bytes, { start, count, depth });
    case MAP:
      return endOfMap(bytes, { start, count, depth });
    default:
      return NOWHERE;
  }
}

/** Octets of the head of the item at `at`; 0 where it is longer than needed, cut short or indefinite. */
function headBytes(bytes: Bytes, at: number): number {
  const info = (bytes[at] ?? 0) & 31;
  if (info < 24) return 1;
  const more = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0;
  if (more === 0 || at + 1 + more > bytes.length) return 0;
  if (more === 1) return (bytes[at + 1] ?? 0) >= 24 ? 2 : 0;
  // Longer than needed where the first half of it is zeros.
  for (let octet = at + 1; octet <= at + more / 2; octet++) if (bytes[octet] !== 0) return 1 + more;
  return 0;
}

function argumentOf(bytes: Bytes, at: number, head: number): number {
  if (head === 1) return (bytes[at] ?? 0) & 31;
  let value = 0;
  for (let octet = at + 1; octet < at + head; octet++) value = value * 256 + (bytes[octet] ?? 0);
  return value;
}

function endOfText(bytes: Bytes, start: number, count: number): number {
  const end = start + count;
  if (end > bytes.length) return NOWHERE;
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) >= 0x80) return NOWHERE;
  return end;
}

/** Items within another one. */
interface Items {
  readonly start: number;
  readonly count: number;
  readonly depth: number;
}

function endOfArray(bytes: Bytes, { start, count, depth }: Items): number {
  let at = start;
  for (let item = 0; item < count; item++) {
    if (at >= bytes.length) return NOWHERE;
    at = endOf(bytes, at, depth + 1);
    if (at === NOWHERE) return NOWHERE;
  }
  return at;
}

function endOfMap(bytes: Bytes, { start, count, depth }: Items): number {
  let [at, keyAt, keyEnd] = [start, start, start];
  for (let item = 0; item < count; item++) {
    if (at >= bytes.length || (bytes[at] ?? 0) >>> 5 !== TEXT) return NOWHERE;
    const end = endOf(bytes, at, depth + 1);
    // A map with the key "__proto__" does not become what it says.
    if (end === NOWHERE || end >= bytes.length || bytes[at + 1] === UNDERSCORE) return NOWHERE;
    if (item > 0 && !isBefore(bytes, { from: keyAt, to: keyEnd }, { from: at, to: end })) return NOWHERE;
    [keyAt, keyEnd] = [at, end];
    at = endOf(bytes, end, depth + 1);
    if (at === NOWHERE) return NOWHERE;
  }
  return at;
}

/** Part of the octets. */
interface Part {
  readonly from: number;
  readonly to: number;
}

/** Whether the one key comes before the other, octet by octet of their encodings (RFC 8949 §4.2.1). */
function isBefore(bytes: Bytes, one: Part, other: Part): boolean {
  for (let at = 0; one.from + at < one.to && other.from + at < other.to; at++) {
    const difference = (bytes[one.from + at] ?? 0) - (bytes[other.from + at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return one.to - one.from < other.to - other.from;
}
