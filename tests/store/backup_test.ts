import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { makeBackup, restoreBackup } from "../../lib/store/backup.ts";
import { examine } from "../../lib/store/doctor.ts";
import { loadOrMakeHostKey } from "../../lib/store/host_key_file.ts";
import { openRoomStore, type RoomStore } from "../../lib/store/room_store.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, NOW, octets, openRooms, SpokenRoom } from "./spoken_room.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const ALL = { from: 1, to: 1_000_000 };
const WHOLE = ["accounts.db", "backup.json", "files", "host_key.pem", "rest.key", "rooms.db"];

folderTest(
  "what was put back from a backup is what was there, and rooms know where they begin anew",
  async (folder) => {
    const [dataDir, to, again] = [`${folder}/data`, `${folder}/backup`, `${folder}/again`];
    const { store, rooms: [one, two] } = await served(dataDir);
    const kept = await putFile(store, 1, 20_000, "whole");
    await putFile(store, 2, 20_000, "begun");
    const told = { made: NOW, restKey: "inside", accounts: 1, rooms: 2, files: 1 };
    deepEqual(await makeBackup({ dataDir, to, now: NOW }), told, "while the server goes on");
    const [before, entries] = [one.state, one.entries.slice()];
    await store.log.change([one.say("after")]);
    store.close();
    deepEqual(await namesIn(to), WHOLE);
    for (const name of WHOLE) equal(await modeOf(`${to}/${name}`), name === "files" ? 0o700 : 0o600, name);

    deepEqual(await restoreBackup({ from: to, dataDir: again }), { ...told, missing: [] });
    deepEqual(await namesIn(again), WHOLE.filter((name) => name !== "backup.json"));
    equal(
      await Deno.readTextFile(`${again}/host_key.pem`),
      await Deno.readTextFile(`${dataDir}/host_key.pem`),
    );
    for await (const finding of examine({ dataDir: again, keyFile: undefined }, parts)) {
      ok(
        false,
        finding.kind,
      );
    }
    const restored = await openRooms(again);
    deepEqual(await restored.log.rooms(), [before, two.state]);
    deepEqual(await restored.log.entries(before.id, ALL), entries);
    deepEqual(await restored.files.read(kept.id, FILE_CHUNK_BYTES), kept.content.slice(FILE_CHUNK_BYTES));
    equal(await restored.files.find(octets(16, 2)), undefined);
    restored.close();
    const accounts = await openAccountDatabase(again);
    equal((await accounts.find(ANN))?.role, "owner");
    accounts.close();
  },
);

folderTest(
  "a room that was restored owes its notice until that is in its log, however it was put back",
  async (folder) => {
    const [dataDir, to] = [`${folder}/data`, `${folder}/backup`];
    const { store, rooms: [one, two] } = await served(dataDir);
    deepEqual(await store.restored(), []);
    await makeBackup({ dataDir, to, now: NOW });
    store.close();
    const debts = [
      { room: one.state.id, sequence: one.state.head.sequence },
      { room: two.state.id, sequence: two.state.head.sequence },
    ];
    const notice = (source: "server" | "console") =>
      ({ kind: "notice", body: { source, name: "x", text: "y" } }) as const;
    // A backup is a data folder: nobody can put it back in a way in which the rooms would not know.
    const copied = await openRooms(to);
    deepEqual(await copied.restored(), debts);
    await copied.log.change([one.say("z"), one.add(notice("console"), { from: undefined })]);
    deepEqual(await copied.restored(), debts, "no other entry pays it");
    copied.close();
    // Nor is it forgotten by a backup of what does not know yet.
    await accountsIn(to);
    await makeBackup({ dataDir: to, to: `${folder}/second`, now: NOW });
    const second = await openRooms(`${folder}/second`);
    deepEqual(await second.restored(), debts);
    await second.log.change([one.add(notice("server"), { from: undefined })]);
    deepEqual(await second.restored(), debts.slice(1));
    second.close();
    const later = await openRooms(`${folder}/second`);
    deepEqual(await later.restored(), debts.slice(1));
    later.close();
  },
);

folderTest("attack 22: a key that lies elsewhere is in no backup", async (folder) => {
  const [dataDir, to, again, keyFile] = [
    `${folder}/data`,
    `${folder}/backup`,
    `${folder}/again`,
    `${folder}/elsewhere.key`,
  ];
  const { store, rooms: [one] } = await served(dataDir, keyFile);
  store.close();
  equal((await makeBackup({ dataDir, to, now: NOW })).restKey, "elsewhere");
  const key = (await Deno.readTextFile(keyFile)).trim();
  for (const name of await namesIn(to)) {
    if (name === "files") continue;
    const octetsOfIt = await Deno.readFile(`${to}/${name}`);
    equal(new TextDecoder("latin1").decode(octetsOfIt).includes(key), false, name);
    equal(octetsOfIt.toHex().includes(key), false, name);
  }
  await restoreBackup({ from: to, dataDir: again });
  await rejects(openRooms(again), { exit: "noInput" });
  const restored = await openRoomStore({ dataDir: again, keyFile }, parts);
  deepEqual(await restored.log.entries(one.state.id, ALL), one.entries);
  restored.close();
});

folderTest("a backup goes into an empty folder alone, and so does what is restored", async (folder) => {
  const [dataDir, to, full] = [`${folder}/data`, `${folder}/backup`, `${folder}/full`];
  const { store } = await served(dataDir);
  store.close();
  await Deno.mkdir(full);
  await Deno.writeTextFile(`${full}/mine`, "mine");
  await rejects(makeBackup({ dataDir, to: full, now: NOW }), {
    exit: "cannotCreate",
    message: `Cannot make a backup in ${full}: the folder is not empty; name an empty one, or a new one.`,
  });
  await makeBackup({ dataDir, to, now: NOW });
  await rejects(restoreBackup({ from: to, dataDir: full }), {
    exit: "cannotCreate",
    message: `Cannot restore to ${full}: the folder is not empty; name an empty one, or a new one.`,
  });
  deepEqual(await namesIn(full), ["mine"]);
});

folderTest(
  "what is no server's data is not backed up, and what is no whole backup is not restored",
  async (folder) => {
    const [dataDir, to, again] = [`${folder}/data`, `${folder}/backup`, `${folder}/again`];
    await rejects(makeBackup({ dataDir, to, now: NOW }), {
      exit: "noInput",
      message:
        `Cannot back up ${dataDir}: it has no host_key.pem; start a server there once, or give --data-dir.`,
    });
    deepEqual(await namesIn(folder), []);
    const { store } = await served(dataDir);
    store.close();
    await makeBackup({ dataDir, to, now: NOW });
    const manifest = await Deno.readTextFile(`${to}/backup.json`);
    for (const text of [undefined, "", "{}", manifest.replace('"format": 1', '"format": 2')]) {
      if (text === undefined) await Deno.remove(`${to}/backup.json`);
      else await Deno.writeTextFile(`${to}/backup.json`, text);
      const why = text === undefined ? "no backup.json" : "a backup.json of another kind";
      await rejects(restoreBackup({ from: to, dataDir: again }), {
        exit: "noInput",
        message:
          `Cannot restore ${to}: it is no whole backup, since it has ${why}; name the folder of another.`,
      });
    }
    await Deno.writeTextFile(`${to}/backup.json`, manifest);
    const hostKey = await Deno.readTextFile(`${to}/host_key.pem`);
    await Deno.remove(`${to}/host_key.pem`);
    await rejects(restoreBackup({ from: to, dataDir: again }), {
      exit: "noInput",
      message:
        `Cannot restore ${to}: it is no whole backup, since it has no host_key.pem; name the folder of another.`,
    });
    await Deno.writeTextFile(`${to}/host_key.pem`, hostKey);
    using file = await Deno.open(`${to}/rooms.db`, { write: true });
    await file.seek(3 * 4_096, Deno.SeekMode.Start);
    await file.write(octets(4_096, 0xff));
    await rejects(restoreBackup({ from: to, dataDir: again }), { name: "Failure", exit: "data" });
    deepEqual(await namesIn(again), [], "nothing half restored");
  },
);

folderTest("what a backup has lost since it was made is told by name, and not counted", async (folder) => {
  const [dataDir, to, again] = [`${folder}/data`, `${folder}/backup`, `${folder}/again`];
  const { store } = await served(dataDir);
  const [lost, _kept] = [await putFile(store, 1, 2_000, "whole"), await putFile(store, 2, 2_000, "whole")];
  store.close();
  equal((await makeBackup({ dataDir, to, now: NOW })).files, 2);
  const missing = ["rest.key", `files/${lost.id.toHex()}`];
  for (const name of missing) await Deno.remove(`${to}/${name}`);
  const restored = await restoreBackup({ from: to, dataDir: again });
  deepEqual([restored.files, restored.missing], [1, missing]);
});

folderTest("a restore that was cut is known, and no server starts on it", async (folder) => {
  await Deno.mkdir(`${folder}/restoring`);
  await rejects(openRooms(folder), {
    exit: "data",
    message: `Cannot use the data folder ${folder}: a restore into it was cut; empty it and restore again.`,
  });
  deepEqual(await namesIn(folder), ["restoring"]);
});

folderTest("a file whose octets are gone is in no backup", async (folder) => {
  const [dataDir, to] = [`${folder}/data`, `${folder}/backup`];
  const { store } = await served(dataDir);
  await putFile(store, 1, 100, "whole");
  await putFile(store, 2, 100, "whole");
  store.close();
  await Deno.remove(`${dataDir}/files/${"01".repeat(16)}`);
  equal((await makeBackup({ dataDir, to, now: NOW })).files, 1);
  deepEqual(await namesIn(`${to}/files`), ["02".repeat(16)]);
});

folderTest(
  "a backup is one moment of a log that goes on, and has nothing of what was erased",
  async (folder) => {
    const [dataDir, to] = [`${folder}/data`, `${folder}/backup`];
    const { store, rooms: [one] } = await served(dataDir);
    await store.log.change(one.remove(1));
    let isMade = false;
    const backup = makeBackup({ dataDir, to, now: NOW }).finally(() => isMade = true);
    while (!isMade) {
      await store.log.change([one.say("meanwhile")]);
      // The backup goes on when the system has answered it.
      await new Promise((resolve) => setTimeout(resolve));
    }
    await backup;
    store.close();
    const copy = await openRooms(to);
    const [state] = await copy.log.rooms();
    ok(state);
    const entries = await copy.log.entries(state.id, ALL);
    equal(entries.length, state.head.sequence);
    equal(entries[0]?.content, undefined);
    copy.close();
  },
);

const parts = { provider, entropy: systemEntropy };

/** A data folder as a server makes it, with two rooms. */
async function served(
  dataDir: string,
  keyFile?: string,
): Promise<{ readonly store: RoomStore; readonly rooms: readonly [SpokenRoom, SpokenRoom] }> {
  await loadOrMakeHostKey(dataDir, systemEntropy);
  await accountsIn(dataDir);
  const store = await openRoomStore({ dataDir, keyFile }, parts);
  const rooms = [new SpokenRoom(1), new SpokenRoom(2)] as const;
  for (const room of rooms) await store.log.change([room.say("a"), room.say("b")]);
  await store.log.change([rooms[0].say("c")]);
  return { store, rooms };
}

async function accountsIn(dataDir: string): Promise<void> {
  const accounts = await openAccountDatabase(dataDir);
  await accounts.register({ handle: ANN, passwordRecord: octets(192, 1), now: NOW }, undefined);
  accounts.close();
}

async function putFile(store: RoomStore, mark: number, size: number, until: "begun" | "whole") {
  const [id, content] = [octets(16, mark), systemEntropy(size)];
  const sha256 = provider.sha256Now(content);
  await store.files.begin({ id, room: octets(16, 1), owner: ANN, size, sha256, begun: NOW });
  for (let offset = 0; offset < size; offset += FILE_CHUNK_BYTES) {
    await store.files.write(id, offset, content.slice(offset, offset + FILE_CHUNK_BYTES));
  }
  if (until === "whole") equal(await store.files.finish(id), true);
  return { id, content };
}
