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
import {
  CARDS_MAX,
  DEVICE_LIST_BYTES_MAX,
  DISPLAY_NAME_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  PRESENCE_NAMES_MAX,
  TEXT_BYTES_MAX,
} from "./limits.ts";

/** Octets of an entry's id, a UUIDv7 made by its sender. */
export const ENTRY_ID_BYTES = 16;

/** The one room there is from the start. */
export const LOBBY = "#lobby";

/** Octets of an Ed25519 or X25519 public key, as in lib/crypto/port.ts, which this folder does not know. */
const KEY_BYTES = 32;
/** Octets of an Ed25519 signature. */
const SIGNATURE_BYTES = 64;
/** Octets of the random salt that hides a short text from whoever sees its hash only. */
export const SALT_BYTES = 32;
/** Octets of an identity key's seed wrapped under a recovery code (lib/identity/recovery_code.ts). */
export const RECOVERY_BLOB_BYTES = 96;
/** Octets of an identity key's seed sealed for a new device (lib/identity/approval.ts). */
export const SEALED_SEED_BYTES = 96;
/** Octets of the OPAQUE messages that change a password: request, response and record (RFC 9807 §5). */
export const PASSWORD_MESSAGE_BYTES = { request: 32, response: 64, record: 192 } as const;

/** Why the server did not do what a message asked; the connection goes on. */
export const FAULT_CODES = [
  "alreadyJoined",
  "notJoined",
  "noSuchRoom",
  /** The list's signature, form, number or devices do not fit what is stored. */
  "badList",
  /** Another list was published meanwhile: ask for `account` and try again. */
  "staleList",
  /** The account has no recovery blob. */
  "noRecovery",
  /** No such device waits for approval. */
  "noSuchRequest",
] as const;

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
const IdSchema = octets(ENTRY_ID_BYTES);
const KeySchema = octets(KEY_BYTES);
const SignatureSchema = octets(SIGNATURE_BYTES);
const TextSchema = shortText(TEXT_BYTES_MAX);
const NameSchema = shortText(DISPLAY_NAME_BYTES_MAX);
const ListSchema = v.pipe(
  v.instance(Uint8Array),
  v.minLength(1),
  v.maxLength(DEVICE_LIST_BYTES_MAX),
  v.transform((bytes): Bytes => new Uint8Array(bytes)),
);
const SequenceSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** The last place in a room's order that a sender had seen; 0 before the first. */
const SeenSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Milliseconds since 1970-01-01T00:00Z, by the server's clock. */
const TimeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The keys of an account as it published them: a device list with its identity key's signature (PROTOCOL §6). */
const KeysSchema = v.strictObject({ identity: KeySchema, list: ListSchema, signature: SignatureSchema });

/** The keys of an account under its handle. */
const CardSchema = v.strictObject({
  handle: HandleSchema,
  identity: KeySchema,
  list: ListSchema,
  signature: SignatureSchema,
});

/** The first message of every connection that has logged in; shows that the client has the keys in use now. */
const EnterSchema = v.strictObject({ type: v.literal("enter") });

/** Publishes the account's keys: at first, after a change of devices, or a new identity in place of a lost one. */
const PublishSchema = v.strictObject({
  type: v.literal("publish"),
  keys: KeysSchema,
  recovery: v.optional(octets(RECOVERY_BLOB_BYTES)),
});

/** Asks for the identity key wrapped under the recovery code. */
const RecoverSchema = v.strictObject({ type: v.literal("recover") });

/** Asks the account's other devices to approve this one. */
const AskApprovalSchema = v.strictObject({
  type: v.literal("askApproval"),
  device: KeySchema,
  name: NameSchema,
  share: KeySchema,
});

/** An old device approves a new one: the list with it, and the identity key's seed, sealed for it. */
const ApproveSchema = v.strictObject({
  type: v.literal("approve"),
  device: KeySchema,
  keys: KeysSchema,
  share: KeySchema,
  sealed: octets(SEALED_SEED_BYTES),
});

/** Begins a change of password (OPAQUE's registration request). */
const PasswordRequestSchema = v.strictObject({
  type: v.literal("passwordRequest"),
  request: octets(PASSWORD_MESSAGE_BYTES.request),
});

/** Ends it (OPAQUE's registration record). */
const PasswordRecordSchema = v.strictObject({
  type: v.literal("passwordRecord"),
  record: octets(PASSWORD_MESSAGE_BYTES.record),
});

/** Asks to be let into a room. */
const JoinSchema = v.strictObject({ type: v.literal("join"), room: RoomNameSchema });

/** Says something in a room, signed by the device (lib/identity/entry_signature.ts). */
const SendSchema = v.strictObject({
  type: v.literal("send"),
  room: RoomNameSchema,
  id: IdSchema,
  text: TextSchema,
  salt: octets(SALT_BYTES),
  seen: SeenSchema,
  signature: SignatureSchema,
});

/** What somebody else said, at its place in the room's order. */
const EntrySchema = v.strictObject({
  type: v.literal("entry"),
  room: RoomNameSchema,
  sequence: SequenceSchema,
  id: IdSchema,
  from: HandleSchema,
  device: KeySchema,
  time: TimeSchema,
  text: TextSchema,
  salt: octets(SALT_BYTES),
  seen: SeenSchema,
  signature: SignatureSchema,
});

/**
 * A line that no account wrote, signed by the host key: the operator's (`console`), or what came over the bridge from
 * `name` (`bridge`). It has a place in the room's order like any other.
 */
const NoticeSchema = v.strictObject({
  type: v.literal("notice"),
  room: RoomNameSchema,
  sequence: SequenceSchema,
  id: IdSchema,
  source: v.picklist(["console", "bridge"]),
  name: NameSchema,
  time: TimeSchema,
  text: TextSchema,
  signature: SignatureSchema,
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

/** The account as the server has it: the answer to `enter`, `publish` and `passwordRecord`, and after every change. */
const AccountSchema = v.strictObject({
  type: v.literal("account"),
  handle: HandleSchema,
  role: v.picklist(["owner", "member"]),
  /** Absent before the first `publish`. */
  keys: v.optional(KeysSchema),
  /** Whether there is a recovery blob. */
  recovery: v.boolean(),
});

/** The answer to `recover`. */
const RecoverySchema = v.strictObject({ type: v.literal("recovery"), blob: octets(RECOVERY_BLOB_BYTES) });

/** A new device of one's own asks to be approved. */
const ApprovalSchema = v.strictObject({
  type: v.literal("approval"),
  device: KeySchema,
  name: NameSchema,
  share: KeySchema,
});

/** One's request was approved. */
const ApprovedSchema = v.strictObject({
  type: v.literal("approved"),
  keys: KeysSchema,
  share: KeySchema,
  sealed: octets(SEALED_SEED_BYTES),
});

/** OPAQUE's registration response to a `passwordRequest`. */
const PasswordResponseSchema = v.strictObject({
  type: v.literal("passwordResponse"),
  response: octets(PASSWORD_MESSAGE_BYTES.response),
});

/** Keys of people in the room, before anything by them comes, and after each change. */
const CardsSchema = v.strictObject({
  type: v.literal("cards"),
  cards: v.pipe(v.array(CardSchema), v.minLength(1), v.maxLength(CARDS_MAX)),
});

const ClientMessageSchema = v.variant("type", [
  EnterSchema,
  PublishSchema,
  RecoverSchema,
  AskApprovalSchema,
  ApproveSchema,
  PasswordRequestSchema,
  PasswordRecordSchema,
  JoinSchema,
  SendSchema,
]);
const ServerMessageSchema = v.variant("type", [
  AccountSchema,
  RecoverySchema,
  ApprovalSchema,
  ApprovedSchema,
  PasswordResponseSchema,
  CardsSchema,
  NoticeSchema,
  EntrySchema,
  AcknowledgementSchema,
  PresenceSchema,
  FaultSchema,
]);

/** An account's keys: `identity | list | signature`, see PROTOCOL §6. */
export type Keys = v.InferOutput<typeof KeysSchema>;
/** Keys under a handle, see `cards` of PROTOCOL §6. */
export type Card = v.InferOutput<typeof CardSchema>;
/** See `publish` of PROTOCOL §6. */
export type Publish = v.InferOutput<typeof PublishSchema>;
/** See `askApproval` of PROTOCOL §6. */
export type AskApproval = v.InferOutput<typeof AskApprovalSchema>;
/** See `approve` of PROTOCOL §6. */
export type Approve = v.InferOutput<typeof ApproveSchema>;
/** See `account` of PROTOCOL §6. */
export type AccountMessage = v.InferOutput<typeof AccountSchema>;
/** See `approval` of PROTOCOL §6. */
export type Approval = v.InferOutput<typeof ApprovalSchema>;
/** See `approved` of PROTOCOL §6. */
export type Approved = v.InferOutput<typeof ApprovedSchema>;
/** See `notice` of PROTOCOL §6. */
export type Notice = v.InferOutput<typeof NoticeSchema>;
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

function octets(length: number) {
  return v.pipe(
    v.instance(Uint8Array),
    v.length(length),
    v.transform((bytes): Bytes => new Uint8Array(bytes)),
  );
}

function shortText(octetsMax: number) {
  return v.pipe(v.string(), v.minLength(1), v.check((text: string) => utf8(text).length <= octetsMax));
}

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
