import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  type Flaw,
  type KeptEntry,
  type KeptRoom,
  type LocalStore,
  type Queued,
} from "../../lib/client/keepers.ts";
import { accountFolder } from "../../lib/store/account_folder.ts";
import { LOCAL_FILE, localStoreKeeper } from "../../lib/store/local_database.ts";
import { LOCAL_KEY_FILE } from "../../lib/store/local_key_file.ts";
import { Failure } from "../../lib/text/failure.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import type { Logged, Place } from "../../lib/wire/message.ts";
import { lines } from "../../tools/lines.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BOB } from "../identity/people.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const ROOM = new Uint8Array(16).fill(1);
const OTHER = new Uint8Array(16).fill(2);
/** More than any log has. */
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };

/** The store of ann's rooms in a folder. */
function open(configDir: string) {
  const entropy = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  return localStoreKeeper({ provider, entropy }, { configDir, hostKeySha256: new Uint8Array(32) }).open(ANN);
}

function folderOf(configDir: string): string {
  return accountFolder({ configDir, hostKeySha256: new Uint8Array(32) }, ANN);
}

/** Opens it for as long as `work` lasts. */
async function within<Value>(configDir: string, work: (store: LocalStore) => Promise<Value>): Promise<Value> {
  const store = await open(configDir);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** Changes the file as somebody does who has it and not the key. */
function meddle(configDir: string, sql: string): void {
  const database = new DatabaseSync(`${folderOf(configDir)}/${LOCAL_FILE}`);
  database.exec(sql);
  database.close();
}

function place(sequence: number, octet = sequence): Place {
  return { sequence, hash: new Uint8Array(32).fill(octet) };
}

function roomAt(head: Place, rest: Partial<KeptRoom> = {}): KeptRoom {
  return {
    room: ROOM,
    label: "#tea",
    base: place(0),
    head,
    read: 0,
    flaws: [],
    knowledge: {
      headTime: 5,
      served: 0,
      gap: undefined,
      retention: undefined,
      whole: true,
      roles: new Map([[ANN, "owner"]]),
      awaited: [{ sequence: 3, by: 9 }],
      left: false,
      claims: [place(4)],
    },
    ...rest,
  };
}

function entryAt(sequence: number, rest: Partial<Logged> = {}, octet = sequence): KeptEntry {
  const entry: Logged = {
    sequence,
    time: 1_000 + sequence,
    previous: new Uint8Array(32),
    id: new Uint8Array(16).fill(sequence),
    kind: "text",
    from: BOB,
    device: new Uint8Array(32),
    seen: place(0),
    digest: new Uint8Array(32),
    signature: new Uint8Array(64),
    content: { salt: new Uint8Array(32), body: utf8("a secret line") },
    ...rest,
  };
  return { entry, hash: new Uint8Array(32).fill(octet), doubt: undefined, deviceName: "a laptop" };
}

function queuedOf(octet: number, rest: Partial<Queued> = {}): Queued {
  const content = { salt: new Uint8Array(32), body: utf8(`unsaid ${octet}`) };
  return {
    room: ROOM,
    draft: { id: new Uint8Array(16).fill(octet), kind: "text", content },
    signed: undefined,
    refused: undefined,
    ...rest,
  };
}

function signedOf(item: Queued, octet: number): Queued {
  return {
    ...item,
    signed: { ...item.draft, seen: place(octet), signature: new Uint8Array(64).fill(octet) },
  };
}

function sequences(entries: readonly KeptEntry[]): readonly number[] {
  return entries.map(({ entry }) => entry.sequence);
}

async function isFailure(work: Promise<unknown>, exit: Failure["exit"], says: RegExp): Promise<void> {
  await rejects(work, (error) => {
    ok(error instanceof Failure, String(error));
    deepEqual([error.exit, says.test(error.message)], [exit, true], error.message);
    ok(error.message.endsWith(".") || error.message.includes("run: chmod"), error.message);
    return true;
  });
}

folderTest(
  "what is kept of rooms is there when it is opened again, and nobody else can read it",
  async (folder) => {
    const flaw: Flaw = { kind: "missing", from: 2, to: 2 };
    const room = roomAt(place(9), {
      base: place(2),
      flaws: [flaw],
      knowledge: { ...roomAt(place(9)).knowledge, gap: { from: 1, to: 2 }, retention: 7 },
    });
    const entries = [3, 4, 5, 6, 7, 8, 9].map((sequence) => entryAt(sequence));
    const { content: _, ...erased } = entryAt(7).entry;
    entries[4] = {
      ...entryAt(7),
      entry: { ...erased, erasedBy: 8, about: place(3) },
      doubt: "bad signature",
    };
    await within(folder, async (store) => {
      await store.keep(room, entries);
      await store.keep(roomAt(place(1), { room: OTHER, label: "@bob" }), [entryAt(1)]);
      await store.queue(queuedOf(1));
      await store.setSetting("ignored", "bob");
      await store.setSetting("gone", "x");
      await store.setSetting("gone", undefined);
    });
    await within(folder, async (store) => {
      deepEqual((await store.rooms()).map(({ label }) => label), ["#tea", "@bob"]);
      deepEqual((await store.rooms())[0], room);
      deepEqual(await store.entries(ROOM, ALL), entries);
      deepEqual(sequences(await store.entries(ROOM, { from: 4, to: 8, limit: 3 })), [6, 7, 8]);
      deepEqual(await store.entries(new Uint8Array(16), ALL), []);
      deepEqual((await store.entryById(ROOM, new Uint8Array(16).fill(5)))?.entry.sequence, 5);
      equal(await store.entryById(OTHER, new Uint8Array(16).fill(5)), undefined);
      deepEqual(await store.queued(), [queuedOf(1)]);
      deepEqual([await store.setting("ignored"), await store.setting("gone")], ["bob", undefined]);
      const names = (await namesIn(folderOf(folder))).filter((name) => name.startsWith("local"));
      for (const name of names) equal(await modeOf(`${folderOf(folder)}/${name}`), 0o600, name);
      ok(names.includes(LOCAL_KEY_FILE) && names.includes(LOCAL_FILE));
      for (const name of names) {
        const octets = await Deno.readFile(`${folderOf(folder)}/${name}`);
        const text = new TextDecoder("latin1").decode(octets);
        for (const secret of ["secret line", "unsaid", "#tea", "laptop", "ignored"]) {
          ok(!text.includes(secret), `${name}: ${secret}`);
        }
      }
    });
  },
);

folderTest("an entry whose row was altered or moved is taken as not there", async (folder) => {
  await within(folder, (store) => store.keep(roomAt(place(9)), [1, 2, 3, 4, 5].map((each) => entryAt(each))));
  await within(folder, (store) => store.keep(roomAt(place(9), { room: OTHER }), [entryAt(1), entryAt(2)]));
  meddle(folder, "UPDATE entries SET sealed = zeroblob(100) WHERE room = 1 AND sequence = 2");
  meddle(
    folder,
    "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE room = 1 AND sequence = 5) WHERE room = 1 AND sequence = 4",
  );
  meddle(
    folder,
    "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE room = 2 AND sequence = 1) WHERE room = 1 AND sequence = 1",
  );
  await within(folder, async (store) => {
    deepEqual(sequences(await store.entries(ROOM, ALL)), [3, 5]);
    equal(await store.entryById(ROOM, new Uint8Array(16).fill(2)), undefined);
    await store.keep(roomAt(place(9)), [entryAt(2)]);
    deepEqual(sequences(await store.entries(ROOM, ALL)), [2, 3, 5], "and can be kept anew");
  });
});

folderTest("a room, a waiting message or a setting that was altered is told", async (folder) => {
  const says =
    /^Cannot use what is kept of your rooms in .*: the file is damaged; put back your copy of it, or move/;
  const items = [queuedOf(1), queuedOf(2)];
  const fill = async (store: LocalStore) => {
    await store.keep(roomAt(place(9)), []);
    for (const item of items) await store.queue(item);
    await store.setSetting("ignored", "bob");
  };
  await within(folder, fill);
  const before = await Deno.readFile(`${folderOf(folder)}/${LOCAL_FILE}`);
  const tried: readonly [string, (store: LocalStore) => Promise<unknown>][] = [
    ["UPDATE rooms SET sealed = zeroblob(200)", (store) => store.rooms()],
    ["UPDATE rooms SET sealed = zeroblob(200)", (store) => store.keep(roomAt(place(10)), [])],
    ["UPDATE queue SET sealed = x'' WHERE number = 1", (store) => store.queued()],
    // One that is to be said before another.
    ["UPDATE queue SET number = 3 WHERE number = 1", (store) => store.queued()],
    ["UPDATE settings SET sealed = zeroblob(80)", (store) => store.setting("ignored")],
  ];
  for (const [sql, use] of tried) {
    await Deno.writeFile(`${folderOf(folder)}/${LOCAL_FILE}`, before);
    meddle(folder, sql);
    await within(folder, (store) => isFailure(use(store), "data", says));
  }
  await Deno.writeFile(
    `${folderOf(folder)}/${LOCAL_FILE}`,
    utf8("no database at all, but long enough to be one"),
  );
  await isFailure(open(folder), "data", says);
});

folderTest("without its key, or with another, nothing is opened, and nothing is written", async (folder) => {
  await within(folder, (store) => store.keep(roomAt(place(9)), []));
  const path = `${folderOf(folder)}/${LOCAL_KEY_FILE}`;
  const key = await Deno.readTextFile(path);
  await Deno.remove(path);
  await isFailure(
    open(folder),
    "noInput",
    /^Cannot open what is kept of your rooms: their key .* is missing; put/,
  );
  await Deno.writeTextFile(path, `${seededEntropy("another")(32).toHex()}\n`, { mode: 0o600 });
  await isFailure(open(folder), "config", /sealed under another key than that in/);
  await Deno.writeTextFile(path, "no key\n");
  await isFailure(open(folder), "data", /it is not 64 hexadecimal digits/);
  await Deno.writeTextFile(path, key);
  await Deno.chmod(path, 0o644);
  await isFailure(
    open(folder),
    "config",
    /others on this machine can reach it \(mode 0644\); run: chmod 600/,
  );
  await Deno.chmod(path, 0o600);
  await within(folder, async (store) => equal((await store.rooms()).length, 1));
  await Deno.chmod(`${folderOf(folder)}/${LOCAL_FILE}`, 0o640);
  await isFailure(open(folder), "config", /others on this machine can reach it \(mode 0640\)/);
});

folderTest("what is erased stays so, with its edits, whoever keeps it again", async (folder) => {
  const entries = [
    entryAt(1),
    entryAt(2, { kind: "edit", about: place(1) }),
    entryAt(3, { kind: "reply", about: place(1) }),
  ];
  await within(folder, async (store) => {
    await store.keep(roomAt(place(3)), entries);
    await store.erase(ROOM, 1, 4);
    await store.keep(roomAt(place(3)), entries);
    const erased = (await store.entries(ROOM, ALL)).map(({ entry }) => [entry.content, entry.erasedBy]);
    deepEqual(erased, [[undefined, 4], [undefined, 4], [entries[2]?.entry.content, undefined]]);
    await store.erase(ROOM, 9, 10);
    await store.erase(OTHER, 1, 10);
  });
});

folderTest("what was judged stays so, but for a doubt that comes later", async (folder) => {
  await within(folder, async (store) => {
    await store.keep(roomAt(place(3)), [entryAt(1), { ...entryAt(2), doubt: "bad signature" }]);
    await store.keep(roomAt(place(3)), [{ ...entryAt(1), doubt: "withheld", deviceName: "x" }, entryAt(2)]);
    deepEqual((await store.entries(ROOM, ALL)).map(({ doubt, deviceName }) => [doubt, deviceName]), [
      ["withheld", "a laptop"],
      ["bad signature", "a laptop"],
    ]);
  });
});

folderTest("of two programs neither takes back what the other has found out of a room", async (folder) => {
  const one = await open(folder);
  const two = await open(folder);
  const missing: Flaw = { kind: "missing", from: 3, to: 3 };
  await one.keep(roomAt(place(5), { read: 4 }), [1, 2, 3, 4, 5].map((each) => entryAt(each)));
  await two.keep(roomAt(place(3), { base: place(2), read: 2, flaws: [missing] }), [entryAt(3)]);
  const [kept] = await one.rooms();
  deepEqual([kept?.head, kept?.read, kept?.base, kept?.flaws], [place(5), 4, place(0), [missing]]);
  // The other goes on from a later beginning: what is kept before it is still linked to it.
  await two.keep(roomAt(place(8), { base: place(3), read: 2 }), [6, 7, 8].map((each) => entryAt(each)));
  const [later] = await one.rooms();
  deepEqual([later?.head, later?.base, later?.read], [place(8), place(0), 4]);
  // Beyond a gap, or with another hash, it is not.
  await two.keep(roomAt(place(12), { base: place(10) }), [entryAt(12)]);
  deepEqual((await one.rooms())[0]?.base, place(10));
  one.close();
  two.close();
});

folderTest("a head goes back for entries that were cut off, once, and for nothing else", async (folder) => {
  const one = await open(folder);
  const two = await open(folder);
  const cut: Flaw = { kind: "cutBack", from: 4, to: 5 };
  await one.keep(roomAt(place(5)), [4, 5].map((each) => entryAt(each)));
  await one.keep(roomAt(place(3), { flaws: [cut] }), []);
  deepEqual((await one.rooms())[0]?.head, place(3));
  // One that does not know of it yet does not bring the old end back, nor the old entries.
  await one.keep(roomAt(place(4, 44), { flaws: [cut] }), [entryAt(4, {}, 44)]);
  await two.keep(roomAt(place(6), { label: "#coffee" }), [entryAt(4), entryAt(6)]);
  const [room] = await two.rooms();
  deepEqual([room?.head, room?.flaws, room?.label], [place(4, 44), [cut], "#coffee"]);
  deepEqual((await one.entries(ROOM, { from: 4, to: 4, limit: 1 }))[0]?.hash, place(4, 44).hash);
  // Once it does, the longer log counts again.
  await two.keep(roomAt(place(6, 66), { flaws: [cut] }), [entryAt(6, {}, 66)]);
  deepEqual((await one.rooms())[0]?.head, place(6, 66));
  one.close();
  two.close();
});

folderTest("what waits keeps its order and its first signature, whoever signs it again", async (folder) => {
  const one = await open(folder);
  const two = await open(folder);
  const [a, b, c] = [queuedOf(1), queuedOf(2), queuedOf(3)];
  for (const item of [a, b, c]) await one.queue(item);
  deepEqual(await one.requeue(signedOf(b, 5), b.draft.id), signedOf(b, 5));
  deepEqual(await two.requeue(signedOf(b, 6), b.draft.id), signedOf(b, 5), "the other has signed it before");
  const anew = queuedOf(9);
  deepEqual(await one.requeue(anew, a.draft.id), anew);
  deepEqual(await two.requeue(queuedOf(8), a.draft.id), undefined, "the other has renewed it before");
  deepEqual(await two.queued(), [anew, signedOf(b, 5), c]);
  await one.refuse(anew.draft.id, "muted");
  deepEqual((await two.queued())[0], { ...anew, refused: "muted" });
  deepEqual(await two.requeue(signedOf(anew, 5), anew.draft.id), undefined, "the other has had it refused");
  await two.unqueue(anew.draft.id);
  await one.refuse(anew.draft.id, "muted");
  await two.unqueue(c.draft.id);
  deepEqual(await one.requeue(signedOf(c, 5), c.draft.id), undefined, "the other has had it stored");
  await one.queue(c);
  deepEqual(await one.queued(), [signedOf(b, 5), c]);
  one.close();
  two.close();
});

folderTest("two programs that begin at once work on one store, and lose nothing", async (folder) => {
  const racers = [1, 2].map((number) => racer(folder, number));
  for (const { output } of racers) equal((await output.next()).value, "ready");
  for (const { child } of racers) {
    const writer = child.stdin.getWriter();
    await writer.write(Uint8Array.of(10));
    await writer.close();
  }
  for (const { child, output } of racers) {
    equal((await output.next()).value, "done");
    equal((await output.next()).done, true);
    equal((await child.status).code, 0);
  }
  await within(folder, async (store) => {
    equal((await store.queued()).length, 2 * COUNT);
    const [room] = await store.rooms();
    deepEqual([room?.head.sequence, room?.read], [COUNT, COUNT]);
    deepEqual(sequences(await store.entries(ROOM, ALL)), Array.from({ length: COUNT }, (_, at) => at + 1));
  });
});

/** Changes of each program. */
const COUNT = 60;

function racer(folder: string, number: number) {
  const program = new URL("./local_racer.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--lock=tests/deno.lock", "--frozen", "--no-prompt", "--allow-env"],
      ...[`--allow-read`, `--allow-write=${folder}`, program, folder, String(number), String(COUNT)],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  return { child, output: lines(child.stdout)[Symbol.asyncIterator]() };
}

folderTest("a log of which nothing is kept is nothing, and a room of no entries is kept", async (folder) => {
  await within(folder, async (store) => {
    deepEqual([await store.rooms(), await store.queued(), await store.setting("x")], [[], [], undefined]);
    await store.keep(roomAt(place(0)), []);
    equal((await store.rooms()).length, 1);
  });
});
