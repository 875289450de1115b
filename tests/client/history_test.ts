import assert, { deepEqual, equal, match, ok } from "node:assert/strict";
import type { ClientEvent, ClientRequest } from "../../lib/client/event.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { encodeBody } from "../../lib/wire/entry_body.ts";
import { test } from "../sanitized.ts";
import { ChatBench, type Message } from "./chat_bench.ts";
import { LOBBY_ID } from "./honest_server.ts";

type History = ClientRequest & { readonly type: "history" };

/** What is shown of a page of history, with its end. */
async function page(
  bench: ChatBench,
  where: History["where"],
  limit = 10,
): Promise<{ readonly messages: readonly Message[]; readonly page: ClientEvent & { type: "page" } }> {
  const before = bench.events.length;
  await bench.ask({ type: "history", room: "#lobby", where, limit });
  const isEnd = (event: ClientEvent): event is ClientEvent & { type: "page" } => event.type === "page";
  await bench.when(() => bench.events.slice(before).some(isEnd));
  const events = bench.events.slice(before);
  const end = events.find(isEnd) ?? assert.fail("a page ends");
  return {
    messages: events.flatMap((event) => event.type === "message" && event.history ? [event] : []),
    page: end,
  };
}

/** One in which Ben has said so much before. */
async function withTexts(count: number): Promise<ChatBench> {
  const bench = await ChatBench.of();
  for (let at = 0; at < count; at++) await bench.server.text(bench.ben, `text ${at}`);
  await bench.start();
  return bench;
}

test("history is paged back to the first entry, verified, each entry once", async () => {
  const bench = await withTexts(120);
  const texts: string[] = [];
  let before: number | undefined;
  for (;;) {
    const { messages, page: { first, more } } = await page(bench, { from: "before", sequence: before }, 25);
    ok(messages.every(({ verified }) => verified));
    texts.unshift(...messages.map(({ text }) => text));
    before = first;
    if (!more) break;
  }
  deepEqual(texts, Array.from({ length: 120 }, (_, at) => `text ${at}`));
  await bench.ask({ type: "check", room: "#lobby" });
  const integrity = await bench.until(({ type }) => type === "integrity");
  deepEqual(integrity.type === "integrity" && [integrity.from, integrity.flaws], [1, []]);
  equal(await bench.quit(), undefined);
});

test("what is said while a page is read is not missing in it, from whatever number it was asked back", async () => {
  const bench = await withTexts(5);
  const { visit, server } = bench.line;
  bench.lie = (message) => message.type === "read" ? [] : undefined;
  const asked = page(bench, { from: "before", sequence: 1_000 });
  const answer = await bench.server.answer(visit, await server.said("read", 2));
  await bench.server.text(bench.ben, "meanwhile");
  await bench.message("meanwhile");
  const { head } = bench.server.room(LOBBY_ID);
  visit.tell(
    ...answer.map((message) =>
      message.type === "page" && message.end !== undefined
        ? { ...message, end: { ...message.end, head } }
        : message
    ),
  );
  equal((await asked).page.last, head.sequence - 1);
  await bench.ask({ type: "check", room: "#lobby" });
  const integrity = await bench.until(({ type }) => type === "integrity");
  deepEqual(integrity.type === "integrity" && integrity.flaws, []);
  equal(await bench.quit(), undefined);
});

test("attack 42: what is left of a page that reaches into what is known is judged as following on the gap", async () => {
  const bench = await withTexts(80);
  const { visit, server } = bench.line;
  const base = bench.local.kept[0]?.room.base.sequence ?? 0;
  ok(base > 20);
  bench.lie = (message) => message.type === "read" ? [] : undefined;
  const asked = page(bench, { from: "before", sequence: base + 6 }, 20);
  const answer = await bench.server.answer(visit, await server.said("read", 2));
  visit.tell(
    ...answer.map((message) =>
      message.type === "page"
        ? { ...message, entries: message.entries.filter(({ sequence }) => sequence < base - 2) }
        : message
    ),
  );
  const { messages } = await asked;
  ok(messages.length > 0);
  deepEqual(messages.map(({ reason }) => reason), messages.map(() => undefined));
  const integrity = await bench.until(({ type }) => type === "integrity");
  const flaw = { kind: "missing", from: base - 2, to: base + 5 };
  deepEqual(integrity.type === "integrity" && integrity.flaws.at(-1), flaw);
  equal(await bench.quit(), undefined);
});

test("history is shown around an entry and from a time on, and what is shown there can be answered", async () => {
  const bench = await ChatBench.of();
  for (let at = 0; at < 200; at++) {
    bench.server.now += 1_000;
    await bench.server.text(bench.ben, `text ${at}`);
  }
  await bench.start();
  const around = await page(bench, { from: "around", sequence: 50 }, 9);
  deepEqual(around.messages.map(({ sequence }) => sequence), [46, 47, 48, 49, 50, 51, 52, 53, 54]);
  const since = await page(bench, { from: "since", time: bench.server.now - 4_500 });
  deepEqual(
    since.messages.map(({ text }) => text),
    ["195", "196", "197", "198", "199"].map((at) => `text ${at}`),
  );
  await bench.ask({ type: "reply", room: "#lobby", sequence: 50, text: "what?" });
  const reply = await bench.message("what?");
  deepEqual([reply.kind, reply.about?.sequence], ["reply", 50]);
  equal(await bench.quit(), undefined);
});

test("without a connection, history is what is kept", async () => {
  const bench = await withTexts(5);
  await bench.cut();
  await bench.until((event) => event.type === "state" && event.state === "waiting");
  const { messages } = await page(bench, { from: "before", sequence: undefined });
  deepEqual(messages.map(({ text }) => text), [0, 1, 2, 3, 4].map((at) => `text ${at}`));
  match(
    await bench.chat.request({
      type: "history",
      room: "#lobby",
      where: { from: "since", time: 0 },
      limit: 10,
    }) ?? "",
    /no connection/,
  );
});

test("edits, deletions and reactions are told when they come, and folded into what history shows", async () => {
  const bench = await ChatBench.entered();
  const { server, ben } = bench;
  const { sequence } = await server.text(ben, "helo");
  await server.say(ben, { kind: "edit", body: { text: "hello" } }, { about: sequence });
  await bench.isLive();
  await bench.ask({ type: "react", room: "#lobby", sequence, reaction: "👍", on: true });
  await bench.until(({ type }) => type === "ack");
  await server.say(ben, { kind: "reaction", body: { reaction: "👍", on: true } }, { about: sequence });
  const { sequence: doomed } = await server.text(ben, "oops");
  await server.say(ben, { kind: "delete", body: {} }, { about: doomed });
  const kinds = () => bench.events.flatMap((event) => event.type === "log" ? [event.what?.kind] : []);
  await bench.when(() => kinds().includes("delete"));
  deepEqual(kinds().filter((kind) => kind !== "membership" && kind !== "room"), [
    "edit",
    "reaction",
    "reaction",
    "delete",
  ]);
  const { messages } = await page(bench, { from: "before", sequence: undefined });
  const [edited, deleted] = messages.filter((each) => each.sequence === sequence || each.sequence === doomed);
  deepEqual([edited?.text, edited?.edited, edited?.reactions], [
    "hello",
    true,
    [{ reaction: "👍", by: ["ann", "ben"] }],
  ]);
  deepEqual([deleted?.text, deleted?.deletedBy], ["", "ben"]);
  equal(bench.events.some(({ type }) => type === "integrity"), false);
  equal(await bench.quit(), undefined);
});

test("an edit that is not the author's changes nothing, and takes nothing of the author's own away", async () => {
  const bench = await ChatBench.entered();
  const { server, ben, ann } = bench;
  const { sequence } = await server.text(ben, "I owe you 10");
  await server.say(ben, { kind: "edit", body: { text: "I owe you 100" } }, { about: sequence });
  await server.force(
    LOBBY_ID,
    await server.unplaced(ann, { kind: "edit", body: { text: "I owe you 1" } }, { about: sequence }),
  );
  await bench.isLive();
  const { messages } = await page(bench, { from: "before", sequence: undefined });
  equal(messages.find((each) => each.sequence === sequence)?.text, "I owe you 100");
  equal(await bench.quit(), undefined);
});

test("a text that was replaced twice is shown as it was left, though the older edit is read after the newer", async () => {
  const bench = await ChatBench.of();
  const { server, ben } = bench;
  const { sequence } = await server.text(ben, "one");
  await server.say(ben, { kind: "edit", body: { text: "two" } }, { about: sequence });
  for (let at = 0; at < 60; at++) await server.text(ben, `text ${at}`);
  const { sequence: newest } = await server.say(ben, { kind: "edit", body: { text: "three" } }, {
    about: sequence,
  });
  await bench.start();
  const shown = async (before: number, limit: number): Promise<string | undefined> => {
    const { messages } = await page(bench, { from: "before", sequence: before }, limit);
    return messages.find((each) => each.sequence === sequence)?.text;
  };
  equal(await shown(20, 20), "three", "though it was read before the older one");
  await server.say(ben, { kind: "delete", body: {} }, { about: newest });
  await bench.isLive();
  equal(await shown(sequence + 1, 1), "two", "what was deleted is shown no more");
  equal(await bench.quit(), undefined);
});

test("attack 42: a server that rewrites, drops or swaps what it gave is named by number, and the flaw stays", async () => {
  const changes: readonly (readonly [string, (entry: Logged) => Logged])[] = [
    ["rewritten", (entry) => ({ ...entry, signature: entry.signature.map((octet) => octet ^ 1) })],
    ["rewritten", (entry) => ({ ...entry, time: entry.time + 1 })],
    ["rewritten", (entry) => ({
      ...entry,
      content: { salt: entry.digest, body: encodeBody({ kind: "text", body: { text: "never said" } }) },
    })],
  ];
  for (const [kind, change] of changes) {
    const bench = await withTexts(10);
    await page(bench, { from: "before", sequence: undefined }, 20);
    const entry = bench.server.log()[5];
    ok(entry !== undefined);
    bench.server.replace(LOBBY_ID, change(entry));
    await page(bench, { from: "before", sequence: undefined }, 20);
    const integrity = await bench.until(({ type }) => type === "integrity");
    ok(integrity.type === "integrity");
    deepEqual(integrity.flaws.map((flaw) => flaw.kind === kind && flaw.from <= 6 && flaw.to >= 6), [true]);
    equal(await bench.quit(), undefined);
    await bench.start();
    await bench.ask({ type: "check", room: "#lobby" });
    const still = await bench.until((event) => event.type === "integrity" && event.asked);
    equal(still.type === "integrity" && still.flaws.length, 1);
    await bench.quit();
  }
});

test("a server that was put back to an older day is found out at the next connection", async () => {
  const bench = await withTexts(10);
  await bench.cut();
  bench.server.cutBack(LOBBY_ID, 8);
  await bench.server.text(bench.ben, "another past");
  bench.pass(await bench.paused());
  const integrity = await bench.until(({ type }) => type === "integrity");
  ok(integrity.type === "integrity");
  ok(integrity.flaws.some(({ kind }) => kind === "cutBack" || kind === "rewritten"));
  equal(await bench.quit(), undefined);
});
