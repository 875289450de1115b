/**
 * Where a front end writes to, and what becomes of one whose reader has gone.
 *
 * @module
 */

/** Writes all of `text`; settles when more may be written. Rejects with what the system says. */
export type Write = (text: string) => Promise<void>;

/** How a front end came to its end. */
export interface ModeOutcome {
  /**
   * Why: the person asked for it, the input ended, nobody reads the output any more, or the connection ended
   * without this front end asking for it.
   */
  readonly end: "quit" | "inputEnded" | "outputGone" | "connectionEnded";
  /** Whether a line that was piped in was no message and no command, or asked for what could not be done. */
  readonly badInput: boolean;
  /**
   * Messages that were not taken, were refused by the server, or of which nobody knows whether they arrived.
   */
  readonly undelivered: number;
}

/**
 * A pair of outputs that goes quiet when a reader leaves: `sotto … | head` is no error. All else that a
 * writer throws is thrown on.
 */
export class Output {
  readonly #write: Write;
  readonly #writeError: Write;
  readonly #onGone: () => void;
  #gone = false;

  /** `onGone` is called once, when the first write finds no reader. */
  constructor(write: Write, writeError: Write, { onGone }: { onGone: () => void }) {
    this.#write = write;
    this.#writeError = writeError;
    this.#onGone = onGone;
  }

  /** Whether a reader has left. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Writes to standard output. */
  write(text: string): Promise<void> {
    return this.#attempt(this.#write, text);
  }

  /** Writes to standard error. */
  writeError(text: string): Promise<void> {
    return this.#attempt(this.#writeError, text);
  }

  async #attempt(write: Write, text: string): Promise<void> {
    if (this.#gone) return;
    try {
      await write(text);
    } catch (cause) {
      if (!isBrokenPipe(cause)) throw cause;
      // Two writes may fail at once, and the end is told once.
      if (this.#gone) return;
      this.#gone = true;
      this.#onGone();
    }
  }
}

function isBrokenPipe(cause: unknown): boolean {
  return cause instanceof Deno.errors.BrokenPipe ||
    cause instanceof Error && "code" in cause && cause.code === "EPIPE";
}
