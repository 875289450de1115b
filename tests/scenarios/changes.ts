/**
 * Waiting for something to be seen, without sleeping for luck: whoever notices a change says so, and every
 * condition that is waited for is looked at again.
 *
 * @module
 */

/** How long a scenario waits for what must happen: beyond every deadline of the programs but those of minutes. */
export const WAIT_MS_MAX = 20_000;

/** Changes of all that one scenario watches. */
export class Changes {
  readonly #transcript: () => string;
  #next = Promise.withResolvers<void>();

  /** `transcript` tells all that was seen, for the message of a wait that fails. */
  constructor(transcript: () => string) {
    this.#transcript = transcript;
  }

  /** Something has changed. */
  tell(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /**
   * What `find` gives once it gives anything but `undefined`. Throws, with all that was seen, where `within_ms`
   * pass before; and what `find` throws.
   */
  async until<Found>(what: string, find: () => Found | undefined, within_ms = WAIT_MS_MAX): Promise<Found> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(this.missing(what, `not within ${within_ms} ms`)), within_ms);
    try {
      for (;;) {
        const found = find();
        if (found !== undefined) return found;
        await Promise.race([this.#next.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The error that tells `what` was waited for, `why` in vain, and all that was seen. */
  missing(what: string, why: string): Error {
    return new Error(`Cannot see ${what}: ${why}; this was seen:\n${this.#transcript()}`);
  }
}
