/**
 * What of an X25519 exchange is refused beside wrong lengths.
 *
 * A share has one accepted form, the reduced one with a clear top bit. RFC 7748 §5 has implementations
 * reduce the others, so a man in the middle could swap one form for another without changing the secret;
 * honest implementations never send them. A share of small order gives the secret zero whatever
 * the other key is: the peer, or whoever sits between, would choose the keys alone (RFC 7748 §6.1).
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { FIELD_BYTES, isReduced } from "./field25519.ts";

/** Whether `share` is 32 octets, below p, with its top bit clear. Shares of small order may be. */
export function isCanonicalShare(share: Bytes): boolean {
  return isReduced(share) && ((share[FIELD_BYTES - 1] ?? 0) & 0x80) === 0;
}

/**
 * Whether every octet is zero, in time that depends on the length alone, since it looks at a secret.
 *
 * ```ts
 * import { isAllZero } from "./x25519_points.ts";
 * console.assert(isAllZero(new Uint8Array(32)));
 * ```
 */
export function isAllZero(secret: Bytes): boolean {
  return secret.reduce((seen, octet) => seen | octet, 0) === 0;
}
