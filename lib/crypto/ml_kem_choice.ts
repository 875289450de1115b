/**
 * Which ML-KEM-768 a program runs on: the runtime's where it works, else the library's, which then alone is
 * loaded.
 *
 * @module
 */

import type { MlKem } from "./ml_kem.ts";
import { webCryptoMlKem } from "./ml_kem_webcrypto.ts";
import { ML_KEM_768_CIPHERTEXT_BYTES, ML_KEM_SEED_BYTES } from "./port.ts";

/**
 * The ML-KEM-768 of this runtime, for a composition root to ask for once.
 *
 * ```ts
 * import { chosenMlKem } from "./ml_kem_choice.ts";
 * const pair = await (await chosenMlKem()).pair(new Uint8Array(64));
 * console.assert(pair.encapsulationKey.length === 1_184);
 * ```
 */
export async function chosenMlKem(): Promise<MlKem> {
  if (await runtimeHasMlKem()) return webCryptoMlKem;
  const { nobleMlKem } = await import("./ml_kem_noble.ts");
  return nobleMlKem;
}

/**
 * Whether the runtime's WebCrypto has all that ml_kem_webcrypto.ts calls. A pair is made and used, since
 * releases between those we know may have the methods without the algorithm; nothing is encapsulated, since
 * the first time takes about 27 ms, which a client never needs.
 */
export async function runtimeHasMlKem(): Promise<boolean> {
  try {
    const pair = await webCryptoMlKem.pair(new Uint8Array(ML_KEM_SEED_BYTES));
    const secret = await pair.decapsulate(new Uint8Array(ML_KEM_768_CIPHERTEXT_BYTES));
    return secret !== undefined && "encapsulateBits" in crypto.subtle;
  } catch {
    return false;
  }
}
