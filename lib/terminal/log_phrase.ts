/**
 * What a person reads of each entry of a room's log that is no message: who did what.
 *
 * @module
 */

import type { ClientEvent } from "../client/event.ts";
import { visible, visibleLines } from "../text/visible.ts";
import type { BodyOf, EntryBody } from "../wire/entry_body.ts";
import { quotedName } from "./names.ts";

/** An entry of a log that is no message. */
export type LogEvent = Extract<ClientEvent, { type: "log" }>;

/** What an entry did, as safe lines; `undefined` where people are told of it in other ways. */
export function deedLines(event: LogEvent): string[] | undefined {
  const { what, from } = event;
  if (what?.kind === "keys") return undefined;
  if (what?.kind !== "edit") return [deed(event)];
  const [first = "", ...others] = visibleLines(what.body.text);
  return [`${visible(from)} changed ${about(event)}: ${first}`, ...others];
}

function deed(event: LogEvent): string {
  const { what, from } = event;
  const who = visible(from);
  if (what === undefined) return `an entry of ${who} was deleted, or cannot be read`;
  switch (what.kind) {
    case "text":
    case "reply":
      return `${who} said: ${visible(what.body.text)}`;
    case "notice":
      return `${visible(what.body.name)} said: ${visible(what.body.text)}`;
    case "file":
      return `${who} put a file there: ${quotedName(what.body.name)}`;
    case "delete":
      return `${who} deleted ${about(event)}${reason(what.body.reason)}`;
    case "reaction":
      return what.body.on
        ? `${who} reacted to ${about(event)}: ${visible(what.body.reaction)}`
        : `${who} took a reaction to ${about(event)} back: ${visible(what.body.reaction)}`;
    case "pin":
      return `${who} ${what.body.on ? "pinned" : "took the pin from"} ${about(event)}`;
    case "topic":
      return what.body.topic === ""
        ? `${who} took the topic away`
        : `${who} set the topic: ${visible(what.body.topic)}`;
    case "membership":
      return membership(what.body, event);
    case "moderation":
      return moderation(what.body, who);
    case "room":
      return room(what.body, who);
    default:
      // A kind that a later release invents is a peer's text, too.
      return `${who} did something that this program does not know: ${visible(kindOf(what))}`;
  }
}

function kindOf({ kind }: EntryBody): string {
  return kind;
}

/** The entry that something is about. What it said is no part of that: it may be gone. */
function about({ about }: LogEvent): string {
  if (about === undefined) return "something";
  return about.from === undefined ? `#${about.sequence}` : `#${about.sequence} of ${visible(about.from)}`;
}

function membership(body: BodyOf<"membership">, { from, source, room }: LogEvent): string {
  const who = visible(from);
  const whom = "handle" in body && body.handle !== undefined ? visible(body.handle) : who;
  switch (body.change) {
    case "join":
      return `${whom} joined`;
    case "part":
      return source === "server" ? `${whom} is gone: the account was removed` : `${whom} left`;
    case "invite":
      return `${who} invited ${whom}`;
    case "uninvite":
      return `${who} took the invitation of ${whom} back`;
    case "knock":
      return `${who} asks to come in`;
    case "allow":
      return room.startsWith("@") ? `${who} took up the conversation` : `${who} let ${whom} in`;
    case "deny":
      return room.startsWith("@") ? `${who} refused the conversation` : `${who} turned ${whom} away`;
    default:
      return `${who} did something about who is in the room`;
  }
}

function moderation(body: BodyOf<"moderation">, who: string): string {
  const whom = visible(body.handle);
  switch (body.act) {
    case "role":
      return `${who} made ${whom} ${ROLES[body.role] ?? visible(body.role)}`;
    case "kick":
      return `${who} put ${whom} out${reason(body.reason)}`;
    case "ban":
      return `${who} banned ${whom}${until(body.until)}${reason(body.reason)}`;
    case "unban":
      return `${who} ended the ban of ${whom}`;
    case "mute":
      return `${who} muted ${whom}${until(body.until)}${reason(body.reason)}`;
    case "unmute":
      return `${who} lets ${whom} speak again`;
    default:
      return `${who} did something to ${whom}`;
  }
}

const ROLES: Readonly<Record<string, string>> = {
  owner: "an owner",
  operator: "an operator",
  member: "a member",
  muted: "muted",
};

function room(body: BodyOf<"room">, who: string): string {
  switch (body.act) {
    case "create":
      return body.kind === "direct"
        ? `${who} began a conversation with ${visible(body.with)}`
        : `${who} made the room ${visible(body.name)}, ${visible(body.visibility)}`;
    case "rename":
      return `${who} gave the room another name: ${visible(body.name)}`;
    case "visibility":
      return `${who} made the room ${visible(body.visibility)}`;
    case "history":
      return `${who} lets newcomers read ${olderMessages(body.history)}`;
    case "retention":
      return body.days === 0
        ? `${who} lets messages be kept for good`
        : `${who} lets messages be dropped after ${count(body.days, "day")}`;
    case "slow":
      return body.seconds === 0
        ? `${who} ended slow mode`
        : `${who} set slow mode: one message in ${body.seconds} s`;
    case "lockdown":
      return body.on ? `${who} locked the room down: only operators speak` : `${who} ended the lockdown`;
    default:
      return `${who} changed something about the room`;
  }
}

function olderMessages(history: number | "all"): string {
  if (history === "all") return "all that was said before";
  return history === 0 ? "nothing of what was said before" : `the last ${count(history, "message")}`;
}

function reason(text: string | undefined): string {
  return text === undefined ? "" : `: ${visible(text)}`;
}

function until(time: number | undefined): string {
  return time === undefined ? "" : ` until ${minute(time)}`;
}

/** The minute, in this machine's time zone, as the times of the lines are. */
function minute(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "a day that no calendar has";
  const [year, ...others] = [
    date.getFullYear(),
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
  ];
  const [month, day, hours, minutes] = others.map((part) => String(part).padStart(2, "0"));
  return `${year}-${month}-${day} ${hours}:${minutes}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
