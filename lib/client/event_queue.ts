/**
 * What has happened and was not shown yet, in order: one side puts in, one side takes out.
 *
 * @module
 */

/** Events that may wait before no more bytes are read from the server: a screen that stands still costs no memory. */
export const EVENTS_WAITING_MAX = 1_000;

/** A queue whose taker can wait for the next, and whose giver can wait for room. */
export class EventQueue<Event> {
  #events: Event[] = [];
  #ended = false;
  #changed: (() => void)[] = [];

  /** Puts events at the end. */
  push(events: readonly Event[]): void {
    this.#events.push(...events);
    this.#change();
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** Takes the first; waits for it; `undefined` after the last. */
  async next(): Promise<Event | undefined> {
    while (this.#events.length === 0 && !this.#ended) await this.#anyChange();
    const event = this.#events.shift();
    this.#change();
    return event;
  }

  /** Whether {@linkcode EVENTS_WAITING_MAX} events or more wait. */
  get full(): boolean {
    return this.#events.length >= EVENTS_WAITING_MAX && !this.#ended;
  }

  /** Settles when the queue is not full. */
  async room(): Promise<void> {
    while (this.full) await this.#anyChange();
  }

  #anyChange(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #change(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }
}
