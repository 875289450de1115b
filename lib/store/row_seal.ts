/**
 * How what is kept is closed to whoever has the files but not the key: rows sealed under keys of one secret, one for
 * each purpose, and bound to their place, so that none can be put in another's.
 *
 *     key of a purpose  HKDF-SHA-512(secret, "sotto/1 at rest" 00 | purpose), 64 octets
 *     sealed row        AEAD_AES_256_CBC_HMAC_SHA_512 under the key of "rows": iv 16 | ciphertext | tag 32,
 *                       associated data L(table) | place
 *     tag               HMAC-SHA-256 under the key of "tags" of L(table) | value, 32 octets
 *     erasable          the same AEAD under SHA-512(u32 1 | Z), Z being the key of "erasable" | a secret of its own 32
 *                       (SP 800-56C §4.1, one step)
 *
 * @module
 */

import { AES_BLOCK_BYTES, type Entropy, type Provider } from "../crypto/port.ts";
import { derivedKey } from "../identity/derived_key.ts";
import { type Bytes, concat, lengthPrefixed, u32, utf8 } from "../wire/bytes.ts";
import { PieceSeal } from "./piece_seal.ts";

/** Octets of the secret that all is sealed under, and of that of one erasable row. */
export const REST_SECRET_BYTES = 32;

/** Octets by which a sealed value is longer than it was: IV, a block of padding where it ends with one, tag. */
export const SEAL_BYTES = 64;

const LABEL = utf8("sotto/1 at rest\0");
const TAG_BYTES = 32;

/** Seals and opens what is kept, all at once. */
export interface RowSeal {
  /** `plaintext` sealed for `place` in `table`. */
  seal(table: string, place: Bytes, plaintext: Bytes): Bytes;
  /** What was sealed; `undefined` where it was altered, is of another place or under another secret. */
  open(table: string, place: Bytes, sealed: Bytes): Bytes | undefined;
  /** 32 octets by which a row of `table` is found, and which tell nothing of `value` to whoever has not the secret. */
  tag(table: string, value: Bytes): Bytes;
  /**
   * The seal of a row of `table` that is to be erased for good: once nobody has `secret` any more,
   * {@linkcode REST_SECRET_BYTES} random octets, nothing opens what was sealed by it.
   */
  erasable(table: string, secret: Bytes): ErasableSeal;
  /** As {@linkcode erasable}, and of the same octets, for many big pieces under one secret. */
  pieces(table: string, secret: Bytes): Promise<PiecesSeal>;
}

/** Seals and opens what is big. */
export interface PiecesSeal {
  /** `plaintext` sealed for `place`. */
  seal(place: Bytes, plaintext: Bytes): Promise<Bytes>;
  /** What was sealed; `undefined` where it was altered or is of another place or secret. */
  open(place: Bytes, sealed: Bytes): Promise<Bytes | undefined>;
}

/** Seals and opens under a secret of its own. */
export interface ErasableSeal {
  /** `plaintext` sealed for `place`. */
  seal(place: Bytes, plaintext: Bytes): Bytes;
  /** What was sealed; `undefined` where it was altered or is of another place or secret. */
  open(place: Bytes, sealed: Bytes): Bytes | undefined;
}

/** The seal under `secret`, {@linkcode REST_SECRET_BYTES} octets; throws a `RangeError` where it has another length. */
export async function rowSeal(provider: Provider, entropy: Entropy, secret: Bytes): Promise<RowSeal> {
  requireSecret(secret);
  const keyOf = (purpose: string): Promise<Bytes> =>
    derivedKey(provider, secret, concat(LABEL, utf8(purpose)));
  const rows = provider.a256cbcHs512(await keyOf("rows"));
  const tags = provider.hmacSha256Now(await keyOf("tags"));
  const erasable = await keyOf("erasable");
  const keyUnder = (own: Bytes): Bytes => {
    requireSecret(own);
    return provider.sha512Now(concat(u32(1), erasable, own));
  };
  return {
    seal: (table, place, plaintext) => rows.seal(entropy(AES_BLOCK_BYTES), plaintext, placeIn(table, place)),
    open: (table, place, sealed) => rows.open(sealed, placeIn(table, place)),
    tag: (table, value) => {
      const tag = new Uint8Array(TAG_BYTES);
      tags.tag(tag, placeIn(table, value));
      return tag;
    },
    erasable: (table, own) => {
      const cipher = provider.a256cbcHs512(keyUnder(own));
      return {
        seal: (place, plaintext) => cipher.seal(entropy(AES_BLOCK_BYTES), plaintext, placeIn(table, place)),
        open: (place, sealed) => cipher.open(sealed, placeIn(table, place)),
      };
    },
    pieces: async (table, own) => {
      const pieces = await PieceSeal.of(provider, entropy, keyUnder(own));
      return {
        seal: (place, plaintext) => pieces.seal(placeIn(table, place), plaintext),
        open: (place, sealed) => pieces.open(placeIn(table, place), sealed),
      };
    },
  };
}

function placeIn(table: string, place: Bytes): Bytes {
  return concat(lengthPrefixed(utf8(table)), place);
}

function requireSecret(secret: Bytes): void {
  if (secret.length !== REST_SECRET_BYTES) {
    throw new RangeError(`Cannot seal under ${secret.length} octets: a secret has ${REST_SECRET_BYTES}`);
  }
}
