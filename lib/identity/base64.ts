/**
 * Base64 of a known length, as keys and fingerprints are written (RFC 4648 §4).
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

/**
 * The octets of `text`, padded or not, or `undefined` where it is not the base64 of exactly `length` of them.
 * Nothing is skipped, and bits beyond the last octet must be zero: a value has one spelling.
 *
 * ```ts
 * import { deepEqual, equal } from "node:assert/strict";
 * import { base64Octets } from "./base64.ts";
 * deepEqual(base64Octets("AQ==", 1), Uint8Array.of(1));
 * equal(base64Octets("AR==", 1), undefined);
 * ```
 */
export function base64Octets(text: string, length: number): Bytes | undefined {
  const bare = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length !== Math.ceil(length * 4 / 3)) return undefined;
  const octets = Uint8Array.fromBase64(bare);
  const whole = octets.toBase64();
  return text === whole || text === whole.replace(/=+$/, "") ? octets : undefined;
}
