import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { RoomForm, RoomState } from "../../lib/chat/room.ts";
import { decodeRoomState, encodeRoomState } from "../../lib/chat/room_snapshot.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../../lib/wire/cbor.ts";
import { ROOM_ROLES, VISIBILITIES } from "../../lib/wire/entry_body.ts";
import { ANN, BOB, handleOf } from "../identity/people.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { JOIN, text } from "./bodies.ts";
import { House } from "./house.ts";

const HANDLES = Array.from({ length: 8 }, (_, at) => handleOf(`n${at}`));

test("every room comes back from its octets as it was", () =>
  check(
    fc.property(anyRoom(), (room) => {
      deepEqual(decodeRoomState(encodeRoomState(room)), room);
    }),
    300,
  ));

test("octets that are cut, longer or altered are no room, or another one", () =>
  check(
    fc.property(anyRoom(), fc.nat(), fc.integer({ min: 1, max: 255 }), (room, at, flip) => {
      const octets = encodeRoomState(room);
      equal(decodeRoomState(octets.slice(0, at % octets.length)), undefined);
      equal(decodeRoomState(new Uint8Array([...octets, 0])), undefined);
      const place = at % octets.length;
      const altered = octets.with(place, (octets[place] ?? 0) ^ flip);
      const other = decodeRoomState(altered);
      if (other !== undefined) notEqual(encodeRoomState(other).toHex(), octets.toHex());
    }),
    300,
  ));

test("what no room can be is refused: another form, roles that there are not, somebody twice", () => {
  const house = new House(ANN, BOB);
  const state = house.room(house.open("#tea", ANN));
  const good = decodeCbor(encodeRoomState(state));
  ok(typeof good === "object" && good !== null);
  const people = (pairs: readonly unknown[]) => encodeCbor(pairs);
  const member = ["member", null, 0];
  const bad: readonly Readonly<Record<string, unknown>>[] = [
    { version: 2 },
    { more: 1 },
    { id: new Uint8Array(15) },
    { form: { kind: "open", name: "tea" } },
    { form: { kind: "direct", people: ["ann", "ann"], asked: null, denied: false } },
    { form: { kind: "direct", people: ["ann"], asked: null, denied: false } },
    { members: people([["ann", member], ["ann", member]]) },
    { members: people([["ann", ["king", null, 0]]]) },
    { members: people([["Ann", member]]) },
    { members: people([["ann", ["member", null, -1]]]) },
    { members: new Uint8Array([0x80, 0x80]) },
    { invited: people([["ann"]]) },
    { bans: people([["ann", [null, null]]]) },
    { mutedAway: people([["ann", "later"]]) },
    { knocking: ["ann", "ann"] },
    { pins: [1, 1] },
    { pins: [1.5] },
    { headTime: -1 },
    { head: { sequence: 1, hash: new Uint8Array(31) } },
  ];
  deepEqual(decodeRoomState(encodeCbor(good)), state);
  for (const change of bad) {
    equal(decodeRoomState(encodeCbor({ ...good, ...change })), undefined, JSON.stringify(change));
  }
});

test("a room that goes on is encoded as it is, though its lists are remembered", () => {
  const house = new House(ANN, BOB);
  const room = house.open("#tea", ANN);
  const before = encodeRoomState(house.room(room)).toHex();
  house.must(room, BOB, JOIN);
  house.must(room, BOB, text());
  deepEqual(decodeRoomState(encodeRoomState(house.room(room))), house.room(room));
  notEqual(encodeRoomState(house.room(room)).toHex(), before);
});

function anyRoom(): fc.Arbitrary<RoomState> {
  const count = fc.nat();
  const octets = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((bytes): Bytes => Uint8Array.from(bytes));
  const place = fc.record({ sequence: count, hash: octets(32) });
  const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
  const handle = fc.constantFrom(...HANDLES);
  const handles = fc.uniqueArray(handle);
  const form: fc.Arbitrary<RoomForm> = fc.oneof(
    fc.constantFrom("#tea", "#a_1-").map((name): RoomForm => ({ kind: "open", name })),
    fc.record({ asked: maybe(handle), denied: fc.boolean() }).map((rest): RoomForm => ({
      kind: "direct",
      people: [ANN, BOB],
      ...rest,
    })),
  );
  const settings = fc.record({
    visibility: fc.constantFrom(...VISIBILITIES),
    topic: fc.string({ maxLength: 20 }),
    history: fc.oneof(fc.constant("all" as const), count),
    retention: fc.nat({ max: 3_650 }),
    slow: fc.nat({ max: 21_600 }),
    lockdown: fc.boolean(),
  });
  const map = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<ReadonlyMap<Handle, Value>> =>
    fc.uniqueArray(fc.tuple(handle, value), { selector: ([key]) => key }).map((pairs) => new Map(pairs));
  return fc.record({
    id: octets(16),
    form,
    settings,
    members: map(fc.record({ role: fc.constantFrom(...ROOM_ROLES), mutedUntil: maybe(count), base: count })),
    invited: map(maybe(handle)),
    knocking: handles,
    bans: map(
      fc.record({ until: maybe(count), by: maybe(handle), reason: maybe(fc.string({ maxLength: 9 })) }),
    ),
    mutedAway: map(maybe(count)),
    pins: fc.uniqueArray(count, { maxLength: 5 }),
    head: place,
    headTime: count,
    base: place,
  });
}
