/**
 * Entries of one connection that were refused for now: nothing else of its is taken in that room before one of them comes
 * again, else the entries of one author would change their order.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import type { FaultCode } from "../wire/message.ts";

/** Entries that are remembered, over all rooms: four windows of a client; who has more on its way may lose its order. */
export const HELD_MAX = 1_024;

/** What was refused in one room. */
interface Hold {
  readonly code: FaultCode;
  /** The one refused first, and those behind it. */
  readonly ids: Set<string>;
}

/** The holds of one connection. */
export class Holds {
  readonly #rooms = new Map<string, Hold>();
  readonly #failures = new Map<string, number>();
  #count = 0;

  /** An entry is refused for now: what was sent behind it is to be refused, too, until that comes again. */
  add(room: Bytes, id: Bytes, code: FaultCode): void {
    const key = room.toHex();
    const ids = this.#rooms.get(key)?.ids ?? new Set();
    this.#count -= ids.size;
    ids.add(id.toHex());
    this.#count += ids.size;
    this.#rooms.set(key, { code, ids });
    const [oldest] = this.#rooms.keys();
    if (this.#count > HELD_MAX && oldest !== undefined) this.#end(oldest);
  }

  /** Why an entry that comes is refused behind one which was; `undefined` where it is one of those, or there is none. */
  refusal(room: Bytes, id: Bytes): FaultCode | undefined {
    const key = room.toHex();
    if (this.#rooms.get(key)?.ids.has(id.toHex()) === true) this.#end(key);
    return this.#rooms.get(key)?.code;
  }

  /**
   * An entry left the writer's queue and was refused for now. What had waited behind it is to be, too, and comes by
   * {@linkcode Holds.join}: the first of them may have come again meanwhile.
   */
  fail(room: Bytes, id: Bytes, code: FaultCode): void {
    const key = room.toHex();
    this.#failures.set(key, this.failures(room) + 1);
    this.add(room, id, code);
  }

  /** An entry is refused because one before it was: it counts with that, unless that has come again. */
  join(room: Bytes, id: Bytes): void {
    const hold = this.#rooms.get(room.toHex());
    if (hold !== undefined) this.add(room, id, hold.code);
  }

  /** How often an entry of a room has failed: whoever was queued at another count waited behind one that did. */
  failures(room: Bytes): number {
    return this.#failures.get(room.toHex()) ?? 0;
  }

  #end(key: string): void {
    this.#count -= this.#rooms.get(key)?.ids.size ?? 0;
    this.#rooms.delete(key);
  }
}
