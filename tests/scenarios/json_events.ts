/**
 * What a client says in its mode for programs, as a program reads it.
 *
 * @module
 */

import * as v from "valibot";
import { ENTRY_KINDS, ROOM_ROLES, VISIBILITIES } from "../../lib/wire/entry_body.ts";
import { FAULT_CODES } from "../../lib/wire/message.ts";

const DeviceSchema = v.strictObject({
  name: v.string(),
  added: v.number(),
  revoked: v.nullable(v.number()),
  here: v.boolean(),
});

const EntryFacts = {
  room: v.string(),
  seq: v.number(),
  id: v.pipe(v.string(), v.hexadecimal(), v.length(32)),
  from: v.string(),
  display: v.nullable(v.string()),
  trust: v.nullable(v.picklist(["own", "seen", "verified"])),
  source: v.picklist(["member", "console", "bridge", "server"]),
  device: v.nullable(v.string()),
  own: v.boolean(),
  time: v.number(),
  verified: v.boolean(),
  reason: v.nullable(v.string()),
  history: v.boolean(),
} as const;

const AboutSchema = v.nullable(v.strictObject({
  seq: v.number(),
  from: v.nullable(v.string()),
  text: v.nullable(v.string()),
}));

const RoomFacts = {
  room: v.string(),
  kind: v.picklist(["open", "direct"]),
  standing: v.picklist(["member", "invited", "knocking", "requested"]),
  role: v.nullable(v.picklist(ROOM_ROLES)),
  settings: v.strictObject({
    visibility: v.picklist(VISIBILITIES),
    topic: v.string(),
    history: v.union([v.literal("all"), v.number()]),
    retention: v.number(),
    slow: v.number(),
    lockdown: v.boolean(),
  }),
  members: v.number(),
  unread: v.number(),
  last: v.number(),
} as const;

const StateSchema = v.picklist(["online", "away", "offline"]);

const JsonEventSchema = v.variant("type", [
  v.strictObject({
    type: v.literal("state"),
    state: v.picklist(["connecting", "ready", "closed", "cut", "waiting"]),
    detail: v.nullable(v.string()),
  }),
  v.strictObject({
    type: v.literal("message"),
    ...EntryFacts,
    kind: v.picklist(["text", "reply", "file", "notice"]),
    text: v.string(),
    about: AboutSchema,
    file: v.nullable(v.strictObject({ id: v.string(), name: v.string(), size: v.number() })),
    edited: v.boolean(),
    deletedBy: v.nullable(v.string()),
    reactions: v.array(v.strictObject({ reaction: v.string(), by: v.array(v.string()) })),
  }),
  v.strictObject({
    type: v.literal("log"),
    ...EntryFacts,
    what: v.nullable(v.strictObject({
      kind: v.picklist(ENTRY_KINDS),
      body: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
    })),
    about: AboutSchema,
  }),
  v.strictObject({
    type: v.literal("ack"),
    room: v.string(),
    id: v.string(),
    seq: v.number(),
    time: v.number(),
  }),
  v.strictObject({
    type: v.literal("queued"),
    room: v.string(),
    id: v.string(),
    text: v.string(),
    wait: v.nullable(v.number()),
  }),
  v.strictObject({
    type: v.literal("delivery"),
    room: v.string(),
    seq: v.number(),
    state: v.picklist(["delivered", "read"]),
  }),
  v.strictObject({
    type: v.literal("presence"),
    change: v.picklist(["here", "online", "away", "offline"]),
    names: v.array(v.string()),
    text: v.nullable(v.string()),
    time: v.number(),
  }),
  v.strictObject({ type: v.literal("typing"), room: v.string(), handle: v.string(), on: v.boolean() }),
  v.strictObject({ type: v.literal("room"), ...RoomFacts, news: v.picklist(["here", "joined", "changed"]) }),
  v.strictObject({
    type: v.literal("gone"),
    room: v.string(),
    why: v.picklist(["parted", "kicked", "banned", "denied", "uninvited"]),
  }),
  v.strictObject({
    type: v.literal("request"),
    asks: v.picklist(["invited", "requested", "knocking"]),
    room: v.string(),
    handle: v.nullable(v.string()),
    words: v.array(v.string()),
  }),
  v.strictObject({ type: v.literal("rooms"), rooms: v.array(v.strictObject(RoomFacts)) }),
  v.strictObject({
    type: v.literal("directory"),
    rooms: v.array(v.strictObject({ room: v.string(), topic: v.string(), members: v.number() })),
  }),
  v.strictObject({
    type: v.literal("members"),
    room: v.string(),
    members: v.array(
      v.strictObject({ handle: v.string(), role: v.picklist(ROOM_ROLES), state: StateSchema }),
    ),
  }),
  v.strictObject({
    type: v.literal("page"),
    room: v.string(),
    first: v.nullable(v.number()),
    last: v.nullable(v.number()),
    more: v.boolean(),
  }),
  v.strictObject({
    type: v.literal("integrity"),
    room: v.string(),
    from: v.number(),
    upTo: v.number(),
    flaws: v.array(v.strictObject({
      kind: v.picklist(["missing", "rewritten", "forked", "withheld", "cutBack"]),
      from: v.number(),
      to: v.number(),
    })),
    asked: v.boolean(),
  }),
  v.strictObject({
    type: v.literal("file"),
    way: v.picklist(["put", "get"]),
    room: v.string(),
    id: v.string(),
    name: v.string(),
    bytes: v.number(),
    size: v.number(),
    done: v.boolean(),
    path: v.nullable(v.string()),
    failure: v.nullable(v.string()),
  }),
  v.strictObject({
    type: v.literal("keys"),
    handle: v.string(),
    news: v.picklist(["deviceAdded", "deviceRevoked", "renamed", "identityChanged", "listRefused"]),
    detail: v.nullable(v.string()),
  }),
  v.strictObject({ type: v.literal("approval"), name: v.string(), words: v.array(v.string()) }),
  v.strictObject({ type: v.literal("devices"), devices: v.array(DeviceSchema) }),
  v.strictObject({
    type: v.literal("person"),
    handle: v.string(),
    display: v.nullable(v.string()),
    words: v.array(v.string()),
    trust: v.picklist(["own", "seen", "verified", "changed"]),
    devices: v.array(DeviceSchema),
  }),
  v.strictObject({ type: v.literal("done"), what: v.string() }),
  v.strictObject({ type: v.literal("fingerprint"), fingerprint: v.string() }),
  v.strictObject({ type: v.literal("recoveryCode"), code: v.string() }),
  v.strictObject({ type: v.literal("told"), sentence: v.string() }),
  v.strictObject({
    type: v.literal("unacknowledged"),
    room: v.string(),
    id: v.string(),
    text: v.string(),
  }),
  v.strictObject({
    type: v.literal("error"),
    code: v.picklist([...FAULT_CODES, "badInput", "notDone", "notSent"]),
    sentence: v.string(),
    room: v.optional(v.string()),
    about: v.optional(v.string()),
    text: v.optional(v.string()),
    wait: v.optional(v.number()),
    ref: v.optional(v.string()),
  }),
]);

/** One object of the mode for programs. */
export type JsonEvent = v.InferOutput<typeof JsonEventSchema>;

/** The object of a line. Throws where it is none that README's table has. */
export function jsonEvent(line: string): JsonEvent {
  return v.parse(JsonEventSchema, JSON.parse(line));
}

/** The events of one type among `events`. */
export function eventsOf<Type extends JsonEvent["type"]>(
  events: readonly JsonEvent[],
  type: Type,
): readonly Extract<JsonEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<JsonEvent, { type: Type }> => event.type === type);
}
