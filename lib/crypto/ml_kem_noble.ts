/**
 * ML-KEM-768 by `@noble/post-quantum`: for runtimes without their own, and for all that must be
 * repeatable, since its randomness is an argument. To be imported lazily, by ml_kem_choice.ts.
 *
 * @module
 */

import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import type { Bytes } from "../wire/bytes.ts";
import { requireLength } from "./lengths.ts";
import { isEncapsulationKey, type MlKem } from "./ml_kem.ts";
import {
  type Encapsulation,
  type Entropy,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_SEED_BYTES,
  type MlKemPair,
} from "./port.ts";

/** Octets of the message m that a ciphertext hides (FIPS 203 §7.2). */
const MESSAGE_BYTES = 32;

/** The library's ML-KEM-768; equal octets of entropy give an equal encapsulation. */
export const nobleMlKem: MlKem = { pair, encapsulate };

// The library is synchronous, the interface is not: async makes a throw a rejection, as WebCrypto's are.
// deno-lint-ignore require-await
async function pair(seed: Bytes): Promise<MlKemPair> {
  requireLength("an ML-KEM seed", seed, ML_KEM_SEED_BYTES);
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  return {
    encapsulationKey: publicKey,
    // deno-lint-ignore require-await
    async decapsulate(ciphertext) {
      if (ciphertext.length !== ML_KEM_768_CIPHERTEXT_BYTES) return undefined;
      return ml_kem768.decapsulate(ciphertext, secretKey);
    },
  };
}

// deno-lint-ignore require-await
async function encapsulate(encapsulationKey: Bytes, entropy: Entropy): Promise<Encapsulation | undefined> {
  if (!isEncapsulationKey(encapsulationKey)) return undefined;
  const message = entropy(MESSAGE_BYTES);
  requireLength("an ML-KEM message", message, MESSAGE_BYTES);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey, message);
  return { ciphertext: cipherText, sharedSecret };
}
