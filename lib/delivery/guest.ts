/**
 * A connection that has logged in, with what it was told and what it may be told.
 *
 * @module
 */

import type { Login, Peer } from "../session/port.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { type Card, encodeMessage, type Fault, type FaultCode, type ServerMessage } from "../wire/message.ts";
import { cardMessages } from "../chat/cards.ts";
import type { CardBook } from "./card_book.ts";
import { Holds } from "./holds.ts";

/** How far a connection is. */
export type Stage =
  /** It has not shown yet that it holds the keys of its login: it is told nothing. */
  | "greeted"
  /** It is told what concerns its account. */
  | "entered"
  /** It was told its rooms, and is told what happens in them. */
  | "ready"
  /** It has ended: what it has said before still counts. */
  | "gone"
  /** It was put out: what it has said and has no place yet counts no more. */
  | "out";

/** A message with those whom it names. */
export interface Told {
  /** Encoded. */
  readonly message: Bytes;
  /** Whose keys have to be known before it. */
  readonly named: readonly Handle[];
}

/** One connection. */
export class Guest {
  /** Its sending side. */
  readonly peer: Peer;
  /** Who it is. */
  login: Login;
  /** How far it is. */
  stage: Stage = "greeted";
  /** How often it was refused something since that was looked at last. */
  refusedLately = 0;
  /** How often it was refused something, by code. */
  readonly refusals = new Map<FaultCode, number>();
  /** What was refused for now, and comes again before anything else. */
  readonly holds = new Holds();

  /** The keys that it was told. */
  readonly #cards = new Map<Handle, Card>();

  /** A connection whose login verified. */
  constructor(peer: Peer, login: Login) {
    this.peer = peer;
    this.login = login;
  }

  /** Whose it is. */
  get handle(): Handle {
    return this.login.handle;
  }

  /** Tells it something. */
  tell(message: ServerMessage): void {
    this.peer.send(encodeMessage(message));
  }

  /** Tells it something, the keys of those named before it. */
  hear({ message, named }: Told, book: CardBook): void {
    this.introduce(named, book);
    this.peer.send(message);
  }

  /** Tells it the keys of those whose present ones it was not told. */
  introduce(handles: Iterable<Handle>, book: CardBook): void {
    const cards: Card[] = [];
    for (const handle of handles) {
      const card = book.find(handle);
      if (card === undefined || this.#cards.get(handle) === card) continue;
      this.#cards.set(handle, card);
      cards.push(card);
    }
    // Mostly they know all, and are one of thousands.
    if (cards.length === 0) return;
    for (const message of cardMessages(cards)) this.tell(message);
  }

  /** Whether it was told keys of that account. */
  knows(handle: Handle): boolean {
    return this.#cards.has(handle);
  }

  /** Refuses it something, and counts that. */
  refuse(code: FaultCode, details: Omit<Fault, "type" | "code"> = {}): void {
    this.refusedLately += 1;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    this.tell({ type: "fault", code, ...details });
  }
}
