/**
 * The six messages of a handshake, `u8 type | u16 length | fields` (PROTOCOL §4.2): type, encoder and decoder
 * of each together. A decoder gives `undefined` for whatever its encoder would not have written.
 *
 * @module
 */

import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_KEY_BYTES,
  X25519_BYTES,
} from "../crypto/port.ts";
import { ByteReader, type Bytes, concat, equal, lengthPrefixed, u16, u8, utf8 } from "../wire/bytes.ts";
import { HANDSHAKE_MESSAGE_BYTES_MAX } from "../wire/limits.ts";
import { VERIFY_BYTES } from "./schedule.ts";
import { type Suite, suiteCode, suiteOfCode } from "./suite.ts";

/** Octets of a nonce in Hello and Reply: no two handshakes share a transcript. */
export const NONCE_BYTES = 32;
/** Octets of a handshake message's header. */
export const HANDSHAKE_HEADER_BYTES = 3;
/** Most suite codes in a Hello: more than will ever be worth offering. */
export const SUITES_OFFERED_MAX = 16;

const MAGIC = utf8("sotto");
const VERSION = 1;
const MODE_PLAIN = 0;
const MODE_PSK = 1;

/** The types of the six messages, in the order in which they are sent. */
export const HANDSHAKE_TYPES = {
  Hello: 1,
  Reply: 2,
  HostKey: 3,
  Signature: 4,
  Finished: 5,
  Done: 6,
} as const;

/** A message's name. */
export type HandshakeName = keyof typeof HANDSHAKE_TYPES;

/** One message with its header, as it enters the transcript. */
export interface HandshakeMessage {
  /** Its type. */
  readonly type: number;
  /** Its fields, without the header. */
  readonly fields: Bytes;
  /** Header and fields. */
  readonly bytes: Bytes;
}

function encode(name: HandshakeName, ...fields: readonly Bytes[]): Bytes {
  const body = concat(...fields);
  return concat(u8(HANDSHAKE_TYPES[name]), u16(body.length), body);
}

/** Cuts `bytes` into the messages they consist of; `undefined` where the last is cut short or one is too long. */
export function splitMessages(bytes: Bytes): readonly HandshakeMessage[] | undefined {
  const messages: HandshakeMessage[] = [];
  const reader = new ByteReader(bytes);
  while (reader.whole && reader.remaining > 0) {
    const type = reader.u8();
    const length = reader.u16();
    if (HANDSHAKE_HEADER_BYTES + length > HANDSHAKE_MESSAGE_BYTES_MAX) return undefined;
    const fields = reader.take(length);
    messages.push({ type, fields, bytes: concat(u8(type), u16(length), fields) });
  }
  return reader.finished ? messages : undefined;
}

/** Hello: what a client offers. */
export interface Hello {
  /** The client's nonce, 32 octets. */
  readonly nonce: Bytes;
  /** The codes of the suites it would take, in any order; unknown ones are of a later version. */
  readonly suiteCodes: readonly number[];
  /** Its X25519 share, 32 octets. */
  readonly x25519Share: Bytes;
  /** Its ML-KEM-768 encapsulation key, 1,184 octets. */
  readonly mlKemKey: Bytes;
}

/** A Hello with what it proves about a pre-shared key. */
export interface ReceivedHello {
  /** Its fields. */
  readonly hello: Hello;
  /** The binder and what it covers; absent in a Hello without pre-shared key. */
  readonly bound: { readonly binder: Bytes; readonly covers: Bytes } | undefined;
}

/** A Hello without pre-shared key. */
export function encodeHello(hello: Hello): Bytes {
  return encode("Hello", ...helloFields(hello, MODE_PLAIN));
}

/** What a binder covers: a Hello with pre-shared key, its final header included, up to the binder. */
export function encodeHelloBeforeBinder(hello: Hello): Bytes {
  const whole = encode("Hello", ...helloFields(hello, MODE_PSK), new Uint8Array(VERIFY_BYTES));
  return whole.slice(0, -VERIFY_BYTES);
}

function helloFields(hello: Hello, mode: number): readonly Bytes[] {
  const codes = Uint8Array.from(hello.suiteCodes);
  return [
    MAGIC,
    u8(VERSION),
    u8(mode),
    hello.nonce,
    lengthPrefixed(codes),
    hello.x25519Share,
    hello.mlKemKey,
  ];
}

/** Parses a Hello. */
export function decodeHello(message: HandshakeMessage): ReceivedHello | undefined {
  const reader = new ByteReader(message.fields);
  const magic = reader.take(MAGIC.length);
  const version = reader.u8();
  const mode = reader.u8();
  const nonce = reader.take(NONCE_BYTES);
  const suiteCodes = Array.from(reader.take(reader.u8()));
  const x25519Share = reader.take(X25519_BYTES);
  const mlKemKey = reader.take(ML_KEM_768_KEY_BYTES);
  const binder = mode === MODE_PSK ? reader.take(VERIFY_BYTES) : undefined;
  const wellFormed = reader.finished && message.type === HANDSHAKE_TYPES.Hello && equal(magic, MAGIC) &&
    version === VERSION && (mode === MODE_PLAIN || mode === MODE_PSK) && suiteCodes.length > 0 &&
    suiteCodes.length <= SUITES_OFFERED_MAX && new Set(suiteCodes).size === suiteCodes.length;
  if (!wellFormed) return undefined;
  return {
    hello: { nonce, suiteCodes, x25519Share, mlKemKey },
    bound: binder === undefined ? undefined : { binder, covers: message.bytes.slice(0, -VERIFY_BYTES) },
  };
}

/** Reply: what the server chose. */
export interface Reply {
  /** One of the suites offered. */
  readonly suite: Suite;
  /** The server's nonce, 32 octets. */
  readonly nonce: Bytes;
  /** Its X25519 share, 32 octets. */
  readonly x25519Share: Bytes;
  /** The secret encapsulated to the client's ML-KEM key, 1,088 octets. */
  readonly mlKemCiphertext: Bytes;
}

/** A Reply. */
export function encodeReply(reply: Reply): Bytes {
  return encode("Reply", u8(suiteCode(reply.suite)), reply.nonce, reply.x25519Share, reply.mlKemCiphertext);
}

/** Parses a Reply. */
export function decodeReply(message: HandshakeMessage): Reply | undefined {
  const reader = new ByteReader(message.fields);
  const suite = suiteOfCode(reader.u8());
  const nonce = reader.take(NONCE_BYTES);
  const x25519Share = reader.take(X25519_BYTES);
  const mlKemCiphertext = reader.take(ML_KEM_768_CIPHERTEXT_BYTES);
  if (!reader.finished || message.type !== HANDSHAKE_TYPES.Reply || suite === undefined) return undefined;
  return { suite, nonce, x25519Share, mlKemCiphertext };
}

/** The four messages under handshake keys, each of one field of a fixed size in octets. */
const FIELD_BYTES = {
  HostKey: ED25519_KEY_BYTES,
  Signature: ED25519_SIGNATURE_BYTES,
  Finished: VERIFY_BYTES,
  Done: VERIFY_BYTES,
} as const;

/** HostKey, Signature, Finished or Done. */
export function encodeField(name: keyof typeof FIELD_BYTES, field: Bytes): Bytes {
  return encode(name, field);
}

/** The field of the message `name`; `undefined` where the message is another, absent or of another size. */
export function decodeField(
  name: keyof typeof FIELD_BYTES,
  message: HandshakeMessage | undefined,
): Bytes | undefined {
  if (message?.type !== HANDSHAKE_TYPES[name] || message.fields.length !== FIELD_BYTES[name]) {
    return undefined;
  }
  return message.fields;
}
