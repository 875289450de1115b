import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { LogDatabase } from "../../lib/store/log_database.ts";
import { openRoomsFile } from "../../lib/store/rooms_file.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { octets, openRooms, SpokenRoom } from "./spoken_room.ts";
import { folderTest } from "./temporary_folder.ts";

const ALL = { from: 1, to: 1_000_000 };

folderTest(
  "attack 29: on a full disk nothing is half done, and all goes on when there is room",
  async (folder) => {
    const place = { dataDir: folder, keyFile: undefined };
    const file = await openRoomsFile(place, { provider, entropy: systemEntropy });
    const log = new LogDatabase(file, systemEntropy);
    const room = new SpokenRoom(1);
    await log.change([room.say("a"), room.say("b")]);
    const before = room.state;
    const pages = (count: string): unknown =>
      file.database.read((database) => database.prepare(`PRAGMA max_page_count = ${count}`).get());
    pages("1");
    const changes = Array.from({ length: 50 }, (_, at) => room.say("x".repeat(1_000 + at)));
    for (let time = 0; time < 3; time++) {
      await rejects(log.change(changes), {
        name: "Failure",
        exit: "cannotCreate",
        message: `Cannot use the rooms in ${folder}/rooms.db: the disk is full; make room.`,
      });
      deepEqual(await log.rooms(), [before]);
      deepEqual((await log.entries(before.id, ALL)).map(({ sequence }) => sequence), [1, 2]);
      equal(await log.placeOfId(room.entries[2]?.id ?? octets(16, 0)), undefined);
    }
    pages("4294967294");
    await log.change(changes);
    file.database.close();
    const again = await openRooms(folder);
    deepEqual(await again.log.rooms(), [room.state]);
    deepEqual(await again.log.entries(before.id, ALL), room.entries);
    again.close();
  },
);

folderTest(
  "attack 29: where the system refuses to write, what was taken is there, and what was not is not",
  async (folder) => {
    const kilobytes = 1_500;
    const [pieces, pieceSentence, durable, entries, entrySentence] = await limited(folder, kilobytes);
    equal(
      entrySentence,
      `Cannot use the rooms in ${folder}/rooms.db: it cannot be written; make the file and its ` +
        "folder writable, or choose another folder with --data-dir.",
    );
    equal(
      pieceSentence,
      `Cannot keep files in ${folder}/files: File too large (os error 27); make room there, or the folder writable.`,
    );
    const store = await openRooms(folder);
    const room = new SpokenRoom(1);
    const kept = await store.log.entries(room.state.id, ALL);
    equal(kept.length, Number(entries));
    ok(kept.length > 10, `${kept.length} entries were taken`);
    equal((await store.log.rooms())[0]?.head.sequence, kept.length);
    const file = await store.files.find(octets(16, 1));
    equal(file?.have, Number(durable));
    equal(file?.have, Number(pieces) * FILE_CHUNK_BYTES);
    ok(Number(pieces) > 10, `${pieces} pieces were taken`);
    // There is room again.
    const [state] = await store.log.rooms();
    ok(state);
    room.state = state;
    await store.log.change([room.say("again")]);
    await store.files.write(octets(16, 1), file?.have ?? 0, systemEntropy(FILE_CHUNK_BYTES));
    equal(await store.files.flush(octets(16, 1)), (file?.have ?? 0) + FILE_CHUNK_BYTES);
    store.close();
  },
);

folderTest(
  "attack 29: where another program keeps the database locked, it is told so, and later it goes on",
  async (folder) => {
    const store = await openRooms(folder);
    const room = new SpokenRoom(1);
    await store.log.change([room.say("a")]);
    const before = room.state;
    const other = new DatabaseSync(`${folder}/rooms.db`);
    other.exec("BEGIN IMMEDIATE");
    const change = room.say("b");
    await rejects(store.log.change([change]), {
      exit: "temporary",
      message:
        `Cannot use the rooms in ${folder}/rooms.db: another program keeps it locked; end that one, or try again.`,
    });
    deepEqual(await store.log.rooms(), [before]);
    other.exec("ROLLBACK");
    other.close();
    await store.log.change([change]);
    deepEqual(await store.log.entries(before.id, ALL), room.entries);
    store.close();
  },
);

folderTest("a damaged file is told where it is met, and start-up does not read all of it", async (folder) => {
  const store = await openRooms(folder);
  const room = new SpokenRoom(1);
  for (let at = 0; at < 40; at++) await store.log.change([room.say("x".repeat(3_000))]);
  store.close();
  const database = new DatabaseSync(`${folder}/rooms.db`);
  const root = Number(
    database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'entries'").get()?.["rootpage"],
  );
  database.close();
  using file = await Deno.open(`${folder}/rooms.db`, { write: true });
  await file.seek((root - 1) * 4_096, Deno.SeekMode.Start);
  await file.write(octets(4_096, 0xff));
  const again = await openRooms(folder);
  await rejects(again.log.entries(room.state.id, ALL), {
    name: "Failure",
    exit: "data",
    message: `Cannot use the rooms in ${folder}/rooms.db: the file is damaged; put back your copy of it.`,
  });
  await rejects(again.log.change([room.say("y")]), { name: "Failure", exit: "data" });
  deepEqual((await again.log.rooms()).length, 1);
  again.close();
});

/** What limited_writer.ts prints where no file may be longer. */
async function limited(folder: string, kilobytes: number): Promise<readonly string[]> {
  const program = new URL("./limited_writer.ts", import.meta.url).pathname;
  const deno = [
    ...[Deno.execPath(), "run", "--quiet", "--lock=tests/deno.lock", "--frozen", "--no-prompt"],
    ...[`--allow-read=${folder}`, `--allow-write=${folder}`, program, folder],
  ];
  // What is over the limit is refused by an error, as a full disk does, since Python ignores the signal.
  const python = "import os, resource, sys; limit = int(sys.argv[1]) * 1024; " +
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); os.execv(sys.argv[2], sys.argv[2:])";
  const { stdout, success } = await new Deno.Command("python3", {
    args: ["-c", python, String(kilobytes), ...deno],
    stderr: "inherit",
  }).output();
  ok(success);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}
