import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { LOCKED_MS_MAX } from "../../lib/store/database_file.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { ANN, BEN, NOW, octets, openRooms, SpokenRoom } from "./spoken_room.ts";
import { folderTest, namesIn } from "./temporary_folder.ts";

/** Slots of one block of secrets, 32 octets each. */
const BLOCK_SLOTS = 126;

folderTest("nothing opens what was erased or dropped: its secret is nowhere in the files", async (folder) => {
  const store = await openRooms(folder);
  const rooms = [1, 2, 3, 4, 5].map((mark) => new SpokenRoom(mark));
  const gone: Bytes[] = [];
  for (let round = 1; round <= 60; round++) {
    // Rows of many lengths, so that SQLite moves them from page to page.
    const said = rooms.flatMap((room, at) => [
      room.say("x".repeat((round * 37 + at * 101) % 900 + 1)),
      room.say("y".repeat(round % 7 === at ? 6_000 : 20)),
    ]);
    await store.log.change(said);
    const room = rooms[round % rooms.length] ?? rooms[0];
    ok(room);
    const erased = round * 2 - 7;
    if (round % 6 === 0) {
      gone.push(...secretsOf(folder, `room = ${round % rooms.length + 1} AND sequence <= ${round}`));
      await store.log.change([room.trim(round)]);
    } else if (erased > room.state.base.sequence) {
      gone.push(...secretsOf(folder, `room = ${round % rooms.length + 1} AND sequence = ${erased}`));
      await store.log.change(room.remove(erased));
    }
  }
  ok(gone.length > 200, `${gone.length} are gone`);
  const kept = secretsOf(folder, "true");
  // While the database is open, as a thief of the disk would find it.
  await store.log.change([rooms[0]?.say("z")].flatMap((change) => change ?? []));
  equal((await Deno.stat(`${folder}/rooms.db-wal`)).size > 0, true, "the log beside the file is in use");
  equal(await found(folder, kept), kept.length, "what is kept is found by the same search");
  equal(await found(folder, gone), 0);
  for (const room of rooms) {
    const entries = await store.log.entries(room.state.id, { from: 1, to: 1_000 });
    equal(entries.length, room.state.head.sequence - room.state.base.sequence);
  }
  store.close();
});

folderTest("nothing opens a file that was removed, whatever of it is left on the disk", async (folder) => {
  const store = await openRooms(folder);
  const put = async (mark: number): Promise<Bytes> => {
    const id = octets(16, mark);
    await store.files.begin({ id, room: id, owner: ANN, size: 10, sha256: octets(32, 1), begun: NOW });
    return id;
  };
  const [first, second] = [await put(1), await put(2)];
  const secrets = blocksIn(folder, "file_secrets", [1, 2]);
  await store.files.remove(first);
  equal(await found(folder, secrets), 1);
  equal((await store.files.find(second))?.size, 10);
  store.close();
});

folderTest(
  "a file goes by the same change as its entry, and its octets at the next start at the latest",
  async (folder) => {
    const store = await openRooms(folder);
    const room = new SpokenRoom(1);
    await store.log.change([room.say("a")]);
    const id = octets(16, 7);
    const begun = { id, room: room.state.id, owner: ANN, size: 10, sha256: octets(32, 1), begun: NOW };
    await store.files.begin(begun);
    const secrets = blocksIn(folder, "file_secrets", [1]);
    const gone = (owner: typeof ANN, where = room.state.id) =>
      ({ kind: "files", room: where, gone: [{ id, owner }] }) as const;
    await store.log.change([...room.remove(1), gone(BEN)]);
    equal((await store.files.find(id))?.size, 10, "another's of that id stays");
    await store.log.change([room.say("b"), ...room.remove(3), gone(ANN)]);
    equal(await store.files.find(id), undefined);
    equal(await found(folder, secrets), 0);
    equal((await Deno.stat(`${folder}/files/${id.toHex()}`)).isFile, true);
    await store.files.remove(id);
    deepEqual(await namesIn(`${folder}/files`), []);
    await store.files.begin(begun);
    await store.log.change([gone(ANN)]);
    store.close();
    (await openRooms(folder)).close();
    deepEqual(await namesIn(`${folder}/files`), []);
  },
);

folderTest("somebody who reads meanwhile delays the clearing, and neither waits", async (folder) => {
  const store = await openRooms(folder);
  const room = new SpokenRoom(1);
  await store.log.change([room.say("a"), room.say("b")]);
  const gone = secretsOf(folder, "sequence = 1");
  const reader = new DatabaseSync(`${folder}/rooms.db`);
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM entries").get();
  const start = performance.now();
  await store.log.change(room.remove(1));
  ok(performance.now() - start < LOCKED_MS_MAX, "nobody waited");
  equal(await found(folder, gone), 1, "the reader's view of it is kept");
  reader.exec("COMMIT");
  reader.close();
  await store.log.change([room.say("c")]);
  equal(await found(folder, gone), 0);
  store.close();
});

folderTest(
  "what a server that was killed had erased and not cleared is cleared at the next start",
  async (folder) => {
    const store = await openRooms(folder);
    const room = new SpokenRoom(1);
    await store.log.change([room.say("a"), room.say("b")]);
    const gone = secretsOf(folder, "sequence = 1");
    const reader = new DatabaseSync(`${folder}/rooms.db`);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM entries").get();
    await store.log.change(room.remove(1));
    // What is on the disk at that moment is what a kill leaves.
    const left = `${folder}/left`;
    await Deno.mkdir(left, { mode: 0o700 });
    for (const name of ["rooms.db", "rooms.db-wal", "rest.key"]) {
      await Deno.copyFile(`${folder}/${name}`, `${left}/${name}`);
    }
    reader.exec("COMMIT");
    reader.close();
    store.close();
    equal(await found(left, gone), 1);
    const again = await openRooms(left);
    equal(await found(left, gone), 0);
    equal((await again.log.entries(room.state.id, { from: 1, to: 3 })).length, 3);
    again.close();
  },
);

folderTest("an entry that does not open goes altogether when it is erased", async (folder) => {
  const room = new SpokenRoom(1);
  const store = await openRooms(folder);
  await store.log.change([room.say("a"), room.say("b")]);
  const other = new DatabaseSync(`${folder}/rooms.db`);
  other.prepare("UPDATE entries SET sealed = ? WHERE sequence = 1").run(systemEntropy(200));
  await store.log.change(room.remove(1));
  deepEqual(
    other.prepare("SELECT sequence FROM entries ORDER BY sequence").all().map((row) => row["sequence"]),
    [2, 3],
  );
  other.close();
  store.close();
});

/** The secrets of the rows of entries for which the condition holds. */
function secretsOf(folder: string, condition: string): readonly Bytes[] {
  const database = new DatabaseSync(`${folder}/rooms.db`);
  const numbers = database.prepare(`SELECT number FROM entries WHERE ${condition}`).all();
  database.close();
  return blocksIn(folder, "entry_secrets", numbers.map((row) => Number(row["number"])));
}

function blocksIn(folder: string, table: string, numbers: readonly number[]): readonly Bytes[] {
  const database = new DatabaseSync(`${folder}/rooms.db`);
  const blocks = database.prepare(`SELECT secrets FROM ${table} ORDER BY block`).all()
    .map((row) => row["secrets"]);
  database.close();
  return numbers.map((number) => {
    const block = blocks[Math.floor((number - 1) / BLOCK_SLOTS)];
    ok(block instanceof Uint8Array);
    const offset = (number - 1) % BLOCK_SLOTS * 32;
    return new Uint8Array(block.slice(offset, offset + 32));
  });
}

/** How many of the secrets are in the database or the log beside it. */
async function found(folder: string, secrets: readonly Bytes[]): Promise<number> {
  const latin1 = new TextDecoder("latin1");
  const files = await Promise.all(
    ["rooms.db", "rooms.db-wal"].map(async (name) => latin1.decode(await Deno.readFile(`${folder}/${name}`))),
  );
  return secrets.filter((secret) => files.some((file) => file.includes(latin1.decode(secret)))).length;
}
