import assert from "node:assert/strict";
import { KEEPING_MS } from "../../lib/delivery/log_keeper.ts";
import { Failure } from "../../lib/text/failure.ts";
import { equal } from "../../lib/wire/bytes.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { test } from "../sanitized.ts";
import { handle, THEN } from "../session/people.ts";
import { SpokenRoom } from "../store/spoken_room.ts";
import { type Device, Hall } from "./hall.ts";
import { entryWords, LOBBY_ID } from "./room.ts";

const DAY_MS = 86_400_000;

async function words(hall: Hall, room = LOBBY_ID): Promise<readonly string[]> {
  return (await hall.log.entries(room, { from: 1, to: 10_000 })).map(entryWords);
}

async function removed(hall: Hall, device: Device): Promise<void> {
  await hall.accounts.remove(device.handle);
  const { handle } = device;
  hall.exchange.administered({ type: "userRemove", handle }, { kind: "changed", change: "removed", handle });
  await hall.settled();
}

test("the lobby is made at the first start, and is there at the next with all that was said", async () => {
  const first = await Hall.open();
  await (await first.welcome("ann")).says("hello");
  const second = await Hall.open({ log: first.log, accounts: first.accounts });
  assert.deepEqual(await words(second), ["create ", "join ann", "keys ann", "ann: hello"]);
});

test("attack 29: a server that cannot make the lobby does not start, and says why", async () => {
  const log = new MemoryLog();
  log.before = (method) =>
    method === "change" ? Promise.reject(new Failure("cannotCreate", "full")) : undefined;
  await assert.rejects(Hall.open({ log }), (error) => error instanceof Failure && /disk/.test(error.message));
});

test("rooms that came out of a backup are told so by the server, before anything else", async () => {
  const first = await Hall.open();
  await (await first.welcome("ann")).says("hello");
  const again = await Hall.open({
    log: first.log,
    accounts: first.accounts,
    restored: [{ room: LOBBY_ID, sequence: 4 }],
  });
  assert.equal((await words(again)).at(-1), "server via server: restored from #4");
});

test("an account that is removed leaves its rooms at once; what it owned alone another owns, the oldest operator first", async () => {
  const hall = await Hall.open();
  const [ann, bob, eve] = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
  const alone = await ann.creates("#attic");
  await ann.does({ kind: "moderation", body: { act: "role", handle: eve.handle, role: "operator" } });
  const direct = await bob.addresses(ann.handle);
  await removed(hall, ann);
  assert.deepEqual(ann.closed, ["accountClosed"]);
  assert.deepEqual((await words(hall)).slice(-2), ["part ann", "role eve"]);
  assert.deepEqual((await words(hall, alone)).slice(-1), ["part ann"]);
  assert.ok(eve.summary().includes("room #lobby owner"));
  assert.equal((await bob.says("gone?", direct))?.code, "noSuchPerson");
  const fault = await bob.does({ kind: "membership", body: { change: "invite", handle: handle("ann") } });
  assert.equal(fault?.code, "noSuchPerson");
});

test("a room whose heir leaves while its owner's account is removed has another owner", async () => {
  const hall = await Hall.open();
  const [ann, bob, eve] = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
  const room = await ann.creates("#kitchen");
  for (const device of [bob, eve]) {
    await device.does({ kind: "membership", body: { change: "join" } }, { room });
  }
  const part = await bob.draft({ kind: "membership", body: { change: "part" } }, { room });
  // While what is written first, into the lobby, is on its way to the disk.
  hall.log.before = async (method) => {
    if (method !== "change") return;
    hall.log.before = () => {};
    await bob.send(part, room);
  };
  await removed(hall, ann);
  assert.deepEqual((await words(hall, room)).slice(-3), ["part bob", "part ann", "role eve"]);
});

test("a room of members and no owner has one from the next start on", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.person("ann"), await hall.person("bob")];
  const room = new SpokenRoom(1);
  const members = ([[ann.name, "member"], [bob.name, "operator"]] as const).map(([name, role]) =>
    [name, { role, mutedUntil: undefined, base: 0 }] as const
  );
  room.state = { ...room.state, members: new Map(members) };
  await hall.log.change([room.say("whose is it?")]);
  await Hall.open({ log: hall.log, accounts: hall.accounts });
  assert.deepEqual((await words(hall, room.state.id)).slice(1), ["role bob"]);
});

test("who was removed while the server did not run, or the disk was full, has left at the next start", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const room = await ann.creates("#secrets", "private");
  await ann.does({ kind: "membership", body: { change: "invite", handle: bob.handle } }, { room });
  hall.log.before = (method) =>
    method === "change" ? Promise.reject(new Failure("cannotCreate", "full")) : undefined;
  await removed(hall, bob);
  hall.log.before = () => {};
  assert.equal((await words(hall)).at(-1), "keys bob");
  const again = await Hall.open({ log: hall.log, accounts: hall.accounts });
  assert.equal((await words(again)).at(-1), "part bob");
  assert.equal((await words(again, room)).at(-1), "part bob");
});

test("what is older than a room's people want is dropped, hourly and at the start, and the rest reads on", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen");
  await ann.does({ kind: "room", body: { act: "retention", days: 2 } }, { room });
  await ann.says("old", room);
  hall.now += DAY_MS;
  await ann.says("newer", room);
  hall.now += DAY_MS + 1;
  hall.exchange.tick();
  await hall.settled();
  assert.deepEqual(await words(hall, room), ["ann: newer"]);
  assert.deepEqual(hall.news.at(-1), { kind: "dropped", room: "#kitchen", upTo: 3 });
  const [page] = await ann.read(room);
  assert.ok(page?.type === "page" && page.end?.base.sequence === 3);
  const [entry] = page.entries;
  assert.ok(entry !== undefined && equal(entry.previous, page.end.base.hash));
  hall.now += 10 * DAY_MS;
  const again = await Hall.open({ log: hall.log, accounts: hall.accounts, now: hall.now });
  assert.deepEqual(await words(again, room), []);
  const back = await again.enter(ann.person);
  await back.follow(room);
  await back.says("begun anew", room);
  assert.deepEqual(await words(again, room), ["ann: begun anew"]);
  assert.equal((await words(again)).length, 3, "the lobby keeps all");
});

test("new rooms drop what was said as the server was told, until their owners settle it", async () => {
  const hall = await Hall.open({ retention: 1 });
  const ann = await hall.welcome("ann");
  const [kept, dropped] = [await ann.creates("#attic"), await ann.creates("#kitchen")];
  await ann.does({ kind: "room", body: { act: "retention", days: 0 } }, { room: kept });
  hall.now += DAY_MS + 1;
  hall.exchange.tick();
  await hall.settled();
  assert.deepEqual([(await words(hall, kept)).length, (await words(hall, dropped)).length], [2, 0]);
});

test("what is due is looked at once an hour, also after the clock was set back", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  let looks = 0;
  hall.accounts.before = (method) => {
    if (method === "list") looks += 1;
  };
  const tick = async (now: number): Promise<number> => {
    hall.now = now;
    hall.exchange.tick();
    await hall.settled();
    return looks;
  };
  assert.equal(await tick(THEN + KEEPING_MS - 1), 0);
  assert.equal(await tick(THEN + KEEPING_MS), 1);
  assert.equal(await tick(THEN + KEEPING_MS + 1), 1);
  assert.equal(await tick(THEN - DAY_MS), 2);
  assert.equal(await tick(THEN - DAY_MS + 1), 2);
  await ann.says("and times never go back");
  const times = (await hall.log.entries(LOBBY_ID, { from: 1, to: 10 })).map(({ time }) => time);
  assert.deepEqual(times, times.toSorted((one, other) => one - other));
});

test("keys that a full disk kept out of a log are told there later, once", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const account = await hall.account(ann.person);
  const keys = await ann.person.keys({ ...ann.person.list, number: 2 });
  hall.log.before = (method) =>
    method === "change" ? Promise.reject(new Failure("cannotCreate", "full")) : undefined;
  const devices = ann.person.list.devices;
  hall.exchange.publish({ account: { ...account, keys }, keys, devices }, undefined);
  await hall.settled();
  hall.log.before = () => {};
  hall.now += KEEPING_MS;
  hall.exchange.tick();
  await hall.settled();
  hall.now += KEEPING_MS;
  hall.exchange.tick();
  await hall.settled();
  assert.deepEqual(await words(hall), ["create ", "join ann", "keys ann", "keys ann"]);
});

test("keys that a server published and died before it told the logs are told at the next start, once", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const keys = await ann.person.keys({ ...ann.person.list, number: 2 });
  const expected = (await hall.account(ann.person)).keys;
  await hall.accounts.setKeys(ann.handle, { keys, expected, recovery: undefined });
  for (let starts = 0; starts < 2; starts++) {
    await Hall.open({ log: hall.log, accounts: hall.accounts });
    assert.deepEqual(await words(hall), ["create ", "join ann", "keys ann", "keys ann"]);
  }
});

test("files go with the entries that put them into a room: deleted ones at once, dropped ones then", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen");
  await ann.does({ kind: "room", body: { act: "retention", days: 1 } }, { room });
  for (const id of [1, 2]) {
    const file = new Uint8Array(16).fill(id);
    const octets = new Uint8Array(5).fill(id);
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
    await ann.take({ type: "fileBegin", file, room, size: 5, sha256 });
    await ann.take({ type: "fileChunk", file, offset: 0, bytes: octets });
    await heard(ann, "fileState true");
    const body = { file, name: "five", size: 5, sha256 };
    assert.equal(await ann.does({ kind: "file", body }, { room }), undefined);
  }
  const first = (await hall.log.entries(room, { from: 3, to: 4 }))[0] ?? assert.fail();
  const about = {
    sequence: 3,
    hash: (await hall.log.entries(room, { from: 4, to: 4 }))[0]?.previous ?? assert.fail(),
  };
  assert.equal(first.kind, "file");
  assert.equal(await ann.does({ kind: "delete", body: {} }, { room, about }), undefined);
  const goesWith = (kind: string) =>
    hall.log.batches.find((batch) => batch.some((each) => each.kind === kind));
  const gone = (id: number) => ({
    kind: "files",
    room,
    gone: [{ id: new Uint8Array(16).fill(id), owner: ann.handle }],
  });
  assert.deepEqual(goesWith("erase")?.at(-1), gone(1));
  await hall.settled();
  assert.equal(await hall.files.find(new Uint8Array(16).fill(1)), undefined);
  assert.equal((await hall.files.find(new Uint8Array(16).fill(2)))?.done, true);
  hall.now += 2 * DAY_MS;
  hall.exchange.tick();
  await hall.settled();
  assert.equal(await hall.files.find(new Uint8Array(16).fill(2)), undefined);
  assert.deepEqual(goesWith("trim")?.at(-1), gone(2));
});

async function heard(device: Device, what: string): Promise<void> {
  for (let turns = 0; turns < 100; turns++) {
    const last = device.heard.at(-1);
    if (last?.type === "fileState" && `fileState ${last.done}` === what) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.fail(`told ${what}`);
}
