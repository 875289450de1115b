/**
 * The keys of accounts as they were last published, kept in memory once they were asked for: entries name people many
 * times, and each connection is told the keys of each once.
 *
 * @module
 */

import type { AccountStore } from "../chat/port.ts";
import type { Handle } from "../text/handle.ts";
import type { Card, Keys } from "../wire/message.ts";

/** The accounts that were asked for so far. */
export class CardBook {
  readonly #accounts: Pick<AccountStore, "find">;
  /** An account without keys has not published any yet. */
  readonly #known = new Map<Handle, Card | undefined>();
  /** Counts removals: an account that was read before one must not be known after it. */
  #removals = 0;

  /** A book that reads `accounts`. */
  constructor(accounts: Pick<AccountStore, "find">) {
    this.#accounts = accounts;
  }

  /** Settles when all that have an account are known. */
  async load(handles: Iterable<Handle>): Promise<void> {
    for (const handle of handles) if (!this.#known.has(handle)) await this.#read(handle);
  }

  /** Whether it is an account's name; to be asked after {@linkcode CardBook.load}. */
  isAccount(handle: Handle): boolean {
    return this.#known.has(handle);
  }

  /** The keys of a known account that has published some. The same value until it publishes others. */
  find(handle: Handle): Card | undefined {
    return this.#known.get(handle);
  }

  /** The keys of an account are these; gives those of before. */
  put(handle: Handle, { identity, list, signature }: Keys): Card | undefined {
    const before = this.#known.get(handle);
    this.#known.set(handle, { handle, identity, list, signature });
    return before;
  }

  /** The account is no more. */
  forget(handle: Handle): void {
    this.#removals += 1;
    this.#known.delete(handle);
  }

  async #read(handle: Handle): Promise<void> {
    const removals = this.#removals;
    const account = await this.#accounts.find(handle);
    // What was published meanwhile is newer.
    if (account === undefined || this.#known.has(handle)) return;
    if (removals !== this.#removals) return await this.#read(handle);
    this.#known.set(handle, account.keys && { handle, ...account.keys });
  }
}
