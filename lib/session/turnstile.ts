/**
 * Strangers come in one by one: what one of them has computed is over before the next begins, and whoever is inside is
 * heard in between. A storm of handshakes makes strangers wait, and nobody else (DESIGN §7).
 *
 * @module
 */

/**
 * Turns of the event loop between two strangers: what is said inside is read, decided, stored and told within so many, and
 * meets one stranger on its way.
 */
const TURNS_BETWEEN = 4;

/** The turnstile of one server. */
export class Turnstile {
  readonly #soon: (act: () => void) => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** One at which nobody waits; `soon` calls back once all that has come meanwhile was read. */
  constructor(soon: (act: () => void) => void) {
    this.#soon = soon;
  }

  /** How many wait for their turn, the one that has it included. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Settles when it is one's turn, with what ends that; a turn that was ended already is not ended again. */
  async turn(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    this.#waiting += 1;
    await before;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#waiting -= 1;
      this.#rest(TURNS_BETWEEN, resolve);
    };
  }

  /** Settles once others were heard: for whoever has much to say. */
  letOthers(): Promise<void> {
    return new Promise((resolve) => this.#soon(resolve));
  }

  #rest(turns: number, next: () => void): void {
    if (turns === 0) next();
    else this.#soon(() => this.#rest(turns - 1, next));
  }
}
