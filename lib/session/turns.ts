/**
 * One thing at a time for each account: what reads an account, judges and writes it back has nothing of the same account
 * between, so that whoever enters, joins or publishes sees what the one before left.
 *
 * @module
 */

/** Queues, one a key. */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<void>>();

  /** Does `work` once all that was asked for under `key` before is over, however that ended; gives what it gives. */
  async take<Result>(key: Key, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = result.then(() => {}, () => {});
    this.#last.set(key, over);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
    }
  }
}
