/**
 * Cryptography for simulated worlds: it protects nothing, costs next to nothing, and settles whenever it is asked, so that a
 * run depends on its seed alone. Records, hashes and MACs are the real ones; key agreement, the KEM and signatures have the
 * right shapes and fit together.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, createHash, createHmac } from "node:crypto";
import {
  AES_128_KEY_BYTES,
  AES_BLOCK_BYTES,
  AES_KEY_BYTES,
  type BlockCipher,
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  type Mac,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_KEY_BYTES,
  ML_KEM_SEED_BYTES,
  type Provider,
  X25519_BYTES,
} from "../../lib/crypto/port.ts";
import { requireLength } from "../../lib/crypto/lengths.ts";
import { hmacSha256Now } from "../../lib/crypto/hmac_noble.ts";
import {
  a256cbcHs512,
  aes256CbcNow,
  runningSha256,
  sha256Now,
  sha512Now,
} from "../../lib/crypto/synchronous.ts";
import { type Bytes, concat, equal, utf8 } from "../../lib/wire/bytes.ts";

/**
 * A provider for one program of a world. `rest` is waited for before a result is given, as others may be served while a
 * real one computes.
 */
export function simulatedProvider(rest: () => Promise<void> | void = () => {}): Provider {
  async function later<Result>(result: Result): Promise<Result> {
    await rest();
    return result;
  }

  function mac(hash: "sha256" | "sha512", key: Bytes): Promise<Mac> {
    if (key.length === 0) throw new RangeError("Cannot use an HMAC key: it is empty");
    return later({
      sign: (data) => later(Uint8Array.from(createHmac(hash, key).update(data).digest())),
    });
  }

  function cipher(name: string, key: Bytes): Promise<BlockCipher> {
    return later({
      encrypt: (iv, plaintext) => {
        requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
        const encryption = createCipheriv(name, key, iv);
        return later(octets(encryption.update(plaintext), encryption.final()));
      },
      decrypt: (iv, ciphertext) => {
        requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
        return later(decrypted(name, { key, iv, ciphertext }));
      },
    });
  }

  return {
    sha256Now,
    sha512Now,
    hmacSha256Now,
    aes256CbcNow,
    runningSha256,
    a256cbcHs512,
    sha256: (data) => later(sha256Now(data)),
    sha512: (data) => later(octets(createHash("sha512").update(data).digest())),
    hmacSha256: (key) => mac("sha256", key),
    hmacSha512: (key) => mac("sha512", key),
    opaque: () => Promise.reject(new Error("simulated people have no passwords")),
    x25519Pair: (seed) => {
      requireLength("an X25519 seed", seed, X25519_BYTES);
      const share = sha256Now(concat(utf8("share"), seed));
      return later({
        share,
        agree: (peerShare) => later(peerShare.length === X25519_BYTES ? joined(share, peerShare) : undefined),
      });
    },
    mlKemPair: (seed) => {
      requireLength("an ML-KEM seed", seed, ML_KEM_SEED_BYTES);
      const encapsulationKey = padded(sha256Now(seed), ML_KEM_768_KEY_BYTES);
      return later({
        encapsulationKey,
        decapsulate: (ciphertext) =>
          later(
            ciphertext.length === ML_KEM_768_CIPHERTEXT_BYTES
              ? sha256Now(concat(encapsulationKey, ciphertext))
              : undefined,
          ),
      });
    },
    mlKemEncapsulate: (encapsulationKey, entropy) => {
      if (encapsulationKey.length !== ML_KEM_768_KEY_BYTES) return later(undefined);
      const ciphertext = padded(entropy(32), ML_KEM_768_CIPHERTEXT_BYTES);
      return later({ ciphertext, sharedSecret: sha256Now(concat(encapsulationKey, ciphertext)) });
    },
    ed25519SigningKey: (seed) => {
      requireLength("an Ed25519 seed", seed, ED25519_KEY_BYTES);
      const publicKey = sha256Now(concat(utf8("public"), seed));
      return later({ publicKey, sign: (data) => later(signature(publicKey, data)) });
    },
    ed25519VerifyingKey: (publicKey) =>
      later(
        publicKey.length !== ED25519_KEY_BYTES ? undefined : {
          publicKey,
          verify: (data, signed) =>
            later(signed.length === ED25519_SIGNATURE_BYTES && equal(signed, signature(publicKey, data))),
        },
      ),
    aes128Cbc: (key) => {
      requireLength("an AES-128 key", key, AES_128_KEY_BYTES);
      return cipher("aes-128-cbc", key);
    },
    aes256Cbc: (key) => {
      requireLength("an AES-256 key", key, AES_KEY_BYTES);
      return cipher("aes-256-cbc", key);
    },
    aes256Ctr: (key) => {
      requireLength("an AES-256 key", key, AES_KEY_BYTES);
      return cipher("aes-256-ctr", key);
    },
    scrypt: (passphrase, salt, _cost, length) => later(padded(sha256Now(concat(passphrase, salt)), length)),
    equalInConstantTime: equal,
  };
}

function decrypted(
  name: string,
  { key, iv, ciphertext }: { readonly key: Bytes; readonly iv: Bytes; readonly ciphertext: Bytes },
): Bytes | undefined {
  const decryption = createDecipheriv(name, key, iv);
  const start = decryption.update(ciphertext);
  try {
    return octets(start, decryption.final());
  } catch {
    return undefined;
  }
}

/** Whoever knows the public key can make it: nobody in these worlds would. */
function signature(publicKey: Bytes, data: Bytes): Bytes {
  return octets(createHash("sha512").update(publicKey).update(data).digest());
}

/** The same from both sides. */
function joined(share: Bytes, peerShare: Bytes): Bytes {
  const [first, second] = share.toHex() < peerShare.toHex() ? [share, peerShare] : [peerShare, share];
  return sha256Now(concat(first, second));
}

/** As many octets as are wanted, which start with `bytes`. */
function padded(bytes: Bytes, length: number): Bytes {
  const long = new Uint8Array(length);
  long.set(bytes.subarray(0, length));
  return long;
}

function octets(...parts: readonly Uint8Array[]): Bytes {
  return concat(...parts.map((part) => Uint8Array.from(part)));
}
