/**
 * AEAD_AES_256_CBC_HMAC_SHA_512 (RFC 7518 §5.2.5) for many octets, by WebCrypto: the same octets as what is sealed at
 * once. Each object that seals or hashes at once leaves some memory behind that no collection gives back; of the pieces of
 * a gigabyte that would be a hundred MiB, and the event loop would stand still while each is sealed.
 *
 * @module
 */

import {
  A256CBC_HS512_KEY_BYTES,
  AES_BLOCK_BYTES,
  type BlockCipher,
  type Entropy,
  type Mac,
  type Provider,
} from "../crypto/port.ts";
import { type Bytes, concat, u64 } from "../wire/bytes.ts";

/** Octets of the MAC key, which comes first (RFC 7518 §5.2.2.1). */
const MAC_KEY_BYTES = 32;

/** Octets of the tag: HMAC-SHA-512 cut to half (RFC 7518 §5.2.5). */
const TAG_BYTES = 32;

/** What pieces are sealed by. */
export type PieceProvider = Pick<Provider, "hmacSha512" | "aes256Cbc" | "equalInConstantTime">;

/** Seals and opens under one key. */
export class PieceSeal {
  readonly #provider: PieceProvider;
  readonly #entropy: Entropy;
  readonly #mac: Mac;
  readonly #cipher: BlockCipher;

  private constructor(
    provider: PieceProvider,
    entropy: Entropy,
    { mac, cipher }: { mac: Mac; cipher: BlockCipher },
  ) {
    this.#provider = provider;
    this.#entropy = entropy;
    this.#mac = mac;
    this.#cipher = cipher;
  }

  /** The seal under a 64-octet key; rejects with a `RangeError` where it has another length. */
  static async of(provider: PieceProvider, entropy: Entropy, key: Bytes): Promise<PieceSeal> {
    if (key.length !== A256CBC_HS512_KEY_BYTES) {
      throw new RangeError(`Cannot seal under ${key.length} octets: a key has ${A256CBC_HS512_KEY_BYTES}`);
    }
    return new PieceSeal(provider, entropy, {
      mac: await provider.hmacSha512(key.slice(0, MAC_KEY_BYTES)),
      cipher: await provider.aes256Cbc(key.slice(MAC_KEY_BYTES)),
    });
  }

  /** `iv | ciphertext | tag`, bound to `associated`. */
  async seal(associated: Bytes, plaintext: Bytes): Promise<Bytes> {
    const iv = this.#entropy(AES_BLOCK_BYTES);
    const ciphertext = await this.#cipher.encrypt(iv, plaintext);
    return concat(iv, ciphertext, await this.#tagOf(associated, concat(iv, ciphertext)));
  }

  /** What was sealed; `undefined` where it was altered, or is bound to something else. */
  async open(associated: Bytes, sealed: Bytes): Promise<Bytes | undefined> {
    const end = sealed.length - TAG_BYTES;
    // PKCS #7 adds at least one octet, so there is never less than one block.
    if (end < 2 * AES_BLOCK_BYTES || end % AES_BLOCK_BYTES !== 0) return undefined;
    const tag = await this.#tagOf(associated, sealed.subarray(0, end));
    // Before anything is decrypted: whoever altered it learns nothing about its padding (RFC 7518 §5.2.2.2).
    if (!this.#provider.equalInConstantTime(tag, sealed.subarray(end))) return undefined;
    return await this.#cipher.decrypt(
      sealed.slice(0, AES_BLOCK_BYTES),
      sealed.subarray(AES_BLOCK_BYTES, end),
    );
  }

  async #tagOf(associated: Bytes, ivAndCiphertext: Bytes): Promise<Bytes> {
    const covered = concat(associated, ivAndCiphertext, u64(8 * associated.length));
    return (await this.#mac.sign(covered)).slice(0, TAG_BYTES);
  }
}
