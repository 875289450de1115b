/**
 * What a provider needs of an ML-KEM-768, and the check of FIPS 203 that both implementations share.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { type Encapsulation, type Entropy, ML_KEM_768_KEY_BYTES, type MlKemPair } from "./port.ts";

/** ML-KEM-768 by the runtime or by a library; both halves are as in the provider of port.ts. */
export interface MlKem {
  /** The pair of a 64-octet seed d | z. Throws a `RangeError` on another length. */
  pair(seed: Bytes): Promise<MlKemPair>;
  /** A fresh secret for the owner of `encapsulationKey`; `undefined` where that key is malformed. */
  encapsulate(encapsulationKey: Bytes, entropy: Entropy): Promise<Encapsulation | undefined>;
}

/** The modulus q (FIPS 203 table 2). */
const MODULUS = 3_329;

/** Octets of a key's coefficients, 12 bits each: 3 polynomials of 256; a 32-octet seed follows them. */
const COEFFICIENTS_BYTES = 1_152;

/**
 * The type check and the modulus check of FIPS 203 §7.2: 1,184 octets, every coefficient below q. Made here
 * and not left to the implementations, which report a failure by errors that could mean anything. Not in
 * constant time: the key is public.
 *
 * ```ts
 * import { isEncapsulationKey } from "./ml_kem.ts";
 * console.assert(!isEncapsulationKey(new Uint8Array(1_184).fill(0xff)));
 * ```
 */
export function isEncapsulationKey(key: Bytes): boolean {
  if (key.length !== ML_KEM_768_KEY_BYTES) return false;
  for (let at = 0; at < COEFFICIENTS_BYTES; at += 3) {
    const [low = 0, middle = 0, high = 0] = key.subarray(at, at + 3);
    const first = low | (middle & 0x0f) << 8;
    const second = middle >> 4 | high << 4;
    if (first >= MODULUS || second >= MODULUS) return false;
  }
  return true;
}
