/**
 * Declares what `crypto.subtle` can do from Deno 2.9 on and the runtime's own types leave out, 2.9.6's too:
 * ML-KEM as in the draft "Modern Algorithms in the Web Cryptography API". Whether it is there is for
 * {@linkcode runtimeHasMlKem} of ml_kem_choice.ts to say; 2.6.10 has none of it.
 *
 * @module
 */

/** What `encapsulateBits` gives. */
export interface EncapsulatedBits {
  /** To be sent to the key's owner. */
  readonly ciphertext: ArrayBuffer;
  /** Known to both from then on. */
  readonly sharedKey: ArrayBuffer;
}

/** The one parameter set that we use. */
export type MlKemName = "ML-KEM-768";

/** What a key of ML-KEM may be used for. */
export type MlKemUsage = "encapsulateBits" | "decapsulateBits";

declare global {
  interface SubtleCrypto {
    /** A private key from its seed d | z, or a public key from its encapsulation key. */
    importKey(
      format: "raw-seed" | "raw-public",
      keyData: BufferSource,
      algorithm: MlKemName,
      extractable: boolean,
      keyUsages: readonly MlKemUsage[],
    ): Promise<CryptoKey>;
    /** The encapsulation key of a public key. */
    exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
    /** The public half of a private key. */
    getPublicKey(key: CryptoKey, keyUsages: readonly MlKemUsage[]): Promise<CryptoKey>;
    /** A fresh secret for the owner of a public key, by the runtime's own randomness. */
    encapsulateBits(algorithm: MlKemName, encapsulationKey: CryptoKey): Promise<EncapsulatedBits>;
    /** The secret in a ciphertext. */
    decapsulateBits(
      algorithm: MlKemName,
      decapsulationKey: CryptoKey,
      ciphertext: BufferSource,
    ): Promise<ArrayBuffer>;
  }
}
