/**
 * Encrypt-then-MAC over AES-256 and HMAC-SHA-512 as RFC 7518 §5.2 composes them, with the 32-octet tag of
 * A256CBC-HS512. The CTR suite is the same composition with another mode of operation.
 *
 * @module
 */

import { AES_KEY_BYTES, type Provider } from "../crypto/port.ts";
import { type Bytes, concat, u64 } from "../wire/bytes.ts";
import type { Suite } from "./suite.ts";

/** Octets of a record's tag: HMAC-SHA-512 cut to half (RFC 7518 §5.2.5). */
export const TAG_BYTES = 32;
/** Octets of the MAC key, which comes first in the key of a record cipher (RFC 7518 §5.2.2.1). */
export const MAC_KEY_BYTES = 32;
/** Octets of a record cipher's whole key: MAC key | encryption key. */
export const RECORD_KEY_BYTES = MAC_KEY_BYTES + AES_KEY_BYTES;

/** What sealing gives. */
export interface Sealed {
  /** The encrypted plaintext; CBC's is 1 to 16 octets longer than it. */
  readonly ciphertext: Bytes;
  /** The tag over associated data, IV and ciphertext, 32 octets. */
  readonly tag: Bytes;
}

/** Authenticated encryption under one key. */
export interface RecordCipher {
  /** Seals `plaintext` under a 16-octet `iv` that no one can foresee and none has used under this key. */
  seal(associated: Bytes, iv: Bytes, plaintext: Bytes): Promise<Sealed>;
  /** The plaintext, or `undefined`, the same for a wrong tag and for wrong padding. */
  open(associated: Bytes, iv: Bytes, ciphertext: Bytes, tag: Bytes): Promise<Bytes | undefined>;
}

/** The record cipher of `suite` under `key`, 64 octets: MAC key | encryption key. Throws on another length. */
export async function recordCipher(provider: Provider, suite: Suite, key: Bytes): Promise<RecordCipher> {
  if (key.length !== RECORD_KEY_BYTES) {
    throw new RangeError(
      `Cannot make a record cipher: its key has ${key.length} octets, not ${RECORD_KEY_BYTES}`,
    );
  }
  const mac = await provider.hmacSha512(key.slice(0, MAC_KEY_BYTES));
  const encryptionKey = key.slice(MAC_KEY_BYTES);
  const cipher = suite === "a256cbc-hs512"
    ? await provider.aes256Cbc(encryptionKey)
    : await provider.aes256Ctr(encryptionKey);

  async function tagOf(associated: Bytes, iv: Bytes, ciphertext: Bytes): Promise<Bytes> {
    const bits = u64(8 * associated.length);
    return (await mac.sign(concat(associated, iv, ciphertext, bits))).slice(0, TAG_BYTES);
  }

  return {
    async seal(associated, iv, plaintext) {
      const ciphertext = await cipher.encrypt(iv, plaintext);
      return { ciphertext, tag: await tagOf(associated, iv, ciphertext) };
    },
    async open(associated, iv, ciphertext, tag) {
      // Before anything is decrypted: whoever altered the record learns nothing about its padding (PROTOCOL §5.2).
      if (!provider.equalInConstantTime(await tagOf(associated, iv, ciphertext), tag)) return undefined;
      return cipher.decrypt(iv, ciphertext);
    },
  };
}
