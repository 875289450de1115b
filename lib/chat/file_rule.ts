/**
 * The rule of entries that put a file into a room.
 *
 * @module
 */

import { isFileName } from "../text/file_name.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { type BodyOf, decodeBody } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import type { FileOfEntry, KeptFile } from "./file_port.ts";
import { PERMITTED, type Permitted, type Refused, refused } from "./proposal.ts";

/** The files that entries put into a room; nothing is known of those that were erased before. */
export function filesOf(entries: readonly Logged[]): readonly FileOfEntry[] {
  return entries.flatMap(({ kind, content, from }) => {
    const what = content === undefined || kind !== "file" ? undefined : decodeBody(kind, content.body);
    return what?.kind === "file" ? [{ id: what.body.file, owner: from }] : [];
  });
}

/** Whether `said` is of the file that its author has put whole into that very room. */
export function ruleOfFile(
  { room, owner }: { readonly room: Bytes; readonly owner: Handle },
  said: BodyOf<"file">,
  kept: KeptFile | undefined,
): Permitted | Refused {
  if (!isFileName(said.name)) return refused("badEntry");
  const isTheirs = kept !== undefined && kept.done && kept.owner === owner && equal(kept.room, room) &&
    equal(kept.id, said.file);
  if (!isTheirs) return refused("noSuchFile");
  return kept.size === said.size && equal(kept.sha256, said.sha256) ? PERMITTED : refused("badEntry");
}
