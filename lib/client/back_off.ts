/**
 * How long a client waits before it tries a lost connection again: longer after each failure, and by chance, so that not
 * all come back at once ("full jitter").
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";

/** The longest first pause, in milliseconds. */
export const FIRST_PAUSE_MS_MAX = 500;

/** The longest pause: a person looks at the screen about so often. */
export const PAUSE_MS_MAX = 30_000;

/** The pause before try number `tries`, from 0: between nothing and a bound that doubles with each, in milliseconds. */
export function pauseMs(tries: number, entropy: Entropy): number {
  const bound = Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS_MAX * 2 ** Math.min(tries, 16));
  const [high = 0, low = 0] = entropy(2);
  return Math.floor(bound * (high * 256 + low) / 65_536);
}
