/**
 * What people are in a room, as far as its log is known here: who may have had something erased, and who may settle how
 * long entries are kept.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { BodyOf, EntryBody, RoomRole } from "../wire/entry_body.ts";
import { ROOM_MEMBERS_MAX } from "../wire/limits.ts";
import type { Logged } from "../wire/message.ts";
import type { LogKnowledge } from "./keepers.ts";

/** What is known of people's roles. */
export type KnownRoles = Pick<LogKnowledge, "whole" | "roles">;

/** Nothing is known: what was missed may have changed every role. */
export const NO_ROLES: KnownRoles = { whole: false, roles: new Map() };

/** The roles after an entry of the log, which says `what`. */
export function rolesAfter(known: KnownRoles, { from }: Logged, what: EntryBody): KnownRoles {
  switch (what.kind) {
    case "room":
      return from !== undefined && what.body.act === "create" && what.body.kind === "open"
        ? withRole(known, from, "owner")
        : known;
    case "membership":
      return afterMembership(known, from, what.body);
    case "moderation":
      return afterModeration(known, what.body);
    default:
      return known;
  }
}

/** Whether somebody is an owner or operator, or may be one for all that is known. */
export function mayKeepOrder({ whole, roles }: KnownRoles, handle: Handle): boolean {
  const role = roles.get(handle);
  return role === undefined ? !whole : role === "owner" || role === "operator";
}

/** Whether somebody is an owner, or may be one for all that is known. */
export function mayOwn({ whole, roles }: KnownRoles, handle: Handle): boolean {
  const role = roles.get(handle);
  return role === undefined ? !whole : role === "owner";
}

function afterMembership(
  known: KnownRoles,
  from: Handle | undefined,
  body: BodyOf<"membership">,
): KnownRoles {
  const handle = "handle" in body && body.handle !== undefined ? body.handle : from;
  if (handle === undefined) return known;
  switch (body.change) {
    case "join":
      return afterComing(known, handle, body.role);
    case "allow":
      return withRole(known, handle, "member");
    case "part":
      return withRole(known, handle, undefined);
    default:
      return known;
  }
}

/** Whoever comes where nobody is owns the room; and a room in which somebody is has an owner. */
function afterComing(known: KnownRoles, handle: Handle, role: RoomRole | undefined): KnownRoles {
  const hasOwner = Array.from(known.roles.values()).includes("owner");
  if (hasOwner) return withRole(known, handle, role ?? "member");
  return withRole(known, handle, known.whole ? "owner" : role);
}

function afterModeration(known: KnownRoles, body: BodyOf<"moderation">): KnownRoles {
  switch (body.act) {
    case "role":
      return withRole(known, body.handle, body.role);
    case "mute":
      return withRole(known, body.handle, "muted");
    case "unmute":
      return withRole(known, body.handle, "member");
    case "kick":
    case "ban":
      return withRole(known, body.handle, undefined);
    case "unban":
      return known;
  }
}

/** As many as a room has members are remembered. */
function withRole(known: KnownRoles, handle: Handle, role: RoomRole | undefined): KnownRoles {
  const roles = new Map(known.roles);
  roles.delete(handle);
  const isToldApart = role === "owner" || role === "operator" || !known.whole;
  if (role !== undefined && isToldApart) roles.set(handle, role);
  const [oldest] = roles.keys();
  if (oldest !== undefined && roles.size > ROOM_MEMBERS_MAX) roles.delete(oldest);
  return { whole: known.whole && roles.size <= ROOM_MEMBERS_MAX, roles };
}
