/**
 * Who may begin to put a file into a room: whoever could say something there.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { FaultCode } from "../wire/message.ts";
import { refusalInDirect } from "./direct_rules.ts";
import { refusalInOpen } from "./open_rules.ts";
import type { Facts } from "./proposal.ts";
import type { RoomState } from "./room.ts";

/** Why `handle` may not put a file into the room at `time`, milliseconds since 1970; `undefined` where they may. */
export function refusalToPut(
  room: RoomState,
  handle: Handle,
  { facts, time }: { readonly facts: Pick<Facts, "isAccount" | "blocks">; readonly time: number },
): FaultCode | undefined {
  const { form } = room;
  const refusal = form.kind === "direct"
    ? refusalInDirect({ ...room, form }, handle, facts)
    : refusalInOpen({ ...room, form }, handle, time);
  return refusal?.code;
}
