import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { FIRST_PAUSE_MS_MAX, PAUSE_MS_MAX, pauseMs } from "../../lib/client/back_off.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";

function pauses(seed: string, count: number): readonly number[] {
  const entropy = seededEntropy(seed);
  return Array.from({ length: count }, (_, tries) => pauseMs(tries, entropy));
}

test("a pause is whole milliseconds from nothing to a bound that doubles up to half a minute", async () => {
  await check(fc.property(fc.nat({ max: 100_000 }), fc.string(), (tries, seed) => {
    const pause = pauseMs(tries, seededEntropy(seed));
    ok(Number.isInteger(pause) && pause >= 0 && pause < PAUSE_MS_MAX);
    ok(pause < FIRST_PAUSE_MS_MAX * 2 ** Math.min(tries, 6));
  }));
});

test("pauses are the same for the same randomness, differ for another, and use all of their range", () => {
  deepEqual(pauses("one", 20), pauses("one", 20));
  notDeepEqual(pauses("one", 20), pauses("two", 20));
  equal(pauseMs(6, () => new Uint8Array(2)), 0);
  ok(pauseMs(6, () => new Uint8Array(2).fill(255)) >= PAUSE_MS_MAX - 1);
  const late = Array.from({ length: 500 }, (_, at) => pauseMs(10, seededEntropy(`${at}`)));
  const mean = late.reduce((sum, pause) => sum + pause, 0) / late.length;
  ok(Math.abs(mean - PAUSE_MS_MAX / 2) < PAUSE_MS_MAX / 10);
});
