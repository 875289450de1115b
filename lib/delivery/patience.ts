/**
 * Patience with whoever goes on though they are refused: an answer costs as much as an entry, so that beyond so many of
 * them nothing more of that connection is read for a while, and TCP slows it down.
 *
 * @module
 */

import type { Guest } from "./guest.ts";

/** Refusals a second: a bit more than the window of a client, which hears of the first with a whole one on its way. */
export const REFUSALS_PER_SECOND_MAX = 288;

/** One server's patience. */
export class Patience {
  #second = Promise.withResolvers<void>();

  /** Settles when more of that connection may be read, or it is over. */
  async bide(guest: Guest): Promise<void> {
    while (guest.stage === "ready" && guest.refusedLately > REFUSALS_PER_SECOND_MAX) {
      await this.#second.promise;
    }
  }

  /** About a second has passed for all of them. */
  tick(guests: readonly Guest[]): void {
    for (const guest of guests) guest.refusedLately = 0;
    this.#second.resolve();
    this.#second = Promise.withResolvers();
  }
}
