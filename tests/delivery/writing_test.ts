import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "npm:fast-check@4.10.2";
import { BATCH_MAX, BATCH_PER_PEER_MAX, WAITING_PER_PEER_MAX } from "../../lib/delivery/writer.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Draft } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { keyOf } from "../session/people.ts";
import { type Device, Hall } from "./hall.ts";
import { LOBBY_ID } from "./room.ts";

test("what several connections bring in one turn is stored by one change, and told in one order to all", async () => {
  const hall = await Hall.open();
  const devices = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
  const { length } = hall.log.batches;
  const drafts = await Promise.all(
    Array.from(
      { length: 3 * BATCH_PER_PEER_MAX },
      (_, at) => texted(devices[at % 3] ?? assert.fail(), `${at}`),
    ),
  );
  drafts.forEach((draft, at) => void devices[at % 3]?.send(draft));
  await hall.settled();
  assert.equal(hall.log.batches.length, length + 1);
  assert.equal(hall.log.batches.at(-1)?.length, 3 * BATCH_PER_PEER_MAX);
  const orders = devices.map((device) => device.sequences().slice(-3 * BATCH_PER_PEER_MAX));
  assert.deepEqual(orders, devices.map(() => orders[0]));
  assert.deepEqual(orders[0], Array.from({ length: 3 * BATCH_PER_PEER_MAX }, (_, at) => at + 8));
});

test("nothing is acknowledged or told before it is stored", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.after = (method) => {
    if (method !== "change") return;
    asked.resolve();
    return gate.promise;
  };
  const marks = [ann.heard.length, bob.heard.length];
  await ann.send(await texted(ann, "one"));
  await asked.promise;
  assert.deepEqual([ann.heard.length, bob.heard.length], marks);
  gate.resolve();
  await hall.settled();
  assert.equal(ann.summary(marks[0]).at(-1), "ack");
  assert.equal(bob.summary(marks[1]).at(-1), "ann: one");
});

test("attack 29: what the disk refuses is told as not stored, and rooms, numbers and names are as before", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const before = await hall.last();
  const from = bob.heard.length;
  hall.log.before = fullWhen("change");
  const drafts = [
    await texted(ann, "lost"),
    await ann.draft({ kind: "topic", body: { topic: "lost" } }),
    await ann.draft({ kind: "moderation", body: { act: "kick", handle: bob.handle } }),
  ];
  for (const draft of drafts) await ann.send(draft);
  await bob.does({ kind: "membership", body: { change: "part" } });
  assert.deepEqual(
    ann.faults().map(({ code, about }) => [code, about?.toHex()]),
    drafts.map(({ id }) => [
      "notStored",
      id.toHex(),
    ]),
  );
  assert.deepEqual(bob.summary(from), ["fault notStored"]);
  hall.log.before = () => {};
  assert.deepEqual((await hall.last()).place, before.place);
  for (const draft of drafts) await ann.send(draft);
  await hall.settled();
  assert.deepEqual(ann.sequences().slice(-3), [1, 2, 3].map((more) => before.place.sequence + more));
  assert.equal(bob.summary().at(-1), "gone kicked");
  const told = hall.news.filter(({ kind }) => kind === "notStored");
  assert.ok(
    told.length > 0 && told.every((news) => news.kind === "notStored" && /disk is full/.test(news.why)),
  );
});

test("attack 29: after a refusal by the disk nothing of that connection is taken before the refused entry comes again", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const drafts = await Promise.all(["one", "two", "three"].map((text) => texted(ann, text)));
  const [one, two, three] = [
    drafts[0] ?? assert.fail(),
    drafts[1] ?? assert.fail(),
    drafts[2] ?? assert.fail(),
  ];
  hall.log.before = fullWhen("change");
  await ann.send(one);
  await hall.settled();
  hall.log.before = () => {};
  // On its way while the refusal was.
  await ann.send(two);
  await hall.settled();
  assert.equal(ann.faults().length, 2);
  assert.equal(ann.faults().at(-1)?.code, "notStored");
  assert.equal(await bob.says("not held back"), undefined);
  for (const draft of [one, two, three]) await ann.send(draft);
  await hall.settled();
  assert.deepEqual(texts(bob), ["ann: one", "ann: two", "ann: three"]);
});

test("who gives up an entry that was refused for now may say another, which is refused once", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  hall.log.before = fullWhen("change");
  await ann.says("given up");
  hall.log.before = () => {};
  const next = await texted(ann, "next");
  await ann.send(next);
  assert.equal(ann.faults().at(-1)?.code, "notStored");
  await ann.send(next);
  assert.equal(await ann.says("and on"), undefined);
  assert.deepEqual(ann.sequences().slice(-2), [4, 5]);
});

test("attack 29: a refusal in one room holds nothing back in another, and ends by itself alone", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen");
  hall.log.before = fullWhen("change");
  const [here, there] = [
    await texted(ann, "here"),
    await ann.draft({ kind: "text", body: { text: "there" } }, { room }),
  ];
  await ann.send(here);
  await ann.send(there, room);
  await hall.settled();
  hall.log.before = () => {};
  await ann.send(here);
  assert.equal((await ann.says("behind", room))?.code, "notStored");
  assert.equal(await ann.says("behind"), undefined);
  await ann.send(there, room);
  await hall.settled();
  assert.equal(await ann.says("behind", room), undefined);
});

test("attack 29: what waits behind an entry that could not be stored is not stored before it", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const [one, two] = [await texted(ann, "one"), await texted(ann, "two")];
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = async (method) => {
    if (method !== "change") return;
    hall.log.before = () => {};
    asked.resolve();
    await gate.promise;
    await fullWhen("change")("change");
  };
  await ann.send(one);
  await asked.promise;
  await ann.send(two);
  await bob.send(await texted(bob, "meanwhile"));
  gate.resolve();
  await hall.settled();
  assert.deepEqual(ann.faults().map(({ code }) => code), ["notStored", "notStored"]);
  await ann.send(one);
  await ann.send(two);
  await hall.settled();
  assert.deepEqual(texts(bob), ["ann: one", "ann: two"]);
  assert.deepEqual(texts(ann), ["bob: meanwhile"]);
});

test("attack 29: what waited behind an entry that could not be stored is not stored though that has come again", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const [one, two] = [await texted(ann, "one"), await texted(ann, "two")];
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [looking, looked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hall.log.before = async (method) => {
    if (method !== "change") return;
    hall.log.before = async (next) => {
      if (next !== "placeOfId") return;
      hall.log.before = () => {};
      looking.resolve();
      await looked.promise;
    };
    asked.resolve();
    await gate.promise;
    await fullWhen("change")("change");
  };
  await ann.send(one);
  await asked.promise;
  await ann.send(two);
  gate.resolve();
  await looking.promise;
  await ann.send(one);
  looked.resolve();
  await hall.settled();
  assert.deepEqual(ann.faults().map(({ code }) => code), ["notStored", "notStored"]);
  await ann.send(two);
  await hall.settled();
  assert.deepEqual(texts(bob), ["ann: one", "ann: two"]);
});

test("an entry that comes again is acknowledged again, by whatever connection and however often, and stored once", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const again = await hall.enter(ann.person);
  const draft = await texted(ann, "once");
  await ann.send(draft);
  await ann.send(draft);
  await again.send(draft);
  await hall.settled();
  await again.send(draft);
  await hall.settled();
  const acks = [ann, again].map(({ heard }) =>
    heard.flatMap((message) =>
      message.type === "ack" && message.id.toHex() === draft.id.toHex() ? [message] : []
    )
  );
  assert.deepEqual(acks.map(({ length }) => length), [2, 2]);
  assert.equal(new Set(acks.flat().map((ack) => JSON.stringify(ack))).size, 1);
  assert.equal((await hall.last()).entry.sequence, 4);
});

test("an id with other octets is refused, be it another's, of another room, or in the same turn", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const room = await ann.creates("#kitchen");
  const draft = await texted(ann, "mine");
  const changed = await ann.draft({ kind: "text", body: { text: "other" } }, { id: draft.id });
  void ann.send(draft);
  void ann.send(changed);
  void bob.send(draft);
  void ann.send(draft, room);
  await hall.settled();
  const codes = () => [ann, bob].map((device) => device.faults().map(({ code }) => code));
  assert.deepEqual(codes(), [["idTaken", "idTaken"], ["idTaken"]]);
  await ann.send(changed);
  await bob.send(draft);
  await hall.settled();
  assert.deepEqual(codes(), [["idTaken", "idTaken", "idTaken"], ["idTaken", "idTaken"]]);
  assert.equal((await hall.last()).entry.sequence, 6);
});

test("what changes a room counts only by its author's signature, and what it saw only where that is so", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const { place } = await hall.last();
  const topic = { kind: "topic", body: { topic: "x" } } as const;
  const good = await ann.draft(topic, { seen: place });
  const stolen = await hall.enter(ann.person, await keyOf("stolen"));
  const wrong: readonly (readonly [Device, Draft])[] = [
    [ann, { ...good, signature: new Uint8Array(64) }],
    [ann, { ...good, content: { ...good.content, salt: new Uint8Array(32) } }],
    [stolen, good],
    [ann, await ann.draft(topic, { seen: { ...place, hash: new Uint8Array(32).fill(1) } })],
    [ann, await ann.draft(topic, { seen: { sequence: 1, hash: place.hash } })],
    [ann, await ann.draft(topic, { seen: { sequence: 9, hash: place.hash } })],
    [ann, await ann.draft(topic, { seen: { sequence: 0, hash: place.hash } })],
    [ann, { ...good, content: { ...good.content, body: new Uint8Array([1]) } }],
  ];
  for (const [device, draft] of wrong) {
    await device.send(draft);
    await hall.settled();
    assert.equal(device.faults().at(-1)?.code, "badEntry");
  }
  assert.deepEqual((await hall.last()).place, place);
  await ann.send(good);
  await ann.does({ kind: "topic", body: { topic: "y" } }, {
    seen: { sequence: 2, hash: await hashAt(hall, 2) },
  });
  assert.equal((await hall.last()).entry.sequence, place.sequence + 2);
});

test("attack 42: nobody has seen what was not told yet, nor what nobody can tell any more, so that no reader finds a fork", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen");
  const { place } = await hall.last(room);
  const garbage = new Uint8Array(32).fill(1);
  const forked = async (sequence: number): Promise<Draft> =>
    await ann.draft({ kind: "text", body: { text: "forked" } }, { room, seen: { sequence, hash: garbage } });
  // All of one turn: the third names a place that the first gets.
  const drafts = [await texted(ann, "one"), await texted(ann, "two"), await forked(place.sequence + 1)];
  for (const draft of drafts) void ann.send(draft, room);
  await hall.settled();
  assert.deepEqual(ann.faults().map(({ code, about }) => [code, about]), [["badEntry", drafts[2]?.id]]);
  await ann.does({ kind: "room", body: { act: "retention", days: 1 } }, { room });
  hall.now += 3 * 86_400_000;
  await ann.says("after a while", room);
  hall.exchange.tick();
  await hall.settled();
  await ann.send(await forked(2), room);
  await hall.settled();
  assert.equal(ann.faults().at(-1)?.code, "badEntry");
  assert.deepEqual((await hall.log.entries(room, { from: 1, to: 100 })).map(({ sequence }) => sequence), [5]);
});

test("what a device had sent when it was put out is not said; what one had sent that left by itself is", async () => {
  const hall = await Hall.open();
  const [ann, bob, eve] = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
  await bob.send(await texted(bob, "left"));
  await eve.send(await texted(eve, "put out"));
  bob.leave();
  hall.exchange.cutAccount(eve.handle);
  await hall.settled();
  assert.deepEqual(texts(ann), ["bob: left"]);
  assert.deepEqual(eve.closed, ["accountClosed"]);
});

test("a connection with a full window of waiting entries is not read on, and the others are", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const gate = Promise.withResolvers<void>();
  hall.log.before = () => gate.promise;
  let taken = 0;
  const sending = (async () => {
    for (let at = 0; at < WAITING_PER_PEER_MAX + 10; at++) {
      await ann.send(await texted(ann, `${at}`));
      taken += 1;
    }
  })();
  const free = (async () => {
    for (let at = 0; at < 10; at++) await bob.send(await texted(bob, `${at}`));
  })();
  await free;
  while (taken < WAITING_PER_PEER_MAX - 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(taken, WAITING_PER_PEER_MAX - 1);
  gate.resolve();
  await sending;
  await hall.settled();
  assert.equal(ann.faults().length, 0);
  assert.equal((await hall.last()).entry.sequence, 5 + WAITING_PER_PEER_MAX + 20);
});

test("who says hundreds of things at once does not keep another's one waiting for them", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const gate = Promise.withResolvers<void>();
  hall.log.before = () => gate.promise;
  for (let at = 0; at < 200; at++) await ann.send(await texted(ann, `${at}`));
  await bob.send(await texted(bob, "one"));
  gate.resolve();
  await hall.settled();
  assert.equal(texts(bob).length, 200);
  const order = bob.heard.flatMap((message) =>
    message.type === "ack" || message.type === "entry" ? [message.type] : []
  );
  const before = order.lastIndexOf("ack");
  assert.ok(before <= 2 * BATCH_PER_PEER_MAX, `${before} are before it`);
});

test("thousands of entries that wait are stored in steps, and each author's in their order", async () => {
  const hall = await Hall.open();
  const devices: Device[] = [];
  for (let at = 0; at < 12; at++) devices.push(await hall.welcome(`n${at}`));
  const gate = Promise.withResolvers<void>();
  hall.log.before = () => gate.promise;
  const sending = devices.map(async (device) => {
    for (let at = 0; at < 200; at++) await device.send(await texted(device, `${at}`));
  });
  await Promise.all(sending);
  const { length } = hall.log.batches;
  gate.resolve();
  await hall.settled();
  const sizes = hall.log.batches.slice(length).map((batch) => batch.length);
  assert.ok(sizes.every((size) => size <= BATCH_MAX) && sizes.length <= 15, `${sizes}`);
  for (const { handle } of devices.slice(1)) {
    const own = texts(devices[0] ?? assert.fail()).filter((text) => text.startsWith(`${handle}: `));
    assert.deepEqual(own, Array.from({ length: 200 }, (_, at) => `${handle}: ${at}`));
  }
});

test("a fault of ours in one entry keeps no other from being stored and told", async () => {
  const hall = await Hall.open();
  const [ann, bob] = [await hall.welcome("ann"), await hall.welcome("bob")];
  const { send } = bob.peer;
  bob.peer.send = () => {
    throw new Error("a fault");
  };
  await ann.says("one");
  bob.peer.send = send;
  await ann.says("two");
  assert.deepEqual(ann.summary().slice(-2), ["ack", "ack"]);
  assert.deepEqual(texts(bob), ["ann: two"]);
  assert.ok(hall.news.some(({ kind }) => kind === "fault"));
});

test("attack 29: whatever is refused when, what was acknowledged is stored, once, in the order told, and nothing else is", () =>
  check(
    fc.asyncProperty(
      fc.array(fc.record({ who: fc.nat({ max: 2 }), fails: fc.boolean(), waits: fc.boolean() }), {
        minLength: 1,
        maxLength: 25,
      }),
      async (steps) => {
        const hall = await Hall.open();
        const devices = [await hall.welcome("ann"), await hall.welcome("bob"), await hall.welcome("eve")];
        let fails = false;
        hall.log.before = (method) => method === "change" && fails ? fullWhen("change")(method) : undefined;
        const drafts: Draft[] = [];
        for (const step of steps) {
          fails = step.fails;
          const device = devices[step.who] ?? assert.fail();
          const draft = await texted(device, "x");
          drafts.push(draft);
          await device.send(draft);
          if (step.waits) await hall.settled();
        }
        await hall.settled();
        fails = false;
        const stored = await hall.log.entries(LOBBY_ID, { from: 8, to: 1_000 });
        assert.deepEqual(stored.map(({ sequence }) => sequence), stored.map((_, at) => at + 8));
        const acks = devices.flatMap(({ heard }) =>
          heard.flatMap((message) =>
            message.type === "ack" ? [`${message.id.toHex()} ${message.sequence}`] : []
          )
        );
        assert.deepEqual(
          acks.toSorted(),
          stored.map(({ id, sequence }) => `${id.toHex()} ${sequence}`).toSorted(),
        );
        const refused = devices.flatMap((device) => device.faults().map(({ about }) => about?.toHex()));
        assert.equal(acks.length + refused.length, drafts.length);
        for (const device of devices) {
          assert.deepEqual(
            device.sequences().filter((sequence) => sequence >= 8),
            stored.map(({ sequence }) => sequence),
          );
        }
      },
    ),
    25,
  ));

async function texted(device: Device, text: string): Promise<Draft> {
  return await device.draft({ kind: "text", body: { text } });
}

function texts(device: Device): readonly string[] {
  return device.summary().filter((words) => words.includes(": "));
}

async function hashAt(hall: Hall, sequence: number): Promise<Uint8Array<ArrayBuffer>> {
  const [next] = await hall.log.entries(LOBBY_ID, { from: sequence + 1, to: sequence + 1 });
  return next?.previous ?? assert.fail("an entry behind it");
}

function fullWhen(method: string): (called: string) => Promise<void> | void {
  return (called) =>
    called === method
      ? Promise.reject(new Failure("cannotCreate", "Cannot write: the disk is full."))
      : undefined;
}
