/**
 * A secret sealed under a key: A256CBC-HS512 (RFC 7518 §5.2), with a fresh initialisation vector in front.
 *
 *     IV 16 | ciphertext | tag 32
 *
 * @module
 */

import { AES_BLOCK_BYTES, AES_KEY_BYTES, type Entropy, type Mac, type Provider } from "../crypto/port.ts";
import { type Bytes, concat, u64 } from "../wire/bytes.ts";

/** Octets of a box's key: MAC key | encryption key (RFC 7518 §5.2.2.1). */
export const BOX_KEY_BYTES = 64;

const MAC_KEY_BYTES = BOX_KEY_BYTES - AES_KEY_BYTES;
/** HMAC-SHA-512 cut to half (RFC 7518 §5.2.5). */
const TAG_BYTES = 32;

/** What goes into a box. */
export interface BoxContent {
  /** {@linkcode BOX_KEY_BYTES} octets that seal nothing else. */
  readonly key: Bytes;
  /** What the box belongs to: it opens for the same octets alone. */
  readonly associated: Bytes;
  /** What nobody without the key shall read. */
  readonly secret: Bytes;
}

/** A closed box, and what opens it. */
export interface ClosedBox {
  /** As it was sealed with. */
  readonly key: Bytes;
  /** As it was sealed with. */
  readonly associated: Bytes;
  /** From outside: of any length. */
  readonly box: Bytes;
}

/** Seals a secret; 49 to 64 octets more than it. Throws a `RangeError` where the key has another length. */
export async function sealBox(
  provider: Provider,
  entropy: Entropy,
  { key, associated, secret }: BoxContent,
): Promise<Bytes> {
  const { mac, encryptionKey } = await split(provider, key);
  const iv = entropy(AES_BLOCK_BYTES);
  const ciphertext = await (await provider.aes256Cbc(encryptionKey)).encrypt(iv, secret);
  return concat(iv, ciphertext, await tagOf(mac, associated, concat(iv, ciphertext)));
}

/** The secret; `undefined` where key or associated data are others, or the box was altered. */
export async function openBox(
  provider: Provider,
  { key, associated, box }: ClosedBox,
): Promise<Bytes | undefined> {
  if (box.length < AES_BLOCK_BYTES + TAG_BYTES) return undefined;
  const { mac, encryptionKey } = await split(provider, key);
  const tagged = box.slice(0, -TAG_BYTES);
  const tag = await tagOf(mac, associated, tagged);
  // Before anything is decrypted: whoever altered the box learns nothing about its padding.
  if (!provider.equalInConstantTime(tag, box.slice(-TAG_BYTES))) return undefined;
  const cipher = await provider.aes256Cbc(encryptionKey);
  return cipher.decrypt(tagged.slice(0, AES_BLOCK_BYTES), tagged.slice(AES_BLOCK_BYTES));
}

async function split(provider: Provider, key: Bytes): Promise<{ mac: Mac; encryptionKey: Bytes }> {
  if (key.length !== BOX_KEY_BYTES) {
    throw new RangeError(`Cannot use a box: its key has ${key.length} octets, not ${BOX_KEY_BYTES}`);
  }
  const mac = await provider.hmacSha512(key.slice(0, MAC_KEY_BYTES));
  return { mac, encryptionKey: key.slice(MAC_KEY_BYTES) };
}

async function tagOf(mac: Mac, associated: Bytes, tagged: Bytes): Promise<Bytes> {
  const bits = u64(8 * associated.length);
  return (await mac.sign(concat(associated, tagged, bits))).slice(0, TAG_BYTES);
}
