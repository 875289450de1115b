import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { departure } from "../../lib/chat/host_entry.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { decodeRoomState, encodeRoomState } from "../../lib/chat/room_snapshot.ts";
import { applied, createdRoom, isBanned, isOperator, roleOf } from "../../lib/chat/room_state.ts";
import { NOWHERE, placeOf } from "../../lib/identity/log_entry.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { decodeBody, type EntryBody, ROOM_ROLES } from "../../lib/wire/entry_body.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { handleOf } from "../identity/people.ts";
import { check } from "../properties.ts";
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
import { House } from "./house.ts";

const PEOPLE = ["ann", "bob", "cleo", "dan", "eve"].map(handleOf);
const [ANN = handleOf("ann"), BOB = handleOf("bob")] = PEOPLE;
/** In the length of a run, so that mutes and bans end in it. */
const SHORT_MS = 5_000;

/** One step of a run. */
interface Step {
  readonly from: Handle;
  readonly what: EntryBody;
  /** Which entry it is about, counted from the last; of kinds that are about one. */
  readonly back: number;
  /** By how much the clock moves, in milliseconds; it may go back. */
  readonly passed: number;
  /** Whether the server then removes the author's account from the room. */
  readonly departs: boolean;
}

test("over any run in an open room: an owner while there are members, the muted silent, the banned out, one log", () =>
  check(
    fc.property(fc.constantFrom("public" as const, "private" as const), run(), (visibility, steps) => {
      const house = new House(...PEOPLE);
      const room = house.open("#tea", ANN, visibility);
      for (const step of steps) {
        play(house, room, step);
        requirePeople(house.room(room));
      }
      requireLog(house, room);
    }),
    150,
  ));

test("over any run between two: nobody else is in it, and who was not answered says ten things at most", () =>
  check(
    fc.property(run(), (steps) => {
      const house = new House(...PEOPLE);
      const room = house.direct(ANN, BOB);
      for (const step of steps) {
        play(house, room, { ...step, departs: false });
        const { members, form } = house.room(room);
        for (const handle of members.keys()) ok(handle === ANN || handle === BOB);
        if (form.kind === "direct" && form.asked === undefined) continue;
        const said = house.log(room).filter(({ from, kind }) => from === ANN && kind !== "delete");
        ok(said.length <= 11, "its beginning, and ten");
      }
      requireLog(house, room);
    }),
    100,
  ));

/** Has a step decided, and looks at what it may have changed. */
function play(house: House, room: Bytes, { from, what, back, passed, departs }: Step): void {
  house.now += passed;
  const before = house.room(room);
  const kept = decodeRoomState(encodeRoomState(before));
  const about = Math.max(1, before.head.sequence - back);
  const isAbout = ["reply", "edit", "delete", "reaction", "pin"].includes(what.kind);
  const decision = house.propose(room, from, what, isAbout ? { about } : {});
  deepEqual(before, kept, "nothing is changed in place");
  if (decision.kind === "refused") {
    equal(house.room(room), before);
  } else {
    requireAuthor(house, { before, entry: decision.entry, what });
  }
  if (departs) { for (const each of departure(house.room(room), from)) house.must(room, undefined, each); }
}

function requireAuthor(
  house: House,
  { before, entry, what }: { readonly before: RoomState; readonly entry: Logged; readonly what: EntryBody },
): void {
  const { from, time, kind, about } = entry;
  ok(from !== undefined);
  const role = roleOf(before, from, time);
  const change = what.kind === "membership" ? what.body.change : undefined;
  if (role === "muted") equal(change, "part", "the muted leave, and do nothing else");
  if (before.form.kind === "direct") return;
  ok(!isBanned(before, from, time), "the banned do nothing");
  if (role === undefined) ok(["join", "knock", "part"].includes(change ?? kind));
  if (kind === "moderation" || kind === "topic" || kind === "pin") ok(isOperator(role));
  if (kind === "delete") {
    const erased = house.entry(before.id, about?.sequence ?? 0);
    ok(erased.content === undefined && erased.erasedBy !== undefined);
    ok(erased.from === from || isOperator(role));
  }
}

function requirePeople({ members, invited, knocking, bans, headTime, form }: RoomState): void {
  equal(form.kind, "open");
  const owners = Array.from(members.values()).filter(({ role }) => role === "owner");
  ok(members.size === 0 || owners.length > 0, "somebody owns it");
  for (const [handle, { until }] of bans) {
    if (until === undefined || until > headTime) ok(!members.has(handle), "the banned are out");
    ok(!invited.has(handle) || (until ?? Infinity) <= headTime);
  }
  for (const handle of [...invited.keys(), ...knocking]) ok(!members.has(handle));
  for (const { base } of members.values()) ok(base >= 0);
}

/** Sequences without a gap, each on the hash of the one before, times that never go back; and the fold of it is the room. */
function requireLog(house: House, room: Bytes): void {
  const log = house.log(room);
  let previous = NOWHERE;
  let time = 0;
  let folded: RoomState | undefined;
  for (const entry of log) {
    equal(entry.sequence, previous.sequence + 1);
    deepEqual(entry.previous, previous.hash);
    ok(entry.time >= time);
    time = entry.time;
    previous = placeOf(provider, room, entry);
    const what = entry.content === undefined ? undefined : decodeBody(entry.kind, entry.content.body);
    if (folded !== undefined) folded = applied(folded, entry, what, previous);
    else if (what?.kind === "room" && what.body.act === "create") {
      folded = createdRoom(entry, what.body, { id: room, place: previous, retention: 0 });
    }
  }
  deepEqual(folded, house.room(room));
}

function run(): fc.Arbitrary<readonly Step[]> {
  return fc.array(
    fc.record({
      from: fc.constantFrom(...PEOPLE, ANN, BOB),
      what: anyBody(),
      back: fc.nat({ max: 6 }),
      passed: fc.integer({ min: -500, max: 2_000 }),
      departs: fc.nat({ max: 40 }).map((drawn) => drawn === 0),
    }),
    { minLength: 10, maxLength: 80 },
  );
}

function anyBody(): fc.Arbitrary<EntryBody> {
  const handle = fc.constantFrom(...PEOPLE);
  const role = fc.constantFrom(...ROOM_ROLES);
  const until = fc.option(fc.nat({ max: 20 }).map((at) => 1_750_000_000_000 + at * SHORT_MS), {
    nil: undefined,
  });
  const onPeople = handle.chain((each) =>
    fc.oneof(
      fc.constantFrom("invite", "uninvite", "allow", "deny").map((change) =>
        membership({ change, handle: each })
      ),
      role.map((given) => moderation({ act: "role", handle: each, role: given })),
      fc.tuple(fc.constantFrom("ban", "mute"), until).map(([act, end]) =>
        moderation({ act, handle: each, ...(end === undefined ? {} : { until: end }) })
      ),
      fc.constantFrom("kick", "unban", "unmute").map((act) => moderation({ act, handle: each })),
    )
  );
  const settled = fc.oneof(
    fc.constantFrom("public" as const, "private" as const).map((visibility) =>
      settlement({ act: "visibility", visibility })
    ),
    fc.boolean().map((on) => settlement({ act: "lockdown", on })),
    fc.constantFrom("all" as const, 0, 3).map((history) => settlement({ act: "history", history })),
    fc.constantFrom("#tea", "#coffee").map((name) => settlement({ act: "rename", name })),
    fc.nat({ max: 2 }).map((seconds) => settlement({ act: "slow", seconds })),
  );
  const talk = fc.constantFrom<EntryBody>(text(), REPLY, EDIT, DELETE, LIKE, PIN, UNPIN);
  const coming = fc.constantFrom<EntryBody>(JOIN, JOIN, KNOCK, PART);
  return fc.oneof(talk, coming, onPeople, onPeople, settled);
}
