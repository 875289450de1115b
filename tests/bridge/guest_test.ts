import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { OUTBOX_BYTES_MAX } from "../../lib/bridge/outbox.ts";
import { FAREWELL, GUEST_LINE_BYTES_MAX, LEAVING_TEXTS } from "../../lib/bridge/phrases.ts";
import { Failure } from "../../lib/text/failure.ts";
import { visibleLines } from "../../lib/text/visible.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { CLOSE_MS_MAX, LOGIN_MS_MAX, TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { type Caller, House, OTHER_FERNET, slowFernet } from "./house.ts";

test("a guest is greeted by its name, says lines in their order, and leaves by exit", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  await caller.send("one", "two\n", "  ", "three");
  await caller.send("exit");
  assert.equal(await caller.guest.ended, "left");
  assert.deepEqual(caller.heard, ["* you are guest-1 in #lobby, with nobody; exit leaves", FAREWELL]);
  assert.deepEqual(house.happened, [
    "guest-1 guestCame from 192.0.2.1:50000",
    "guest-1: one",
    "guest-1: two",
    "guest-1: three",
    "guest-1 guestWent",
  ]);
});

test("every leaving text leaves, what is sent behind it is not said, and a first line may be a message", async () => {
  for (const leaving of LEAVING_TEXTS) {
    await using house = await House.open();
    const caller = house.connect();
    const lines = await Promise.all(["hello", ` ${leaving} `, "behind"].map((text) => house.token(text)));
    await caller.sendLine(lines.join(""));
    assert.equal(await caller.guest.ended, "left");
    assert.deepEqual(house.happened.slice(1), ["guest-1: hello", "guest-1 guestWent"]);
  }
});

test("any split of a guest's bytes says the same", async () => {
  const lines = ["", "one", "two", "three", "exit"];
  await check(
    fc.asyncProperty(fc.array(fc.nat({ max: 800 })), async (cuts) => {
      await using house = await House.open();
      const caller = house.connect();
      const bytes = utf8((await Promise.all(lines.map((text) => house.token(text)))).join(""));
      for (const part of split(bytes, cuts)) await caller.guest.receive(part, 0);
      assert.equal(await caller.guest.ended, "left");
      assert.deepEqual(house.happened.slice(1, -1), ["guest-1: one", "guest-1: two", "guest-1: three"]);
    }),
    30,
  );
});

test("guests hear each other, the operator, and who comes and goes; their own lines are not echoed", async () => {
  await using house = await House.open();
  const [ann, bob] = [await house.guest(), await house.guest()];
  await ann.hears(/guest-2 via bridge joined/);
  await ann.send("hello");
  await house.say("welcome");
  await bob.send("hi");
  await ann.hears(/hi/);
  await bob.send("exit");
  await ann.hears(/left/);
  await bob.reading;
  assert.deepEqual(ann.heard.slice(1), [
    "* guest-2 via bridge joined",
    "<console> welcome",
    "<guest-2 via bridge> hi",
    "* guest-2 via bridge left",
  ]);
  assert.deepEqual(bob.heard.slice(1), ["<guest-1 via bridge> hello", "<console> welcome", FAREWELL]);
});

test("thirty guests at once hear all of the others' lines in one order", async () => {
  await using house = await House.open();
  const callers = await Promise.all(Array.from({ length: 30 }, () => house.guest()));
  await Promise.all(callers.map((caller) => caller.send("one", "two")));
  await house.say("done");
  await Promise.all(callers.map((caller) => caller.hears(/<console> done/)));
  const said = house.happened.filter((what) => /^guest-\d+: /.test(what));
  assert.equal(said.length, 60);
  for (const { heard } of callers) {
    const [, own] = /you are (\S+)/.exec(heard[0] ?? "") ?? [];
    assert.deepEqual(
      heard.flatMap((text) => /^<(guest-\d+) via bridge> (.*)$/.exec(text)?.slice(1).join(": ") ?? []),
      said.filter((what) => !what.startsWith(`${own}: `)),
    );
  }
});

test("attack 14: who knocks with another key, or with no token at all, is turned away without a word", async () => {
  await using house = await House.open();
  for (const line of [await house.token("hello", { fernet: OTHER_FERNET }), "hello\n", "\n", "\u0000\n"]) {
    const caller = house.connect();
    await caller.sendLine(line);
    await caller.isTurnedAway();
  }
});

test("attack 3: who knocks with a recorded token, an old one or one of the future is turned away without a word", async () => {
  await using house = await House.open();
  const recorded = await house.token("hello");
  const first = house.connect();
  await first.sendLine(recorded);
  await first.hears(/you are guest-1/);
  const refuse = async (line: string): Promise<void> => {
    const caller = house.connect();
    await caller.sendLine(line);
    await caller.isTurnedAway();
  };
  await refuse(recorded);
  await refuse(await house.token("of the future", { skew: 61 }));
  await refuse(await house.token("of an earlier run", { skew: -1 }));
  house.now += 120_000;
  await refuse(await house.token("old", { skew: -61 }));
  await house.guest();
});

test("attack 5: what the server told a guest opens no door to it, and says nothing inside", async () => {
  await using house = await House.open();
  const ann = await house.guest();
  await house.say("exit");
  await ann.hears(/exit$/);
  for (const token of ann.tokens) {
    const caller = house.connect();
    await caller.sendLine(`${token}\n`);
    await caller.isTurnedAway();
    await ann.sendLine(`${token}\n`);
  }
  await ann.hears(/no token of this key/);
  assert.deepEqual(house.happened.filter((what) => what.startsWith("guest-1: ")), []);
});

test("attack 4: a token that is sent again, or that nobody with the key made, says nothing; its sender is told", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  const token = await house.token("pay 100");
  await caller.sendLine(token);
  await caller.sendLine(token);
  await caller.sendLine(await house.token("pay 200", { fernet: OTHER_FERNET }));
  await caller.sendLine(await house.token("pay 300", { skew: -61 }));
  await caller.sendLine(await house.token(Uint8Array.of(0xff)));
  await caller.send("goodbye", "exit");
  await caller.guest.ended;
  assert.deepEqual(house.happened.slice(1, -1), ["guest-1: pay 100", "guest-1: goodbye"]);
  const told = ["sent before", "no token of this key", "too old", "not UTF-8"];
  assert.equal(caller.heard.length, told.length + 2);
  told.forEach((why, at) =>
    assert.match(caller.heard[at + 1] ?? "", new RegExp(`^\\* Cannot take a line: .*${why}`))
  );
});

test("attack 16: a line that is too long ends the visit; a stranger is not even told", async () => {
  const tooLong = "A".repeat(GUEST_LINE_BYTES_MAX + 1);
  await using house = await House.open();
  const stranger = house.connect();
  await stranger.sendLine(tooLong);
  await stranger.isTurnedAway();
  const caller = await house.guest();
  await caller.sendLine(tooLong);
  assert.equal(await caller.guest.ended, "broken");
  assert.match(caller.heard.at(-1) ?? "", /^\* Cannot take a line: it is longer than any message/);
});

test("a text as long as a message may be is said, and its sender is told of one that is longer", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  const longest = "ä".repeat(TEXT_BYTES_MAX / 2);
  await caller.send(longest, `${longest}x`, "exit");
  await caller.guest.ended;
  assert.deepEqual(house.happened.slice(1, -1), [`guest-1: ${longest}`]);
  assert.match(caller.heard.at(-2) ?? "", /^\* Cannot say that: it is longer than 8192 octets/);
});

test("attack 17: who does not show the key in time is turned away, whatever it trickles", async () => {
  await using house = await House.open();
  const caller = house.connect();
  for (let passed = 0; passed < LOGIN_MS_MAX; passed += 5_000) {
    assert.equal(caller.end, undefined);
    await caller.sendLine("A");
    caller.pass(5_000);
  }
  await caller.isTurnedAway();
});

test("attack 17: a token that is opened only after the deadline, or the server's end, says nothing", async () => {
  const endings = [
    { end: "stranger", act: (caller: Caller) => caller.pass(LOGIN_MS_MAX) },
    { end: "shuttingDown", act: ({ guest }: Caller) => guest.close() },
  ];
  for (const { end, act } of endings) {
    await using house = await House.open();
    const gate = Promise.withResolvers<void>();
    const caller = house.connect(await slowFernet(gate.promise));
    const taking = caller.sendLine(await house.token("too late"));
    act(caller);
    gate.resolve();
    await taking;
    assert.equal(await caller.guest.ended, end);
    assert.deepEqual([caller.tokens, house.happened], [[], []]);
  }
});

test("attack 19: a guest that never reads is cut, and the others hear on", async () => {
  await using house = await House.open();
  const [deaf, other] = [await house.guest(), await house.guest()];
  const gate = Promise.withResolvers<void>();
  deaf.deaf = gate.promise;
  const lines = Math.ceil(OUTBOX_BYTES_MAX / TEXT_BYTES_MAX) + 2;
  for (let said = 0; said < lines; said++) {
    await house.say(`${said}:`.padEnd(TEXT_BYTES_MAX, "x"));
    await other.hears(new RegExp(`^<console> ${said}:`));
  }
  assert.equal(await deaf.guest.ended, "tooSlow");
  await house.say("still there");
  await other.hears(/still there/);
  assert.equal(other.end, undefined);
  assert.deepEqual(house.happened.filter((what) => what.endsWith("Went")), ["guest-1 guestWent"]);
  gate.resolve();
});

test("attack 19: a guest that takes its leave and does not read is cut after five seconds", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  const gate = Promise.withResolvers<void>();
  caller.deaf = gate.promise;
  await house.say("one more");
  caller.guest.close();
  caller.pass(CLOSE_MS_MAX - 1);
  assert.equal(await promptly(caller.guest.ended), undefined);
  caller.pass(1);
  assert.equal(await caller.guest.ended, "shuttingDown");
  gate.resolve();
});

test("a guest whose connection fails while it is written to has ended, and says nothing more", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  const gate = Promise.withResolvers<void>();
  caller.deaf = gate.promise;
  await house.say("lost on the way");
  caller.guest.lost();
  assert.equal(await caller.guest.ended, "cut");
  await caller.send("too late");
  assert.deepEqual(house.happened.slice(2), ["guest-1 guestWent"]);
  gate.resolve();
});

test("a guest that stops sending hears to the end what was said; one that goes before it knocked leaves no trace", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  await house.say("last words");
  caller.guest.receiveEnd();
  assert.equal(await caller.guest.ended, "left");
  assert.deepEqual(caller.heard.slice(1), ["<console> last words", FAREWELL]);
  const shy = house.connect();
  shy.guest.receiveEnd();
  await shy.guest.ended;
  assert.deepEqual([shy.tokens, house.happened.length], [[], 3]);
});

test("who is inside is told that the server ends", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  caller.guest.close();
  assert.equal(await caller.guest.ended, "shuttingDown");
  assert.equal(caller.heard.at(-1), "* the server ends");
});

test("attack 31: nothing that others write reaches a guest's terminal but printable text, and none looks like another's line", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  const hostile = [
    "\u001b[2J\u001b]52;c;aGk=\u0007",
    "\r<ann> spoofed",
    "\u009b31m \u202Egnp.exe \u200B\u2066",
    "\b\b\b\u007f\u0000",
    "one\n<ann> spoofed\r\n* goodbye",
  ];
  for (const text of hostile) await house.say(text);
  await house.say("\u0085".repeat(TEXT_BYTES_MAX / 2));
  await house.say("done");
  await caller.hears(/done/);
  for (const text of caller.heard) {
    assert.deepEqual(visibleLines(text), text.split("\n"), "it is safe as it comes");
    const [first, ...more] = text.split("\n");
    assert.match(first ?? "", /^(\* you are guest-1 |<console> )/);
    for (const line of more) assert.match(line, /^ {4}/);
  }
});

async function promptly<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  return await Promise.race([
    promise,
    new Promise<undefined>((resolve) => queueMicrotask(() => resolve(undefined))),
  ]);
}

function split(bytes: Bytes, cuts: readonly number[]): readonly Bytes[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, at) => bytes.slice(places[at], end));
}

test("attack 29: a guest whose line cannot be stored is told so, and may say it again", async () => {
  await using house = await House.open();
  const caller = await house.guest();
  house.log.before = (method) =>
    method === "change"
      ? Promise.reject(new Failure("cannotCreate", "Cannot write: the disk is full."))
      : undefined;
  await caller.send("one");
  await caller.hears(/Cannot say that: the server cannot store it now/);
  house.log.before = () => {};
  await caller.send("two");
  await house.say("done");
  await caller.hears(/done/);
  assert.deepEqual(house.happened.slice(1), ["guest-1: two", "console: done"]);
});
