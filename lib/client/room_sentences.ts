/**
 * Why something cannot be done in a room, as it is known without asking the server.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import { roomLabelFault } from "../text/room_label.ts";
import type { Act } from "./act_body.ts";
import type { Room } from "./room.ts";

/** Nothing can be asked of the server. */
export const NOT_CONNECTED =
  "Cannot do that now: there is no connection to the server; try again when it is back.";

/** One is not in a room of that label, and was not asked into it. */
export function notThere(label: string): string {
  const fault = roomLabelFault(label);
  if (fault !== undefined) return `${fault}.`;
  return label.startsWith("@")
    ? `Cannot do that in ${label}: there is no such conversation yet; write to them first.`
    : `Cannot do that in ${label}: you are not in that room; come in by /join ${label}.`;
}

/** One is not in it; `room` is what one was asked into, or asks to be let into, where there is one of that label. */
export function notIn(room: Room | undefined, label: string): string {
  switch (room?.facts.standing) {
    case "requested":
      return `Cannot do that in ${label}: you were asked to talk there and have not answered; take it up by /allow ${label}.`;
    case "invited":
      return `Cannot do that in ${label}: you were invited and are not in it; come in by /join ${label}.`;
    case "knocking":
      return `Cannot do that in ${label}: you have knocked and were not let in yet; wait for that.`;
    default:
      return notThere(label);
  }
}

/** The sentence, without its full stop, that says why `name` cannot be an open room's; `undefined` where it can. */
export function openNameFault(name: string): string | undefined {
  if (name.startsWith("#")) return roomLabelFault(name);
  return "Cannot use that as a room: rooms begin with #; write #NAME";
}

/** Why an owner may not do that, who may do all but act on other owners and leave a room without one. */
export function refusedToOwner(act: Act, self: Handle): string | undefined {
  switch (act.type) {
    case "part":
      return `Cannot leave ${act.room}: you are its only owner; make another one by /role NAME owner first.`;
    case "role":
      if (act.handle !== self) break;
      return `Cannot change your own role in ${act.room}: you are its only owner; make another one by /role NAME owner first.`;
    case "kick":
    case "ban":
    case "mute":
      break;
    default:
      return undefined;
  }
  return `Cannot do that to ${act.handle} in ${act.room}: an owner can only be changed by themselves; ask them to step down.`;
}
