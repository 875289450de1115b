import assert from "node:assert/strict";
import { Failure } from "../../lib/text/failure.ts";
import { directId } from "../../lib/identity/room_id.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { handle, HOST_KEY } from "../session/people.ts";
import { test } from "../sanitized.ts";
import { Hall } from "./hall.ts";
import { LOBBY_ID } from "./room.ts";

test("a device is told its account, whom it blocks, its rooms, that these are all, and who is at hand, in that order", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  await hall.person("bob");
  await ann.creates("#kitchen");
  await ann.take({ type: "block", handle: handle("bob"), on: true });
  const again = await hall.enter(ann.person);
  assert.deepEqual(again.summary(), [
    "account",
    "blocks",
    "room #lobby owner",
    "room #kitchen owner",
    "ready",
    "online ann",
  ]);
});

test("a login by password is told its account, and nothing of rooms or people", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const person = await hall.person("bob");
  const bob = hall.greet(person);
  hall.exchange.leave(bob.peer);
  hall.exchange.greet(bob.peer, { kind: "password", handle: person.name, record: new Uint8Array(192) });
  await hall.exchange.enter(bob.peer, await hall.account(person));
  await ann.says("hello");
  assert.deepEqual(bob.summary(), ["account"]);
  await bob.take({ type: "list", ask: 0 });
  assert.deepEqual(bob.summary(), ["account"]);
  assert.deepEqual(hall.exchange.present(), ["ann"]);
});

test("before it has entered a device is told nothing, and what it asks is not done", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const eve = hall.greet(await hall.person("eve"));
  await eve.says("let me in");
  await eve.read(LOBBY_ID, { follow: true });
  await ann.says("hello");
  assert.deepEqual(eve.heard, []);
  assert.deepEqual(ann.sequences(), [3, 4]);
});

test("who is in no room is put into the lobby by the server, with a role and keys; who is in one is not", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  assert.deepEqual(
    (await bob.read(LOBBY_ID)).flatMap((page) => page.type === "page" ? page.entries : []).map(
      ({ from, kind }) => [from, kind],
    ),
    [
      [undefined, "room"],
      [undefined, "membership"],
      [undefined, "keys"],
      [undefined, "membership"],
      [undefined, "keys"],
    ],
  );
  await bob.creates("#kitchen");
  await bob.does({ kind: "membership", body: { change: "part" } });
  await hall.enter(bob.person);
  await ann.says("alone");
  assert.equal((await hall.last()).entry.sequence, 7, "nothing but that he left, and that she is alone");
});

test("two devices that enter at once are put into the lobby once", async () => {
  const hall = await Hall.open();
  const person = await hall.person("ann");
  const both = await Promise.all([hall.enter(person), hall.enter(person)]);
  assert.equal((await hall.last()).entry.sequence, 3);
  for (const device of both) assert.ok(device.summary().includes("room #lobby owner"));
});

test("who is banned in the lobby comes in without it", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  await ann.does({ kind: "moderation", body: { act: "ban", handle: bob.handle } });
  const back = await hall.enter(bob.person);
  assert.deepEqual(back.summary(), ["account", "ready", "online bob"]);
  assert.deepEqual(hall.exchange.present(), ["ann"]);
});

test("attack 33: in a lockdown the server puts nobody into the lobby, and a device comes in without it", async () => {
  const hall = await Hall.open();
  const [ann, eve] = [await hall.welcome("ann"), await hall.welcome("eve")];
  await ann.does({ kind: "room", body: { act: "lockdown", on: true } });
  await ann.does({ kind: "moderation", body: { act: "kick", handle: eve.handle } });
  const back = await hall.enter(eve.person);
  assert.deepEqual(back.summary().filter((each) => /room|ready/.test(each)), ["ready"]);
  assert.deepEqual(hall.log.states.map(({ members }) => Array.from(members.keys())), [[ann.handle]]);
  await ann.does({ kind: "room", body: { act: "lockdown", on: false } });
  assert.ok((await hall.enter(eve.person)).summary().includes("room #lobby member"));
  await ann.does({ kind: "moderation", body: { act: "kick", handle: eve.handle } });
  await ann.does({ kind: "room", body: { act: "lockdown", on: true } });
  await ann.does({ kind: "membership", body: { change: "part" } });
  const first = await hall.enter(eve.person);
  assert.ok(first.summary().includes("room #lobby owner"), "where nobody is somebody must be able to end it");
});

test("a room is told with its head, with the last place that one may not read, and with one's marks", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen", "private");
  await ann.says("before", room);
  const before = (await hall.last(room)).place;
  const bob = await hall.welcome("bob");
  await ann.does({ kind: "membership", body: { change: "invite", handle: bob.handle } }, { room });
  await bob.does({ kind: "membership", body: { change: "join" } }, { room });
  await bob.take({ type: "mark", room, delivered: 4, read: 4, shown: false });
  const again = await hall.enter(bob.person);
  const told = again.heard.find((message) => message.type === "room" && message.name === "#kitchen");
  assert.ok(told?.type === "room");
  const { entry, place } = await hall.last(room);
  assert.deepEqual(told.head, place);
  assert.equal(told.base.sequence, 3, "what came before his coming, and the invitation");
  assert.deepEqual(told.base.hash, entry.previous);
  assert.equal(before.sequence, 2);
  assert.deepEqual([told.delivered, told.read], [4, 4]);
});

test("attack 25: a request for a direct conversation tells who asks, and nothing of what is said there", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  const from = bob.heard.length;
  const room = await ann.addresses(bob.handle);
  await ann.says("psst", room);
  await bob.read(room, { follow: true });
  await bob.take({ type: "askMembers", room, ask: 7 });
  await ann.says("hey", room);
  const again = await hall.enter(bob.person);
  for (const told of [bob.heard.slice(from), again.heard]) {
    const asked = told.find((message) => message.type === "room" && message.kind === "direct");
    assert.ok(asked?.type === "room");
    const { standing, with: other, role, members, head, base } = asked;
    assert.deepEqual({ standing, other, role, members }, {
      standing: "requested",
      other: "ann",
      role: undefined,
      members: 0,
    });
    assert.deepEqual([head.sequence, base.sequence], [0, 0]);
    assert.ok(!told.some(({ type }) => type === "entry"));
  }
  assert.deepEqual(bob.summary(from), [
    "cards ann",
    "room ann requested",
    "fault notMember",
    "fault notMember",
  ]);
  assert.ok(again.summary().indexOf("cards ann") < again.summary().indexOf("room ann requested"));
  await bob.does({ kind: "membership", body: { change: "allow", handle: ann.handle } }, { room });
  assert.ok(bob.summary(from).includes("room ann member"));
  const [page] = await bob.read(room);
  assert.deepEqual(page?.type === "page" && page.entries.map(({ sequence }) => sequence), [1, 2, 3, 4]);
});

test("a request that was refused is asked no more, and the room stays for who began it", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  const room = await ann.addresses(bob.handle);
  await bob.does({ kind: "membership", body: { change: "deny", handle: ann.handle } }, { room });
  assert.equal(bob.summary().at(-1), "gone denied");
  assert.equal((await ann.says("please", room))?.code, "notAccepted");
  assert.ok(!(await hall.enter(bob.person)).summary().some((words) => words.startsWith("room ann")));
  assert.ok((await hall.enter(ann.person)).summary().includes("room bob member"));
});

test("attack 29: a device comes in though it cannot be put into the lobby, and is sent away where the disk cannot be read", async () => {
  const hall = await Hall.open();
  const person = await hall.person("bob");
  const full = (): Promise<never> =>
    Promise.reject(new Failure("cannotCreate", "Cannot write: the disk is full."));
  hall.log.before = (method) => method === "change" ? full() : undefined;
  const bob = await hall.enter(person);
  assert.deepEqual(bob.summary(), ["account", "ready", "online bob"]);
  hall.log.before = (method) => method === "marks" ? full() : undefined;
  const other = await hall.enter(await hall.person("joe"));
  assert.deepEqual([other.summary(), other.closed], [["account"], ["reconnect"]]);
});

test("a device that leaves while its rooms are looked up is told nothing of them, and nobody is told of it", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const from = ann.heard.length;
  const person = await hall.person("bob");
  const bob = hall.greet(person);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = (method) => {
    if (method !== "marks") return;
    asked.resolve();
    return gate.promise;
  };
  const entering = hall.exchange.enter(bob.peer, await hall.account(person));
  await asked.promise;
  bob.leave();
  gate.resolve();
  await entering;
  assert.deepEqual(bob.summary(), ["account"]);
  assert.deepEqual(
    ann.summary(from),
    ["cards bob", "join bob", "keys bob"],
    "he is in the lobby, and not at hand",
  );
});

test("a device whose connection is lost while its rooms are looked up is never told to be at hand", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const person = await hall.person("bob");
  const bob = hall.greet(person);
  hall.log.before = (method) => {
    if (method === "marks") bob.isLost = true;
  };
  await hall.exchange.enter(bob.peer, await hall.account(person));
  bob.leave();
  assert.deepEqual(bob.summary(), ["account"]);
  assert.ok(!ann.summary().some((words) => words.includes("online bob")));
  assert.deepEqual(hall.exchange.present(), ["ann"]);
});

test("a room that one is invited into while one's rooms are looked up is among them", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen", "private");
  const person = await hall.person("bob");
  const bob = hall.greet(person);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = (method) => {
    if (method !== "marks") return;
    hall.log.before = () => {};
    asked.resolve();
    return gate.promise;
  };
  const entering = hall.exchange.enter(bob.peer, await hall.account(person));
  await asked.promise;
  await ann.does({ kind: "membership", body: { change: "invite", handle: person.name } }, { room });
  gate.resolve();
  await entering;
  assert.deepEqual(bob.summary().filter((words) => words.startsWith("room")), [
    "room #lobby member",
    "room #kitchen invited",
  ]);
});

test("what happens while one's rooms are looked up is in what is told then, and not told before", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  bob.leave();
  const late = hall.greet(bob.person);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = (method) => {
    if (method !== "marks") return;
    hall.log.before = () => {};
    asked.resolve();
    return gate.promise;
  };
  const entering = hall.exchange.enter(late.peer, await hall.account(bob.person));
  await asked.promise;
  await ann.does({ kind: "topic", body: { topic: "news" } });
  await ann.does({ kind: "moderation", body: { act: "role", handle: bob.handle, role: "operator" } });
  await ann.take({ type: "status", state: "away" });
  gate.resolve();
  await entering;
  assert.deepEqual(late.summary(), ["account", "room #lobby operator", "ready", "online bob, away ann"]);
  const told = late.heard.find(({ type }) => type === "room");
  assert.equal(told?.type === "room" && told.settings.topic, "news");
});

test("attack 25: nobody but the two can know that they talk", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  const eve = await hall.welcome("eve");
  const room = await ann.addresses(bob.handle);
  const guessed = directId(repeatable, HOST_KEY.publicKey, [ann.handle, bob.handle]);
  assert.deepEqual(guessed, room);
  await eve.read(room, { follow: true });
  await eve.take({ type: "askMembers", room, ask: 1 });
  assert.equal((await eve.says("hello", room))?.code, "noSuchRoom");
  await eve.read(new Uint8Array(16), { follow: true });
  assert.deepEqual(eve.faults().map(({ code }) => code), Array.from({ length: 4 }, () => "noSuchRoom"));
});
