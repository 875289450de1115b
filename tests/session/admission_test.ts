import assert from "node:assert/strict";
import {
  admit,
  HALF_OPEN_MAX,
  HALF_OPEN_PER_ADDRESS_MAX,
  type HalfOpen,
  settle,
} from "../../lib/session/admission.ts";
import { test } from "../sanitized.ts";

test("up to the limit of an address nobody gives way, then its oldest does", () => {
  let halfOpen: HalfOpen = new Map();
  ({ halfOpen } = admit(halfOpen, 9_000, "192.0.2.9"));
  for (let peer = 0; peer < HALF_OPEN_PER_ADDRESS_MAX; peer++) {
    const admitted = admit(halfOpen, peer, "192.0.2.1");
    assert.equal(admitted.evicted, undefined);
    halfOpen = admitted.halfOpen;
  }
  const one = admit(halfOpen, 1_000, "192.0.2.1");
  assert.equal(one.evicted, 0, "not the older one of another address");
  const two = admit(one.halfOpen, 1_001, "192.0.2.1");
  assert.equal(two.evicted, 1);
  assert.equal(two.halfOpen.size, HALF_OPEN_PER_ADDRESS_MAX + 1);
  assert.equal(
    admit(two.halfOpen, 1_002, "192.0.2.2").evicted,
    undefined,
    "other addresses are not concerned",
  );
});

test("at the limit of all the oldest of all gives way", () => {
  let halfOpen: HalfOpen = new Map();
  for (let peer = 0; peer < HALF_OPEN_MAX; peer++) {
    const admitted = admit(halfOpen, peer, `10.0.${peer >> 8}.${peer & 255}`);
    assert.equal(admitted.evicted, undefined);
    halfOpen = admitted.halfOpen;
  }
  const { evicted, halfOpen: next } = admit(halfOpen, HALF_OPEN_MAX, "192.0.2.1");
  assert.equal(evicted, 0);
  assert.equal(next.size, HALF_OPEN_MAX);
  assert.ok(next.has(HALF_OPEN_MAX) && !next.has(0));
});

test("whoever was let in or has ended is not counted any more", () => {
  const { halfOpen } = admit(new Map(), 1, "192.0.2.1");
  assert.equal(settle(halfOpen, 1).size, 0);
  assert.equal(settle(halfOpen, 2), halfOpen, "an unknown one changes nothing");
  assert.equal(halfOpen.size, 1, "nothing is changed in place");
});
