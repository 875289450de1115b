import assert, { deepEqual, equal, match, ok } from "node:assert/strict";
import { directId } from "../../lib/identity/room_id.ts";
import { safetyWords } from "../../lib/identity/safety_words.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { test } from "../sanitized.ts";
import { handle, HOST_KEY, Person } from "../session/people.ts";
import { ChatBench, settle } from "./chat_bench.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { RoomMessage } from "../../lib/wire/message.ts";

function roomOf(one: Person, other: Person): Bytes {
  return directId(repeatable, HOST_KEY.publicKey, [one.name, other.name]);
}

/** Somebody asks the client's person for a direct conversation, and says something in it. */
async function asks(bench: ChatBench, person: Person, text: string): Promise<Bytes> {
  const room = roomOf(person, bench.ann);
  await bench.server.say(person, {
    kind: "room",
    body: { act: "create", kind: "direct", with: bench.ann.name },
  }, { room, seen: NOWHERE });
  await bench.server.say(person, { kind: "text", body: { text } }, { room });
  return room;
}

test("the first thing said to a person begins the conversation, and goes on in it once that is allowed", async () => {
  const bench = await ChatBench.entered();
  await bench.ask({ type: "send", room: "@ben", text: "psst" });
  await bench.until((event) => event.type === "done" && event.what === "ben is asked whether to take it up");
  await bench.message("psst");
  const room = roomOf(bench.ann, bench.ben);
  deepEqual(bench.server.texts(room), ["psst"]);
  const told = await bench.until((event) => event.type === "room" && event.room === "@ben");
  deepEqual(told.type === "room" && [told.kind, told.standing, told.news], ["direct", "member", "joined"]);
  await bench.server.say(
    bench.ben,
    { kind: "membership", body: { change: "allow", handle: bench.ann.name } },
    {
      room,
    },
  );
  await bench.server.say(bench.ben, { kind: "text", body: { text: "yes?" } }, { room });
  equal((await bench.message("yes?")).room, "@ben");
  equal(await bench.quit(), undefined);
});

test("several things said at once to somebody new begin one conversation, and keep their order", async () => {
  const bench = await ChatBench.entered();
  const texts = ["one", "two", "three"];
  await Promise.all(texts.map((text) => bench.ask({ type: "send", room: "@ben", text })));
  await bench.message("three");
  equal(await bench.quit(), undefined);
  deepEqual(bench.server.texts(roomOf(bench.ann, bench.ben)), texts);
  deepEqual(bench.events.flatMap((event) => event.type === "fault" ? [event.code] : []), []);
});

test("a stranger's request shows handle and words, nothing that was said, and joins nothing until it is allowed", async () => {
  const bench = await ChatBench.entered();
  const zoe = await Person.named("zoe");
  await bench.server.welcome(zoe);
  const room = await asks(bench, zoe, "buy my coins");
  const request = await bench.until(({ type }) => type === "request");
  ok(request.type === "request");
  const words = await safetyWords(repeatable, HOST_KEY.publicKey, [
    bench.ann.identity.publicKey,
    zoe.identity.publicKey,
  ]);
  deepEqual([request.asks, request.handle, request.words], ["requested", "zoe", words]);
  for (let turn = 0; turn < 5; turn++) await settle();
  equal(bench.events.some((event) => event.type === "message" && event.room === "@zoe"), false);
  equal(
    bench.heard.some((message) => message.type === "read" && message.room.toHex() === room.toHex()),
    false,
  );

  await bench.ask({ type: "allow", room: "@zoe", handle: "zoe" });
  await bench.message("buy my coins");
  await bench.ask({ type: "send", room: "@zoe", text: "no" });
  await bench.message("no");
  equal(await bench.quit(), undefined);
});

test("a request that was denied can be allowed later", async () => {
  const bench = await ChatBench.entered();
  const room = await asks(bench, bench.ben, "hello?");
  await bench.until(({ type }) => type === "request");
  await bench.ask({ type: "deny", room: "@ben", handle: "ben" });
  await bench.until((event) => event.type === "gone" && event.room === "@ben");
  await bench.ask({ type: "allow", room: "@ben", handle: "ben" });
  await bench.when(() => bench.server.room(room).members.has(bench.ann.name));
  await bench.message("hello?");
  equal(await bench.quit(), undefined);
});

test("who takes no messages of oneself, is nobody, or is oneself, is said so, and nothing waits to be sent", async () => {
  const bench = await ChatBench.entered();
  bench.server.blocked.add(`${bench.ann.name} by ${bench.ben.name}`);
  for (const [room, code] of [["@ben", "blocked"], ["@nobody", "noSuchPerson"]] as const) {
    const sentence = await bench.chat.request({ type: "send", room, text: "hi" });
    const faults = bench.events.flatMap((event) => event.type === "fault" ? [event.code] : []);
    ok(sentence !== undefined || faults.includes(code), room);
  }
  match(await bench.chat.request({ type: "send", room: "@ann", text: "me" }) ?? "", /yourself/);
  deepEqual(bench.local.waiting, []);
  equal(await bench.quit(), undefined);
});

test("what is said where one is not accepted comes back as a fault with its text", async () => {
  const bench = await ChatBench.entered();
  for (let at = 0; at < 11; at++) await bench.ask({ type: "send", room: "@ben", text: `hello ${at}` });
  const fault = await bench.until((event) => event.type === "fault");
  deepEqual(fault.type === "fault" && [fault.code, fault.text, fault.room], [
    "notAccepted",
    "hello 10",
    "@ben",
  ]);
  equal(await bench.quit(), undefined);
});

test("a server that calls a room what it is not is not believed: what is meant for one is not said to many", async () => {
  const of = (bench: ChatBench, label: string) =>
    bench.server.message(bench.server.named(label)) ?? assert.fail("one is in it");
  const lies: readonly ((bench: ChatBench) => RoomMessage)[] = [
    (bench) => {
      const { name: _, ...den } = of(bench, "#den");
      return { ...den, kind: "direct", with: bench.ben.name };
    },
    (bench) => {
      const room = roomOf(bench.ann, bench.ben);
      const { name: _, ...den } = of(bench, "#den");
      return { ...den, room, kind: "direct", with: handle("zoe") };
    },
    (bench) => {
      const { name: _, ...den } = of(bench, "#den");
      return { ...den, room: roomOf(bench.ann, bench.ben), kind: "direct", with: bench.ann.name };
    },
    (bench) => ({ ...of(bench, "#den"), name: "#lobby" }),
    (bench) => ({ ...of(bench, "#lobby"), name: "#den" }),
  ];
  for (const lie of lies) {
    const bench = await ChatBench.entered();
    await bench.ask({ type: "create", room: "#den", visibility: "public" });
    const before = bench.events.length;
    bench.line.visit.tell(lie(bench));
    match((await bench.outcome())?.message ?? "", /./);
    equal(bench.events.slice(before).some(({ type }) => type === "room"), false);
  }
});
