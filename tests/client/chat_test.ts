import assert, { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { ClientEvent, ClientRequest } from "../../lib/client/event.ts";
import { FIRST_PAUSE_MS_MAX } from "../../lib/client/back_off.ts";
import type { CloseReason } from "../../lib/wire/close_code.ts";
import { LOGIN_MS_MAX, PAGE_ENTRIES_MAX, TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { type Draft, encodeMessage, type FaultCode, type ServerMessage } from "../../lib/wire/message.ts";
import { shareMessages } from "../../lib/secure/shared_record.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { test } from "../sanitized.ts";
import { Person } from "../session/people.ts";
import { ChatBench, settle } from "./chat_bench.ts";
import { LOBBY_ID } from "./honest_server.ts";
import { accountOf } from "./memory_keepers.ts";

function isState(state: string): (event: ClientEvent) => boolean {
  return (event) => event.type === "state" && event.state === state;
}

/** The octets that were sent for a text, each time that it was. */
function octetsOf(bench: ChatBench, id: Draft["id"]): readonly string[] {
  return bench.server.sent.filter(({ entry }) => entry.id.toHex() === id.toHex())
    .map((send) => encodeMessage(send).toHex());
}

test("a client comes in, is told of its rooms, and hears what is said from then on", async () => {
  const bench = await ChatBench.entered();
  await bench.until(isState("ready"));
  const room = await bench.until((event) => event.type === "room");
  ok(room.type === "room");
  deepEqual([room.room, room.kind, room.standing, room.role, room.news], [
    "#lobby",
    "open",
    "member",
    "member",
    "here",
  ]);
  await bench.server.text(bench.ben, "hello, ann");
  const { from, verified, own, device, source, history } = await bench.message("hello, ann");
  deepEqual({ from, verified, own, device, source, history }, {
    from: "ben",
    verified: true,
    own: false,
    device: "laptop",
    source: "member",
    history: false,
  });
  equal(await bench.quit(), undefined);
});

test("what one says is shown when it is stored, and its ack comes right after it", async () => {
  const bench = await ChatBench.entered();
  await bench.say("hello");
  const shown = await bench.message("hello");
  deepEqual([shown.own, shown.verified, shown.trust], [true, true, "own"]);
  const ack = await bench.until(({ type }) => type === "ack");
  deepEqual(ack.type === "ack" && [ack.id, ack.sequence, ack.room], [shown.id, shown.sequence, "#lobby"]);
  equal(bench.events[bench.events.indexOf(shown) + 1], ack);
  deepEqual(bench.local.waiting, []);
  equal(await bench.quit(), undefined);
});

test("a burst loses nothing and keeps its order", async () => {
  const bench = await ChatBench.entered();
  const texts = Array.from({ length: 600 }, (_, at) => `message ${at}`);
  await Promise.all(texts.map((text) => bench.say(text)));
  equal(await bench.quit(), undefined);
  deepEqual(bench.server.texts(), texts);
  deepEqual(bench.shown, texts);
  equal(bench.events.filter(({ type }) => type === "ack").length, texts.length);
});

test("a cut is shown, and after it nothing is missing and nothing comes twice", async () => {
  const bench = await ChatBench.entered();
  await bench.server.text(bench.ben, "before");
  await bench.message("before");
  await bench.cut();
  await bench.until(isState("waiting"));
  const missed = Array.from({ length: 2 * PAGE_ENTRIES_MAX + 3 }, (_, at) => `missed ${at}`);
  for (const text of missed) await bench.server.text(bench.ben, text);
  await bench.reconnected();
  await bench.server.text(bench.ben, "after");
  await bench.message("after");
  deepEqual(bench.shown, ["before", ...missed, "after"]);
  const states = bench.events.flatMap((event) => event.type === "state" ? [event.state] : []);
  deepEqual(states, ["connecting", "ready", "cut", "waiting", "connecting", "ready"]);
  equal(bench.events.some(({ type }) => type === "integrity"), false);
  equal(await bench.quit(), undefined);
});

test("a next run goes on where the last one ended", async () => {
  const bench = await ChatBench.entered();
  await bench.server.text(bench.ben, "first");
  await bench.message("first");
  await bench.quit();
  for (let at = 0; at < 3; at++) await bench.server.text(bench.ben, `meanwhile ${at}`);
  await bench.start();
  await bench.message("meanwhile 2");
  deepEqual(bench.shown, ["meanwhile 0", "meanwhile 1", "meanwhile 2"]);
  await bench.ask({ type: "check", room: "#lobby" });
  const integrity = await bench.until(({ type }) => type === "integrity");
  const head = bench.server.room(LOBBY_ID).head.sequence;
  deepEqual(integrity.type === "integrity" && [integrity.upTo, integrity.flaws], [head, []]);
  await bench.quit();
});

test("what is said without a connection is told as queued, and sent in its order once rooms are live", async () => {
  const bench = await ChatBench.entered();
  await bench.cut();
  await bench.until(isState("waiting"));
  const texts = ["one", "two", "three"];
  for (const text of texts) await bench.say(text);
  const queued = bench.events.flatMap((event) => event.type === "queued" ? [event.text] : []);
  deepEqual(queued, texts);
  await bench.server.text(bench.ben, "meanwhile");
  await bench.reconnected();
  await bench.message("three");
  deepEqual(bench.server.texts(), ["meanwhile", ...texts]);
  const first = bench.server.sent[0];
  deepEqual(first?.entry.seen, bench.server.place(LOBBY_ID, 4));
  equal(await bench.quit(), undefined);
});

test("what was stored but not acknowledged before a cut is not said again: it is found when the room is read", async () => {
  const bench = await ChatBench.entered();
  bench.server.swallows = () => true;
  await bench.say("stored");
  await bench.when(() => bench.server.texts().includes("stored"));
  await bench.cut();
  bench.server.swallows = () => false;
  await bench.reconnected();
  const { id, own } = await bench.message("stored");
  equal(own, true);
  await bench.until((event) => event.type === "ack" && event.id === id);
  equal(await bench.quit(), undefined);
  deepEqual(bench.server.texts(), ["stored"]);
  deepEqual(bench.shown, ["stored"]);
  deepEqual(bench.local.waiting, []);
});

test("what is sent again after a cut has the same id and the same octets, though more was said meanwhile", async () => {
  const bench = await ChatBench.entered();
  bench.lie = (message) => message.type === "send" ? (bench.server.sent.push(message), []) : undefined;
  await bench.say("again");
  await bench.when(() => bench.server.sent.length === 1);
  await bench.cut();
  bench.lie = () => undefined;
  await bench.server.text(bench.ben, "meanwhile");
  await bench.reconnected();
  await bench.message("again");
  const octets = octetsOf(bench, bench.server.sent[0]?.entry.id ?? new Uint8Array(0));
  equal(octets.length, 2);
  equal(octets[0], octets[1]);
  equal(await bench.quit(), undefined);
});

test("a refused entry leaves the outbox, with its text and the reason told, and the next ones go on", async () => {
  const refusals: readonly FaultCode[] = ["muted", "notMember", "lockdown", "badEntry", "idTaken"];
  const bench = await ChatBench.entered();
  for (const code of refusals) {
    bench.server.refuse = () => ({ code });
    await bench.say(`refused ${code}`);
    const fault = await bench.until((event) => event.type === "fault" && event.code === code);
    deepEqual(fault.type === "fault" && [fault.text, fault.room], [`refused ${code}`, "#lobby"]);
    deepEqual(bench.local.waiting, []);
  }
  bench.server.refuse = () => undefined;
  await bench.say("at last");
  await bench.message("at last");
  equal(await bench.quit(), undefined);
  deepEqual(bench.server.texts(), ["at last"]);
});

test("what came too fast, in slow mode or on a full disk waits, and is sent again in its order", async () => {
  for (const code of ["tooFast", "slowMode", "notStored"] as const) {
    const bench = await ChatBench.entered();
    bench.server.refuse = () => ({ code, wait: 1_500 });
    await bench.say("first");
    await bench.when(() => bench.server.sent.length > 0);
    await settle();
    // What is on its way when a refusal comes may be taken before it: here it is said behind that.
    await bench.told();
    await bench.say("second");
    bench.server.refuse = () => undefined;
    equal(bench.events.some(({ type }) => type === "fault"), false, code);
    equal(bench.server.texts().length, 0, code);
    while (bench.server.texts().length < 2) {
      bench.pass(500);
      await settle();
    }
    deepEqual(bench.server.texts(), ["first", "second"], code);
    equal(await bench.quit(), undefined);
  }
});

test("an ack of a place in which something else stands is not believed: what was said is said again", async () => {
  const bench = await ChatBench.entered();
  await bench.server.text(bench.ben, "something else");
  const { sequence, time } = await bench.message("something else");
  const { hash: previous } = bench.server.place(LOBBY_ID, sequence - 1);
  bench.lie = (message) =>
    message.type === "send"
      ? [{ type: "ack", room: LOBBY_ID, id: message.entry.id, sequence, time, previous }]
      : undefined;
  await bench.say("mine");
  await bench.line.server.said("send", 1);
  await settle();
  await bench.told();
  equal(bench.events.some(({ type }) => type === "ack"), false);
  deepEqual(bench.local.waiting.length, 1);
  bench.lie = () => undefined;
  await bench.cut();
  await bench.reconnected();
  await bench.message("mine");
  await bench.when(() => bench.local.waiting.length === 0);
  deepEqual(bench.server.texts(LOBBY_ID).filter((text) => text === "mine").length, 1);
  equal(await bench.quit(), undefined);
});

test("one's own entry that comes altered is not stored: what was said stays, to be said again", async () => {
  const bench = await ChatBench.entered();
  bench.server.swallows = () => true;
  await bench.say("mine");
  await bench.when(() => bench.server.texts(LOBBY_ID).includes("mine"));
  const stored = bench.server.log().at(-1) ?? assert.fail("it is stored");
  bench.server.replace(LOBBY_ID, { ...stored, signature: new Uint8Array(64).fill(1) });
  bench.lie = (message) => message.type === "send" ? [] : undefined;
  await bench.cut();
  await bench.reconnected();
  const shown = await bench.message("mine");
  equal(shown.reason, "bad signature");
  equal(bench.events.some(({ type }) => type === "ack"), false);
  equal(bench.local.waiting.length, 1);
  await bench.cut();
  await bench.quit();
});

test("what another program of the account has had stored, or renewed, is not said a second time", async () => {
  for (const waited of [0, 43_200_001]) {
    const bench = await ChatBench.entered();
    await bench.cut();
    await bench.until((event) => event.type === "state" && event.state === "waiting");
    await bench.say("once");
    const [item] = bench.local.waiting;
    ok(item !== undefined);
    await bench.local.unqueue(item.draft.id);
    bench.server.now += waited;
    await bench.reconnected();
    await bench.say("next");
    await bench.message("next");
    deepEqual(bench.server.texts(LOBBY_ID).filter((text) => text === "once"), []);
    equal(await bench.quit(), undefined);
  }
});

test("whoever quits waits for what was said to be acknowledged", async () => {
  const bench = await ChatBench.entered();
  let isHeld = true;
  bench.server.refuse = () => isHeld ? { code: "tooFast", wait: 1_000 } : undefined;
  await bench.say("last words");
  await bench.when(() => bench.server.sent.length > 0);
  const quitting = bench.chat.request({ type: "quit" });
  await settle();
  equal(bench.events.some(isState("closed")), false);
  isHeld = false;
  while (bench.server.texts().length === 0) {
    bench.pass(500);
    await settle();
  }
  equal(await quitting, undefined);
  equal(await bench.outcome(), undefined);
  deepEqual(bench.server.texts(), ["last words"]);
  ok(bench.events.some(isState("closed")));
});

test("what could not be delivered by the end is named, kept, and sent at the next start; the exit is 75", async () => {
  const bench = await ChatBench.entered();
  await bench.cut();
  await bench.until(isState("waiting"));
  bench.isDown = true;
  await bench.say("kept");
  const outcome = await bench.quit();
  equal(outcome?.exit, "temporary");
  match(outcome?.message ?? "", /^Cannot send all that was said at here: 1 message .*start again/);
  const left = bench.events.flatMap((event) => event.type === "unacknowledged" ? [event.text] : []);
  deepEqual(left, ["kept"]);
  bench.isDown = false;
  await bench.start();
  await bench.message("kept");
  equal(await bench.quit(), undefined);
  deepEqual(bench.server.texts(), ["kept"]);
});

test("a lost connection is tried again with pauses by chance, each within a bound that doubles", async () => {
  const bench = await ChatBench.entered();
  bench.isDown = true;
  await bench.cut();
  for (let tries = 1; tries <= 5; tries++) {
    const pause = await bench.paused(tries);
    ok(pause >= 0 && pause <= FIRST_PAUSE_MS_MAX * 2 ** (tries - 1), `${pause} at try ${tries}`);
    bench.pass(pause);
    await bench.when(() => bench.dials === tries + 1);
  }
  bench.isDown = false;
  await bench.reconnected();
  equal(await bench.quit(), undefined);
});

test("a script gives up after its time, and never tries where it was told not to", async () => {
  for (const [reconnectMs, dialsMax] of [[0, 1], [60_000, 1_000]] as const) {
    const bench = await ChatBench.of();
    bench.reconnectMs = reconnectMs;
    await bench.start();
    bench.isDown = true;
    await bench.cut();
    let isOver = false;
    void bench.chat.outcome.then(() => isOver = true);
    for (let waited = 0; !isOver && waited <= 2 * reconnectMs; waited += 1_000) {
      bench.pass(1_000);
      for (let turn = 0; turn < 5; turn++) await settle();
    }
    equal(isOver, true);
    const outcome = await bench.outcome();
    equal(outcome?.exit, "temporary");
    ok(bench.dials <= dialsMax);
  }
});

test("ends that are no accident are final, with their exit", async () => {
  const ends: readonly (readonly [CloseReason, string])[] = [
    ["deviceRevoked", "noPermission"],
    ["accountClosed", "noPermission"],
    ["protocolFault", "protocol"],
  ];
  for (const [reason, exit] of ends) {
    const bench = await ChatBench.entered();
    bench.line.server.link.close(reason, 0);
    equal((await bench.outcome())?.exit, exit);
    equal(bench.dials, 1);
  }
});

test("attack 15: under a room's key nothing comes but entries of that room, whatever a server says there", async () => {
  for (const what of ["entry", "another room's", "presence"] as const) {
    const bench = await ChatBench.entered();
    const entropy = seededEntropy(what);
    const room = what === "another room's" ? entropy(16) : LOBBY_ID;
    const key = { room, id: entropy(16), key: entropy(32) };
    const { head } = bench.server.room(LOBBY_ID);
    const unplaced = await bench.server.unplaced(bench.ben, { kind: "text", body: { text: "shared" } });
    const entry = { ...unplaced, sequence: head.sequence + 1, previous: head.hash };
    const message: ServerMessage = what === "presence"
      ? { type: "presence", people: [], time: 0 }
      : { type: "entry", room: LOBBY_ID, entry };
    const parts = { provider: repeatable, entropy };
    bench.line.server.link.share(shareMessages(key, [encodeMessage(message)], parts));
    if (what === "entry") {
      equal((await bench.message("shared")).verified, true);
      equal(await bench.quit(), undefined);
    } else equal((await bench.outcome())?.exit, "protocol", what);
  }
});

test("ends that pass are followed by another connection", async () => {
  for (const reason of ["shuttingDown", "reconnect", "tooSlow"] as const) {
    const bench = await ChatBench.entered();
    bench.line.server.link.close(reason, 0);
    await bench.reconnected();
    await bench.server.text(bench.ben, "back");
    await bench.message("back");
    equal(await bench.quit(), undefined);
  }
});

test("a device that is refused at the first connection is told so with exit 77, and so is one refused later", async () => {
  const refused = await ChatBench.of();
  refused.book.devices = false;
  const failure = await refused.begin().then(() => undefined, (error) => error);
  equal(failure?.exit, "noPermission");
  match(
    failure?.message ?? "",
    /^Cannot log in as ann with this device at here: the account was disabled, banned or removed, or/,
  );

  const bench = await ChatBench.entered();
  await bench.cut();
  bench.book.devices = false;
  bench.pass(await bench.paused());
  equal((await bench.outcome())?.exit, "noPermission");
});

test("a server that lets nobody in keeps nobody waiting", async () => {
  const bench = await ChatBench.of();
  const ann = await accountOf(bench.ann);
  bench.lie = ({ type }) => type === "enter" ? [ann] : [];
  const begun = bench.begin().then(() => undefined, (error) => error);
  await bench.when(() => bench.dials === 1);
  for (let turn = 0; turn < 20; turn++) await settle();
  bench.pass(LOGIN_MS_MAX);
  equal((await begun)?.exit, "temporary");
});

test("what no honest server says to a device ends the conversation", async () => {
  const ben = await Person.named("ben");
  const foul = [
    { type: "recovery", blob: new Uint8Array(96) },
    { type: "passwordResponse", response: new Uint8Array(64) },
    await accountOf(ben),
    { type: "account", handle: (await Person.named("ann")).name, role: "member", recovery: false },
  ] as const;
  for (const message of foul) {
    const bench = await ChatBench.of();
    bench.lie = () => [message];
    const failure = await bench.begin().then(() => bench.outcome(), (error) => error);
    equal(failure?.exit, "protocol", message.type);
  }
  const bench = await ChatBench.entered();
  bench.line.visit.tell({ type: "ready" });
  equal((await bench.outcome())?.exit, "protocol");
});

test("an entry of a room that is not followed, and an answer to no question, end the conversation", async () => {
  const bench = await ChatBench.entered();
  const entry = await bench.server.text(bench.ben, "hi");
  bench.line.visit.tell({ type: "entry", room: new Uint8Array(16), entry });
  equal((await bench.outcome())?.exit, "protocol");
  const other = await ChatBench.entered();
  other.line.visit.tell({ type: "page", room: LOBBY_ID, ask: 4_000_000, entries: [] });
  equal((await other.outcome())?.exit, "protocol");
});

const WRONG: readonly (readonly [ClientRequest, RegExp])[] = [
  [{ type: "send", room: "#nowhere", text: "hi" }, /#nowhere/],
  [{ type: "send", room: "lobby", text: "hi" }, /lobby/],
  [{ type: "send", room: "#lobby", text: "" }, /empty/],
  [{ type: "send", room: "#lobby", text: "x".repeat(TEXT_BYTES_MAX + 1) }, /8193 bytes and 8192/],
  [{ type: "reply", room: "#lobby", sequence: 999, text: "hi" }, /999/],
  [{ type: "edit", room: "#lobby", sequence: 999, text: "hi" }, /999/],
  [{ type: "delete", room: "#lobby", sequence: 0 }, /0/],
  [{ type: "react", room: "#lobby", sequence: 1, reaction: "", on: true }, /reaction/],
  [{ type: "react", room: "#lobby", sequence: 1, reaction: "x".repeat(41), on: true }, /reaction/],
  [{ type: "pin", room: "#lobby", sequence: 999, on: true }, /999/],
  [{ type: "get", room: "#lobby", sequence: 1, path: undefined }, /file/],
  [{ type: "put", room: "#nowhere", path: "x" }, /#nowhere/],
  [{ type: "topic", room: "#lobby", topic: "x".repeat(257) }, /topic/],
  [{ type: "create", room: "#Bad Name", visibility: "public" }, /Bad Name|name/],
  [{ type: "create", room: "@ben", visibility: "public" }, /rooms begin with #/],
  [{ type: "part", room: "#nowhere" }, /#nowhere/],
  [{ type: "invite", room: "#lobby", handle: "No Such" }, /No Such|name/],
  [{ type: "rename", room: "#lobby", name: "x y" }, /name/],
  [{ type: "newcomers", room: "#lobby", history: -1 }, /number/],
  [{ type: "retention", room: "#lobby", days: 99_999 }, /days/],
  [{ type: "slow", room: "#lobby", seconds: 1e9 }, /seconds/],
  [{ type: "kick", room: "#lobby", handle: "", reason: undefined }, /name/],
  [{ type: "ban", room: "#lobby", handle: "ben", lasting: undefined, reason: "x".repeat(257) }, /reason/],
  [{ type: "members", room: "#nowhere" }, /#nowhere/],
  [{ type: "check", room: "#nowhere" }, /#nowhere/],
  [{ type: "read", room: "#nowhere" }, /#nowhere/],
  [
    { type: "history", room: "#nowhere", where: { from: "before", sequence: undefined }, limit: 10 },
    /#nowhere/,
  ],
  [{ type: "away", text: "x".repeat(129) }, /128|long/],
  [{ type: "block", handle: "Ben!" }, /name/],
  [{ type: "ignore", handle: "ann" }, /ann|yourself/],
  [{ type: "whois", handle: "B!" }, /name|B!/],
  [{ type: "send", room: "@ann", text: "to myself" }, /yourself|@ann/],
];

test("each request with wrong arguments is refused in one clear sentence, and nothing is sent", async () => {
  const bench = await ChatBench.entered();
  await settle();
  const heard = bench.heard.length;
  for (const [request, mentions] of WRONG) {
    const sentence = await bench.chat.request(request);
    const named = JSON.stringify(request).slice(0, 80);
    notEqual(sentence, undefined, named);
    match(sentence ?? "", /^Cannot [^\n]+: [^\n]+\.$/, named);
    match(sentence ?? "", mentions, named);
  }
  deepEqual(bench.heard.slice(heard).map(({ type }) => type), []);
  deepEqual(bench.local.waiting, []);
  equal(await bench.quit(), undefined);
});
