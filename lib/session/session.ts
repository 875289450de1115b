/**
 * One peer of the server from its first byte to its goodbye: joins its link to its login and its phase, and hands what it
 * asks to those who decide. It has the shape that the pump drives; it never sees a socket.
 *
 * A message is dealt with before the next is looked at, however long that waits. When the connection ends meanwhile, the
 * session leaves only once that is over, so that nothing is done for it behind its back.
 *
 * @module
 */

import type { PeerId } from "../chat/peer_id.ts";
import type { Provider } from "../crypto/port.ts";
import { decodeDeviceLogin } from "../login/message.ts";
import { type DeskStep, LoginDesk } from "../login/server_login.ts";
import { MisuseError } from "../secure/fault.ts";
import type { Link, LinkEvent } from "../secure/link.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import { decodeClientMessage } from "../wire/message.ts";
import type { DropReason, SessionEnd } from "./end_words.ts";
import { isRoomRequest, isStranger, mayCome, type Phase, receiveBytes, tick, type Verdict } from "./phase.ts";
import type { Exchange, Login, Peer, SessionNews } from "./port.ts";
import type { Visit } from "./reception.ts";
import type { AccountRequest, Served, Service } from "./service.ts";
import type { Turnstile } from "./turnstile.ts";

/** A login message, as a link hands it on. */
type LoginEvent = LinkEvent & { readonly kind: "login" };

/**
 * Messages of one peer that are dealt with before others are heard: some milliseconds. What a client has on its way comes in
 * one go, and is to be stored by one change: so it is not fewer.
 */
const EVENTS_AT_ONCE = 32;

/** What a session needs of the rest of the server. */
export interface SessionParts {
  /** Whoever knows all connections. */
  readonly exchange: Exchange;
  /** Serves those who have logged in. */
  readonly service: Service;
  /** This connection at the reception. */
  readonly visit: Visit;
  /** Where strangers wait for each other. */
  readonly turnstile: Turnstile;
  /** Verifies logins. */
  readonly provider: Provider;
  /** The server's OPAQUE setup, 128 octets. */
  readonly setup: Bytes;
  /** Where the peer connects from, as HOST:PORT. */
  readonly address: string;
  /** Is told what the operator may want to know. */
  readonly note: (news: SessionNews) => void;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** Who is at the other end, as far as that is known. */
type Caller =
  /** Nobody has said anything. */
  | { readonly kind: "stranger" }
  /** Somebody may log in. */
  | { readonly kind: "applicant"; readonly desk: LoginDesk }
  /** Somebody has. */
  | { readonly kind: "guest"; readonly login: Login };

/** One peer. */
export class Session {
  /** Settles when nothing more will be read or written, and all is done that was asked for. */
  readonly ended: Promise<SessionEnd>;
  /** Settles with its account's name when the peer is in, or with `undefined` when it never will be. */
  readonly admitted: Promise<Handle | undefined>;

  readonly #link: Link;
  readonly #parts: SessionParts;
  readonly #peer: Peer;
  readonly #settleAdmitted: (name: Handle | undefined) => void;
  #phase: Phase;
  #caller: Caller = { kind: "stranger" };
  #dropped: DropReason | undefined;
  #now: number;
  #processing: Promise<void> = Promise.resolve();
  #endTurn: () => void = () => {};

  /** A peer accepted at `now`, in milliseconds of the clock that later calls use. */
  constructor(id: PeerId, link: Link, { parts, now }: { parts: SessionParts; now: number }) {
    const { promise, resolve } = Promise.withResolvers<Handle | undefined>();
    this.admitted = promise;
    this.#settleAdmitted = resolve;
    this.#link = link;
    this.#parts = parts;
    this.#phase = { kind: "login", since: now, bytes: 0 };
    this.#now = now;
    this.#peer = {
      id,
      address: parts.address,
      isHere: () => this.#isHere,
      drained: (octets) => link.drained(octets),
      send: (message) => link.send(message),
      share: (messages) => link.share(messages),
      close: (reason) => this.close(reason, this.#now),
    };
    // What came before the end is dealt with first, and a fault of ours in that keeps nobody here.
    this.ended = link.ended.then(async (end) => {
      await this.#processing.catch(() => {});
      this.#leave();
      return end.kind === "cut" && this.#dropped !== undefined
        ? { kind: "dropped", during: end.during, why: this.#dropped }
        : end;
    });
  }

  /** Takes bytes; settles when all they ask for is done. Calls queue. */
  receive(bytes: Bytes, now: number): Promise<void> {
    this.#processing = this.#processing.then(() =>
      this.#phase.kind === "login" ? this.#processInTurn(bytes, now) : this.#process(bytes, now)
    );
    return this.#processing;
  }

  /** The peer will send nothing more. */
  receiveEnd(): void {
    this.#link.receiveEnd();
  }

  /** The connection is gone. */
  lost(): void {
    this.#link.lost();
  }

  /** Ends the connection without a word, so that there is room for others. */
  giveWay(): void {
    this.#drop("crowded");
  }

  /** Ends the connection without a word, since its address was banned. */
  turnOut(): void {
    this.#drop("banned");
  }

  /** Looks at the deadlines. */
  tick(now: number): void {
    this.#now = now;
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

  async #processInTurn(bytes: Bytes, now: number): Promise<void> {
    this.#endTurn = await this.#parts.turnstile.turn();
    try {
      await this.#process(bytes, now);
    } finally {
      this.#endTurn();
    }
  }

  async #process(bytes: Bytes, now: number): Promise<void> {
    this.#now = now;
    this.#advance(receiveBytes(this.#phase, bytes.length), now);
    await this.#takeAll(await this.#link.receive(bytes, now), now);
  }

  #advance(verdict: Verdict, now: number): void {
    switch (verdict.kind) {
      case "go":
        this.#phase = verdict.phase;
        break;
      case "late":
        this.close("loginTimeout", now);
        break;
      case "drop":
        this.#drop("unfit");
    }
  }

  async #takeAll(events: readonly LinkEvent[], now: number): Promise<void> {
    for (const [at, event] of events.entries()) {
      if (at % EVENTS_AT_ONCE === EVENTS_AT_ONCE - 1) await this.#parts.turnstile.letOthers();
      await this.#take(event, now);
    }
  }

  async #take(event: LinkEvent, now: number): Promise<void> {
    switch (event.kind) {
      case "established":
        this.#caller = { kind: "applicant", desk: this.#openDesk(event.exporter) };
        break;
      case "login":
        await this.#takeLogin(event, now);
        break;
      case "message":
        // What comes after our own close could not be answered any more, so it is passed over (PROTOCOL §7).
        if (this.#isHere) await this.#takeMessage(event.message, now);
        break;
      case "closed":
        // Whoever closes behind what they said learns what came of it.
        await this.#parts.exchange.finish(this.#peer);
        this.close("done", now);
    }
  }

  #openDesk(exporter: Bytes): LoginDesk {
    const { provider, setup, visit } = this.#parts;
    return new LoginDesk(provider, { setup, exporter, book: visit });
  }

  async #takeLogin(event: LoginEvent, now: number): Promise<void> {
    if (this.#caller.kind !== "applicant") throw new MisuseError("Cannot log in: it is settled who this is");
    const step = await this.#caller.desk.take(event.message, this.#parts.wallClock());
    // Closed while the desk looked: whoever logs in now is not let in any more.
    if (this.#phase.kind !== "login") return;
    await this.#takeAll(await this.#afterLogin(step, event, now), now);
  }

  async #afterLogin(step: DeskStep, { message }: LoginEvent, now: number): Promise<readonly LinkEvent[]> {
    switch (step.kind) {
      case "reply":
        await this.#link.sendLogin(step.message);
        return await this.#link.continueLogin(now);
      case "continue":
        return await this.#link.continueLogin(now);
      case "mix": {
        const login = this.#parts.visit.passwordLogin(step.handle);
        if (login === undefined) throw new MisuseError("Cannot log in: no password was tried for this name");
        this.#greet(login);
        return await this.#link.mix(step.sessionKey, now);
      }
      case "device":
        this.#greet({ kind: "device", handle: step.handle, deviceKey: step.deviceKey });
        return await this.#link.admit(now);
      case "refuseAndClose":
        this.#noteRefusedDevice(decodeDeviceLogin(message)?.handle);
        await this.#link.sendLogin(step.message);
        this.close("done", now);
        return [];
      case "broken":
        this.#drop("unfit");
        return [];
    }
  }

  /** Who this is has been proved; it counts once a record under the keys in use from here on has come. */
  #greet(login: Login): void {
    if (!isStranger(this.#phase)) return;
    this.#caller = { kind: "guest", login };
    this.#phase = { ...this.#phase, kind: "entering" };
    // What comes now waits for the disk, and computes little.
    this.#endTurn();
    this.#parts.exchange.greet(this.#peer, login);
  }

  #noteRefusedDevice(handle: Handle | undefined): void {
    if (handle !== undefined) this.#parts.note({ kind: "deviceRefused", handle });
  }

  async #takeMessage(bytes: Bytes, now: number): Promise<void> {
    const message = decodeClientMessage(bytes);
    if (message === undefined || !mayCome(this.#phase, message.type)) {
      this.close("protocolFault", now);
    } else if (isRoomRequest(message)) {
      await this.#parts.exchange.take(this.#peer, message);
    } else {
      await this.#serve(message, now);
    }
  }

  async #serve(request: AccountRequest, now: number): Promise<void> {
    if (this.#caller.kind !== "guest") throw new MisuseError("Cannot serve: nobody has logged in");
    const { login } = this.#caller;
    // It opened under the keys that only whoever knows the password has, whatever becomes of the request.
    if (request.type === "enter") this.#parts.visit.succeed();
    const served = await this.#parts.service.serve(
      { peer: this.#peer, login, isHere: () => this.#isHere },
      request,
    );
    this.#afterService(served, login, now);
  }

  #afterService(served: Served, login: Login, now: number): void {
    const { note } = this.#parts;
    const { handle } = login;
    switch (served.kind) {
      case "entered":
        note({ kind: "entered", handle, device: served.device });
        this.#settleAdmitted(handle);
        if (this.#isHere) this.#phase = { kind: login.kind };
        break;
      case "renewed":
        note({ kind: "passwordRenewed", handle });
        this.#caller = { kind: "guest", login: served.login };
        break;
      case "published":
        note({ kind: "published", handle });
        break;
      case "out":
        if (this.#phase.kind === "entering") note({ kind: "closedMeanwhile", handle });
        this.close(served.reason, now);
        break;
      case "answered":
      case "gone":
    }
  }

  /** Whether what comes is taken: neither end has closed, and the connection is there. */
  get #isHere(): boolean {
    return this.#link.open && this.#phase.kind !== "leaving";
  }

  /** Neither a stranger nor whoever is banned gets a word. */
  #drop(why: DropReason): void {
    this.#phase = { kind: "leaving" };
    this.#dropped = why;
    this.#link.lost();
  }

  #leave(): void {
    this.#phase = { kind: "leaving" };
    this.#parts.exchange.leave(this.#peer);
    this.#parts.visit.end();
    this.#settleAdmitted(undefined);
  }
}
