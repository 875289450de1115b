/**
 * What an entry of a room's log says, by its kind: a CBOR map each, sealed behind a salted hash in the entry's
 * signature (PROTOCOL §6.25), so that it can be erased and the rest still verifies.
 *
 * @module
 */

import * as v from "valibot";
import { HandleSchema } from "../text/handle.ts";
import { type Bytes, utf8 } from "./bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import {
  BODY_BYTES_MAX,
  DISPLAY_NAME_BYTES_MAX,
  FILE_BYTES_MAX,
  FILE_NAME_BYTES_MAX,
  REACTION_BYTES_MAX,
  REASON_BYTES_MAX,
  RETENTION_DAYS_MAX,
  SLOW_SECONDS_MAX,
  TEXT_BYTES_MAX,
  TOPIC_BYTES_MAX,
} from "./limits.ts";

/** The kinds of entries. People's devices sign all but the last two, which the host key signs. */
export const ENTRY_KINDS = [
  "text",
  "reply",
  "edit",
  "delete",
  "reaction",
  "pin",
  "file",
  "topic",
  "membership",
  "moderation",
  "room",
  "keys",
  "notice",
] as const;

/** One of {@linkcode ENTRY_KINDS}. */
export type EntryKind = typeof ENTRY_KINDS[number];

/** What somebody may be in a room, from most to least. */
export const ROOM_ROLES = ["owner", "operator", "member", "muted"] as const;

/** One of {@linkcode ROOM_ROLES}. */
export type RoomRole = typeof ROOM_ROLES[number];

/** Who may come into a room: everybody, or who was invited or let in. */
export const VISIBILITIES = ["public", "private"] as const;

/** One of {@linkcode VISIBILITIES}. */
export type Visibility = typeof VISIBILITIES[number];

/** Characters of a room's name, its # included: as long as a handle. */
export const ROOM_NAME_CHARS_MAX = 33;

/** A room's name: # and lower-case letters, digits, - and _, the first a letter or digit. */
export const RoomNameSchema = v.pipe(
  v.string(),
  v.maxLength(ROOM_NAME_CHARS_MAX),
  v.regex(/^#[a-z0-9][a-z0-9_-]*$/),
);

/** How many entries before their coming newcomers may read: none (0), so many, or all of them. */
const HistorySchema = v.union([v.literal("all"), integer(0, Number.MAX_SAFE_INTEGER)]);
const TimeSchema = integer(0, Number.MAX_SAFE_INTEGER);
const ReasonSchema = v.optional(shortText(REASON_BYTES_MAX));
const TextSchema = v.strictObject({ text: shortText(TEXT_BYTES_MAX) });
const OnSchema = v.boolean();

const MembershipSchema = v.variant("change", [
  /** Comes in. By the host key, where the server puts somebody into the lobby: `handle` is whom, `role` as what. */
  v.strictObject({
    change: v.literal("join"),
    handle: v.optional(HandleSchema),
    role: v.optional(v.picklist(ROOM_ROLES)),
  }),
  /** Leaves. By the host key where an account is gone: `handle` is whose. */
  v.strictObject({ change: v.literal("part"), handle: v.optional(HandleSchema) }),
  v.strictObject({ change: v.literal("invite"), handle: HandleSchema }),
  /** Takes an invitation back. */
  v.strictObject({ change: v.literal("uninvite"), handle: HandleSchema }),
  /** Asks to be let in. */
  v.strictObject({ change: v.literal("knock") }),
  /** Lets in who knocks. In a direct conversation: takes up the other's request, `handle` being the other. */
  v.strictObject({ change: v.literal("allow"), handle: HandleSchema }),
  /** Turns away who knocks. In a direct conversation: refuses the other's request. */
  v.strictObject({ change: v.literal("deny"), handle: HandleSchema }),
]);

const ModerationSchema = v.variant("act", [
  v.strictObject({ act: v.literal("role"), handle: HandleSchema, role: v.picklist(ROOM_ROLES) }),
  v.strictObject({ act: v.literal("kick"), handle: HandleSchema, reason: ReasonSchema }),
  /** `until`: milliseconds since 1970; without it, until it is taken back. */
  v.strictObject({
    act: v.literal("ban"),
    handle: HandleSchema,
    until: v.optional(TimeSchema),
    reason: ReasonSchema,
  }),
  v.strictObject({ act: v.literal("unban"), handle: HandleSchema }),
  v.strictObject({
    act: v.literal("mute"),
    handle: HandleSchema,
    until: v.optional(TimeSchema),
    reason: ReasonSchema,
  }),
  v.strictObject({ act: v.literal("unmute"), handle: HandleSchema }),
]);

const RoomSchema = v.variant("act", [
  /** The first entry of every room, and of no other place. */
  v.strictObject({
    act: v.literal("create"),
    kind: v.literal("open"),
    name: RoomNameSchema,
    visibility: v.picklist(VISIBILITIES),
  }),
  /** The first entry of a direct conversation. */
  v.strictObject({ act: v.literal("create"), kind: v.literal("direct"), with: HandleSchema }),
  v.strictObject({ act: v.literal("rename"), name: RoomNameSchema }),
  v.strictObject({ act: v.literal("visibility"), visibility: v.picklist(VISIBILITIES) }),
  v.strictObject({ act: v.literal("history"), history: HistorySchema }),
  /** Days after which entries are dropped; 0: never. */
  v.strictObject({ act: v.literal("retention"), days: integer(0, RETENTION_DAYS_MAX) }),
  /** Seconds a member waits between two messages; 0: none. */
  v.strictObject({ act: v.literal("slow"), seconds: integer(0, SLOW_SECONDS_MAX) }),
  /** While it is on, nobody below an operator speaks or comes in. */
  v.strictObject({ act: v.literal("lockdown"), on: OnSchema }),
]);

const SCHEMAS = {
  text: TextSchema,
  reply: TextSchema,
  edit: TextSchema,
  delete: v.strictObject({ reason: ReasonSchema }),
  reaction: v.strictObject({ reaction: shortText(REACTION_BYTES_MAX), on: OnSchema }),
  pin: v.strictObject({ on: OnSchema }),
  file: v.strictObject({
    file: octets(16),
    name: shortText(FILE_NAME_BYTES_MAX),
    size: integer(0, FILE_BYTES_MAX),
    sha256: octets(32),
  }),
  topic: v.strictObject({
    topic: v.pipe(v.string(), v.check((text: string) => utf8(text).length <= TOPIC_BYTES_MAX)),
  }),
  membership: MembershipSchema,
  moderation: ModerationSchema,
  room: RoomSchema,
  keys: v.strictObject({
    handle: HandleSchema,
    identity: octets(32),
    number: integer(1, 2 ** 32 - 1),
    list: octets(32),
  }),
  notice: v.strictObject({
    source: v.picklist(["console", "bridge", "server"]),
    name: shortText(DISPLAY_NAME_BYTES_MAX),
    text: shortText(TEXT_BYTES_MAX),
  }),
} as const;

/** What an entry of that kind says. */
export type BodyOf<Kind extends EntryKind> = v.InferOutput<(typeof SCHEMAS)[Kind]>;

/** What an entry says, with its kind. */
export type EntryBody = {
  [Kind in EntryKind]: { readonly kind: Kind; readonly body: BodyOf<Kind> };
}[EntryKind];

/** The octets of what an entry says. Throws a `RangeError` where they are too many. */
export function encodeBody({ body }: EntryBody): Bytes {
  const bytes = encodeCbor(body);
  if (bytes.length > BODY_BYTES_MAX) {
    throw new RangeError(`Cannot encode a body: ${bytes.length} octets are too many`);
  }
  return bytes;
}

/** What an entry of `kind` says, or `undefined` where the octets are none of that kind. */
export function decodeBody(kind: EntryKind, bytes: Bytes): EntryBody | undefined {
  // One case for each kind, so that the compiler sees that kind and body belong together.
  switch (kind) {
    case "text":
      return decoded(kind, SCHEMAS.text, bytes);
    case "reply":
      return decoded(kind, SCHEMAS.reply, bytes);
    case "edit":
      return decoded(kind, SCHEMAS.edit, bytes);
    case "delete":
      return decoded(kind, SCHEMAS.delete, bytes);
    case "reaction":
      return decoded(kind, SCHEMAS.reaction, bytes);
    case "pin":
      return decoded(kind, SCHEMAS.pin, bytes);
    case "file":
      return decoded(kind, SCHEMAS.file, bytes);
    case "topic":
      return decoded(kind, SCHEMAS.topic, bytes);
    case "membership":
      return decoded(kind, SCHEMAS.membership, bytes);
    case "moderation":
      return decoded(kind, SCHEMAS.moderation, bytes);
    case "room":
      return decoded(kind, SCHEMAS.room, bytes);
    case "keys":
      return decoded(kind, SCHEMAS.keys, bytes);
    case "notice":
      return decoded(kind, SCHEMAS.notice, bytes);
  }
}

function decoded<Kind extends EntryKind, Schema extends v.GenericSchema>(
  kind: Kind,
  schema: Schema,
  bytes: Bytes,
): { readonly kind: Kind; readonly body: v.InferOutput<Schema> } | undefined {
  const value = decodeCbor(bytes);
  // A list without members would pass for a map without keys.
  const parsed = Array.isArray(value) ? undefined : v.safeParse(schema, value);
  return parsed?.success === true ? { kind, body: parsed.output } : undefined;
}

function integer(least: number, most: number) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));
}

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
