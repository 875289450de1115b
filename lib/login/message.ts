/**
 * The eight messages of a login, `u8 type | u16 length | fields` like the handshake's, whose transcript they continue
 * (PROTOCOL §4): type, encoder and decoder of each together. A decoder gives `undefined` for whatever its encoder would
 * not have written.
 *
 * @module
 */

import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES, OPAQUE_BYTES } from "../crypto/port.ts";
import { type Handle, parseHandle } from "../text/handle.ts";
import { ByteReader, type Bytes, concat, lengthPrefixed, u16, u8, utf8, utf8Text } from "../wire/bytes.ts";
import { LOGIN_TYPES, type LoginName } from "../wire/login_type.ts";

/** Octets of an invitation's code: 128 random bits, which nobody guesses in its time. */
export const INVITATION_CODE_BYTES = 16;

/** One message with its header, as it enters the transcript. */
export interface LoginMessage {
  /** Its type. */
  readonly type: number;
  /** Its fields, without the header. */
  readonly fields: Bytes;
  /** Header and fields. */
  readonly bytes: Bytes;
}

/** Why the server refuses, in the order of their octets, from 1. */
export const REFUSAL_CODES = [
  /** No such device, or not its signature. */
  "badLogin",
  /** Too many passwords tried for this account, from this address or on this connection. */
  "tooManyTries",
  /** Nobody may register, or nobody without an invitation. */
  "registrationClosed",
  /** No invitation has this code, or it has ended, or it is for another name. */
  "badInvitation",
  /** The name, or one that looks like it, is another's. */
  "nameTaken",
] as const;

/** One of {@linkcode REFUSAL_CODES}. */
export type RefusalCode = typeof REFUSAL_CODES[number];

function encode(name: LoginName, ...fields: readonly Bytes[]): Bytes {
  const body = concat(...fields);
  return concat(u8(LOGIN_TYPES[name]), u16(body.length), body);
}

function encodeHandle(handle: Handle): Bytes {
  return lengthPrefixed(utf8(handle));
}

function takeHandle(reader: ByteReader): Handle | undefined {
  const text = utf8Text(reader.take(reader.u8()));
  return text === undefined ? undefined : parseHandle(text);
}

/** What a client asks for a new account. */
export interface RegisterStart {
  /** The name that it shall have. */
  readonly handle: Handle;
  /** The code of an invitation, 16 octets, where there is one. */
  readonly code: Bytes | undefined;
  /** OPAQUE's registration request. */
  readonly request: Bytes;
}

/** A RegisterStart. Throws a `RangeError` where the code or the request has a wrong length. */
export function encodeRegisterStart({ handle, code, request }: RegisterStart): Bytes {
  if (code !== undefined) requireOctets("RegisterStart", code, INVITATION_CODE_BYTES);
  requireOctets("RegisterStart", request, OPAQUE_BYTES.registrationRequest);
  return encode(
    "RegisterStart",
    encodeHandle(handle),
    lengthPrefixed(code ?? new Uint8Array(0)),
    request,
  );
}

/** Parses a RegisterStart. */
export function decodeRegisterStart(message: LoginMessage): RegisterStart | undefined {
  const reader = new ByteReader(message.fields);
  const handle = takeHandle(reader);
  const code = reader.take(reader.u8());
  const request = reader.take(OPAQUE_BYTES.registrationRequest);
  const wellFormed = reader.finished && message.type === LOGIN_TYPES.RegisterStart &&
    (code.length === 0 || code.length === INVITATION_CODE_BYTES);
  if (!wellFormed || handle === undefined) return undefined;
  return { handle, code: code.length === 0 ? undefined : code, request };
}

/** What begins a login by password. */
export interface LoginStart {
  /** Whose password it is. */
  readonly handle: Handle;
  /** OPAQUE's KE1. */
  readonly ke1: Bytes;
}

/** A LoginStart. Throws a `RangeError` where KE1 has a wrong length. */
export function encodeLoginStart({ handle, ke1 }: LoginStart): Bytes {
  requireOctets("LoginStart", ke1, OPAQUE_BYTES.ke1);
  return encode("LoginStart", encodeHandle(handle), ke1);
}

/** Parses a LoginStart. */
export function decodeLoginStart(message: LoginMessage): LoginStart | undefined {
  const reader = new ByteReader(message.fields);
  const handle = takeHandle(reader);
  const ke1 = reader.take(OPAQUE_BYTES.ke1);
  if (!reader.finished || message.type !== LOGIN_TYPES.LoginStart || handle === undefined) return undefined;
  return { handle, ke1 };
}

/** A login by the key of an enrolled device. */
export interface DeviceLogin {
  /** Whose device it is. */
  readonly handle: Handle;
  /** The device's Ed25519 key. */
  readonly deviceKey: Bytes;
  /** Its signature over what `deviceLoginContent` gives (device_signature.ts). */
  readonly signature: Bytes;
}

/** A DeviceLogin. Throws a `RangeError` where key or signature has a wrong length. */
export function encodeDeviceLogin({ handle, deviceKey, signature }: DeviceLogin): Bytes {
  requireOctets("DeviceLogin", deviceKey, ED25519_KEY_BYTES);
  requireOctets("DeviceLogin", signature, ED25519_SIGNATURE_BYTES);
  return encode("DeviceLogin", encodeHandle(handle), deviceKey, signature);
}

/** Parses a DeviceLogin. */
export function decodeDeviceLogin(message: LoginMessage): DeviceLogin | undefined {
  const reader = new ByteReader(message.fields);
  const handle = takeHandle(reader);
  const deviceKey = reader.take(ED25519_KEY_BYTES);
  const signature = reader.take(ED25519_SIGNATURE_BYTES);
  if (!reader.finished || message.type !== LOGIN_TYPES.DeviceLogin || handle === undefined) return undefined;
  return { handle, deviceKey, signature };
}

/** The four messages of one OPAQUE message each, with its size in octets. */
const FIELD_BYTES = {
  RegisterReply: OPAQUE_BYTES.registrationResponse,
  RegisterFinish: OPAQUE_BYTES.registrationRecord,
  LoginReply: OPAQUE_BYTES.ke2,
  LoginFinish: OPAQUE_BYTES.ke3,
} as const;

/** RegisterReply, RegisterFinish, LoginReply or LoginFinish. Throws a `RangeError` at a wrong length. */
export function encodeOpaque(name: keyof typeof FIELD_BYTES, field: Bytes): Bytes {
  requireOctets(name, field, FIELD_BYTES[name]);
  return encode(name, field);
}

/** The OPAQUE message in the message `name`; `undefined` where the message is another or of another size. */
export function decodeOpaque(name: keyof typeof FIELD_BYTES, message: LoginMessage): Bytes | undefined {
  const fits = message.type === LOGIN_TYPES[name] && message.fields.length === FIELD_BYTES[name];
  return fits ? message.fields : undefined;
}

/** A Refused. */
export function encodeRefused(code: RefusalCode): Bytes {
  return encode("Refused", u8(REFUSAL_CODES.indexOf(code) + 1));
}

/** Parses a Refused. */
export function decodeRefused(message: LoginMessage): RefusalCode | undefined {
  const [octet] = message.fields;
  if (message.type !== LOGIN_TYPES.Refused || message.fields.length !== 1 || octet === undefined) {
    return undefined;
  }
  return REFUSAL_CODES[octet - 1];
}

function requireOctets(name: LoginName, field: Bytes, length: number): void {
  if (field.length !== length) {
    throw new RangeError(`Cannot encode a ${name}: a field has ${field.length} octets, not ${length}`);
  }
}
