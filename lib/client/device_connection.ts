/**
 * One connection of a device, from its first byte to its goodbye: it logs in by the device's key, enters, and hands on
 * what the server says. What that means is for whoever listens.
 *
 * @module
 */

import type { SigningKey } from "../crypto/port.ts";
import { deviceLogin } from "../login/client_login.ts";
import { decodeRefused } from "../login/message.ts";
import type { Link, LinkEnd, LinkEvent } from "../secure/link.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { LOGIN_MS_MAX } from "../wire/limits.ts";
import {
  type ClientMessage,
  decodeServerMessage,
  encodeMessage,
  type ServerMessage,
} from "../wire/message.ts";
import type { Connection } from "./connection.ts";
import { Turns } from "./turns.ts";

/** Who logs in where, and who hears what comes of it. */
export interface DeviceConnectionParts {
  /** The account. */
  readonly handle: Handle;
  /** The key of one of its devices. */
  readonly device: SigningKey;
  /** The server's host key, to which the link is pinned. */
  readonly hostKey: Bytes;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** Takes a message; the next is read when that has settled. False where no honest server sends it there. */
  readonly take: (message: ServerMessage) => Promise<boolean>;
  /** Settles when more may be read: a screen that stands still slows the server down. */
  readonly room: () => Promise<void>;
  /** Whether it waits for that now. */
  readonly isFull: () => boolean;
  /** About a second has passed. */
  readonly tick: (now: number) => void;
  /** A fault of our own, or of our disk, in taking a message. */
  readonly failed: (fault: unknown) => void;
}

/** One connection. */
export class DeviceConnection implements Connection {
  /** Settles when nothing more will be read or written, and all that came is taken. */
  readonly ended: Promise<LinkEnd>;

  readonly #link: Link;
  readonly #parts: DeviceConnectionParts;
  readonly #turns = new Turns();
  readonly #since: number;
  #refused = false;
  #timedOut = false;
  #admitted = false;
  #leaving = false;
  /** What comes counts no more: the server has sent what makes no sense. */
  #deaf = false;

  /** One over `link`, whose handshake has just begun. */
  constructor(link: Link, parts: DeviceConnectionParts) {
    this.#link = link;
    this.#parts = parts;
    this.#since = parts.clock();
    // What came before the end is dealt with first: an acknowledgement often arrives together with the close.
    this.ended = link.ended.then((end) => this.#turns.done().then(() => end));
  }

  /** Whether the server has refused the device. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Whether the server did not let it in in time. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** Whether what is sent now may reach the server. */
  get open(): boolean {
    return !this.#leaving && this.#link.open;
  }

  /** Sends a message; before the login and after the end it goes nowhere. */
  send(message: ClientMessage): void {
    if (this.open) this.#link.send(encodeMessage(message));
  }

  /** Settles when at most so many octets wait to be sent, or none ever will be. */
  drained(octets: number): Promise<void> {
    return this.#link.drained(octets);
  }

  /** Notes that the server has let it in: no deadline ends it any more. */
  admit(): void {
    this.#admitted = true;
  }

  /** Says what is queued, and goodbye; what comes until the end still counts. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#link.close("done", this.#parts.clock());
  }

  /** Ends it because of what came. */
  break(): void {
    this.#deaf = true;
    this.#leaving = true;
    this.#link.close("protocolFault", this.#parts.clock());
  }

  /** Takes bytes; settles when more may come. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    await this.#turns.take(() => this.#process(bytes, now));
    await this.#parts.room();
  }

  /** The server will send nothing more. */
  receiveEnd(): void {
    this.#link.receiveEnd();
  }

  /** The connection is gone. */
  lost(): void {
    this.#link.lost();
  }

  /** Looks at the deadlines. */
  tick(now: number): void {
    if (this.#parts.isFull()) this.#link.excuse(now);
    this.#link.tick(now);
    this.#parts.tick(now);
    if (!this.#admitted && !this.#leaving && now - this.#since >= LOGIN_MS_MAX) {
      this.#timedOut = true;
      this.leave();
    }
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }

  async #process(bytes: Bytes, now: number): Promise<void> {
    try {
      const waiting = [...await this.#link.receive(bytes, now)];
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
        // Whoever has said goodbye already is not logged in to.
        if (event.kind === "established" && waiting.some(({ kind }) => kind === "closed")) continue;
        waiting.unshift(...await this.#take(event, now));
      }
    } catch (fault) {
      this.#deaf = true;
      this.#parts.failed(fault);
      this.leave();
    }
  }

  /** Gives the events of what was let in meanwhile. */
  async #take(event: LinkEvent, now: number): Promise<readonly LinkEvent[]> {
    switch (event.kind) {
      case "established":
        return await this.#logIn(event, now);
      case "login":
        this.#refused = decodeRefused(event.message) !== undefined;
        if (this.#refused) this.leave();
        else this.break();
        return [];
      case "message":
        if (!this.#deaf) await this.#takeMessage(event);
        return [];
      case "closed":
        this.leave();
        return [];
    }
  }

  async #logIn(
    { exporter, hostKey }: LinkEvent & { kind: "established" },
    now: number,
  ): Promise<readonly LinkEvent[]> {
    // All that is signed here is for one server: a link that was not pinned to it is a fault of ours.
    if (!equal(hostKey, this.#parts.hostKey)) {
      throw new RangeError("Cannot log in: the link is to another server");
    }
    await this.#link.sendLogin(await deviceLogin(this.#parts.device, exporter, this.#parts.handle));
    const events = await this.#link.expectVerdict(now);
    // Behind the login, and before anybody knows what comes of it.
    if (!this.#leaving) this.#link.send(encodeMessage({ type: "enter" }));
    return events;
  }

  async #takeMessage({ message: bytes, room }: LinkEvent & { kind: "message" }): Promise<void> {
    const message = decodeServerMessage(bytes);
    const isThere = message !== undefined && (room === undefined || isShared(message, room));
    if (!isThere || !await this.#parts.take(message)) this.break();
  }
}

/** Whether it may come under the key of that room: its entries alone do (PROTOCOL §5.6). */
function isShared(message: ServerMessage, room: Bytes): boolean {
  return message.type === "entry" && equal(message.room, room);
}
