import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { RoomState } from "../../lib/chat/room.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { examine, findingSentence } from "../../lib/store/doctor.ts";
import { loadOrMakeHostKey } from "../../lib/store/host_key_file.ts";
import { LogRows } from "../../lib/store/log_rows.ts";
import type { RoomStore } from "../../lib/store/room_store.ts";
import { openRoomsFile } from "../../lib/store/rooms_file.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BEN, NOW, octets, openRooms, SpokenRoom } from "./spoken_room.ts";
import { folderTest, namesIn } from "./temporary_folder.ts";

const PARTS = { provider, entropy: systemEntropy };

patientTest(
  "a data folder in which nothing is amiss has no findings, also while a server uses it",
  async (folder, room) => {
    const store = await openRooms(folder);
    await store.log.change([room.say("more"), ...room.remove(2), room.trim(1)]);
    deepEqual(await sentences(folder), []);
    store.close();
    deepEqual(await sentences(folder), []);
  },
);

patientTest("attack 42: rows changed, removed or swapped are named by room and number", async (folder) => {
  const database = new DatabaseSync(`${folder}/rooms.db`);
  const row = (sequence: number) =>
    database.prepare("SELECT sealed FROM entries WHERE room = 1 AND sequence = ?")
      .get(sequence)?.["sealed"] ?? null;
  const put = (sequence: number, sealed: ReturnType<typeof row>) =>
    database.prepare("UPDATE entries SET sealed = ? WHERE room = 1 AND sequence = ?").run(sealed, sequence);
  const [five, six] = [row(5), row(6)];
  put(5, six);
  put(6, five);
  put(8, octets(300, 1));
  database.exec("DELETE FROM entries WHERE room = 1 AND sequence IN (3, 10)");
  database.exec("UPDATE entries SET time = time + 1 WHERE room = 1 AND sequence = 9");
  database.exec("DELETE FROM entry_ids WHERE room = 1 AND sequence = 2");
  database.close();
  deepEqual(await sentences(folder), [
    "Entry #2 of #room1 is not found by its id.",
    "Entry #3 of #room1 is missing.",
    "Entries #5 to #6 of #room1 were altered or put in others' places.",
    "Entry #8 of #room1 was altered or put in another's place.",
    "Entry #9 of #room1 has a time that cannot be right.",
    "Entry #10 of #room1 is missing.",
  ]);
});

patientTest(
  "attack 42: whoever has the key and rewrites a log is found by its chain",
  async (folder, room) => {
    const cases: readonly (readonly [(entry: Logged) => Logged, readonly string[]])[] = [
      [(entry) => ({ ...entry, signature: octets(64, 1) }), [
        "Entry #6 of #room1 does not follow on the one before it.",
      ]],
      [
        (entry) => ({ ...entry, previous: octets(32, 1) }),
        ["Entries #5 to #6 of #room1 do not follow on the ones before them."],
      ],
      [
        (entry) => ({ ...entry, content: { salt: octets(32, 1), body: octets(5, 1) } }),
        ["Entry #5 of #room1 does not say what its author signed."],
      ],
      [
        ({ content: _, ...entry }) => entry,
        ["Entry #5 of #room1 says nothing, though nobody had that erased."],
      ],
      [
        ({ content: _, ...entry }) => ({ ...entry, erasedBy: 6 }),
        ["Entry #5 of #room1 says nothing, though nobody had that erased."],
      ],
      [(entry) => entry, []],
    ];
    const original = room.entries[4];
    ok(original);
    for (const [change, expected] of cases) {
      await rewritten(folder, room.state, change(original));
      deepEqual(await sentences(folder), expected);
    }
    const last = room.entries.at(-1);
    ok(last);
    await rewritten(folder, room.state, { ...last, signature: octets(64, 1) });
    deepEqual(await sentences(folder), ["Entry #10 of #room1 is not the last entry that the room knows of."]);
  },
);

patientTest("what was erased and is there again is named, edits included", async (folder, room) => {
  const [second] = room.entries.slice(1);
  ok(second);
  const store = await openRooms(folder);
  const edit = room.add({ kind: "edit", body: { text: "edited" } }, { about: 2 });
  await store.log.change([edit, ...room.remove(2)]);
  store.close();
  deepEqual(await sentences(folder), []);
  await rewritten(folder, room.state, second);
  ok(edit.kind === "append");
  await rewritten(folder, room.state, edit.entry);
  deepEqual(await sentences(folder), [
    "Entry #2 of #room1 still says what was to be erased.",
    "Entry #11 of #room1 still says what was to be erased.",
  ]);
});

patientTest("files that are gone, cut or changed are named, with their room", async (folder) => {
  const path = (mark: number): string => `${folder}/files/${octets(16, mark).toHex()}`;
  await Deno.remove(path(1));
  await Deno.truncate(path(2), 100);
  using file = await Deno.open(path(3), { write: true });
  await file.seek(50, Deno.SeekMode.Start);
  await file.write(octets(3, 1));
  await Deno.truncate(path(5), 0);
  const database = new DatabaseSync(`${folder}/rooms.db`);
  database.prepare("UPDATE files SET sealed = ? WHERE id = ?").run(octets(100, 1), octets(16, 4));
  database.close();
  const name = (mark: number): string => octets(16, mark).toHex();
  deepEqual(await sentences(folder), [
    `File ${name(1)} of #room1 is not there.`,
    `File ${name(2)} of #room1 has too many octets or too few.`,
    `File ${name(3)} of #room1 has other octets than were put there.`,
    `File ${name(4)} of a room that is not known is not known any more: its row was altered.`,
    `File ${name(5)} of #room1 has too many octets or too few.`,
  ]);
});

patientTest("rooms, marks and blocks that do not open are told", async (folder) => {
  const database = new DatabaseSync(`${folder}/rooms.db`);
  database.prepare("UPDATE rooms SET state = ? WHERE number = 2").run(octets(100, 1));
  database.prepare("UPDATE marks SET sealed = ? WHERE room = 1").run(octets(100, 1));
  database.prepare("UPDATE blocks SET sealed = ?").run(octets(100, 1));
  database.close();
  deepEqual(await sentences(folder), [
    "A room does not open, so that its log cannot be read: row 2 of rooms.db.",
    "1 rows of marks do not open.",
    "1 rows of blocks do not open.",
  ]);
});

patientTest("attack 22: files that others can reach are told", async (folder) => {
  await Deno.chmod(`${folder}/host_key.pem`, 0o644);
  await Deno.chmod(`${folder}/files/${"01".repeat(16)}`, 0o640);
  deepEqual(await sentences(folder), [
    `Others on this machine can reach ${folder}/host_key.pem (mode 0644).`,
    `Others on this machine can reach ${folder}/files/${"01".repeat(16)} (mode 0640).`,
  ]);
  await Deno.chmod(`${folder}/rooms.db`, 0o644);
  deepEqual((await sentences(folder)).slice(1), [
    `Cannot use the rooms in ${folder}/rooms.db: others on this machine can reach it (mode 0644); ` +
    `run: chmod 600 ${folder}/rooms.db`,
  ]);
});

patientTest("a database that is damaged is told by SQLite's own words", async (folder) => {
  const database = new DatabaseSync(`${folder}/rooms.db`);
  const root = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'entries_by_time'").get();
  database.close();
  using file = await Deno.open(`${folder}/rooms.db`, { write: true });
  await file.seek((Number(root?.["rootpage"]) - 1) * 4_096, Deno.SeekMode.Start);
  await file.write(octets(4_096, 0xff));
  const found = await sentences(folder);
  ok(found.length > 0);
  for (const sentence of found) {
    ok(sentence.startsWith(`${folder}/rooms.db is damaged: `) && !sentence.includes("␊"), sentence);
  }
});

folderTest("an examination makes nothing, and names what is not there", async (folder) => {
  deepEqual(await sentences(folder), [
    `${folder}/host_key.pem is not there.`,
    `${folder}/accounts.db is not there.`,
    `${folder}/rooms.db is not there.`,
  ]);
  deepEqual(await namesIn(folder), []);
});

patientTest("where the key is another or missing, that is the finding", async (folder) => {
  const other = { dataDir: folder, keyFile: `${folder}/other` };
  const found = [];
  for await (const finding of examine(other, PARTS)) found.push(finding);
  deepEqual(found.map(({ kind }) => kind), ["unusable"]);
  await Deno.writeTextFile(`${folder}/other`, "07".repeat(32), { mode: 0o600 });
  const sentence = [];
  for await (const finding of examine(other, PARTS)) sentence.push(findingSentence(finding));
  ok(sentence[0]?.includes("sealed under another key"));
  equal(sentence.length, 1);
});

/** Declares a test of a data folder with two rooms of ten entries, four whole files and one begun. */
function patientTest(name: string, body: (folder: string, room: SpokenRoom) => Promise<void>): void {
  folderTest(name, async (folder) => {
    await loadOrMakeHostKey(folder, systemEntropy);
    (await openAccountDatabase(folder)).close();
    const store = await openRooms(folder);
    const [room, other] = [new SpokenRoom(1), new SpokenRoom(2)];
    for (let at = 0; at < 10; at++) await store.log.change([room.say(`text ${at}`), other.say(`text ${at}`)]);
    await store.log.change([{ kind: "marks", room: room.state.id, handle: ANN, delivered: 1, read: 1 }]);
    await store.log.setBlock(ANN, BEN, true);
    for (const mark of [1, 2, 3, 4, 5]) await putFile(store, room.state, mark);
    store.close();
    await body(folder, room);
  });
}

async function putFile({ files }: RoomStore, room: RoomState, mark: number): Promise<void> {
  const [id, content] = [octets(16, mark), systemEntropy(1_000)];
  const sha256 = provider.sha256Now(content);
  await files.begin({ id, room: room.id, owner: ANN, size: 1_000, sha256, begun: NOW });
  await files.write(id, 0, content);
  if (mark === 5) await files.flush(id);
  else equal(await files.finish(id), true);
}

/** Puts `entry` in its place, as whoever has the key can. */
async function rewritten(folder: string, room: RoomState, entry: Logged): Promise<void> {
  const file = await openRoomsFile({ dataDir: folder, keyFile: undefined }, PARTS);
  const rows = new LogRows(file.seal, systemEntropy);
  file.database.change((database) => {
    const { sequence } = entry;
    const { edits, number } = database.prepare("SELECT * FROM entries WHERE room = 1 AND sequence = ?")
      .get(sequence) ?? {};
    database.prepare("DELETE FROM entries WHERE number = ?").run(number ?? null);
    database.prepare("DELETE FROM entry_ids WHERE id = ?").run(entry.id);
    for (const place of rows.placesFor(database, 1)) {
      rows.addEntry(database, { number: 1, id: room.id }, { entry, place });
    }
    database.prepare("UPDATE entries SET edits = ? WHERE room = 1 AND sequence = ?").run(
      edits ?? null,
      sequence,
    );
  });
  file.database.close();
}

async function sentences(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const finding of examine({ dataDir: folder, keyFile: undefined }, PARTS)) {
    found.push(findingSentence(finding));
  }
  return found;
}
