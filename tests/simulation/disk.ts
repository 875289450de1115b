/**
 * Disks of a simulated world: each call waits its turn before it is done, and again before it is told, so that a crash
 * comes before, between or after. What was done is durable; what was not is lost.
 *
 * @module
 */

import type { Life, Scheduler } from "./scheduler.ts";

/** What a store in memory has for tests. */
export interface Hooked<Method> {
  /** Waited for before a method looks. */
  before: (method: Method) => Promise<void> | void;
  /** Waited for before a method tells what it saw or did. */
  after: (method: Method) => Promise<void> | void;
}

/** How a disk is. */
export interface DiskParts<Method> {
  /** Says whose turn it is. */
  readonly scheduler: Scheduler;
  /** Milliseconds that a call takes, of the world's own time. */
  readonly takes_ms: () => number;
  /** Throws where a call of that method is to fail; nothing is changed then. */
  readonly fails?: (method: Method) => void;
}

/**
 * Opens a store for one life of its program: calls are done one after the other in the order in which they were made, as
 * by a database in the same thread, and told whenever.
 */
export function openDisk<Method>(
  store: Hooked<Method>,
  life: Life,
  { scheduler, takes_ms, fails }: DiskParts<Method>,
): void {
  let last: Promise<void> = Promise.resolve();
  store.before = async (method) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = last;
    last = promise;
    await before;
    const time_ms = takes_ms();
    await (time_ms > 0 ? scheduler.pause(life, time_ms) : scheduler.turn(life));
    // The next one takes another turn, and this one is done before that.
    resolve();
    fails?.(method);
  };
  store.after = () => scheduler.turn(life);
}
