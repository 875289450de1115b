/**
 * How fast the accounts of a load may speak: somewhat less than the server lets them, so that it never has to refuse one.
 *
 * @module
 */

import { RATES } from "../lib/chat/rate.ts";

/** Of what a server allows, how much a load uses: the two clocks, and the way between them, are not to count. */
const SHARE = 0.9;

const SECOND_MS = 1_000;

/** The allowance of some accounts, each by its place. */
export class LoadPace {
  readonly #left = new Map<number, { tokens: number; at: number }>();

  /** The first of `members` who may say something at `now`, in milliseconds, which is counted; or none of them may. */
  next(members: readonly number[], now: number): number | undefined {
    const burst = RATES.entries.burst * SHARE;
    for (const member of members) {
      const left = this.#left.get(member) ?? { tokens: burst, at: now };
      const refilled = RATES.entries.perSecond * SHARE * (now - left.at) / SECOND_MS;
      const tokens = Math.min(burst, left.tokens + refilled);
      if (tokens < 1) continue;
      this.#left.set(member, { tokens: tokens - 1, at: now });
      return member;
    }
    return undefined;
  }
}
