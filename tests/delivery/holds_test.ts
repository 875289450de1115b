import assert from "node:assert/strict";
import { HELD_MAX, Holds } from "../../lib/delivery/holds.ts";
import { type Bytes, concat, u64 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";

function id(number: number): Bytes {
  return concat(u64(number), u64(0));
}

test("attack 33: what is refused in rooms made up by the thousand is forgotten, oldest first", () => {
  const holds = new Holds();
  for (let at = 0; at <= HELD_MAX; at++) holds.add(id(at), id(at), "tooFast");
  assert.equal(holds.refusal(id(0), id(9_999)), undefined);
  assert.equal(holds.refusal(id(1), id(9_999)), "tooFast");
  for (let at = 0; at <= HELD_MAX; at++) holds.add(id(HELD_MAX), id(at), "notStored");
  assert.equal(holds.refusal(id(2), id(9_999)), undefined);
});
