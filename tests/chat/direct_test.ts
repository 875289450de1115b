import { deepEqual, equal, throws } from "node:assert/strict";
import { DIRECT_UNANSWERED_MAX } from "../../lib/chat/direct_rules.ts";
import { refusalToPut } from "../../lib/chat/put_rule.ts";
import { createdRoom, otherOf, standingOf } from "../../lib/chat/room_state.ts";
import { directId } from "../../lib/identity/room_id.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { ROOMS_PER_ACCOUNT_MAX } from "../../lib/wire/limits.ts";
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
} from "./bodies.ts";
import { House } from "./house.ts";

const EVE = handleOf("eve");
const ALLOW = membership({ change: "allow", handle: ANN });
const DENY = membership({ change: "deny", handle: ANN });

/** Ann has asked Bob. */
function asked(): { house: House; room: Bytes } {
  const house = new House(ANN, BOB, EVE);
  return { house, room: house.direct(ANN, BOB) };
}

/** And Bob has taken it up. */
function accepted(): { house: House; room: Bytes } {
  const { house, room } = asked();
  house.must(room, BOB, ALLOW);
  return { house, room };
}

test("a direct conversation is whoever begins it, until the other takes it up", () => {
  const { house, room } = asked();
  const before = house.room(room);
  deepEqual(Array.from(before.members.keys()), [ANN]);
  deepEqual([standingOf(before, ANN), standingOf(before, BOB)], ["member", "requested"]);
  deepEqual([otherOf(before, ANN), otherOf(before, BOB), otherOf(before, EVE)], [BOB, ANN, undefined]);
  deepEqual([before.settings.visibility, before.settings.history], ["private", "all"]);
  house.must(room, BOB, ALLOW, { seen: { sequence: 0, hash: new Uint8Array(32) } });
  const after = house.room(room);
  deepEqual(Array.from(after.members), [
    [ANN, { role: "member", mutedUntil: undefined, base: 0 }],
    [BOB, { role: "member", mutedUntil: undefined, base: 0 }],
  ]);
  equal(standingOf(after, BOB), "member");
  for (const handle of [ANN, BOB]) equal(house.fault(room, handle, text()), undefined);
});

test("attack 33: who was not answered says ten things at most, and nothing once refused", () => {
  const { house, room } = asked();
  for (let said = 0; said < DIRECT_UNANSWERED_MAX; said++) house.must(room, ANN, text());
  equal(house.fault(room, ANN, text()), "notAccepted");
  equal(house.fault(room, ANN, LIKE, { about: 2 }), "notAccepted");
  equal(house.fault(room, ANN, DELETE, { about: 2 }), undefined, "but may take back what was said");
  house.must(room, BOB, ALLOW);
  equal(house.fault(room, ANN, text()), undefined);

  const second = asked();
  second.house.must(second.room, ANN, text());
  second.house.must(second.room, BOB, DENY);
  equal(second.house.fault(second.room, ANN, text()), "notAccepted");
  equal(second.house.fault(second.room, BOB, DENY), "unchanged");
  equal(standingOf(second.house.room(second.room), BOB), undefined, "it asks no more");
  second.house.must(second.room, BOB, ALLOW);
  equal(second.house.fault(second.room, ANN, text()), undefined, "who refused may think better of it");
});

test("the one who was asked answers, nobody else, and says nothing before", () => {
  const { house, room } = asked();
  const allowBob = membership({ change: "allow", handle: BOB });
  equal(house.fault(room, BOB, text()), "notMember");
  equal(house.fault(room, BOB, DELETE, { about: 1 }), "notMember");
  equal(house.fault(room, ANN, allowBob), "notAllowed");
  equal(house.fault(room, BOB, allowBob), "badEntry", "oneself");
  equal(house.fault(room, BOB, membership({ change: "allow", handle: EVE })), "badEntry");
  equal(house.fault(room, EVE, ALLOW), "noSuchRoom");
  house.must(room, BOB, ALLOW);
  equal(house.fault(room, BOB, ALLOW), "unchanged");
  equal(house.fault(room, BOB, DENY), "unchanged");
  equal(house.fault(room, ANN, allowBob), "unchanged");
});

test("attack 25: to strangers a direct conversation is not there", () => {
  const { house, room } = accepted();
  house.must(room, ANN, text());
  for (const what of [text(), JOIN, KNOCK, PART, ALLOW, DENY]) {
    equal(house.fault(room, EVE, what), "noSuchRoom");
  }
  for (const what of [REPLY, LIKE, EDIT, DELETE]) {
    equal(house.fault(room, EVE, what, { about: 3 }), "noSuchRoom", what.kind);
  }
  const facts = { isAccount: () => true, blocks: () => false };
  equal(refusalToPut(house.room(room), EVE, { facts, time: 0 }), "noSuchRoom");
  equal(refusalToPut(house.room(room), ANN, { facts, time: 0 }), undefined);
});

test("there are no roles, bans and settlements between two", () => {
  const { house, room } = accepted();
  const said = house.must(room, ANN, text());
  const others: readonly EntryBody[] = [
    { kind: "topic", body: { topic: "tea" } },
    JOIN,
    PART,
    KNOCK,
    membership({ change: "invite", handle: EVE }),
    moderation({ act: "kick", handle: BOB }),
    moderation({ act: "ban", handle: BOB }),
    moderation({ act: "mute", handle: BOB }),
    moderation({ act: "role", handle: BOB, role: "muted" }),
    settlement({ act: "rename", name: "#x" }),
    settlement({ act: "visibility", visibility: "public" }),
    settlement({ act: "retention", days: 1 }),
    settlement({ act: "slow", seconds: 1 }),
    settlement({ act: "lockdown", on: true }),
  ];
  for (const what of others) equal(house.fault(room, ANN, what), "notAllowed", JSON.stringify(what));
  equal(house.fault(room, BOB, PIN, { about: said }), "notAllowed");
});

test("each edits and deletes their own words and no others", () => {
  const { house, room } = accepted();
  const said = house.must(room, ANN, text());
  equal(house.fault(room, BOB, EDIT, { about: said }), "notAllowed");
  equal(house.fault(room, BOB, DELETE, { about: said }), "notAllowed");
  equal(house.fault(room, BOB, LIKE, { about: said }), undefined);
  equal(house.fault(room, BOB, REPLY, { about: said }), undefined);
  equal(house.fault(room, ANN, EDIT, { about: said }), undefined);
  equal(house.fault(room, ANN, DELETE, { about: said }), undefined);
  equal(house.entry(room, said).content, undefined);
  equal(house.fault(room, ANN, DELETE, { about: said }), "unchanged");
  equal(house.fault(room, ANN, DELETE, { about: 1 }), "notAllowed", "what the room is made of");
  equal(house.fault(room, ANN, DELETE, { about: { sequence: 99, hash: new Uint8Array(32) } }), "noSuchEntry");
});

test("whoever is blocked says nothing, and whose account is gone hears nothing", () => {
  const { house, room } = accepted();
  const said = house.must(room, ANN, text());
  house.blocked.add(`${ANN} by ${BOB}`);
  for (const what of [text(), REPLY, LIKE, EDIT]) {
    equal(house.fault(room, ANN, what, what.kind === "text" ? {} : { about: said }), "blocked", what.kind);
  }
  equal(house.fault(room, ANN, DELETE, { about: said }), undefined);
  equal(house.fault(room, BOB, text()), undefined, "the other way it is as before");
  house.accounts.delete(ANN);
  equal(house.fault(room, BOB, text()), "noSuchPerson");
  house.must(room, undefined, membership({ change: "part", handle: ANN }));
  deepEqual(Array.from(house.room(room).members.keys()), [BOB]);
});

test("attack 33: a conversation is begun with who is there and has not blocked one, up to a limit for both", () => {
  const house = new House(ANN, BOB);
  const begin = (other: typeof BOB) =>
    house.fault(
      directId(provider, HOST_KEY, [ANN, other]),
      ANN,
      settlement({ act: "create", kind: "direct", with: other }),
    );
  equal(begin(EVE), "noSuchPerson");
  house.blocked.add(`${ANN} by ${BOB}`);
  equal(begin(BOB), "blocked");
  house.blocked.clear();
  house.otherRooms.set(ANN, ROOMS_PER_ACCOUNT_MAX);
  equal(begin(BOB), "limitReached");
  house.otherRooms.clear();
  equal(begin(BOB), undefined);
  const room = directId(provider, HOST_KEY, [ANN, BOB]);
  house.otherRooms.set(BOB, ROOMS_PER_ACCOUNT_MAX);
  equal(house.fault(room, BOB, ALLOW), "limitReached");
  equal(house.fault(room, BOB, DENY), undefined);
});

test("the server brings nobody into a conversation, and nobody begins one for it", () => {
  const { house, room } = asked();
  equal(house.fault(room, undefined, membership({ change: "join", handle: EVE })), "badEntry");
  equal(house.fault(room, undefined, moderation({ act: "role", handle: ANN, role: "owner" })), "badEntry");
  const { from: _, ...entry } = house.entry(room, 1);
  const creation = { act: "create", kind: "direct", with: BOB } as const;
  const beginning = { id: room, place: house.room(room).head, retention: 0 };
  throws(() => createdRoom(entry, creation, beginning), RangeError);
});
