/**
 * Whose direct messages people take none of, kept in memory once it was asked for.
 *
 * @module
 */

import type { LogStore } from "../chat/log_port.ts";
import type { Handle } from "../text/handle.ts";

/** Most people that one account blocks: all of them fit in one `blocks` message. */
export const BLOCKS_MAX = 400;

/** The blocks of those who were asked for so far. */
export class BlockBook {
  readonly #logs: Pick<LogStore, "blocks" | "setBlock">;
  readonly #known = new Map<Handle, ReadonlySet<Handle>>();

  /** A book that reads and writes `logs`. */
  constructor(logs: Pick<LogStore, "blocks" | "setBlock">) {
    this.#logs = logs;
  }

  /** Settles when the blocks of all of them are known. */
  async load(handles: Iterable<Handle>): Promise<void> {
    for (const handle of handles) {
      if (this.#known.has(handle)) continue;
      const others = await this.#logs.blocks(handle);
      // What was set meanwhile is newer.
      if (!this.#known.has(handle)) this.#known.set(handle, new Set(others));
    }
  }

  /** Whom an account blocks; to be asked after {@linkcode BlockBook.load}. */
  of(handle: Handle): readonly Handle[] {
    return Array.from(this.#known.get(handle) ?? []);
  }

  /** Whether `by` takes no direct messages of `whom`; to be asked after {@linkcode BlockBook.load} of `by`. */
  blocks(whom: Handle, by: Handle): boolean {
    return this.#known.get(by)?.has(whom) === true;
  }

  /** Adds one, or takes it away; settles once that is durable. */
  async set(handle: Handle, other: Handle, on: boolean): Promise<void> {
    await this.load([handle]);
    await this.#logs.setBlock(handle, other, on);
    const others = new Set(this.#known.get(handle));
    if (on) others.add(other);
    else others.delete(other);
    this.#known.set(handle, others);
  }

  /** The account is no more. */
  forget(handle: Handle): void {
    this.#known.delete(handle);
  }
}
