/**
 * Work done one after the other: what takes a while, such as verifying, must not be overtaken by what comes behind it.
 *
 * @module
 */

/** A queue of work. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Does `work` once all that was given before is done, and gives what it gives. */
  take<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Settles when all that was given so far is done, whatever came of it. */
  async done(): Promise<void> {
    await this.#last;
  }
}
