/**
 * Property checks that print their seed when they fail, and take it back from `SOTTO_TEST_SEED`.
 *
 * @module
 */

import fc from "npm:fast-check@4.10.2";

/** Runs `property` on random values; a failure names the seed that repeats it. */
export async function check<Values>(
  property: fc.IAsyncProperty<Values> | fc.IProperty<Values>,
  runs = 100,
): Promise<void> {
  const given = Deno.env.get("SOTTO_TEST_SEED");
  const seed = given === undefined ? crypto.getRandomValues(new Int32Array(1))[0] ?? 0 : Number(given);
  const outcome = await fc.check(property, { numRuns: runs, seed });
  if (outcome.failed) {
    throw new Error(
      `repeat with SOTTO_TEST_SEED=${seed}\n${await fc.asyncDefaultReportMessage(outcome) ?? "no report"}`,
      { cause: outcome.errorInstance },
    );
  }
}
