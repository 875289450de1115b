/**
 * Who hears what comes in which room: every entry after the page that reached the log's end, once, and none before it.
 * From the moment at which that end is looked at, what comes is held back until the page has been queued.
 *
 * @module
 */

import type { SharedMessages } from "../secure/shared_record.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { CardBook } from "./card_book.ts";
import type { Guest, Told } from "./guest.ts";

/** Who hears an entry live: with fewer, an own record for each costs less than one for all, its key and their tags. */
export const SHARED_LEAST = 3;

/** Entries held back for one connection while its page is read: more than any disk is slow for. */
export const HELD_BACK_MAX = 1_024;

/** An entry that was stored, on its way to those who hear it. */
export interface Stored {
  /** Whose connection it came by; `undefined` for the server's own. */
  readonly author: Guest | undefined;
  /** What its author is told. */
  readonly acknowledgement: Bytes;
  /** What all others are. */
  readonly entry: Told;
}

/** Encrypts messages once for many. */
export type Share = (messages: readonly Bytes[]) => SharedMessages;

/** One message that waits for the page before it; acknowledgements are told whatever becomes of the page. */
interface Held extends Told {
  readonly isAcknowledgement: boolean;
}

/** A connection that hears a room, or will as soon as its page is queued. */
type Follow = { readonly kind: "live" } | { readonly kind: "catching"; readonly held: Held[] };

const LIVE: Follow = { kind: "live" };

/** The follows of one server. */
export class Follows {
  readonly #cards: CardBook;
  readonly #rooms = new Map<string, Map<Guest, Follow>>();
  readonly #ofGuest = new Map<Guest, Set<string>>();

  /** Nobody follows anything. */
  constructor(cards: CardBook) {
    this.#cards = cards;
  }

  /** Holds back for it what comes in a room from now on. The function given back ends that, see {@linkcode GoLive}. */
  begin(room: Bytes, guest: Guest): GoLive {
    const key = room.toHex();
    this.drop(room, guest);
    const follow: Follow & { kind: "catching" } = { kind: "catching", held: [] };
    this.#rooms.set(key, (this.#rooms.get(key) ?? new Map()).set(guest, follow));
    this.#ofGuest.set(guest, (this.#ofGuest.get(guest) ?? new Set()).add(key));
    return (isWanted) => {
      if (this.#rooms.get(key)?.get(guest) !== follow) return undefined;
      if (!isWanted) return void this.drop(room, guest);
      this.#rooms.get(key)?.set(guest, LIVE);
      return () => {
        for (const told of follow.held) guest.hear(told, this.#cards);
      };
    };
  }

  /**
   * Tells all who follow a room what was stored there in one go, and its authors that it was: them one by one, in the
   * order of the log; the others by `share`, where that is given and they are many. Who is so far behind that it cannot be
   * held back has to ask anew.
   */
  tell(room: Bytes, stored: readonly Stored[], share: Share | undefined): void {
    const follows = this.#rooms.get(room.toHex()) ?? new Map<Guest, Follow>();
    const authors = new Set(stored.flatMap(({ author }) => author ?? []));
    for (const { author, acknowledgement } of stored) {
      if (author !== undefined && !follows.has(author)) author.peer.send(acknowledgement);
    }
    const isHearer = (guest: Guest, { kind }: Follow): boolean => kind === "live" && !authors.has(guest);
    let hearers = 0;
    for (const [guest, follow] of follows) if (isHearer(guest, follow)) hearers++;
    const shared = hearers < SHARED_LEAST ? undefined : share?.(stored.map(({ entry }) => entry.message));
    const named = new Set(stored.flatMap(({ entry }) => entry.named));
    const faults: unknown[] = [];
    for (const [guest, follow] of follows) {
      try {
        if (shared !== undefined && isHearer(guest, follow)) {
          guest.introduce(named, this.#cards);
          guest.peer.share(shared);
        } else for (const each of stored) this.#tell(room, guest, follow, toldOf(each, guest));
      } catch (fault) {
        faults.push(fault);
      }
    }
    // Only now: a fault in telling one must not keep the others from being told.
    if (faults.length > 0) throw faults[0];
  }

  /** Tells one connection that its entry has its place, where that is among what it hears of the room. */
  acknowledge(room: Bytes, guest: Guest, message: Bytes): void {
    const follow = this.#rooms.get(room.toHex())?.get(guest) ?? LIVE;
    this.#tell(room, guest, follow, { message, named: [], isAcknowledgement: true });
  }

  /** Whether anybody follows a room. */
  isHeard(room: Bytes): boolean {
    return this.#rooms.has(room.toHex());
  }

  /** Who follows a room. */
  followers(room: Bytes): readonly Guest[] {
    return Array.from(this.#rooms.get(room.toHex())?.keys() ?? []);
  }

  /** It hears nothing more of a room. */
  drop(room: Bytes, guest: Guest): void {
    this.#drop(room.toHex(), guest);
  }

  /** It hears nothing more of any. */
  leave(guest: Guest): void {
    for (const key of this.#ofGuest.get(guest) ?? []) this.#drop(key, guest);
  }

  #tell(room: Bytes, guest: Guest, follow: Follow, held: Held): void {
    if (follow.kind === "live") return guest.hear(held, this.#cards);
    follow.held.push(held);
    if (follow.held.length > HELD_BACK_MAX) this.drop(room, guest);
  }

  #drop(key: string, guest: Guest): void {
    const guests = this.#rooms.get(key);
    const follow = guests?.get(guest);
    guests?.delete(guest);
    if (guests?.size === 0) this.#rooms.delete(key);
    this.#ofGuest.get(guest)?.delete(key);
    if (this.#ofGuest.get(guest)?.size === 0) this.#ofGuest.delete(guest);
    if (follow?.kind !== "catching") return;
    for (const told of follow.held) if (told.isAcknowledgement) guest.hear(told, this.#cards);
  }
}

function toldOf({ author, acknowledgement, entry }: Stored, guest: Guest): Held {
  return author === guest
    ? { message: acknowledgement, named: [], isAcknowledgement: true }
    : { ...entry, isAcknowledgement: false };
}

/**
 * To be called in the turn in which the page is queued: whether it is followed still, or that is not wanted. Where it is,
 * the function given back tells what was held back, behind the page; where it is not, `undefined` is given.
 */
export type GoLive = (isWanted: boolean) => (() => void) | undefined;
