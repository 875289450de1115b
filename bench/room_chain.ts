/**
 * A room's log as one process hears it. Each entry is verified when the first connection has it: its place behind the one
 * before, its content's digest, and its author's signature. Every other connection has to hear the very same.
 *
 * @module
 */

import type { Provider, VerifyingKey } from "../lib/crypto/port.ts";
import { claimOf, contentDigest, placeOf, verifyEntry } from "../lib/identity/log_entry.ts";
import type { Handle } from "../lib/text/handle.ts";
import { type Bytes, equal } from "../lib/wire/bytes.ts";
import type { Logged, Place } from "../lib/wire/message.ts";

/** Entries that are remembered, for connections that hear them later than the first: more than any queue holds. */
const REMEMBERED_MAX = 50_000;

/** What a chain is verified with. */
export interface ChainParts {
  /** Hashes. */
  readonly provider: Provider;
  /** The key of an account's device, as the bench made it; `undefined` for whom it did not make. */
  readonly keyOf: (handle: Handle) => Promise<VerifyingKey | undefined>;
  /** Told of what is wrong. */
  readonly failed: (fault: unknown) => void;
}

/** One room's. */
export class RoomChain {
  /** 16 octets. */
  readonly room: Bytes;

  readonly #parts: ChainParts;
  readonly #entries = new Map<number, { readonly entry: Logged; readonly place: Place }>();
  #head: Place;
  #verifying: Promise<void> = Promise.resolve();

  /** The log of `room` from `head` on. */
  constructor(room: Bytes, head: Place, parts: ChainParts) {
    this.room = room;
    this.#head = head;
    this.#parts = parts;
  }

  /** The last entry that any connection of this process has heard of. */
  get head(): Place {
    return this.#head;
  }

  /** Settles when all that was heard is verified. */
  verified(): Promise<void> {
    return this.#verifying;
  }

  /** A connection has heard `entry`. Throws where it is not what others heard, or does not fit the log. */
  take(entry: Logged): void {
    const known = this.#entries.get(entry.sequence);
    if (known?.entry === entry) return;
    const place = placeOf(this.#parts.provider, this.room, entry);
    if (known !== undefined) {
      if (!equal(known.place.hash, place.hash)) throw new Error(`${entry.sequence} was told in two ways`);
      return;
    }
    if (entry.sequence !== this.#head.sequence + 1 || !equal(entry.previous, this.#head.hash)) {
      throw new Error(`${entry.sequence} does not follow on ${this.#head.sequence}`);
    }
    if (
      entry.content === undefined ||
      !equal(contentDigest(this.#parts.provider, entry.content), entry.digest)
    ) throw new Error(`${entry.sequence} says something else than its digest`);
    this.#head = place;
    this.#entries.set(entry.sequence, { entry, place });
    this.#entries.delete(entry.sequence - REMEMBERED_MAX);
    const verified = this.#verify(entry).catch(this.#parts.failed);
    this.#verifying = this.#verifying.then(() => verified);
  }

  async #verify(entry: Logged): Promise<void> {
    if (entry.from === undefined) return;
    const key = await this.#parts.keyOf(entry.from);
    if (key === undefined || !equal(key.publicKey, entry.device)) {
      throw new Error(`${entry.sequence} is signed by a key that is not ${entry.from}'s`);
    }
    if (!await verifyEntry(key, claimOf(this.room, entry), entry.signature)) {
      throw new Error(`${entry.sequence} has a signature that does not verify`);
    }
  }
}
