/**
 * The rules of the first entry of a room.
 *
 * @module
 */

import { directId, lobbyId, openId } from "../identity/room_id.ts";
import { equal } from "../wire/bytes.ts";
import { ROOMS_PER_ACCOUNT_MAX } from "../wire/limits.ts";
import { LOBBY } from "../wire/message.ts";
import { ASKS_PER_ACCOUNT_MAX } from "./open_rules.ts";
import { type Facts, PERMITTED, type Permitted, type Proposal, type Refused, refused } from "./proposal.ts";
import type { RoomState } from "./room.ts";
import type { Creation } from "./room_state.ts";

/** Whether the room may be made; `room` is what there is by that id. */
export function ruleOfCreation(
  room: RoomState | undefined,
  proposal: Proposal,
  creation: Creation,
  facts: Facts,
): Permitted | Refused {
  // With an id of one's own choice one could be in the place of others' conversation before they are.
  if (!hasItsId(proposal, creation, facts)) return refused("badEntry");
  if (room !== undefined) return refused("unchanged");
  if (proposal.draft.seen.sequence !== 0) return refused("badEntry");
  const { from } = proposal;
  if (from === undefined) return PERMITTED;
  if (facts.roomsOf(from) >= ROOMS_PER_ACCOUNT_MAX) return refused("limitReached");
  if (creation.kind === "open") return facts.nameTaken(creation.name) ? refused("nameTaken") : PERMITTED;
  if (!facts.isAccount(creation.with)) return refused("noSuchPerson");
  if (facts.blocks(from, creation.with)) return refused("blocked");
  return facts.asksOf(creation.with) >= ASKS_PER_ACCOUNT_MAX ? refused("limitReached") : PERMITTED;
}

/** The host key makes the lobby and nothing else; people make all others. */
function hasItsId(
  { room, from, draft }: Proposal,
  creation: Creation,
  { provider, hostKey }: Facts,
): boolean {
  if (from === undefined) {
    return creation.kind === "open" && creation.name === LOBBY && equal(room, lobbyId(provider, hostKey));
  }
  if (creation.kind === "open") return equal(room, openId(provider, hostKey, draft.id));
  return creation.with !== from && equal(room, directId(provider, hostKey, [from, creation.with]));
}
