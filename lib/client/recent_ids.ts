/**
 * The ids of the entries that came last, so that one that comes again is known.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

/** Ids remembered: an hour of a busy lobby, in about a megabyte. Older entries show by the time in their id. */
export const RECENT_IDS_MAX = 10_000;

/** Remembers the last {@linkcode RECENT_IDS_MAX}. */
export class RecentIds {
  // A set gives its members in the order in which they came.
  readonly #ids = new Set<string>();

  /** Whether `id` is among them; it is from now on. */
  seen(id: Bytes): boolean {
    const hex = id.toHex();
    if (this.#ids.has(hex)) return true;
    this.#ids.add(hex);
    if (this.#ids.size > RECENT_IDS_MAX) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return false;
  }
}
