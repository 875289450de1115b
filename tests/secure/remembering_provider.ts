/**
 * A provider that remembers what it computed for one honest session, so that the session can be repeated up to
 * any frame thousands of times. What was altered is new to it, and is computed by the real provider.
 *
 * @module
 */

import type {
  BlockCipher,
  Encapsulation,
  Mac,
  MlKemPair,
  Provider,
  SigningKey,
  VerifyingKey,
  X25519Pair,
} from "../../lib/crypto/port.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";

/** A provider that learns until it is told to stop. */
export interface Remembering {
  /** Answers as the real one does; every primitive is a function of its arguments and of the entropy it draws. */
  readonly provider: Provider;
  /** From here on nothing new is kept. */
  stopLearning(): void;
}

/** Remembers the answers of `real`, whose ML-KEM must take its randomness from the entropy it is given. */
export function remembering(real: Provider): Remembering {
  let learning = true;

  function table<Value>(): (key: string, work: () => Promise<Value>) => Promise<Value> {
    const known = new Map<string, Promise<Value>>();
    return (key, work) => {
      const found = known.get(key);
      if (found !== undefined) return found;
      const fresh = work();
      if (learning) known.set(key, fresh);
      return fresh;
    };
  }

  async function mac(key: Bytes): Promise<Mac> {
    const made = await real.hmacSha512(key);
    const tags = table<Bytes>();
    return { sign: (data) => tags(data.toHex(), () => made.sign(data)) };
  }

  async function agreeing(seed: Bytes): Promise<X25519Pair> {
    const pair = await real.x25519Pair(seed);
    const secrets = table<Bytes | undefined>();
    return { share: pair.share, agree: (share) => secrets(share.toHex(), () => pair.agree(share)) };
  }

  async function decapsulating(seed: Bytes): Promise<MlKemPair> {
    const { encapsulationKey, decapsulate } = await real.mlKemPair(seed);
    const secrets = table<Bytes | undefined>();
    return {
      encapsulationKey,
      decapsulate: (ciphertext) => secrets(ciphertext.toHex(), () => decapsulate(ciphertext)),
    };
  }

  async function signing(seed: Bytes): Promise<SigningKey> {
    const key = await real.ed25519SigningKey(seed);
    const signatures = table<Bytes>();
    return { publicKey: key.publicKey, sign: (data) => signatures(data.toHex(), () => key.sign(data)) };
  }

  async function verifying(publicKey: Bytes): Promise<VerifyingKey | undefined> {
    const key = await real.ed25519VerifyingKey(publicKey);
    const verdicts = table<boolean>();
    return key && {
      publicKey,
      verify: (data, signature) =>
        verdicts(data.toHex() + signature.toHex(), () => key.verify(data, signature)),
    };
  }

  async function block(make: Promise<BlockCipher>): Promise<BlockCipher> {
    const cipher = await make;
    const [sealed, opened] = [table<Bytes>(), table<Bytes | undefined>()];
    return {
      encrypt: (iv, plaintext) => sealed(iv.toHex() + plaintext.toHex(), () => cipher.encrypt(iv, plaintext)),
      decrypt: (iv, text) => opened(iv.toHex() + text.toHex(), () => cipher.decrypt(iv, text)),
    };
  }

  const hashes = table<Bytes>();
  const macs = table<Mac>();
  const x25519Pairs = table<X25519Pair>();
  const mlKemPairs = table<MlKemPair>();
  const signingKeys = table<SigningKey>();
  const verifyingKeys = table<VerifyingKey | undefined>();
  const cbc = table<BlockCipher>();
  const ctr = table<BlockCipher>();
  const encapsulations = table<Encapsulation | undefined>();

  return {
    stopLearning: () => {
      learning = false;
    },
    provider: {
      ...real,
      sha512: (data) => hashes(data.toHex(), () => real.sha512(data)),
      hmacSha512: (key) => macs(key.toHex(), () => mac(key)),
      x25519Pair: (seed) => x25519Pairs(seed.toHex(), () => agreeing(seed)),
      mlKemPair: (seed) => mlKemPairs(seed.toHex(), () => decapsulating(seed)),
      mlKemEncapsulate: (key, entropy) => {
        const message = entropy(32);
        return encapsulations(key.toHex() + message.toHex(), () => real.mlKemEncapsulate(key, () => message));
      },
      ed25519SigningKey: (seed) => signingKeys(seed.toHex(), () => signing(seed)),
      ed25519VerifyingKey: (key) => verifyingKeys(key.toHex(), () => verifying(key)),
      aes256Cbc: (key) => cbc(key.toHex(), () => block(real.aes256Cbc(key))),
      aes256Ctr: (key) => ctr(key.toHex(), () => block(real.aes256Ctr(key))),
    },
  };
}
