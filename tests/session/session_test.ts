import assert from "node:assert/strict";
import {
  BEFORE_LOGIN_BYTES_MAX,
  CONNECTION_MS_MAX,
  HANDSHAKE_MS_MAX,
  LOGIN_MS_MAX,
} from "../../lib/wire/limits.ts";
import { Link } from "../../lib/secure/link.ts";
import { ROOM_REQUESTS } from "../../lib/session/phase.ts";
import type { Session } from "../../lib/session/session.ts";
import type { ClientMessage } from "../../lib/wire/message.ts";
import { draft, type Guest, LOBBY_ID, Room } from "../delivery/room.ts";
import { test } from "../sanitized.ts";
import { optionsOf } from "../secure/pair.ts";
import { KINDS, partsOf, repeatable } from "../secure/recorded_session.ts";
import { handle } from "./people.ts";

const ID = new Uint8Array(16).fill(9);
const KEY = new Uint8Array(32).fill(7);
const KEYS = { identity: KEY, list: new Uint8Array([1]), signature: new Uint8Array(64) };
const SAID = { kind: "text", body: { text: "let me in" } } as const;

/** One of each message that a client has. */
const MESSAGES: readonly ClientMessage[] = [
  { type: "enter" },
  { type: "publish", keys: KEYS },
  { type: "recover" },
  { type: "askApproval", device: KEY, name: "phone", share: KEY },
  { type: "approve", device: KEY, keys: KEYS, share: KEY, sealed: new Uint8Array(96) },
  { type: "passwordRequest", request: KEY },
  { type: "passwordRecord", record: new Uint8Array(192) },
  { type: "send", room: LOBBY_ID, entry: draft(SAID) },
  { type: "read", room: LOBBY_ID, ask: 0, where: { from: "newest" }, limit: 1, follow: true },
  { type: "list", ask: 0 },
  { type: "askMembers", room: LOBBY_ID, ask: 0 },
  { type: "askCards", ask: 0, handles: [handle("ann")] },
  { type: "mark", room: LOBBY_ID, delivered: 1, read: 1, shown: true },
  { type: "typing", room: LOBBY_ID, on: true },
  { type: "status", state: "away" },
  { type: "block", handle: handle("ann"), on: true },
  { type: "fileBegin", file: ID, room: LOBBY_ID, size: 1, sha256: KEY },
  { type: "fileChunk", file: ID, offset: 0, bytes: new Uint8Array(1) },
  { type: "fileGet", file: ID, offset: 0, chunks: 1 },
];

test("a device comes in, talks, and leaves by a close that both ends confirm", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  ann.say("hello");
  ann.say("anybody here?");
  ann.link.close("done", 0);
  const { guest, session } = await ann.ended;
  assert.deepEqual(guest, { kind: "closed", by: "us", reason: "done", confirmed: true });
  assert.deepEqual(session, { kind: "closed", by: "peer", reason: "done", confirmed: true });
  assert.deepEqual(ann.summary, [
    "account",
    "room #lobby owner",
    "ready",
    "online ann",
    "cards ann",
    "page 3 live",
    "ack",
    "ack",
  ]);
  assert.deepEqual(room.news, [{ kind: "entered", handle: "ann", device: "laptop" }]);
});

test("attack 25: before `enter` every other message closes; nobody hears it, nothing counts it", async () => {
  const room = await Room.open();
  const person = await room.person("eve");
  const ann = await room.welcome("ann");
  for (const message of MESSAGES.filter(({ type }) => type !== "enter")) {
    const eve = await room.connect();
    await eve.sendDeviceLogin(person.name, person.device);
    eve.send(message);
    eve.send({ type: "enter" });
    await closedFor(eve, "protocolFault");
    assert.equal(await eve.session.admitted, undefined);
    assert.deepEqual(eve.heard, []);
  }
  await heardNothing(ann);
});

test("attack 25: a password lets nobody into a room, and nothing but what the table names comes in any phase", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  const name = handle("carl");
  const carl = await room.connect();
  assert.equal(await carl.register(name, "correct horse"), undefined);
  assert.equal(await carl.logIn(name, "correct horse"), "in");
  await carl.leave();
  for (const type of [...ROOM_REQUESTS, "approve", "enter"] as const) {
    const eve = await room.connect();
    assert.equal(await eve.logIn(name, "correct horse"), "in");
    eve.send(MESSAGES.find((message) => message.type === type) ?? assert.fail("one of each"));
    await closedFor(eve, "protocolFault");
  }
  const person = await room.person("bob");
  for (
    const type of ["enter", "recover", "askApproval", "passwordRequest", "passwordRecord"] as const
  ) {
    const bob = await room.enter(person);
    bob.send(MESSAGES.find((message) => message.type === type) ?? assert.fail("one of each"));
    await closedFor(bob, "protocolFault");
  }
  assert.ok(!ann.summary.some((words) => words.includes("carl")));
  assert.deepEqual(ann.texts, []);
  await ann.leave();
});

test("attack 25: a message for another room is refused, and told to its sender alone", async () => {
  const room = await Room.open();
  const [ann, bob] = [await room.welcome("ann"), await room.welcome("bob")];
  const entry = draft(SAID);
  ann.send({ type: "send", room: ID, entry });
  const fault = await ann.next(({ type }) => type === "fault");
  assert.deepEqual(fault, { type: "fault", code: "noSuchRoom", about: entry.id });
  ann.say("never mind");
  await bob.next(({ type }) => type === "entry");
  assert.deepEqual(bob.texts, ["ann: never mind"]);
  for (const guest of [ann, bob]) await guest.leave();
});

test("nobody counts as in before the first record under the keys of their login", async () => {
  const room = await Room.open();
  const person = await room.person("ann");
  const guest = await room.connect();
  let admitted: unknown = "not yet";
  void guest.session.admitted.then((name) => {
    admitted = name;
    room.tell();
  });
  await guest.sendDeviceLogin(person.name, person.device);
  const other = await room.welcome("bob");
  assert.equal(admitted, "not yet");
  assert.deepEqual(room.exchange.present(), ["bob"]);
  guest.send({ type: "enter" });
  await room.until(() => admitted === "ann");
  for (const each of [guest, other]) await each.leave();
});

test("a stranger that does not log in in time is closed with that reason; whoever is in is not", async () => {
  const room = await Room.open();
  const person = await room.person("eve");
  const ann = await room.welcome("ann");
  const slow = await room.connect();
  const halfIn = await room.connect();
  const { greeted } = room;
  await halfIn.sendDeviceLogin(person.name, person.device);
  await room.until(() => room.greeted > greeted);
  room.now = LOGIN_MS_MAX - 1;
  for (const { session } of [ann, slow, halfIn]) session.tick(room.now);
  room.now = LOGIN_MS_MAX;
  for (const { session } of [ann, slow, halfIn]) session.tick(room.now);
  await closedFor(slow, "loginTimeout");
  await closedFor(halfIn, "loginTimeout");
  await heardNothing(ann);
});

test("attack 17: a stranger that trickles is ended at the handshake's deadline, without a word", async () => {
  const { session, hello } = await stranger();
  for (let at = 0, now = 0; now < HANDSHAKE_MS_MAX; at++, now += 1_000) {
    await session.receive(hello.slice(at, at + 1), now);
    session.tick(now);
  }
  session.tick(HANDSHAKE_MS_MAX);
  assert.deepEqual(await session.ended, { kind: "timedOut", during: "handshake" });
  assert.equal(await session.nextWrite(() => HANDSHAKE_MS_MAX), undefined);
});

test("attack 16: more than an honest client needs, in one go, is dropped before it is looked at", async () => {
  const { session } = await stranger();
  await session.receive(new Uint8Array(BEFORE_LOGIN_BYTES_MAX + 1), 0);
  assert.deepEqual(await session.ended, { kind: "dropped", during: "handshake", why: "unfit" });
  assert.equal(await session.nextWrite(() => 0), undefined, "not one octet");
});

test("attack 16: a stranger behind its handshake that goes on sending is dropped at the same bound", async () => {
  const eve = await (await Room.open()).connect();
  void eve.session.receive(new Uint8Array(BEFORE_LOGIN_BYTES_MAX), 0);
  const { session } = await eve.ended;
  assert.deepEqual(session, { kind: "dropped", during: "login", why: "unfit" });
});

test("whoever gives way to others, or goes by itself, gets no word, and the two are told apart", async () => {
  const [evicted, gone] = [await stranger(), await stranger()];
  await gone.session.receive(gone.hello, 0);
  evicted.session.giveWay();
  gone.session.receiveEnd();
  assert.deepEqual(await evicted.session.ended, { kind: "dropped", during: "handshake", why: "crowded" });
  assert.deepEqual(await gone.session.ended, { kind: "cut", during: "handshake", answered: true });
  assert.equal(await evicted.session.nextWrite(() => 0), undefined, "not one octet");
});

test("whoever is in may send as much as they like", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  for (let count = 0; count < 20; count++) ann.say("x".repeat(4_000));
  await room.until(() => ann.heard.filter(({ type }) => type === "ack").length === 20);
  await ann.leave();
});

test("once the server closes, what comes is not decided on any more", async () => {
  const room = await Room.open();
  const [ann, bob] = [await room.welcome("ann"), await room.welcome("bob")];
  ann.session.close("shuttingDown", 0);
  ann.say("too late");
  await closedFor(ann, "shuttingDown");
  await room.until(() => bob.summary.includes("offline ann"));
  assert.deepEqual(bob.texts, []);
  await bob.leave();
});

test("a connection that is lost is told to the others, once", async () => {
  const room = await Room.open();
  const person = await room.person("ann");
  const [ann, bob] = [await room.join(person), await room.welcome("bob")];
  ann.session.lost();
  ann.session.lost();
  assert.deepEqual((await ann.ended).session, { kind: "cut", during: "conversation", answered: true });
  const back = await room.join(person);
  await room.until(() => bob.summary.at(-1) === "online ann");
  assert.deepEqual(bob.summary.slice(bob.arrivedAt), ["offline ann", "online ann"]);
  for (const guest of [back, bob]) await guest.leave();
});

test("a peer that never came in leaves no trace among the others", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  const stranger = await room.connect();
  stranger.session.lost();
  await stranger.ended;
  assert.equal(await stranger.session.admitted, undefined);
  await heardNothing(ann);
});

test("after a day the server has its peer connect again", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  room.now = CONNECTION_MS_MAX - 1;
  ann.say("to be heard of");
  await ann.next(({ type }) => type === "ack");
  room.now = CONNECTION_MS_MAX;
  ann.session.tick(room.now);
  await closedFor(ann, "reconnect");
});

test("all that a client sends at once is dealt with one by one, however long each takes", async () => {
  const room = await Room.open();
  const person = await room.person("ann");
  const gate = Promise.withResolvers<void>();
  const ann = await room.connect();
  await ann.sendDeviceLogin(person.name, person.device);
  room.store.after = (method) => method === "find" ? gate.promise : undefined;
  ann.send({ type: "enter" });
  ann.say("one");
  ann.say("two");
  ann.link.close("done", 0);
  gate.resolve();
  await ann.ended;
  const [ready, ...rest] = ann.summary.slice(2);
  assert.deepEqual([ready, ...rest], ["ready", "online ann", "ack", "ack"]);
});

test("a connection that ends while its account is looked up, or it is put into the lobby, leaves nothing behind", async () => {
  const room = await Room.open();
  const bob = await room.welcome("bob");
  for (const step of ["account", "lobby"] as const) {
    const person = await room.person(`ann-${step}`);
    const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ann = await room.connect();
    await ann.sendDeviceLogin(person.name, person.device);
    const wait = (method: string): Promise<void> | undefined => {
      if (method !== (step === "account" ? "find" : "change")) return;
      asked.resolve();
      return gate.promise;
    };
    room.store.after = wait;
    room.log.before = wait;
    ann.send({ type: "enter" });
    await asked.promise;
    ann.session.lost();
    gate.resolve();
    await ann.ended;
    room.store.after = () => {};
    room.log.before = () => {};
    assert.deepEqual(room.exchange.present(), ["bob"]);
  }
  assert.ok(!bob.summary.some((words) => words.includes("online ann")));
  await bob.leave();
});

test("a connection that ends while its login is looked at is forgotten, too", async () => {
  const room = await Room.open();
  const person = await room.person("ann");
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ann = await room.connect();
  room.store.after = () => {
    asked.resolve();
    return gate.promise;
  };
  await ann.sendDeviceLogin(person.name, person.device);
  await asked.promise;
  ann.session.lost();
  await ann.link.ended;
  gate.resolve();
  await ann.ended;
  assert.deepEqual(room.calls, ["greet 0", "leave 0"]);
});

test("a fault of ours ends one connection, and leaves nothing of it behind", async () => {
  const room = await Room.open();
  const person = await room.person("ann");
  const [ann, bob] = [await room.join(person), await room.welcome("bob")];
  room.store.before = () => Promise.reject(new Error("disk full"));
  const receiving = Promise.withResolvers<unknown>();
  const { session } = ann;
  const receive = session.receive.bind(session);
  session.receive = (bytes, now) =>
    receive(bytes, now).catch((fault) => {
      receiving.resolve(fault);
      session.lost();
    });
  ann.send({ type: "publish", keys: KEYS });
  assert.match(String(await receiving.promise), /disk full/, "the pump hears of it");
  assert.equal((await ann.ended).session.kind, "cut");
  assert.deepEqual(room.exchange.present(), ["bob"]);
  await bob.leave();
});

async function closedFor(guest: Guest, reason: string): Promise<void> {
  const ends = await guest.ended;
  assert.deepEqual(ends.guest, { kind: "closed", by: "peer", reason, confirmed: true });
  assert.deepEqual(ends.session, { kind: "closed", by: "us", reason, confirmed: true });
}

/** Whatever others did, nobody in the lobby was told of it, and it took no place in the order. */
async function heardNothing(guest: Guest): Promise<void> {
  const page = guest.heard.find((message) => message.type === "page");
  const head = page?.type === "page" && page.end?.head.sequence || assert.fail("a page's end");
  guest.say("just me");
  const ack = await guest.next(({ type }) => type === "ack");
  assert.equal(ack.type === "ack" && ack.sequence, head + 1);
  assert.deepEqual(guest.summary.slice(guest.arrivedAt), ["ack"]);
  await guest.leave();
}

async function stranger(): Promise<{ readonly session: Session; readonly hello: Uint8Array<ArrayBuffer> }> {
  const options = await optionsOf(KINDS[0] ?? assert.fail("there are kinds"));
  const client = await Link.client(options.client, partsOf(repeatable, "client", "stranger"), 0);
  const hello = await client.nextWrite(() => 0) ?? assert.fail("a Hello");
  client.lost();
  return { session: await (await Room.open()).session(0), hello };
}
