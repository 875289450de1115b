/**
 * What somebody in a simulated world does: talks most of the time, and now and then everything else that can be done.
 *
 * @module
 */

import type { ClientRequest } from "../../lib/client/event.ts";
import type { Dice } from "./dice.ts";
import type { Notes } from "./notes.ts";

/** Names that rooms are given: few, so that two people want the same. */
const ROOM_NAMES = ["#den", "#hut"] as const;

/** What agents are like in one world. */
export interface Manners {
  /** Everybody's handles. */
  readonly people: readonly string[];
  /** How often, of all things done, it is something that changes a room or people in it. */
  readonly order: number;
  /** How often it is something about what was said: a reply, an edit and the like. */
  readonly second: number;
  /** How often it is a question, or something that leaves no entry. */
  readonly curiosity: number;
}

/** What is done next. `text` is what is said by it, where something is. */
export interface Deed {
  readonly request: ClientRequest;
  readonly text: string | undefined;
}

/** The next thing that whoever keeps those notes does; `number` is of no other thing they do. */
export function nextDeed(notes: Notes, number: number, { dice, manners }: {
  readonly dice: Dice;
  readonly manners: Manners;
}): Deed {
  const text = `${notes.name} ${number}`;
  const request = requestOf(notes, text, { dice, manners });
  return { request, text: "text" in request && request.text === text ? text : undefined };
}

function requestOf(
  notes: Notes,
  text: string,
  { dice, manners }: { readonly dice: Dice; readonly manners: Manners },
): ClientRequest {
  const room = dice.pickAny(Array.from(notes.rooms)) ?? "#lobby";
  if (dice.chance(manners.order)) return orderOf(notes, room, { dice, manners });
  if (dice.chance(manners.curiosity)) return questionOf(notes, room, dice);
  const entry = dice.pickAny(notes.entries.slice(-20));
  if (entry === undefined || !dice.chance(manners.second)) {
    const isPrivate = dice.chance(0.1);
    return { type: "send", room: isPrivate ? `@${otherOf(notes, { dice, manners })}` : room, text };
  }
  return secondOf(entry, text, dice);
}

function secondOf(
  { room, sequence, own }: Notes["entries"][number],
  text: string,
  dice: Dice,
): ClientRequest {
  const target = { room, sequence };
  const reaction: ClientRequest = {
    type: "react",
    ...target,
    reaction: dice.pick(["+", "-"]),
    on: dice.chance(0.7),
  };
  return dice.pick<ClientRequest>([
    { type: "reply", ...target, text },
    reaction,
    own ? { type: "edit", ...target, text } : reaction,
    own ? { type: "delete", ...target } : { type: "pin", ...target, on: dice.chance(0.7) },
  ]);
}

function orderOf(
  notes: Notes,
  room: string,
  { dice, manners }: { readonly dice: Dice; readonly manners: Manners },
): ClientRequest {
  const handle = otherOf(notes, { dice, manners });
  const name = dice.pick(ROOM_NAMES);
  const lasting = dice.chance(0.5) ? dice.below(20_000) : undefined;
  return dice.pick<ClientRequest>([
    { type: "create", room: name, visibility: dice.pick(["public", "private"]) },
    { type: "join", room: name },
    { type: "join", room: name },
    { type: "knock", room: name },
    { type: "part", room },
    { type: dice.pick(["invite", "uninvite"]), room, handle },
    { type: "allow", room: dice.chance(0.5) ? room : `@${handle}`, handle },
    { type: "deny", room, handle },
    { type: "topic", room, topic: `topic ${dice.below(100)}` },
    { type: "visibility", room, visibility: dice.pick(["public", "private"]) },
    { type: "newcomers", room, history: dice.pick<number | "all">([0, 3, "all"]) },
    { type: "slow", room, seconds: dice.pick([0, 0, 2]) },
    { type: "lockdown", room, on: dice.chance(0.3) },
    { type: "role", room, handle, role: dice.pick(["owner", "operator", "member"]) },
    { type: "kick", room, handle, reason: undefined },
    { type: dice.pick(["ban", "mute"]), room, handle, lasting, reason: undefined },
    { type: dice.pick(["unban", "unmute"]), room, handle },
    { type: dice.pick(["block", "unblock", "unblock"]), handle },
  ]);
}

function questionOf(notes: Notes, room: string, dice: Dice): ClientRequest {
  const sequence = dice.pickAny(notes.entries)?.sequence ?? 1;
  return dice.pick<ClientRequest>([
    { type: "rooms" },
    { type: "list" },
    { type: "members", room },
    { type: "check", room },
    { type: "history", room, where: { from: "before", sequence }, limit: dice.between(1, 100) },
    { type: "history", room, where: { from: "around", sequence }, limit: dice.between(1, 100) },
    { type: "read", room },
    { type: "read", room },
    { type: "typing", room, on: dice.chance(0.5) },
    { type: "away", text: undefined },
    { type: "back" },
  ]);
}

function otherOf(
  { name }: Notes,
  { dice, manners }: { readonly dice: Dice; readonly manners: Manners },
): string {
  return dice.pick(manners.people.filter((each) => each !== name));
}
