/**
 * What has to be computed at once, on node:crypto: WebCrypto gives promises alone. Hashes that chain, and the seal of
 * what is kept on disk.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from "node:crypto";
import { type Bytes, concat, u64 } from "../wire/bytes.ts";
import { hashNow, hmacNow } from "./hmac_now.ts";
import { requireLength } from "./lengths.ts";
import {
  A256CBC_HS512_KEY_BYTES,
  AES_BLOCK_BYTES,
  AES_KEY_BYTES,
  type AuthenticatedCipher,
  type RunningHash,
} from "./port.ts";

/** Octets of the MAC key, which comes first (RFC 7518 §5.2.2.1). */
const MAC_KEY_BYTES = 32;

/** Octets of the tag: HMAC-SHA-512 cut to half (RFC 7518 §5.2.5). */
const TAG_BYTES = 32;

/** SHA-256, 32 octets. */
export function sha256Now(data: Bytes): Bytes {
  return hashNow("sha256", data);
}

/** SHA-512, 64 octets. */
export function sha512Now(data: Bytes): Bytes {
  return hashNow("sha512", data);
}

/** SHA-256 of what comes in pieces. */
export function runningSha256(): RunningHash {
  const hash = createHash("sha256");
  return {
    update: (data) => {
      hash.update(data);
    },
    digest: () => new Uint8Array(hash.digest()),
  };
}

/** AES-256-CBC with PKCS #7 padding under a 32-octet key; throws a `RangeError` where that or the IV has another length. */
export function aes256CbcNow(key: Bytes, iv: Bytes, plaintext: Bytes): Bytes {
  requireLength("an AES-256 key", key, AES_KEY_BYTES);
  requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  return concat(new Uint8Array(cipher.update(plaintext)), new Uint8Array(cipher.final()));
}

/** AEAD_AES_256_CBC_HMAC_SHA_512 under a 64-octet key; throws a `RangeError` where it has another length. */
export function a256cbcHs512(key: Bytes): AuthenticatedCipher {
  requireLength("an A256CBC-HS512 key", key, A256CBC_HS512_KEY_BYTES);
  const mac = hmacNow("sha512", key.slice(0, MAC_KEY_BYTES));
  const encryptionKey = key.slice(MAC_KEY_BYTES);

  function tagOf(ivAndCiphertext: Bytes, associated: Bytes): Bytes {
    return mac(associated, ivAndCiphertext, u64(8 * associated.length)).slice(0, TAG_BYTES);
  }

  return {
    seal(iv, plaintext, associated) {
      requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
      const cipher = createCipheriv("aes-256-cbc", encryptionKey, iv);
      const sealed = concat(iv, new Uint8Array(cipher.update(plaintext)), new Uint8Array(cipher.final()));
      return concat(sealed, tagOf(sealed, associated));
    },
    open(sealed, associated) {
      const end = sealed.length - TAG_BYTES;
      // PKCS #7 adds at least one octet, so there is never less than one block.
      if (end < 2 * AES_BLOCK_BYTES || end % AES_BLOCK_BYTES !== 0) return undefined;
      const ivAndCiphertext = sealed.slice(0, end);
      // Before anything is decrypted: whoever altered it learns nothing about its padding (RFC 7518 §5.2.2.2).
      if (!timingSafeEqual(tagOf(ivAndCiphertext, associated), sealed.slice(end))) return undefined;
      return decrypted(encryptionKey, ivAndCiphertext);
    },
  };
}

/** The plaintext of `iv | ciphertext`; `undefined` where its padding is wrong, though its tag was right. */
function decrypted(key: Bytes, ivAndCiphertext: Bytes): Bytes | undefined {
  const iv = ivAndCiphertext.subarray(0, AES_BLOCK_BYTES);
  const decipher = createDecipheriv("aes-256-cbc", key, iv);
  const start = decipher.update(ivAndCiphertext.subarray(AES_BLOCK_BYTES));
  try {
    return concat(new Uint8Array(start), new Uint8Array(decipher.final()));
  } catch {
    return undefined;
  }
}
