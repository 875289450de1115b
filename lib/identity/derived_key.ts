/**
 * Keys derived from a secret: HKDF with SHA-512 (RFC 5869) for the one length that is needed here, that of one block.
 *
 * @module
 */

import { type Provider, SHA512_BYTES } from "../crypto/port.ts";
import { type Bytes, concat, u8 } from "../wire/bytes.ts";

/** The 64 octets of HKDF-Expand(HKDF-Extract(0, `secret`), `info`, 64): Expand's first block, T(1). */
export async function derivedKey(provider: Provider, secret: Bytes, info: Bytes): Promise<Bytes> {
  const extractor = await provider.hmacSha512(new Uint8Array(SHA512_BYTES));
  const expander = await provider.hmacSha512(await extractor.sign(secret));
  return expander.sign(concat(info, u8(1)));
}
