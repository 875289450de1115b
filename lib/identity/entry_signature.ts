/**
 * Signatures of entries: what a device signs of what its person says (PROTOCOL §6).
 *
 *     "sotto/1 entry" 00 | room id 16 | entry id 16 | L(kind) | L(handle) | device key 32
 *       | u64 last place in the order that was seen | hash of the entry there 32
 *       | hash of the entry it is about 32 | SHA-256(salt 32 | text)
 *
 * Neither hash has anything to name before rooms have a log: both are zeros. The text is behind a salted hash, so that
 * it can be deleted for good one day and the rest still verifies.
 *
 * @module
 */

import type { Provider, SigningKey, VerifyingKey } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, concat, lengthPrefixed, u64, utf8 } from "../wire/bytes.ts";
import { ENTRY_ID_BYTES, SALT_BYTES } from "../wire/message.ts";

/** Octets of a room's id. */
export const ROOM_ID_BYTES = 16;

const LABEL = utf8("sotto/1 entry\0");
const LOBBY_LABEL = utf8("sotto/1 lobby\0");
/** The one kind of entry there is so far. */
const KIND = lengthPrefixed(utf8("text"));
/** In place of the hash of an entry. */
const NO_ENTRY = new Uint8Array(32);

/** What a device vouches for; its own key comes with it. */
export interface EntryClaim {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** The entry's id, 16 octets. */
  readonly id: Bytes;
  /** Whose device it is. */
  readonly handle: Handle;
  /** The last place in the room's order that its sender had seen; 0 before the first. */
  readonly seen: number;
  /** 32 octets that hide a text that could be guessed. */
  readonly salt: Bytes;
  /** What was said. */
  readonly text: string;
}

/** The device's signature, 64 octets. Throws a `RangeError` where a field of fixed length has another. */
export async function signEntry(provider: Provider, device: SigningKey, claim: EntryClaim): Promise<Bytes> {
  return device.sign(await signedOctets(provider, device.publicKey, claim));
}

/** Whether `signature` is the device's for the entry. Throws as {@linkcode signEntry}. */
export async function verifyEntry(
  provider: Provider,
  device: VerifyingKey,
  claim: EntryClaim,
  signature: Bytes,
): Promise<boolean> {
  return device.verify(await signedOctets(provider, device.publicKey, claim), signature);
}

/** The id of the lobby of the server with that host key: the first 16 octets of SHA-256("sotto/1 lobby" 00 | host key). */
export async function lobbyId(provider: Provider, hostKey: Bytes): Promise<Bytes> {
  return (await provider.sha256(concat(LOBBY_LABEL, hostKey))).slice(0, ROOM_ID_BYTES);
}

/** Refuses ids of a wrong length by a `RangeError`: with them, two claims could have the same octets. */
export function requireIds(room: Bytes, id: Bytes): void {
  if (room.length !== ROOM_ID_BYTES || id.length !== ENTRY_ID_BYTES) {
    throw new RangeError(
      `Cannot sign for a room: the ids have ${room.length} and ${id.length} octets, not 16`,
    );
  }
}

async function signedOctets(
  provider: Provider,
  device: Bytes,
  { room, id, handle, seen, salt, text }: EntryClaim,
): Promise<Bytes> {
  requireIds(room, id);
  if (salt.length !== SALT_BYTES) {
    throw new RangeError(`Cannot sign an entry: its salt has ${salt.length} octets, not ${SALT_BYTES}`);
  }
  const body = await provider.sha256(concat(salt, utf8(text)));
  return concat(
    LABEL,
    room,
    id,
    KIND,
    lengthPrefixed(utf8(handle)),
    device,
    u64(seen),
    NO_ENTRY,
    NO_ENTRY,
    body,
  );
}
