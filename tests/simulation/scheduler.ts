/**
 * Time and turns of a simulated world: everything that a program would wait for waits here, and the seed says what comes
 * next. Between two turns all promises that can settle do, so that a run is the same whenever its seed is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Dice } from "./dice.ts";

/** One run of a program: what it waits for never comes once that is over. */
export class Life {
  /** What it is, for the trace. */
  readonly name: string;
  #isOver = false;
  readonly #atEnd: (() => void)[] = [];

  /** A program that has begun. */
  constructor(name: string) {
    this.name = name;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Has `act` done when it ends. */
  atEnd(act: () => void): void {
    if (this.#isOver) act();
    else this.#atEnd.push(act);
  }

  /** Ends it at once, whatever it was doing: as by kill -9, or a cut of power. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const act of this.#atEnd) act();
  }
}

interface Task {
  readonly life: Life | undefined;
  readonly act: () => void;
}

interface Timer extends Task {
  readonly at: number;
  /** Those of one moment come in the order in which they were set. */
  readonly number: number;
}

/** A world that has not come to rest after so many turns goes round in circles. */
export const TURNS_MAX = 2_000_000;

/** The one who says what comes next. */
export class Scheduler {
  readonly #dice: Dice;
  readonly #ready: Task[] = [];
  readonly #timers: Timer[] = [];
  #now = 0;
  #numbers = 0;
  #turns = 0;

  /** A world at its beginning; `dice` chooses. */
  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#now;
  }

  /** How many turns there were. */
  get turns(): number {
    return this.#turns;
  }

  /** Has `act` done in some later turn, in no order but the seed's; never, where `life` is over by then. */
  soon(life: Life | undefined, act: () => void): void {
    this.#ready.push({ life, act });
  }

  /** Settles in some later turn. */
  turn(life: Life | undefined): Promise<void> {
    return new Promise((resolve) => this.soon(life, resolve));
  }

  /** Has `act` done when `wait_ms` have passed. */
  after(life: Life | undefined, wait_ms: number, act: () => void): void {
    const timer = { life, act, at: this.#now + Math.max(0, wait_ms), number: this.#numbers++ };
    const place = this.#timers.findLastIndex(({ at }) => at <= timer.at);
    this.#timers.splice(place + 1, 0, timer);
  }

  /** Settles when `wait_ms` have passed. */
  pause(life: Life | undefined, wait_ms: number): Promise<void> {
    return new Promise((resolve) => this.after(life, wait_ms, resolve));
  }

  /**
   * Takes turns until `isDone`, which is looked at before each. Rejects where there is nothing left to do before, or no end
   * to it.
   */
  async run(isDone: () => boolean): Promise<void> {
    await settled();
    while (!isDone()) {
      assert.ok(this.#turns < TURNS_MAX, `the world comes to rest within ${TURNS_MAX} turns`);
      const task = this.#take();
      assert.ok(task !== undefined, "something is left to be waited for");
      this.#turns += 1;
      task.act();
      await settled();
    }
  }

  #take(): Task | undefined {
    for (;;) {
      // Whatever is due competes with what is ready, so that a timer does not wait for a busy world.
      while (this.#timers[0] !== undefined && this.#timers[0].at <= this.#now) this.#makeReady();
      const task = this.#ready.length > 0 ? this.#takeReady() : undefined;
      if (task === undefined) {
        const [next] = this.#timers;
        if (next === undefined) return undefined;
        this.#now = next.at;
      } else if (task.life?.isOver !== true) return task;
    }
  }

  #makeReady(): void {
    const timer = this.#timers.shift();
    if (timer !== undefined) this.#ready.push(timer);
  }

  #takeReady(): Task | undefined {
    const at = this.#dice.below(this.#ready.length);
    const task = this.#ready[at];
    const last = this.#ready.pop();
    if (last !== undefined && at < this.#ready.length) this.#ready[at] = last;
    return task;
  }
}

/** Settles once all promises have that can without another turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
