/**
 * The logs that a server has left on its disk, read without it.
 *
 * @module
 */

import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { openRoomStore } from "../../lib/store/room_store.ts";
import { decodeBody } from "../../lib/wire/entry_body.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import type { LogLine } from "../simulation/checker.ts";

/** All open rooms of the server in `dataDir`, by their names, from their first entries on. */
export async function logsIn(dataDir: string): Promise<ReadonlyMap<string, readonly LogLine[]>> {
  const parts = { provider, entropy: systemEntropy };
  const store = await openRoomStore({ dataDir, keyFile: undefined }, parts);
  try {
    const logs = new Map<string, readonly LogLine[]>();
    for (const { id, form, head } of await store.log.rooms()) {
      if (form.kind === "direct") continue;
      const entries = await store.log.entries(id, { from: 1, to: head.sequence });
      logs.set(form.name, entries.map(lineOf));
    }
    return logs;
  } finally {
    store.close();
  }
}

function lineOf({ sequence, id, from, kind, content }: Logged): LogLine {
  const what = content === undefined ? undefined : decodeBody(kind, content.body);
  const text = what?.kind === "text" || what?.kind === "reply" ? what.body.text : undefined;
  return { sequence, id: id.toHex(), from, text, erased: content === undefined };
}
