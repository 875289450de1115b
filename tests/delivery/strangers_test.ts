import assert from "node:assert/strict";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import type { FaultCode } from "../../lib/wire/message.ts";
import { handle } from "../session/people.ts";
import { test } from "../sanitized.ts";
import { type Device, Hall } from "./hall.ts";
import { LOBBY_ID } from "./room.ts";

/** What somebody may ask of a room. */
async function asksAll(device: Device, room: Uint8Array<ArrayBuffer>): Promise<void> {
  for (
    const where of [
      { from: "after", sequence: 0 },
      { from: "before", sequence: 9 },
      { from: "around", sequence: 1 },
      { from: "since", time: 0 },
      { from: "newest" },
    ] as const
  ) await device.read(room, { where, follow: true });
  await device.take({ type: "askMembers", room, ask: 99 });
  await device.take({ type: "mark", room, delivered: 1, read: 1, shown: true });
  await device.take({ type: "typing", room, on: true });
  const file = new Uint8Array(16).fill(7);
  await device.take({ type: "fileBegin", file, room, size: 1, sha256: new Uint8Array(32) });
}

const SAYINGS: readonly EntryBody[] = [
  { kind: "text", body: { text: "let me in" } },
  { kind: "topic", body: { topic: "mine" } },
  { kind: "membership", body: { change: "join" } },
  { kind: "membership", body: { change: "invite", handle: handle("ann") } },
  { kind: "moderation", body: { act: "role", handle: handle("eve"), role: "owner" } },
  { kind: "room", body: { act: "visibility", visibility: "public" } },
];

test("attack 25: who is not in a private room reads, writes and learns nothing there, and nobody in it hears of that", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const eve = await hall.welcome("eve");
  const room = await ann.creates("#secrets", "private");
  await ann.follow(room);
  await ann.says("psst", room);
  const [own, others] = [eve.heard.length, ann.heard.length];
  await asksAll(eve, room);
  for (const what of SAYINGS) await eve.does(what, { room });
  await ann.does({ kind: "text", body: { text: "still alone" } }, { room });
  const codes = new Set<FaultCode>(eve.faults().map(({ code }) => code));
  assert.ok(codes.has("noSuchRoom"));
  assert.ok(eve.heard.slice(own).every(({ type }) => type === "fault"), `${eve.summary(own)}`);
  assert.deepEqual(ann.summary(others), ["ack"]);
  assert.equal((await hall.last(room)).entry.sequence, 3);
});

test("attack 25: who is in the room next door reads and says nothing in a public one either, and may join it", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const eve = await hall.welcome("eve");
  const room = await ann.creates("#kitchen");
  const from = eve.heard.length;
  await asksAll(eve, room);
  assert.equal((await eve.says("hello", room))?.code, "notMember");
  assert.ok(eve.heard.slice(from).every(({ type }) => type === "fault"));
  assert.equal(await eve.does({ kind: "membership", body: { change: "join" } }, { room }), undefined);
  assert.ok(eve.summary(from).includes("room #kitchen member"));
  const [page] = await eve.read(room);
  assert.deepEqual(page?.type === "page" && page.entries.map(({ sequence }) => sequence), [1, 2]);
});

test("attack 25: after a kick or a ban none of one's connections hears or says anything there any more", async () => {
  for (const act of ["kick", "ban"] as const) {
    const hall = await Hall.open();
    const ann = await hall.welcome("ann");
    const bob = await hall.welcome("bob");
    const second = await hall.enter(bob.person);
    await second.follow(LOBBY_ID);
    const unread = await hall.enter(bob.person);
    const marks = [bob, second, unread].map(({ heard }) => heard.length);
    await ann.does({ kind: "moderation", body: { act, handle: bob.handle, reason: "enough" } });
    await ann.says("secret");
    await ann.take({ type: "typing", room: LOBBY_ID, on: true });
    await ann.does({ kind: "topic", body: { topic: "secret" } });
    const put = act === "kick" ? "kicked" : "banned";
    assert.deepEqual([bob, second, unread].map((device, at) => device.summary(marks[at])), [
      ["cards ann,bob", `${act} bob`, `gone ${put}`],
      ["cards ann,bob", `${act} bob`, `gone ${put}`],
      [`gone ${put}`],
    ]);
    const from = bob.heard.length;
    await asksAll(bob, LOBBY_ID);
    await bob.says("still here");
    assert.ok(bob.heard.slice(from).every(({ type }) => type === "fault"));
    assert.deepEqual((await hall.enter(bob.person)).summary().filter((words) => words.startsWith("room")), [
      ...(act === "kick" ? ["room #lobby member"] : []),
    ]);
  }
});

test("attack 25: what somebody says in the very turn in which they are put out is refused", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  const kick = await ann.draft({ kind: "moderation", body: { act: "kick", handle: bob.handle } });
  const last = await bob.draft({ kind: "text", body: { text: "one last thing" } });
  void ann.send(kick);
  void bob.send(last);
  await hall.settled();
  assert.equal(bob.faults().at(-1)?.code, "notMember");
  assert.equal((await hall.last()).entry.kind, "moderation");
});

test("attack 25: newcomers read what was said before them as far as the room allows, whatever they ask", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#kitchen");
  for (const text of ["two", "three", "four"]) await ann.says(text, room);
  await ann.does({ kind: "room", body: { act: "history", history: 2 } }, { room });
  const bob = await hall.welcome("bob");
  await bob.does({ kind: "membership", body: { change: "join" } }, { room });
  for (
    const where of [
      { from: "after", sequence: 0 },
      { from: "before", sequence: 4 },
      { from: "around", sequence: 1 },
      { from: "since", time: 0 },
      { from: "newest" },
    ] as const
  ) {
    const [page] = await bob.read(room, { where });
    assert.ok(page?.type === "page");
    assert.ok(page.entries.every(({ sequence }) => sequence > 3), JSON.stringify(where));
    assert.equal(page.end?.base.sequence, 3);
    assert.deepEqual(page.end.base.hash, (await hall.log.entries(room, { from: 4, to: 4 }))[0]?.previous);
  }
  const { place } = await hall.last(room);
  const [hidden] = await hall.log.entries(room, { from: 3, to: 3 });
  assert.ok(hidden !== undefined && place.sequence === 6);
  const about = {
    sequence: 3,
    hash: (await hall.log.entries(room, { from: 4, to: 4 }))[0]?.previous ?? assert.fail(),
  };
  const fault = await bob.does({ kind: "reaction", body: { reaction: "👀", on: true } }, { room, about });
  assert.equal(fault?.code, "noSuchEntry");
});

test("the list of rooms has the public ones, and of a private one asked for by its name that it is there", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  await ann.creates("#kitchen");
  await ann.creates("#secrets", "private");
  const room = await ann.creates("#attic");
  await ann.does({ kind: "topic", body: { topic: "old things" } }, { room });
  const eve = await hall.welcome("eve");
  await ann.addresses(eve.handle);
  const listed = async (name?: string): Promise<readonly unknown[]> => {
    const from = eve.heard.length;
    await eve.take(name === undefined ? { type: "list", ask: 5 } : { type: "list", ask: 5, name });
    return eve.heard.slice(from).flatMap((message) =>
      message.type === "directory"
        ? message.rooms.map(({ name, visibility, topic, members }) => [name, visibility, topic, members])
        : []
    );
  };
  assert.deepEqual(await listed(), [
    ["#attic", "public", "old things", 1],
    ["#kitchen", "public", "", 1],
    ["#lobby", "public", "", 2],
  ]);
  assert.deepEqual(await listed("#secrets"), [["#secrets", "private", "", 0]]);
  assert.deepEqual(await listed("#kitchen"), [["#kitchen", "public", "", 1]]);
  assert.deepEqual(await listed("#kitch3n"), []);
  assert.deepEqual(await listed("#nothing"), []);
});

test("the members of a room are told to who is in it, with the roles that they have now", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const bob = await hall.welcome("bob");
  await ann.does({ kind: "moderation", body: { act: "mute", handle: bob.handle, until: hall.now + 1_000 } });
  const members = async (): Promise<readonly unknown[]> => {
    const from = ann.heard.length;
    await ann.take({ type: "askMembers", room: LOBBY_ID, ask: 1 });
    return ann.heard.slice(from).flatMap((message) => message.type === "members" ? message.members : []);
  };
  assert.deepEqual(await members(), [{ handle: "ann", role: "owner" }, { handle: "bob", role: "muted" }]);
  hall.now += 1_000;
  assert.deepEqual(await members(), [{ handle: "ann", role: "owner" }, { handle: "bob", role: "member" }]);
});

test("who knocks is told to those who may let them in, and to nobody else", async () => {
  const hall = await Hall.open();
  const ann = await hall.welcome("ann");
  const room = await ann.creates("#secrets", "private");
  const [bob, eve] = [await hall.welcome("bob"), await hall.welcome("eve")];
  await ann.does({ kind: "membership", body: { change: "invite", handle: bob.handle } }, { room });
  await bob.does({ kind: "membership", body: { change: "join" } }, { room });
  const marks = [ann.heard.length, bob.heard.length];
  await eve.does({ kind: "membership", body: { change: "knock" } }, { room });
  assert.equal(eve.summary().at(-1), "room #secrets knocking");
  const knocking = [ann, bob].map(({ heard }, at) =>
    heard.slice(marks[at]).flatMap((message) => message.type === "room" ? [message.knocking] : [])
  );
  assert.deepEqual(knocking, [[["eve"]], []]);
  await ann.does({ kind: "membership", body: { change: "deny", handle: eve.handle } }, { room });
  assert.equal(eve.summary().at(-1), "gone denied");
  const last = ann.heard.findLast(({ type }) => type === "room");
  assert.deepEqual(last?.type === "room" && last.knocking, []);
});

test("attack 25: what was refused is counted, and told to the operator when the connection ends", async () => {
  const hall = await Hall.open();
  await hall.welcome("ann");
  const eve = await hall.welcome("eve");
  await eve.says("hello", new Uint8Array(16));
  await eve.says("hello", new Uint8Array(16));
  await eve.does({ kind: "topic", body: { topic: "mine" } });
  eve.leave();
  assert.deepEqual(hall.news.filter(({ kind }) => kind === "refused"), [{
    kind: "refused",
    handle: "eve",
    address: eve.peer.address,
    counts: new Map([["noSuchRoom", 2], ["notAllowed", 1]]),
  }]);
});
