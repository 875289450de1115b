/**
 * One peer of the server from its first byte to its goodbye: joins its link to its phase, and hands what it asks to
 * the rules. It has the shape that the pump drives; it never sees a socket.
 *
 * @module
 */

import type { Outcome, PeerId, Request } from "../chat/lobby.ts";
import type { Link, LinkEnd, LinkEvent } from "../secure/link.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import { type Action, type Phase, receiveBytes, receiveMessage, tick } from "./phase.ts";

/** A peer as delivery knows it: the sending side of a session. */
export interface Peer {
  /** Which connection it is. */
  readonly id: PeerId;
  /** Queues an encoded message. */
  send(message: Bytes): void;
}

/** What a session needs of the rest of the server. */
export interface Exchange {
  /** Has `request` decided, and everything that follows delivered; tells the outcome. */
  submit(peer: Peer, request: Request): Outcome;
}

/** One peer. */
export class Session {
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;
  /** Settles with its name when the peer is let in, or with `undefined` when it never will be. */
  readonly admitted: Promise<Handle | undefined>;

  readonly #id: PeerId;
  readonly #link: Link;
  readonly #exchange: Exchange;
  readonly #settleAdmitted: (name: Handle | undefined) => void;
  #phase: Phase;
  #processing: Promise<void> = Promise.resolve();

  /** A peer accepted at `now`, in milliseconds of the clock that later calls use. */
  constructor(id: PeerId, link: Link, { exchange, now }: { exchange: Exchange; now: number }) {
    const { promise, resolve } = Promise.withResolvers<Handle | undefined>();
    this.admitted = promise;
    this.#settleAdmitted = resolve;
    this.#id = id;
    this.#link = link;
    this.#exchange = exchange;
    this.#phase = { kind: "awaitingJoin", since: now, bytes: 0 };
    // What came before the end is dealt with first, whether the end is a close or a fault.
    this.ended = link.ended.then((end) => this.#processing.then(() => this.#leave(end)));
  }

  /** Takes bytes; settles when all they ask for is decided. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    this.#processing = this.#process(bytes, now);
    await this.#processing;
  }

  /** The peer will send nothing more. */
  receiveEnd(): void {
    this.#link.receiveEnd();
  }

  /** The connection is gone. */
  lost(): void {
    this.#link.lost();
  }

  /** Looks at the deadlines. */
  tick(now: number): void {
    this.#advance(tick(this.#phase, now), now);
    this.#link.tick(now);
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }

  /** Ends the connection with a reason, after all that is queued. */
  close(reason: CloseReason, now: number): void {
    this.#phase = { kind: "leaving" };
    this.#link.close(reason, now);
  }

  async #process(bytes: Bytes, now: number): Promise<void> {
    this.#advance(receiveBytes(this.#phase, bytes.length), now);
    for (const event of await this.#link.receive(bytes, now)) this.#take(event, now);
  }

  #take(event: LinkEvent, now: number): void {
    switch (event.kind) {
      case "established":
        break;
      case "message":
        // What comes after our own close could not be answered any more, so it is passed over (PROTOCOL §7).
        if (this.#link.open) this.#advance(receiveMessage(this.#phase, event.message), now);
        break;
      case "closed":
        this.close("done", now);
    }
  }

  #advance({ phase, action }: { phase: Phase; action: Action }, now: number): void {
    this.#phase = phase;
    switch (action.kind) {
      case "submit":
        this.#submit(action.request);
        break;
      case "close":
        this.#link.close(action.reason, now);
        break;
      case "drop":
        this.#link.lost();
        break;
      case "none":
    }
  }

  #submit(request: Request): void {
    const { lobby } = this.#exchange.submit(this.#peer, request);
    const name = lobby.members.get(this.#id);
    if (this.#phase.kind !== "awaitingJoin" || name === undefined) return;
    this.#phase = { kind: "ready" };
    this.#settleAdmitted(name);
  }

  get #peer(): Peer {
    return { id: this.#id, send: (message) => this.#link.send(message) };
  }

  #leave(end: LinkEnd): LinkEnd {
    this.#phase = { kind: "leaving" };
    this.#exchange.submit(this.#peer, { type: "leave" });
    this.#settleAdmitted(undefined);
    return end;
  }
}
