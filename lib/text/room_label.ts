/**
 * How people name rooms: `#name`, or `@handle` for the conversation with one person.
 *
 * @module
 */

import * as v from "valibot";
import { RoomNameSchema } from "../wire/entry_body.ts";
import { handleFault } from "./handle.ts";

/**
 * The sentence, safe for a terminal and without a full stop, that says why `text` names no room; `undefined` where it
 * does. Whether there is such a room is another question.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { roomLabelFault } from "./room_label.ts";
 * equal(roomLabelFault("#lobby"), undefined);
 * equal(roomLabelFault("@ben"), undefined);
 * equal(roomLabelFault("lobby"), 'Cannot use "lobby" as a room: rooms are #name, people @name; use "#lobby"');
 * ```
 */
export function roomLabelFault(text: string): string | undefined {
  if (v.safeParse(RoomNameSchema, text).success) return undefined;
  const name = text.replace(/^[#@]/, "");
  const fault = handleFault(name);
  if (fault !== undefined) return fault.replace(" as a name:", " as the name of a room:");
  if (text.startsWith("@")) return undefined;
  return `Cannot use "${name}" as a room: rooms are #name, people @name; use "#${name}"`;
}
