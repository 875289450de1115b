/**
 * Entries of a room's log: what their author signs, and the hash that chains them (PROTOCOL §6.24).
 *
 *     header  room id 16 | entry id 16 | L(kind) | L(handle; empty: the host key) | signing key 32
 *               | u64 sequence, and hash 32, of the last entry seen
 *               | u64 sequence, and hash 32, of the entry it is about; zeros: none
 *               | digest: SHA-256(salt 32 | body)
 *     signed  "sotto/1 entry" 00 | header
 *     hash    SHA-256("sotto/1 log" 00 | header | signature 64 | u64 sequence | u64 time | hash 32 of the entry before)
 *
 * The body is behind its digest alone, so that it can be erased and the rest still verifies.
 *
 * @module
 */

import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  type Provider,
  type SigningKey,
  type VerifyingKey,
} from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, ByteWriter, concat, utf8 } from "../wire/bytes.ts";
import type { EntryKind } from "../wire/entry_body.ts";
import {
  type Content,
  type Draft,
  ENTRY_ID_BYTES,
  HASH_BYTES,
  type Logged,
  type Place,
  ROOM_ID_BYTES,
  SALT_BYTES,
} from "../wire/message.ts";

const SIGNED_LABEL = utf8("sotto/1 entry\0");
const HASH_LABEL = utf8("sotto/1 log\0");

/** Octets of a sequence or a time. */
const INTEGER_BYTES = 8;

/** Octets of a header but for its kind and its author: two ids, two lengths, a key, two places and a digest. */
const HEADER_BYTES = ROOM_ID_BYTES + ENTRY_ID_BYTES + 2 + ED25519_KEY_BYTES + 2 * INTEGER_BYTES +
  3 * HASH_BYTES;

/** Before the first entry of a log, and where an entry is about none. */
export const NOWHERE: Place = { sequence: 0, hash: new Uint8Array(HASH_BYTES) };

/** What an author vouches for; the signing key comes with it. */
export interface EntryClaim {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** The entry's id, 16 octets. */
  readonly id: Bytes;
  /** What kind of entry it is. */
  readonly kind: EntryKind;
  /** Whose device it is; `undefined` for the host key. */
  readonly from: Handle | undefined;
  /** The last entry that its author had seen. */
  readonly seen: Place;
  /** The entry that it is about. */
  readonly about: Place | undefined;
  /** SHA-256(salt | body), 32 octets. */
  readonly digest: Bytes;
}

/** The digest of what an entry says. Throws a `RangeError` where the salt has another length than 32. */
export function contentDigest(provider: Pick<Provider, "sha256Now">, { salt, body }: Content): Bytes {
  requireLengths([[salt, SALT_BYTES]]);
  return provider.sha256Now(concat(salt, body));
}

/** The signature of a device, or of the host key, 64 octets. Throws a `RangeError` where a field has a wrong length. */
export async function signEntry(key: SigningKey, claim: EntryClaim): Promise<Bytes> {
  return await key.sign(signedBytes(claim, key.publicKey));
}

/** Whether `signature` is that key's for the claim. Throws as {@linkcode signEntry}. */
export async function verifyEntry(key: VerifyingKey, claim: EntryClaim, signature: Bytes): Promise<boolean> {
  return await key.verify(signedBytes(claim, key.publicKey), signature);
}

/** What the author of an entry in `room` has signed. */
export function claimOf(
  room: Bytes,
  { id, kind, from, seen, about, digest }: Logged,
): EntryClaim {
  return { room, id, kind, from, seen, about, digest };
}

/** What the author of a draft for `room` has signed, `from` being whose connection it came by. */
export function draftClaim(
  provider: Pick<Provider, "sha256Now">,
  { room, from }: { readonly room: Bytes; readonly from: Handle | undefined },
  { id, kind, seen, about, content }: Draft,
): EntryClaim {
  return { room, id, kind, from, seen, about, digest: contentDigest(provider, content) };
}

/** The hash of an entry at its place in the log of `room`, 32 octets. */
export function entryHash(provider: Pick<Provider, "sha256Now">, room: Bytes, entry: Logged): Bytes {
  const { sequence, time, previous, device, signature } = entry;
  requireLengths([[previous, HASH_BYTES], [signature, ED25519_SIGNATURE_BYTES]]);
  const size = HASH_LABEL.length + headerBytes(entry) + signature.length + 2 * INTEGER_BYTES +
    previous.length;
  const writer = new ByteWriter(size).put(HASH_LABEL);
  putHeader(writer, claimOf(room, entry), device);
  writer.put(signature).integer(sequence, INTEGER_BYTES).integer(time, INTEGER_BYTES).put(previous);
  return provider.sha256Now(writer.bytes);
}

/** The place of an entry in the log of `room`. */
export function placeOf(provider: Pick<Provider, "sha256Now">, room: Bytes, entry: Logged): Place {
  return { sequence: entry.sequence, hash: entryHash(provider, room, entry) };
}

function signedBytes(claim: EntryClaim, device: Bytes): Bytes {
  const writer = new ByteWriter(SIGNED_LABEL.length + headerBytes(claim)).put(SIGNED_LABEL);
  putHeader(writer, claim, device);
  return writer.bytes;
}

/** Octets of the header of an entry of that kind and author: handles and kinds are ASCII. */
function headerBytes(
  { kind, from }: { readonly kind: EntryKind; readonly from?: Handle | undefined },
): number {
  return HEADER_BYTES + kind.length + (from?.length ?? 0);
}

function putHeader(
  writer: ByteWriter,
  { room, id, kind, from, seen, about = NOWHERE, digest }: EntryClaim,
  device: Bytes,
): void {
  const author = from ?? "";
  requireLengths([[room, ROOM_ID_BYTES], [id, ENTRY_ID_BYTES], [device, ED25519_KEY_BYTES]]);
  requireLengths([[seen.hash, HASH_BYTES], [about.hash, HASH_BYTES], [digest, HASH_BYTES]]);
  writer.put(room).put(id);
  writer.integer(kind.length, 1).put(utf8(kind)).integer(author.length, 1).put(utf8(author)).put(device);
  writer.integer(seen.sequence, INTEGER_BYTES).put(seen.hash);
  writer.integer(about.sequence, INTEGER_BYTES).put(about.hash).put(digest);
}

/** With a field of a wrong length, two claims could have the same octets. */
function requireLengths(fields: readonly (readonly [Bytes, number])[]): void {
  for (const [field, length] of fields) {
    if (field.length !== length) {
      throw new RangeError(`Cannot sign or hash an entry: a field has ${field.length} octets, not ${length}`);
    }
  }
}
