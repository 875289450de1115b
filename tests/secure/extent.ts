/**
 * How much of an exhaustive test runs: all of it where `SOTTO_TEST_FULL` is 1; else a sample whose seed
 * is printed and can be given by `SOTTO_TEST_SEED`.
 *
 * @module
 */

import { seededEntropy } from "./seeded_entropy.ts";

/** Whether nothing may be left out. */
export const FULL = Deno.env.get("SOTTO_TEST_FULL") === "1";

/** The seed of the sample. */
export const SAMPLE_SEED = Deno.env.get("SOTTO_TEST_SEED") ??
  String(crypto.getRandomValues(new Uint32Array(1))[0]);

if (!FULL) console.log(`samples taken with SOTTO_TEST_SEED=${SAMPLE_SEED}`);

/** Whole numbers from 0 to below `count`, each as likely, the same again for the same seed. */
export function sampler(purpose: string): (count: number) => number {
  const entropy = seededEntropy(`${SAMPLE_SEED} ${purpose}`);
  return (count) => entropy(4).reduce((value, octet) => value * 256 + octet, 0) % count;
}

/** The numbers from 0 to below `count` that a test takes: all, or one of every `stride`. */
export function extent(count: number, stride: number, pick: (count: number) => number): readonly number[] {
  if (FULL) return Array.from({ length: count }, (_, at) => at);
  const taken: number[] = [];
  for (let from = 0; from < count; from += stride) taken.push(from + pick(Math.min(stride, count - from)));
  return taken;
}

/** Runs a sampled test; where it fails, the error says how to repeat it. */
export async function sampled(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    throw new Error(`repeat with SOTTO_TEST_SEED=${SAMPLE_SEED}`, { cause: error });
  }
}
