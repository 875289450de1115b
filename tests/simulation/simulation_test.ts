import { deepEqual, notDeepEqual } from "node:assert/strict";
import { variable } from "../compiled/variable.ts";
import { test } from "../sanitized.ts";
import { bySeed, freshSeed, givenSeed } from "../seed.ts";
import { wrongWith } from "./outcome.ts";
import { World } from "./world.ts";

/** Two thousand take most of an hour, which nobody waits for by default. */
const WORLDS = variable("SOTTO_TEST_FULL") === "1" ? 2_000 : 40;

/** Sentences of what is wrong that are shown. */
const SHOWN = 20;

test(`${WORLDS} worlds of cuts, crashes and full disks lose nothing, double nothing and keep one order`, async () => {
  const [given, first] = [givenSeed(), freshSeed()];
  const seeds = given === undefined ? Array.from({ length: WORLDS }, (_, at) => first + at) : [given];
  for (const seed of seeds) {
    await bySeed(seed, async () => {
      const world = await World.of(seed);
      await world.run();
      deepEqual(wrongWith(world).slice(0, SHOWN), []);
    });
  }
});

test("a world of one seed goes the same way whenever it is made, and one of another goes another", async () => {
  const seed = freshSeed();
  const [once, again, other] = [await storyOf(seed), await storyOf(seed), await storyOf(seed + 1)];
  deepEqual(once, again);
  notDeepEqual(once, other);
});

async function storyOf(seed: number): Promise<unknown> {
  const world = await World.of(seed);
  await world.run();
  const stored = world.logs.batches.map((batch) =>
    batch.flatMap((change) => change.kind === "append" ? [change.entry.signature.toHex()] : [])
  );
  return { span: world.span, stored };
}
