/**
 * HKDF with SHA-512 in its two halves (RFC 5869), composed of HMAC because WebCrypto's HKDF has no separate
 * Extract and Expand.
 *
 * @module
 */

import { type Provider, SHA512_BYTES } from "../crypto/port.ts";
import { type Bytes, concat, u8 } from "../wire/bytes.ts";

/** Longest output of Expand, in octets (RFC 5869 §2.3). */
export const EXPAND_BYTES_MAX = 255 * SHA512_BYTES;

/**
 * HKDF-Extract: a 64-octet key of `inputKey`. An empty salt is 64 zero octets (RFC 5869 §2.2), which is the
 * same HMAC key and one that WebCrypto imports.
 */
export async function extract(provider: Provider, salt: Bytes, inputKey: Bytes): Promise<Bytes> {
  const mac = await provider.hmacSha512(salt.length === 0 ? new Uint8Array(SHA512_BYTES) : salt);
  return mac.sign(inputKey);
}

/** HKDF-Expand: `length` octets of `secret` for `info`. Throws a `RangeError` beyond {@linkcode EXPAND_BYTES_MAX}. */
export async function expand(
  provider: Provider,
  secret: Bytes,
  info: Bytes,
  length: number,
): Promise<Bytes> {
  if (length > EXPAND_BYTES_MAX) {
    throw new RangeError(`Cannot expand to ${length} octets: HKDF-SHA-512 gives ${EXPAND_BYTES_MAX} at most`);
  }
  const mac = await provider.hmacSha512(secret);
  const blocks: Bytes[] = [];
  let block: Bytes = new Uint8Array(0);
  while (blocks.length * SHA512_BYTES < length) {
    block = await mac.sign(concat(block, info, u8(blocks.length + 1)));
    blocks.push(block);
  }
  return concat(...blocks).slice(0, length);
}
