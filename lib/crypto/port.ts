/**
 * What the protocol needs of cryptography, as interfaces only. The implementation on WebCrypto is chosen by
 * the two composition roots; everything else sees these types. All octet lengths are checked by the
 * implementation: a wrong length from a peer gives `undefined`, from ourselves a throw.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

/** Gives `length` fresh random octets; the only source of randomness that a core sees. */
export type Entropy = (length: number) => Bytes;

/** Octets of an X25519 share, private seed and shared secret (RFC 7748 §6.1). */
export const X25519_BYTES = 32;
/** Octets of an Ed25519 public key and of its seed (RFC 8032 §5.1.5). */
export const ED25519_KEY_BYTES = 32;
/** Octets of an Ed25519 signature (RFC 8032 §5.1.6). */
export const ED25519_SIGNATURE_BYTES = 64;
/** Octets of the seed d | z of an ML-KEM key pair (FIPS 203 §7.1). */
export const ML_KEM_SEED_BYTES = 64;
/** Octets of an ML-KEM-768 encapsulation key (FIPS 203 table 3). */
export const ML_KEM_768_KEY_BYTES = 1184;
/** Octets of an ML-KEM-768 ciphertext (FIPS 203 table 3). */
export const ML_KEM_768_CIPHERTEXT_BYTES = 1088;
/** Octets of an ML-KEM shared secret (FIPS 203 table 3). */
export const ML_KEM_SECRET_BYTES = 32;
/** Octets of SHA-512 and of untruncated HMAC-SHA-512. */
export const SHA512_BYTES = 64;
/** Octets of an AES-256 key. */
export const AES_KEY_BYTES = 32;
/** Octets of an AES-128 key. */
export const AES_128_KEY_BYTES = 16;
/** Octets of an AES block, a CBC initialisation vector and a CTR initial counter block. */
export const AES_BLOCK_BYTES = 16;

/** An ephemeral X25519 key pair. */
export interface X25519Pair {
  /** The public share, 32 octets. */
  readonly share: Bytes;
  /**
   * The shared secret with the peer's share: 32 octets, or `undefined` where the share is malformed,
   * not canonical or of small order, that is, where the secret would be all zeros (RFC 7748 §6.1).
   */
  agree(peerShare: Bytes): Promise<Bytes | undefined>;
}

/** An ephemeral ML-KEM-768 key pair (FIPS 203). */
export interface MlKemPair {
  /** The public encapsulation key, 1,184 octets. */
  readonly encapsulationKey: Bytes;
  /**
   * The 32-octet secret in `ciphertext`; `undefined` where its length is wrong. An altered ciphertext of
   * the right length gives another secret (implicit rejection), which shows at Finished.
   */
  decapsulate(ciphertext: Bytes): Promise<Bytes | undefined>;
}

/** What encapsulating to a key gives. */
export interface Encapsulation {
  /** To be sent to the key's owner, 1,088 octets. */
  readonly ciphertext: Bytes;
  /** Known to both from then on, 32 octets. */
  readonly sharedSecret: Bytes;
}

/** An Ed25519 signing key. */
export interface SigningKey {
  /** The verifying half, 32 octets. */
  readonly publicKey: Bytes;
  /** A 64-octet signature over `data`. */
  sign(data: Bytes): Promise<Bytes>;
}

/** An Ed25519 public key that passed the checks of {@linkcode Provider.ed25519VerifyingKey}. */
export interface VerifyingKey {
  /** The key as it came, 32 octets. */
  readonly publicKey: Bytes;
  /** Whether `signature` is this key's over `data`; a signature of a wrong length is not. */
  verify(data: Bytes, signature: Bytes): Promise<boolean>;
}

/** HMAC under one key. */
export interface Mac {
  /** The untruncated tag: 64 octets of SHA-512, 32 of SHA-256. */
  sign(data: Bytes): Promise<Bytes>;
}

/** AES in one mode of operation under one key. */
export interface BlockCipher {
  /** CBC pads by PKCS #7 and adds 1 to 16 octets; CTR keeps the length. `iv` is 16 octets. */
  encrypt(iv: Bytes, plaintext: Bytes): Promise<Bytes>;
  /** The plaintext, or `undefined` where the length or the padding is wrong. */
  decrypt(iv: Bytes, ciphertext: Bytes): Promise<Bytes | undefined>;
}

/** scrypt's cost (RFC 7914 §2). */
export interface ScryptCost {
  /** CPU and memory cost N, a power of two. */
  readonly cost: number;
  /** Block size r. */
  readonly blockSize: number;
  /** Parallelisation p. */
  readonly parallelization: number;
}

/** Octets of OPAQUE's messages in our suite, ristretto255 with SHA-512 (RFC 9807 §6 and §7). */
export const OPAQUE_BYTES = {
  /** RegistrationRequest. */
  registrationRequest: 32,
  /** RegistrationResponse. */
  registrationResponse: 64,
  /** RegistrationRecord, what a server stores. */
  registrationRecord: 192,
  /** KE1. */
  ke1: 96,
  /** KE2. */
  ke2: 320,
  /** KE3. */
  ke3: 64,
  /** The session key that both ends have after KE3. */
  sessionKey: 64,
  /** A server's keys and OPRF seed. */
  setup: 128,
} as const;

/** Longest password, as UTF-8 of its NFC form: the most that the OPRF takes (RFC 9497 §1.2). */
export const PASSWORD_BYTES_MAX = 65_535;

/** A client's registration that waits for the server's response. */
export interface OpaqueRegistration {
  /** RegistrationRequest. */
  readonly request: Bytes;
  /** The record to store; `undefined` where the response is malformed. Memory-hard: takes most of a second. */
  finish(response: Bytes): Promise<Bytes | undefined>;
}

/** A client's login that waits for KE2. */
export interface OpaqueClientLogin {
  /** KE1. */
  readonly ke1: Bytes;
  /**
   * KE3 and the session key; `undefined` where the password is wrong, the name unknown or KE2 altered: these look the
   * same. Memory-hard: takes most of a second.
   */
  finish(ke2: Bytes): Promise<{ readonly ke3: Bytes; readonly sessionKey: Bytes } | undefined>;
}

/** A server's login that waits for KE3. */
export interface OpaqueServerLogin {
  /** KE2. */
  readonly ke2: Bytes;
  /** The session key, 64 octets; `undefined` where KE3 is wrong. */
  finish(ke3: Bytes): Promise<Bytes | undefined>;
}

/**
 * OPAQUE-3DH (RFC 9807) with ristretto255, SHA-512 and Argon2id. The library draws its own randomness. `identity` is
 * the account's handle: both the credential identifier and the client identity. A password is taken in its NFC form, as
 * UTF-8, so that it is the same from every keyboard; one over {@linkcode PASSWORD_BYTES_MAX} throws a `RangeError`.
 */
export interface Opaque {
  /** A new server's setup, 128 octets: secret, and as precious as all passwords of its accounts. */
  newSetup(): Promise<Bytes>;
  /** Client: begins a registration with `password`. */
  startRegistration(password: string, identity: string): Promise<OpaqueRegistration>;
  /** Server: RegistrationResponse; `undefined` where the request is malformed. */
  registrationResponse(setup: Bytes, identity: string, request: Bytes): Promise<Bytes | undefined>;
  /**
   * Server: whether a login can be answered from `record`, which is to be asked before a client's record is kept; whose
   * password it is of, nobody can tell.
   */
  isRecord(setup: Bytes, record: Bytes): Promise<boolean>;
  /** Client: begins a login. */
  startLogin(password: string, identity: string): Promise<OpaqueClientLogin>;
  /**
   * Server: answers KE1; `undefined` where it is malformed. Without a `record` the answer looks like one for an
   * account, and no KE3 fits it (RFC 9807 §6.3.2.2).
   */
  answerLogin(
    setup: Bytes,
    identity: string,
    { record, ke1 }: { readonly record: Bytes | undefined; readonly ke1: Bytes },
  ): Promise<OpaqueServerLogin | undefined>;
}

/** A SHA-256 under way. */
export interface RunningHash {
  /** Takes more octets. */
  update(data: Bytes): void;
  /** The hash of all that was taken, 32 octets; nothing may be taken afterwards. */
  digest(): Bytes;
}

/** Octets of a key of {@linkcode AuthenticatedCipher}: the MAC's, then the cipher's (RFC 7518 §5.2.5). */
export const A256CBC_HS512_KEY_BYTES = 64;

/** AEAD_AES_256_CBC_HMAC_SHA_512 (RFC 7518 §5.2.5) under one key, at once: for what is kept on disk. */
export interface AuthenticatedCipher {
  /** `iv | ciphertext | tag 32`, the 16 octets of `iv` being fresh and random. */
  seal(iv: Bytes, plaintext: Bytes, associated: Bytes): Bytes;
  /** The plaintext; `undefined` where `sealed` is not what was sealed under this key with `associated`. */
  open(sealed: Bytes, associated: Bytes): Bytes | undefined;
}

/** A MAC under one key, at once. */
export interface MacNow {
  /** Writes the tag over all parts, one after the other, to the beginning of `into`, which has room for it. */
  tag(into: Bytes, ...parts: readonly Bytes[]): void;
}

/** Every primitive the protocol is composed of. */
export interface Provider {
  /** SHA-256 at once, 32 octets: for hashes that chain, where each waits for the one before. */
  sha256Now(data: Bytes): Bytes;
  /** SHA-512 at once, 64 octets. */
  sha512Now(data: Bytes): Bytes;
  /** HMAC-SHA-256 at once under `key`, 32 octets a tag. Throws a `RangeError` where `key` is empty. */
  hmacSha256Now(key: Bytes): MacNow;
  /**
   * Encrypts with AES-256-CBC and PKCS #7 padding at once, under a 32-octet key and a 16-octet IV. Throws a `RangeError`
   * where one of them has another length.
   */
  aes256CbcNow(key: Bytes, iv: Bytes, plaintext: Bytes): Bytes;
  /** SHA-256 of what comes in pieces. */
  runningSha256(): RunningHash;
  /** Seals and opens what is kept on disk under a 64-octet key. Throws a `RangeError` where it has another length. */
  a256cbcHs512(key: Bytes): AuthenticatedCipher;
  /** SHA-256, 32 octets. */
  sha256(data: Bytes): Promise<Bytes>;
  /** SHA-512, 64 octets. */
  sha512(data: Bytes): Promise<Bytes>;
  /** HMAC-SHA-256 under `key`, 32 octets a tag: for the Fernet bridge alone. Throws where `key` is empty. */
  hmacSha256(key: Bytes): Promise<Mac>;
  /** AES-128-CBC with PKCS #7 padding under a 16-octet key: for the Fernet bridge alone. */
  aes128Cbc(key: Bytes): Promise<BlockCipher>;
  /** OPAQUE; loaded when it is first asked for. */
  opaque(): Promise<Opaque>;
  /** HMAC-SHA-512 under `key`. Throws where `key` is empty, which WebCrypto does not import. */
  hmacSha512(key: Bytes): Promise<Mac>;
  /** The X25519 pair of a 32-octet seed. */
  x25519Pair(seed: Bytes): Promise<X25519Pair>;
  /** The ML-KEM-768 pair of a 64-octet seed d | z. */
  mlKemPair(seed: Bytes): Promise<MlKemPair>;
  /**
   * A fresh secret for the owner of `encapsulationKey`; `undefined` where that key is malformed (length or
   * the modulus check of FIPS 203 §7.2). An implementation whose runtime draws its own randomness leaves
   * `entropy` unused.
   */
  mlKemEncapsulate(encapsulationKey: Bytes, entropy: Entropy): Promise<Encapsulation | undefined>;
  /** The Ed25519 signing key of a 32-octet seed (RFC 8032 §5.1.5). */
  ed25519SigningKey(seed: Bytes): Promise<SigningKey>;
  /**
   * Parses a public key from outside; `undefined` where it is not 32 octets, its y is not below p, or it is of
   * small order: WebCrypto takes all of these. A y of no curve point is taken and verifies nothing.
   */
  ed25519VerifyingKey(publicKey: Bytes): Promise<VerifyingKey | undefined>;
  /** AES-256-CBC with PKCS #7 padding under a 32-octet key. */
  aes256Cbc(key: Bytes): Promise<BlockCipher>;
  /** AES-256-CTR with a 128-bit counter under a 32-octet key. */
  aes256Ctr(key: Bytes): Promise<BlockCipher>;
  /** `length` octets of scrypt (RFC 7914). */
  scrypt(passphrase: Bytes, salt: Bytes, cost: ScryptCost, length: number): Promise<Bytes>;
  /** Whether two octet strings are equal, in time that depends on their lengths alone. */
  equalInConstantTime(a: Bytes, b: Bytes): boolean;
}
