import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "npm:fast-check@4.10.2";
import type { LogChange, LogStore } from "../../lib/chat/log_port.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { decodeEntry } from "../../lib/store/kept_entry.ts";
import { encodeEntryMessage, entryOctets } from "../../lib/wire/entry_octets.ts";
import type { RoomStore } from "../../lib/store/room_store.ts";
import { openRoomsFile } from "../../lib/store/rooms_file.ts";
import { encodeMessage, type Logged } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { ANN, BEN, handle, NOW, octets, openRooms, SpokenRoom } from "./spoken_room.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const ALL = { from: 1, to: 1_000_000 };

test("an entry is kept as it was, with all that may be absent", () => {
  const room = new SpokenRoom(1);
  room.say("hello");
  room.add({ kind: "notice", body: { source: "server", name: "server", text: "x" } }, {
    from: undefined,
    about: 1,
  });
  for (const entry of room.entries) {
    deepEqual(decodeEntry(entryOctets(entry)), entry);
    const { content: _, ...erased } = entry;
    deepEqual(decodeEntry(entryOctets({ ...erased, erasedBy: 7 })), { ...erased, erasedBy: 7 });
  }
  equal(decodeEntry(octets(3, 1)), undefined);
});

test("an entry is told in the octets in which it is kept, as any message would be", () => {
  const id = octets(16, 7);
  const room = new SpokenRoom(1);
  room.say("hello");
  room.say("\u{1f600} and so on ".repeat(30), { from: BEN });
  for (const entry of room.entries) {
    const { content: _, ...erased } = entry;
    for (const each of [entry, { ...erased, erasedBy: 7 }]) {
      deepEqual(encodeEntryMessage(id, each), encodeMessage({ type: "entry", room: id, entry: each }));
    }
  }
});

folderTest("rooms and entries are there after the database was closed and opened again", async (folder) => {
  const [one, two] = [new SpokenRoom(1), new SpokenRoom(2)];
  await withRooms(folder, async ({ log }) => {
    await log.change([one.say("a"), two.say("b"), one.say("c", { from: BEN })]);
    await log.change([one.say("d")]);
  });
  await withRooms(folder, async ({ log }) => {
    deepEqual(await log.rooms(), [one.state, two.state]);
    deepEqual(await log.entries(one.state.id, ALL), one.entries);
    deepEqual(await log.entries(two.state.id, ALL), two.entries);
    deepEqual(await log.entries(one.state.id, { from: 2, to: 2 }), one.entries.slice(1, 2));
    deepEqual(await log.entries(octets(16, 9), ALL), []);
    deepEqual(await log.placeOfId(one.entries[2]?.id ?? octets(16, 0)), { room: one.state.id, sequence: 3 });
    equal(await log.placeOfId(octets(16, 0)), undefined);
  });
  deepEqual(await namesIn(folder), ["files", "rest.key", "rooms.db", "rooms.db.lock"]);
  for (const name of ["rest.key", "rooms.db", "rooms.db.lock"]) {
    equal(await modeOf(`${folder}/${name}`), 0o600);
  }
});

folderTest(
  "what the rooms of an account were told of its keys is remembered, and forgotten with it",
  async (folder) => {
    await withRooms(folder, async ({ log }) => {
      await log.noteToldKeys(ANN, 2);
      await log.noteToldKeys(BEN, 7);
      await log.noteToldKeys(ANN, 3);
    });
    await withRooms(folder, async ({ log }) => {
      deepEqual(await log.toldKeys(), new Map([[ANN, 3], [BEN, 7]]));
      await log.forget(BEN);
      deepEqual(await log.toldKeys(), new Map([[ANN, 3]]));
    });
  },
);

folderTest("attack 23: what is told done is on the disk, whatever SQLite's defaults are", async (folder) => {
  const file = await openRoomsFile({ dataDir: folder, keyFile: undefined }, {
    provider,
    entropy: systemEntropy,
  });
  const settings = ["synchronous", "journal_mode", "secure_delete", "foreign_keys"].map((name) =>
    file.database.read((database) => database.prepare(`PRAGMA ${name}`).get()?.[name])
  );
  deepEqual(settings, [2, "wal", 1, 1]);
  file.database.close();
});

folderTest(
  "what a room's people settle is kept, and so is a text that changes only its end",
  async (folder) => {
    const room = new SpokenRoom(1);
    const topic = "what we talk about";
    await withRooms(folder, async ({ log }) => {
      await log.change([room.say("a")]);
      room.state = { ...room.state, settings: { ...room.state.settings, topic } };
      await log.change([room.add({ kind: "topic", body: { topic } }), room.say("b")]);
      await log.change([room.say("c")]);
    });
    await withRooms(folder, async ({ log }) => deepEqual(await log.rooms(), [room.state]));
  },
);

folderTest("all changes of a call are done, or none", async (folder) => {
  const room = new SpokenRoom(1);
  await withRooms(folder, async ({ log }) => {
    await log.change([room.say("a")]);
    const before = room.state;
    const [append, gap] = [room.say("b"), (room.say("c"), room.say("d"))];
    await rejects(log.change([append, gap]), RangeError);
    deepEqual(await log.rooms(), [before]);
    equal((await log.entries(before.id, ALL)).length, 1);
    equal(await log.placeOfId(room.entries[1]?.id ?? octets(16, 0)), undefined);
    await log.change([append]);
    equal((await log.entries(before.id, ALL)).length, 2);
  });
});

folderTest(
  "no entry is taken that leaves a gap, goes back in time or has an id that is there",
  async (folder) => {
    const room = new SpokenRoom(1);
    await withRooms(folder, async ({ log }) => {
      await log.change([room.say("a"), room.say("b", { time: NOW + 5 })]);
      const [first] = room.entries;
      const refused = (entry: Partial<Logged>): Promise<void> => {
        const next = new SpokenRoom(1);
        next.state = room.state;
        const append = next.say("c");
        ok(append.kind === "append");
        const changed = { ...append.entry, ...entry };
        const state = { ...append.room, head: { ...append.room.head, sequence: changed.sequence } };
        return log.change([{ kind: "append", room: state, entry: changed }]);
      };
      await rejects(refused({ sequence: 2 }), RangeError);
      await rejects(refused({ sequence: 4 }), RangeError);
      await rejects(refused({ time: NOW + 4 }), RangeError);
      await rejects(refused({ id: first?.id ?? octets(16, 0) }));
      await rejects(log.change([{ kind: "erase", room: octets(16, 9), sequence: 1, by: 2 }]), RangeError);
      deepEqual(await log.rooms(), [room.state]);
    });
  },
);

folderTest("what an entry says is erased with its edits, and the rest of them stays", async (folder) => {
  const room = new SpokenRoom(1);
  await withRooms(folder, async ({ log }) => {
    const edit = (text: string, about: number): LogChange =>
      room.add({ kind: "edit", body: { text } }, { about });
    await log.change([room.say("a"), room.say("b"), edit("c", 1), edit("d", 2), edit("e", 1)]);
    await log.change(room.remove(1));
    const kept = await log.entries(room.state.id, ALL);
    deepEqual(
      kept.map(({ sequence, content, erasedBy }) => [sequence, content === undefined, erasedBy]),
      [[1, true, 6], [2, false, undefined], [3, true, 6], [4, false, undefined], [5, true, 6], [
        6,
        false,
        undefined,
      ]],
    );
    for (const [at, { content: _, erasedBy: __, ...rest }] of kept.entries()) {
      const { content: ___, ...said } = room.entries[at] ?? {};
      deepEqual(rest, said);
    }
  });
});

folderTest("entries that were dropped are gone, and their ids are known still", async (folder) => {
  const room = new SpokenRoom(1);
  await withRooms(folder, async ({ log }) => {
    await log.change([room.say("a"), room.say("b"), room.say("c")]);
    await log.change([room.trim(2)]);
  });
  await withRooms(folder, async ({ log }) => {
    deepEqual(await log.rooms(), [room.state]);
    deepEqual(await log.entries(room.state.id, ALL), room.entries.slice(2));
    deepEqual(await log.placeOfId(room.entries[0]?.id ?? octets(16, 0)), {
      room: room.state.id,
      sequence: 1,
    });
    await log.change([room.trim(3)]);
    equal(await log.firstSince(room.state.id, 0), 4);
    await log.change([room.say("d")]);
    deepEqual(await log.entries(room.state.id, ALL), room.entries.slice(3));
  });
});

folderTest("attack 29: by its time an entry is found though the clock stood still", async (folder) => {
  const room = new SpokenRoom(1);
  await withRooms(folder, async ({ log }) => {
    for (const time of [10, 20, 20, 20, 30]) await log.change([room.say("x", { time: NOW + time })]);
    const expected = [[0, 1], [10, 1], [11, 2], [20, 2], [21, 5], [30, 5], [31, 6]];
    for (const [time = 0, sequence] of expected) {
      equal(await log.firstSince(room.state.id, NOW + time), sequence, `${time}`);
    }
    equal(await log.firstSince(octets(16, 9), NOW), 1);
  });
});

folderTest("marks and blocks are kept by person, and forgotten with them", async (folder) => {
  const [one, two] = [new SpokenRoom(1), new SpokenRoom(2)];
  const mark = (room: RoomState, who: typeof ANN, at: number): LogChange => (
    { kind: "marks", room: room.id, handle: who, delivered: at + 1, read: at }
  );
  await withRooms(folder, async ({ log }) => {
    await log.change([one.say("a"), two.say("b"), mark(one.state, ANN, 1), mark(one.state, BEN, 2)]);
    await log.change([mark(one.state, ANN, 3), mark(two.state, ANN, 4)]);
    for (const other of ["zoe", "ben", "eve"]) await log.setBlock(ANN, handle(other), true);
    await log.setBlock(ANN, handle("zoe"), true);
    await log.setBlock(ANN, handle("eve"), false);
    await log.setBlock(BEN, ANN, true);
  });
  await withRooms(folder, async ({ log }) => {
    deepEqual(await log.marks(one.state.id, ANN), { delivered: 4, read: 3 });
    deepEqual(await log.marks(two.state.id, BEN), { delivered: 0, read: 0 });
    deepEqual(
      await log.marksOf(one.state.id),
      new Map([[ANN, { delivered: 4, read: 3 }], [BEN, { delivered: 3, read: 2 }]]),
    );
    deepEqual(new Set(await log.blocks(ANN)), new Set([BEN, handle("zoe")]));
    await log.forget(ANN);
    deepEqual(await log.marks(one.state.id, ANN), { delivered: 0, read: 0 });
    deepEqual(await log.marksOf(one.state.id), new Map([[BEN, { delivered: 3, read: 2 }]]));
    for (const who of [ANN, BEN]) deepEqual(await log.blocks(who), []);
  });
});

folderTest(
  "attack 42: a row changed, removed or put in another's place is left out, and no other",
  async (folder) => {
    const [one, two] = [new SpokenRoom(1), new SpokenRoom(2)];
    await withRooms(folder, async ({ log }) => {
      for (let at = 0; at < 9; at++) await log.change([one.say(`one ${at}`), two.say(`two ${at}`)]);
    });
    tampered(folder, (database) => {
      const blob = (sequence: number, room = 1): Uint8Array => {
        const row = database.prepare("SELECT sealed FROM entries WHERE room = ? AND sequence = ?").get(
          room,
          sequence,
        );
        ok(row?.["sealed"] instanceof Uint8Array);
        return row["sealed"];
      };
      const put = (sequence: number, sealed: Uint8Array): void => {
        database.prepare("UPDATE entries SET sealed = ? WHERE room = 1 AND sequence = ?").run(
          sealed,
          sequence,
        );
      };
      const changed = blob(2);
      changed[20] = (changed[20] ?? 0) ^ 1;
      put(2, changed);
      database.exec("DELETE FROM entries WHERE room = 1 AND sequence = 4");
      const [five, six] = [blob(5), blob(6)];
      put(5, six);
      put(6, five);
      put(8, blob(8, 2));
      // Not even with its number, and so its secret, does a row open in another's place.
      database.exec("UPDATE entries SET sequence = 100 WHERE room = 1 AND sequence = 1");
      database.exec("UPDATE entries SET sequence = 1 WHERE room = 1 AND sequence = 9");
      database.exec("UPDATE entries SET sequence = 9 WHERE room = 1 AND sequence = 100");
    });
    await withRooms(folder, async ({ log }) => {
      deepEqual((await log.entries(one.state.id, ALL)).map(({ sequence }) => sequence), [3, 7]);
      deepEqual(await log.entries(two.state.id, ALL), two.entries);
    });
  },
);

folderTest("attack 42: a room whose row was changed or put back is refused at the start", async (folder) => {
  const room = new SpokenRoom(1);
  await withRooms(folder, ({ log }) => log.change([room.say("a")]));
  const old = tampered(folder, (database) => database.prepare("SELECT state, place FROM rooms").get());
  await withRooms(folder, ({ log }) => log.change([room.say("b")]));
  const refusal = {
    name: "Failure",
    exit: "data",
    message: `Cannot use the rooms in ${folder}/rooms.db: the file is damaged; put back your copy of it.`,
  };
  const place = tampered(folder, (database) => database.prepare("SELECT place FROM rooms").get()?.["place"]);
  ok(
    old?.["place"] instanceof Uint8Array && old["state"] instanceof Uint8Array && place instanceof Uint8Array,
  );
  tampered(folder, (database) => database.prepare("UPDATE rooms SET place = ?").run(old["place"] ?? null));
  await rejects(openRooms(folder), refusal);
  tampered(folder, (database) => database.prepare("UPDATE rooms SET place = ?, state = ?").run(place, place));
  await rejects(openRooms(folder), refusal);
  tampered(folder, (database) => database.prepare("UPDATE rooms SET state = ?").run(old["state"] ?? null));
  await withRooms(folder, async ({ log }) => equal((await log.entries(room.state.id, ALL)).length, 2));
});

folderTest(
  "attack 22: nothing of what is said, and no name, is in a file without the key",
  async (folder) => {
    const room = new SpokenRoom(1, "#canary-room");
    await withRooms(folder, async ({ log }) => {
      room.state = { ...room.state, settings: { ...room.state.settings, topic: "canary topic" } };
      await log.change([room.say("canary text", { from: handle("canary-ann") })]);
      await log.change([
        { kind: "marks", room: room.state.id, handle: handle("canary-ann"), delivered: 1, read: 1 },
      ]);
      await log.setBlock(handle("canary-ann"), handle("canary-ben"), true);
    });
    const file = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/rooms.db`));
    equal(file.includes("canary"), false);
    equal(file.includes(new TextDecoder("latin1").decode(room.state.id)), false, "nor which room it is");
  },
);

folderTest("rooms that are sealed under another key are refused, and nothing is changed", async (folder) => {
  const room = new SpokenRoom(1);
  await withRooms(folder, ({ log }) => log.change([room.say("a")]));
  const key = await Deno.readTextFile(`${folder}/rest.key`);
  await Deno.writeTextFile(`${folder}/rest.key`, `${"07".repeat(32)}\n`);
  await rejects(openRooms(folder), {
    exit: "config",
    message: `Cannot open the rooms in ${folder}: they are sealed under another key than that in ` +
      `${folder}/rest.key; put back your copy of it, or name it by --key-file.`,
  });
  await Deno.remove(`${folder}/rest.key`);
  await rejects(openRooms(folder), { exit: "noInput" });
  deepEqual((await namesIn(folder)).includes("rest.key"), false);
  await Deno.writeTextFile(`${folder}/rest.key`, key, { mode: 0o600 });
  await withRooms(folder, async ({ log }) => deepEqual(await log.entries(room.state.id, ALL), room.entries));
});

folderTest("a data folder of release 0.2 opens, and its accounts are what they were", async (folder) => {
  const accounts = await openAccountDatabase(folder);
  await accounts.register({ handle: ANN, passwordRecord: octets(192, 1), now: NOW }, undefined);
  accounts.close();
  const room = new SpokenRoom(1);
  await withRooms(folder, async ({ log }) => {
    deepEqual(await log.rooms(), []);
    await log.change([room.say("a")]);
  });
  const again = await openAccountDatabase(folder);
  equal((await again.find(ANN))?.role, "owner");
  again.close();
});

folderTest("the database does what the log in memory does", async (folder) => {
  const step = fc.record({
    room: fc.integer({ min: 1, max: 3 }),
    act: fc.constantFrom("say", "say", "say", "edit", "remove", "trim", "mark", "reopen"),
    at: fc.nat(100),
  });
  let run = 0;
  await check(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 12 }), async (batches) => {
      run += 1;
      const model = new MemoryLog();
      let store = await openRooms(`${folder}/${run}`);
      const rooms = [new SpokenRoom(1), new SpokenRoom(2), new SpokenRoom(3)];
      for (const batch of batches) {
        const changes = batch.flatMap(({ room, act, at }) => changesOf(rooms[room - 1], act, at));
        if (batch.some(({ act }) => act === "reopen")) {
          store.close();
          store = await openRooms(`${folder}/${run}`);
        }
        if (changes.length === 0) continue;
        await Promise.all([model.change(changes), store.log.change(changes)]);
        for (const { state } of rooms) await areSame(model, store.log, state);
      }
      deepEqual(byId(await store.log.rooms()), byId(await model.rooms()));
      store.close();
    }),
    30,
  );
});

function changesOf(room: SpokenRoom | undefined, act: string, at: number): readonly LogChange[] {
  if (room === undefined) return [];
  const { head, base } = room.state;
  const sequence = base.sequence + 1 + at % Math.max(1, head.sequence - base.sequence);
  switch (act) {
    case "say":
      return [room.say(`text ${at}`, { time: room.state.headTime + at || NOW })];
    case "edit":
      return sequence > head.sequence
        ? []
        : [room.add({ kind: "edit", body: { text: "e" } }, { about: sequence })];
    case "remove":
      return sequence > head.sequence ? [] : room.remove(sequence);
    case "trim":
      return sequence > head.sequence ? [] : [room.trim(sequence)];
    case "mark":
      return head.sequence === 0
        ? []
        : [{ kind: "marks", room: room.state.id, handle: ANN, delivered: at, read: at }];
    default:
      return [];
  }
}

async function areSame(model: LogStore, log: LogStore, { id, headTime, head }: RoomState): Promise<void> {
  if (head.sequence === 0) return;
  deepEqual(await log.entries(id, ALL), await model.entries(id, ALL));
  equal(await log.firstSince(id, headTime), await model.firstSince(id, headTime));
  deepEqual(await log.marksOf(id), await model.marksOf(id));
  for (const entry of await model.entries(id, ALL)) {
    deepEqual(await log.placeOfId(entry.id), await model.placeOfId(entry.id));
    equal(await log.edits(id, entry.sequence), await model.edits(id, entry.sequence));
  }
}

function byId(rooms: readonly RoomState[]): ReadonlyMap<string, RoomState> {
  return new Map(rooms.map((room) => [room.id.toHex(), room]));
}

function tampered<Value>(folder: string, work: (database: DatabaseSync) => Value): Value {
  const database = new DatabaseSync(`${folder}/rooms.db`);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

async function withRooms(folder: string, work: (store: RoomStore) => Promise<void>): Promise<void> {
  const store = await openRooms(folder);
  try {
    await work(store);
  } finally {
    store.close();
  }
}
