/**
 * The rules of direct conversations: two accounts, of which one has asked the other first. There are no roles in them.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { BodyOf } from "../wire/entry_body.ts";
import { ROOMS_PER_ACCOUNT_MAX } from "../wire/limits.ts";
import { ruleOfFile } from "./file_rule.ts";
import { type Facts, PERMITTED, type Permitted, type Proposal, type Refused, refused } from "./proposal.ts";
import type { RoomForm, RoomState } from "./room.ts";
import { otherOf } from "./room_state.ts";
import { ruleOfDeletion, ruleOfEdit, ruleOfMark, ruleOfReply, targetOf } from "./target_rules.ts";

/** Entries that may follow on the first one before the other has answered: enough to say who one is and what one wants. */
export const DIRECT_UNANSWERED_MAX = 10;

/** A direct conversation. */
export type DirectRoom = RoomState & { readonly form: RoomForm & { readonly kind: "direct" } };

/** Whether `from` may do that in the direct conversation. */
export function ruleInDirect(
  room: DirectRoom,
  proposal: Proposal & { readonly from: Handle },
  facts: Facts,
): Permitted | Refused {
  const { from, what } = proposal;
  const other = otherOf(room, from);
  // To others it is not there.
  if (other === undefined) return refused("noSuchRoom");
  if (what.kind === "membership") return ruleOfAnswer(room.form, { from, other }, { body: what.body, facts });
  if (!room.members.has(from)) return refused("notMember");
  if (what.kind === "delete") {
    // Whatever became of the other: who has blocked one is not to keep one's words against one's will.
    const target = targetOf(room, { handle: from, about: proposal.draft.about }, facts);
    if (target === undefined) return refused("noSuchEntry");
    return target.from === from ? ruleOfDeletion(target) : refused("notAllowed");
  }
  return refusalInDirect(room, from, facts) ?? ruleOfSaying(room, proposal, facts);
}

/** Why `from` can say nothing in the conversation; `undefined` where they can. */
export function refusalInDirect(
  room: DirectRoom,
  from: Handle,
  facts: Pick<Facts, "isAccount" | "blocks">,
): Refused | undefined {
  const other = otherOf(room, from);
  if (other === undefined) return refused("noSuchRoom");
  if (!room.members.has(from)) return refused("notMember");
  if (!facts.isAccount(other)) return refused("noSuchPerson");
  if (facts.blocks(from, other)) return refused("blocked");
  const isUnanswered = room.form.asked !== undefined;
  const isTooMuch = room.form.denied || room.head.sequence > DIRECT_UNANSWERED_MAX;
  return isUnanswered && isTooMuch ? refused("notAccepted") : undefined;
}

function ruleOfAnswer(
  { asked, denied }: RoomForm & { kind: "direct" },
  { from, other }: { readonly from: Handle; readonly other: Handle },
  { body, facts }: { readonly body: BodyOf<"membership">; readonly facts: Facts },
): Permitted | Refused {
  if (body.change !== "allow" && body.change !== "deny") return refused("notAllowed");
  if (body.handle !== other) return refused("badEntry");
  if (asked === undefined) return refused("unchanged");
  // Whoever asks does not answer.
  if (asked !== from) return refused("notAllowed");
  if (body.change === "deny") return denied ? refused("unchanged") : PERMITTED;
  return facts.roomsOf(from) >= ROOMS_PER_ACCOUNT_MAX ? refused("limitReached") : PERMITTED;
}

function ruleOfSaying(
  room: DirectRoom,
  { from, what, draft: { about } }: Proposal & { readonly from: Handle },
  facts: Facts,
): Permitted | Refused {
  const target = targetOf(room, { handle: from, about }, facts);
  switch (what.kind) {
    case "text":
      return PERMITTED;
    case "file":
      return ruleOfFile({ room: room.id, owner: from }, what.body, facts.file);
    case "reply":
      return ruleOfReply(target);
    case "reaction":
      return ruleOfMark(target);
    case "edit":
      return ruleOfEdit(target, from, facts);
    default:
      return refused("notAllowed");
  }
}
