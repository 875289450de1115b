/**
 * OPAQUE-3DH (RFC 9807) with ristretto255 and SHA-512, written from the RFC on @noble's curves and hashes: it shares
 * nothing with the library that lib/crypto uses. All randomness is an argument, as are what the RFC leaves to the
 * application: context, stretching and identities.
 *
 * @module
 */

import { ristretto255, ristretto255_hasher } from "npm:@noble/curves@2.4.0/ed25519.js";
import { argon2id } from "npm:@noble/hashes@2.4.0/argon2.js";
import { expand, extract } from "npm:@noble/hashes@2.4.0/hkdf.js";
import { hmac } from "npm:@noble/hashes@2.4.0/hmac.js";
import { sha512 } from "npm:@noble/hashes@2.4.0/sha2.js";
import {
  ByteReader,
  type Bytes,
  concat,
  equal,
  lengthPrefixed,
  u16,
  u8,
  utf8,
} from "../../lib/wire/bytes.ts";

const { Point } = ristretto255;
const { Fn } = Point;
type Element = InstanceType<typeof Point>;

/** Octets of a group element, of a private key, of a nonce and of a seed. */
const SHORT = 32;
/** Octets of a hash, a MAC and of what is expanded. */
const LONG = 64;
/** Octets of an envelope: nonce and MAC. */
const ENVELOPE_BYTES = SHORT + LONG;
/** RFC 9497 §3.1: the mode of a plain OPRF is 0. */
const OPRF_CONTEXT = concat(utf8("OPRFV1-"), u8(0), utf8("-ristretto255-SHA512"));
const NOTHING: Bytes = new Uint8Array(0);

/** What the RFC leaves to the application. */
export interface Profile {
  /** Bound into every login. */
  readonly context: Bytes;
  /** Makes a guess at a password dear. */
  readonly stretch: (oprfOutput: Bytes) => Bytes;
  /** Who the two ends are. */
  readonly identities: (
    keys: { readonly server: Bytes; readonly client: Bytes },
  ) => { readonly server: Bytes; readonly client: Bytes };
}

/** Sotto's, version 1, for the account `handle`. */
export function sottoProfile(handle: string): Profile {
  return {
    context: NOTHING,
    stretch: (oprfOutput) =>
      Uint8Array.from(argon2id(oprfOutput, new Uint8Array(16), { t: 3, m: 65_536, p: 4, dkLen: LONG })),
    identities: ({ server }) => ({ server, client: utf8(handle) }),
  };
}

/** A server's keys; from its setup in {@linkcode readSetup}. */
export interface ServerKeys {
  /** What the OPRF keys of all names are made of. */
  readonly oprfSeed: Bytes;
  /** The server's own Diffie-Hellman key. */
  readonly privateKey: Bytes;
}

/** The keys in a setup of 128 octets; its last 32 are for names that are unknown. */
export function readSetup(setup: Bytes): ServerKeys {
  return { oprfSeed: setup.slice(0, LONG), privateKey: setup.slice(LONG, LONG + SHORT) };
}

/** The public half of a private key. */
export function publicKeyOf(privateKey: Bytes): Bytes {
  return bytesOf(Point.BASE.multiply(Fn.fromBytes(privateKey)));
}

/** A scalar of a seed: a blind, where the seed is random. */
export function scalarOf(seed: Bytes): Bytes {
  return derivedKey(seed);
}

/** RegistrationRequest (§5.2.1). */
export function registrationRequest(password: Bytes, blind: Bytes): Bytes {
  return blinded(password, blind);
}

/** RegistrationResponse (§5.2.2). */
export function registrationResponse(keys: ServerKeys, identifier: Bytes, request: Bytes): Bytes {
  return concat(evaluated(keys, identifier, request), publicKeyOf(keys.privateKey));
}

/** RegistrationRecord and export key (§5.2.3). */
export function finishRegistration(
  profile: Profile,
  { password, blind, response, envelopeNonce }: {
    readonly password: Bytes;
    readonly blind: Bytes;
    readonly response: Bytes;
    readonly envelopeNonce: Bytes;
  },
): { readonly record: Bytes; readonly exportKey: Bytes } {
  const randomized = randomizedPassword(profile, { password, blind, evaluation: response.slice(0, SHORT) });
  const serverPublicKey = response.slice(SHORT);
  const opened = secretsOf(profile, { randomized, envelopeNonce, serverPublicKey });
  const maskingKey = hkdf(randomized, utf8("MaskingKey"), LONG);
  const record = concat(publicKeyOf(opened.privateKey), maskingKey, envelopeNonce, opened.tag);
  return { record, exportKey: opened.exportKey };
}

/** KE1 (§6.2.1). */
export function makeKe1(
  password: Bytes,
  { blind, nonce, keyshareSeed }: {
    readonly blind: Bytes;
    readonly nonce: Bytes;
    readonly keyshareSeed: Bytes;
  },
): Bytes {
  return concat(blinded(password, blind), nonce, publicKeyOf(derivedKey(keyshareSeed)));
}

/** KE2 (§6.2.2), with the KE3 to expect and the session key. */
export function answerKe1(
  profile: Profile,
  { keys, identifier, record, ke1, maskingNonce, nonce, keyshareSeed }: {
    readonly keys: ServerKeys;
    readonly identifier: Bytes;
    readonly record: Bytes;
    readonly ke1: Bytes;
    readonly maskingNonce: Bytes;
    readonly nonce: Bytes;
    readonly keyshareSeed: Bytes;
  },
): { readonly ke2: Bytes; readonly ke3: Bytes; readonly sessionKey: Bytes } {
  const serverPublicKey = publicKeyOf(keys.privateKey);
  const reader = new ByteReader(record);
  const [clientPublicKey, maskingKey] = [reader.take(SHORT), reader.take(LONG)];
  const envelope = reader.take(ENVELOPE_BYTES);
  const masked = masking(maskingKey, maskingNonce, concat(serverPublicKey, envelope));
  const credentials = concat(evaluated(keys, identifier, ke1.slice(0, SHORT)), maskingNonce, masked);
  const ephemeral = derivedKey(keyshareSeed);
  const clientKeyshare = ke1.slice(2 * SHORT);
  const unsigned = concat(nonce, publicKeyOf(ephemeral));
  const preamble = preambleOf(profile, { ke1, credentials, unsigned, serverPublicKey, clientPublicKey });
  const secrets = keySchedule(
    concat(
      shared(ephemeral, clientKeyshare),
      shared(keys.privateKey, clientKeyshare),
      shared(ephemeral, clientPublicKey),
    ),
    preamble,
  );
  const { serverMac, clientMac, sessionKey } = secrets;
  return { ke2: concat(credentials, unsigned, serverMac), ke3: clientMac, sessionKey };
}

/** KE3, session key and export key (§6.2.3); `undefined` where the password or KE2 is not right. */
export function finishLogin(
  profile: Profile,
  { password, blind, keyshareSeed, ke1, ke2 }: {
    readonly password: Bytes;
    readonly blind: Bytes;
    readonly keyshareSeed: Bytes;
    readonly ke1: Bytes;
    readonly ke2: Bytes;
  },
): { readonly ke3: Bytes; readonly sessionKey: Bytes; readonly exportKey: Bytes } | undefined {
  const reader = new ByteReader(ke2);
  const [evaluation, maskingNonce] = [reader.take(SHORT), reader.take(SHORT)];
  const masked = reader.take(SHORT + ENVELOPE_BYTES);
  const unsigned = reader.take(2 * SHORT);
  const serverMac = reader.take(LONG);
  const randomized = randomizedPassword(profile, { password, blind, evaluation });
  const maskingKey = hkdf(randomized, utf8("MaskingKey"), LONG);
  const unmasked = new ByteReader(masking(maskingKey, maskingNonce, masked));
  const [serverPublicKey, envelopeNonce] = [unmasked.take(SHORT), unmasked.take(SHORT)];
  const opened = secretsOf(profile, { randomized, envelopeNonce, serverPublicKey });
  if (!equal(opened.tag, unmasked.take(LONG))) return undefined;
  const credentials = concat(evaluation, maskingNonce, masked);
  const clientPublicKey = publicKeyOf(opened.privateKey);
  const preamble = preambleOf(profile, { ke1, credentials, unsigned, serverPublicKey, clientPublicKey });
  const ephemeral = derivedKey(keyshareSeed);
  const serverKeyshare = unsigned.slice(SHORT);
  const secrets = keySchedule(
    concat(
      shared(ephemeral, serverKeyshare),
      shared(ephemeral, serverPublicKey),
      shared(opened.privateKey, serverKeyshare),
    ),
    preamble,
  );
  if (!equal(serverMac, secrets.serverMac)) return undefined;
  return { ke3: secrets.clientMac, sessionKey: secrets.sessionKey, exportKey: opened.exportKey };
}

/** RFC 9497 §3.3.1, Blind. */
function blinded(password: Bytes, blind: Bytes): Bytes {
  const element = ristretto255_hasher.hashToCurve(password, {
    DST: concat(utf8("HashToGroup-"), OPRF_CONTEXT),
  });
  return bytesOf(element.multiply(Fn.fromBytes(blind)));
}

/** RFC 9497 §3.3.1, BlindEvaluate, under the key of one name (RFC 9807 §5.2.2). */
function evaluated(keys: ServerKeys, identifier: Bytes, element: Bytes): Bytes {
  const seed = hkdf(keys.oprfSeed, concat(identifier, utf8("OprfKey")), SHORT);
  const key = derivedScalar(seed, "OPAQUE-DeriveKeyPair");
  return bytesOf(Point.fromBytes(element).multiply(Fn.fromBytes(key)));
}

/** RFC 9497 §3.3.1, Finalize, then stretched (RFC 9807 §5.2.3). */
function randomizedPassword(
  profile: Profile,
  { password, blind, evaluation }: {
    readonly password: Bytes;
    readonly blind: Bytes;
    readonly evaluation: Bytes;
  },
): Bytes {
  const unblinded = bytesOf(Point.fromBytes(evaluation).multiply(Fn.inv(Fn.fromBytes(blind))));
  const output = hash(concat(wide(password), wide(unblinded), utf8("Finalize")));
  return hkdfExtract(concat(output, profile.stretch(output)));
}

/** What an envelope's nonce and a password give: private key, export key and the envelope's MAC (§4.1.2). */
function secretsOf(
  profile: Profile,
  { randomized, envelopeNonce, serverPublicKey }: {
    readonly randomized: Bytes;
    readonly envelopeNonce: Bytes;
    readonly serverPublicKey: Bytes;
  },
): { readonly privateKey: Bytes; readonly exportKey: Bytes; readonly tag: Bytes } {
  const expanded = (label: string, length: number) =>
    hkdf(randomized, concat(envelopeNonce, utf8(label)), length);
  const privateKey = derivedKey(expanded("PrivateKey", SHORT));
  const { server, client } = profile.identities({
    server: serverPublicKey,
    client: publicKeyOf(privateKey),
  });
  const cleartext = concat(serverPublicKey, wide(server), wide(client));
  const tag = mac(expanded("AuthKey", LONG), concat(envelopeNonce, cleartext));
  return { privateKey, exportKey: expanded("ExportKey", LONG), tag };
}

/** What is masked in a KE2, the server's public key and the envelope, to whoever has the masking key. */
export function unmasked(ke2: Bytes, maskingKey: Bytes): Bytes {
  const masked = ke2.slice(2 * SHORT, 3 * SHORT + ENVELOPE_BYTES);
  return masking(maskingKey, ke2.slice(SHORT, 2 * SHORT), masked);
}

/** The one pad both ways (§6.3.2.2). */
function masking(maskingKey: Bytes, maskingNonce: Bytes, bytes: Bytes): Bytes {
  const pad = hkdf(maskingKey, concat(maskingNonce, utf8("CredentialResponsePad")), SHORT + ENVELOPE_BYTES);
  return bytes.map((octet, at) => octet ^ (pad[at] ?? 0));
}

/** §6.4.2.1. */
function preambleOf(
  profile: Profile,
  { ke1, credentials, unsigned, serverPublicKey, clientPublicKey }: {
    readonly ke1: Bytes;
    readonly credentials: Bytes;
    readonly unsigned: Bytes;
    readonly serverPublicKey: Bytes;
    readonly clientPublicKey: Bytes;
  },
): Bytes {
  const { server, client } = profile.identities({ server: serverPublicKey, client: clientPublicKey });
  return concat(
    utf8("OPAQUEv1-"),
    wide(profile.context),
    wide(client),
    ke1,
    wide(server),
    credentials,
    unsigned,
  );
}

/** §6.4.2.2, and the two MACs of §6.4.3 and §6.4.4. */
function keySchedule(
  secret: Bytes,
  preamble: Bytes,
): { readonly serverMac: Bytes; readonly clientMac: Bytes; readonly sessionKey: Bytes } {
  const extracted = hkdfExtract(secret);
  const handshake = derivedSecret(extracted, "HandshakeSecret", hash(preamble));
  const sessionKey = derivedSecret(extracted, "SessionKey", hash(preamble));
  const serverMac = mac(derivedSecret(handshake, "ServerMAC", NOTHING), hash(preamble));
  const clientKey = derivedSecret(handshake, "ClientMAC", NOTHING);
  return { serverMac, clientMac: mac(clientKey, hash(concat(preamble, serverMac))), sessionKey };
}

function derivedSecret(secret: Bytes, label: string, transcriptHash: Bytes): Bytes {
  const info = concat(u16(LONG), lengthPrefixed(utf8(`OPAQUE-${label}`)), lengthPrefixed(transcriptHash));
  return hkdf(secret, info, LONG);
}

/** DeriveDiffieHellmanKeyPair's private key (§6.4.1.1). */
function derivedKey(seed: Bytes): Bytes {
  return derivedScalar(seed, "OPAQUE-DeriveDiffieHellmanKeyPair");
}

/** RFC 9497 §3.2.1, DeriveKeyPair. Its counter stays 0: no one has met a seed that gives zero. */
function derivedScalar(seed: Bytes, info: string): Bytes {
  const input = concat(seed, wide(utf8(info)), u8(0));
  const scalar = ristretto255_hasher.hashToScalar(input, {
    DST: concat(utf8("DeriveKeyPair"), OPRF_CONTEXT),
  });
  return Uint8Array.from(Fn.toBytes(scalar));
}

function shared(privateKey: Bytes, publicKey: Bytes): Bytes {
  return bytesOf(Point.fromBytes(publicKey).multiply(Fn.fromBytes(privateKey)));
}

function bytesOf(element: Element): Bytes {
  return Uint8Array.from(element.toBytes());
}

function wide(bytes: Bytes): Bytes {
  return concat(u16(bytes.length), bytes);
}

function hash(bytes: Bytes): Bytes {
  return Uint8Array.from(sha512(bytes));
}

function mac(key: Bytes, bytes: Bytes): Bytes {
  return Uint8Array.from(hmac(sha512, key, bytes));
}

function hkdf(secret: Bytes, info: Bytes, length: number): Bytes {
  return Uint8Array.from(expand(sha512, secret, info, length));
}

function hkdfExtract(secret: Bytes): Bytes {
  return Uint8Array.from(extract(sha512, secret, NOTHING));
}
