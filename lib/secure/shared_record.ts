/**
 * Shared records: what goes to many peers is encrypted once, and each peer's own tag over it says that it is the next
 * thing the server says to that peer (PROTOCOL §5.6). Who knows the room's key can read it; only who knows a direction's
 * secret can say it there.
 *
 * @module
 */

import { AES_BLOCK_BYTES, AES_KEY_BYTES, type Entropy, type Provider } from "../crypto/port.ts";
import { ByteReader, type Bytes, ByteWriter, concat, equal, u8, utf8 } from "../wire/bytes.ts";
import { FRAME_HEADER_BYTES, PADDING_BUCKETS_BYTES, RECORD_BYTES_MAX } from "../wire/limits.ts";
import { decodeInner, encodeInner } from "./inner.ts";
import { packMessages } from "./message_pack.ts";
import { ciphertextBytes } from "./suite.ts";

/** Octets of a room's id and of the id of a key. */
export const ROOM_KEY_ID_BYTES = 16;

/** Octets of the tag: a whole HMAC-SHA-256. */
export const SHARED_TAG_BYTES = 32;

/** Rooms whose keys one end of a channel remembers; an account is in fewer. The oldest is forgotten. */
export const ROOM_KEYS_MAX = 4_096;

/** The first octet of a shared record's body. */
const SHARED_KIND = 1;

/** Octets of what a tag covers before the digest: epoch, sequence, length and kind. */
const TAGGED_HEADER_BYTES = 4 + 8 + 2 + 1;

/** Octets before the initialisation vector: kind, room and key id. */
const HEADER_BYTES = 1 + 2 * ROOM_KEY_ID_BYTES;

const DIGEST_LABEL = concat(utf8("sotto/1 shared"), u8(0));

/** What the entries of a room are encrypted under for a while. */
export interface RoomKey {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** Which of its keys it is, 16 random octets. */
  readonly id: Bytes;
  /** The AES-256 key, 32 random octets. */
  readonly key: Bytes;
}

/** What is encrypted once for many peers. */
export interface SharedRecord {
  /** The key that it is under. */
  readonly key: RoomKey;
  /** `u8 kind | room 16 | key id 16 | IV 16 | ciphertext`: all of the body but the tag. */
  readonly bytes: Bytes;
  /** SHA-512("sotto/1 shared" | 00 | room | key id | IV | ciphertext): what each peer's tag stands for. */
  readonly digest: Bytes;
}

/** Messages of one room on their way to many. */
export interface SharedMessages {
  /** The key that they are under. */
  readonly key: RoomKey;
  /** The messages themselves. */
  readonly messages: readonly Bytes[];
  /** Octets of all of them. */
  readonly octets: number;
  /** The records that carry them, in order. */
  readonly records: readonly SharedRecord[];
}

/** Where a shared record stands among those of one direction. */
export interface RecordPlace {
  /** The direction's epoch. */
  readonly epoch: number;
  /** The record's number in it. */
  readonly sequence: number;
}

/** Encrypts `messages`, as many to a record as fit, under fresh random IVs. */
export function shareMessages(
  key: RoomKey,
  messages: readonly Bytes[],
  { provider, entropy }: {
    readonly provider: Pick<Provider, "aes256CbcNow" | "sha512Now">;
    readonly entropy: Entropy;
  },
): SharedMessages {
  const octets = messages.reduce((sum, message) => sum + message.length, 0);
  const records = packMessages(messages).map((content) => {
    const iv = entropy(AES_BLOCK_BYTES);
    const ciphertext = provider.aes256CbcNow(key.key, iv, encodeInner("message", content));
    const bytes = concat(u8(SHARED_KIND), key.room, key.id, iv, ciphertext);
    return { key, bytes, digest: provider.sha512Now(digested(bytes)) };
  });
  return { key, messages, octets, records };
}

/** Octets of the whole body of a shared record, tag included. */
export function sharedBodyBytes({ bytes }: Pick<SharedRecord, "bytes">): number {
  return bytes.length + SHARED_TAG_BYTES;
}

/** What a peer's tag covers before the digest: `u32 epoch | u64 sequence | u16 length of the body | u8 kind`. */
export function taggedHeader({ epoch, sequence }: RecordPlace, record: Pick<SharedRecord, "bytes">): Bytes {
  return new ByteWriter(TAGGED_HEADER_BYTES).integer(epoch, 4).integer(sequence, 8)
    .integer(sharedBodyBytes(record), 2).integer(SHARED_KIND, 1).bytes;
}

/** One after the other, the frames of shared records, `tag` writing each one's tag over its place among them. */
export function sharedFrames(
  records: readonly SharedRecord[],
  tag: (into: Bytes, record: SharedRecord) => void,
): Bytes {
  let size = 0;
  for (const record of records) size += FRAME_HEADER_BYTES + sharedBodyBytes(record);
  const frames = new ByteWriter(size);
  const into = new Uint8Array(SHARED_TAG_BYTES);
  for (const record of records) {
    tag(into, record);
    frames.integer(sharedBodyBytes(record), FRAME_HEADER_BYTES).put(record.bytes).put(into);
  }
  return frames.bytes;
}

/** A shared record as it came, before anything of it is believed. */
export interface ReceivedShared {
  /** The room that it names. */
  readonly room: Bytes;
  /** The key that it names. */
  readonly keyId: Bytes;
  /** All but the tag. */
  readonly bytes: Bytes;
  /** What the tag stands for. */
  readonly digest: Bytes;
  /** The tag, 32 octets. */
  readonly tag: Bytes;
}

/** Whether a body can be nothing but a shared record: no record of a direction's own has such a length. */
export function isSharedBody(body: Bytes): boolean {
  return body[0] === SHARED_KIND && SHARED_SIZES.has(body.length);
}

const SHARED_SIZES: ReadonlySet<number> = new Set(
  PADDING_BUCKETS_BYTES.map((bucket) =>
    HEADER_BYTES + AES_BLOCK_BYTES + ciphertextBytes("a256cbc-hs512", bucket) + SHARED_TAG_BYTES
  ).filter((size) => size <= RECORD_BYTES_MAX),
);

/** Takes the body of a shared record apart. */
export async function receiveShared(provider: Provider, body: Bytes): Promise<ReceivedShared> {
  const bytes = body.slice(0, -SHARED_TAG_BYTES);
  return {
    room: bytes.slice(1, 1 + ROOM_KEY_ID_BYTES),
    keyId: bytes.slice(1 + ROOM_KEY_ID_BYTES, HEADER_BYTES),
    bytes,
    digest: await provider.sha512(digested(bytes)),
    tag: body.slice(-SHARED_TAG_BYTES),
  };
}

/** What a received record carries, under its room's key; `undefined` where it is nothing that is shared. */
export async function openShared(
  provider: Provider,
  { bytes }: ReceivedShared,
  { key }: RoomKey,
): Promise<Bytes | undefined> {
  const cipher = await provider.aes256Cbc(key);
  const iv = bytes.slice(HEADER_BYTES, HEADER_BYTES + AES_BLOCK_BYTES);
  const plaintext = await cipher.decrypt(iv, bytes.slice(HEADER_BYTES + AES_BLOCK_BYTES));
  const inner = plaintext && decodeInner(plaintext);
  return inner?.kind === "message" ? inner.content : undefined;
}

/** The content of the record that tells a room's key: `room 16 | key id 16 | key 32`. */
export function encodeRoomKey({ room, id, key }: RoomKey): Bytes {
  return concat(room, id, key);
}

/** A room's key from its content; `undefined` where that has another length. */
export function decodeRoomKey(content: Bytes): RoomKey | undefined {
  const reader = new ByteReader(content);
  const key = {
    room: reader.take(ROOM_KEY_ID_BYTES),
    id: reader.take(ROOM_KEY_ID_BYTES),
    key: reader.take(AES_KEY_BYTES),
  };
  return reader.finished ? key : undefined;
}

/** The keys of rooms that one end of a channel was told, the last of each room. */
export class KnownRoomKeys {
  readonly #keys = new Map<string, RoomKey>();

  /** Whether it is the one that is known of its room. */
  has(key: RoomKey): boolean {
    return this.find(key.room, key.id) !== undefined;
  }

  /** The key of a room, where the one known has that id. */
  find(room: Bytes, id: Bytes): RoomKey | undefined {
    const key = this.#keys.get(room.toHex());
    return key !== undefined && equal(key.id, id) ? key : undefined;
  }

  /** It is the room's from now on. */
  put(key: RoomKey): void {
    const name = key.room.toHex();
    this.#keys.delete(name);
    this.#keys.set(name, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > ROOM_KEYS_MAX && oldest !== undefined) this.#keys.delete(oldest);
  }
}

function digested(bytes: Bytes): Bytes {
  return concat(DIGEST_LABEL, bytes.subarray(1));
}
