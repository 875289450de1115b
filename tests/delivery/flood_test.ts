import assert from "node:assert/strict";
import { RATES } from "../../lib/chat/rate.ts";
import { ASKS_PER_ACCOUNT_MAX } from "../../lib/chat/open_rules.ts";
import { EDITS_MAX } from "../../lib/chat/target_rules.ts";
import { AGAIN_MS } from "../../lib/delivery/saying_desk.ts";
import { ROOMS_PER_ACCOUNT_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { handle } from "../session/people.ts";
import { concat, u64 } from "../../lib/wire/bytes.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { SpokenRoom } from "../store/spoken_room.ts";
import { type Device, Hall } from "./hall.ts";
import { LOBBY_ID } from "./room.ts";

/** The test's devices wait for nothing: as fast as it goes. */
async function flood(device: Device, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await device.send(await device.draft({ kind: "text", body: { text: `${at}` } }));
  }
}

/** Ann, and Bob who is asked into that many of her rooms. */
async function hallOfAsks(
  count: number,
): Promise<{ readonly hall: Hall; readonly ann: Device; readonly bob: Device }> {
  const before = await Hall.open();
  const people = [await before.person("ann"), await before.person("bob")] as const;
  const invited = new Map([[people[1].name, people[0].name]]);
  for (let at = 0; at < count; at++) {
    const room = new SpokenRoom(1, `#r${at}`);
    room.state = { ...room.state, id: concat(u64(at), u64(1)), invited };
    await before.log.change([room.say("come")]);
  }
  const hall = await Hall.open({ log: before.log, accounts: before.accounts });
  return { hall, ann: await hall.enter(people[0]), bob: await hall.enter(people[1]) };
}

test("attack 33: a flood of messages is taken up to the burst, then refused with a wait, and others go on", async () => {
  const hall = await Hall.open();
  const [ann, eve] = [await hall.welcome("ann"), await hall.welcome("eve")];
  const second = await hall.enter(eve.person);
  await flood(eve, RATES.entries.burst / 2);
  await flood(second, RATES.entries.burst / 2 + 200);
  await hall.settled();
  assert.equal(eve.faults().length, 0, "the devices of an account share its rate");
  assert.equal(second.faults().length, 200);
  for (const { code, wait } of second.faults()) {
    assert.deepEqual([code, wait], ["tooFast", AGAIN_MS]);
  }
  assert.equal(await ann.says("am I heard?"), undefined);
  assert.equal(eve.summary().at(-1), "ann: am I heard?");
  hall.now += AGAIN_MS;
  assert.equal(await eve.says("slowly now"), undefined);
});

test("attack 33: what a client sends again after a refusal keeps its order", async () => {
  const hall = await Hall.open();
  const [ann, eve] = [await hall.welcome("ann"), await hall.welcome("eve")];
  await flood(eve, RATES.entries.burst - 1);
  const drafts = await Promise.all(
    ["one", "two", "three"].map((text) => eve.draft({ kind: "text", body: { text } })),
  );
  for (const draft of drafts) {
    await eve.send(draft);
    // A token comes between the second and the third.
    if (draft === drafts[1]) hall.now += 15;
  }
  await hall.settled();
  hall.now += AGAIN_MS;
  for (const draft of drafts.slice(1)) await eve.send(draft);
  await hall.settled();
  assert.deepEqual(ann.summary().slice(-3), ["eve: one", "eve: two", "eve: three"]);
});

test("what is sent again after slow mode refused it keeps its order", async () => {
  const hall = await Hall.open();
  const [ann, eve] = [await hall.welcome("ann"), await hall.welcome("eve")];
  const room = await ann.creates("#kitchen");
  await ann.does({ kind: "room", body: { act: "slow", seconds: 2 } }, { room });
  await eve.does({ kind: "membership", body: { change: "join" } }, { room });
  await ann.follow(room);
  const [one, two, three] = await Promise.all(
    ["one", "two", "three"].map((text) => eve.draft({ kind: "text", body: { text } }, { room })),
  );
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  const from = ann.heard.length;
  await eve.send(one, room);
  await hall.settled();
  await eve.send(two, room);
  await hall.settled();
  // The pause is over when the third comes, which was on its way with the second.
  hall.now += 2_000;
  await eve.send(three, room);
  await hall.settled();
  assert.deepEqual(eve.faults().map(({ code }) => code), ["slowMode", "slowMode"]);
  await eve.send(two, room);
  await hall.settled();
  hall.now += 2_000;
  await eve.send(three, room);
  await hall.settled();
  assert.deepEqual(ann.summary(from), ["eve: one", "eve: two", "eve: three"]);
});

test("attack 33: invitations, new rooms, requests and new lists are few", async () => {
  const hall = await Hall.open();
  const eve = await hall.welcome("eve");
  const ann = await hall.welcome("ann");
  const from = ann.heard.length;
  for (let at = 0; at < 100; at++) {
    await eve.does({ kind: "membership", body: { change: "invite", handle: handle(`n${at}`) } });
  }
  const codes = eve.faults().map(({ code }) => code);
  assert.equal(codes.filter((code) => code === "noSuchPerson").length, RATES.acts.burst);
  assert.equal(codes.filter((code) => code === "tooFast").length, 100 - RATES.acts.burst);
  assert.equal(await eve.says("talking goes on"), undefined, "an act that was refused holds nothing back");
  assert.notEqual(hall.exchange.publishingWait(eve.handle), undefined);
  await eve.take({ type: "block", handle: ann.handle, on: true });
  assert.equal(eve.faults().at(-1)?.code, "tooFast");
  await eve.take({
    type: "fileBegin",
    file: new Uint8Array(16),
    room: LOBBY_ID,
    size: 1,
    sha256: new Uint8Array(32),
  });
  assert.equal(eve.faults().at(-1)?.code, "tooFast");
  assert.deepEqual(ann.summary(from).filter((words) => words.startsWith("room")), []);
});

test("attack 33: a flood of questions is refused with a wait, and one of marks, typing and states dropped", async () => {
  const hall = await Hall.open();
  const [ann, eve] = [await hall.welcome("ann"), await hall.welcome("eve")];
  const reads = RATES.reads.burst + 20;
  for (let at = 0; at < reads; at++) await eve.take({ type: "list", ask: at });
  const refused = eve.faults().filter(({ code }) => code === "tooFast");
  assert.equal(refused.length, 21, "one was spent on the lobby");
  assert.ok(refused.every(({ ask, wait }) => ask !== undefined && wait !== undefined && wait > 0));
  const { length } = ann.heard;
  for (let at = 0; at < 200; at++) {
    await eve.take({ type: "typing", room: LOBBY_ID, on: at % 2 === 0 });
  }
  assert.equal(ann.heard.length - length, RATES.signals.burst);
  assert.equal(eve.faults().length, 21);
});

test("attack 33: nobody is kept from rooms by being asked into many", async () => {
  const { hall, ann, bob } = await hallOfAsks(ROOMS_PER_ACCOUNT_MAX);
  const [asked] = hall.log.states.filter(({ invited }) => invited.has(bob.handle));
  const join: EntryBody = { kind: "membership", body: { change: "join" } };
  assert.equal(await bob.does(join, { room: asked?.id ?? assert.fail() }), undefined);
  await bob.addresses(ann.handle);
  assert.deepEqual(bob.faults(), []);
});

test("attack 33: nobody is asked into more rooms than can be told at each login, before they answer one", async () => {
  const { ann, bob } = await hallOfAsks(ASKS_PER_ACCOUNT_MAX - 1);
  const invite: EntryBody = { kind: "membership", body: { change: "invite", handle: bob.handle } };
  const [first, second] = [await ann.creates("#kitchen", "private"), await ann.creates("#attic")];
  assert.equal(await ann.does(invite, { room: first }), undefined);
  assert.equal((await ann.does(invite, { room: second }))?.code, "limitReached");
  await ann.addresses(bob.handle);
  assert.equal(ann.faults().at(-1)?.code, "limitReached");
  await bob.does({ kind: "membership", body: { change: "part" } }, { room: first });
  assert.equal(await ann.does(invite, { room: second }), undefined);
});

test("attack 33: edits of one message are counted over turns, and within one", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  await ann.says("first");
  const { place } = await hall.last();
  const edit = { kind: "edit", body: { text: "better" } } as const;
  assert.equal(await ann.does(edit, { about: place }), undefined);
  const drafts = await Promise.all(
    Array.from({ length: EDITS_MAX }, () => ann.draft(edit, { about: place })),
  );
  for (const draft of drafts) void ann.send(draft);
  await hall.settled();
  assert.deepEqual(ann.faults().map(({ code, about }) => [code, about]), [[
    "limitReached",
    drafts.at(-1)?.id,
  ]]);
});

test("attack 33: big files are refused beyond the quota", async () => {
  const hall = await Hall.open();
  const eve = await hall.welcome("eve");
  const begin = { type: "fileBegin", room: LOBBY_ID, sha256: new Uint8Array(32) } as const;
  await eve.take({ ...begin, file: new Uint8Array(16).fill(1), size: 900_000 });
  await eve.take({ ...begin, file: new Uint8Array(16).fill(2), size: 200_000 });
  assert.deepEqual(eve.summary().slice(-2), ["fileState", "fault quota"]);
});
