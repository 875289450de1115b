/**
 * The provider of every primitive, on the runtime's WebCrypto; scrypt, the comparison in constant time, and what is
 * needed at once (synchronous.ts), which WebCrypto lacks, are node:crypto's.
 *
 * @module
 */

import { scrypt as nodeScrypt, timingSafeEqual } from "node:crypto";
import { type Bytes, concat } from "../wire/bytes.ts";
import { isAcceptableKey } from "./ed25519_points.ts";
import { requireLength } from "./lengths.ts";
import type { MlKem } from "./ml_kem.ts";
import {
  AES_128_KEY_BYTES,
  AES_BLOCK_BYTES,
  AES_KEY_BYTES,
  type BlockCipher,
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  type Mac,
  type Opaque,
  type Provider,
  type ScryptCost,
  type SigningKey,
  type VerifyingKey,
  X25519_BYTES,
  type X25519Pair,
} from "./port.ts";
import { hmacSha256Now } from "./hmac_noble.ts";
import { a256cbcHs512, aes256CbcNow, runningSha256, sha256Now, sha512Now } from "./synchronous.ts";
import { isAllZero, isCanonicalShare } from "./x25519_points.ts";

/** Most memory one scrypt may take: twice the 2^27 octets of N = 2^17, r = 8, the most we ask for. */
const SCRYPT_MEMORY_BYTES_MAX = 2 ** 28;

/** Bits of the counter in a CTR block: the whole block (NIST SP 800-38A appendix B.1). */
const CTR_COUNTER_BITS = 128;

/** What precedes a seed in the PKCS #8 of a private key (RFC 8410 §7); WebCrypto takes no bare seed. */
const PKCS8_PREFIX = {
  X25519: Uint8Array.fromHex("302e020100300506032b656e04220420"),
  Ed25519: Uint8Array.fromHex("302e020100300506032b657004220420"),
} as const;

/**
 * A provider with the given ML-KEM-768.
 *
 * ```ts
 * import { chosenMlKem } from "./ml_kem_choice.ts";
 * import { webCryptoProvider } from "./webcrypto.ts";
 * const provider = webCryptoProvider(await chosenMlKem());
 * console.assert((await provider.sha512(new Uint8Array(0))).length === 64);
 * ```
 */
export function webCryptoProvider(mlKem: MlKem): Provider {
  return {
    sha256Now,
    sha512Now,
    hmacSha256Now,
    aes256CbcNow,
    runningSha256,
    a256cbcHs512,
    sha256: (data) => digest("SHA-256", data),
    sha512: (data) => digest("SHA-512", data),
    hmacSha256: (key) => hmac("SHA-256", key),
    hmacSha512: (key) => hmac("SHA-512", key),
    opaque,
    x25519Pair,
    mlKemPair: (seed) => mlKem.pair(seed),
    mlKemEncapsulate: (encapsulationKey, entropy) => mlKem.encapsulate(encapsulationKey, entropy),
    ed25519SigningKey,
    ed25519VerifyingKey,
    aes128Cbc: (key) => aesCbc(key, AES_128_KEY_BYTES),
    aes256Cbc: (key) => aesCbc(key, AES_KEY_BYTES),
    aes256Ctr,
    scrypt,
    equalInConstantTime,
  };
}

async function digest(name: "SHA-256" | "SHA-512", data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(name, data));
}

async function hmac(hash: "SHA-256" | "SHA-512", key: Bytes): Promise<Mac> {
  if (key.length === 0) throw new RangeError("Cannot use an HMAC key: it is empty");
  const { subtle } = crypto;
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash }, false, ["sign"]);
  return { sign: async (data) => new Uint8Array(await subtle.sign("HMAC", imported, data)) };
}

/** Loaded by whoever logs in with a password, not by every program: it is half a megabyte of WebAssembly. */
async function opaque(): Promise<Opaque> {
  const { wasmOpaque } = await import("./opaque_wasm.ts");
  return wasmOpaque;
}

async function x25519Pair(seed: Bytes): Promise<X25519Pair> {
  requireLength("an X25519 seed", seed, X25519_BYTES);
  const { subtle } = crypto;
  const { privateKey, publicHalf } = await importSeed("X25519", seed);
  return {
    share: publicHalf,
    async agree(peerShare) {
      if (!isCanonicalShare(peerShare)) return undefined;
      const publicKey = await subtle.importKey("raw", peerShare, "X25519", false, []);
      const algorithm = { name: "X25519", public: publicKey };
      const secret = await unlessRefused(subtle.deriveBits(algorithm, privateKey, 8 * X25519_BYTES));
      // WebCrypto refuses to derive zero too; so grave a check does not hang on the runtime alone.
      return secret === undefined || isAllZero(secret) ? undefined : secret;
    },
  };
}

async function ed25519SigningKey(seed: Bytes): Promise<SigningKey> {
  requireLength("an Ed25519 seed", seed, ED25519_KEY_BYTES);
  const { privateKey, publicHalf } = await importSeed("Ed25519", seed);
  return {
    publicKey: publicHalf,
    sign: async (data) => new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, data)),
  };
}

async function ed25519VerifyingKey(publicKey: Bytes): Promise<VerifyingKey | undefined> {
  if (!isAcceptableKey(publicKey)) return undefined;
  const { subtle } = crypto;
  const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return {
    publicKey,
    async verify(data, signature) {
      if (signature.length !== ED25519_SIGNATURE_BYTES) return false;
      return await subtle.verify("Ed25519", key, signature, data);
    },
  };
}

/** A private key of its seed, with its public half: WebCrypto tells that in a JWK alone (RFC 8037 §2). */
async function importSeed(
  curve: "X25519" | "Ed25519",
  seed: Bytes,
): Promise<{ readonly privateKey: CryptoKey; readonly publicHalf: Bytes }> {
  const usage = curve === "X25519" ? "deriveBits" : "sign";
  const pkcs8 = concat(PKCS8_PREFIX[curve], seed);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, curve, true, [usage]);
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  if (x === undefined) throw new TypeError(`Cannot make a key of ${curve}: the runtime tells no public half`);
  return { privateKey, publicHalf: Uint8Array.fromBase64(x, { alphabet: "base64url" }) };
}

async function aesCbc(key: Bytes, length: number): Promise<BlockCipher> {
  const imported = await importAesKey("AES-CBC", key, length);
  return blockCipher(imported, (iv) => ({ name: "AES-CBC", iv }));
}

async function aes256Ctr(key: Bytes): Promise<BlockCipher> {
  const imported = await importAesKey("AES-CTR", key, AES_KEY_BYTES);
  return blockCipher(imported, (iv) => ({ name: "AES-CTR", counter: iv, length: CTR_COUNTER_BITS }));
}

async function importAesKey(name: "AES-CBC" | "AES-CTR", key: Bytes, length: number): Promise<CryptoKey> {
  // WebCrypto would take the length of another AES too.
  requireLength(`an AES-${8 * length} key`, key, length);
  return await crypto.subtle.importKey("raw", key, name, false, ["encrypt", "decrypt"]);
}

function blockCipher(key: CryptoKey, modeOf: (iv: Bytes) => AesCbcParams | AesCtrParams): BlockCipher {
  return {
    async encrypt(iv, plaintext) {
      requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
      return new Uint8Array(await crypto.subtle.encrypt(modeOf(iv), key, plaintext));
    },
    async decrypt(iv, ciphertext) {
      requireLength("an initialisation vector", iv, AES_BLOCK_BYTES);
      return await unlessRefused(crypto.subtle.decrypt(modeOf(iv), key, ciphertext));
    },
  };
}

/** The outcome, or `undefined` where WebCrypto refuses the peer's octets, by an `OperationError`. */
async function unlessRefused(outcome: Promise<ArrayBuffer>): Promise<Bytes | undefined> {
  try {
    return new Uint8Array(await outcome);
  } catch (error) {
    if (error instanceof DOMException && error.name === "OperationError") return undefined;
    throw error;
  }
}

function scrypt(passphrase: Bytes, salt: Bytes, cost: ScryptCost, length: number): Promise<Bytes> {
  const options = {
    N: cost.cost,
    r: cost.blockSize,
    p: cost.parallelization,
    maxmem: SCRYPT_MEMORY_BYTES_MAX,
  };
  return new Promise((resolve, reject) => {
    nodeScrypt(passphrase, salt, length, options, (error, derived) => {
      if (error === null) resolve(new Uint8Array(derived));
      else reject(error);
    });
  });
}

function equalInConstantTime(a: Bytes, b: Bytes): boolean {
  // node:crypto throws on two lengths; lengths are no secret (port.ts).
  return a.length === b.length && timingSafeEqual(a, b);
}
