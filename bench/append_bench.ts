import type { LogChange } from "../lib/chat/log_port.ts";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import { openRoomStore } from "../lib/store/room_store.ts";
import { entry, nextChange, provider, room as emptyRoom } from "./sample_log.ts";

const FOLDER = ".sotto/bench";

/** Entries that one change stores, durably: what waits while the disk is busy shares the next. */
const COUNTS = [1, 16, 256] as const;

await Deno.mkdir(FOLDER, { recursive: true, mode: 0o700 });
const folder = await Deno.makeTempDir({ dir: FOLDER });
const store = await openRoomStore({ dataDir: `${folder}/server`, keyFile: undefined }, {
  provider,
  entropy: systemEntropy,
});
globalThis.addEventListener("unload", () => {
  store.close();
  Deno.removeSync(folder, { recursive: true });
});

let room = emptyRoom;

for (const count of COUNTS) {
  Deno.bench(`append ${count} in one change`, async (bench) => {
    const changes: LogChange[] = [];
    for (let at = 0; at < count; at++) {
      const change = nextChange(room, entry);
      room = change.room;
      changes.push(change);
    }
    bench.start();
    await store.log.change(changes);
    bench.end();
  });
}
