/**
 * The tick of a simulated program: about once a second of its world's time.
 *
 * @module
 */

import { TICK_MS, Ticker } from "../../lib/net/ticker.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** What a ticker stands on. */
export interface TickerGround {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly clock: () => number;
}

/** Tells the time as long as its program lives. */
export class SimulatedTicker extends Ticker {
  readonly #ground: TickerGround;
  readonly #told = new Set<(now: number) => void>();

  /** A ticker that nobody has asked yet. */
  constructor(ground: TickerGround) {
    super(ground.clock);
    this.#ground = ground;
  }

  /** See {@linkcode Ticker}. */
  override add(listener: (now: number) => void): () => void {
    if (this.#told.size === 0) this.#next();
    this.#told.add(listener);
    return () => this.#told.delete(listener);
  }

  #next(): void {
    const { scheduler, life, clock } = this.#ground;
    scheduler.after(life, TICK_MS, () => {
      for (const listener of this.#told) listener(clock());
      if (this.#told.size > 0) this.#next();
    });
  }
}
