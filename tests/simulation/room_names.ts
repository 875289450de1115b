/**
 * What rooms are called by people, and who they are.
 *
 * @module
 */

import { directId } from "../../lib/identity/room_id.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { MemoryLog } from "../chat/memory_log.ts";
import { HOST_KEY } from "./people.ts";
import { simulatedProvider } from "./simulated_provider.ts";

const provider = simulatedProvider();

/** The id of the room that somebody calls so, in hex; the label itself where there is no such room. */
export function roomNamed(logs: MemoryLog, name: Handle, label: string): string {
  const other = label.startsWith("@") ? parseHandle(label.slice(1)) : undefined;
  if (other !== undefined) return directId(provider, HOST_KEY.publicKey, [name, other]).toHex();
  const named = logs.states.find(({ form }) => form.kind === "open" && form.name === label);
  return named?.id.toHex() ?? label;
}
