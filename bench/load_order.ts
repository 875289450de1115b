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
  /**
   * Each seat says something for `ms` milliseconds, `window` at a time; `perSecond`: not faster than that, all together;
   * `bytes`: how long each text is, where it is not one of the usual length.
   */
  v.object({
    order: v.literal("say"),
    seats: v.array(SeatSchema),
    window: CountSchema,
    ms: CountSchema,
    perSecond: v.optional(v.number()),
    bytes: v.optional(CountSchema),
  }),
  /**
   * Waits until all who are here have heard of `room` up to that place, or of every room what others of this process have;
   * answers how much was heard since the last time.
   */
  v.object({ order: v.literal("hear"), room: v.optional(v.string()), sequence: CountSchema }),
  /**
   * `count` logins, `atOnce` at a time, each followed by a goodbye; `ms`: none begins later than that; `from` and `to`:
   * who logs in, where not everybody does.
   */
  v.object({
    order: v.literal("storm"),
    count: CountSchema,
    atOnce: CountSchema,
    by: v.picklist(["device", "password"]),
    ms: v.optional(CountSchema),
    from: v.optional(CountSchema),
    to: v.optional(CountSchema),
  }),
  /**
   * One member connects and says things in `room` for `ms` milliseconds, `window` at a time, however often it is told that
   * this is too fast. Nobody else of this process follows that room.
   */
  v.object({
    order: v.literal("flood"),
    member: CountSchema,
    room: v.string(),
    window: CountSchema,
    ms: CountSchema,
  }),
  /** One member connects, follows `rooms`, and then reads nothing any more. */
  v.object({ order: v.literal("deafen"), member: CountSchema, rooms: v.array(v.string()) }),
  /**
   * A member who was deafened reads again; answers 1 where the server had cut it. Where it had not, the member hears all of
   * `room` up to that place, and leaves.
   */
  v.object({ order: v.literal("listen"), member: CountSchema, room: v.string(), sequence: CountSchema }),
  /** Of those who are here each, from `from` on, says one thing in the room of its place in `rooms`, and is acknowledged. */
  v.object({ order: v.literal("answer"), from: CountSchema, rooms: v.array(v.string()) }),
  /** One member puts a file of so many octets into `room`, and fetches it. */
  v.object({ order: v.literal("carry"), member: CountSchema, room: v.string(), bytes: CountSchema }),
  /** It ends; its connections are cut, which costs nobody a goodbye. */
  v.object({ order: v.literal("end") }),
]);

const ORDERS = [
  "come",
  "say",
  "hear",
  "storm",
  "flood",
  "deafen",
  "listen",
  "answer",
  "carry",
  "end",
] as const;

const ReportSchema = v.object({
  /** The order that this answers. */
  report: v.picklist(ORDERS),
  /** How long it took, in milliseconds. */
  ms: v.number(),
  /** How many came, were said and acknowledged, were heard, or answered. */
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
  /** How many were refused for being too fast. */
  refused: v.optional(v.number()),
  /** How a connection ended that was cut. */
  end: v.optional(v.string()),
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
