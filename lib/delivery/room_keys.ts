/**
 * The keys under which the entries of rooms are encrypted once for all who hear them (PROTOCOL §5.6). A key is made when
 * it is first needed and replaced before anything is said that somebody who has it is not to read. None of them is stored.
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";
import { AES_KEY_BYTES } from "../crypto/port.ts";
import { ROOM_KEY_ID_BYTES, type RoomKey } from "../secure/shared_record.ts";
import type { Bytes } from "../wire/bytes.ts";

/** Age at which a key is replaced: an hour, in milliseconds. */
export const ROOM_KEY_MS_MAX = 3_600_000;

/** Entries under one key: far below where random IVs would repeat. */
export const ROOM_KEY_ENTRIES_MAX = 2 ** 20;

/** A key in use. */
interface KeyInUse {
  readonly key: RoomKey;
  readonly since: number;
  entries: number;
}

/** The keys of one server. */
export class RoomKeys {
  readonly #entropy: Entropy;
  readonly #wallClock: () => number;
  readonly #inUse = new Map<string, KeyInUse>();

  /** No room has one. */
  constructor(
    { entropy, wallClock }: { readonly entropy: Entropy; readonly wallClock: () => number },
  ) {
    this.#entropy = entropy;
    this.#wallClock = wallClock;
  }

  /** The key of a room for so many entries more. */
  take(room: Bytes, entries: number): RoomKey {
    const name = room.toHex();
    const inUse = this.#inUse.get(name);
    const used = inUse !== undefined && !this.#isWorn(inUse) ? inUse : this.#made(room);
    used.entries += entries;
    this.#inUse.set(name, used);
    return used.key;
  }

  /** The next entry of a room is under another key: somebody has left it, or came who may not read what was said. */
  renew(room: Bytes): void {
    this.#inUse.delete(room.toHex());
  }

  /** So is that of any room: somebody's devices or account are no longer what they were. */
  renewAll(): void {
    this.#inUse.clear();
  }

  /** Forgets keys that are too old to be used again. */
  tick(): void {
    for (const [name, inUse] of this.#inUse) if (this.#isWorn(inUse)) this.#inUse.delete(name);
  }

  #isWorn({ since, entries }: KeyInUse): boolean {
    // A clock that was put back is no reason to keep a key for longer.
    return Math.abs(this.#wallClock() - since) >= ROOM_KEY_MS_MAX || entries >= ROOM_KEY_ENTRIES_MAX;
  }

  #made(room: Bytes): KeyInUse {
    const key = { room, id: this.#entropy(ROOM_KEY_ID_BYTES), key: this.#entropy(AES_KEY_BYTES) };
    return { key, since: this.#wallClock(), entries: 0 };
  }
}
