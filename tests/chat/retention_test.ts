import { deepEqual, equal, throws } from "node:assert/strict";
import { retentionEnd, trimmed } from "../../lib/chat/retention.ts";
import { ANN, BOB } from "../identity/people.ts";
import { test } from "../sanitized.ts";
import { PIN, REPLY, settlement, text } from "./bodies.ts";
import { House } from "./house.ts";

test("retention drops what is older than its days, and nothing where there is none", () => {
  const house = new House(ANN);
  const room = house.open("#tea", ANN);
  equal(retentionEnd(house.room(room), 1_000_000_000), undefined);
  house.must(room, ANN, settlement({ act: "retention", days: 3 }));
  equal(retentionEnd(house.room(room), 1_000_000_000), 1_000_000_000 - 259_200_000);
});

test("a room that has dropped entries goes on from its head, without pins on what is gone", () => {
  const house = new House(ANN, BOB);
  const room = house.open("#tea", ANN);
  const [old, young] = [house.must(room, ANN, text()), house.must(room, ANN, text())];
  for (const about of [old, young]) house.must(room, ANN, PIN, { about });
  const last = house.place(room, old);
  const before = house.room(room);
  const after = trimmed(before, last);
  deepEqual(after, { ...before, base: last, pins: [young] });
  house.put(after);
  equal(house.fault(room, ANN, REPLY, { about: old }), "noSuchEntry");
  equal(house.fault(room, ANN, REPLY, { about: young }), undefined);
  house.bring(room, BOB);
  deepEqual(house.entry(room, 7).previous, house.place(room, 6).hash);
});

test("a room drops all of its entries at most, and none twice", () => {
  const house = new House(ANN);
  const room = house.open("#tea", ANN);
  house.must(room, ANN, text());
  const state = house.room(room);
  const all = trimmed(state, state.head);
  deepEqual(all.base, state.head);
  deepEqual(trimmed(all, state.head), all);
  throws(() => trimmed(all, house.place(room, 1)), RangeError);
  throws(() => trimmed(state, { ...state.head, sequence: 3 }), RangeError);
  house.put(all);
  equal(house.fault(room, ANN, text()), undefined);
});
