/**
 * One connection of a load: it logs in by its device's key over the real channel, follows rooms, and checks that what it
 * hears there comes without gap, never twice and in order. It keeps nothing and shows nothing.
 *
 * @module
 */

import { systemEntropy } from "../lib/crypto/entropy.ts";
import type { Provider, SigningKey } from "../lib/crypto/port.ts";
import { entryId } from "../lib/identity/entry_id.ts";
import { contentDigest, draftClaim, signEntry } from "../lib/identity/log_entry.ts";
import { deviceLogin } from "../lib/login/client_login.ts";
import type { Pumped } from "../lib/net/pump.ts";
import type { Link, LinkEnd, LinkEvent } from "../lib/secure/link.ts";
import type { Bytes } from "../lib/wire/bytes.ts";
import { encodeBody, type EntryBody } from "../lib/wire/entry_body.ts";
import {
  type Acknowledgement,
  type ClientMessage,
  type Draft,
  encodeMessage,
  type Logged,
  type Page,
  type Place,
  SALT_BYTES,
  type ServerMessage,
} from "../lib/wire/message.ts";
import type { KnownMessages } from "./known_messages.ts";
import type { Member } from "./member.ts";
import type { RoomChain } from "./room_chain.ts";

/** What a connection shares with the others of its process. */
export interface LoadParts {
  /** Primitives: the reference ones, as clients have them. */
  readonly provider: Provider;
  /** What was told already. */
  readonly known: KnownMessages;
  /** The log of a room, which begins at `head` where nobody of this process follows it yet. */
  readonly chain: (room: Bytes, head: Place) => RoomChain;
  /** Somebody else's entry was heard; its octets were read at `now`. */
  readonly heard: (entry: Logged, now: number) => void;
  /** What is said of files. */
  readonly file: (message: FileMessage) => void;
  /** The server, or this program, is at fault. */
  readonly failed: (fault: unknown) => void;
}

/** What a server says of files. */
export type FileMessage = Extract<ServerMessage, { type: "fileState" | "fileData" }>;

/** What a server refuses something by. */
type Fault = Extract<ServerMessage, { type: "fault" }>;

/** A room that is followed. */
interface Following {
  readonly chain: RoomChain;
  next: number;
}

/** One of its own that waits for its place. */
interface Waiting {
  readonly draft: Draft;
  readonly isHeedless: boolean;
  readonly settle: (isTaken: boolean) => void;
}

/** One connection. */
export class LoadConnection implements Pumped {
  /** Settles when it has sent its login: from then on it may enter. */
  readonly loggedIn: Promise<void>;
  /** Settles when the server has let it in and told it its rooms. */
  readonly ready: Promise<void>;
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;

  readonly #link: Link;
  readonly #member: Member;
  readonly #key: SigningKey;
  readonly #parts: LoadParts;
  readonly #rooms = new Map<string, Following>();
  readonly #asked = new Map<string, (page: Page) => void>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #settleLoggedIn: () => void;
  readonly #settleReady: () => void;
  #mayEnd = false;

  /** One over `link`, whose handshake has just begun. */
  constructor(
    link: Link,
    { member, key, parts }: {
      readonly member: Member;
      readonly key: SigningKey;
      readonly parts: LoadParts;
    },
  ) {
    const loggedIn = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    this.loggedIn = loggedIn.promise;
    this.ready = ready.promise;
    this.#settleLoggedIn = loggedIn.resolve;
    this.#settleReady = ready.resolve;
    this.#link = link;
    this.#member = member;
    this.#key = key;
    this.#parts = parts;
    this.ended = link.ended.then((end) => {
      if (!this.#mayEnd) parts.failed(new Error(`${member.handle} was cut: ${JSON.stringify(end)}`));
      return end;
    });
  }

  /** Goes in; settles when it is told its rooms. Before that it is told nothing at all. */
  async enter(): Promise<void> {
    this.send({ type: "enter" });
    await this.ready;
  }

  /** Hears a room from its newest entry on; settles once that begins. */
  async follow(room: Bytes): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<Page>();
    this.#asked.set(room.toHex(), resolve);
    this.send({ type: "read", room, ask: 0, where: { from: "newest" }, limit: 1, follow: true });
    await promise;
  }

  /** The last entry that it has heard of a room; `undefined` where it does not follow it. */
  heardOf(room: string): number | undefined {
    const following = this.#rooms.get(room);
    return following && following.next - 1;
  }

  /** Whether others of its process have heard something that it has not, of any room that it follows. */
  get isBehind(): boolean {
    return this.#rooms.values().some(({ next, chain }) => next <= chain.head.sequence);
  }

  /** Signs what `what` says for a followed room, and sends it; `sent` is told its id. Settles when it is acknowledged. */
  async say(room: string, what: EntryBody, sent: (id: Bytes) => void = () => {}): Promise<void> {
    await this.#propose(room, what, { sent, isHeedless: false });
  }

  /** As {@linkcode LoadConnection.say}, at any pace: settles with whether it was not refused for being too fast. */
  async sayHeedlessly(room: string, what: EntryBody): Promise<boolean> {
    return await this.#propose(room, what, { sent: () => {}, isHeedless: true });
  }

  /** That it is cut is from now on not a fault. */
  expectEnd(): void {
    this.#mayEnd = true;
  }

  /** Sends a message. */
  send(message: ClientMessage): void {
    this.#link.send(encodeMessage(message));
  }

  /** Settles when at most so many octets wait to be sent. */
  drained(octets: number): Promise<void> {
    return this.#link.drained(octets);
  }

  /** Says goodbye; settles when it is over. */
  async leave(): Promise<void> {
    this.#mayEnd = true;
    this.#link.close("done", performance.now());
    await this.ended;
  }

  /** Takes bytes; settles when they are dealt with. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    try {
      await this.#takeAll(await this.#link.receive(bytes, now), now);
    } catch (fault) {
      this.#parts.failed(fault);
    }
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
    this.#link.tick(now);
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }

  async #propose(
    room: string,
    what: EntryBody,
    { sent, isHeedless }: { readonly sent: (id: Bytes) => void; readonly isHeedless: boolean },
  ): Promise<boolean> {
    const following = this.#rooms.get(room);
    if (following === undefined) throw new Error(`${this.#member.handle} does not follow ${room}`);
    const { chain } = following;
    const unsigned: Draft = {
      id: entryId(Date.now(), systemEntropy),
      kind: what.kind,
      seen: chain.head,
      content: { salt: systemEntropy(SALT_BYTES), body: encodeBody(what) },
      signature: new Uint8Array(0),
    };
    const claim = draftClaim(this.#parts.provider, { room: chain.room, from: this.#member.handle }, unsigned);
    const draft = { ...unsigned, signature: await signEntry(this.#key, claim) };
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.set(draft.id.toHex(), { draft, isHeedless, settle: resolve });
    sent(draft.id);
    this.send({ type: "send", room: chain.room, entry: draft });
    return await promise;
  }

  async #takeAll(events: readonly LinkEvent[], now: number): Promise<void> {
    for (const event of events) {
      switch (event.kind) {
        case "established":
          await this.#logIn(event.exporter, now);
          break;
        case "login":
          throw new Error(`${this.#member.handle} was refused`);
        case "message":
          this.#take(this.#parts.known.read(event.message), now);
          break;
        case "closed":
          this.#link.close("done", now);
      }
    }
  }

  async #logIn(exporter: Bytes, now: number): Promise<void> {
    await this.#link.sendLogin(await deviceLogin(this.#key, exporter, this.#member.handle));
    const events = await this.#link.expectVerdict(now);
    this.#settleLoggedIn();
    await this.#takeAll(events, now);
  }

  #take(message: ServerMessage, now: number): void {
    switch (message.type) {
      case "ready":
        return this.#settleReady();
      case "page":
        return this.#takePage(message);
      case "entry":
        this.#next(message.room.toHex(), message.entry);
        return this.#parts.heard(message.entry, now);
      case "ack":
        return this.#takeAcknowledgement(message);
      case "fileState":
      case "fileData":
        return this.#parts.file(message);
      case "fault":
        return this.#takeFault(message);
      default:
        // Rooms, cards and presence are opened and read like all else, and mean nothing here.
    }
  }

  #takeFault({ code, about }: Fault): void {
    const key = about?.toHex() ?? "";
    const waiting = this.#waiting.get(key);
    if (code !== "tooFast" || waiting?.isHeedless !== true) {
      throw new Error(`${this.#member.handle} was refused something: ${code}`);
    }
    this.#waiting.delete(key);
    waiting.settle(false);
  }

  #takePage(page: Page): void {
    if (page.end === undefined) return;
    const key = page.room.toHex();
    const { head, live } = page.end;
    if (!live) throw new Error(`${this.#member.handle} cannot follow ${key}`);
    this.#rooms.set(key, { chain: this.#parts.chain(page.room, head), next: head.sequence + 1 });
    this.#asked.get(key)?.(page);
  }

  #takeAcknowledgement({ room, id, sequence, time, previous }: Acknowledgement): void {
    const key = id.toHex();
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) throw new Error(`${sequence} was acknowledged to whoever did not say it`);
    this.#waiting.delete(key);
    const { content, ...said } = waiting.draft;
    const digest = contentDigest(this.#parts.provider, content);
    const entry = { ...said, sequence, time, previous, from: this.#member.handle, digest, content };
    this.#next(room.toHex(), { ...entry, device: this.#key.publicKey });
    waiting.settle(true);
  }

  /** Every entry of a room, one's own included, is the one behind the last. */
  #next(room: string, entry: Logged): void {
    const following = this.#rooms.get(room);
    if (following === undefined) throw new Error(`${this.#member.handle} heard of ${room}, unasked`);
    if (entry.sequence !== following.next) {
      throw new Error(`${this.#member.handle} heard ${entry.sequence}, and not ${following.next}`);
    }
    following.chain.take(entry);
    following.next += 1;
  }
}
