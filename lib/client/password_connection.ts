/**
 * A connection that registers or logs in by password (PROTOCOL §4): what it may do after that is about the account's
 * keys and password, never about rooms.
 *
 *     connecting ▸ registering ▸ loggingIn ▸ entering ▸ entered ▸ leaving
 *
 * @module
 */

import type { Opaque, Provider } from "../crypto/port.ts";
import {
  beginLogin,
  beginRegistration,
  type LoggingIn,
  type RegisterAnswer,
  type Registering,
  takeLoginReply,
  takeRegisterReply,
} from "../login/client_login.ts";
import type { LoginMessage, RefusalCode } from "../login/message.ts";
import type { Link, LinkEnd, LinkEvent } from "../secure/link.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import {
  type AccountMessage,
  type Approved,
  type AskApproval,
  type ClientMessage,
  decodeServerMessage,
  encodeMessage,
  type FaultCode,
  type Keys,
  type ServerMessage,
} from "../wire/message.ts";
import type { Connection } from "./connection.ts";

/** How long a server may take to answer; it has only a database to ask. In milliseconds. */
export const ANSWER_MS_MAX = 30_000;

/** How long a new device waits for its approval: time to walk to another room. In milliseconds. */
export const APPROVAL_MS_MAX = 600_000;

/** What is tried with name and password. */
export type Attempt =
  | { readonly kind: "login" }
  /** A registration, followed by a login. */
  | {
    readonly kind: "register";
    /** The code of an invitation. */
    readonly code: Bytes | undefined;
    /** Whether to go on where the name is free; a person types the password once more first. */
    readonly whenFree: "finish" | "stop";
    /** Whether to log in where registering is refused. */
    readonly whenRefused: "stop" | "login";
  };

/** How an attempt came out. */
export type LoginOutcome =
  /** Logged in, `registered` by this very connection or long ago; the connection stays open for requests. */
  | { readonly kind: "entered"; readonly account: AccountMessage; readonly registered: boolean }
  /** The name is free and registering stopped there, as was asked. */
  | { readonly kind: "nameFree" }
  /** The server refused to register, or to go on with logging in. */
  | { readonly kind: "refused"; readonly during: "registration" | "login"; readonly code: RefusalCode }
  /** The password is wrong, or there is no such name: they look alike. */
  | { readonly kind: "wrongPassword" }
  /** The connection ended first. */
  | { readonly kind: "ended"; readonly end: LinkEnd };

/** How a request came out. */
export type Answer<Value> =
  | { readonly kind: "answered"; readonly value: Value }
  /** It was not done. */
  | { readonly kind: "fault"; readonly code: FaultCode }
  /** No answer came in time; the connection closes. */
  | { readonly kind: "timedOut" }
  /** The connection ended first. */
  | { readonly kind: "ended"; readonly end: LinkEnd };

/** Who logs in, and how. */
export interface Credentials {
  /** The account. */
  readonly handle: Handle;
  /** Its password. */
  readonly password: string;
  /** What is tried. */
  readonly attempt: Attempt;
}

/** What a password connection computes with. */
export interface PasswordConnectionParts {
  /** The primitives, OPAQUE among them. */
  readonly provider: Provider;
  /** Milliseconds that never go back: the clock of the pump's calls. */
  readonly clock: () => number;
}

/** A request that waits for its answer. */
interface Waiting {
  /** Takes a message; false where it is no answer to this request. */
  readonly take: (message: ServerMessage) => boolean;
  readonly fail: (failure: Exclude<Answer<never>, { kind: "answered" }>) => void;
  readonly deadline: number;
}

type State =
  | { readonly kind: "connecting" }
  | { readonly kind: "registering"; readonly opaque: Opaque; readonly registering: Registering }
  | { readonly kind: "loggingIn"; readonly loggingIn: LoggingIn; readonly finishes: "registration" | "login" }
  | { readonly kind: "entering"; readonly registered: boolean }
  | { readonly kind: "entered"; readonly waiting: Waiting | undefined }
  | { readonly kind: "leaving" };

/** One password connection. */
export class PasswordConnection implements Connection {
  /** Settles when the attempt has come out, one way or the other. */
  readonly outcome: Promise<LoginOutcome>;
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;

  readonly #link: Link;
  readonly #credentials: Credentials;
  readonly #parts: PasswordConnectionParts;
  readonly #settle: (outcome: LoginOutcome) => void;
  #state: State = { kind: "connecting" };

  /** A connection over `link`, whose handshake has just begun. */
  constructor(link: Link, credentials: Credentials, parts: PasswordConnectionParts) {
    const { promise, resolve } = Promise.withResolvers<LoginOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#link = link;
    this.#credentials = credentials;
    this.#parts = parts;
    this.ended = link.ended.then((end) => this.#conclude(end));
  }

  /** Replaces the account's published keys, and its recovery blob where one is given. */
  publish(keys: Keys, recovery: Bytes | undefined): Promise<Answer<AccountMessage>> {
    const message: ClientMessage = { type: "publish", keys, ...(recovery === undefined ? {} : { recovery }) };
    return this.#ask(message, (answer) => answer.type === "account" ? answer : undefined);
  }

  /** The account's identity seed under its recovery code. */
  recover(): Promise<Answer<Bytes>> {
    return this.#ask({ type: "recover" }, (answer) => answer.type === "recovery" ? answer.blob : undefined);
  }

  /** Waits until another device of the account approves this one: {@linkcode APPROVAL_MS_MAX} at most. */
  askApproval(request: Omit<AskApproval, "type">): Promise<Answer<Approved>> {
    return this.#ask(
      { type: "askApproval", ...request },
      (answer) => answer.type === "approved" ? answer : undefined,
      APPROVAL_MS_MAX,
    );
  }

  /** Changes the account's password; the server learns neither. */
  async changePassword(password: string): Promise<Answer<AccountMessage>> {
    const opaque = await this.#parts.provider.opaque();
    const registration = await opaque.startRegistration(password, this.#credentials.handle);
    const response = await this.#ask(
      { type: "passwordRequest", request: registration.request },
      (answer) => answer.type === "passwordResponse" ? answer.response : undefined,
    );
    if (response.kind !== "answered") return response;
    const record = await registration.finish(response.value);
    if (record === undefined) {
      this.#break();
      return { kind: "ended", end: await this.ended };
    }
    return await this.#ask(
      { type: "passwordRecord", record },
      (answer) => answer.type === "account" ? answer : undefined,
    );
  }

  /** Says goodbye; settles when the connection is over. */
  close(): Promise<LinkEnd> {
    this.#leave();
    return this.ended;
  }

  /** Takes bytes; settles when they are dealt with. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    await this.#takeAll(await this.#link.receive(bytes, now), now);
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
    if (this.#state.kind !== "entered" || this.#state.waiting === undefined) return;
    if (now < this.#state.waiting.deadline) return;
    this.#state.waiting.fail({ kind: "timedOut" });
    this.#leave();
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }

  async #takeAll(events: readonly LinkEvent[], now: number): Promise<void> {
    const waiting = [...events];
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      // Whoever has said goodbye already is not logged in to.
      if (event.kind === "established" && waiting.some(({ kind }) => kind === "closed")) continue;
      waiting.unshift(...await this.#take(event, now));
    }
  }

  /** Gives the events of what was let in meanwhile. */
  async #take(event: LinkEvent, now: number): Promise<readonly LinkEvent[]> {
    switch (event.kind) {
      case "established":
        await this.#begin();
        return [];
      case "login":
        return await this.#takeLogin(event.message, now);
      case "message":
        if (event.room === undefined) this.#takeMessage(event.message);
        else this.#break();
        return [];
      case "closed":
        this.#leave();
        return [];
    }
  }

  async #begin(): Promise<void> {
    const { handle, password, attempt } = this.#credentials;
    const opaque = await this.#parts.provider.opaque();
    if (attempt.kind === "login") return await this.#sendLoginStart(opaque, "login");
    const registering = await beginRegistration(opaque, { handle, password, code: attempt.code });
    this.#state = { kind: "registering", opaque, registering };
    await this.#link.sendLogin(registering.registerStart);
  }

  async #sendLoginStart(opaque: Opaque, finishes: "registration" | "login"): Promise<void> {
    const { handle, password } = this.#credentials;
    const loggingIn = await beginLogin(opaque, { handle, password });
    this.#state = { kind: "loggingIn", loggingIn, finishes };
    await this.#link.sendLogin(loggingIn.loginStart);
  }

  async #takeLogin(message: LoginMessage, now: number): Promise<readonly LinkEvent[]> {
    switch (this.#state.kind) {
      case "registering": {
        const answer = takeRegisterReply(this.#state.registering, message);
        return await this.#takeRegisterAnswer(this.#state.opaque, answer, now);
      }
      case "loggingIn":
        return await this.#takeLoginReply(this.#state, message, now);
      case "connecting":
      case "entering":
      case "entered":
        this.#break();
        return [];
      case "leaving":
        return [];
    }
  }

  async #takeRegisterAnswer(
    opaque: Opaque,
    answer: RegisterAnswer,
    now: number,
  ): Promise<readonly LinkEvent[]> {
    const { attempt } = this.#credentials;
    if (answer.kind === "broken" || attempt.kind !== "register") return this.#broken();
    if (answer.kind === "refused") {
      // No other refusal says anything of an account that there may be.
      if (answer.code === "tooManyTries" || attempt.whenRefused === "stop") {
        return this.#stop({ kind: "refused", during: "registration", code: answer.code });
      }
      await this.#sendLoginStart(opaque, "login");
      return await this.#link.continueLogin(now);
    }
    if (attempt.whenFree === "stop") return this.#stop({ kind: "nameFree" });
    const registerFinish = await answer.finish();
    if (registerFinish === undefined) return this.#broken();
    await this.#link.sendLogin(registerFinish);
    await this.#sendLoginStart(opaque, "registration");
    return await this.#link.continueLogin(now);
  }

  async #takeLoginReply(
    { loggingIn, finishes }: State & { kind: "loggingIn" },
    message: LoginMessage,
    now: number,
  ): Promise<readonly LinkEvent[]> {
    const answer = await takeLoginReply(loggingIn, message);
    switch (answer.kind) {
      case "broken":
        return this.#broken();
      case "wrongPassword":
        return this.#stop({ kind: "wrongPassword" });
      case "refused": {
        // Too many tries is said of logins; all else refuses the registration that went before.
        const during = answer.code === "tooManyTries" ? "login" : finishes;
        return this.#stop({ kind: "refused", during, code: answer.code });
      }
      case "verified": {
        await this.#link.sendLogin(answer.loginFinish);
        const events = await this.#link.mix(answer.sessionKey, now);
        this.#state = { kind: "entering", registered: finishes === "registration" };
        this.#link.send(encodeMessage({ type: "enter" }));
        return events;
      }
    }
  }

  #takeMessage(bytes: Bytes): void {
    const message = decodeServerMessage(bytes);
    if (this.#state.kind === "leaving") return;
    if (message === undefined || message.type === "account" && message.handle !== this.#credentials.handle) {
      return this.#break();
    }
    if (this.#state.kind === "entering" && message.type === "account") {
      const { registered } = this.#state;
      this.#state = { kind: "entered", waiting: undefined };
      this.#settle({ kind: "entered", account: message, registered });
      return;
    }
    if (this.#state.kind !== "entered") return this.#break();
    const { waiting } = this.#state;
    if (waiting !== undefined && message.type === "fault") {
      this.#state = { kind: "entered", waiting: undefined };
      waiting.fail({ kind: "fault", code: message.code });
    } else if (waiting?.take(message)) {
      this.#state = { kind: "entered", waiting: undefined };
    } else if (message.type !== "account") {
      this.#break();
    }
  }

  #ask<Value>(
    message: ClientMessage,
    valueOf: (answer: ServerMessage) => Value | undefined,
    msMax: number = ANSWER_MS_MAX,
  ): Promise<Answer<Value>> {
    if (this.#state.kind === "leaving") return this.ended.then((end) => ({ kind: "ended", end }));
    if (this.#state.kind !== "entered" || this.#state.waiting !== undefined) {
      throw new RangeError(`Cannot ask for ${message.type}: the connection is ${this.#state.kind} or waits`);
    }
    const { promise, resolve } = Promise.withResolvers<Answer<Value>>();
    const take = (answer: ServerMessage): boolean => {
      const value = valueOf(answer);
      if (value !== undefined) resolve({ kind: "answered", value });
      return value !== undefined;
    };
    const deadline = this.#parts.clock() + msMax;
    this.#state = { kind: "entered", waiting: { take, fail: resolve, deadline } };
    this.#link.send(encodeMessage(message));
    return promise;
  }

  #stop(outcome: LoginOutcome): readonly LinkEvent[] {
    this.#settle(outcome);
    this.#leave();
    return [];
  }

  #broken(): readonly LinkEvent[] {
    this.#break();
    return [];
  }

  #break(): void {
    this.#link.close("protocolFault", this.#parts.clock());
    this.#leave();
  }

  #leave(): void {
    const { clock } = this.#parts;
    const before = this.#state;
    this.#state = { kind: "leaving" };
    this.#link.close("done", clock());
    if (before.kind === "entered" && before.waiting !== undefined) {
      const { waiting } = before;
      void this.ended.then((end) => waiting.fail({ kind: "ended", end }));
    }
  }

  #conclude(end: LinkEnd): LinkEnd {
    this.#leave();
    this.#settle({ kind: "ended", end });
    return end;
  }
}
