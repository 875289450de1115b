/**
 * What a client says in its mode for programs, as a program reads it.
 *
 * @module
 */

import * as v from "valibot";

const DeviceSchema = v.strictObject({
  name: v.string(),
  added: v.number(),
  revoked: v.nullable(v.number()),
  here: v.boolean(),
});

const JsonEventSchema = v.variant("type", [
  v.strictObject({
    type: v.literal("state"),
    state: v.picklist(["connecting", "ready", "closed", "cut"]),
    detail: v.nullable(v.string()),
  }),
  v.strictObject({
    type: v.literal("message"),
    room: v.literal("#lobby"),
    seq: v.number(),
    id: v.pipe(v.string(), v.hexadecimal(), v.length(32)),
    from: v.string(),
    display: v.nullable(v.string()),
    trust: v.nullable(v.picklist(["own", "seen", "verified"])),
    device: v.nullable(v.string()),
    source: v.picklist(["member", "console", "bridge"]),
    own: v.boolean(),
    time: v.number(),
    text: v.string(),
    verified: v.boolean(),
    reason: v.nullable(v.string()),
  }),
  v.strictObject({
    type: v.literal("ack"),
    room: v.literal("#lobby"),
    id: v.string(),
    seq: v.number(),
    time: v.number(),
  }),
  v.strictObject({
    type: v.literal("presence"),
    room: v.literal("#lobby"),
    change: v.picklist(["here", "joined", "left"]),
    names: v.array(v.string()),
    time: v.number(),
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
    room: v.literal("#lobby"),
    id: v.string(),
    text: v.string(),
  }),
  v.strictObject({
    type: v.literal("error"),
    code: v.string(),
    sentence: v.string(),
    about: v.optional(v.string()),
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
