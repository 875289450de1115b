/**
 * The rules of what the host key signs: what the server does, and what is said without an account.
 *
 * @module
 */

import type { EntryBody } from "../wire/entry_body.ts";
import { ROOM_MEMBERS_MAX } from "../wire/limits.ts";
import { PERMITTED, type Permitted, type Refused, refused } from "./proposal.ts";
import type { RoomState } from "./room.ts";
import { isBanned } from "./room_state.ts";

/** Whether the server may do that in a room at `time`. */
export function ruleOfHost(room: RoomState, what: EntryBody, time: number): Permitted | Refused {
  switch (what.kind) {
    case "notice":
      return PERMITTED;
    case "keys":
      return room.members.has(what.body.handle) ? PERMITTED : refused("noSuchPerson");
    case "membership":
      return ruleOfMembership(room, what.body, time);
    case "moderation":
      return ruleOfSuccession(room, what.body);
    default:
      return refused("badEntry");
  }
}

function ruleOfMembership(
  room: RoomState,
  body: (EntryBody & { kind: "membership" })["body"],
  time: number,
): Permitted | Refused {
  if (body.change !== "join" && body.change !== "part") return refused("badEntry");
  const { change, handle } = body;
  if (handle === undefined) return refused("badEntry");
  const isIn = room.members.has(handle);
  if (change === "part") {
    const isAsked = room.invited.has(handle) || room.knocking.includes(handle);
    return isIn || isAsked
      ? { kind: "permitted", gone: [{ handle, why: "parted" }] }
      : refused("noSuchPerson");
  }
  if (room.form.kind === "direct") return refused("badEntry");
  if (isIn) return refused("unchanged");
  if (isBanned(room, handle, time)) return refused("banned");
  // Whom an operator has put out comes back by connecting again, else. Where nobody is, nobody could end it.
  if (room.settings.lockdown && room.members.size > 0) return refused("lockdown");
  return room.members.size >= ROOM_MEMBERS_MAX ? refused("limitReached") : PERMITTED;
}

/** Where an account is removed that owned a room alone, another member owns it. */
function ruleOfSuccession(
  { form, members }: RoomState,
  body: (EntryBody & { kind: "moderation" })["body"],
): Permitted | Refused {
  if (form.kind === "direct" || body.act !== "role" || body.role !== "owner") return refused("badEntry");
  const member = members.get(body.handle);
  if (member === undefined) return refused("noSuchPerson");
  return member.role === "owner" ? refused("unchanged") : PERMITTED;
}
