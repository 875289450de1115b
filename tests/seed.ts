/**
 * The seed of a run that is left to chance: a new one each time, or the one that `SOTTO_TEST_SEED` gives.
 *
 * @module
 */

import { variable } from "./compiled/variable.ts";

/** The seed that was asked for; `undefined` where none was. */
export function givenSeed(): number | undefined {
  const given = variable("SOTTO_TEST_SEED");
  return given === undefined || given === "" ? undefined : Number(given);
}

/** A seed that nobody has chosen: 31 bits. */
export function freshSeed(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) >>> 1;
}

/** Does `work` by `seed`; what it throws names the seed that repeats it. */
export async function bySeed(seed: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`repeat with SOTTO_TEST_SEED=${seed}`, { cause: error });
  }
}
