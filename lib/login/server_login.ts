/**
 * The server's side of one connection's login: from login messages to what is to be done about them (PROTOCOL §4).
 *
 *     start        RegisterStart ▸ registering, or refused ▸ loggingIn; LoginStart ▸ answered; DeviceLogin ▸ over
 *     registering  RegisterFinish ▸ loggingIn
 *     loggingIn    LoginStart ▸ answered
 *     answered     LoginStart ▸ answered; LoginFinish ▸ over
 *
 * Anything else ▸ over.
 *
 * Who may register and log in is the {@linkcode LoginBook}'s to say. What an unknown name is told is made of the same
 * steps, in the same order, as what a known one is.
 *
 * @module
 */

import type { OpaqueServerLogin, Provider } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { deviceLoginContent } from "./device_signature.ts";
import {
  decodeDeviceLogin,
  decodeLoginStart,
  decodeOpaque,
  decodeRegisterStart,
  type DeviceLogin,
  encodeOpaque,
  encodeRefused,
  type LoginMessage,
  type RefusalCode,
} from "./message.ts";
import { LOGIN_TYPES } from "../wire/login_type.ts";

/** Most passwords that one connection may try; a person who mistypes need not connect anew at once. */
export const LOGIN_TRIES_MAX = 3;

/** Whether a password may be tried, and against what. */
export type Attempt =
  /** Too many were tried. */
  | { readonly kind: "refused" }
  /** OPAQUE's record; `undefined` where there is none, or its account may not log in: no password fits then. */
  | { readonly kind: "go"; readonly record: Bytes | undefined };

/** What a login needs to know and to have kept. `codeHash` is the SHA-256 of an invitation's code. */
export interface LoginBook {
  /**
   * Why `handle` may not be registered; `undefined` where it may. Closed registration comes before a bad code, and that
   * before a taken name, so that a stranger without a code learns no names. A name that has a record must be refused:
   * whoever is answered here gets to try a password against that name's OPRF key. `tooManyTries` ends the connection.
   */
  mayRegister(handle: Handle, codeHash: Bytes | undefined, now: number): Promise<RefusalCode | undefined>;
  /** Registers `handle` with its record (192 octets) and uses the invitation up, or says why not. */
  register(
    handle: Handle,
    record: Bytes,
    codeHash: Bytes | undefined,
    now: number,
  ): Promise<RefusalCode | undefined>;
  /** Whether a password may be tried for `handle`; it is counted as a failure before this settles. */
  attempt(handle: Handle, now: number): Promise<Attempt>;
  /**
   * Whether `deviceKey` is an active device of an account `handle` that may log in. What this takes must not depend on
   * whether there is one of that name; `false` also where too many from that address were none.
   */
  device(handle: Handle, deviceKey: Bytes): Promise<boolean>;
}

/** What is to be done about a login message. */
export type DeskStep =
  /** Send it, and read on in this stage. */
  | { readonly kind: "reply"; readonly message: Bytes }
  /** Read on in this stage: the client goes on by itself. */
  | { readonly kind: "continue" }
  /**
   * The password was right. Mix `sessionKey` into the keys; only a record that opens under them shows that the client is
   * at the other end of this very channel.
   */
  | { readonly kind: "mix"; readonly sessionKey: Bytes; readonly handle: Handle }
  /** The device is who it says: let it in under the keys that there are. */
  | { readonly kind: "device"; readonly handle: Handle; readonly deviceKey: Bytes }
  /** Send it, then close `done`. */
  | { readonly kind: "refuseAndClose"; readonly message: Bytes }
  /** Malformed or out of order: drop the connection without a word. */
  | { readonly kind: "broken" };

/** Where a login is. */
type Stage =
  /** Nothing has come. */
  | { readonly kind: "start" }
  /** RegisterReply was given: RegisterFinish comes next. */
  | { readonly kind: "registering"; readonly handle: Handle; readonly codeHash: Bytes | undefined }
  /** A registration was refused or finished: LoginStart comes next. */
  | { readonly kind: "loggingIn" }
  /** LoginReply was given: LoginFinish comes next, or LoginStart again. */
  | { readonly kind: "answered"; readonly handle: Handle; readonly login: OpaqueServerLogin }
  /** The login ended, or a message is being decided about: nothing may come. */
  | { readonly kind: "over" };

/** A step and the stage it leads to. */
type Decision = readonly [DeskStep, Stage];

const OVER: Stage = { kind: "over" };
const BROKEN: Decision = [{ kind: "broken" }, OVER];

/** The refusals of a registration after which the client may still log in. */
const REGISTRATION_REFUSALS: readonly RefusalCode[] = ["registrationClosed", "badInvitation", "nameTaken"];

/** Decides about the login of one connection. */
export class LoginDesk {
  readonly #provider: Provider;
  readonly #setup: Bytes;
  readonly #exporter: Bytes;
  readonly #book: LoginBook;
  #stage: Stage = { kind: "start" };
  #tries = 0;

  /** `setup` is the server's OPAQUE setup (128 octets), `exporter` the channel's of epoch 1 (64 octets). */
  constructor(
    provider: Provider,
    { setup, exporter, book }: {
      readonly setup: Bytes;
      readonly exporter: Bytes;
      readonly book: LoginBook;
    },
  ) {
    this.#provider = provider;
    this.#setup = setup;
    this.#exporter = exporter;
    this.#book = book;
  }

  /** Decides about the next message. One that comes before the last was decided about is `broken`. */
  async take(message: LoginMessage, now: number): Promise<DeskStep> {
    const stage = this.#stage;
    this.#stage = OVER;
    const [step, next] = await this.#decide(stage, message, now);
    this.#stage = next;
    return step;
  }

  async #decide(stage: Stage, message: LoginMessage, now: number): Promise<Decision> {
    switch (message.type) {
      case LOGIN_TYPES.RegisterStart:
        return stage.kind === "start" ? await this.#startRegistration(message, now) : BROKEN;
      case LOGIN_TYPES.RegisterFinish:
        return stage.kind === "registering" ? await this.#finishRegistration(stage, message, now) : BROKEN;
      case LOGIN_TYPES.LoginStart:
        return stage.kind === "start" || stage.kind === "loggingIn" || stage.kind === "answered"
          ? await this.#startLogin(message, now)
          : BROKEN;
      case LOGIN_TYPES.LoginFinish:
        return stage.kind === "answered" ? await finishLogin(stage, message) : BROKEN;
      case LOGIN_TYPES.DeviceLogin:
        return stage.kind === "start" ? await this.#deviceLogin(message) : BROKEN;
      default:
        return BROKEN;
    }
  }

  async #startRegistration(message: LoginMessage, now: number): Promise<Decision> {
    const start = decodeRegisterStart(message);
    if (start === undefined) return BROKEN;
    const { handle, code, request } = start;
    const codeHash = code && await this.#provider.sha256(code);
    const refusal = await this.#book.mayRegister(handle, codeHash, now);
    if (refusal !== undefined) {
      return REGISTRATION_REFUSALS.includes(refusal)
        ? [{ kind: "reply", message: encodeRefused(refusal) }, { kind: "loggingIn" }]
        : refused(refusal);
    }
    const opaque = await this.#provider.opaque();
    const response = await opaque.registrationResponse(this.#setup, handle, request);
    if (response === undefined) return BROKEN;
    const reply = encodeOpaque("RegisterReply", response);
    return [{ kind: "reply", message: reply }, { kind: "registering", handle, codeHash }];
  }

  async #finishRegistration(
    { handle, codeHash }: Stage & { readonly kind: "registering" },
    message: LoginMessage,
    now: number,
  ): Promise<Decision> {
    const record = decodeOpaque("RegisterFinish", message);
    const opaque = await this.#provider.opaque();
    if (record === undefined || !await opaque.isRecord(this.#setup, record)) return BROKEN;
    const refusal = await this.#book.register(handle, record, codeHash, now);
    // The client's LoginStart may be on its way: after a Refused that crosses it, the transcripts are not the same.
    return refusal === undefined ? [{ kind: "continue" }, { kind: "loggingIn" }] : refused(refusal);
  }

  async #startLogin(message: LoginMessage, now: number): Promise<Decision> {
    const start = decodeLoginStart(message);
    if (start === undefined) return BROKEN;
    if (this.#tries === LOGIN_TRIES_MAX) return refused("tooManyTries");
    this.#tries += 1;
    const { handle, ke1 } = start;
    // A client sees at KE2 whether its guess was right, and need not tell: so it is counted before there is a KE2.
    const attempt = await this.#book.attempt(handle, now);
    if (attempt.kind === "refused") return refused("tooManyTries");
    const opaque = await this.#provider.opaque();
    const login = await opaque.answerLogin(this.#setup, handle, { record: attempt.record, ke1 });
    if (login === undefined) return BROKEN;
    const reply = encodeOpaque("LoginReply", login.ke2);
    return [{ kind: "reply", message: reply }, { kind: "answered", handle, login }];
  }

  async #deviceLogin(message: LoginMessage): Promise<Decision> {
    const login = decodeDeviceLogin(message);
    if (login === undefined) return BROKEN;
    const { handle, deviceKey } = login;
    // The signature first: only who has a key learns whether it is a device's.
    const accepted = await this.#isSigned(login) && await this.#book.device(handle, deviceKey);
    return accepted ? [{ kind: "device", handle, deviceKey }, OVER] : refused("badLogin");
  }

  async #isSigned({ handle, deviceKey, signature }: DeviceLogin): Promise<boolean> {
    const key = await this.#provider.ed25519VerifyingKey(deviceKey);
    if (key === undefined) return false;
    return await key.verify(deviceLoginContent(this.#exporter, handle, deviceKey), signature);
  }
}

async function finishLogin(
  { handle, login }: Stage & { readonly kind: "answered" },
  message: LoginMessage,
): Promise<Decision> {
  const ke3 = decodeOpaque("LoginFinish", message);
  const sessionKey = ke3 && await login.finish(ke3);
  // The client has left the keys so far with this message: a Refused under them would not be read.
  return sessionKey === undefined ? BROKEN : [{ kind: "mix", sessionKey, handle }, OVER];
}

function refused(code: RefusalCode): Decision {
  return [{ kind: "refuseAndClose", message: encodeRefused(code) }, OVER];
}
