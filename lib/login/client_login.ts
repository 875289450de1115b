/**
 * The client's side of a registration and of both logins, as steps: each takes what the last one gave and what the
 * server sent, and gives what is to be sent (PROTOCOL §4). Steps that finish OPAQUE take some tenths of a second, in
 * which the program does nothing else.
 *
 * @module
 */

import type { Opaque, OpaqueClientLogin, OpaqueRegistration, SigningKey } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { deviceLoginContent } from "./device_signature.ts";
import {
  decodeOpaque,
  decodeRefused,
  encodeDeviceLogin,
  encodeLoginStart,
  encodeOpaque,
  encodeRegisterStart,
  type LoginMessage,
  type RefusalCode,
} from "./message.ts";

/** The server did not go along. */
export interface LoginRefused {
  /** Tells it from the other answers. */
  readonly kind: "refused";
  /** Why. */
  readonly code: RefusalCode;
}

/** The server sent what it may not send here: drop the connection. */
export interface LoginBroken {
  /** Tells it from the other answers. */
  readonly kind: "broken";
}

const BROKEN: LoginBroken = { kind: "broken" };

/** A registration that waits for the server's answer. */
export interface Registering {
  /** RegisterStart, to be sent. */
  readonly registerStart: Bytes;
  /** The secrets that its answer needs. */
  readonly waiting: OpaqueRegistration;
}

/** How a server answered RegisterStart. */
export type RegisterAnswer =
  | {
    readonly kind: "free";
    /**
     * RegisterFinish, to be sent, whereupon {@linkcode beginLogin} goes on without an answer; `undefined` where the
     * server's reply is malformed. Memory-hard. Nothing is registered before it is sent, so a person may be asked first.
     */
    finish(): Promise<Bytes | undefined>;
  }
  /** The connection may go on with {@linkcode beginLogin}, unless the code is `tooManyTries`. */
  | LoginRefused
  | LoginBroken;

/** Begins the registration of `handle`, by an invitation where `code` is one's. */
export async function beginRegistration(
  opaque: Opaque,
  { handle, password, code }: {
    readonly handle: Handle;
    readonly password: string;
    readonly code: Bytes | undefined;
  },
): Promise<Registering> {
  const waiting = await opaque.startRegistration(password, handle);
  return { registerStart: encodeRegisterStart({ handle, code, request: waiting.request }), waiting };
}

/** Takes the answer to RegisterStart. */
export function takeRegisterReply({ waiting }: Registering, message: LoginMessage): RegisterAnswer {
  const code = decodeRefused(message);
  if (code !== undefined) return { kind: "refused", code };
  const response = decodeOpaque("RegisterReply", message);
  if (response === undefined) return BROKEN;
  return {
    kind: "free",
    async finish() {
      const record = await waiting.finish(response);
      return record && encodeOpaque("RegisterFinish", record);
    },
  };
}

/** A login that waits for the server's answer. */
export interface LoggingIn {
  /** LoginStart, to be sent. */
  readonly loginStart: Bytes;
  /** The secrets that its answer needs. */
  readonly waiting: OpaqueClientLogin;
}

/** How a server answered LoginStart. */
export type LoginAnswer =
  | {
    readonly kind: "verified";
    /** LoginFinish, to be sent under the keys so far. */
    readonly loginFinish: Bytes;
    /** To be mixed into the keys right after that, 64 octets. */
    readonly sessionKey: Bytes;
  }
  /** Or there is no such account, or the reply was altered: nobody can tell these apart. */
  | { readonly kind: "wrongPassword" }
  /** Also what became of a RegisterFinish sent just before, where somebody was faster. The server closes. */
  | LoginRefused
  | LoginBroken;

/** Begins a login by password. */
export async function beginLogin(
  opaque: Opaque,
  { handle, password }: { readonly handle: Handle; readonly password: string },
): Promise<LoggingIn> {
  const waiting = await opaque.startLogin(password, handle);
  return { loginStart: encodeLoginStart({ handle, ke1: waiting.ke1 }), waiting };
}

/** Takes the answer to LoginStart. Memory-hard. */
export async function takeLoginReply(
  { waiting }: LoggingIn,
  message: LoginMessage,
): Promise<LoginAnswer> {
  const code = decodeRefused(message);
  if (code !== undefined) return { kind: "refused", code };
  const ke2 = decodeOpaque("LoginReply", message);
  if (ke2 === undefined) return BROKEN;
  const finished = await waiting.finish(ke2);
  if (finished === undefined) return { kind: "wrongPassword" };
  const { ke3, sessionKey } = finished;
  return { kind: "verified", loginFinish: encodeOpaque("LoginFinish", ke3), sessionKey };
}

/**
 * DeviceLogin, to be sent, for the device of `signingKey` in the channel of `exporter` (64 octets, of epoch 1). To be made
 * only for a server whose host key was pinned before. Its one answer is a Refused; none means that the device is in.
 */
export async function deviceLogin(signingKey: SigningKey, exporter: Bytes, handle: Handle): Promise<Bytes> {
  const deviceKey = signingKey.publicKey;
  const signature = await signingKey.sign(deviceLoginContent(exporter, handle, deviceKey));
  return encodeDeviceLogin({ handle, deviceKey, signature });
}
