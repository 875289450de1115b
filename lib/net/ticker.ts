/**
 * The program's one timer: everything with a deadline is told the time about once a second. One timer for all
 * costs the same for ten thousand connections as for one, and no deadline here is finer than a second.
 *
 * @module
 */

/** How often deadlines are looked at. */
export const TICK_MS = 1_000;

/** Tells the time to whoever asked for it. */
export class Ticker {
  readonly #clock: () => number;
  readonly #listeners = new Set<(now: number) => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `clock` gives milliseconds that never go back. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Calls `listener` about once a second until the function it returns is called. */
  add(listener: (now: number) => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    return () => this.#remove(listener);
  }

  #tick(): void {
    const now = this.#clock();
    for (const listener of this.#listeners) listener(now);
  }

  #remove(listener: (now: number) => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
