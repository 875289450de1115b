/**
 * The rules of entries that are about another: replies, edits, deletions, reactions and pins.
 *
 * @module
 */

import { entryHash } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import { equal } from "../wire/bytes.ts";
import { decodeBody, type EntryKind } from "../wire/entry_body.ts";
import type { Draft, Logged, Place } from "../wire/message.ts";
import { type Facts, PERMITTED, type Permitted, type Refused, refused } from "./proposal.ts";
import type { RoomState } from "./room.ts";

/** Kinds of entries that are about another: these, and no others, name it. */
const KINDS_ABOUT: ReadonlySet<EntryKind> = new Set(["reply", "edit", "delete", "reaction", "pin"]);

/** Kinds that say something to people. */
const SAYINGS: ReadonlySet<EntryKind> = new Set(["text", "reply", "file", "notice"]);

/** Kinds whose words may be replaced. */
const EDITABLE: ReadonlySet<EntryKind> = new Set(["text", "reply"]);

/** Kinds whose content may be erased; what the others say is what the room is made of. */
const ERASABLE: ReadonlySet<EntryKind> = new Set(["text", "reply", "file", "notice", "edit", "reaction"]);

/** Most edits of one entry: they are erased with it, in one step in which nobody else is served. */
export const EDITS_MAX = 100;

/** Whether a draft names an entry exactly where its kind is about one. */
export function namesAsItsKind({ kind, about }: Draft): boolean {
  return KINDS_ABOUT.has(kind) === (about !== undefined) && about?.sequence !== 0;
}

/** The entry that `handle` means by `about`, where it is there, is that very one, and may be read by them. */
export function targetOf(
  room: RoomState,
  { handle, about }: { readonly handle: Handle; readonly about: Place | undefined },
  { provider, target }: Pick<Facts, "provider" | "target">,
): Logged | undefined {
  if (about === undefined || target === undefined || target.sequence !== about.sequence) return undefined;
  const base = Math.max(room.base.sequence, room.members.get(handle)?.base ?? room.head.sequence);
  if (target.sequence <= base) return undefined;
  return equal(entryHash(provider, room.id, target), about.hash) ? target : undefined;
}

/** Whether it may be replied to: also where it was deleted meanwhile, as the reply stands for itself. */
export function ruleOfReply(target: Logged | undefined): Permitted | Refused {
  return target !== undefined && SAYINGS.has(target.kind) ? PERMITTED : refused("noSuchEntry");
}

/** Whether it may be reacted to, or pinned. */
export function ruleOfMark(target: Logged | undefined): Permitted | Refused {
  return target?.content === undefined ? refused("noSuchEntry") : ruleOfReply(target);
}

/** Whether `handle` may edit it: one's own words alone, and not without end. */
export function ruleOfEdit(
  target: Logged | undefined,
  handle: Handle,
  { edits }: Pick<Facts, "edits">,
): Permitted | Refused {
  if (target?.content === undefined || !EDITABLE.has(target.kind)) return refused("noSuchEntry");
  if (target.from !== handle) return refused("notAllowed");
  return edits >= EDITS_MAX ? refused("limitReached") : PERMITTED;
}

/** Whether it may be deleted by who has a right to: what the server itself says explains the log, so it stays. */
export function ruleOfDeletion(target: Logged): Permitted | Refused {
  if (!ERASABLE.has(target.kind)) return refused("notAllowed");
  if (target.content === undefined) return refused("unchanged");
  const said = decodeBody(target.kind, target.content.body);
  if (said?.kind === "notice" && said.body.source === "server") return refused("notAllowed");
  return { kind: "permitted", erases: target.sequence };
}
