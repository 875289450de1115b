import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { activeDevices } from "../../lib/identity/device_list.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import { PEOPLE_MAX, STATUS_BYTES_MAX } from "../../lib/wire/limits.ts";
import type { Keys } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { handle, keyOf, type Person } from "../session/people.ts";
import { type Device, Hall } from "./hall.ts";
import { LOBBY_ID, summary } from "./room.ts";

/** Stores and publishes another list, as a service does. */
async function publish(hall: Hall, person: Person, list: DeviceList): Promise<Keys> {
  const account = await hall.account(person);
  const keys = await person.keys(list);
  await hall.accounts.setKeys(person.name, { keys, expected: account.keys, recovery: undefined });
  hall.exchange.publish(
    { account: { ...account, keys }, keys, devices: activeDevices(list.devices) },
    undefined,
  );
  person.list = list;
  await hall.settled();
  return keys;
}

/** Cards that are there before each entry and page, by those it names. */
function strangersNamed(device: Device): readonly string[] {
  const known = new Set<string>();
  return device.heard.flatMap((message) => {
    if (message.type === "cards") { for (const card of message.cards) known.add(card.handle); }
    const entries = message.type === "entry"
      ? [message.entry]
      : message.type === "page"
      ? message.entries
      : [];
    return entries.flatMap(({ from }) => from === undefined || known.has(from) ? [] : [from]);
  });
}

test("the keys of everybody whom an entry or a page names come before it, once on each connection", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  await hall.person("joe");
  await ann.says("hello");
  await bob.says("hi");
  await ann.does({ kind: "membership", body: { change: "invite", handle: handle("joe") } });
  const eve = await hall.enter(await hall.person("eve"));
  const from = eve.heard.length;
  await eve.follow(LOBBY_ID);
  await eve.read(LOBBY_ID);
  await bob.says("more");
  await ann.says("more");
  for (const device of [ann, bob, eve]) {
    assert.deepEqual(strangersNamed(device), []);
    const cards = device.heard.flatMap((message) => message.type === "cards" ? message.cards : []);
    assert.equal(new Set(cards.map((card) => card.handle)).size, cards.length, "none twice");
  }
  assert.deepEqual(eve.summary(from), [
    "cards eve",
    "page 10 live",
    "cards ann,bob,joe",
    "page 1,2,3,4,5,6,7,8,9,10",
    "bob: more",
    "ann: more",
  ]);
  assert.ok(bob.summary().indexOf("cards joe") === bob.summary().indexOf("invite joe") - 1);
});

test("a list that is published is told to who was told an older one, and to the log of each room of the account", async () => {
  const hall = await Hall.open();
  const [ann, bob, eve] = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
  const room = await ann.creates("#kitchen");
  await ann.follow(room);
  await bob.read(LOBBY_ID);
  const marks = [ann, bob, eve].map(({ heard }) => heard.length);
  const phone = await keyOf("ann phone");
  const keys = await publish(hall, ann.person, ann.person.with(phone.publicKey, "phone"));
  const told = [ann, bob, eve].map((device, at) => device.summary(marks[at]));
  assert.deepEqual(told, [
    ["account", "cards ann", "keys ann", "keys ann"],
    ["cards ann", "keys ann"],
    ["cards ann", "keys ann"],
  ]);
  const card = bob.heard.findLast((message) => message.type === "cards");
  assert.deepEqual(card?.type === "cards" && card.cards, [{ handle: ann.handle, ...keys }]);
  await ann.says("hello");
  assert.deepEqual(bob.summary().at(-2), "keys ann", "and not again");
});

test("a list that is published again as it was is in no log", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const { place } = await hall.last();
  await publish(hall, ann.person, ann.person.list);
  assert.deepEqual((await hall.last()).place, place);
});

test("devices that a list revokes are out within the turn; what they had said before and has no place is not said", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const phone = await keyOf("ann phone");
  await publish(hall, ann.person, ann.person.with(phone.publicKey, "phone"));
  const lost = await hall.enter(ann.person, phone);
  const { sequence } = (await hall.last()).place;
  const [waits, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = (method) => {
    if (method !== "placeOfId") return;
    waits.resolve();
    return gate.promise;
  };
  await lost.send(await lost.draft({ kind: "text", body: { text: "still me" } }));
  await waits.promise;
  const publishing = publish(hall, ann.person, ann.person.without(phone.publicKey));
  while (lost.closed.length === 0) await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  await publishing;
  await lost.says("and still");
  assert.deepEqual(lost.closed, ["deviceRevoked"]);
  assert.deepEqual([(await hall.last()).entry.kind, (await hall.last()).place.sequence], [
    "keys",
    sequence + 1,
  ]);
});

test("keys that are asked for are told in one answer, of those who have an account", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  await hall.person("bob");
  const from = ann.heard.length;
  await ann.take({ type: "askCards", ask: 3, handles: [handle("bob"), handle("nobody"), handle("ann")] });
  await ann.take({ type: "askCards", ask: 4, handles: [handle("nobody")] });
  const answers = ann.heard.slice(from).flatMap((message) => message.type === "cards" ? [message] : []);
  assert.deepEqual(answers.map(({ ask, end, cards }) => [ask, end, cards.map((card) => card.handle)]), [
    [3, true, ["bob", "ann"]],
    [4, true, []],
  ]);
});

test("an account is at hand from its first device to its last, away when all of its devices say so, and told once", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  const from = ann.heard.length;
  const second = await hall.enter(bob.person);
  await bob.take({ type: "status", state: "away", text: "at lunch" });
  await second.take({ type: "status", state: "away", text: "asleep" });
  await second.take({ type: "status", state: "away", text: "asleep" });
  await bob.take({ type: "status", state: "online" });
  bob.leave();
  bob.leave();
  second.leave();
  const told = ann.heard.slice(from).flatMap((message) => message.type === "presence" ? message.people : []);
  assert.deepEqual(told, [
    { handle: "bob", state: "away", text: "asleep" },
    { handle: "bob", state: "online" },
    { handle: "bob", state: "away", text: "asleep" },
    { handle: "bob", state: "offline" },
  ]);
});

test("people hear of those with whom they share a room, from when they do, and of nobody else", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.enter(await hall.person("bob"));
  await ann.creates("#attic");
  const room = await bob.creates("#kitchen");
  await bob.does({ kind: "membership", body: { change: "part" } });
  const [own, others] = [ann.heard.length, bob.heard.length];
  await bob.take({ type: "status", state: "away" });
  await ann.take({ type: "status", state: "away" });
  assert.ok(!ann.summary(own).includes("away bob"));
  assert.ok(!bob.summary(others).includes("away ann"));
  await ann.does({ kind: "membership", body: { change: "join" } }, { room });
  assert.ok(ann.summary(own).includes("away bob"));
  assert.ok(bob.summary(others).includes("away ann"));
  await bob.does({ kind: "membership", body: { change: "join" } });
  assert.equal(
    bob.summary(others).filter((words) => words === "away ann").length,
    1,
    "they share one already",
  );
});

test("hundreds of people who are away with long words are told in messages that fit", async () => {
  const hall = await Hall.open();
  for (let at = 0; at < PEOPLE_MAX + 30; at++) {
    const person = await hall.person(`someone-with-a-very-long-nam-${at}`);
    const device = await hall.enter(person);
    await device.take({ type: "status", state: "away", text: "x".repeat(STATUS_BYTES_MAX) });
  }
  const ann = await hall.enter(await hall.person("ann"));
  const told = ann.heard.flatMap((message) => message.type === "presence" ? [message.people] : []);
  assert.ok(told.length > 1);
  assert.equal(new Set(told.flat().map((person) => person.handle)).size, PEOPLE_MAX + 31);
});

test("marks go to one's other devices, to others where they are shown, never back, and are there again later", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const second = await hall.enter(bob.person);
  for (let at = 0; at < 5; at++) await ann.says("x");
  const from = [ann, bob, second].map(({ heard }) => heard.length);
  const mark = { type: "mark", room: LOBBY_ID } as const;
  await bob.take({ ...mark, delivered: 6, read: 0, shown: false });
  await bob.take({ ...mark, delivered: 3, read: 7, shown: false });
  await bob.take({ ...mark, delivered: 8, read: 8, shown: true });
  await bob.take({ ...mark, delivered: 2, read: 2, shown: true });
  await bob.take({ ...mark, delivered: 9_999, read: 9_999, shown: true });
  assert.deepEqual([ann, bob, second].map((device, at) => device.summary(from[at])), [
    ["marks bob 8 8", "marks bob 10 10"],
    [],
    ["marks bob 6 0", "marks bob 7 7", "marks bob 8 8", "marks bob 10 10"],
  ]);
  hall.exchange.tick();
  await hall.settled();
  assert.deepEqual(await hall.log.marks(LOBBY_ID, bob.handle), { delivered: 10, read: 10 });
  const again = await Hall.open({ log: hall.log, accounts: hall.accounts });
  const back = await again.enter(bob.person);
  const told = back.heard.find(({ type }) => type === "room");
  assert.deepEqual(told?.type === "room" && [told.delivered, told.read], [10, 10]);
});

test("marks that the disk refuses wait for the next change", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  await ann.take({ type: "mark", room: LOBBY_ID, delivered: 2, read: 2, shown: false });
  hall.log.before = (method) => method === "change" ? Promise.reject(new Error("full")) : undefined;
  hall.exchange.tick();
  await hall.settled();
  hall.log.before = () => {};
  await ann.says("hello");
  assert.deepEqual(await hall.log.marks(LOBBY_ID, ann.handle), { delivered: 2, read: 2 });
});

test("who begins to hear a small room is told what others have shown of their marks there", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  await ann.take({ type: "mark", room: LOBBY_ID, delivered: 4, read: 3, shown: true });
  await bob.take({ type: "mark", room: LOBBY_ID, delivered: 5, read: 5, shown: false });
  const eve = await hall.welcome("eve");
  assert.deepEqual(eve.summary().filter((words) => words.startsWith("marks")), ["marks ann 4 3"]);
});

test("that somebody writes is told to the others in a small room, and that they no longer do, also when they leave", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const second = await hall.enter(ann.person);
  const marks = [ann, bob, second].map(({ heard }) => heard.length);
  await ann.take({ type: "typing", room: LOBBY_ID, on: true });
  await ann.take({ type: "typing", room: LOBBY_ID, on: false });
  await ann.take({ type: "typing", room: LOBBY_ID, on: true });
  ann.leave();
  assert.deepEqual([ann, bob, second].map((device, at) => device.summary(marks[at])), [
    [],
    ["ann types", "ann types no more", "ann types", "ann types no more"],
    [],
  ]);
});

test("in a big room nobody is told who writes and who has read", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  for (let at = 0; at < 32; at++) await hall.enter(await hall.person(`n${at}`));
  const bob = await hall.welcome("bob");
  const { length } = ann.heard;
  await bob.take({ type: "typing", room: LOBBY_ID, on: true });
  await bob.take({ type: "mark", room: LOBBY_ID, delivered: 1, read: 1, shown: true });
  assert.equal(ann.heard.length, length);
});

test("who is blocked says nothing to who blocks, and is told so; all devices know whom one blocks", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const second = await hall.enter(bob.person);
  const room = await ann.addresses(bob.handle);
  await bob.does({ kind: "membership", body: { change: "allow", handle: ann.handle } }, { room });
  await bob.take({ type: "block", handle: ann.handle, on: true });
  for (const device of [bob, second]) {
    assert.deepEqual(device.heard.at(-1), { type: "blocks", handles: ["ann"] });
  }
  const { length } = bob.heard;
  assert.equal((await ann.says("hey", room))?.code, "blocked");
  await ann.take({ type: "typing", room, on: true });
  const begin = { type: "fileBegin", room, sha256: new Uint8Array(32), size: 1 } as const;
  await ann.take({ ...begin, file: new Uint8Array(16) });
  assert.equal(ann.faults().at(-1)?.code, "blocked");
  assert.equal(bob.heard.length, length);
  await bob.take({ type: "block", handle: ann.handle, on: true });
  assert.equal(bob.faults().at(-1)?.code, "unchanged");
  await bob.take({ type: "block", handle: handle("nobody"), on: true });
  assert.equal(bob.faults().at(-1)?.code, "noSuchPerson");
  await bob.take({ type: "block", handle: bob.handle, on: true });
  assert.equal(bob.faults().at(-1)?.code, "noSuchPerson");
  await bob.take({ type: "block", handle: ann.handle, on: false });
  assert.equal(await ann.says("hey", room), undefined);
  const again = await Hall.open({ log: hall.log, accounts: hall.accounts });
  assert.ok(!(await again.enter(bob.person)).heard.map(summary).includes("blocks"));
});

test("a change of a room is told to its people once a turn, and of a role to whom it concerns", async () => {
  const hall = await Hall.open();
  const [ann, bob, eve] = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
  const marks = [ann, bob, eve].map(({ heard }) => heard.length);
  const drafts = [
    await ann.draft({ kind: "topic", body: { topic: "one" } }),
    await ann.draft({ kind: "topic", body: { topic: "two" } }),
  ];
  for (const draft of drafts) void ann.send(draft);
  await hall.settled();
  for (const [at, device] of [ann, bob, eve].entries()) {
    const rooms = device.heard.slice(marks[at]).flatMap((message) =>
      message.type === "room" ? [message] : []
    );
    assert.deepEqual(rooms.map(({ settings }) => settings.topic), ["two"]);
  }
  const from = [ann, bob, eve].map(({ heard }) => heard.length);
  await ann.does({ kind: "moderation", body: { act: "role", handle: bob.handle, role: "operator" } });
  const told = [ann, bob, eve].map((device, at) =>
    device.summary(from[at]).filter((each) => each.startsWith("room"))
  );
  assert.deepEqual(told, [[], ["room #lobby operator"], []]);
});
