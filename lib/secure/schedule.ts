/**
 * The key schedule: from the secrets of a handshake to the keys of its records (PROTOCOL §4.4).
 *
 *     early = Extract(0, psk)
 *     hs    = Extract(XL(early, "derived", ""), mlkem_ss | x25519_ss)   ▸ c hs, s hs over T(Reply)
 *     ms    = Extract(XL(hs, "derived", ""), 0)                         ▸ c ap, s ap, exporter over T(Done)
 *     ms'   = Extract(XL(ms, "login", ""), session key of OPAQUE)       ▸ the same again over T(LoginFinish)
 *
 * Labels separate direction, purpose and suite, so no two uses ever share a key.
 *
 * @module
 */

import { OPAQUE_BYTES, type Provider, SHA512_BYTES } from "../crypto/port.ts";
import { type Bytes, concat, lengthPrefixed, u16, utf8 } from "../wire/bytes.ts";
import { RECORD_KEY_BYTES } from "./aead.ts";
import { expand, extract } from "./hkdf.ts";
import type { Suite } from "./suite.ts";

/** Octets of every secret of the schedule. */
export const SECRET_BYTES = 64;
/** Octets of a binder and of a Finished or Done: HMAC-SHA-512 cut to half. */
export const VERIFY_BYTES = 32;
/** Octets of the key of a shared record's tag. */
export const SHARED_TAG_KEY_BYTES = 32;
/** Octets of a pre-shared key. */
export const PSK_BYTES = 32;

const NOTHING: Bytes = new Uint8Array(0);
const ZEROS: Bytes = new Uint8Array(SHA512_BYTES);

/** The secrets of one epoch, one for each direction. */
export interface TrafficSecrets {
  /** Protects what the client sends. */
  readonly client: Bytes;
  /** Protects what the server sends. */
  readonly server: Bytes;
}

/** XL(s, l, t): 64 octets of `secret` for the purpose `label`, bound to `transcript` (a hash, or nothing). */
export function expandLabel(
  provider: Provider,
  secret: Bytes,
  { label, transcript = NOTHING }: { label: string; transcript?: Bytes },
): Promise<Bytes> {
  const info = concat(
    u16(SECRET_BYTES),
    lengthPrefixed(utf8(`sotto/1 ${label}`)),
    lengthPrefixed(transcript),
  );
  return expand(provider, secret, info, SECRET_BYTES);
}

/** T(m): the hash over header and plaintext of every handshake message so far, in order. */
export function transcriptHash(provider: Provider, messages: Bytes): Promise<Bytes> {
  return provider.sha512(messages);
}

/** The early secret, of the 32-octet pre-shared key where one is set. */
export function earlySecret(provider: Provider, psk: Bytes | undefined): Promise<Bytes> {
  return extract(provider, NOTHING, psk ?? ZEROS);
}

/** The binder that proves knowledge of the pre-shared key, over Hello up to the binder, final header included. */
export async function binder(provider: Provider, early: Bytes, helloBeforeBinder: Bytes): Promise<Bytes> {
  const key = await expandLabel(provider, early, { label: "binder" });
  return shortMac(provider, key, await provider.sha512(helloBeforeBinder));
}

/** The handshake secret, of both shared secrets: closed unless both key agreements are broken. */
export async function handshakeSecret(
  provider: Provider,
  early: Bytes,
  { mlKemSecret, x25519Secret }: { mlKemSecret: Bytes; x25519Secret: Bytes },
): Promise<Bytes> {
  const salt = await expandLabel(provider, early, { label: "derived" });
  return extract(provider, salt, concat(mlKemSecret, x25519Secret));
}

/** The secrets of epoch 0, bound to T(Reply). */
export async function handshakeTraffic(
  provider: Provider,
  handshake: Bytes,
  transcript: Bytes,
): Promise<TrafficSecrets> {
  return {
    client: await expandLabel(provider, handshake, { label: "c hs", transcript }),
    server: await expandLabel(provider, handshake, { label: "s hs", transcript }),
  };
}

/** The content of Finished (of the server's secret) and Done (of the client's) over the transcript before it. */
export async function verifyData(provider: Provider, secret: Bytes, transcript: Bytes): Promise<Bytes> {
  return shortMac(provider, await expandLabel(provider, secret, { label: "finished" }), transcript);
}

/** What messages are protected with, and what names the connection. */
export interface ApplicationSecrets {
  /** The secrets of an epoch: 1, or 2 after a password login. */
  readonly traffic: TrafficSecrets;
  /** Names this very connection to whoever signs for it; 64 octets. */
  readonly exporter: Bytes;
}

/** What a finished handshake leaves behind. */
export interface FinishedSecrets extends ApplicationSecrets {
  /** The master secret, which a password login is mixed into. */
  readonly master: Bytes;
}

/** The secrets of epoch 1, bound to T(Done). */
export async function applicationSecrets(
  provider: Provider,
  handshake: Bytes,
  transcript: Bytes,
): Promise<FinishedSecrets> {
  const salt = await expandLabel(provider, handshake, { label: "derived" });
  const master = await extract(provider, salt, ZEROS);
  return { master, ...await secretsOfMaster(provider, master, transcript) };
}

/**
 * The secrets of epoch 2, bound to T(LoginFinish): who relays a login between two channels has another master secret
 * at each, so its ends come to different keys. Throws a `RangeError` where the session key is none of OPAQUE's.
 */
export async function mixedSecrets(
  provider: Provider,
  master: Bytes,
  { sessionKey, transcript }: { sessionKey: Bytes; transcript: Bytes },
): Promise<ApplicationSecrets> {
  if (sessionKey.length !== OPAQUE_BYTES.sessionKey) {
    throw new RangeError(
      `Cannot mix ${sessionKey.length} octets: a session key has ${OPAQUE_BYTES.sessionKey}`,
    );
  }
  const salt = await expandLabel(provider, master, { label: "login" });
  return secretsOfMaster(provider, await extract(provider, salt, sessionKey), transcript);
}

async function secretsOfMaster(
  provider: Provider,
  master: Bytes,
  transcript: Bytes,
): Promise<ApplicationSecrets> {
  return {
    traffic: {
      client: await expandLabel(provider, master, { label: "c ap", transcript }),
      server: await expandLabel(provider, master, { label: "s ap", transcript }),
    },
    exporter: await expandLabel(provider, master, { label: "exporter", transcript }),
  };
}

/** The key of a direction's records: MAC key | encryption key. */
export async function recordKey(provider: Provider, secret: Bytes, suite: Suite): Promise<Bytes> {
  return (await expandLabel(provider, secret, { label: `key ${suite}` })).slice(0, RECORD_KEY_BYTES);
}

/** The key of the tags that a direction's shared records carry, 32 octets. */
export async function sharedTagKey(provider: Provider, secret: Bytes): Promise<Bytes> {
  return (await expandLabel(provider, secret, { label: "shared" })).slice(0, SHARED_TAG_KEY_BYTES);
}

/** The secret of a direction's next epoch; the last one cannot be found from it. */
export function nextSecret(provider: Provider, secret: Bytes): Promise<Bytes> {
  return expandLabel(provider, secret, { label: "rekey" });
}

async function shortMac(provider: Provider, key: Bytes, data: Bytes): Promise<Bytes> {
  const mac = await provider.hmacSha512(key);
  return (await mac.sign(data)).slice(0, VERIFY_BYTES);
}
