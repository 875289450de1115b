/**
 * HMAC at once, from whole hashes (RFC 2104 §2): node:crypto's own is a stream, and making one for every tag costs three
 * times what the tag does.
 *
 * @module
 */

import { hash } from "node:crypto";
import { type Bytes, concat } from "../wire/bytes.ts";

/** Octets of a block of the hash functions (FIPS 180-4 §1): a longer key is hashed first. */
const BLOCK_BYTES = { sha256: 64, sha512: 128 } as const;

/** HMAC's two masks (RFC 2104 §2). */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** The tag over all parts, one after the other. */
export type HmacNow = (...parts: readonly Bytes[]) => Bytes;

/** HMAC under `key`; throws a `RangeError` where that is empty, as WebCrypto does. */
export function hmacNow(name: "sha256" | "sha512", key: Bytes): HmacNow {
  const [inner, outer] = hmacBlocks(name, key);
  return (...parts) => hashNow(name, concat(outer, hashNow(name, concat(inner, ...parts))));
}

/** What the inner and the outer hash begin with: a block each. */
function hmacBlocks(name: "sha256" | "sha512", key: Bytes): readonly [inner: Bytes, outer: Bytes] {
  if (key.length === 0) throw new RangeError("Cannot use an HMAC key: it is empty");
  const size = BLOCK_BYTES[name];
  const short = key.length > size ? hashNow(name, key) : key;
  return [masked(short, size, INNER_PAD), masked(short, size, OUTER_PAD)];
}

/** A loop: `map` calls a function for each octet, which takes longer than the hash. */
function masked(key: Bytes, size: number, pad: number): Bytes {
  const block = new Uint8Array(size).fill(pad);
  for (let at = 0; at < key.length; at++) block[at] = (key[at] ?? 0) ^ pad;
  return block;
}

/** The hash of `data`. As text, since this runtime makes octets of a hash by way of a stream's buffer, which is slower. */
export function hashNow(name: "sha256" | "sha512", data: Bytes): Bytes {
  return Uint8Array.fromHex(hash(name, data));
}
