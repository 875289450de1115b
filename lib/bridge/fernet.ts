/**
 * Fernet tokens, as its specification of 2013 has them: version | time | IV | AES-128-CBC | HMAC-SHA-256, in base64url.
 * They exist here for other programs' sake; nothing of the channel's own is made of them.
 *
 * @module
 */

import type { BlockCipher, Mac, Provider } from "../crypto/port.ts";
import { ByteReader, type Bytes, concat, u64, u8 } from "../wire/bytes.ts";

/** Octets of a Fernet key: signing key | encryption key. */
export const FERNET_KEY_BYTES = 32;

/** How old a token may be: what the specification calls its time to live. */
export const TOKEN_SECONDS_MAX = 60;

/** How far the other end's clock may be ahead (specification, "Max clock skew"). */
export const CLOCK_SKEW_SECONDS_MAX = 60;

/** Octets of a token's IV. */
export const TOKEN_IV_BYTES = 16;

const VERSION = 0x80;
const HALF_KEY_BYTES = 16;
const TAG_BYTES = 32;
const BLOCK_BYTES = 16;
const HEAD_BYTES = 1 + 8 + TOKEN_IV_BYTES;

/** A token that verified. */
export interface OpenedToken {
  /** When it was made, in seconds since 1970, by its maker's clock. */
  readonly seconds: number;
  /** Its IV, 16 octets. */
  readonly iv: Bytes;
  /** Its tag, 32 octets: no two tokens have the same one. */
  readonly tag: Bytes;
  /** What it carries. */
  readonly content: Bytes;
}

/** One Fernet key, ready for use. */
export class Fernet {
  readonly #provider: Provider;
  readonly #mac: Mac;
  readonly #cipher: BlockCipher;

  private constructor(provider: Provider, { mac, cipher }: { mac: Mac; cipher: BlockCipher }) {
    this.#provider = provider;
    this.#mac = mac;
    this.#cipher = cipher;
  }

  /** The key of 32 octets. */
  static async of(provider: Provider, key: Bytes): Promise<Fernet> {
    if (key.length !== FERNET_KEY_BYTES) {
      throw new RangeError(`Cannot use a Fernet key of ${key.length} octets: it has ${FERNET_KEY_BYTES}`);
    }
    return new Fernet(provider, {
      mac: await provider.hmacSha256(key.slice(0, HALF_KEY_BYTES)),
      cipher: await provider.aes128Cbc(key.slice(HALF_KEY_BYTES)),
    });
  }

  /** A token made at `seconds` since 1970; `iv` is 16 octets that nobody could foresee. */
  async seal(content: Bytes, { seconds, iv }: { seconds: number; iv: Bytes }): Promise<string> {
    const body = concat(u8(VERSION), u64(seconds), iv, await this.#cipher.encrypt(iv, content));
    return base64Url(concat(body, await this.#mac.sign(body)));
  }

  /** What a token carries, of whatever age; `undefined` where it is none of this key. */
  async open(token: string): Promise<OpenedToken | undefined> {
    const octets = octetsOf(token);
    if (octets === undefined) return undefined;
    const body = octets.slice(0, -TAG_BYTES);
    const tag = octets.slice(-TAG_BYTES);
    const reader = new ByteReader(body);
    const version = reader.u8();
    const seconds = Number(new DataView(reader.take(8).buffer).getBigUint64(0));
    const iv = reader.take(TOKEN_IV_BYTES);
    const ciphertext = reader.take(reader.remaining);
    if (version !== VERSION || ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) {
      return undefined;
    }
    // Before the padding is looked at: padding must tell an attacker nothing.
    if (!this.#provider.equalInConstantTime(await this.#mac.sign(body), tag)) return undefined;
    const content = await this.#cipher.decrypt(iv, ciphertext);
    return content === undefined ? undefined : { seconds, iv, tag, content };
  }
}

/** Whether a token made at `seconds` is neither too old at `now` nor too far ahead of it; all in seconds since 1970. */
export function isFresh(seconds: number, now: number): boolean {
  return seconds >= now - TOKEN_SECONDS_MAX && seconds <= now + CLOCK_SKEW_SECONDS_MAX;
}

/**
 * The octets of a key in base64url, as every Fernet library writes it, blanks and line ends around it aside; `undefined`
 * where `text` is none.
 */
export function parseFernetKey(text: string): Bytes | undefined {
  const octets = fromBase64Url(text);
  return octets?.length === FERNET_KEY_BYTES ? octets : undefined;
}

function octetsOf(token: string): Bytes | undefined {
  const octets = fromBase64Url(token);
  return octets !== undefined && octets.length >= HEAD_BYTES + BLOCK_BYTES + TAG_BYTES ? octets : undefined;
}

function base64Url(octets: Bytes): string {
  return octets.toBase64({ alphabet: "base64url" });
}

function fromBase64Url(text: string): Bytes | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url", lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
