import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "npm:fast-check@4.10.2";
import { HELD_BACK_MAX } from "../../lib/delivery/follows.ts";
import { pageRange } from "../../lib/delivery/page.ts";
import { Failure } from "../../lib/text/failure.ts";
import { PAGE_ENTRIES_MAX } from "../../lib/wire/limits.ts";
import { encodeMessage, type Logged, type Page, type Read } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { type Device, Hall } from "./hall.ts";
import { LOBBY_ID } from "./room.ts";

test("between the pages and what comes live there is no gap and nothing twice, however the disk and people interleave", () =>
  check(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 4 }), { minLength: 20, maxLength: 60 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 10, maxLength: 30 }),
      fc.integer({ min: 1, max: 6 }),
      async (delays, steps, limit) => {
        const hall = await Hall.open();
        const ann = await hall.welcome("ann");
        const readers = [
          await hall.enter(await hall.person("bob")),
          await hall.enter(await hall.person("eve")),
        ];
        let at = 0;
        const rest = async (): Promise<void> => {
          const count = delays[at++ % delays.length] ?? 0;
          for (let turn = 0; turn < count; turn++) await turnOver();
        };
        hall.log.before = rest;
        hall.log.after = rest;
        const under: Promise<void>[] = [];
        const waiting = new Set(readers);
        for (const step of steps) {
          const reader = readers[step % 2] ?? assert.fail();
          if (step < 2 && waiting.delete(reader)) under.push(catchUp(reader, limit));
          else under.push(ann.draft({ kind: "text", body: { text: "x" } }).then((draft) => ann.send(draft)));
          await rest();
        }
        for (const reader of waiting) under.push(catchUp(reader, limit));
        await Promise.all(under);
        await hall.settled();
        await Promise.all(readers.map((reader) => reader.says("done")));
        const head = (await hall.last()).entry.sequence;
        const all = Array.from({ length: head }, (_, sequence) => sequence + 1);
        for (const reader of readers) assert.deepEqual(reader.sequences(), all);
      },
    ),
    60,
  ));

test("what one says while one's page is read stands at its place behind it, and its acknowledgement, too", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.enter(await hall.person("bob"));
  const gate = Promise.withResolvers<void>();
  hall.log.before = (method) => method === "entries" ? gate.promise : undefined;
  const reading = bob.read(LOBBY_ID, { follow: true });
  await ann.says("one");
  await bob.says("two");
  await ann.says("three");
  assert.deepEqual(bob.sequences(), []);
  gate.resolve();
  await reading;
  assert.deepEqual(bob.sequences(), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(bob.summary().slice(-4), ["page 1,2,3,4,5 live", "ann: one", "ack", "ann: three"]);
});

test("a page that cannot be read is refused, with what was acknowledged meanwhile, and nothing comes live", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.enter(await hall.person("bob"));
  const gate = Promise.withResolvers<void>();
  hall.log.before = async (method) => {
    if (method !== "entries") return;
    await gate.promise;
    throw new Failure("data", "Cannot read: the disk is at fault.");
  };
  const from = bob.heard.length;
  const reading = bob.read(LOBBY_ID, { follow: true });
  await bob.says("mine");
  await ann.says("not for him");
  gate.resolve();
  await reading;
  hall.log.before = () => {};
  await ann.says("nor this");
  assert.deepEqual(bob.summary(from), ["ack", "fault notStored"]);
});

test("who is too far behind for what is held back asks anew, and misses nothing by that", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.enter(await hall.person("bob"));
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = async (method) => {
    if (method !== "entries") return;
    hall.log.before = () => {};
    asked.resolve();
    await gate.promise;
  };
  const reading = bob.read(LOBBY_ID, { follow: true });
  await asked.promise;
  for (let at = 0; at <= HELD_BACK_MAX; at++) {
    if (at % 900 === 0) hall.now += 60_000;
    await ann.send(await ann.draft({ kind: "text", body: { text: `${at}` } }));
  }
  await hall.settled();
  gate.resolve();
  const [page] = await reading;
  assert.ok(page?.type === "page" && page.end?.live === false);
  await ann.says("still not live");
  await catchUp(bob, PAGE_ENTRIES_MAX, 5);
  await ann.says("live");
  const head = (await hall.last()).entry.sequence;
  assert.deepEqual(bob.sequences(), Array.from({ length: head }, (_, at) => at + 1));
});

test("a page of old entries does not end the log before what was told while it was read", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  await bob.read(LOBBY_ID, { follow: true });
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = async (method) => {
    if (method !== "entries") return;
    hall.log.before = () => {};
    asked.resolve();
    await gate.promise;
  };
  const reading = bob.read(LOBBY_ID, { where: { from: "before", sequence: 2 } });
  await asked.promise;
  await ann.says("meanwhile");
  const head = (await hall.last()).entry.sequence;
  assert.equal(bob.sequences().at(-1), head);
  gate.resolve();
  const [page] = await reading;
  assert.equal(page?.type === "page" && page.end?.head.sequence, head);
});

test("a page in which something was deleted while it was read has the entry that deletes it, too", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.enter(await hall.person("bob"));
  await ann.says("to be deleted");
  const { place } = await hall.last();
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = async (method) => {
    if (method !== "entries") return;
    hall.log.before = () => {};
    asked.resolve();
    await gate.promise;
  };
  const reading = bob.read(LOBBY_ID, { follow: true });
  await asked.promise;
  await ann.does({ kind: "delete", body: {} }, { about: place });
  gate.resolve();
  const [page] = await reading;
  assert.ok(page?.type === "page" && page.end?.live === true);
  const { sequence } = (await hall.last()).place;
  assert.deepEqual([page.end.head.sequence, page.entries.at(-1)?.sequence], [sequence, sequence]);
  assert.equal(page.entries.find((entry) => entry.sequence === place.sequence)?.erasedBy, sequence);
});

test("a page says where the log ends, and whether what comes is told; without follow nothing is", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  for (const text of ["four", "five", "six", "seven"]) await ann.says(text);
  const bob = await hall.enter(await hall.person("bob"));
  const { place } = await hall.last();
  const asked: readonly (readonly [Partial<Read>, readonly number[], boolean])[] = [
    [{ where: { from: "after", sequence: 0 }, limit: 3, follow: true }, [1, 2, 3], false],
    [{ where: { from: "before", sequence: 5 }, limit: 3, follow: true }, [2, 3, 4], false],
    [{ where: { from: "around", sequence: 5 }, limit: 3, follow: true }, [4, 5, 6], false],
    [{ where: { from: "newest" }, limit: 2 }, [8, 9], false],
    [{ where: { from: "after", sequence: 20 }, follow: true }, [], true],
    [{ where: { from: "since", time: hall.now }, limit: 2, follow: true }, [1, 2], false],
    [{ where: { from: "since", time: hall.now + 1 }, follow: true }, [], true],
    [{ where: { from: "newest" }, limit: 2, follow: true }, [8, 9], true],
  ];
  for (const [question, sequences, live] of asked) {
    const pages = (await bob.read(LOBBY_ID, question)).flatMap((each) => each.type === "page" ? [each] : []);
    assert.deepEqual(pages.flatMap(({ entries }) => entries.map(({ sequence }) => sequence)), sequences);
    assert.deepEqual(pages.at(-1)?.end, {
      head: place,
      base: { sequence: 0, hash: new Uint8Array(32) },
      live,
    });
  }
});

test("any question gives entries that are there, that one may read, as many as asked for at the most", () =>
  check(
    fc.property(
      fc.nat({ max: 40 }),
      fc.nat({ max: 40 }),
      fc.integer({ min: 1, max: 12 }),
      fc.oneof(
        fc.record({ from: fc.constant("after" as const), sequence: fc.nat({ max: 60 }) }),
        fc.record({ from: fc.constant("before" as const), sequence: fc.integer({ min: 1, max: 60 }) }),
        fc.record({ from: fc.constant("around" as const), sequence: fc.integer({ min: 1, max: 60 }) }),
        fc.record({ from: fc.constant("newest" as const) }),
      ),
      (base, more, limit, where) => {
        const head = base + more;
        const { from, to } = pageRange({ where, limit }, { base, head, since: 0 });
        assert.ok(from > base && to <= head && to - from < limit);
        const all = Array.from({ length: more }, (_, at) => base + 1 + at);
        const given = all.filter((sequence) => sequence >= from && sequence <= to);
        switch (where.from) {
          case "after":
            assert.deepEqual(given, all.filter((sequence) => sequence > where.sequence).slice(0, limit));
            break;
          case "before":
            assert.deepEqual(given.at(-1), all.findLast((sequence) => sequence < where.sequence));
            break;
          case "around":
            if (all.includes(where.sequence)) assert.ok(given.includes(where.sequence));
            break;
          case "newest":
            assert.deepEqual(given, all.slice(-limit));
        }
      },
    ),
    500,
  ));

test("a page of the longest texts comes in as many messages as it takes, its end in the last", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  for (let at = 0; at < 12; at++) await ann.says("é".repeat(at % 2 === 0 ? 4_096 : 10));
  const pages = (await ann.read(LOBBY_ID)).flatMap((each) => each.type === "page" ? [each] : []);
  assert.ok(pages.length > 5);
  assert.deepEqual(pages.map(({ end }) => end === undefined), pages.map((_, at) => at < pages.length - 1));
  for (const page of pages) encodeMessage(page);
  const entries: readonly Logged[] = pages.flatMap((page: Page) => page.entries);
  assert.deepEqual(entries.map(({ sequence }) => sequence), Array.from({ length: 15 }, (_, at) => at + 1));
});

test("attack 25: who is put out while their page is read is told nothing of it, and hears nothing", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.enter(await hall.person("bob"));
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = async (method) => {
    if (method !== "entries") return;
    hall.log.before = () => {};
    asked.resolve();
    await gate.promise;
  };
  const from = bob.heard.length;
  const reading = bob.read(LOBBY_ID, { follow: true });
  await asked.promise;
  await ann.does({ kind: "moderation", body: { act: "kick", handle: bob.handle } });
  gate.resolve();
  await reading;
  await ann.says("he is gone");
  assert.deepEqual(bob.summary(from), ["gone kicked", "fault notMember"]);
});

test("who leaves while their page is read follows nothing", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  for (const method of ["firstSince", "entries"]) {
    const bob = await hall.enter(await hall.person(`bob-${method.toLowerCase()}`));
    const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    hall.log.before = async (called) => {
      if (called !== method) return;
      asked.resolve();
      await gate.promise;
    };
    const reading = bob.read(LOBBY_ID, {
      where: { from: "since", time: hall.now },
      limit: 100,
      follow: true,
    });
    await asked.promise;
    bob.leave();
    const { length } = bob.heard;
    gate.resolve();
    await reading;
    hall.log.before = () => {};
    await ann.says("hello");
    assert.deepEqual(bob.summary(length).filter((words) => !words.startsWith("fault")), []);
  }
});

/** Reads page by page until what comes is told live. */
async function catchUp(device: Device, limit: number, from = 0): Promise<void> {
  for (let sequence = from;;) {
    const pages = (await device.read(LOBBY_ID, { where: { from: "after", sequence }, limit, follow: true }))
      .flatMap((each) => each.type === "page" ? [each] : []);
    if (pages.at(-1)?.end?.live) return;
    sequence = pages.flatMap(({ entries }) => entries).at(-1)?.sequence ?? sequence;
  }
}

function turnOver(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
