/**
 * Retention: how a room's log loses its oldest entries. What is left verifies from the hash of the last one dropped.
 *
 * @module
 */

import type { Place } from "../wire/message.ts";
import type { RoomState } from "./room.ts";

/** Milliseconds of a day. */
const DAY_MS = 86_400_000;

/** Entries before this time are to be dropped, in milliseconds since 1970; `undefined` where none is. */
export function retentionEnd({ settings: { retention } }: RoomState, now: number): number | undefined {
  return retention === 0 ? undefined : now - DAY_MS * retention;
}

/**
 * The room without its entries up to and with `last`, which is in its log. Throws a `RangeError` where it has dropped more
 * already, or there is no such entry yet.
 */
export function trimmed(room: RoomState, last: Place): RoomState {
  if (last.sequence < room.base.sequence || last.sequence > room.head.sequence) {
    throw new RangeError(`Cannot drop entries up to ${last.sequence}: the log has others`);
  }
  return { ...room, base: last, pins: room.pins.filter((sequence) => sequence > last.sequence) };
}
