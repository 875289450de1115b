/**
 * A link: one end of a channel over time. It owns both directions, holds what waits to be written, keeps the
 * deadlines, and ends the connection the way PROTOCOL §5.5 says. Clock and socket are its caller's: bytes and the
 * time come in by calls, and what is to be written is asked for.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { concat, joined } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import {
  CLOSE_MS_MAX,
  CONNECTION_MS_MAX,
  DEAD_MS,
  HANDSHAKE_MS_MAX,
  LOGIN_MS_MAX,
  MESSAGE_BYTES_MAX,
  PING_MS,
} from "../wire/limits.ts";
import { Channel, type ChannelEvent, type ChannelParts, type Received } from "./channel.ts";
import type { ClientOptions } from "./client_handshake.ts";
import { type ChannelFault, MisuseError } from "./fault.ts";
import type { Role } from "./login_message.ts";
import type { SharedMessages, SharedRecord } from "./shared_record.ts";
import type { ServerOptions } from "./server_handshake.ts";

/**
 * Most octets that wait for one peer. A burst of 1,000 messages of a hundred octets from each of thirty people fits;
 * whoever is further behind than that is cut and comes back later.
 */
export const QUEUE_BYTES_MAX = 4_194_304;

/** Octets of messages that one write takes from the queue: four full records. */
export const WRITE_BYTES_MAX = 65_536;

/** Age of a direction's keys at which it is rekeyed: an hour. */
export const REKEY_MS = 3_600_000;

/**
 * What a link hands on. After `login` nothing more is read until its owner says how: by one of
 * {@linkcode Link.continueLogin}, {@linkcode Link.admit}, {@linkcode Link.mix} and {@linkcode Link.close}. `closed` is
 * the other end's close: its owner answers what it still owes and then calls {@linkcode Link.close}.
 */
export type LinkEvent = Extract<ChannelEvent, { kind: "established" | "login" | "message" | "closed" }>;

const NOTHING: Bytes = new Uint8Array(0);

/** What waits to be written. */
type Queued =
  | { readonly kind: "own"; readonly message: Bytes; readonly octets: number }
  | { readonly kind: "shared"; readonly messages: SharedMessages; readonly octets: number };

/** A pump that waits. */
interface Idle {
  readonly now: () => number;
  readonly give: (bytes: Bytes) => void;
}

/** How far a connection had come. */
export type LinkStage = "handshake" | "login" | "conversation";

/** How a link came to its end. */
export type LinkEnd =
  /**
   * An authenticated close. `confirmed` says that the other end's close came too, so nothing that either end sent
   * before is missing.
   */
  | {
    readonly kind: "closed";
    readonly by: "us" | "peer";
    readonly reason: CloseReason;
    readonly confirmed: boolean;
  }
  /** The connection ended without one. `answered` says whether the other end had sent a single byte. */
  | { readonly kind: "cut"; readonly during: LinkStage; readonly answered: boolean }
  /** A deadline passed. */
  | { readonly kind: "timedOut"; readonly during: LinkStage }
  /** The server proved another host key than the one pinned. */
  | { readonly kind: "hostKeyRefused"; readonly hostKey: Bytes }
  /** The other end, or someone between, broke the protocol. */
  | { readonly kind: "failed"; readonly fault: ChannelFault };

type Phase =
  | { readonly kind: "handshake"; readonly since: number }
  /** Who the client is, is being found out, since the connection began; `theirs` as below. */
  | { readonly kind: "login"; readonly since: number; readonly theirs: CloseReason | undefined }
  /** A client that has shown its device's key talks already, but may yet be refused. */
  | { readonly kind: "verdict"; readonly since: number; readonly theirs: CloseReason | undefined }
  /** It was; its owner has not closed yet. */
  | { readonly kind: "refused"; readonly since: number; readonly theirs: CloseReason | undefined }
  /** Messages flow; `theirs` is the other end's close where it has come. */
  | { readonly kind: "open"; readonly theirs: CloseReason | undefined }
  /** Our close is wanted, sealed or written; theirs has come or not. */
  | {
    readonly kind: "closing";
    readonly since: number;
    readonly by: "us" | "peer";
    readonly reason: CloseReason;
    readonly ours: "wanted" | "sealed" | "written";
    readonly theirs: boolean;
  }
  | { readonly kind: "ended" };

/** One end of a channel, with its queue and its deadlines. */
export class Link {
  /** Settles once, when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;

  readonly #channel: Channel;
  readonly #role: Role;
  readonly #end: (end: LinkEnd) => void;
  #phase: Phase;
  #replies: Bytes;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #draining: { readonly octets: number; readonly settle: () => void }[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** How many calls of the login have not done their work; what they send goes before anything else. */
  #loginCalls = 0;
  #pingWanted = false;
  #rekeyWanted = false;
  #answered = false;
  #now: number;
  #established: number;
  #heard: number;
  #wrote: number;
  #rekeyed: number;
  #signal: () => void = () => {};
  /** Who waits for something to be written, where nothing is. */
  #idle: Idle | undefined;

  private constructor(
    channel: Channel,
    { role, opening, now }: { role: Role; opening: Bytes; now: number },
  ) {
    const { promise, resolve } = Promise.withResolvers<LinkEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.#channel = channel;
    this.#role = role;
    this.#replies = opening;
    this.#phase = { kind: "handshake", since: now };
    this.#now = now;
    this.#established = now;
    this.#heard = now;
    this.#wrote = now;
    this.#rekeyed = now;
  }

  /** A client's end at the moment `now` (milliseconds): its first write is Hello. */
  static async client(options: ClientOptions, parts: ChannelParts, now: number): Promise<Link> {
    const { channel, opening } = await Channel.client(options, parts);
    return new Link(channel, { role: "client", opening, now });
  }

  /** A server's end, accepted at `now` (milliseconds). */
  static server(options: ServerOptions, parts: ChannelParts, now: number): Link {
    return new Link(Channel.server(options, parts), { role: "server", opening: new Uint8Array(0), now });
  }

  /** Whether messages are taken and sent: the login is over and this end has not begun to close. */
  get open(): boolean {
    return this.#phase.kind === "open";
  }

  /** How many octets of messages wait to be written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Settles when at most so many octets of messages wait to be written, or none ever will: for who has much to send, and
   * lets what others say go between.
   */
  async drained(octets: number): Promise<void> {
    if (this.#queuedBytes <= octets) return;
    await new Promise<void>((settle) => this.#draining.push({ octets, settle }));
  }

  /**
   * Queues an encoded message; it leaves with whatever else waits, as one record and one write where that fits. A
   * peer whose queue is full is closed with `tooSlow`. After a close nothing is queued. Throws before the login is
   * over, or a client waits for the verdict on its device.
   */
  send(message: Bytes): void {
    if (message.length === 0 || message.length > MESSAGE_BYTES_MAX) {
      throw new MisuseError(`Cannot send ${message.length} octets: a message has 1 to ${MESSAGE_BYTES_MAX}`);
    }
    this.#push({ kind: "own", message, octets: message.length });
  }

  /**
   * Queues messages of a room that are encrypted once for all who hear them, as {@linkcode Link.send} does. A peer that
   * was not told their key is told it before them.
   */
  share(messages: SharedMessages): void {
    const idle = this.#idle;
    // Whoever has nothing to write takes it at once: to each of thousands, one after the other.
    const bytes = idle === undefined || this.#isDue || !this.#maySealNow
      ? undefined
      : this.#channel.shareNow(messages.records);
    if (idle === undefined || bytes === undefined) {
      return this.#push({ kind: "shared", messages, octets: messages.octets });
    }
    this.#idle = undefined;
    this.#wrote = idle.now();
    idle.give(bytes);
  }

  /**
   * Sends one message of the login, header included, before anything else. The login's calls and
   * {@linkcode Link.receive} queue, and settle in order. After a close they do nothing; where the login's state does
   * not allow them they reject with a `MisuseError`.
   */
  async sendLogin(message: Bytes): Promise<void> {
    await this.#inLogin(async () => {
      this.#reply(await this.#channel.sendLogin(message));
      return [];
    });
  }

  /** Reads on: another message of the login may come. Gives what had come behind the last one. */
  continueLogin(now: number): Promise<readonly LinkEvent[]> {
    return this.#inLogin(async () => this.#deal(await this.#channel.continueLogin(), now));
  }

  /** Server: lets a device in, whose DeviceLogin is good. Gives what had come behind it. */
  admit(now: number): Promise<readonly LinkEvent[]> {
    return this.#inLogin(async () => {
      const received = await this.#channel.admit();
      this.#begin(now);
      return this.#deal(received, now);
    });
  }

  /** Mixes in the key of a password login, after LoginFinish: messages begin. Gives what had come behind it. */
  mix(sessionKey: Bytes, now: number): Promise<readonly LinkEvent[]> {
    return this.#inLogin(async () => {
      const received = await this.#channel.mix(sessionKey);
      this.#rekeyed = now;
      this.#begin(now);
      return this.#deal(received, now);
    });
  }

  /**
   * Client, after DeviceLogin: messages may be sent, and what comes first decides, Refused or a message. Gives what
   * has come already.
   */
  expectVerdict(now: number): Promise<readonly LinkEvent[]> {
    return this.#inLogin(async () => {
      const received = await this.#channel.expectVerdict();
      if (this.#phase.kind === "login" && this.#phase.theirs === undefined) {
        this.#phase = { ...this.#phase, kind: "verdict" };
      }
      return this.#deal(received, now);
    });
  }

  /**
   * Sends what is queued, then an authenticated close, and waits for the other end's where that has not come. The
   * close that came first gives the reason. While keys may be changing at the other end a close could not be
   * understood, so the connection ends without one.
   */
  close(reason: CloseReason, now: number): void {
    switch (this.#phase.kind) {
      case "handshake":
        return this.#finish({ kind: "closed", by: "us", reason, confirmed: false });
      case "login":
      case "verdict":
      case "refused":
      case "open":
        return this.#startClosing(this.#phase.theirs, reason, now);
      case "closing":
      case "ended":
    }
  }

  /** Takes bytes at the moment `now`; gives what they meant. After the end that is nothing, and nothing is computed. */
  receive(bytes: Bytes, now: number): Promise<readonly LinkEvent[]> {
    if (this.#phase.kind === "ended") return Promise.resolve([]);
    this.#now = now;
    this.#heard = now;
    this.#answered = true;
    return this.#enqueue(async () =>
      this.#phase.kind === "ended" ? [] : this.#deal(await this.#channel.receive(bytes), now)
    );
  }

  /** What came is not dealt with yet at `now`, so that no new bytes are read: the other end is not the silent one. */
  excuse(now: number): void {
    this.#heard = now;
  }

  /** The other end will send nothing more; what we owe it may still be written. */
  receiveEnd(): void {
    if (!this.#theirCloseCame) this.lost();
  }

  /** The connection is gone in both directions. */
  lost(): void {
    switch (this.#phase.kind) {
      case "handshake":
        return this.#finish({ kind: "cut", during: "handshake", answered: this.#answered });
      case "login":
      case "verdict":
      case "refused":
        return this.#finish({ kind: "cut", during: "login", answered: this.#answered });
      case "open":
        return this.#finish({ kind: "cut", during: "conversation", answered: this.#answered });
      case "closing":
        return this.#finishUnconfirmed(this.#phase);
      case "ended":
    }
  }

  /** Looks at the deadlines; to be called about once a second. */
  tick(now: number): void {
    this.#now = now;
    switch (this.#phase.kind) {
      case "handshake":
        if (now - this.#phase.since >= HANDSHAKE_MS_MAX) {
          this.#finish({ kind: "timedOut", during: "handshake" });
        }
        break;
      case "login":
      case "verdict":
      case "refused":
        if (now - this.#phase.since >= LOGIN_MS_MAX) this.#loginTimedOut(now);
        break;
      case "open":
        this.#tickOpen(now);
        break;
      case "closing":
        // Since the last write: what is queued may take a slow network longer than that.
        if (now - Math.max(this.#phase.since, this.#wrote) >= CLOSE_MS_MAX) {
          this.#finishUnconfirmed(this.#phase);
        }
        break;
      case "ended":
        break;
    }
  }

  /**
   * The next bytes to be written: all that waits, up to {@linkcode WRITE_BYTES_MAX} of messages. Waits while there
   * is nothing; `undefined` once there never will be. To be asked again when the last write has ended.
   */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    this.#afterWrite();
    if (this.#isOver || this.#isDue) return this.#takeNext(now);
    const { promise, resolve } = Promise.withResolvers<Bytes | undefined>();
    this.#idle = { now, give: resolve };
    this.#signal = () => {
      if (this.#idle?.give !== resolve) return;
      this.#idle = undefined;
      // In a while: what is sent in this turn leaves together.
      resolve(Promise.resolve().then(() => this.#takeNext(now)));
    };
    return promise;
  }

  async #takeNext(now: () => number): Promise<Bytes | undefined> {
    while (!this.#isOver) {
      const signalled = this.#nextSignal();
      const bytes = this.#takeShared(now()) ?? await this.#takeWrite(now());
      if (bytes !== undefined) return bytes;
      await signalled;
    }
    return undefined;
  }

  get #isOver(): boolean {
    return this.#phase.kind === "ended";
  }

  /** Whether there may be something to write: thousands of idle connections are asked after each write. */
  get #isDue(): boolean {
    return this.#queue.length > 0 || this.#replies.length > 0 || this.#pingWanted || this.#rekeyWanted ||
      this.#phase.kind === "closing" || this.#channel.rekeyDue;
  }

  #push(queued: Queued): void {
    if (this.#phase.kind === "handshake" || this.#phase.kind === "login") {
      throw new MisuseError(`Cannot send: the ${this.#phase.kind} is not over`);
    }
    if (this.#phase.kind !== "open" && this.#phase.kind !== "verdict") return;
    if (this.#queuedBytes + queued.octets > QUEUE_BYTES_MAX) {
      this.#dropQueue();
      this.close("tooSlow", this.#now);
      return;
    }
    this.#queue.push(queued);
    this.#queuedBytes += queued.octets;
    this.#signal();
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Work of the login, in order with what is received; none after a close, which waits for what was asked before. */
  #inLogin(work: () => Promise<readonly LinkEvent[]>): Promise<readonly LinkEvent[]> {
    if (this.#phase.kind === "closing" || this.#phase.kind === "ended") return Promise.resolve([]);
    this.#loginCalls += 1;
    return this.#enqueue(async () => {
      try {
        return this.#phase.kind === "ended" ? [] : await work();
      } finally {
        this.#loginCalls -= 1;
        this.#signal();
      }
    });
  }

  #reply(bytes: Bytes): void {
    this.#replies = concat(this.#replies, bytes);
    this.#signal();
  }

  #deal({ events, reply }: Received, now: number): readonly LinkEvent[] {
    if (this.#phase.kind === "ended") return [];
    if (reply.length > 0) this.#reply(reply);
    return events.filter((event) => this.#take(event, now));
  }

  /** The login is over, and well: messages begin. */
  #begin(now: number): void {
    if (this.#phase.kind !== "login" && this.#phase.kind !== "verdict") return;
    if (this.#phase.theirs !== undefined) return;
    this.#phase = { kind: "open", theirs: undefined };
    // Whoever had to wait for us meanwhile was not silent.
    this.#heard = now;
  }

  /** The server says so; a client has nothing to say to a server that keeps it waiting. */
  #loginTimedOut(now: number): void {
    if (this.#role === "server") this.close("loginTimeout", now);
    else this.#finish({ kind: "timedOut", during: "login" });
  }

  #startClosing(theirs: CloseReason | undefined, reason: CloseReason, now: number): void {
    this.#phase = {
      kind: "closing",
      since: now,
      by: theirs === undefined ? "us" : "peer",
      reason: theirs ?? reason,
      ours: "wanted",
      theirs: theirs !== undefined,
    };
    this.#signal();
  }

  #tickOpen(now: number): void {
    if (now - this.#heard >= DEAD_MS) {
      this.#finish({ kind: "timedOut", during: "conversation" });
    } else if (this.#role === "server" && now - this.#established >= CONNECTION_MS_MAX) {
      this.close("reconnect", now);
    } else {
      this.#rekeyWanted ||= now - this.#rekeyed >= REKEY_MS;
      this.#pingWanted ||= now - this.#wrote >= PING_MS;
      if (this.#pingWanted) this.#signal();
    }
  }

  #take(event: ChannelEvent, now: number): event is LinkEvent {
    switch (event.kind) {
      case "established":
        this.#established = now;
        this.#rekeyed = now;
        return this.#beginLogin();
      case "login":
        return this.#takeLogin();
      case "message":
        this.#begin(now);
        return true;
      case "closed":
        return this.#takeClose(event.reason);
      case "hostKeyRefused":
      case "failed":
        this.#finish(event);
        return false;
    }
  }

  #beginLogin(): boolean {
    if (this.#phase.kind !== "handshake") return false;
    this.#phase = { kind: "login", since: this.#phase.since, theirs: undefined };
    return true;
  }

  /** Whether the owner has to decide on it: not where it gave the login up meanwhile. */
  #takeLogin(): boolean {
    if (this.#phase.kind === "verdict") {
      this.#dropQueue();
      this.#phase = { ...this.#phase, kind: "refused" };
      return true;
    }
    return this.#phase.kind === "login";
  }

  /** Whether the owner has to answer it: not where our close has gone before. */
  #takeClose(reason: CloseReason): boolean {
    switch (this.#phase.kind) {
      case "login":
      case "verdict":
      case "refused":
      case "open":
        this.#phase = { ...this.#phase, theirs: reason };
        return true;
      case "closing":
        this.#phase = { ...this.#phase, theirs: true };
        this.#finishIfBothClosed();
        return false;
      case "handshake":
      case "ended":
        return false;
    }
  }

  get #theirCloseCame(): boolean {
    if (this.#phase.kind === "handshake" || this.#phase.kind === "ended") return false;
    return this.#phase.kind === "closing" ? this.#phase.theirs : this.#phase.theirs !== undefined;
  }

  /** After our close nothing more is sent (PROTOCOL §5.5). */
  get #ourCloseLeft(): boolean {
    return this.#phase.kind === "closing" && this.#phase.ours !== "wanted";
  }

  #afterWrite(): void {
    if (this.#phase.kind !== "closing" || this.#phase.ours !== "sealed") return;
    this.#phase = { ...this.#phase, ours: "written" };
    this.#finishIfBothClosed();
  }

  #finishIfBothClosed(): void {
    if (this.#phase.kind !== "closing" || this.#phase.ours !== "written" || !this.#phase.theirs) return;
    this.#finish({ kind: "closed", by: this.#phase.by, reason: this.#phase.reason, confirmed: true });
  }

  /** One of the two closes is missing: theirs has not come, or ours was never handed to the socket whole. */
  #finishUnconfirmed({ by, reason }: Phase & { kind: "closing" }): void {
    this.#finish({ kind: "closed", by, reason, confirmed: false });
  }

  async #takeWrite(now: number): Promise<Bytes | undefined> {
    const parts = [this.#replies];
    this.#replies = NOTHING;
    if (this.#channel.canSeal && !this.#ourCloseLeft && this.#loginCalls === 0) {
      const queued = this.#dequeue();
      if (this.#rekeyWanted || this.#channel.rekeyDue) {
        this.#rekeyWanted = false;
        this.#rekeyed = now;
        parts.push(await this.#channel.rekey());
      }
      if (queued.length > 0) parts.push(...await this.#sealAll(queued));
      else if (this.#pingWanted) parts.push(await this.#channel.sealPing());
      this.#pingWanted = false;
      parts.push(await this.#takeOurClose());
    }
    const bytes = joined(parts);
    if (bytes.length === 0) return undefined;
    this.#wrote = now;
    return bytes;
  }

  /** The frame of our close, where it is due. */
  async #takeOurClose(): Promise<Bytes> {
    if (this.#phase.kind !== "closing" || this.#phase.ours !== "wanted" || this.#queue.length > 0) {
      return NOTHING;
    }
    if (!this.#channel.canClose) {
      this.#finishUnconfirmed(this.#phase);
      return NOTHING;
    }
    const frame = await this.#channel.sealClose(this.#phase.reason);
    if (this.#phase.kind === "closing") this.#phase = { ...this.#phase, ours: "sealed" };
    return frame;
  }

  /** Frames of what was queued, in its order: messages of its own share records as far as nothing is between them. */
  async #sealAll(queued: readonly Queued[]): Promise<readonly Bytes[]> {
    const frames: Bytes[] = [];
    let own: Bytes[] = [];
    for (const each of queued) {
      if (each.kind === "own") {
        own.push(each.message);
        continue;
      }
      if (own.length > 0) frames.push(await this.#channel.sealMessages(own));
      own = [];
      frames.push(await this.#channel.sealShared(each.messages.records));
    }
    if (own.length > 0) frames.push(await this.#channel.sealMessages(own));
    return frames;
  }

  /** The frames of what was shared, where nothing else waits or is due: there is no promise in that. */
  #takeShared(now: number): Bytes | undefined {
    if (this.#queue.length === 0 || this.#replies.length > 0 || this.#rekeyWanted) return undefined;
    if (!this.#maySealNow || this.#channel.rekeyDue) return undefined;
    const count = this.#nextCount();
    const records: SharedRecord[] = [];
    for (let at = 0; at < count; at++) {
      const queued = this.#queue[at];
      if (queued?.kind !== "shared") return undefined;
      for (const record of queued.messages.records) records.push(record);
    }
    const bytes = this.#channel.shareNow(records);
    if (bytes === undefined) return undefined;
    this.#dequeue(count);
    this.#pingWanted = false;
    this.#wrote = now;
    return bytes;
  }

  /** Whether messages may be sealed, and nothing of the login is under way that goes before them. */
  get #maySealNow(): boolean {
    return this.#phase.kind === "open" && this.#loginCalls === 0 && this.#channel.canSeal;
  }

  /** How many of those that wait one write takes. */
  #nextCount(): number {
    let count = 0;
    for (let bytes = 0; count < this.#queue.length; count++) {
      bytes += this.#queue[count]?.octets ?? 0;
      if (bytes > WRITE_BYTES_MAX && count > 0) break;
    }
    return count;
  }

  #dequeue(count = this.#nextCount()): readonly Queued[] {
    const taken = this.#queue.splice(0, count);
    this.#queuedBytes -= taken.reduce((bytes, { octets }) => bytes + octets, 0);
    this.#tellDrained();
    return taken;
  }

  #dropQueue(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.#draining.length === 0) return;
    const settled = this.#draining.filter(({ octets }) => this.#queuedBytes <= octets);
    if (settled.length === 0) return;
    this.#draining = this.#draining.filter((each) => !settled.includes(each));
    for (const { settle } of settled) settle();
  }

  /** Settles at the next signal; taken before looking at what waits, so that none is missed between. */
  #nextSignal(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#signal = resolve;
    return promise;
  }

  #finish(end: LinkEnd): void {
    if (this.#phase.kind === "ended") return;
    this.#phase = { kind: "ended" };
    this.#dropQueue();
    this.#end(end);
    this.#signal();
  }
}
