/**
 * Which Ed25519 public keys are refused, and why it is for us to do so.
 *
 * A signature R | S under the key A verifies where [S]B = R + [k]A with k = SHA-512(R | A | message). Where
 * A is the neutral point, [k]A vanishes: R neutral and S = 0 satisfy this for every message, and whoever
 * sends that key can later "have signed" anything, and so can everybody else. The other points of small
 * order do it for one message in two, four or eight, which trying a few variants of a message finds. RFC 8032
 * §5.1.7 does not forbid such keys; WebCrypto imports all 14 encodings of them and verifies forged
 * signatures under the 8 canonical ones, on Deno 2.6.10 as on 2.9.6.
 *
 * An encoding is y in 255 bits and the sign of x. A y not below p is another spelling of y - p: two strings
 * for one key, where we compare, store and show keys as strings. RFC 8032 §5.1.3 refuses it as well.
 *
 * A y that belongs to no point is not looked for here: under such a key nothing verifies.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { isReduced } from "./field25519.ts";

/**
 * All 14 encodings of the 8 points whose order divides 8, in hexadecimal: those that are not canonical too,
 * by y not below p or by a sign on x = 0, lest the list depend on another check.
 */
export const SMALL_ORDER_ENCODINGS: ReadonlySet<string> = new Set([
  // Order 1: y = 1; the same with a sign; y = p + 1; with a sign.
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  // Order 2: y = p - 1; the same with a sign.
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  // Order 4: y = 0, both signs; y = p, both signs.
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  // Order 8: the two y with d y^4 + 2 y^2 = 1, both signs.
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]);

/**
 * Whether `publicKey` is 32 octets, a canonical y, and not of small order. Not in constant time: keys are
 * public.
 *
 * ```ts
 * import { isAcceptableKey } from "./ed25519_points.ts";
 * const neutral = Uint8Array.fromHex("01".padEnd(64, "0"));
 * console.assert(!isAcceptableKey(neutral));
 * ```
 */
export function isAcceptableKey(publicKey: Bytes): boolean {
  return isReduced(publicKey) && !SMALL_ORDER_ENCODINGS.has(publicKey.toHex());
}
