/**
 * The rules of open rooms: what the table of acts.ts allows whom, and what stands against it all the same.
 *
 * @module
 */

import { skeleton } from "../text/skeleton.ts";
import type { Handle } from "../text/handle.ts";
import { lobbyId } from "../identity/room_id.ts";
import { equal } from "../wire/bytes.ts";
import type { BodyOf, RoomRole } from "../wire/entry_body.ts";
import { PEOPLE_MAX, ROOM_MEMBERS_MAX, ROOMS_PER_ACCOUNT_MAX } from "../wire/limits.ts";
import { type ActName, isBelow, rightOf } from "./acts.ts";
import { ruleOfFile } from "./file_rule.ts";
import {
  type Departed,
  type Facts,
  PERMITTED,
  type Permitted,
  type Proposal,
  type Refused,
  refused,
} from "./proposal.ts";
import type { RoomForm, RoomState } from "./room.ts";
import { isBanned, isOperator, ownersIn, roleOf } from "./room_state.ts";
import { ruleOfDeletion, ruleOfEdit, ruleOfMark, ruleOfReply, targetOf } from "./target_rules.ts";

/** Most people who may be invited into a room at once, as their names are kept with it. */
export const INVITED_MAX = 1_000;
/**
 * Most invitations and requests for a conversation that one account has not answered: at each of its logins it is told all
 * of them.
 */
export const ASKS_PER_ACCOUNT_MAX = 100;
/** Most who may knock at once: all of them are told in one message. */
export const KNOCKING_MAX = PEOPLE_MAX;
/** Most who may be banned from a room at once, as they are kept with it. */
export const BANS_MAX = 1_000;
/** Most entries that may be pinned at once: more are no help to who looks for them. */
export const PINS_MAX = 100;

const SECOND_MS = 1_000;

/** An open room. */
export type OpenRoom = RoomState & { readonly form: RoomForm & { readonly kind: "open" } };

/** Who does something where, and when. */
interface Deed {
  readonly room: OpenRoom;
  readonly from: Handle;
  /** `undefined`: not in the room. */
  readonly role: RoomRole | undefined;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** The same, with what the rules must know besides. */
interface Scene extends Deed {
  readonly facts: Facts;
}

/** Whether `from` may do that in the open room at `time`. */
export function ruleInOpen(
  room: OpenRoom,
  { from, what, draft: { about } }: Proposal & { readonly from: Handle },
  { facts, time }: { readonly facts: Facts; readonly time: number },
): Permitted | Refused {
  const scene = { room, from, role: roleOf(room, from, time), time, facts };
  const target = targetOf(room, { handle: from, about }, facts);
  switch (what.kind) {
    case "text":
      return whereHeard(scene, "text") ?? unlessTooSoon(scene) ?? PERMITTED;
    case "reply":
      return whereHeard(scene, "reply") ?? unlessTooSoon(scene) ?? ruleOfReply(target);
    case "file":
      return whereHeard(scene, "file") ?? unlessTooSoon(scene) ??
        ruleOfFile({ room: room.id, owner: from }, what.body, facts.file);
    case "edit":
      return whereHeard(scene, "edit") ?? ruleOfEdit(target, from, facts);
    case "reaction":
      return whereHeard(scene, "reaction") ?? ruleOfMark(target);
    case "delete": {
      if (target === undefined) return unlessMay(scene, "delete") ?? refused("noSuchEntry");
      return (target.from === from
        ? unlessMay(scene, "delete")
        : unlessMayTo(scene, "deleteOthers", target.from)) ??
        ruleOfDeletion(target);
    }
    case "pin":
      return unlessMay(scene, "pin") ?? ruleOfPin(scene, about?.sequence, what.body.on) ?? ruleOfMark(target);
    case "topic":
      return unlessMay(scene, "topic") ?? ifChanged(room.settings.topic !== what.body.topic);
    case "membership":
      return ruleOfMembership(scene, what.body);
    case "moderation":
      return ruleOfModeration(scene, what.body);
    case "room":
      return ruleOfSettlement(scene, what.body);
    case "keys":
    case "notice":
      // These are the host key's.
      return refused("badEntry");
  }
}

/** Why somebody cannot put a file into the room at `time`, however long ago they spoke; `undefined` where they can. */
export function refusalInOpen(room: OpenRoom, from: Handle, time: number): Refused | undefined {
  return whereHeard({ room, from, role: roleOf(room, from, time), time }, "file");
}

/** Why that act is not for whom it is done by; `undefined` where it may be, or is theirs for some. */
function unlessMay({ room, from, role, time }: Deed, act: ActName): Refused | undefined {
  if (rightOf(role, act) !== "no") return undefined;
  if (role === undefined) return refused(isBanned(room, from, time) ? "banned" : "notMember");
  return refused(role === "muted" ? "muted" : "notAllowed");
}

/** The same where the act is done to somebody; `undefined` for whom: to no account. */
function unlessMayTo(deed: Deed, act: ActName, handle: Handle | undefined): Refused | undefined {
  const { room, role, time } = deed;
  const refusal = unlessMay(deed, act);
  if (refusal !== undefined || role === undefined) return refusal;
  const other = handle === undefined ? undefined : roleOf(room, handle, time);
  return isBelow(role, other) ? undefined : refused("notAllowed");
}

function whereHeard(deed: Deed, act: ActName): Refused | undefined {
  const refusal = unlessMay(deed, act);
  if (refusal !== undefined) return refusal;
  return deed.room.settings.lockdown && !isOperator(deed.role) ? refused("lockdown") : undefined;
}

function unlessTooSoon({ room, role, time, facts }: Scene): Refused | undefined {
  if (facts.lastSpoke === undefined || isOperator(role)) return undefined;
  const wait = facts.lastSpoke + SECOND_MS * room.settings.slow - time;
  return wait > 0 ? { kind: "refused", code: "slowMode", wait } : undefined;
}

function ruleOfPin({ room }: Scene, sequence: number | undefined, on: boolean): Refused | undefined {
  const isPinned = sequence !== undefined && room.pins.includes(sequence);
  if (isPinned === on) return refused("unchanged");
  return on && room.pins.length >= PINS_MAX ? refused("limitReached") : undefined;
}

function ruleOfMembership(scene: Scene, body: BodyOf<"membership">): Permitted | Refused {
  switch (body.change) {
    case "join":
      // Whom the server puts where is for the host key to say.
      return body.handle === undefined && body.role === undefined ? ruleOfJoin(scene) : refused("badEntry");
    case "part":
      return body.handle === undefined ? ruleOfPart(scene) : refused("badEntry");
    case "knock":
      return ruleOfKnock(scene);
    case "invite":
      return ruleOfInvitation(scene, body.handle);
    case "uninvite":
      return ruleOfUninvitation(scene, body.handle);
    case "allow":
      return ruleOfAllowing(scene, body.handle);
    case "deny":
      return unlessMay(scene, "deny") ?? unlessKnocking(scene, body.handle) ??
        departed(body.handle, "denied");
  }
}

function ruleOfJoin(scene: Scene): Permitted | Refused {
  const { room, from, role, time } = scene;
  if (role !== undefined) return refused("unchanged");
  if (isBanned(room, from, time)) return refused("banned");
  if (room.settings.visibility === "private" && !room.invited.has(from)) return refused("private");
  if (room.settings.lockdown) return refused("lockdown");
  return unlessFull(scene, from) ?? PERMITTED;
}

function ruleOfPart({ room, from, role }: Scene): Permitted | Refused {
  if (role === undefined) {
    const isAsked = room.invited.has(from) || room.knocking.includes(from);
    return isAsked ? departed(from, "parted") : refused("notMember");
  }
  const leavesNoOwner = role === "owner" && ownersIn(room) === 1 && room.members.size > 1;
  return leavesNoOwner ? refused("notAllowed") : departed(from, "parted");
}

function ruleOfKnock({ room, from, role, time }: Scene): Permitted | Refused {
  if (role !== undefined) return refused("unchanged");
  if (isBanned(room, from, time)) return refused("banned");
  const isOpenToThem = room.settings.visibility === "public" || room.invited.has(from);
  if (isOpenToThem || room.knocking.includes(from)) return refused("unchanged");
  if (room.settings.lockdown) return refused("lockdown");
  return room.knocking.length >= KNOCKING_MAX ? refused("limitReached") : PERMITTED;
}

function ruleOfInvitation(scene: Scene, handle: Handle): Permitted | Refused {
  const { room, from, time, facts } = scene;
  const act = room.settings.visibility === "public" ? "invite" : "invitePrivately";
  const refusal = unlessMay(scene, act) ?? unlessAccount(facts, handle);
  if (refusal !== undefined) return refusal;
  if (room.members.has(handle) || room.invited.has(handle)) return refused("unchanged");
  // The ban is to be lifted first, by who may.
  if (isBanned(room, handle, time)) return refused("notAllowed");
  if (facts.blocks(from, handle)) return refused("blocked");
  const isTooMuch = room.invited.size >= INVITED_MAX || facts.asksOf(handle) >= ASKS_PER_ACCOUNT_MAX;
  return isTooMuch ? refused("limitReached") : PERMITTED;
}

function ruleOfUninvitation(scene: Scene, handle: Handle): Permitted | Refused {
  const { room, from, role } = scene;
  const refusal = unlessMay(scene, "uninvite");
  if (refusal !== undefined) return refusal;
  if (!room.invited.has(handle)) return refused("unchanged");
  const isTheirs = rightOf(role, "uninvite") === "yes" || room.invited.get(handle) === from;
  return isTheirs ? departed(handle, "uninvited") : refused("notAllowed");
}

function ruleOfAllowing(scene: Scene, handle: Handle): Permitted | Refused {
  return unlessMay(scene, "allow") ?? unlessKnocking(scene, handle) ?? unlessAccount(scene.facts, handle) ??
    unlessFull(scene, handle) ?? PERMITTED;
}

function ruleOfModeration(scene: Scene, body: BodyOf<"moderation">): Permitted | Refused {
  const { room, time, from } = scene;
  const { handle } = body;
  switch (body.act) {
    case "role":
      return handle === from ? ruleOfSteppingDown(scene, body.role) : ruleOfRole(scene, handle, body.role);
    case "kick":
      return unlessMay(scene, "kick") ?? unlessMember(scene, handle) ?? unlessMayTo(scene, "kick", handle) ??
        departed(handle, "kicked");
    case "ban":
      return ruleOfBan(scene, body);
    case "unban":
      return unlessMay(scene, "unban") ?? ifChanged(isBanned(room, handle, time));
    case "mute":
      return ruleOfMute(scene, body);
    case "unmute":
      return ruleOfUnmuting(scene, handle);
  }
}

function ruleOfSteppingDown(scene: Scene, wanted: RoomRole): Permitted | Refused {
  const { room, role } = scene;
  const refusal = unlessMay(scene, "stepDown");
  if (refusal !== undefined) return refusal;
  if (role === wanted) return refused("unchanged");
  const leavesNoOwner = role === "owner" && ownersIn(room) === 1;
  return role === undefined || !isBelow(role, wanted) || leavesNoOwner ? refused("notAllowed") : PERMITTED;
}

function ruleOfRole(scene: Scene, handle: Handle, wanted: RoomRole): Permitted | Refused {
  return unlessMay(scene, "role") ?? unlessMember(scene, handle) ?? unlessMayTo(scene, "role", handle) ??
    ifChanged(roleOf(scene.room, handle, scene.time) !== wanted);
}

function ruleOfBan(scene: Scene, body: BodyOf<"moderation"> & { act: "ban" }): Permitted | Refused {
  const { room, time, facts } = scene;
  const { handle, until, reason } = body;
  const refusal = unlessMay(scene, "ban") ?? unlessAccount(facts, handle) ??
    unlessMayTo(scene, "ban", handle);
  if (refusal !== undefined) return refusal;
  const before = room.bans.get(handle);
  const isSame = before !== undefined && before.until === until && before.reason === reason;
  if (isSame || isOver(until, time)) return refused("unchanged");
  const inForce = Array.from(room.bans.keys()).filter((each) =>
    each !== handle && isBanned(room, each, time)
  );
  if (inForce.length >= BANS_MAX) return refused("limitReached");
  const wasThere = room.members.has(handle) || room.invited.has(handle) || room.knocking.includes(handle);
  return wasThere ? departed(handle, "banned") : PERMITTED;
}

function ruleOfMute(scene: Scene, body: BodyOf<"moderation"> & { act: "mute" }): Permitted | Refused {
  const { room, time } = scene;
  const { handle, until } = body;
  const refusal = unlessMay(scene, "mute") ?? unlessMember(scene, handle) ??
    unlessMayTo(scene, "mute", handle);
  if (refusal !== undefined) return refusal;
  const isSame = roleOf(room, handle, time) === "muted" && room.members.get(handle)?.mutedUntil === until;
  return ifChanged(!isSame && !isOver(until, time));
}

function ruleOfUnmuting(scene: Scene, handle: Handle): Permitted | Refused {
  const { room, time } = scene;
  const refusal = unlessMay(scene, "unmute");
  if (refusal !== undefined || room.mutedAway.has(handle)) return refusal ?? PERMITTED;
  return unlessMember(scene, handle) ?? ifChanged(roleOf(room, handle, time) === "muted");
}

function ruleOfSettlement(scene: Scene, body: BodyOf<"room">): Permitted | Refused {
  const { settings } = scene.room;
  switch (body.act) {
    case "create":
      return refused("unchanged");
    case "rename":
      return ruleOfRenaming(scene, body.name);
    case "visibility":
      return unlessMay(scene, "visibility") ?? unlessLobby(scene) ??
        ifChanged(settings.visibility !== body.visibility);
    case "history":
      return unlessMay(scene, "history") ?? ifChanged(settings.history !== body.history);
    case "retention":
      return unlessMay(scene, "retention") ?? ifChanged(settings.retention !== body.days);
    case "slow":
      return unlessMay(scene, "slow") ?? ifChanged(settings.slow !== body.seconds);
    case "lockdown":
      return unlessMay(scene, "lockdown") ?? ifChanged(settings.lockdown !== body.on);
  }
}

function ruleOfRenaming(scene: Scene, name: string): Permitted | Refused {
  const { room: { form }, facts } = scene;
  const refusal = unlessMay(scene, "rename") ?? unlessLobby(scene);
  if (refusal !== undefined) return refusal;
  if (form.name === name) return refused("unchanged");
  // What looks like the old name is taken by this very room.
  const isOwn = skeleton(form.name) === skeleton(name);
  return !isOwn && facts.nameTaken(name) ? refused("nameTaken") : PERMITTED;
}

/** It is where everybody finds themselves at first, by its name. */
function unlessLobby({ room, facts: { provider, hostKey } }: Scene): Refused | undefined {
  return equal(room.id, lobbyId(provider, hostKey)) ? refused("notAllowed") : undefined;
}

function unlessFull({ room, facts }: Scene, handle: Handle): Refused | undefined {
  const isFull = room.members.size >= ROOM_MEMBERS_MAX || facts.roomsOf(handle) >= ROOMS_PER_ACCOUNT_MAX;
  return isFull ? refused("limitReached") : undefined;
}

function unlessAccount(facts: Facts, handle: Handle): Refused | undefined {
  return facts.isAccount(handle) ? undefined : refused("noSuchPerson");
}

function unlessMember({ room }: Scene, handle: Handle): Refused | undefined {
  return room.members.has(handle) ? undefined : refused("noSuchPerson");
}

function unlessKnocking({ room }: Scene, handle: Handle): Refused | undefined {
  return room.knocking.includes(handle) ? undefined : refused("noSuchPerson");
}

function ifChanged(isNew: boolean): Permitted | Refused {
  return isNew ? PERMITTED : refused("unchanged");
}

function departed(handle: Handle, why: Departed["why"]): Permitted {
  return { kind: "permitted", gone: [{ handle, why }] };
}

function isOver(until: number | undefined, time: number): boolean {
  return until !== undefined && until <= time;
}
