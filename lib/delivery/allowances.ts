/**
 * What is left to each account of what it may do in a time.
 *
 * @module
 */

import { type Allowance, FULL_ALLOWANCE, isFull, type RateName, spend } from "../chat/rate.ts";
import type { Handle } from "../text/handle.ts";

/** The allowances of one server's accounts. */
export class Allowances {
  readonly #left = new Map<Handle, Allowance>();

  /** Spends one of each; how many milliseconds it has to wait where that is too much now, and nothing was spent. */
  spend(handle: Handle, names: readonly RateName[], now: number): number | undefined {
    const spending = spend(this.#left.get(handle) ?? FULL_ALLOWANCE, names, now);
    if (spending.kind === "tooFast") return spending.wait;
    this.#left.set(handle, spending.allowance);
    return undefined;
  }

  /** Forgets those to whom all is left. */
  tick(now: number): void {
    for (const [handle, allowance] of this.#left) if (isFull(allowance, now)) this.#left.delete(handle);
  }
}
