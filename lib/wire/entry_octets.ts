/**
 * An entry of a log as octets: CBOR's deterministic encoding of PROTOCOL §6, in which it is stored and told. It is made
 * once for each: what is stored is told right after.
 *
 * @module
 */

import { type Bytes, concat } from "./bytes.ts";
import { encodeCbor } from "./cbor.ts";
import { type Logged, ROOM_ID_BYTES } from "./message.ts";

/** A message that tells an entry, with a room and an entry that are easily found in it. */
const SAMPLE = encodeCbor({ type: "entry", room: new Uint8Array(ROOM_ID_BYTES).fill(0xff), entry: 0 });
const ROOM_AT = SAMPLE.indexOf(0xff);
const BEFORE_ROOM = SAMPLE.slice(0, ROOM_AT);
const BEFORE_ENTRY = SAMPLE.slice(ROOM_AT + ROOM_ID_BYTES, -1);

/** Of entries that are in use; no entry is changed once it is there. */
const octetsOf = new WeakMap<Logged, Bytes>();

/** The octets of an entry, without what is absent. */
export function entryOctets(entry: Logged): Bytes {
  const known = octetsOf.get(entry);
  if (known !== undefined) return known;
  const octets = encodeCbor(
    Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)),
  );
  octetsOf.set(entry, octets);
  return octets;
}

/**
 * The octets of the message that tells an entry of a room. Of its keys "entry" comes last in CBOR's order, so that what
 * stands before its value is the same for all entries of a room.
 */
export function encodeEntryMessage(room: Bytes, entry: Logged): Bytes {
  return concat(BEFORE_ROOM, room, BEFORE_ENTRY, entryOctets(entry));
}
