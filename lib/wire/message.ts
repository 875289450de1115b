/**
 * The application messages, each a CBOR map with a `type` (PROTOCOL §6): the schema of each, and one encoder and
 * decoder for each way.
 *
 * @module
 */

import * as v from "valibot";
import { HandleSchema } from "../text/handle.ts";
import { type Bytes, utf8 } from "./bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { MESSAGE_BYTES_MAX, PRESENCE_NAMES_MAX, TEXT_BYTES_MAX } from "./limits.ts";

/** Octets of an entry's id, a UUIDv7 made by its sender. */
export const ENTRY_ID_BYTES = 16;

/** The one room there is from the start. */
export const LOBBY = "#lobby";

/** Why the server did not do what a message asked; the connection goes on. */
export const FAULT_CODES = ["nameTaken", "alreadyJoined", "notJoined", "noSuchRoom"] as const;

/** One of {@linkcode FAULT_CODES}. */
export type FaultCode = typeof FAULT_CODES[number];

/** Characters of a room's name, its # included: as long as a handle. */
export const ROOM_NAME_CHARS_MAX = 33;

/** A room's name: # and lower-case letters, digits, - and _, the first a letter or digit. */
export const RoomNameSchema = v.pipe(
  v.string(),
  v.maxLength(ROOM_NAME_CHARS_MAX),
  v.regex(/^#[a-z0-9][a-z0-9_-]*$/),
);
const IdSchema = v.pipe(
  v.instance(Uint8Array),
  v.length(ENTRY_ID_BYTES),
  v.transform((bytes): Bytes => new Uint8Array(bytes)),
);
const TextSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((text) => utf8(text).length <= TEXT_BYTES_MAX),
);
const SequenceSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** Milliseconds since 1970-01-01T00:00Z, by the server's clock. */
const TimeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Asks to be let into a room under a name. */
const JoinSchema = v.strictObject({ type: v.literal("join"), room: RoomNameSchema, name: HandleSchema });

/** Says something in a room. */
const SendSchema = v.strictObject({
  type: v.literal("send"),
  room: RoomNameSchema,
  id: IdSchema,
  text: TextSchema,
});

/** What somebody else said, at its place in the room's order. */
const EntrySchema = v.strictObject({
  type: v.literal("entry"),
  room: RoomNameSchema,
  sequence: SequenceSchema,
  id: IdSchema,
  from: HandleSchema,
  time: TimeSchema,
  text: TextSchema,
});

/** One's own message has its place in the room's order. */
const AcknowledgementSchema = v.strictObject({
  type: v.literal("ack"),
  room: RoomNameSchema,
  id: IdSchema,
  sequence: SequenceSchema,
  time: TimeSchema,
});

/** Who is in a room, or comes to it, or leaves it. */
const PresenceSchema = v.strictObject({
  type: v.literal("presence"),
  room: RoomNameSchema,
  change: v.picklist(["here", "joined", "left"]),
  names: v.pipe(v.array(HandleSchema), v.minLength(1), v.maxLength(PRESENCE_NAMES_MAX)),
  time: TimeSchema,
});

/** Something asked for was not done; `about` is the id of the entry it concerns. */
const FaultSchema = v.strictObject({
  type: v.literal("fault"),
  code: v.picklist(FAULT_CODES),
  about: v.optional(IdSchema),
});

const ClientMessageSchema = v.variant("type", [JoinSchema, SendSchema]);
const ServerMessageSchema = v.variant("type", [
  EntrySchema,
  AcknowledgementSchema,
  PresenceSchema,
  FaultSchema,
]);

/** See `join` of PROTOCOL §6. */
export type Join = v.InferOutput<typeof JoinSchema>;
/** See `send` of PROTOCOL §6. */
export type Send = v.InferOutput<typeof SendSchema>;
/** See `entry` of PROTOCOL §6. */
export type Entry = v.InferOutput<typeof EntrySchema>;
/** See `ack` of PROTOCOL §6. */
export type Acknowledgement = v.InferOutput<typeof AcknowledgementSchema>;
/** See `presence` of PROTOCOL §6. */
export type Presence = v.InferOutput<typeof PresenceSchema>;
/** See `fault` of PROTOCOL §6. */
export type Fault = v.InferOutput<typeof FaultSchema>;

/** What a client sends. */
export type ClientMessage = v.InferOutput<typeof ClientMessageSchema>;
/** What a server sends. */
export type ServerMessage = v.InferOutput<typeof ServerMessageSchema>;

/** A message ready to be sealed. Throws a `RangeError` where it is longer than {@linkcode MESSAGE_BYTES_MAX}. */
export function encodeMessage(message: ClientMessage | ServerMessage): Bytes {
  const bytes = encodeCbor(message);
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw new RangeError(
      `Cannot encode a ${message.type}: ${bytes.length} octets are over ${MESSAGE_BYTES_MAX}`,
    );
  }
  return bytes;
}

/** A client's message, or `undefined` where `bytes` are none. */
export function decodeClientMessage(bytes: Bytes): ClientMessage | undefined {
  const parsed = v.safeParse(ClientMessageSchema, decodeCbor(bytes));
  return parsed.success ? parsed.output : undefined;
}

/** A server's message, or `undefined` where `bytes` are none. */
export function decodeServerMessage(bytes: Bytes): ServerMessage | undefined {
  const parsed = v.safeParse(ServerMessageSchema, decodeCbor(bytes));
  return parsed.success ? parsed.output : undefined;
}
