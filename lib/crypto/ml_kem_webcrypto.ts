/**
 * ML-KEM-768 by the runtime's WebCrypto, where it has one (Deno 2.9). It draws its randomness itself.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { requireLength } from "./lengths.ts";
import { isEncapsulationKey, type MlKem } from "./ml_kem.ts";
import {
  type Encapsulation,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_SEED_BYTES,
  type MlKemPair,
} from "./port.ts";
import type { MlKemName } from "./subtle_types.ts";

const NAME: MlKemName = "ML-KEM-768";

/** The runtime's ML-KEM-768; every call is rejected with a `TypeError` where the runtime has none. */
export const webCryptoMlKem: MlKem = { pair, encapsulate };

async function pair(seed: Bytes): Promise<MlKemPair> {
  requireLength("an ML-KEM seed", seed, ML_KEM_SEED_BYTES);
  const { subtle } = crypto;
  const privateKey = await subtle.importKey("raw-seed", seed, NAME, false, ["decapsulateBits"]);
  const publicKey = await subtle.getPublicKey(privateKey, ["encapsulateBits"]);
  return {
    encapsulationKey: new Uint8Array(await subtle.exportKey("raw-public", publicKey)),
    async decapsulate(ciphertext) {
      if (ciphertext.length !== ML_KEM_768_CIPHERTEXT_BYTES) return undefined;
      return new Uint8Array(await subtle.decapsulateBits(NAME, privateKey, ciphertext));
    },
  };
}

async function encapsulate(encapsulationKey: Bytes): Promise<Encapsulation | undefined> {
  if (!isEncapsulationKey(encapsulationKey)) return undefined;
  const { subtle } = crypto;
  const key = await subtle.importKey("raw-public", encapsulationKey, NAME, false, ["encapsulateBits"]);
  const { ciphertext, sharedKey } = await subtle.encapsulateBits(NAME, key);
  return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
}
