/**
 * What a server computes with: the provider it is given, with all that comes in thousands a second done at once by
 * node:crypto. A call of WebCrypto hands a few hundred octets to another thread, which costs several times what is to be
 * computed, and each of its keys is kilobytes of an idle connection. The client stays on WebCrypto, so every connection
 * checks one against the other; a test holds the two to the same octets.
 *
 * IVs and seeds come from the caller as they do with WebCrypto, and no context outlives a record: what one record was
 * sealed with is not there when the next one is.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { type Bytes, concat } from "../wire/bytes.ts";
import { isAcceptableKey } from "./ed25519_points.ts";
import { hashNow, hmacNow } from "./hmac_now.ts";
import { requireLength } from "./lengths.ts";
import {
  AES_BLOCK_BYTES,
  AES_KEY_BYTES,
  type BlockCipher,
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  type Mac,
  type Provider,
  type SigningKey,
  type VerifyingKey,
  X25519_BYTES,
  type X25519Pair,
} from "./port.ts";
import { isAllZero, isCanonicalShare } from "./x25519_points.ts";

/** What precedes a raw key in DER (RFC 8410 §4 and §7). */
const DER_PREFIX = {
  x25519Public: Uint8Array.fromHex("302a300506032b656e032100"),
  x25519Private: Uint8Array.fromHex("302e020100300506032b656e04220420"),
  ed25519Public: Uint8Array.fromHex("302a300506032b6570032100"),
  ed25519Private: Uint8Array.fromHex("302e020100300506032b657004220420"),
} as const;

/** `provider`, with hashes, MACs, ciphers and curves at once. */
export function nodeProvider(provider: Provider): Provider {
  return {
    ...provider,
    sha256: (data) => resolved(() => hashNow("sha256", data)),
    sha512: (data) => resolved(() => hashNow("sha512", data)),
    hmacSha256: (key) => resolved(() => hmac("sha256", key)),
    hmacSha512: (key) => resolved(() => hmac("sha512", key)),
    x25519Pair: (seed) => resolved(() => x25519Pair(seed)),
    ed25519SigningKey: (seed) => resolved(() => ed25519SigningKey(seed)),
    ed25519VerifyingKey: (publicKey) => resolved(() => ed25519VerifyingKey(publicKey)),
    aes256Cbc: (key) => resolved(() => blockCipher("aes-256-cbc", key)),
    aes256Ctr: (key) => resolved(() => blockCipher("aes-256-ctr", key)),
  };
}

/** What `work` gives, as the port has it: what it throws is a rejection, too. */
function resolved<Result>(work: () => Result): Promise<Result> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

function hmac(name: "sha256" | "sha512", key: Bytes): Mac {
  const tagOf = hmacNow(name, key);
  return { sign: (data) => resolved(() => tagOf(data)) };
}

function x25519Pair(seed: Bytes): X25519Pair {
  requireLength("an X25519 seed", seed, X25519_BYTES);
  const privateKey = privateKeyOf(DER_PREFIX.x25519Private, seed);
  return {
    share: publicHalf(privateKey),
    agree: (peerShare) =>
      resolved(() => {
        if (!isCanonicalShare(peerShare)) return undefined;
        const secret = agreed(privateKey, publicKeyOf(DER_PREFIX.x25519Public, peerShare));
        return secret === undefined || isAllZero(secret) ? undefined : secret;
      }),
  };
}

/** The shared secret; `undefined` where OpenSSL's rule refuses a share of small order, as RFC 7748 §6.1 lets it. */
function agreed(privateKey: KeyObject, publicKey: KeyObject): Bytes | undefined {
  try {
    return new Uint8Array(diffieHellman({ privateKey, publicKey }));
  } catch {
    return undefined;
  }
}

function ed25519SigningKey(seed: Bytes): SigningKey {
  requireLength("an Ed25519 seed", seed, ED25519_KEY_BYTES);
  const privateKey = privateKeyOf(DER_PREFIX.ed25519Private, seed);
  return {
    publicKey: publicHalf(privateKey),
    sign: (data) => resolved(() => new Uint8Array(sign(null, data, privateKey))),
  };
}

function ed25519VerifyingKey(publicKey: Bytes): VerifyingKey | undefined {
  if (!isAcceptableKey(publicKey)) return undefined;
  const key = pointOf(publicKey);
  return {
    publicKey,
    verify: (data, signature) =>
      resolved(() =>
        key !== undefined && signature.length === ED25519_SIGNATURE_BYTES &&
        verify(null, data, key, signature)
      ),
  };
}

/** The key, where it is a point of the curve; under any other nothing verifies (port.ts). */
function pointOf(publicKey: Bytes): KeyObject | undefined {
  try {
    return publicKeyOf(DER_PREFIX.ed25519Public, publicKey);
  } catch {
    return undefined;
  }
}

function privateKeyOf(prefix: Bytes, seed: Bytes): KeyObject {
  return createPrivateKey({ key: Buffer.from(concat(prefix, seed)), format: "der", type: "pkcs8" });
}

function publicKeyOf(prefix: Bytes, key: Bytes): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(prefix, key)), format: "der", type: "spki" });
}

/** The raw public half of a private key: the end of its DER. */
function publicHalf(privateKey: KeyObject): Bytes {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(-X25519_BYTES));
}

function blockCipher(name: "aes-256-cbc" | "aes-256-ctr", key: Bytes): BlockCipher {
  requireLength(`an AES-${8 * AES_KEY_BYTES} key`, key, AES_KEY_BYTES);
  return {
    encrypt: (iv, plaintext) =>
      resolved(() => {
        requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
        const cipher = createCipheriv(name, key, iv);
        return concat(new Uint8Array(cipher.update(plaintext)), new Uint8Array(cipher.final()));
      }),
    decrypt: (iv, ciphertext) =>
      resolved(() => {
        requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
        return decrypted(name, { key, iv, ciphertext });
      }),
  };
}

/** The plaintext; `undefined` where the length or the padding is wrong. The runtime takes no octets at all for a padding. */
function decrypted(
  name: "aes-256-cbc" | "aes-256-ctr",
  { key, iv, ciphertext }: { readonly key: Bytes; readonly iv: Bytes; readonly ciphertext: Bytes },
): Bytes | undefined {
  if (name === "aes-256-cbc" && (ciphertext.length === 0 || ciphertext.length % AES_BLOCK_BYTES > 0)) {
    return undefined;
  }
  const decipher = createDecipheriv(name, key, iv);
  const start = new Uint8Array(decipher.update(ciphertext));
  try {
    return concat(start, new Uint8Array(decipher.final()));
  } catch {
    return undefined;
  }
}
