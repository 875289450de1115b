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
import { ENTRY_KINDS, ROOM_ROLES, RoomNameSchema, VISIBILITIES } from "./entry_body.ts";
import {
  BODY_BYTES_MAX,
  CARDS_MAX,
  DEVICE_LIST_BYTES_MAX,
  DISPLAY_NAME_BYTES_MAX,
  FILE_BYTES_MAX,
  FILE_CHUNK_BYTES,
  FILE_WINDOW_CHUNKS,
  MESSAGE_BYTES_MAX,
  PAGE_ENTRIES_MAX,
  PEOPLE_MAX,
  RETENTION_DAYS_MAX,
  ROOM_MEMBERS_MAX,
  SLOW_SECONDS_MAX,
  STATUS_BYTES_MAX,
  TOPIC_BYTES_MAX,
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

/** Octets of a room's id (lib/identity/room_id.ts). */
export const ROOM_ID_BYTES = 16;
/** Octets of an entry's hash. */
export const HASH_BYTES = 32;

/** Why the server did not do what a message asked; the connection goes on. */
export const FAULT_CODES = [
  /** There is no such room, or none that one may know of. */
  "noSuchRoom",
  /** One is not in that room. */
  "notMember",
  /** One's role there does not allow that. */
  "notAllowed",
  /** One is muted there. */
  "muted",
  /** One is banned there. */
  "banned",
  /** The room is private: an invitation, or a knock that is answered, comes first. */
  "private",
  /** Only operators speak, and nobody comes in, for the time being. */
  "lockdown",
  /** One spoke a moment ago: `wait` tells how many milliseconds are left. */
  "slowMode",
  /** Too much of that in a short time: `wait` tells how many milliseconds are left. */
  "tooFast",
  /** The name is another room's, or looks like it. */
  "nameTaken",
  /** There is no account of that name, or it is not in that room. */
  "noSuchPerson",
  /** That person takes no messages from oneself. */
  "blocked",
  /** A request for a direct conversation was not taken up: what one says there waits until it is. */
  "notAccepted",
  /** The entry that it is about is not there, or its hash is another. */
  "noSuchEntry",
  /** It changes nothing: it is so already. */
  "unchanged",
  /** The entry's form, signature or what it says it saw cannot be right. */
  "badEntry",
  /** Another entry has that id. */
  "idTaken",
  /** The server cannot store it, its disk being full or at fault; it is as if it had not been sent. */
  "notStored",
  /** A limit is reached: of rooms, members, invitations, devices or the like. */
  "limitReached",
  /** There is no such file, or it has expired. */
  "noSuchFile",
  /** The file is too big for what one, or the room, may still keep. */
  "quota",
  /** The file's octets are not those of its hash; they were thrown away. */
  "badFile",
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

const IdSchema = octets(ENTRY_ID_BYTES);
const KeySchema = octets(KEY_BYTES);
const SignatureSchema = octets(SIGNATURE_BYTES);
const RoomIdSchema = octets(ROOM_ID_BYTES);
const HashSchema = octets(HASH_BYTES);
const NameSchema = shortText(DISPLAY_NAME_BYTES_MAX);
const ListSchema = v.pipe(
  v.instance(Uint8Array),
  v.minLength(1),
  v.maxLength(DEVICE_LIST_BYTES_MAX),
  v.transform((bytes): Bytes => new Uint8Array(bytes)),
);
const SequenceSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** Milliseconds since 1970-01-01T00:00Z, by the server's clock. */
const TimeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const CountSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Tells answers apart: whoever asks counts. */
const AskSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 32 - 1));

/** A place in a room's log with the hash of the entry there; 0 and zeros before the first. */
export const PlaceSchema = v.strictObject({ sequence: CountSchema, hash: HashSchema });

/** What an entry says, behind the hash in its signature. */
const ContentSchema = v.strictObject({
  salt: octets(SALT_BYTES),
  body: v.pipe(
    v.instance(Uint8Array),
    v.minLength(1),
    v.maxLength(BODY_BYTES_MAX),
    v.transform((bytes): Bytes => new Uint8Array(bytes)),
  ),
});

/** What a device says in a room, signed (lib/identity/log_entry.ts). */
const DraftSchema = v.strictObject({
  id: IdSchema,
  kind: v.picklist(ENTRY_KINDS),
  /** The last entry that its author had seen there. */
  seen: PlaceSchema,
  /** The entry that it is about. */
  about: v.optional(PlaceSchema),
  signature: SignatureSchema,
  content: ContentSchema,
});

/** An entry at its place in a room's log. */
export const LoggedSchema = v.strictObject({
  sequence: SequenceSchema,
  time: TimeSchema,
  /** The hash of the entry before it; zeros for the first. */
  previous: HashSchema,
  id: IdSchema,
  kind: v.picklist(ENTRY_KINDS),
  /** The account; absent where the host key has signed. */
  from: v.optional(HandleSchema),
  /** The key that has signed: a device's, or the host's. */
  device: KeySchema,
  seen: PlaceSchema,
  about: v.optional(PlaceSchema),
  /** SHA-256(salt | body). */
  digest: HashSchema,
  signature: SignatureSchema,
  /** Absent where it was erased. */
  content: v.optional(ContentSchema),
  /** The entry that had it erased. */
  erasedBy: v.optional(SequenceSchema),
});

/** What a room's people have settled about it. */
export const SettingsSchema = v.strictObject({
  visibility: v.picklist(VISIBILITIES),
  topic: v.pipe(v.string(), v.check((text: string) => utf8(text).length <= TOPIC_BYTES_MAX)),
  history: v.union([v.literal("all"), CountSchema]),
  retention: v.pipe(CountSchema, v.maxValue(RETENTION_DAYS_MAX)),
  slow: v.pipe(CountSchema, v.maxValue(SLOW_SECONDS_MAX)),
  lockdown: v.boolean(),
});

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

/** Says something in a room, or does something to it. */
const SendSchema = v.strictObject({ type: v.literal("send"), room: RoomIdSchema, entry: DraftSchema });

/** Asks for entries of a room's log; with `follow`, for all that come after them, too, once they reach its end. */
const ReadSchema = v.strictObject({
  type: v.literal("read"),
  room: RoomIdSchema,
  ask: AskSchema,
  where: v.variant("from", [
    /** Those after that place. */
    v.strictObject({ from: v.literal("after"), sequence: CountSchema }),
    /** Those before it. */
    v.strictObject({ from: v.literal("before"), sequence: SequenceSchema }),
    /** Those on both sides of it, itself included. */
    v.strictObject({ from: v.literal("around"), sequence: SequenceSchema }),
    /** Those from that time on. */
    v.strictObject({ from: v.literal("since"), time: TimeSchema }),
    /** The newest. */
    v.strictObject({ from: v.literal("newest") }),
  ]),
  limit: v.pipe(SequenceSchema, v.maxValue(PAGE_ENTRIES_MAX)),
  follow: v.boolean(),
});

/** Asks which public rooms there are; with a name, for the room of that very name. */
const ListSchemaOfRooms = v.strictObject({
  type: v.literal("list"),
  ask: AskSchema,
  name: v.optional(RoomNameSchema),
});

/** Asks who is in a room. */
const AskMembersSchema = v.strictObject({
  type: v.literal("askMembers"),
  room: RoomIdSchema,
  ask: AskSchema,
});

/** Asks for people's cards. */
const AskCardsSchema = v.strictObject({
  type: v.literal("askCards"),
  ask: AskSchema,
  handles: v.pipe(v.array(HandleSchema), v.minLength(1), v.maxLength(PEOPLE_MAX)),
});

/** Up to where this account's device has received, and its person has read, a room. They never go back. */
const MarkSchema = v.strictObject({
  type: v.literal("mark"),
  room: RoomIdSchema,
  delivered: CountSchema,
  read: CountSchema,
  /** Whether others are to be told. */
  shown: v.boolean(),
});

/** One's person is writing there, or no longer. */
const TypingSchema = v.strictObject({ type: v.literal("typing"), room: RoomIdSchema, on: v.boolean() });

/** Whether one's person is at hand. */
const StatusSchema = v.strictObject({
  type: v.literal("status"),
  state: v.picklist(["online", "away"]),
  text: v.optional(shortText(STATUS_BYTES_MAX)),
});

/** Takes no direct messages of that person any more, or does again. */
const BlockSchema = v.strictObject({ type: v.literal("block"), handle: HandleSchema, on: v.boolean() });

/** Begins to put a file into a room, or goes on with it: the answer tells how much of it is there. */
const FileBeginSchema = v.strictObject({
  type: v.literal("fileBegin"),
  file: IdSchema,
  room: RoomIdSchema,
  size: v.pipe(CountSchema, v.maxValue(FILE_BYTES_MAX)),
  sha256: HashSchema,
});

/** A piece of it, in order. */
const FileChunkSchema = v.strictObject({
  type: v.literal("fileChunk"),
  file: IdSchema,
  offset: CountSchema,
  bytes: chunk(),
});

/** Asks for pieces of a file. */
const FileGetSchema = v.strictObject({
  type: v.literal("fileGet"),
  file: IdSchema,
  offset: CountSchema,
  chunks: v.pipe(SequenceSchema, v.maxValue(FILE_WINDOW_CHUNKS)),
});

/** A new entry of a room that is followed. */
const EntrySchema = v.strictObject({ type: v.literal("entry"), room: RoomIdSchema, entry: LoggedSchema });

/** Entries asked for by `read`, in their order, in as many messages as they take; `end` is in the last of them. */
const PageSchema = v.strictObject({
  type: v.literal("page"),
  room: RoomIdSchema,
  ask: AskSchema,
  entries: v.pipe(v.array(LoggedSchema), v.maxLength(PAGE_ENTRIES_MAX)),
  end: v.optional(v.strictObject({
    /** The last entry of the log. */
    head: PlaceSchema,
    /** The last entry that one may not read or that was dropped: what comes after it follows on its hash. */
    base: PlaceSchema,
    /** Whether all that is said from now on will be told: the entries reached the head, and `follow` was asked for. */
    live: v.boolean(),
  })),
});

/** One's own entry has its place in the log, durably. */
const AcknowledgementSchema = v.strictObject({
  type: v.literal("ack"),
  room: RoomIdSchema,
  id: IdSchema,
  sequence: SequenceSchema,
  time: TimeSchema,
  previous: HashSchema,
});

/** A room that one is in, or was asked into: at the beginning, and whenever something about it has changed. */
const RoomSchema = v.strictObject({
  type: v.literal("room"),
  room: RoomIdSchema,
  kind: v.picklist(["open", "direct"]),
  /** Of an open room. */
  name: v.optional(RoomNameSchema),
  /** The other of a direct conversation. */
  with: v.optional(HandleSchema),
  /** `requested`: the other of a direct conversation asks, and nothing of it is told until that is allowed. */
  standing: v.picklist(["member", "invited", "knocking", "requested"]),
  /** Of a member. */
  role: v.optional(v.picklist(ROOM_ROLES)),
  settings: SettingsSchema,
  /** How many are in it. */
  members: v.pipe(CountSchema, v.maxValue(ROOM_MEMBERS_MAX)),
  /** Those who knock, for who may let them in. */
  knocking: v.pipe(v.array(HandleSchema), v.maxLength(PEOPLE_MAX)),
  head: PlaceSchema,
  base: PlaceSchema,
  /** One's own marks, shared by one's devices. */
  delivered: CountSchema,
  read: CountSchema,
});

/** One is not in that room any more, nor asked into it. */
const GoneSchema = v.strictObject({
  type: v.literal("gone"),
  room: RoomIdSchema,
  why: v.picklist(["parted", "kicked", "banned", "denied", "uninvited"]),
});

/** All rooms were told: what follows is news. */
const ReadySchema = v.strictObject({ type: v.literal("ready") });

/** The answer to `list`. Of a private room asked for by its name, nothing but that it is there. */
const DirectorySchema = v.strictObject({
  type: v.literal("directory"),
  ask: AskSchema,
  rooms: v.pipe(
    v.array(v.strictObject({
      room: RoomIdSchema,
      name: RoomNameSchema,
      visibility: v.picklist(VISIBILITIES),
      topic: v.string(),
      members: CountSchema,
    })),
    v.maxLength(PEOPLE_MAX),
  ),
  end: v.boolean(),
});

/** The answer to `askMembers`. */
const MembersSchema = v.strictObject({
  type: v.literal("members"),
  room: RoomIdSchema,
  ask: AskSchema,
  members: v.pipe(
    v.array(v.strictObject({ handle: HandleSchema, role: v.picklist(ROOM_ROLES) })),
    v.maxLength(PEOPLE_MAX),
  ),
  end: v.boolean(),
});

/** Who is at hand, of those with whom one shares a room: all who are, at the beginning, and then every change. */
const PresenceSchema = v.strictObject({
  type: v.literal("presence"),
  people: v.pipe(
    v.array(v.strictObject({
      handle: HandleSchema,
      state: v.picklist(["online", "away", "offline"]),
      text: v.optional(shortText(STATUS_BYTES_MAX)),
    })),
    v.minLength(1),
    v.maxLength(PEOPLE_MAX),
  ),
  time: TimeSchema,
});

/** Somebody writes in a room, or no longer. */
const TypingNewsSchema = v.strictObject({
  type: v.literal("typing"),
  room: RoomIdSchema,
  handle: HandleSchema,
  on: v.boolean(),
});

/** Up to where somebody has received and read a room: another member, or oneself on another device. */
const MarksSchema = v.strictObject({
  type: v.literal("marks"),
  room: RoomIdSchema,
  handle: HandleSchema,
  delivered: CountSchema,
  read: CountSchema,
});

/** Whose direct messages one takes none of: all of them, after `enter` where there are any, and after each change. */
const BlocksSchema = v.strictObject({ type: v.literal("blocks"), handles: v.array(HandleSchema) });

/** How much of a file that one puts is there, durably; `done`: all of it, and its hash is right. */
const FileStateSchema = v.strictObject({
  type: v.literal("fileState"),
  file: IdSchema,
  have: CountSchema,
  done: v.boolean(),
});

/** A piece of a file, as asked for. */
const FileDataSchema = v.strictObject({
  type: v.literal("fileData"),
  file: IdSchema,
  offset: CountSchema,
  size: CountSchema,
  bytes: chunk(),
});

/** Something asked for was not done. */
const FaultSchema = v.strictObject({
  type: v.literal("fault"),
  code: v.picklist(FAULT_CODES),
  /** The id of the entry, file or room that it is about. */
  about: v.optional(IdSchema),
  /** The number of the question that it answers. */
  ask: v.optional(AskSchema),
  /** Milliseconds after which it may be tried again. */
  wait: v.optional(CountSchema),
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

/**
 * People's keys: before the first entry of each comes on this connection, after each change of keys told on it, and as
 * the answer to `askCards`, which alone has `ask` and `end`.
 */
const CardsSchema = v.strictObject({
  type: v.literal("cards"),
  cards: v.pipe(v.array(CardSchema), v.maxLength(CARDS_MAX)),
  ask: v.optional(AskSchema),
  end: v.optional(v.boolean()),
});

const ClientMessageSchema = v.variant("type", [
  EnterSchema,
  PublishSchema,
  RecoverSchema,
  AskApprovalSchema,
  ApproveSchema,
  PasswordRequestSchema,
  PasswordRecordSchema,
  SendSchema,
  ReadSchema,
  ListSchemaOfRooms,
  AskMembersSchema,
  AskCardsSchema,
  MarkSchema,
  TypingSchema,
  StatusSchema,
  BlockSchema,
  FileBeginSchema,
  FileChunkSchema,
  FileGetSchema,
]);
const ServerMessageSchema = v.variant("type", [
  AccountSchema,
  RecoverySchema,
  ApprovalSchema,
  ApprovedSchema,
  PasswordResponseSchema,
  CardsSchema,
  EntrySchema,
  PageSchema,
  AcknowledgementSchema,
  RoomSchema,
  GoneSchema,
  ReadySchema,
  DirectorySchema,
  MembersSchema,
  PresenceSchema,
  TypingNewsSchema,
  MarksSchema,
  BlocksSchema,
  FileStateSchema,
  FileDataSchema,
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
/** A place in a log: `sequence | hash`, see PROTOCOL §6. */
export type Place = v.InferOutput<typeof PlaceSchema>;
/** `salt | body`, see PROTOCOL §6. */
export type Content = v.InferOutput<typeof ContentSchema>;
/** What is signed and has no place yet, see `send` of PROTOCOL §6. */
export type Draft = v.InferOutput<typeof DraftSchema>;
/** An entry at its place, see `entry` of PROTOCOL §6. */
export type Logged = v.InferOutput<typeof LoggedSchema>;
/** See `room` of PROTOCOL §6. */
export type RoomSettings = v.InferOutput<typeof SettingsSchema>;
/** See `room` of PROTOCOL §6. */
export type RoomMessage = v.InferOutput<typeof RoomSchema>;
/** See `read` of PROTOCOL §6. */
export type Read = v.InferOutput<typeof ReadSchema>;
/** See `page` of PROTOCOL §6. */
export type Page = v.InferOutput<typeof PageSchema>;
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

function chunk() {
  return v.pipe(
    v.instance(Uint8Array),
    v.minLength(1),
    v.maxLength(FILE_CHUNK_BYTES),
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
