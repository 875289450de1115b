import { deepEqual, equal, fail } from "node:assert/strict";
import type { ClientEvent } from "../../lib/client/event.ts";
import { test } from "../sanitized.ts";
import { Person } from "../session/people.ts";
import { ChatBench, settle } from "./chat_bench.ts";
import { LOBBY_ID } from "./honest_server.ts";

/** Lets so many seconds pass, as the client sees them. */
async function seconds(bench: ChatBench, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    bench.pass(1_000);
    await settle();
  }
}

function deliveries(events: readonly ClientEvent[]): readonly string[] {
  return events.flatMap((event) => event.type === "delivery" ? [`${event.sequence} ${event.state}`] : []);
}

function marksOf(bench: ChatBench) {
  return bench.heard.flatMap((message) => message.type === "mark" ? [message] : []);
}

test("delivered and read are claimed only when all others have it, and only up to one's own", async () => {
  const bench = await ChatBench.of();
  const cara = await Person.named("cara");
  await bench.server.welcome(cara);
  await bench.start();
  await bench.say("one");
  const { sequence } = await bench.message("one");
  const marks = (person: Person, delivered: number, read: number) =>
    bench.told({ type: "marks", room: LOBBY_ID, handle: person.name, delivered, read });
  deepEqual(deliveries(await marks(bench.ben, sequence, sequence)), []);
  deepEqual(deliveries(await marks(cara, sequence, 0)), [`${sequence} delivered`]);
  deepEqual(deliveries(await marks(cara, sequence + 5, sequence)), [`${sequence} read`]);
  deepEqual(deliveries(await marks(cara, sequence + 5, sequence)), []);
  equal(await bench.quit(), undefined);
});

test("whoever came after another had left is not taken to have what that one had", async () => {
  const bench = await ChatBench.of();
  const [cara, dora] = [await Person.named("cara"), await Person.named("dora")];
  await bench.server.welcome(cara);
  await bench.start();
  await bench.told(
    { type: "marks", room: LOBBY_ID, handle: bench.ben.name, delivered: 50, read: 50 },
    { type: "marks", room: LOBBY_ID, handle: cara.name, delivered: 50, read: 50 },
  );
  await bench.server.say(cara, { kind: "membership", body: { change: "part" } });
  await bench.server.welcome(dora);
  await bench.say("for dora, too");
  const { sequence } = await bench.message("for dora, too");
  const events = await bench.told(
    { type: "marks", room: LOBBY_ID, handle: bench.ben.name, delivered: 60, read: 60 },
  );
  deepEqual(deliveries(events), []);
  const later = await bench.told(
    { type: "marks", room: LOBBY_ID, handle: dora.name, delivered: sequence, read: 0 },
  );
  deepEqual(deliveries(later), [`${sequence} delivered`]);
  equal(await bench.quit(), undefined);
});

test("whoever has left, and is counted no more, does not stand for who has not received it", async () => {
  const bench = await ChatBench.of();
  const cara = await Person.named("cara");
  await bench.server.welcome(cara);
  await bench.start();
  await bench.say("one");
  const { sequence } = await bench.message("one");
  const facts = bench.server.message(bench.server.room(LOBBY_ID)) ?? fail("one is in it");
  const head = { ...facts.head, sequence: facts.head.sequence + 1 };
  const events = await bench.told(
    { ...facts, members: facts.members - 1, head },
    { type: "marks", room: LOBBY_ID, handle: cara.name, delivered: sequence, read: 0 },
  );
  deepEqual(deliveries(events), []);
  equal(await bench.quit(), undefined);
});

test("one's own marks are told at most once a second, with what was read, and whether others are to know", async () => {
  const bench = await ChatBench.entered();
  await seconds(bench, 2);
  await bench.line.server.said("mark");
  const before = marksOf(bench).length;
  for (let at = 0; at < 20; at++) await bench.server.text(bench.ben, `text ${at}`);
  await bench.message("text 19");
  await bench.ask({ type: "read", room: "#lobby" });
  await seconds(bench, 1);
  await bench.line.server.said("mark", before + 1);
  await settle();
  const head = bench.server.room(LOBBY_ID).head.sequence;
  const told = marksOf(bench).slice(before);
  deepEqual(told.map(({ delivered, read, shown }) => [delivered, read, shown]), [[head, head, true]]);
  await bench.ask({ type: "receipts", on: false });
  await bench.server.text(bench.ben, "secretly");
  await bench.message("secretly");
  await seconds(bench, 1);
  equal((await bench.line.server.said("mark", before + 2)).shown, false);
  equal(await bench.quit(), undefined);
});

test("what was read on another device is read here, and unread is counted anew", async () => {
  const bench = await ChatBench.entered();
  for (let at = 0; at < 5; at++) await bench.server.text(bench.ben, `text ${at}`);
  await bench.message("text 4");
  const { sequence } = await bench.message("text 2");
  const events = await bench.told(
    { type: "marks", room: LOBBY_ID, handle: bench.ann.name, delivered: sequence, read: sequence },
  );
  const room = events.find(({ type }) => type === "room");
  equal(room?.type === "room" && room.unread, 2);
  equal(await bench.quit(), undefined);
});

test("what was not read is counted once, however often one looks at what was said", async () => {
  const bench = await ChatBench.entered();
  for (const text of ["one", "two"]) await bench.server.text(bench.ben, text);
  await bench.message("two");
  for (let at = 1; at <= 2; at++) {
    await bench.ask({
      type: "history",
      room: "#lobby",
      where: { from: "before", sequence: undefined },
      limit: 10,
    });
    await bench.when(() => bench.events.filter(({ type }) => type === "page").length === at);
  }
  await bench.ask({ type: "rooms" });
  const rooms = await bench.until((event) => event.type === "rooms");
  deepEqual(rooms.type === "rooms" && rooms.rooms.map(({ unread }) => unread), [2]);
  equal(await bench.quit(), undefined);
});

test("whoever is away is away on the next connection, too, until they are back", async () => {
  const bench = await ChatBench.entered();
  await bench.ask({ type: "away", text: "lunch" });
  await bench.line.server.said("status");
  await bench.cut();
  await bench.reconnected();
  const { state, text } = await bench.line.server.said("status");
  deepEqual([state, text], ["away", "lunch"]);
  await bench.ask({ type: "back" });
  equal((await bench.line.server.said("status", 2)).state, "online");
  await bench.cut();
  await bench.reconnected();
  equal(await bench.quit(), undefined);
  equal(bench.line.server.heard.some(({ type }) => type === "status"), false);
});

test("typing is told and shown, and neither where it was switched off; who is ignored is not shown", async () => {
  const bench = await ChatBench.entered();
  await bench.ask({ type: "typing", room: "#lobby", on: true });
  await bench.line.server.said("typing");
  const events = await bench.told({ type: "typing", room: LOBBY_ID, handle: bench.ben.name, on: true });
  equal(events.some((event) => event.type === "typing" && event.handle === "ben"), true);
  await bench.ask({ type: "typingShown", on: false });
  await bench.ask({ type: "typing", room: "#lobby", on: true });
  equal(bench.heard.filter(({ type }) => type === "typing").length, 1);

  await bench.ask({ type: "ignore", handle: "ben" });
  await bench.server.text(bench.ben, "can you hear me?");
  await bench.server.text(bench.ann, "no");
  await bench.message("no");
  equal(bench.shown.includes("can you hear me?"), false);
  await bench.quit();
  await bench.start();
  await bench.server.text(bench.ben, "and now?");
  await bench.isLive();
  await bench.ask({ type: "unignore", handle: "ben" });
  await bench.server.text(bench.ben, "and now");
  await bench.message("and now");
  equal(bench.shown.includes("and now?"), false);
  equal(await bench.quit(), undefined);
});
