import assert from "node:assert/strict";
import type { SigningKey } from "../../lib/crypto/port.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Keys, Publish } from "../../lib/wire/message.ts";
import { type Guest, Room } from "../delivery/room.ts";
import { test } from "../sanitized.ts";
import { handle, keyOf, Person } from "./people.ts";

const ANN = handle("ann");
const PASSWORD = "correct horse battery";
const SHARE: Bytes = new Uint8Array(32).fill(8);
const SEALED: Bytes = new Uint8Array(96).fill(9);
const BLOB: Bytes = new Uint8Array(96).fill(5);

test("a list that a device publishes is told to all connections of its account, and its keys to the whole lobby", async () => {
  const room = await Room.open();
  const { ann, laptop, password } = await family(room);
  const bob = await room.welcome("bob");
  const entered = await room.enter(ann);
  const list = ann.with((await keyOf("phone")).publicKey, "phone");
  const keys = await ann.keys(list);
  const guests = [laptop, password, bob, entered];
  const marks = guests.map((guest) => guest.heard.length);
  const account = await laptop.ask({ type: "publish", keys });
  assert.deepEqual(account, { type: "account", handle: ANN, role: "owner", keys, recovery: false });
  for (const guest of [laptop, bob]) await room.until(() => guest.summary.at(-1) === "keys ann");
  for (const [at, guest] of guests.entries()) {
    if (guest !== bob) await guest.next(({ type }) => type === "account", marks[at]);
  }
  const told = guests.map((guest, at) => guest.summary.slice(marks[at]));
  assert.deepEqual(told, [
    ["account", "cards ann", "keys ann"],
    ["account"],
    ["cards ann", "keys ann"],
    ["account"],
  ]);
  for (const guest of guests) await guest.leave();
});

test("attack 25: a device that was revoked is out within the turn, and what it says then nobody hears", async () => {
  const room = await Room.open();
  const { ann, laptop, phone } = await family(room);
  const bob = await room.welcome("bob");
  const [lost, entered] = [await room.join(ann, phone), await room.enter(ann, phone)];
  const { length } = bob.heard;
  await publish(room, laptop, ann, ann.without(phone.publicKey));
  lost.say("still me");
  for (const guest of [lost, entered]) await closedFor(guest, "deviceRevoked");
  assert.ok(lost.summary.includes("account"), "it is told the list that says so");
  laptop.say("only me");
  await room.until(() => bob.texts.length > 0);
  assert.deepEqual(
    bob.summary.slice(length),
    ["cards ann", "keys ann", "ann: only me"],
    "her other device is still present",
  );
  const again = await room.connect();
  await again.sendDeviceLogin(ANN, phone);
  await again.ended;
  assert.equal(again.refusal, "badLogin");
  for (const guest of [laptop, bob]) await guest.leave();
});

test("attack 25: what a revoked device had already sent is not said after its revocation", async () => {
  const room = await Room.open();
  const { ann, laptop, phone } = await family(room);
  const bob = await room.welcome("bob");
  const lost = await room.join(ann, phone);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const keys = await ann.keys(ann.without(phone.publicKey));
  room.store.after = (method) => {
    if (method !== "setKeys") return;
    asked.resolve();
    return gate.promise;
  };
  laptop.send({ type: "publish", keys });
  await asked.promise;
  // It waits for the disk, which is busy until the list is published.
  const [waits, busy] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  room.log.before = (method) => {
    if (method !== "placeOfId") return;
    waits.resolve();
    return busy.promise;
  };
  lost.say("one more");
  await waits.promise;
  gate.resolve();
  await closedFor(lost, "deviceRevoked");
  busy.resolve();
  await room.exchange.settled();
  assert.deepEqual(bob.texts, []);
  for (const guest of [laptop, bob]) await guest.leave();
});

test("the last device in the lobby that revokes itself has left it", async () => {
  const room = await Room.open();
  const { ann, laptop } = await family(room);
  const bob = await room.welcome("bob");
  const { length } = bob.heard;
  laptop.send({ type: "publish", keys: await ann.keys(ann.without(ann.device.publicKey)) });
  await closedFor(laptop, "deviceRevoked");
  await room.until(() => bob.summary.at(-1) === "keys ann");
  assert.deepEqual(bob.summary.slice(length), ["offline ann", "cards ann", "keys ann"]);
  await bob.leave();
});

test("attack 25: a device revoked, or an account disabled, behind the server's back publishes nothing any more", async () => {
  for (const change of ["revoked", "disabled"] as const) {
    const room = await Room.open();
    const { ann, phone } = await family(room);
    const lost = await room.enter(ann, phone);
    const keys = await ann.keys(ann.with((await keyOf("evil")).publicKey, "evil"));
    const stored = await ann.keys(change === "revoked" ? ann.without(phone.publicKey) : ann.list);
    if (change === "revoked") {
      await room.store.setKeys(ANN, { keys: stored, expected: await ann.keys(), recovery: undefined });
    } else await room.store.setStanding(ANN, "disabled");
    lost.send({ type: "publish", keys });
    await closedFor(lost, change === "revoked" ? "deviceRevoked" : "accountClosed");
    assert.deepEqual((await room.store.find(ANN))?.keys, stored);
  }
});

test("of two lists that are published at the same time one is stale, and nobody is told of it", async () => {
  const room = await Room.open();
  const { ann, laptop, phone } = await family(room);
  const other = await room.join(ann, phone);
  const bob = await room.welcome("bob");
  const lists = await Promise.all(
    ["tablet", "watch"].map(async (name) => ann.with((await keyOf(name)).publicKey, name)),
  );
  const [first, second] = await Promise.all(lists.map((list) => ann.keys(list)));
  const { length } = bob.heard;
  laptop.send({ type: "publish", keys: first ?? assert.fail() });
  other.send({ type: "publish", keys: second ?? assert.fail() });
  await room.until(() => [laptop, other].some((guest) => guest.summary.includes("fault staleList")));
  await room.until(() => bob.summary.at(-1) === "keys ann");
  assert.deepEqual(bob.summary.slice(length), ["cards ann", "keys ann"]);
  for (const guest of [laptop, other, bob]) await guest.leave();
});

test("a list that another process published in the middle of it makes this one stale", async () => {
  const room = await Room.open();
  const { ann, laptop } = await family(room);
  const [mine, theirs] = [
    await ann.keys(ann.with((await keyOf("tablet")).publicKey, "tablet")),
    await ann.keys(ann.with((await keyOf("watch")).publicKey, "watch")),
  ];
  const expected = await ann.keys();
  room.store.after = async (method) => {
    if (method !== "find") return;
    room.store.after = () => {};
    assert.ok(await room.store.setKeys(ANN, { keys: theirs, expected, recovery: undefined }));
  };
  assert.deepEqual(await laptop.ask({ type: "publish", keys: mine }), { type: "fault", code: "staleList" });
  assert.deepEqual((await room.store.find(ANN))?.keys, theirs);
  await laptop.leave();
});

test("a device that enters while its account's keys change is told no older ones", async () => {
  const room = await Room.open();
  const { ann, password, phone, laptop } = await family(room);
  await laptop.leave();
  const late = await room.connect();
  await late.sendDeviceLogin(ANN, phone);
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  room.store.after = (method) => {
    if (method !== "find") return;
    room.store.after = () => {};
    asked.resolve();
    return gate.promise;
  };
  late.send({ type: "enter" });
  await asked.promise;
  const keys = await ann.keys(ann.with((await keyOf("tablet")).publicKey, "tablet"));
  const { length } = password.heard;
  password.send({ type: "publish", keys });
  gate.resolve();
  await password.next(({ type }) => type === "account", length);
  await late.join();
  const told = late.heard.flatMap((message) => message.type === "account" ? [message.keys?.list] : []);
  assert.deepEqual(told.at(-1), keys.list);
  const cards = late.heard.flatMap((message) => message.type === "cards" ? message.cards : []);
  assert.deepEqual(cards.map(({ list }) => list).slice(-1), [keys.list]);
  for (const guest of [late, password]) await guest.leave();
});

test("a new device is approved by an old one: it gets its part, all connections the account, and it may come in", async () => {
  const room = await Room.open();
  const { ann, laptop, password } = await family(room);
  const bob = await room.welcome("bob");
  const tablet = await keyOf("tablet");
  const request = { device: tablet.publicKey, name: "tablet", share: SHARE };
  password.send({ type: "askApproval", ...request });
  assert.deepEqual(await laptop.next(({ type }) => type === "approval"), { type: "approval", ...request });
  const later = await room.enter(ann);
  assert.deepEqual(await later.next(({ type }) => type === "approval"), { type: "approval", ...request });
  const keys = await ann.keys(ann.with(tablet.publicKey, "tablet"));
  const [asked, given] = [password.heard.length, laptop.heard.length];
  laptop.send({ type: "approve", device: tablet.publicKey, keys, share: SHARE, sealed: SEALED });
  await room.until(() => laptop.summary.at(-1) === "keys ann");
  await password.next(({ type }) => type === "account", asked);
  assert.deepEqual(password.heard[asked], { type: "approved", keys, share: SHARE, sealed: SEALED });
  assert.deepEqual(laptop.summary.slice(given), ["account", "cards ann", "keys ann"]);
  assert.ok(!bob.summary.includes("approval"), "that is nobody else's affair");
  const guest = await room.join(ann, tablet);
  const again = await laptop.ask({
    type: "approve",
    device: tablet.publicKey,
    keys,
    share: SHARE,
    sealed: SEALED,
  });
  assert.deepEqual(again, { type: "fault", code: "noSuchRequest" });
  for (const each of [laptop, later, password, bob, guest]) await each.leave();
});

test("what nobody asked for, who asked and is gone, or is not in the list, is not approved", async () => {
  const room = await Room.open();
  const { ann, laptop, password } = await family(room);
  const tablet = await keyOf("tablet");
  const keys = await ann.keys(ann.with(tablet.publicKey, "tablet"));
  const approve = { type: "approve", device: tablet.publicKey, keys, share: SHARE, sealed: SEALED } as const;
  assert.deepEqual(await laptop.ask(approve), { type: "fault", code: "noSuchRequest" });
  password.send({ type: "askApproval", device: tablet.publicKey, name: "tablet", share: SHARE });
  await laptop.next(({ type }) => type === "approval");
  const other = await ann.keys(ann.with((await keyOf("watch")).publicKey, "watch"));
  assert.deepEqual(await laptop.ask({ ...approve, keys: other }), { type: "fault", code: "badList" });
  await password.leave();
  assert.deepEqual(await laptop.ask(approve), { type: "fault", code: "noSuchRequest" });
  assert.deepEqual((await room.store.find(ANN))?.keys, await ann.keys());
  await laptop.leave();
});

test("nobody approves, or is asked to approve, for another account", async () => {
  const room = await Room.open();
  const { ann, laptop, password } = await family(room);
  const person = await room.person("bob");
  const bob = await room.join(person);
  const tablet = await keyOf("tablet");
  password.send({ type: "askApproval", device: tablet.publicKey, name: "tablet", share: SHARE });
  await laptop.next(({ type }) => type === "approval");
  const keys = await person.keys(person.with(tablet.publicKey, "tablet"));
  const fault = await bob.ask({
    type: "approve",
    device: tablet.publicKey,
    keys,
    share: SHARE,
    sealed: SEALED,
  });
  assert.deepEqual(fault, { type: "fault", code: "noSuchRequest" });
  const foreign = await bob.ask({ type: "publish", keys: await ann.keys(ann.with(tablet.publicKey, "x")) });
  assert.deepEqual(foreign, { type: "fault", code: "badList" });
  assert.ok(!bob.summary.includes("approval"));
  for (const guest of [laptop, password, bob]) await guest.leave();
});

test("a device that waits and is cut waits no more, and neither does one whose server had no time to notice", async () => {
  const room = await Room.open();
  const { ann, password } = await family(room);
  const tablet = await keyOf("tablet");
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  room.store.after = (method) => {
    if (method !== "find") return;
    asked.resolve();
    return gate.promise;
  };
  password.send({ type: "askApproval", device: tablet.publicKey, name: "tablet", share: SHARE });
  await asked.promise;
  password.session.lost();
  gate.resolve();
  await password.ended;
  room.store.after = () => {};
  assert.equal(room.exchange.isWaiting(ANN, tablet.publicKey), false);
  const later = await room.join(ann);
  assert.ok(!later.summary.includes("approval"));
  await later.leave();
});

test("a new identity takes a password and a recovery blob; all are told, and the old devices are out", async () => {
  const room = await Room.open();
  const { laptop, password } = await family(room);
  const bob = await room.welcome("bob");
  const reborn = await Person.named("ann", "again");
  const keys = await reborn.keys();
  const refused: readonly (readonly [Guest, Publish])[] = [
    [laptop, { type: "publish", keys, recovery: BLOB }],
    [password, { type: "publish", keys }],
    [password, { type: "publish", keys: await reborn.keys({ ...reborn.list, number: 2 }), recovery: BLOB }],
  ];
  for (const [guest, message] of refused) {
    assert.deepEqual(await guest.ask(message), { type: "fault", code: "badList" });
  }
  const account = await password.ask({ type: "publish", keys, recovery: BLOB });
  assert.deepEqual(account, { type: "account", handle: ANN, role: "owner", keys, recovery: true });
  await closedFor(laptop, "deviceRevoked");
  const cards = await bob.next((message) => message.type === "cards", bob.arrivedAt);
  assert.deepEqual(cards, { type: "cards", cards: [{ handle: ANN, ...keys }] });
  const guest = await room.join(reborn);
  for (const each of [password, bob, guest]) await each.leave();
});

test("the keys that are stored already may be published again, with a recovery blob: by password the first, by a device another", async () => {
  const room = await Room.open();
  const { ann, password, laptop } = await family(room);
  const keys = await ann.keys();
  const { length } = laptop.heard;
  const account = await password.ask({ type: "publish", keys, recovery: BLOB });
  assert.deepEqual(account, { type: "account", handle: ANN, role: "owner", keys, recovery: true });
  await laptop.next(({ type }) => type === "account", length);
  const other: Bytes = new Uint8Array(96).fill(6);
  const refused = await password.ask({ type: "publish", keys, recovery: other });
  assert.deepEqual(refused, { type: "fault", code: "badList" });
  assert.deepEqual((await room.store.find(ANN))?.recovery, BLOB);
  assert.equal((await laptop.ask({ type: "publish", keys, recovery: other })).type, "account");
  assert.deepEqual((await room.store.find(ANN))?.recovery, other);
  for (const guest of [password, laptop]) await guest.leave();
});

/** Ann with two devices, the first of them in the lobby, and a connection by her password. */
async function family(room: Room): Promise<{
  readonly ann: Person;
  readonly laptop: Guest;
  readonly phone: SigningKey;
  readonly password: Guest;
}> {
  const ann = await Person.named("ann");
  const phone = await keyOf("ann phone");
  const password = await room.connect();
  assert.equal(await password.register(ANN, PASSWORD), undefined);
  assert.equal(await password.logIn(ANN, PASSWORD), "in");
  await password.ask({ type: "publish", keys: await ann.keys() });
  const laptop = await room.join(ann);
  await publish(room, laptop, ann, ann.with(phone.publicKey, "phone"));
  await password.next(({ type }) => type === "account", 2);
  return { ann, laptop, phone, password };
}

async function publish(room: Room, guest: Guest, person: Person, list: DeviceList): Promise<Keys> {
  const keys = await person.keys(list);
  const { length } = guest.heard;
  guest.send({ type: "publish", keys });
  await guest.next((message) => message.type === "account", length);
  await room.until(() => guest.summary.slice(length).includes("keys ann"));
  person.list = list;
  return keys;
}

async function closedFor(guest: Guest, reason: string): Promise<void> {
  const { session } = await guest.ended;
  assert.equal(session.kind === "closed" && session.reason, reason);
}
