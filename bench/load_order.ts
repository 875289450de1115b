/**
 * What a bench tells its loads to do, and what they answer: a line of JSON each, on standard input and output. An order
 * is answered before the next is taken.
 *
 * @module
 */

import * as v from "valibot";

const CountSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * Who speaks where, and who listens there who does not follow that room yet: of `members` the first who may speak as the
 * pace of accounts wants it.
 */
const SeatSchema = v.object({
  room: v.string(),
  members: v.array(CountSchema),
  listeners: v.optional(v.array(CountSchema)),
});

const OrderSchema = v.variant("order", [
  /** Members from `from` to before `to` connect, in groups of `atOnce`; they follow `room` where one is named. */
  v.object({
    order: v.literal("come"),
    from: CountSchema,
    to: CountSchema,
    atOnce: CountSchema,
    room: v.optional(v.string()),
  }),
  /** Each seat says something for `ms` milliseconds, `window` at a time; `perSecond`: not faster than that, all together. */
  v.object({
    order: v.literal("say"),
    seats: v.array(SeatSchema),
    window: CountSchema,
    ms: CountSchema,
    perSecond: v.optional(v.number()),
  }),
  /**
   * Waits until all who are here have heard of `room` up to that place, or of every room what others of this process have;
   * answers how much was heard since the last time.
   */
  v.object({ order: v.literal("hear"), room: v.optional(v.string()), sequence: CountSchema }),
  /** `count` logins, `atOnce` at a time, each followed by a goodbye. */
  v.object({
    order: v.literal("storm"),
    count: CountSchema,
    atOnce: CountSchema,
    by: v.picklist(["device", "password"]),
  }),
  /** One member puts a file of so many octets into `room`, and fetches it. */
  v.object({ order: v.literal("carry"), member: CountSchema, room: v.string(), bytes: CountSchema }),
  /** It ends; its connections are cut, which costs nobody a goodbye. */
  v.object({ order: v.literal("end") }),
]);

const ReportSchema = v.object({
  /** The order that this answers. */
  report: v.picklist(["come", "say", "hear", "storm", "carry", "end"]),
  /** How long it took, in milliseconds. */
  ms: v.number(),
  /** How many came, were said and acknowledged, or were heard. */
  count: v.number(),
  /** The last place in the room of the first seat, or of that which was listened to. */
  sequence: v.optional(v.number()),
  /** Its hash, in hexadecimal. */
  hash: v.optional(v.string()),
  /** Milliseconds from saying to hearing, of those who heard in this process. */
  delays: v.optional(v.array(v.number())),
  /** Milliseconds that putting and fetching took. */
  put_ms: v.optional(v.number()),
  /** See {@linkcode ReportSchema.put_ms}. */
  get_ms: v.optional(v.number()),
});

/** What a load is to do. */
export type Order = v.InferOutput<typeof OrderSchema>;

/** What came of it. */
export type Report = v.InferOutput<typeof ReportSchema>;

/** Who speaks, see {@linkcode Order}. */
export type Seat = v.InferOutput<typeof SeatSchema>;

/** The order of a line; throws where it is none. */
export function decodeOrder(line: string): Order {
  return v.parse(OrderSchema, JSON.parse(line));
}

/** The report of a line; throws where it is none. */
export function decodeReport(line: string): Report {
  return v.parse(ReportSchema, JSON.parse(line));
}
