import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Overheard } from "../../lib/chat/overheard.ts";
import type { RoomExchange } from "../../lib/delivery/exchange.ts";
import { REFUSALS_PER_SECOND_MAX } from "../../lib/delivery/patience.ts";
import { claimOf, verifyEntry } from "../../lib/identity/log_entry.ts";
import { QUEUE_BYTES_MAX } from "../../lib/secure/link.ts";
import { Failure } from "../../lib/text/failure.ts";
import { TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import type { ServerMessage } from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { handle, HOST_KEY, THEN } from "../session/people.ts";
import { test } from "../sanitized.ts";
import { Hall } from "./hall.ts";
import { draft, entryWords, type Guest, LOBBY_ID, Room } from "./room.ts";

const ADDRESS = "192.0.2.9:40000";

test("a message is encoded once for all who hear it", async () => {
  const hall = await Hall.open();
  const devices = [];
  for (let at = 0; at < 5; at++) {
    const device = await hall.welcome(`n${at}`);
    await device.read(LOBBY_ID);
    devices.push(device);
  }
  await devices[0]?.says("x");
  const octets = devices.slice(1).map(({ raw }) => raw.at(-1));
  // The keys of the one who speaks may come before it.
  assert.equal(new Set(octets).size, 1);
  assert.equal(octets.length, 4);
});

test("the operator hears all that is said, and who of the lobby is at hand from where, and own lines at their place", async () => {
  const hall = await Hall.open();
  const overheard: Overheard[] = [];
  const stop = hall.exchange.overhear((event) => overheard.push(event));
  const ann = await hall.welcome("ann");
  const second = await hall.enter(ann.person);
  await ann.says("hello");
  await hall.exchange.say({ source: "console", name: "console", text: "hear, hear" });
  await hall.exchange.say({ source: "bridge", name: "guest", text: "me too" });
  assert.deepEqual(hall.exchange.present(), ["ann"]);
  ann.leave();
  second.leave();
  stop();
  await hall.welcome("bob");
  assert.deepEqual(overheard, [
    { kind: "came", time: THEN, name: "ann", address: "192.0.2.1:50000" },
    { kind: "said", time: THEN, source: "member", name: "ann", text: "hello" },
    { kind: "said", time: THEN, source: "console", name: "console", text: "hear, hear" },
    { kind: "said", time: THEN, source: "bridge", name: "guest", text: "me too" },
    { kind: "went", time: THEN, name: "ann" },
  ]);
});

test("the operator hears nothing of other rooms, and who leaves the lobby is there no more", async () => {
  const hall = await Hall.open();
  const [, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const room = await bob.creates("#kitchen");
  const overheard: Overheard[] = [];
  hall.exchange.overhear((event) => overheard.push(event));
  await bob.says("psst", room);
  await bob.does({ kind: "membership", body: { change: "part" } });
  await bob.does({ kind: "membership", body: { change: "join" } });
  assert.deepEqual(overheard.map(({ kind }) => kind), ["went", "came"]);
});

test("lines of the operator keep their order, and are signed by the host key for the lobby", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const texts = Array.from({ length: 20 }, (_, at) => `${at}`);
  await Promise.all(texts.map((text) => hall.exchange.say({ source: "console", name: "console", text })));
  const entries = ann.heard.flatMap((message) => message.type === "entry" ? [message.entry] : []).slice(-20);
  assert.deepEqual(entries.map(entryWords), texts.map((text) => `console via console: ${text}`));
  const key = await repeatable.ed25519VerifyingKey(HOST_KEY.publicKey) ?? assert.fail("a key");
  for (const entry of entries) {
    assert.equal(entry.from, undefined);
    assert.ok(await verifyEntry(key, claimOf(LOBBY_ID, entry), entry.signature));
    assert.ok(!await verifyEntry(key, claimOf(new Uint8Array(16), entry), entry.signature));
  }
});

test("attack 29: a line that cannot be stored is told to whoever said it, and the next one is said", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  hall.log.before = (method) =>
    method === "change" ? Promise.reject(new Failure("cannotCreate", "full")) : undefined;
  await assert.rejects(hall.exchange.say({ source: "console", name: "console", text: "one" }), Failure);
  hall.log.before = () => {};
  await hall.exchange.say({ source: "console", name: "console", text: "two" });
  assert.equal(ann.summary().at(-1), "console via console: two");
});

test("a line that no client would take is not said", async () => {
  const hall = await Hall.open();
  for (
    const [name, text] of [["", "x"], ["x", ""], ["x".repeat(65), "x"], ["x", "x".repeat(TEXT_BYTES_MAX + 1)]]
  ) {
    assert.throws(
      () => hall.exchange.say({ source: "bridge", name: name ?? "", text: text ?? "" }),
      RangeError,
    );
  }
});

test("members are told of each guest of the bridge and of its end; listeners where it comes from, and not twice", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const overheard: Overheard[] = [];
  hall.exchange.overhear((event) => overheard.push(event));
  const goodbye = hall.exchange.visit("guest-1", ADDRESS);
  await hall.exchange.say({ source: "bridge", name: "guest-1", text: "hello" });
  await goodbye();
  assert.deepEqual(ann.summary().slice(-3), [
    "guest-1 via bridge: came in over the bridge, and hears what is said here",
    "guest-1 via bridge: hello",
    "guest-1 via bridge: left",
  ]);
  assert.deepEqual(overheard, [
    { kind: "guestCame", time: THEN, name: "guest-1", address: ADDRESS },
    { kind: "said", time: THEN, source: "bridge", name: "guest-1", text: "hello" },
    { kind: "guestWent", time: THEN, name: "guest-1" },
  ]);
  assert.deepEqual(hall.exchange.present(), ["ann"]);
});

test("a coming that cannot be stored is told when the guest goes", async () => {
  const hall = await Hall.open();
  hall.log.before = (method) =>
    method === "change" ? Promise.reject(new Failure("cannotCreate", "full")) : undefined;
  await assert.rejects(hall.exchange.visit("guest-1", ADDRESS)(), Failure);
});

test("what an operator did to an account ends its connections, and what leaves its login valid does not", async () => {
  const name = handle("ann");
  const changed = (change: "enabled" | "disabled" | "removed") =>
    ({ kind: "changed", change, handle: name }) as const;
  const invited = { kind: "invitation", url: "sotto://", expires: 1, uses: 1 } as const;
  const all = ["accountClosed", "accountClosed"];
  const done: readonly (readonly [Parameters<RoomExchange["administered"]>, readonly string[]])[] = [
    [[{ type: "userEnable", handle: name }, changed("enabled")], []],
    [[{ type: "userDisable", handle: name }, changed("disabled")], all],
    [[{ type: "userRemove", handle: name }, changed("removed")], all],
    [[{ type: "userReset", handle: name }, { ...invited, handle: name }], ["reconnect"]],
    [[{ type: "userReset", handle: name }, { kind: "refused", exit: "data", sentence: "Cannot" }], []],
    [[{ type: "invite" }, invited], []],
    [
      [{ type: "ban", subject: { kind: "account", handle: name } }, {
        kind: "banned",
        isOn: true,
        subject: { kind: "account", handle: name },
      }],
      all,
    ],
    [
      [{ type: "unban", subject: { kind: "account", handle: name } }, {
        kind: "banned",
        isOn: false,
        subject: { kind: "account", handle: name },
      }],
      [],
    ],
  ];
  for (const [[request, answer], closed] of done) {
    const hall = await Hall.open();
    const ann = await hall.welcome("ann");
    const password = hall.greet(ann.person);
    hall.exchange.leave(password.peer);
    hall.exchange.greet(password.peer, { kind: "password", handle: name, record: new Uint8Array(192) });
    const bob = await hall.welcome("bob");
    hall.exchange.administered(request, answer);
    assert.deepEqual([ann, password, bob].flatMap((device) => device.closed), closed, request.type);
    await hall.settled();
  }
});

test("over links: bursts from several at once arrive in one order for all, each of them acknowledged", async () => {
  const room = await Room.open();
  const guests: Guest[] = [];
  for (const name of ["ann", "bob", "eve", "joe"]) guests.push(await room.welcome(name));
  const first = 10;
  for (let said = 0; said < 250; said++) for (const guest of guests) guest.say(`${said}`);
  await room.until(() => guests.every((guest) => places(guest).length === 1_000));
  const order = Array.from({ length: 1_000 }, (_, at) => at + first);
  for (const guest of guests) assert.deepEqual(places(guest), order);
  const byPlace = new Map(guests.flatMap(entries));
  assert.equal(byPlace.size, 1_000);
  for (const guest of guests) {
    for (const [place, text] of entries(guest)) assert.equal(text, byPlace.get(place));
    guest.link.close("done", 0);
  }
  await Promise.all(guests.map(({ ended }) => ended));
});

test("attack 19: a guest that never reads is cut with a reason, the others lose nothing, and it resumes where it was", async () => {
  const room = await Room.open();
  const person = await room.person("deaf");
  const [ann, bob, deaf] = [await room.welcome("ann"), await room.welcome("bob"), await room.join(person)];
  const gate = Promise.withResolvers<void>();
  deaf.deaf = gate.promise;
  const text = "x".repeat(8_000);
  const enough = Math.ceil(QUEUE_BYTES_MAX / text.length) + 20;
  for (let said = 0; said < enough; said++) {
    ann.say(text);
    if (said % 50 === 49) await room.until(() => bob.texts.length > said - 1);
  }
  await room.until(() => bob.texts.length === enough);
  gate.resolve();
  const { guest } = await deaf.ended;
  assert.deepEqual(guest, { kind: "closed", by: "peer", reason: "tooSlow", confirmed: true });
  assert.ok(deaf.texts.length < enough, "it was told less than all");
  const heard = deaf.heard.flatMap((message) => message.type === "entry" ? [message.entry.sequence] : []);
  const [from, last] = [heard.at(-1) ?? 0, places(bob).at(-1) ?? 0];
  const again = await room.enter(person);
  for (let at = from; at < last;) {
    const where = { from: "after", sequence: at } as const;
    again.send({ type: "read", room: LOBBY_ID, ask: at, where, limit: 100, follow: false });
    const isAnswer = (message: ServerMessage): boolean => message.type === "page" && message.ask === at;
    await again.next((message) => isAnswer(message) && message.type === "page" && message.end !== undefined);
    const pages = again.heard.filter(isAnswer).flatMap((page) => page.type === "page" ? page.entries : []);
    for (const entry of pages) assert.equal(entry.sequence, ++at, "it resumes without a gap");
    assert.ok(pages.length > 0);
  }
  for (const friend of [ann, bob, again]) await friend.leave();
});

/** Of what was said after all had come. */
function places({ heard }: Guest): readonly number[] {
  return heard.flatMap((message) => {
    if (message.type === "ack") return [message.sequence];
    return message.type === "entry" && message.entry.kind === "text" ? [message.entry.sequence] : [];
  });
}

function entries({ heard }: Guest): readonly (readonly [number, string])[] {
  return heard.flatMap((message) =>
    message.type === "entry" && message.entry.kind === "text"
      ? [[message.entry.sequence, entryWords(message.entry)] as const]
      : []
  );
}

test("attack 33: whoever goes on after hundreds of refusals is read no more until the second is over, or they are out", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  const refusals = (): number => ann.summary.filter((each) => each.startsWith("fault")).length;
  const { content: { salt }, ...rest } = draft({ kind: "text", body: { text: "x" } });
  const nothing = { ...rest, content: { salt, body: Uint8Array.of(0) } };
  const ask = (): void => ann.send({ type: "send", room: LOBBY_ID, entry: nothing });
  for (let asked = 0; asked < 3 * REFUSALS_PER_SECOND_MAX; asked++) ask();
  await room.until(() => refusals() > REFUSALS_PER_SECOND_MAX);
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  assert.equal(refusals(), REFUSALS_PER_SECOND_MAX + 1);
  room.exchange.tick();
  await room.until(() => refusals() > 2 * REFUSALS_PER_SECOND_MAX + 1);
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  assert.equal(refusals(), 2 * (REFUSALS_PER_SECOND_MAX + 1));
  room.exchange.cutAccount(handle("ann"));
  room.exchange.tick();
  await ann.ended;
});
