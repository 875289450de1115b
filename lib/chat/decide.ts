/**
 * The rules: whether an entry gets a place in a room's log, and what the room is then. Values in, values out: nothing is
 * sent or stored here, and no clock is read.
 *
 * @module
 */

import { contentDigest, NOWHERE, placeOf } from "../identity/log_entry.ts";
import { equal } from "../wire/bytes.ts";
import type { Draft, Logged, Place } from "../wire/message.ts";
import { ruleOfCreation } from "./creation_rules.ts";
import { ruleInDirect } from "./direct_rules.ts";
import { ruleOfHost } from "./host_rules.ts";
import { ruleInOpen } from "./open_rules.ts";
import {
  type Decision,
  type Facts,
  type Permitted,
  type Proposal,
  type Refused,
  refused,
} from "./proposal.ts";
import type { RoomState } from "./room.ts";
import { applied, createdRoom, type Creation } from "./room_state.ts";
import { namesAsItsKind } from "./target_rules.ts";

/**
 * What comes of `proposal` in `room`, `undefined` where there is none of its id. Of what the draft has seen only a place at
 * the head or beyond is judged here. Throws a `RangeError` where we ourselves propose with another key than the host's.
 */
export function decide(room: RoomState | undefined, proposal: Proposal, facts: Facts): Decision {
  if (proposal.from === undefined && !equal(proposal.device, facts.hostKey)) {
    throw new RangeError("Cannot decide: what nobody says is not signed by the host key");
  }
  const time = Math.max(facts.now, room?.headTime ?? 0);
  const verdict = ruleOf(room, proposal, { facts, time });
  return verdict.kind === "refused" ? verdict : placed(room, proposal, { facts, time, verdict });
}

function ruleOf(
  room: RoomState | undefined,
  proposal: Proposal,
  { facts, time }: { readonly facts: Facts; readonly time: number },
): Permitted | Refused {
  const { from, draft, what } = proposal;
  if (what.kind !== draft.kind || !namesAsItsKind(draft)) return refused("badEntry");
  const creation = creationIn(proposal);
  if (creation !== undefined) return ruleOfCreation(room, proposal, creation, facts);
  if (room === undefined) return refused("noSuchRoom");
  if (!hasSeen(room, draft)) return refused("badEntry");
  if (from === undefined) return ruleOfHost(room, what, time);
  const { form } = room;
  return form.kind === "direct"
    ? ruleInDirect({ ...room, form }, { ...proposal, from }, facts)
    : ruleInOpen({ ...room, form }, { ...proposal, from }, { facts, time });
}

function placed(
  room: RoomState | undefined,
  proposal: Proposal,
  { facts, time, verdict }: { readonly facts: Facts; readonly time: number; readonly verdict: Permitted },
): Decision {
  const { provider, defaults } = facts;
  const entry = entryAt(room?.head ?? NOWHERE, proposal, { provider, time });
  const place = placeOf(provider, proposal.room, entry);
  const after = room === undefined
    ? createdRoom(entry, creationOf(proposal), { id: proposal.room, place, retention: defaults.retention })
    : applied(room, entry, proposal.what, place);
  const { erases, gone = [] } = verdict;
  return {
    kind: "placed",
    room: after,
    entry,
    changes: [
      { kind: "append", room: after, entry },
      ...(erases === undefined
        ? []
        : [{ kind: "erase", room: proposal.room, sequence: erases, by: entry.sequence } as const]),
    ],
    gone,
  };
}

function entryAt(
  head: Place,
  { from, device, draft }: Proposal,
  { provider, time }: { readonly provider: Facts["provider"]; readonly time: number },
): Logged {
  const { id, kind, seen, about, signature, content } = draft;
  return {
    sequence: head.sequence + 1,
    time,
    previous: head.hash,
    id,
    kind,
    ...(from === undefined ? {} : { from }),
    device,
    seen,
    ...(about === undefined ? {} : { about }),
    digest: contentDigest(provider, content),
    signature,
    content,
  };
}

/** Nobody has seen what is not there yet, nor another head. */
function hasSeen({ head }: RoomState, { seen }: Draft): boolean {
  if (seen.sequence > head.sequence) return false;
  const expected = seen.sequence === 0 ? NOWHERE : seen.sequence === head.sequence ? head : undefined;
  return expected === undefined || equal(seen.hash, expected.hash);
}

function creationIn({ what }: Proposal): Creation | undefined {
  return what.kind === "room" && what.body.act === "create" ? what.body : undefined;
}

/** The rules let nothing but a creation come first. */
function creationOf(proposal: Proposal): Creation {
  const creation = creationIn(proposal);
  if (creation === undefined) throw new RangeError("Cannot make a room: its first entry does not");
  return creation;
}
