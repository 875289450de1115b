import assert from "node:assert/strict";
import { SHARED_LEAST } from "../../lib/delivery/follows.ts";
import { ROOM_KEY_ENTRIES_MAX, ROOM_KEY_MS_MAX, RoomKeys } from "../../lib/delivery/room_keys.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { THEN } from "../session/people.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { type Device, Hall, type HallOptions } from "./hall.ts";
import { LOBBY_ID } from "./room.ts";

const NAMES = ["ann", "bob", "cem", "dea", "eve", "fay"] as const;

/** A hall whose lobby they all hear. */
async function lobby(
  options?: HallOptions,
): Promise<{ readonly hall: Hall; readonly devices: readonly Device[] }> {
  const hall = await Hall.open(options);
  const devices: Device[] = [];
  for (const name of NAMES) devices.push(await hall.welcome(name));
  return { hall, devices };
}

function at(devices: readonly Device[], place: number): Device {
  return devices[place] ?? assert.fail("there are so many");
}

/** Under which key the newest thing that was encrypted for many was. */
function keyOf(device: Device): string {
  return device.shared.at(-1)?.key.id.toHex() ?? assert.fail("something was");
}

test("an entry is encrypted once for all who hear it but its author, as they have it one by one", async () => {
  const { devices } = await lobby();
  const [ann, bob, ...others] = [at(devices, 0), ...devices.slice(1)];
  const before = ann.shared.length;
  await ann.says("hello");
  const record = bob?.shared.at(-1)?.records;
  assert.ok(record !== undefined && others.every(({ shared }) => shared.at(-1)?.records === record));
  assert.equal(ann.shared.length, before);
  for (const device of devices.slice(1)) assert.equal(device.summary().at(-1), "ann: hello");
  assert.equal(ann.summary().at(-1), "ack");
});

test("what several say in one turn is one record for those who said nothing, and in the log's order for all", async () => {
  const { hall, devices } = await lobby();
  const [ann, bob] = [at(devices, 0), at(devices, 1)];
  const before = devices.map(({ heard }) => heard.length);
  const drafts = await Promise.all(
    [ann, bob].map(async (device) => ({
      device,
      draft: await device.draft({ kind: "text", body: { text: device.handle } }),
    })),
  );
  for (const { device, draft } of drafts) device.send(draft);
  await hall.settled();
  assert.deepEqual(devices.slice(2).map(({ shared }) => shared.at(-1)?.messages.length), [2, 2, 2, 2]);
  assert.deepEqual(ann.summary(before[0]).toSorted(), ["ack", "bob: bob"]);
  assert.deepEqual(bob.summary(before[1]).toSorted(), ["ack", "ann: ann", "cards ann"]);
  const { sequence } = (await hall.last()).place;
  for (const device of devices) assert.deepEqual(device.sequences().slice(-2), [sequence - 1, sequence]);
});

test("an entry that comes twice in one turn is acknowledged behind what is before it in the log", async () => {
  const { hall, devices } = await lobby();
  const [ann, bob] = [at(devices, 0), at(devices, 1)];
  const [first, twice] = await Promise.all(
    [ann, bob].map((device) => device.draft({ kind: "text", body: { text: device.handle } })),
  );
  assert.ok(first !== undefined && twice !== undefined);
  await Promise.all([ann.send(first), bob.send(twice), bob.send(twice)]);
  await hall.settled();
  const { sequence } = (await hall.last()).place;
  assert.deepEqual(bob.sequences().slice(-3), [sequence - 1, sequence, sequence]);
  assert.deepEqual(bob.summary().slice(-3), ["ann: ann", "ack", "ack"]);
});

test("to fewer, and where that is not wanted, everything is said one by one", async () => {
  const { hall, devices } = await lobby({ fanout: "individual" });
  await at(devices, 0).says("hello");
  const few = await Hall.open();
  const listeners: Device[] = [];
  for (const name of NAMES.slice(0, SHARED_LEAST)) listeners.push(await few.welcome(name));
  await at(listeners, 0).says("hello");
  for (const device of [...devices, ...listeners]) assert.deepEqual(device.shared, []);
  await hall.settled();
});

test("a key is another one after somebody has left or was put out, and the same while nobody was", async () => {
  const { devices } = await lobby();
  const [ann, bob, cem] = [at(devices, 0), at(devices, 1), at(devices, 2)];
  await ann.says("one");
  const first = keyOf(cem);
  await ann.says("two");
  assert.equal(keyOf(cem), first);
  await bob.does({ kind: "membership", body: { change: "part" } });
  await ann.says("three");
  const second = keyOf(cem);
  assert.notEqual(second, first);
  assert.equal(bob.shared.at(-1)?.key.id.toHex(), first, "whoever left has no other");
  await ann.does({ kind: "moderation", body: { act: "kick", handle: at(devices, 3).handle } });
  await ann.says("four");
  assert.notEqual(keyOf(cem), second);
});

test("a key is another one after somebody came who may not read what was said before", async () => {
  for (const history of ["all", 0] as const) {
    const { hall, devices } = await lobby();
    const room = await at(devices, 0).creates("#kitchen");
    for (const device of devices.slice(1)) {
      await device.does({ kind: "membership", body: { change: "join" } }, { room });
      await device.follow(room);
    }
    await at(devices, 0).does({ kind: "room", body: { act: "history", history } }, { room });
    await at(devices, 0).says("one", room);
    const first = keyOf(at(devices, 1));
    const late = await hall.welcome("late");
    await late.does({ kind: "membership", body: { change: "join" } }, { room });
    await at(devices, 0).says("two", room);
    assert.equal(keyOf(at(devices, 1)) === first, history === "all");
  }
});

test("a key is another one after an account was closed, or a device put out", async () => {
  const { hall, devices } = await lobby();
  await at(devices, 0).says("one");
  const first = keyOf(at(devices, 1));
  hall.exchange.cutAccount(at(devices, 4).handle);
  await at(devices, 0).says("two");
  assert.notEqual(keyOf(at(devices, 1)), first);
});

test("a key ends after an hour and after so many entries, and each room has its own", () => {
  let now = THEN;
  const keys = new RoomKeys({ entropy: seededEntropy("keys"), wallClock: () => now });
  const id = (room: Bytes, entries = 1): string => keys.take(room, entries).id.toHex();
  const other = seededEntropy("another room")(16);
  const first = id(LOBBY_ID);
  assert.notEqual(id(other), first);
  now += ROOM_KEY_MS_MAX - 1;
  assert.equal(id(LOBBY_ID), first);
  now += 1;
  const second = id(LOBBY_ID, ROOM_KEY_ENTRIES_MAX - 1);
  assert.notEqual(second, first);
  assert.equal(id(LOBBY_ID), second);
  const third = id(LOBBY_ID);
  assert.notEqual(third, second);
  now -= 2 * ROOM_KEY_MS_MAX;
  assert.notEqual(id(LOBBY_ID), third, "a clock that was put back keeps none alive");
});
