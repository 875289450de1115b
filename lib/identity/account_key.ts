/**
 * An account's identity key: the Ed25519 key that certifies its devices. Its seed is on those devices and nowhere else
 * in the clear.
 *
 * @module
 */

import { ED25519_KEY_BYTES, type Provider } from "../crypto/port.ts";
import { type Bytes, equal } from "../wire/bytes.ts";

/** Whether `seed`, which came from outside, is the seed of the Ed25519 key `publicKey`. */
export async function isSeedOf(provider: Provider, seed: Bytes, publicKey: Bytes): Promise<boolean> {
  if (seed.length !== ED25519_KEY_BYTES) return false;
  return equal((await provider.ed25519SigningKey(seed)).publicKey, publicKey);
}
