/**
 * What entries say, in few words.
 *
 * @module
 */

import type { BodyOf, EntryBody } from "../../lib/wire/entry_body.ts";

/** A text, or what else is `text`. */
export function text(said = "hello"): EntryBody {
  return { kind: "text", body: { text: said } };
}

/** A change of who is in the room. */
export function membership(body: BodyOf<"membership">): EntryBody {
  return { kind: "membership", body };
}

/** What keeps order. */
export function moderation(body: BodyOf<"moderation">): EntryBody {
  return { kind: "moderation", body };
}

/** What a room's owner settles. */
export function settlement(body: BodyOf<"room">): EntryBody {
  return { kind: "room", body };
}

/** Comes in. */
export const JOIN = membership({ change: "join" });
/** Leaves. */
export const PART = membership({ change: "part" });
/** Asks to be let in. */
export const KNOCK = membership({ change: "knock" });
/** Another text in place of one's own. */
export const EDIT: EntryBody = { kind: "edit", body: { text: "better" } };
/** An answer. */
export const REPLY: EntryBody = { kind: "reply", body: { text: "yes" } };
/** Takes away what was said. */
export const DELETE: EntryBody = { kind: "delete", body: {} };
/** A reaction. */
export const LIKE: EntryBody = { kind: "reaction", body: { reaction: "👍", on: true } };
/** Pins a message. */
export const PIN: EntryBody = { kind: "pin", body: { on: true } };
/** Takes that back. */
export const UNPIN: EntryBody = { kind: "pin", body: { on: false } };
