/**
 * What may be asked of a client, as data that a person or a program wrote: one schema for typed commands and for JSON,
 * and for whatever does not fit it one reason.
 *
 * @module
 */

import * as v from "valibot";
import { handleFault } from "../text/handle.ts";
import { nearest } from "../text/nearest.ts";
import { roomLabelFault } from "../text/room_label.ts";
import { visible } from "../text/visible.ts";
import { utf8 } from "../wire/bytes.ts";
import { ROOM_ROLES, VISIBILITIES } from "../wire/entry_body.ts";
import {
  PAGE_ENTRIES_MAX,
  REACTION_BYTES_MAX,
  REASON_BYTES_MAX,
  RETENTION_DAYS_MAX,
  SLOW_SECONDS_MAX,
  STATUS_BYTES_MAX,
  TEXT_BYTES_MAX,
  TOPIC_BYTES_MAX,
} from "../wire/limits.ts";
import type { ClientRequest } from "./event.ts";

/** Characters of a refused text that its sentence repeats: enough to know it again by, and still one line. */
const QUOTED_CHARS_MAX = 40;

/** How many entries `history` gives where nobody says it: about two screens. */
const HISTORY_ENTRIES = 50;

/** Shortest time of a ban or mute in milliseconds: times are typed, and messages take part of a second. */
const LASTING_MS_MIN = 1_000;

/** Longest time of a ban or mute in milliseconds, ten years; what lasts longer has no end. */
export const LASTING_MS_MAX = 3_650 * 86_400_000;

/** Longest path in octets: what Linux takes. */
const PATH_BYTES_MAX = 4_096;

const RoomSchema = v.pipe(
  v.string("a room is a text"),
  v.check(
    (text) => roomLabelFault(text) === undefined,
    ({ input }) => roomLabelFault(input) ?? "it is no room",
  ),
);
const OpenRoomSchema = v.pipe(
  RoomSchema,
  v.check((text) => text.startsWith("#"), "that is for rooms whose names begin with #"),
);
const PersonSchema = v.pipe(
  v.string("a name is a text"),
  v.check((text) => handleFault(text) === undefined, ({ input }) => handleFault(input) ?? "it is no name"),
);
const SeqSchema = whole("the number of a message", 1, Number.MAX_SAFE_INTEGER);
const OnSchema = v.boolean("what is switched is true or false");
// A lone surrogate is not text: UTF-8 would quietly put another character in its place.
const ProperSchema = v.pipe(
  v.string("that is no text"),
  v.check((text) => text.isWellFormed(), "that is no proper text"),
);
const SaidSchema = v.pipe(
  ProperSchema,
  v.check(
    (text) => text.trim() !== "",
    "Cannot send a text of white space only: nobody would see it; write something",
  ),
  v.check((text) => utf8(text).length <= TEXT_BYTES_MAX, ({ input }) => tooLong(input)),
);
const ReasonSchema = v.optional(short("a reason", REASON_BYTES_MAX));
const LastingSchema = v.optional(
  v.pipe(
    v.number("a time is a number of milliseconds"),
    v.safeInteger("a time is a whole number of milliseconds"),
    v.minValue(LASTING_MS_MIN, "a time is at least a second"),
    v.maxValue(LASTING_MS_MAX, "a time is at most 3,650 days; without one it has no end"),
  ),
);
const VisibilitySchema = v.picklist(VISIBILITIES, "a room is public or private");

const WhereSchema = v.variant("from", [
  v.pipe(
    v.strictObject({ from: v.literal("before"), seq: v.optional(SeqSchema) }),
    v.transform(({ from, seq }) => ({ from, sequence: seq })),
  ),
  v.pipe(
    v.strictObject({ from: v.literal("around"), seq: SeqSchema }),
    v.transform(({ from, seq }) => ({ from, sequence: seq })),
  ),
  v.strictObject({
    from: v.literal("since"),
    time: whole("a time in milliseconds since 1970", 0, Number.MAX_SAFE_INTEGER),
  }),
], 'history is from "before", "around" or "since"');

/** The newest there are. */
const NEWEST = { from: "before" } as const;

const NEWCOMERS_RULE = 'what newcomers may read is "all" or a number of messages, 0 for none';

const RequestSchema = v.variant("type", [
  v.strictObject({ type: v.literal("send"), room: RoomSchema, text: SaidSchema }),
  v.pipe(
    v.strictObject({
      type: v.picklist(["reply", "edit"]),
      room: RoomSchema,
      seq: SeqSchema,
      text: SaidSchema,
    }),
    v.transform(({ type, room, seq, text }) => ({ type, room, sequence: seq, text })),
  ),
  v.pipe(
    v.strictObject({ type: v.literal("delete"), room: RoomSchema, seq: SeqSchema }),
    v.transform(({ type, room, seq }) => ({ type, room, sequence: seq })),
  ),
  v.pipe(
    v.strictObject({
      type: v.literal("react"),
      room: RoomSchema,
      seq: SeqSchema,
      reaction: short("a reaction", REACTION_BYTES_MAX),
      on: OnSchema,
    }),
    v.transform(({ type, room, seq, reaction, on }) => ({ type, room, sequence: seq, reaction, on })),
  ),
  v.pipe(
    v.strictObject({ type: v.literal("pin"), room: RoomSchema, seq: SeqSchema, on: OnSchema }),
    v.transform(({ type, room, seq, on }) => ({ type, room, sequence: seq, on })),
  ),
  v.strictObject({ type: v.literal("put"), room: RoomSchema, path: short("a path", PATH_BYTES_MAX) }),
  v.pipe(
    v.strictObject({
      type: v.literal("get"),
      room: RoomSchema,
      seq: SeqSchema,
      path: v.optional(short("a path", PATH_BYTES_MAX)),
    }),
    v.transform(({ type, room, seq, path }) => ({ type, room, sequence: seq, path })),
  ),
  v.strictObject({
    type: v.literal("topic"),
    room: RoomSchema,
    topic: v.pipe(ProperSchema, v.check(within(TOPIC_BYTES_MAX), octetsAtMost("a topic", TOPIC_BYTES_MAX))),
  }),
  v.strictObject({ type: v.literal("create"), room: OpenRoomSchema, visibility: VisibilitySchema }),
  v.strictObject({ type: v.picklist(["join", "knock"]), room: OpenRoomSchema }),
  v.strictObject({ type: v.picklist(["part", "members", "check", "read"]), room: RoomSchema }),
  v.strictObject({
    type: v.picklist(["invite", "uninvite", "allow", "deny", "unban", "unmute"]),
    room: RoomSchema,
    handle: PersonSchema,
  }),
  v.strictObject({ type: v.literal("rename"), room: RoomSchema, name: OpenRoomSchema }),
  v.strictObject({ type: v.literal("visibility"), room: RoomSchema, visibility: VisibilitySchema }),
  v.strictObject({
    type: v.literal("newcomers"),
    room: RoomSchema,
    history: v.union(
      [v.literal("all"), v.pipe(v.number(), v.safeInteger(NEWCOMERS_RULE), v.minValue(0, NEWCOMERS_RULE))],
      NEWCOMERS_RULE,
    ),
  }),
  v.strictObject({
    type: v.literal("retention"),
    room: RoomSchema,
    days: whole("a number of days", 0, RETENTION_DAYS_MAX),
  }),
  v.strictObject({
    type: v.literal("slow"),
    room: RoomSchema,
    seconds: whole("a number of seconds", 0, SLOW_SECONDS_MAX),
  }),
  v.strictObject({ type: v.literal("lockdown"), room: RoomSchema, on: OnSchema }),
  v.strictObject({
    type: v.literal("role"),
    room: RoomSchema,
    handle: PersonSchema,
    role: v.picklist(ROOM_ROLES, "a role is owner, operator, member or muted"),
  }),
  v.pipe(
    v.strictObject({
      type: v.literal("kick"),
      room: RoomSchema,
      handle: PersonSchema,
      reason: ReasonSchema,
    }),
    v.transform(({ type, room, handle, reason }) => ({ type, room, handle, reason })),
  ),
  v.pipe(
    v.strictObject({
      type: v.picklist(["ban", "mute"]),
      room: RoomSchema,
      handle: PersonSchema,
      lasting: LastingSchema,
      reason: ReasonSchema,
    }),
    v.transform(({ type, room, handle, lasting, reason }) => ({ type, room, handle, lasting, reason })),
  ),
  v.strictObject({
    type: v.literal("history"),
    room: RoomSchema,
    where: v.optional(WhereSchema, NEWEST),
    limit: v.optional(whole("a number of messages", 1, PAGE_ENTRIES_MAX), HISTORY_ENTRIES),
  }),
  v.strictObject({ type: v.literal("typing"), room: RoomSchema, on: OnSchema }),
  v.pipe(
    v.strictObject({ type: v.literal("away"), text: v.optional(short("what you say", STATUS_BYTES_MAX)) }),
    v.transform(({ type, text }) => ({ type, text })),
  ),
  v.strictObject({
    type: v.picklist(["block", "unblock", "ignore", "unignore", "whois", "verify", "accept"]),
    handle: PersonSchema,
  }),
  v.strictObject({ type: v.picklist(["receipts", "typingShown"]), on: OnSchema }),
  v.strictObject({ type: v.picklist(["approve", "revoke"]), name: ProperSchema }),
  v.strictObject({ type: v.literal("nick"), display: ProperSchema }),
  v.strictObject({ type: v.picklist(["rooms", "list", "back", "devices", "quit"]) }),
], "nothing of that kind can be asked for");

/** What each field may be, for examples; as JSON. */
const EXAMPLES: Readonly<Record<string, string>> = {
  room: '"#lobby"',
  text: '"…"',
  seq: "1",
  reaction: '"👍"',
  on: "true",
  path: '"picture.png"',
  topic: '"…"',
  visibility: '"private"',
  handle: '"ben"',
  history: '"all"',
  days: "30",
  seconds: "10",
  role: '"operator"',
};

/** Fields whose example depends on the request. */
const EXAMPLES_BY_TYPE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rename: { name: '"#new"' },
  approve: { name: '"my phone"' },
  revoke: { name: '"my phone"' },
  nick: { display: '"Ann"' },
};

/** What was read: a request, or why it is none. */
export type ReadRequest =
  | { readonly kind: "request"; readonly request: ClientRequest }
  /** The end of a sentence that begins "Cannot do …:". */
  | { readonly kind: "misfit"; readonly why: string }
  /** A sentence of its own, without a full stop. */
  | { readonly kind: "refused"; readonly sentence: string };

/**
 * What `value` asks for: an object of the form of {@linkcode ClientRequest}, but that an entry's number is called `seq`
 * as in what is told, and that what may be missing may be left out. What is said of a misfit is safe for a terminal.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { readRequest } from "./request_schema.ts";
 * deepEqual(readRequest({ type: "delete", room: "#lobby", seq: 0 }), {
 *   kind: "misfit",
 *   why: "the number of a message is a whole number from 1 on",
 * });
 * ```
 */
export function readRequest(value: unknown): ReadRequest {
  const parsed = v.safeParse(RequestSchema, value, { abortEarly: true });
  if (parsed.success) return { kind: "request", request: parsed.output };
  const [issue] = parsed.issues;
  const why = whyNot(issue);
  // Those messages of the schema above that know better than its caller what to do.
  return why.startsWith("Cannot ") ? { kind: "refused", sentence: why } : { kind: "misfit", why };
}

/** Every word that may stand for `type`. */
export function requestTypes(): string[] {
  return RequestSchema.options.flatMap(({ entries: { type } }) =>
    type.type === "literal" ? [type.literal] : [...type.options]
  );
}

/** An object that asks for `type`, as JSON: what may be left out is. `undefined` where nothing is called so. */
export function requestExample(type: string): string | undefined {
  const option = RequestSchema.options.find(({ entries }) => v.is(entries.type, type));
  if (option === undefined) return undefined;
  const fields = Object.entries<v.GenericSchema>(option.entries).flatMap(([name, schema]) => {
    if (name === "type" || schema.type === "optional") return [];
    const example = EXAMPLES_BY_TYPE[type]?.[name] ?? EXAMPLES[name];
    return [`,"${name}":${example ?? '"…"'}`];
  });
  return `{"type":"${type}"${fields.join("")}}`;
}

/** The request whose name is nearest to `word`. */
export function nearestRequest(word: string): string | undefined {
  return nearest(word, requestTypes());
}

/** `text` repeated in a sentence: safe, and not for ever. */
export function quoted(text: string): string {
  return visible(text.slice(0, QUOTED_CHARS_MAX)) + (text.length > QUOTED_CHARS_MAX ? "…" : "");
}

function whyNot({ kind, type, expected, message, path }: v.BaseIssue<unknown>): string {
  const name = path?.map(({ key }) => String(key)).join(".") ?? "";
  if (kind === "schema" && type === "strict_object") {
    if (name === "") return "it is no object";
    return expected === "never" ? `it has no field "${quoted(name)}"` : `its field "${name}" is missing`;
  }
  return message;
}

function whole(what: string, least: number, most: number) {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  const message = `${what} is a whole number ${range}`;
  return v.pipe(
    v.number(message),
    v.safeInteger(message),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

function short(what: string, octetsMax: number) {
  return v.pipe(
    ProperSchema,
    v.check((text) => text.trim() !== "", `${what} is not empty`),
    v.check(within(octetsMax), octetsAtMost(what, octetsMax)),
  );
}

function within(octetsMax: number): (text: string) => boolean {
  return (text) => utf8(text).length <= octetsMax;
}

function octetsAtMost(what: string, octetsMax: number): string {
  return `${what} has at most ${octetsMax} octets`;
}

function tooLong(text: string): string {
  return `Cannot send a message of ${grouped(utf8(text).length)} octets: ` +
    `it may have ${grouped(TEXT_BYTES_MAX)}; send it in parts`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
