import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { decide } from "../../lib/chat/decide.ts";
import {
  ASKS_PER_ACCOUNT_MAX,
  BANS_MAX,
  INVITED_MAX,
  KNOCKING_MAX,
  PINS_MAX,
} from "../../lib/chat/open_rules.ts";
import { refusalToPut } from "../../lib/chat/put_rule.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { MUTED_AWAY_MAX, roleOf, standingOf } from "../../lib/chat/room_state.ts";
import { EDITS_MAX } from "../../lib/chat/target_rules.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import { directId, lobbyId, openId } from "../../lib/identity/room_id.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { ROOM_MEMBERS_MAX, ROOMS_PER_ACCOUNT_MAX } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BOB, handleOf, HOST_KEY } from "../identity/people.ts";
import { test } from "../sanitized.ts";
import {
  DELETE,
  EDIT,
  JOIN,
  KNOCK,
  LIKE,
  membership,
  moderation,
  PART,
  PIN,
  REPLY,
  settlement,
  text,
  UNPIN,
} from "./bodies.ts";
import { creation, House } from "./house.ts";

const [CLEO, DAN, EVE] = [handleOf("cleo"), handleOf("dan"), handleOf("eve")];
const HOUR_MS = 3_600_000;

/** Ann owns it, Bob is an operator, Cleo a member; Dan and Eve have accounts. */
function stage(visibility: "public" | "private" = "public"): { house: House; room: Bytes } {
  const house = new House(ANN, BOB, CLEO, DAN, EVE);
  const room = house.open("#tea", ANN, visibility);
  house.bring(room, BOB, "operator");
  house.bring(room, CLEO);
  return { house, room };
}

test("an entry has the next place, the hash of the one before it, and what was signed", () => {
  const { house, room } = stage();
  const before = house.room(room);
  house.now += 5;
  const decision = house.propose(room, CLEO, text("hello"));
  ok(decision.kind === "placed");
  const { entry } = decision;
  equal(entry.sequence, before.head.sequence + 1);
  deepEqual(entry.previous, before.head.hash);
  deepEqual([entry.time, entry.from, entry.kind, entry.seen], [house.now, CLEO, "text", before.head]);
  deepEqual(decision.changes, [{ kind: "append", room: decision.room, entry }]);
  deepEqual(decision.room.head, house.place(room, entry.sequence));
  deepEqual({ ...decision.room, head: before.head, headTime: before.headTime }, before);
});

test("attack 29: times never go back, whatever the clock does", () => {
  const { house, room } = stage();
  const begin = house.now;
  for (const [now, expected] of [[-4_000, 0], [1, 1], [-begin, 1], [6_000, 6_000]] as const) {
    house.now = begin + now;
    const sequence = house.must(room, CLEO, text());
    equal(house.entry(room, sequence).time, begin + expected);
  }
});

test("a room begins with who made it as its owner, and newcomers to a private one read nothing older", () => {
  const house = new House(ANN, BOB);
  house.retention = 30;
  const open = house.room(house.open("#open", ANN));
  const shut = house.room(house.open("#shut", ANN, "private"));
  deepEqual([open.settings.history, shut.settings.history], ["all", 0]);
  equal(open.settings.retention, 30);
  deepEqual(Array.from(open.members), [[ANN, { role: "owner", mutedUntil: undefined, base: 0 }]]);
  deepEqual(open.base, NOWHERE);
});

test("attack 33: nobody makes a room of more than they may be in, nor of a name that looks taken", () => {
  const { house } = stage();
  const fault = (from: Handle, name: string) => {
    const id = house.newId();
    return house.fault(openId(provider, HOST_KEY, id), from, creation(name, "public"), { id });
  };
  equal(fault(EVE, "#tea"), "nameTaken");
  equal(fault(EVE, "#t-ea-"), undefined);
  equal(fault(EVE, "#t_ea"), "nameTaken");
  house.otherRooms.set(EVE, ROOMS_PER_ACCOUNT_MAX);
  equal(fault(EVE, "#coffee"), "limitReached");
});

test("attack 25: nobody makes a room in the place of another's, or of a conversation to come", () => {
  const { house, room } = stage();
  const create = creation("#mine", "public");
  const direct = directId(provider, HOST_KEY, [ANN, BOB]);
  for (const squatted of [room, direct, lobbyId(provider, HOST_KEY), house.newId()]) {
    equal(house.fault(squatted, EVE, create), "badEntry");
    equal(house.fault(squatted, undefined, create), "badEntry");
  }
  const begin: EntryBody = settlement({ act: "create", kind: "direct", with: BOB });
  equal(house.fault(direct, EVE, begin), "badEntry");
  equal(house.fault(direct, undefined, begin), "badEntry");
  equal(house.fault(direct, BOB, begin), "badEntry", "with oneself");
  equal(house.fault(direct, ANN, begin, { seen: house.room(room).head }), "badEntry");
  equal(house.fault(direct, ANN, begin), undefined);
  equal(house.fault(direct, ANN, begin), "unchanged");
  equal(house.rooms.length, 2);
});

test("attack 25: entries for rooms that one is not in are refused, each with its reason", () => {
  const { house, room } = stage();
  equal(house.fault(house.newId(), ANN, text()), "noSuchRoom");
  equal(house.fault(room, DAN, text()), "notMember");
  house.must(room, BOB, moderation({ act: "kick", handle: CLEO, reason: "noise" }));
  equal(house.fault(room, CLEO, text()), "notMember");
  house.must(room, BOB, moderation({ act: "ban", handle: CLEO }));
  for (const what of [text(), JOIN, KNOCK, LIKE, membership({ change: "invite", handle: DAN })]) {
    equal(house.fault(room, CLEO, what, what === LIKE ? { about: 1 } : {}), "banned", what.kind);
  }
  equal(house.fault(room, CLEO, PART), "notMember");
});

test("attack 25: a form that cannot be right is refused before the rules are asked", () => {
  const { house, room } = stage();
  const said = house.must(room, CLEO, text());
  equal(house.fault(room, CLEO, REPLY), "badEntry", "about nothing");
  equal(house.fault(room, CLEO, text(), { about: said }), "badEntry", "about something");
  equal(house.fault(room, CLEO, REPLY, { about: NOWHERE }), "badEntry");
  const { head } = house.room(room);
  const beyond = { ...head, sequence: head.sequence + 1 };
  equal(house.fault(room, CLEO, text(), { seen: beyond }), "badEntry", "not there yet");
  const otherHead = { ...head, hash: head.hash.with(0, (head.hash[0] ?? 0) ^ 1) };
  equal(house.fault(room, CLEO, text(), { seen: otherHead }), "badEntry", "another head");
  equal(house.fault(room, CLEO, text(), { seen: { ...head, sequence: 0 } }), "badEntry", "not the beginning");
  equal(house.fault(room, CLEO, text(), { seen: NOWHERE }), undefined);
});

test("attack 25: what the host key alone signs is refused from people, and the rest from it", () => {
  const { house, room } = stage();
  const keys: EntryBody = {
    kind: "keys",
    body: { handle: CLEO, identity: new Uint8Array(32), number: 1, list: new Uint8Array(32) },
  };
  const notice: EntryBody = { kind: "notice", body: { source: "console", name: "console", text: "hear" } };
  const theHosts = [
    keys,
    notice,
    membership({ change: "join", handle: DAN }),
    membership({ change: "join", role: "owner" }),
    membership({ change: "part", handle: BOB }),
  ];
  for (const what of theHosts) equal(house.fault(room, CLEO, what), "badEntry");
  equal(house.fault(room, undefined, keys), undefined);
  equal(house.fault(room, undefined, notice), undefined);
  const peoples = [
    text(),
    JOIN,
    PART,
    KNOCK,
    membership({ change: "invite", handle: DAN }),
    moderation({ act: "kick", handle: CLEO }),
    moderation({ act: "role", handle: CLEO, role: "operator" }),
    settlement({ act: "rename", name: "#x" }),
    { kind: "topic", body: { topic: "x" } } as const,
  ];
  for (const what of peoples) equal(house.fault(room, undefined, what), "badEntry", JSON.stringify(what));
  const draft = {
    id: house.newId(),
    kind: "text",
    seen: NOWHERE,
    signature: new Uint8Array(64),
    content: { salt: new Uint8Array(32), body: new Uint8Array(1) },
  } as const;
  const facts = {
    now: 0,
    provider,
    hostKey: HOST_KEY,
    target: undefined,
    edits: 0,
    file: undefined,
    lastSpoke: undefined,
    defaults: { retention: 0 },
    isAccount: () => true,
    nameTaken: () => false,
    roomsOf: () => 0,
    asksOf: () => 0,
    blocks: () => false,
  };
  const proposal = { room, from: undefined, device: new Uint8Array(32), draft, what: text() };
  throws(() => decide(house.room(room), proposal, facts), RangeError);
  const other = { ...proposal, from: ANN, what: EDIT };
  deepEqual(decide(house.room(room), other, facts), { kind: "refused", code: "badEntry" }, "another kind");
});

test("what an entry is about must be there, be that very entry, and be readable by its author", () => {
  const { house, room } = stage();
  const said = house.must(room, ANN, text());
  const place = house.place(room, said);
  equal(house.fault(room, CLEO, REPLY, { about: place }), undefined);
  const other = { ...place, hash: place.hash.with(31, (place.hash[31] ?? 0) ^ 1) };
  equal(house.fault(room, CLEO, REPLY, { about: other }), "noSuchEntry");
  equal(house.fault(room, CLEO, REPLY, { about: { ...place, sequence: 999 } }), "noSuchEntry");
  house.must(room, ANN, settlement({ act: "history", history: 0 }));
  house.bring(room, DAN);
  equal(house.fault(room, DAN, REPLY, { about: place }), "noSuchEntry", "from before they came");
  equal(house.fault(room, DAN, DELETE, { about: place }), "noSuchEntry");
  const topic = house.must(room, ANN, { kind: "topic", body: { topic: "tea" } });
  for (const what of [REPLY, EDIT, LIKE]) {
    equal(house.fault(room, ANN, what, { about: topic }), "noSuchEntry");
  }
  equal(house.fault(room, ANN, DELETE, { about: topic }), "notAllowed");
});

test("newcomers' first readable entry is as the owner settled it", () => {
  for (const [history, base] of [["all", 0], [0, 7], [3, 4], [100, 0]] as const) {
    const { house, room } = stage();
    house.must(room, ANN, settlement({ act: "history", history: 1 }));
    house.must(room, ANN, settlement({ act: "history", history }));
    equal(house.must(room, ANN, text()), 7);
    house.bring(room, DAN);
    equal(house.room(room).members.get(DAN)?.base, base);
  }
});

test("deleting erases an entry and its edits, and nothing can be done with it any more", () => {
  const { house, room } = stage();
  const said = house.must(room, CLEO, text("secret"));
  const edited = house.must(room, CLEO, EDIT, { about: said });
  house.must(room, BOB, PIN, { about: said });
  const decision = house.propose(room, CLEO, DELETE, { about: said });
  ok(decision.kind === "placed");
  const by = decision.entry.sequence;
  deepEqual(decision.changes, [
    { kind: "append", room: decision.room, entry: decision.entry },
    { kind: "erase", room, sequence: said, by },
  ]);
  deepEqual(decision.room.pins, []);
  for (const sequence of [said, edited]) {
    const { content, erasedBy } = house.entry(room, sequence);
    deepEqual([content, erasedBy], [undefined, by]);
  }
  equal(house.fault(room, CLEO, DELETE, { about: said }), "unchanged");
  equal(house.fault(room, CLEO, EDIT, { about: said }), "noSuchEntry");
  equal(house.fault(room, CLEO, LIKE, { about: said }), "noSuchEntry");
  equal(house.fault(room, BOB, PIN, { about: said }), "noSuchEntry");
  equal(house.fault(room, CLEO, REPLY, { about: said }), undefined, "an answer stands for itself");
  deepEqual(house.place(room, said).hash, house.entry(room, said + 1).previous, "and the chain holds");
});

test("attack 33: a message is edited so many times and no more, each edit counted though it was deleted", () => {
  const { house, room } = stage();
  const [said, other] = [house.must(room, CLEO, text("first")), house.must(room, CLEO, text("second"))];
  const edits = Array.from({ length: EDITS_MAX }, () => house.must(room, CLEO, EDIT, { about: said }));
  equal(house.fault(room, CLEO, EDIT, { about: said }), "limitReached");
  equal(house.fault(room, CLEO, DELETE, { about: edits[0] ?? 0 }), undefined);
  equal(house.fault(room, CLEO, EDIT, { about: said }), "limitReached");
  equal(house.fault(room, CLEO, EDIT, { about: other }), undefined);
  const direct = house.direct(ANN, BOB);
  const asked = house.must(direct, ANN, text());
  house.must(direct, BOB, membership({ change: "allow", handle: ANN }));
  for (let edit = 0; edit < EDITS_MAX; edit++) house.must(direct, ANN, EDIT, { about: asked });
  equal(house.fault(direct, ANN, EDIT, { about: asked }), "limitReached");
});

test("operators delete what guests and the console said, and nobody what the server itself said", () => {
  const { house, room } = stage();
  const said = (source: "console" | "bridge" | "server") =>
    house.must(room, undefined, { kind: "notice", body: { source, name: source, text: "hello" } });
  equal(house.fault(room, BOB, DELETE, { about: said("bridge") }), undefined);
  equal(house.fault(room, BOB, DELETE, { about: said("console") }), undefined);
  equal(house.fault(room, CLEO, DELETE, { about: said("bridge") }), "notAllowed");
  equal(house.fault(room, ANN, DELETE, { about: said("server") }), "notAllowed");
  const parted = house.must(room, CLEO, text());
  house.must(room, CLEO, PART);
  equal(house.fault(room, BOB, DELETE, { about: parted }), undefined, "of who has left");
});

test("attack 33: in slow mode members wait, with word how long, and operators do not", () => {
  const { house, room } = stage();
  house.must(room, BOB, settlement({ act: "slow", seconds: 10 }));
  const said = house.must(room, CLEO, text());
  house.now += 4_000;
  for (const what of [text(), REPLY]) {
    const decision = house.propose(room, CLEO, what, what === REPLY ? { about: said } : {});
    deepEqual(decision, { kind: "refused", code: "slowMode", wait: 6_000 });
  }
  equal(house.fault(room, CLEO, LIKE, { about: said }), undefined);
  equal(house.fault(room, CLEO, EDIT, { about: said }), undefined);
  house.must(room, BOB, text());
  house.must(room, BOB, text());
  house.now += 6_000;
  equal(house.fault(room, CLEO, text()), undefined);
});

test("attack 33: in a lockdown nobody below an operator speaks, and nobody comes in", () => {
  const { house, room } = stage();
  const said = house.must(room, CLEO, text());
  house.must(room, BOB, membership({ change: "invite", handle: DAN }));
  house.must(room, BOB, settlement({ act: "lockdown", on: true }));
  for (const what of [text(), REPLY, EDIT, LIKE]) {
    equal(house.fault(room, CLEO, what, what.kind === "text" ? {} : { about: said }), "lockdown", what.kind);
  }
  equal(house.fault(room, CLEO, DELETE, { about: said }), undefined);
  equal(house.fault(room, DAN, JOIN), "lockdown");
  equal(house.fault(room, EVE, JOIN), "lockdown");
  equal(house.fault(room, BOB, text()), undefined);
  house.must(room, BOB, settlement({ act: "lockdown", on: false }));
  equal(house.fault(room, EVE, JOIN), undefined);
});

test("a private room lets in who was invited or let in, and nobody else", () => {
  const { house, room } = stage("private");
  equal(house.fault(room, DAN, JOIN), "private");
  house.must(room, DAN, KNOCK);
  equal(house.fault(room, DAN, KNOCK), "unchanged");
  equal(standingOf(house.room(room), DAN), "knocking");
  equal(house.fault(room, DAN, JOIN), "private", "knocking is not being let in");
  const denied = house.propose(room, BOB, membership({ change: "deny", handle: DAN }));
  ok(denied.kind === "placed");
  deepEqual(denied.gone, [{ handle: DAN, why: "denied" }]);
  equal(house.fault(room, BOB, membership({ change: "allow", handle: DAN })), "noSuchPerson");
  house.must(room, DAN, KNOCK);
  house.must(room, BOB, membership({ change: "allow", handle: DAN }));
  equal(roleOf(house.room(room), DAN, house.now), "member");
  deepEqual(house.room(room).knocking, []);
  house.must(room, BOB, membership({ change: "invite", handle: EVE }));
  equal(standingOf(house.room(room), EVE), "invited");
  equal(house.fault(room, EVE, KNOCK), "unchanged");
  const taken = house.propose(room, BOB, membership({ change: "uninvite", handle: EVE }));
  ok(taken.kind === "placed");
  deepEqual(taken.gone, [{ handle: EVE, why: "uninvited" }]);
  equal(house.fault(room, EVE, JOIN), "private");
  house.must(room, BOB, membership({ change: "invite", handle: EVE }));
  equal(house.fault(room, EVE, JOIN), undefined);
  equal(house.room(room).invited.size, 0);
});

test("whoever is invited may decline, and whoever knocks take it back", () => {
  const { house, room } = stage("private");
  house.must(room, BOB, membership({ change: "invite", handle: DAN }));
  house.must(room, EVE, KNOCK);
  for (const handle of [DAN, EVE]) {
    const parted = house.propose(room, handle, PART);
    ok(parted.kind === "placed");
    deepEqual(parted.gone, [{ handle, why: "parted" }]);
    equal(standingOf(house.room(room), handle), undefined);
    equal(house.fault(room, handle, PART), "notMember");
  }
});

test("nobody invites people who are not there, in already, banned, or who have blocked them", () => {
  const { house, room } = stage();
  const invite = (handle: Handle) => membership({ change: "invite", handle });
  equal(house.fault(room, CLEO, invite(handleOf("nobody"))), "noSuchPerson");
  equal(house.fault(room, CLEO, invite(BOB)), "unchanged");
  house.blocked.add(`${CLEO} by ${DAN}`);
  equal(house.fault(room, CLEO, invite(DAN)), "blocked");
  equal(house.fault(room, BOB, invite(DAN)), undefined);
  house.must(room, BOB, moderation({ act: "ban", handle: EVE }));
  equal(house.fault(room, CLEO, invite(EVE)), "notAllowed");
});

test("a ban ends by its time or by being lifted, and coming in anew follows", () => {
  const { house, room } = stage();
  const until = house.now + HOUR_MS;
  const banned = house.propose(room, BOB, moderation({ act: "ban", handle: CLEO, until, reason: "spam" }));
  ok(banned.kind === "placed");
  deepEqual(banned.gone, [{ handle: CLEO, why: "banned" }]);
  deepEqual(banned.room.bans.get(CLEO), { until, by: BOB, reason: "spam" });
  equal(house.fault(room, BOB, moderation({ act: "ban", handle: CLEO, until, reason: "spam" })), "unchanged");
  equal(house.fault(room, BOB, moderation({ act: "ban", handle: CLEO })), undefined, "for longer");
  equal(house.fault(room, CLEO, JOIN), "banned");
  house.must(room, BOB, moderation({ act: "unban", handle: CLEO }));
  equal(house.fault(room, BOB, moderation({ act: "unban", handle: CLEO })), "unchanged");
  house.must(room, CLEO, JOIN);
  house.must(room, BOB, moderation({ act: "ban", handle: CLEO, until }));
  house.now = until;
  equal(house.fault(room, BOB, moderation({ act: "unban", handle: CLEO })), "unchanged", "it is over");
  equal(house.fault(room, BOB, moderation({ act: "ban", handle: CLEO, until })), "unchanged", "and past");
  house.must(room, CLEO, JOIN);
  equal(house.room(room).bans.size, 0);
});

test("a mute ends by its time or by being lifted; parting and coming back does not end it", () => {
  const { house, room } = stage();
  const until = house.now + HOUR_MS;
  house.must(room, BOB, moderation({ act: "mute", handle: CLEO, until }));
  equal(house.fault(room, BOB, moderation({ act: "mute", handle: CLEO, until })), "unchanged");
  equal(house.fault(room, CLEO, text()), "muted");
  house.must(room, CLEO, PART);
  house.must(room, CLEO, JOIN);
  equal(house.fault(room, CLEO, text()), "muted");
  house.must(room, BOB, moderation({ act: "kick", handle: CLEO }));
  house.must(room, CLEO, JOIN);
  equal(house.fault(room, CLEO, text()), "muted");
  house.now = until;
  equal(house.fault(room, CLEO, text()), undefined);
  equal(house.fault(room, BOB, moderation({ act: "unmute", handle: CLEO })), "unchanged");
  house.must(room, BOB, moderation({ act: "mute", handle: CLEO }));
  house.must(room, CLEO, PART);
  house.must(room, BOB, moderation({ act: "unmute", handle: CLEO }));
  house.must(room, CLEO, JOIN);
  equal(house.fault(room, CLEO, text()), undefined);
});

test("the last owner gives the room to another before leaving it or stepping down", () => {
  const { house, room } = stage();
  equal(house.fault(room, ANN, PART), "notAllowed");
  const stepDown = moderation({ act: "role", handle: ANN, role: "operator" });
  equal(house.fault(room, ANN, stepDown), "notAllowed");
  house.must(room, ANN, moderation({ act: "role", handle: BOB, role: "owner" }));
  equal(house.fault(room, ANN, moderation({ act: "kick", handle: BOB })), "notAllowed", "her equal now");
  equal(house.fault(room, ANN, moderation({ act: "role", handle: ANN, role: "owner" })), "unchanged");
  house.must(room, ANN, stepDown);
  equal(house.fault(room, ANN, settlement({ act: "rename", name: "#x" })), "notAllowed");
  equal(house.fault(room, ANN, moderation({ act: "role", handle: ANN, role: "owner" })), "notAllowed");
  house.must(room, ANN, PART);
  equal(house.fault(room, BOB, PART), "notAllowed");
  house.must(room, CLEO, PART);
  house.must(room, BOB, PART);
  equal(house.room(room).members.size, 0);
  house.must(room, DAN, JOIN);
  equal(roleOf(house.room(room), DAN, house.now), "owner", "who comes where nobody is owns it");
});

test("kicking, muting and roles are of members alone", () => {
  const { house, room } = stage();
  for (
    const body of [
      { act: "kick", handle: DAN },
      { act: "mute", handle: DAN },
      { act: "unmute", handle: DAN },
      { act: "role", handle: DAN, role: "operator" },
    ] as const
  ) equal(house.fault(room, ANN, moderation(body)), "noSuchPerson", body.act);
  equal(house.fault(room, ANN, moderation({ act: "ban", handle: handleOf("nobody") })), "noSuchPerson");
  equal(house.fault(room, ANN, moderation({ act: "ban", handle: DAN })), undefined);
  equal(house.fault(room, ANN, moderation({ act: "unmute", handle: CLEO })), "unchanged");
  equal(house.fault(room, ANN, moderation({ act: "role", handle: CLEO, role: "member" })), "unchanged");
});

test("what changes nothing is refused, whatever may be settled", () => {
  const { house, room } = stage();
  house.must(room, ANN, { kind: "topic", body: { topic: "tea" } });
  const said = house.must(room, ANN, text());
  const twice: readonly EntryBody[] = [
    { kind: "topic", body: { topic: "tea" } },
    settlement({ act: "rename", name: "#tea" }),
    settlement({ act: "visibility", visibility: "public" }),
    settlement({ act: "history", history: "all" }),
    settlement({ act: "retention", days: 0 }),
    settlement({ act: "slow", seconds: 0 }),
    settlement({ act: "lockdown", on: false }),
  ];
  for (const what of twice) equal(house.fault(room, ANN, what), "unchanged", JSON.stringify(what));
  equal(house.fault(room, ANN, UNPIN, { about: said }), "unchanged");
  house.must(room, ANN, PIN, { about: said });
  equal(house.fault(room, ANN, PIN, { about: said }), "unchanged");
  house.must(room, ANN, UNPIN, { about: said });
  deepEqual(house.room(room).pins, []);
  equal(house.fault(room, CLEO, JOIN), "unchanged");
  equal(house.fault(room, CLEO, KNOCK), "unchanged");
});

test("a room takes any free name, and one that looks like its own", () => {
  const { house, room } = stage();
  house.open("#coffee", DAN);
  const rename = (name: string) => house.fault(room, ANN, settlement({ act: "rename", name }));
  equal(rename("#coffee"), "nameTaken");
  equal(rename("#c0ffee"), "nameTaken");
  equal(rename("#tea-"), undefined);
  equal(rename("#biscuits"), undefined);
  const { form } = house.room(room);
  deepEqual(form, { kind: "open", name: "#biscuits" });
});

test("the lobby keeps its name and stays public, and the server fills it", () => {
  const house = new House(ANN, BOB);
  const lobby = house.lobby();
  equal(house.fault(lobby, undefined, creation("#lobby", "public")), "unchanged");
  house.must(lobby, undefined, membership({ change: "join", handle: ANN, role: "owner" }));
  house.must(lobby, undefined, membership({ change: "join", handle: BOB, role: "member" }));
  equal(roleOf(house.room(lobby), ANN, house.now), "owner");
  equal(roleOf(house.room(lobby), BOB, house.now), "member");
  const join = membership({ change: "join", handle: BOB, role: "member" });
  equal(house.fault(lobby, undefined, join), "unchanged");
  equal(house.fault(lobby, ANN, settlement({ act: "rename", name: "#x" })), "notAllowed");
  equal(house.fault(lobby, ANN, settlement({ act: "visibility", visibility: "private" })), "notAllowed");
  house.must(lobby, ANN, moderation({ act: "ban", handle: BOB }));
  equal(house.fault(lobby, undefined, join), "banned");
  equal(house.fault(lobby, undefined, membership({ change: "join" })), "badEntry");
  equal(house.fault(lobby, undefined, membership({ change: "part", handle: BOB })), "noSuchPerson");
});

test("a file is put into the room by whoever has put all of it there, under a name that is one", () => {
  const { house, room } = stage();
  const other = house.open("#other", CLEO);
  const sha256 = new Uint8Array(32).fill(5);
  const put = (owner: Handle, changed: { done?: boolean; room?: Bytes } = {}) => {
    const id = house.newId();
    house.files.set(id.toHex(), {
      id,
      room,
      owner,
      size: 3,
      sha256,
      begun: 0,
      have: 3,
      done: true,
      ...changed,
    });
    return id;
  };
  const said = (file: Bytes, rest: { name?: string; size?: number; sha256?: Bytes } = {}): EntryBody => ({
    kind: "file",
    body: { file, name: "a.txt", size: 3, sha256, ...rest },
  });
  equal(house.fault(room, CLEO, said(put(CLEO))), undefined);
  equal(house.fault(room, CLEO, said(house.newId())), "noSuchFile");
  equal(house.fault(room, CLEO, said(put(BOB))), "noSuchFile", "another's");
  equal(house.fault(room, CLEO, said(put(CLEO, { done: false }))), "noSuchFile", "not all of it");
  equal(house.fault(room, CLEO, said(put(CLEO, { room: other }))), "noSuchFile", "of another room");
  equal(house.fault(room, CLEO, said(put(CLEO), { size: 4 })), "badEntry");
  equal(house.fault(room, CLEO, said(put(CLEO), { sha256: new Uint8Array(32) })), "badEntry");
});

test("attack 27: names of files that lead elsewhere, hide or name a device are refused", () => {
  const { house, room } = stage();
  const sha256 = new Uint8Array(32);
  const id = house.newId();
  house.files.set(id.toHex(), { id, room, owner: CLEO, size: 3, sha256, begun: 0, have: 3, done: true });
  for (
    const name of ["../x", "/etc/passwd", "a/b", "a\\b", "a\0b", "nul.txt", "..", ".profile", "a\u202Egpj"]
  ) {
    const what: EntryBody = { kind: "file", body: { file: id, name, size: 3, sha256 } };
    equal(house.fault(room, CLEO, what), "badEntry", JSON.stringify(name));
  }
});

test("who may say nothing may put no file either", () => {
  const { house, room } = stage();
  const refusal = (handle: Handle) =>
    refusalToPut(house.room(room), handle, {
      facts: { isAccount: (each) => house.accounts.has(each), blocks: () => false },
      time: house.now,
    });
  equal(refusal(CLEO), undefined);
  equal(refusal(DAN), "notMember");
  house.must(room, BOB, moderation({ act: "mute", handle: CLEO }));
  equal(refusal(CLEO), "muted");
  house.must(room, BOB, settlement({ act: "lockdown", on: true }));
  equal(refusal(BOB), undefined);
});

test("attack 33: members, invitations, knocks, bans and pins have their limits", () => {
  const { house, room } = stage("private");
  const crowd = (count: number) => Array.from({ length: count }, (_, at) => handleOf(`n${at}`));
  const state = house.room(room);
  const invite = membership({ change: "invite", handle: DAN });
  const member = { role: "member", mutedUntil: undefined, base: 0 } as const;
  const ban = { until: undefined, by: BOB, reason: undefined };
  const cases: readonly (readonly [Partial<RoomState>, Handle, EntryBody])[] = [
    [{ invited: new Map(crowd(INVITED_MAX).map((each) => [each, BOB])) }, BOB, invite],
    [{ knocking: crowd(KNOCKING_MAX) }, DAN, KNOCK],
    [
      { bans: new Map(crowd(BANS_MAX).map((each) => [each, ban])) },
      BOB,
      moderation({ act: "ban", handle: DAN }),
    ],
    [
      {
        invited: new Map([[DAN, BOB]]),
        members: new Map([
          ...state.members,
          ...crowd(ROOM_MEMBERS_MAX - 3).map((each) => [each, member] as const),
        ]),
      },
      DAN,
      JOIN,
    ],
  ];
  for (const [full, from, what] of cases) {
    house.put({ ...state, ...full });
    equal(house.fault(room, from, what), "limitReached", JSON.stringify(what));
  }
  house.put(state);
  house.otherAsks.set(DAN, ASKS_PER_ACCOUNT_MAX);
  equal(house.fault(room, BOB, invite), "limitReached");
  house.otherAsks.clear();
  const said = house.must(room, CLEO, text());
  house.put({ ...house.room(room), pins: Array.from({ length: PINS_MAX }, (_, at) => 1_000 + at) });
  equal(house.fault(room, BOB, PIN, { about: said }), "limitReached");
  house.put(state);
  house.must(room, BOB, invite);
  house.otherRooms.set(DAN, ROOMS_PER_ACCOUNT_MAX);
  equal(house.fault(room, DAN, JOIN), "limitReached");
  house.must(room, EVE, KNOCK);
  house.otherRooms.set(EVE, ROOMS_PER_ACCOUNT_MAX);
  equal(house.fault(room, BOB, membership({ change: "allow", handle: EVE })), "limitReached");
  house.accounts.delete(EVE);
  equal(house.fault(room, BOB, membership({ change: "allow", handle: EVE })), "noSuchPerson");
});

test("bans that are over make room for others, and the muted who are long away are forgotten", () => {
  const { house, room } = stage();
  const state = house.room(room);
  const ban = { until: house.now, by: BOB, reason: undefined };
  const names = Array.from({ length: BANS_MAX }, (_, at) => handleOf(`n${at}`));
  const mutedAway = new Map(names.map((each) => [each, undefined]));
  house.put({ ...state, bans: new Map(names.map((each) => [each, ban])), mutedAway });
  house.must(room, BOB, moderation({ act: "ban", handle: DAN }));
  deepEqual(Array.from(house.room(room).bans.keys()), [DAN]);
  house.must(room, BOB, moderation({ act: "mute", handle: CLEO }));
  house.must(room, CLEO, PART);
  const away = Array.from(house.room(room).mutedAway.keys());
  deepEqual([away.length, away.at(-1), away[0]], [MUTED_AWAY_MAX, CLEO, handleOf("n1")]);
});
