/**
 * Hashes of entries by their numbers: what was stored last is known, the rest is read.
 *
 * @module
 */

import type { LogStore } from "../chat/log_port.ts";
import type { RoomState } from "../chat/room.ts";
import type { Provider } from "../crypto/port.ts";
import { entryHash, NOWHERE } from "../identity/log_entry.ts";
import type { Bytes } from "../wire/bytes.ts";
import { HASH_BYTES, type Logged, type Place } from "../wire/message.ts";

/** Entries of one room that are known: what comes within a few seconds of a busy one. */
const RECENT_PER_ROOM_MAX = 256;

/** Rooms of which that is known; with {@linkcode RECENT_PER_ROOM_MAX} each of about 100 octets, 3 MiB. */
const RECENT_ROOMS_MAX = 128;

/** Where places are looked for. */
export interface PlacesParts {
  /** What is stored. */
  readonly logs: Pick<LogStore, "entries">;
  /** Hashes entries. */
  readonly provider: Pick<Provider, "sha256Now">;
}

/** The places of one server's logs. */
export class Places {
  readonly #parts: PlacesParts;
  readonly #recent = new Map<string, Place[]>();

  /** Places of what `parts` keep. */
  constructor(parts: PlacesParts) {
    this.#parts = parts;
  }

  /** An entry has its place behind the one noted before. */
  note(room: Bytes, place: Place): void {
    const key = room.toHex();
    const places = this.#recent.get(key) ?? [];
    places.push(place);
    if (places.length > RECENT_PER_ROOM_MAX) places.shift();
    // Put at the end anew, so that the first is the one that was quiet for longest.
    this.#recent.delete(key);
    this.#recent.set(key, places);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > RECENT_ROOMS_MAX && oldest !== undefined) this.#recent.delete(oldest);
  }

  /**
   * The hash of the entry at `sequence`, which is at the most that of the head; `undefined` where the entry was dropped, or
   * neither it nor the next can be read.
   */
  async hashAt(room: RoomState, sequence: number): Promise<Bytes | undefined> {
    const known = this.#known(room, sequence);
    if (known !== undefined || sequence < room.base.sequence) return known;
    const entry = await this.entryAt(room, sequence);
    if (entry !== undefined) return entryHash(this.#parts.provider, room.id, entry);
    // One that cannot be read leaves its hash with the one behind it.
    return (await this.entryAt(room, sequence + 1))?.previous;
  }

  /** The same as a place: a hash that cannot be told is zeros, which fit nothing. */
  async at(room: RoomState, sequence: number): Promise<Place> {
    return { sequence, hash: await this.hashAt(room, sequence) ?? new Uint8Array(HASH_BYTES) };
  }

  /** The stored entry at `sequence`. */
  async entryAt({ id }: RoomState, sequence: number): Promise<Logged | undefined> {
    const [entry] = await this.#parts.logs.entries(id, { from: sequence, to: sequence });
    return entry;
  }

  #known({ id, head, base }: RoomState, sequence: number): Bytes | undefined {
    const place = [NOWHERE, head, base].find((each) => each.sequence === sequence);
    if (place !== undefined) return place.hash;
    const recent = this.#recent.get(id.toHex());
    return recent?.[sequence - (recent[0]?.sequence ?? 0)]?.hash;
  }
}
