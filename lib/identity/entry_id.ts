/**
 * Ids of entries: UUIDs of version 7 (RFC 9562 §5.7), made by whoever says something, so that a repeated send
 * can be told from a new one.
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";
import { type Bytes, concat, u64 } from "../wire/bytes.ts";
import { ENTRY_ID_BYTES } from "../wire/message.ts";

const TIME_BYTES = 6;
const VERSION = 0x70;
const VARIANT = 0x80;

/** A fresh id at the moment `now`, in milliseconds since 1970: 48 bits of time, 74 of randomness. */
export function entryId(now: number, entropy: Entropy): Bytes {
  const random = entropy(ENTRY_ID_BYTES - TIME_BYTES);
  random[0] = VERSION | (random[0] ?? 0) & 0x0f;
  random[2] = VARIANT | (random[2] ?? 0) & 0x3f;
  return concat(u64(now).slice(-TIME_BYTES), random);
}

/** The moment that an id names, in milliseconds since 1970: when its maker says that the entry was made. */
export function entryTime(id: Bytes): number {
  return id.subarray(0, TIME_BYTES).reduce((value, octet) => value * 256 + octet, 0);
}
