/**
 * A lobby with a long log, written straight into the store: what takes clients and a server hours to say is there within
 * minutes.
 *
 * @module
 */

import type { LogChange } from "../lib/chat/log_port.ts";
import type { RoomState } from "../lib/chat/room.ts";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import type { Provider } from "../lib/crypto/port.ts";
import { entryId } from "../lib/identity/entry_id.ts";
import { claimOf, contentDigest, NOWHERE, placeOf, signEntry } from "../lib/identity/log_entry.ts";
import { openRoomStore } from "../lib/store/room_store.ts";
import type { Handle } from "../lib/text/handle.ts";
import { encodeBody } from "../lib/wire/entry_body.ts";
import { LOBBY, type Logged, SALT_BYTES } from "../lib/wire/message.ts";
import type { OwnKeys } from "../lib/client/keepers.ts";

/** How many entries one change stores: fewer would wait for the disk, more would fill memory. */
const CHANGE_ENTRIES = 2_000;

/** Milliseconds between two entries: a million span eleven days. */
const STEP_MS = 1_000;

/** Whose entries they are. */
export interface Author {
  readonly handle: Handle;
  readonly keys: OwnKeys;
}

/**
 * Adds texts of `author`, the last of them written now, until the lobby of the server in `dataDir`, which does not run,
 * has `count` entries. All but the newest hundred of them are signed by nobody: what is measured does not verify them.
 */
export async function lengthenLobby(
  dataDir: string,
  { provider, author, count }: {
    readonly provider: Provider;
    readonly author: Author;
    readonly count: number;
  },
): Promise<void> {
  const key = await provider.ed25519SigningKey(author.keys.deviceSeed);
  const store = await openRoomStore({ dataDir, keyFile: undefined }, { provider, entropy: systemEntropy });
  try {
    let room = lobbyOf(await store.log.rooms());
    const missing = count - room.head.sequence;
    for (let done = 0; done < missing;) {
      const changes: LogChange[] = [];
      for (; changes.length < CHANGE_ENTRIES && done < missing; done++) {
        const time = Math.max(room.headTime, Date.now() - (missing - done) * STEP_MS);
        const unsigned = entryAfter(room, { provider, author, device: key.publicKey, time });
        const isRead = missing - done <= 100;
        const signature = isRead ? await signEntry(key, claimOf(room.id, unsigned)) : unsigned.signature;
        const entry = { ...unsigned, signature };
        room = { ...room, head: placeOf(provider, room.id, entry), headTime: time };
        changes.push({ kind: "append", room, entry });
      }
      await store.log.change(changes);
    }
  } finally {
    store.close();
  }
}

function lobbyOf(rooms: readonly RoomState[]): RoomState {
  const lobby = rooms.find(({ form }) => form.kind === "open" && form.name === LOBBY);
  if (lobby === undefined) throw new Error("the server has made its lobby");
  return lobby;
}

function entryAfter(
  room: RoomState,
  { provider, author, device, time }: {
    readonly provider: Provider;
    readonly author: Author;
    readonly device: Logged["device"];
    readonly time: number;
  },
): Logged {
  const { sequence, hash } = room.head;
  const text = `what was said as number ${sequence + 1}, about as long as people's lines are`;
  const content = { salt: systemEntropy(SALT_BYTES), body: encodeBody({ kind: "text", body: { text } }) };
  return {
    sequence: sequence + 1,
    time,
    previous: hash,
    id: entryId(time, systemEntropy),
    kind: "text",
    from: author.handle,
    device,
    seen: NOWHERE,
    digest: contentDigest(provider, content),
    signature: new Uint8Array(64),
    content,
  };
}
