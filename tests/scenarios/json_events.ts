/**
 * What a client says in its mode for programs, as a program reads it.
 *
 * @module
 */

import * as v from "valibot";

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
    own: v.boolean(),
    time: v.number(),
    text: v.string(),
    verified: v.literal(false),
    reason: v.literal("unverified name"),
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
