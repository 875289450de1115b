import assert from "node:assert/strict";
import { TICK_MS, Ticker } from "../../lib/net/ticker.ts";
import { test } from "../sanitized.ts";

test("a ticker tells the time to all who asked, about once a second, and to nobody who no longer does", async () => {
  let now = 0;
  const ticker = new Ticker(() => ++now);
  const heard: string[] = [];
  const ticked = Promise.withResolvers<void>();
  const stopFirst = ticker.add((time) => heard.push(`first ${time}`));
  const stopSecond = ticker.add((time) => {
    heard.push(`second ${time}`);
    stopFirst();
    if (time === 2) ticked.resolve();
  });
  const began = performance.now();
  await ticked.promise;
  const took = performance.now() - began;
  stopSecond();
  assert.deepEqual(heard, ["first 1", "second 1", "second 2"]);
  assert.ok(took >= 2 * TICK_MS - 50, `${took} ms for two ticks`);
});

test("a ticker that nobody listens to has no timer, and starts anew for the next", () => {
  const ticker = new Ticker(() => 0);
  // A timer that is left running is found by the test's sanitizers.
  for (let round = 0; round < 3; round++) {
    const stops = [ticker.add(() => {}), ticker.add(() => {})];
    for (const stop of stops) stop();
    for (const stop of stops) stop();
  }
});
