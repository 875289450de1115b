import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { ClientEvent, ClientRequest } from "../../lib/client/event.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import { openId } from "../../lib/identity/room_id.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Visibility } from "../../lib/wire/entry_body.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY, Person } from "../session/people.ts";
import { ChatBench, settle } from "./chat_bench.ts";
import { LOBBY_ID } from "./honest_server.ts";

/** Ben makes a room. */
async function roomOfBen({ server, ben }: ChatBench, name: string, visibility: Visibility): Promise<Bytes> {
  const id = entryId(server.now, seededEntropy(name));
  const room = openId(repeatable, HOST_KEY.publicKey, id);
  const body = { act: "create", kind: "open", name, visibility } as const;
  await server.say(ben, { kind: "room", body }, { room, id, seen: NOWHERE });
  return room;
}

function faults(bench: ChatBench): readonly string[] {
  return bench.events.flatMap((event) => event.type === "fault" ? [event.code] : []);
}

function isRoom(name: string, news: string): (event: ClientEvent) => boolean {
  return (event) => event.type === "room" && event.room === name && event.news === news;
}

test("a room that one makes is one's own, under an id made from its first entry, and is spoken in at once", async () => {
  const bench = await ChatBench.entered();
  await bench.ask({ type: "create", room: "#den", visibility: "private" });
  await bench.ask({ type: "send", room: "#den", text: "mine" });
  await bench.message("mine");
  const { id, members, settings } = bench.server.named("#den");
  const [created] = bench.server.log(id);
  deepEqual(id, openId(repeatable, HOST_KEY.publicKey, created?.id ?? new Uint8Array(16)));
  equal(members.get(bench.ann.name)?.role, "owner");
  equal(settings.visibility, "private");
  ok(bench.events.some(isRoom("#den", "joined")));
  equal(await bench.quit(), undefined);
});

test("a room is joined by its name, read from what newcomers may read, and left", async () => {
  const bench = await ChatBench.entered();
  const room = await roomOfBen(bench, "#hut", "public");
  await bench.server.say(bench.ben, { kind: "text", body: { text: "first" } }, { room });
  await bench.ask({ type: "join", room: "#hut" });
  await bench.ask({ type: "send", room: "#hut", text: "me, too" });
  await bench.message("me, too");
  const first = await bench.message("first");
  equal(first.history, true);
  await bench.ask({ type: "part", room: "#hut" });
  const gone = await bench.until(({ type }) => type === "gone");
  deepEqual(gone.type === "gone" && [gone.room, gone.why], ["#hut", "parted"]);
  match(await bench.chat.request({ type: "send", room: "#hut", text: "still?" }) ?? "", /not in that room/);
  equal(await bench.quit(), undefined);
});

test("an act that the server refuses is told as a fault, promptly, and changes nothing", async () => {
  const bench = await ChatBench.entered();
  await roomOfBen(bench, "#closed", "private");
  const asked: readonly (readonly [ClientRequest, string])[] = [
    [{ type: "join", room: "#closed" }, "private"],
    [{ type: "topic", room: "#lobby", topic: "mine now" }, "notAllowed"],
    [{ type: "kick", room: "#lobby", handle: "ben", reason: undefined }, "notAllowed"],
    [{ type: "create", room: "#closed", visibility: "public" }, "nameTaken"],
    [{ type: "invite", room: "#lobby", handle: "nobody" }, "noSuchPerson"],
  ];
  for (const [request, code] of asked) {
    equal(await bench.chat.request(request), undefined, code);
    equal(faults(bench).at(-1), code);
  }
  deepEqual(bench.local.waiting, []);
  match(await bench.chat.request({ type: "join", room: "#nowhere" }) ?? "", /no such room/);
  equal(await bench.quit(), undefined);
});

test("a knock that is answered, and an invitation, bring one in", async () => {
  const bench = await ChatBench.entered();
  const room = await roomOfBen(bench, "#club", "private");
  await bench.ask({ type: "knock", room: "#club" });
  await bench.until((event) =>
    event.type === "done" && event.what === "You knocked at #club; wait to be let in"
  );
  await bench.until((event) => event.type === "room" && event.standing === "knocking");
  await bench.server.say(
    bench.ben,
    { kind: "membership", body: { change: "allow", handle: bench.ann.name } },
    {
      room,
    },
  );
  await bench.until(isRoom("#club", "joined"));
  await bench.isLive();

  const other = await roomOfBen(bench, "#party", "private");
  await bench.server.say(bench.ben, {
    kind: "membership",
    body: { change: "invite", handle: bench.ann.name },
  }, {
    room: other,
  });
  const invitation = await bench.until((event) => event.type === "request");
  deepEqual(invitation.type === "request" && [invitation.asks, invitation.room], ["invited", "#party"]);
  await bench.ask({ type: "join", room: "#party" });
  await bench.ask({ type: "send", room: "#party", text: "hello, party" });
  await bench.message("hello, party");
  equal(await bench.quit(), undefined);
});

test("an owner is told that other owners and the last one of a room are beyond them, and oneself, too", async () => {
  const bench = await ChatBench.entered();
  const room = "#den";
  const ben = bench.ben.name;
  await bench.ask({ type: "create", room, visibility: "public" });
  await bench.server.say(bench.ben, { kind: "membership", body: { change: "join" } }, {
    room: bench.server.named(room).id,
    seen: NOWHERE,
  });
  const refused = async (request: ClientRequest): Promise<string> => await bench.chat.request(request) ?? "";
  match(await refused({ type: "part", room }), /^Cannot leave #den: you are its only owner; /);
  match(
    await refused({ type: "role", room, handle: bench.ann.name, role: "member" }),
    /^Cannot change your own role in #den: you are its only owner; /,
  );
  await bench.ask({ type: "role", room, handle: ben, role: "owner" });
  for (
    const request of [
      { type: "kick", room, handle: ben, reason: undefined },
      { type: "mute", room, handle: ben, lasting: undefined, reason: undefined },
      { type: "role", room, handle: ben, role: "member" },
    ] as const
  ) {
    match(
      await refused(request),
      /^Cannot do that to ben in #den: an owner can only be changed by themselves; /,
    );
  }
  match(
    await refused({ type: "ban", room, handle: bench.ann.name, lasting: undefined, reason: undefined }),
    /^Cannot ban ann: you cannot do that to yourself; /,
  );
  deepEqual(faults(bench), []);
  equal(await bench.quit(), undefined);
});

test("what slow mode holds is told, and sent at once when slow mode ends", async () => {
  const bench = await ChatBench.entered();
  const room = await roomOfBen(bench, "#hut", "public");
  const slow = (seconds: number) =>
    bench.server.say(bench.ben, { kind: "room", body: { act: "slow", seconds } }, { room });
  await slow(60);
  await bench.ask({ type: "join", room: "#hut" });
  bench.server.refuse = () => ({ code: "slowMode", wait: 60_000 });
  await bench.ask({ type: "send", room: "#hut", text: "slowly" });
  const held = await bench.until(({ type }) => type === "queued");
  deepEqual(held.type === "queued" && [held.room, held.text, held.wait], ["#hut", "slowly", 60_000]);
  bench.server.refuse = () => undefined;
  await slow(0);
  await bench.message("slowly");
  equal(await bench.quit(), undefined);
});

test("whoever knocks at one's room is told once", async () => {
  const bench = await ChatBench.entered();
  await bench.ask({ type: "create", room: "#den", visibility: "private" });
  const { id } = bench.server.named("#den");
  await bench.server.say(bench.ben, { kind: "membership", body: { change: "knock" } }, { room: id });
  const knock = await bench.until((event) => event.type === "request");
  deepEqual(knock.type === "request" && [knock.asks, knock.room, knock.handle], ["knocking", "#den", "ben"]);
  await bench.ask({ type: "topic", room: "#den", topic: "knock, knock" });
  await bench.ask({ type: "allow", room: "#den", handle: "ben" });
  equal(bench.events.filter(({ type }) => type === "request").length, 1);
  ok(bench.server.room(id).members.has(bench.ben.name));
  equal(await bench.quit(), undefined);
});

test("whoever is put out before a room is read waits no longer for that", async () => {
  const bench = await ChatBench.entered();
  const id = await roomOfBen(bench, "#tea", "public");
  // What is asked of the room is not answered, so that it is not live.
  bench.lie = (message) => message.type === "read" && message.room.toHex() === id.toHex() ? [] : undefined;
  const joining = bench.chat.request({ type: "join", room: "#tea" });
  await bench.until((event) => event.type === "room" && event.room === "#tea");
  const saying = bench.chat.request({ type: "send", room: "#tea", text: "too late" });
  await bench.server.say(
    bench.ben,
    { kind: "moderation", body: { act: "ban", handle: bench.ann.name, reason: "spam" } },
    { room: id },
  );
  equal(await joining, undefined);
  equal(await saying, undefined);
  const fault = await bench.until(({ type }) => type === "fault");
  deepEqual(fault.type === "fault" && [fault.code, fault.text], ["banned", "too late"]);
  equal(await bench.quit(), undefined);
});

test("a room that one was put out of is gone, also when that happened while one was away; what waits for it comes back", async () => {
  const bench = await ChatBench.entered();
  const room = await roomOfBen(bench, "#hut", "public");
  await bench.ask({ type: "join", room: "#hut" });
  await bench.cut();
  await bench.until((event) => event.type === "state" && event.state === "waiting");
  await bench.ask({ type: "send", room: "#hut", text: "let me stay" });
  await bench.server.say(bench.ben, { kind: "moderation", body: { act: "kick", handle: bench.ann.name } }, {
    room,
  });
  await bench.reconnected();
  const gone = await bench.until(({ type }) => type === "gone");
  deepEqual(gone.type === "gone" && [gone.room, gone.why], ["#hut", "meanwhile"]);
  const fault = await bench.until(({ type }) => type === "fault");
  deepEqual(fault.type === "fault" && [fault.code, fault.text], ["notMember", "let me stay"]);
  deepEqual(bench.local.waiting, []);
  equal(await bench.quit(), undefined);

  await bench.start();
  const other = await roomOfBen(bench, "#other", "public");
  await bench.ask({ type: "join", room: "#other" });
  await bench.server.say(
    bench.ben,
    { kind: "moderation", body: { act: "ban", handle: bench.ann.name, reason: "spam" } },
    { room: other },
  );
  const banned = await bench.until(({ type }) => type === "gone");
  ok(bench.local.kept.some(({ room }) => room.label === "#other" && room.knowledge.left), "that is kept");
  deepEqual(banned.type === "gone" && [banned.room, banned.why], ["#other", "banned"]);
  equal(await bench.quit(), undefined);
});

test("a server cannot have its flaws forgotten by saying that one is out of a room", async () => {
  const bench = await ChatBench.entered();
  await bench.server.text(bench.ben, "the truth");
  await bench.message("the truth");
  bench.server.cutBack(LOBBY_ID, 3);
  await bench.server.text(bench.ben, "another truth");
  await bench.cut();
  bench.pass(await bench.paused());
  await bench.until(({ type }) => type === "integrity");
  bench.line.visit.tell({ type: "gone", room: LOBBY_ID, why: "kicked" });
  await bench.until(({ type }) => type === "gone");
  await bench.quit();
  await bench.start();
  await bench.ask({ type: "check", room: "#lobby" });
  const integrity = await bench.until((event) => event.type === "integrity" && event.asked);
  equal(integrity.type === "integrity" && integrity.flaws.length > 0, true);
  equal(await bench.quit(), undefined);
});

test("an act whose answer never comes is told as unknown, and its entry is in its place when it does come", async () => {
  const bench = await ChatBench.entered();
  await bench.ask({ type: "create", room: "#den", visibility: "private" });
  const { id } = bench.server.named("#den");
  let late: readonly unknown[] = [];
  bench.server.swallows = () => true;
  const asked = bench.chat.request({ type: "topic", room: "#den", topic: "slow" });
  await bench.when(() => bench.server.room(id).settings.topic === "slow");
  for (let turn = 0; turn < 40; turn++) {
    bench.pass(1_000);
    await settle();
  }
  match(await asked ?? "", /^Cannot say whether that was done in #den/);
  const entry = bench.server.log(id).at(-1);
  ok(entry !== undefined);
  const { sequence, time, previous } = entry;
  bench.line.visit.tell({ type: "ack", room: id, id: entry.id, sequence, time, previous });
  bench.server.swallows = () => false;
  await bench.ask({ type: "send", room: "#den", text: "go on" });
  await bench.message("go on");
  late = bench.events.filter((event) => event.type === "integrity");
  deepEqual(late, []);
  equal(await bench.quit(), undefined);
});

test("how many are in a room is right though people came while it was read, or are not shown", async () => {
  const bench = await ChatBench.entered();
  match(
    await bench.chat.request({ type: "ignore", handle: "zed" }) ?? "",
    /^Cannot ignore zed: nobody of that name /,
  );
  const members = () => {
    const rooms = bench.events.findLast(({ type }) => type === "rooms");
    return rooms?.type === "rooms" ? rooms.rooms.map((room) => room.members) : [];
  };
  const counted = async (expected: number) => {
    await bench.isLive();
    await bench.ask({ type: "rooms" });
    await bench.when(() => members().length > 0);
    deepEqual(members(), [expected]);
  };
  for (const name of ["cara", "dora"]) await bench.server.welcome(await Person.named(name));
  await counted(4);
  await bench.ask({ type: "ignore", handle: "cara" });
  const cara = await Person.named("cara");
  await bench.server.say(cara, { kind: "membership", body: { change: "part" } });
  await counted(3);
  const emil = await Person.named("emil");
  bench.server.beforeRead = async () => {
    bench.server.beforeRead = () => Promise.resolve();
    // Between what is told of the room and what is read of it.
    await bench.server.welcome(emil);
  };
  await bench.cut();
  await bench.reconnected();
  await counted(4);
  equal(await bench.quit(), undefined);
});

test("an ack of what nobody said is not told", async () => {
  const bench = await ChatBench.entered();
  const events = await bench.told({
    type: "ack",
    room: LOBBY_ID,
    id: new Uint8Array(16),
    sequence: 99,
    time: bench.server.now,
    previous: NOWHERE.hash,
  });
  deepEqual(events, []);
  equal(await bench.quit(), undefined);
});

test("rooms, the directory and members are told when asked for, with who is at hand", async () => {
  const bench = await ChatBench.entered();
  await roomOfBen(bench, "#hut", "public");
  await roomOfBen(bench, "#secret", "private");
  await bench.server.text(bench.ben, "unread");
  await bench.message("unread");
  await bench.ask({ type: "list" });
  const list = await bench.until(({ type }) => type === "directory");
  deepEqual(list.type === "directory" && list.rooms.map(({ room }) => room), ["#lobby", "#hut"]);
  await bench.told({
    type: "presence",
    people: [{ handle: bench.ben.name, state: "away", text: "lunch" }],
    time: 1,
  });
  await bench.ask({ type: "members", room: "#lobby" });
  const members = await bench.until(({ type }) => type === "members");
  deepEqual(members.type === "members" && members.members, [
    { handle: bench.ben.name, role: "owner", state: "away" },
    { handle: bench.ann.name, role: "member", state: "online" },
  ]);
  await bench.ask({ type: "rooms" });
  const rooms = await bench.until(({ type }) => type === "rooms");
  deepEqual(rooms.type === "rooms" && rooms.rooms.map(({ room, unread }) => [room, unread]), [["#lobby", 1]]);
  equal(await bench.quit(), undefined);
});
