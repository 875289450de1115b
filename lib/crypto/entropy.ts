/**
 * The operating system's randomness.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import type { Entropy } from "./port.ts";

/** Most octets one `getRandomValues` gives; it throws beyond (Web Cryptography API §10.1.1). */
const GET_RANDOM_VALUES_BYTES_MAX = 65_536;

/**
 * `length` octets of the operating system's generator. Throws a `RangeError` where `length` is negative or
 * no array can be so long.
 *
 * ```ts
 * import { systemEntropy } from "./entropy.ts";
 * console.assert(systemEntropy(16).length === 16);
 * ```
 */
export const systemEntropy: Entropy = (length: number): Bytes => {
  const octets = new Uint8Array(length);
  for (let from = 0; from < length; from += GET_RANDOM_VALUES_BYTES_MAX) {
    crypto.getRandomValues(octets.subarray(from, from + GET_RANDOM_VALUES_BYTES_MAX));
  }
  return octets;
};
