/**
 * What a room's log comes to: the room after each of its entries. Nothing is refused here, that was decided before the
 * entry got its place.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { BodyOf, EntryBody, RoomRole } from "../wire/entry_body.ts";
import type { Logged, Place, RoomSettings } from "../wire/message.ts";
import { NOWHERE } from "../identity/log_entry.ts";
import type { Ban, RoomForm, RoomMember, RoomState } from "./room.ts";

/** Most who are remembered as muted though they have left; the oldest are forgotten. As many as may be banned. */
export const MUTED_AWAY_MAX = 1_000;

const OWNER = { role: "owner", mutedUntil: undefined } as const;

/** What the first entry of a room says. */
export type Creation = Extract<BodyOf<"room">, { act: "create" }>;

/** What a room that is made has, besides what its first entry says. */
export interface Beginning {
  /** The room's id, 16 octets. */
  readonly id: Bytes;
  /** The place of its first entry. */
  readonly place: Place;
  /** Days after which its entries are dropped, 0 for never, until its owner settles it. */
  readonly retention: number;
}

/** The room that `entry` makes. Throws a `RangeError` where nobody's entry makes a direct conversation. */
export function createdRoom(
  { from, time }: Logged,
  creation: Creation,
  { id, place, retention }: Beginning,
): RoomState {
  const visibility = creation.kind === "open" ? creation.visibility : "private";
  const history = creation.kind === "open" && visibility === "private" ? 0 : "all";
  const role = creation.kind === "open" ? "owner" : "member";
  return {
    id,
    form: formOf(creation, from),
    settings: { visibility, topic: "", history, retention, slow: 0, lockdown: false },
    members: new Map(from === undefined ? [] : [[from, { role, mutedUntil: undefined, base: 0 }]]),
    invited: new Map(),
    knocking: [],
    bans: new Map(),
    mutedAway: new Map(),
    pins: [],
    head: place,
    headTime: time,
    base: NOWHERE,
  };
}

/** The room after `entry` has its `place`; `what` is what it says, `undefined` where that was erased. */
export function applied(
  room: RoomState,
  entry: Logged,
  what: EntryBody | undefined,
  place: Place,
): RoomState {
  const moved = { ...room, head: place, headTime: entry.time };
  switch (what?.kind) {
    case "pin":
      return { ...moved, pins: pinsAfter(room, entry, what.body.on) };
    case "delete":
      return { ...moved, pins: pinsAfter(room, entry, false) };
    case "topic":
      return { ...moved, settings: { ...room.settings, topic: what.body.topic } };
    case "membership":
      return room.form.kind === "direct"
        ? afterDirectMembership(moved, room.form, entry, what.body)
        : afterMembership(moved, room.head, entry, what.body);
    case "moderation":
      return afterModeration(moved, entry, what.body);
    case "room":
      return afterSettlement(moved, what.body);
    default:
      return moved;
  }
}

/** What somebody may do in a room at `time`, milliseconds since 1970; `undefined` for who is not in it. */
export function roleOf({ members }: RoomState, handle: Handle, time: number): RoomRole | undefined {
  const member = members.get(handle);
  return member === undefined ? undefined : roleAt(member, time);
}

/** Whether somebody may not come in at `time`. */
export function isBanned({ bans }: RoomState, handle: Handle, time: number): boolean {
  const ban = bans.get(handle);
  return ban !== undefined && isInForce(ban, time);
}

/** Whether somebody with that role keeps order. */
export function isOperator(role: RoomRole | undefined): boolean {
  return role === "owner" || role === "operator";
}

/** What somebody is to a room, as told in `room` of PROTOCOL §6; `undefined`: nothing, so it is not told. */
export function standingOf(
  { form, members, invited, knocking }: RoomState,
  handle: Handle,
): "member" | "invited" | "knocking" | "requested" | undefined {
  if (members.has(handle)) return "member";
  if (form.kind === "direct") return form.asked === handle && !form.denied ? "requested" : undefined;
  if (invited.has(handle)) return "invited";
  return knocking.includes(handle) ? "knocking" : undefined;
}

/** With whom `handle` has a direct conversation; `undefined` where the room is none, or not one of theirs. */
export function otherOf({ form }: RoomState, handle: Handle): Handle | undefined {
  if (form.kind === "open" || !form.people.includes(handle)) return undefined;
  return form.people.find((each) => each !== handle);
}

/** How many of a room's members own it. */
export function ownersIn({ members }: RoomState): number {
  return Array.from(members.values()).filter(({ role }) => role === "owner").length;
}

function formOf(creation: Creation, from: Handle | undefined): RoomForm {
  if (creation.kind === "open") return { kind: "open", name: creation.name };
  if (from === undefined) throw new RangeError("Cannot make a direct conversation: nobody begins it");
  const asked = creation.with;
  return { kind: "direct", people: [from, asked], asked, denied: false };
}

function pinsAfter({ pins }: RoomState, { about }: Logged, on: boolean): readonly number[] {
  const others = pins.filter((sequence) => sequence !== about?.sequence);
  return on && about !== undefined ? [...others, about.sequence] : others;
}

function afterDirectMembership(
  room: RoomState,
  form: RoomForm & { kind: "direct" },
  { from }: Logged,
  body: BodyOf<"membership">,
): RoomState {
  const members = new Map(room.members);
  switch (body.change) {
    case "allow":
      if (from !== undefined) members.set(from, { role: "member", mutedUntil: undefined, base: 0 });
      return { ...room, members, form: { ...form, asked: undefined, denied: false } };
    case "deny":
      return { ...room, form: { ...form, denied: true } };
    case "part":
      if (body.handle !== undefined) members.delete(body.handle);
      return { ...room, members };
    default:
      return room;
  }
}

function afterMembership(
  room: RoomState,
  before: Place,
  { from }: Logged,
  body: BodyOf<"membership">,
): RoomState {
  const handle = "handle" in body && body.handle !== undefined ? body.handle : from;
  if (handle === undefined) return room;
  const others = room.knocking.filter((each) => each !== handle);
  switch (body.change) {
    case "join":
      return afterComing(room, before, handle, body.role);
    case "allow":
      return afterComing(room, before, handle, undefined);
    case "part":
      return { ...without(room, handle), invited: lacking(room.invited, handle), knocking: others };
    case "invite":
      return { ...room, invited: new Map(room.invited).set(handle, from), knocking: others };
    case "uninvite":
      return { ...room, invited: lacking(room.invited, handle) };
    case "knock":
      return { ...room, knocking: [...others, handle] };
    case "deny":
      return { ...room, knocking: others };
  }
}

/** Whoever comes where nobody is owns the room, so that no room has members and nobody to look after it. */
function afterComing(
  room: RoomState,
  before: Place,
  handle: Handle,
  given: RoomRole | undefined,
): RoomState {
  const member = room.members.size === 0 ? OWNER : memberAgain(room, handle, given);
  const base = newcomerBase(room.settings, before);
  return {
    ...room,
    members: new Map(room.members).set(handle, { ...member, base }),
    mutedAway: lacking(room.mutedAway, handle),
    invited: lacking(room.invited, handle),
    knocking: room.knocking.filter((each) => each !== handle),
    bans: lacking(room.bans, handle),
  };
}

/** Without what is remembered, whoever is muted would leave and come back. */
function memberAgain(
  { mutedAway, headTime }: RoomState,
  handle: Handle,
  given: RoomRole | undefined,
): Omit<RoomMember, "base"> {
  const mutedUntil = mutedAway.get(handle);
  const isMuted = mutedAway.has(handle) && !isOperator(given) && isInForce({ until: mutedUntil }, headTime);
  return isMuted ? { role: "muted", mutedUntil } : { role: given ?? "member", mutedUntil: undefined };
}

function newcomerBase({ history }: RoomSettings, before: Place): number {
  return history === "all" ? 0 : Math.max(0, before.sequence - history);
}

function afterModeration(room: RoomState, { from, time }: Logged, body: BodyOf<"moderation">): RoomState {
  const { handle } = body;
  switch (body.act) {
    case "role":
      return withMember(room, handle, { role: body.role, mutedUntil: undefined });
    case "mute":
      return withMember(room, handle, { role: "muted", mutedUntil: body.until });
    case "unmute":
      return {
        ...withMember(room, handle, { role: "member", mutedUntil: undefined }),
        mutedAway: lacking(room.mutedAway, handle),
      };
    case "kick":
      return without(room, handle);
    case "ban": {
      const inForce = Array.from(room.bans).filter(([, ban]) => isInForce(ban, time));
      return {
        ...without(room, handle),
        invited: lacking(room.invited, handle),
        knocking: room.knocking.filter((each) => each !== handle),
        bans: new Map(inForce).set(handle, { until: body.until, by: from, reason: body.reason }),
      };
    }
    case "unban":
      return { ...room, bans: lacking(room.bans, handle) };
  }
}

function afterSettlement(room: RoomState, body: BodyOf<"room">): RoomState {
  const { form, settings } = room;
  switch (body.act) {
    case "rename":
      return form.kind === "open" ? { ...room, form: { ...form, name: body.name } } : room;
    case "visibility":
      return { ...room, settings: { ...settings, visibility: body.visibility } };
    case "history":
      return { ...room, settings: { ...settings, history: body.history } };
    case "retention":
      return { ...room, settings: { ...settings, retention: body.days } };
    case "slow":
      return { ...room, settings: { ...settings, slow: body.seconds } };
    case "lockdown":
      return { ...room, settings: { ...settings, lockdown: body.on } };
    case "create":
      return room;
  }
}

function withMember(room: RoomState, handle: Handle, change: Omit<RoomMember, "base">): RoomState {
  const member = room.members.get(handle);
  if (member === undefined) return room;
  return { ...room, members: new Map(room.members).set(handle, { ...member, ...change }) };
}

function without(room: RoomState, handle: Handle): RoomState {
  const member = room.members.get(handle);
  if (member === undefined) return room;
  const members = lacking(room.members, handle);
  if (roleAt(member, room.headTime) !== "muted") return { ...room, members };
  const inForce = Array.from(room.mutedAway).filter(([, until]) => isInForce({ until }, room.headTime));
  const mutedAway = new Map(inForce.slice(-MUTED_AWAY_MAX + 1)).set(handle, member.mutedUntil);
  return { ...room, members, mutedAway };
}

/** The same map where there is nothing to take away, so that who keeps rooms sees what has not changed. */
function lacking<Value>(map: ReadonlyMap<Handle, Value>, handle: Handle): ReadonlyMap<Handle, Value> {
  if (!map.has(handle)) return map;
  const others = new Map(map);
  others.delete(handle);
  return others;
}

function roleAt({ role, mutedUntil }: RoomMember, time: number): RoomRole {
  return role === "muted" && mutedUntil !== undefined && mutedUntil <= time ? "member" : role;
}

function isInForce({ until }: Pick<Ban, "until">, time: number): boolean {
  return until === undefined || until > time;
}
