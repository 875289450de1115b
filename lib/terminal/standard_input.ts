/**
 * Standard input with one owner from the first question to the end of the conversation.
 *
 * @module
 */

import { PassThrough, type Readable } from "node:stream";
import { type Bytes, concat, utf8 } from "../wire/bytes.ts";

/** What is needed of `process.stdin`; the last two where it is a terminal. */
export type InputSource = Readable & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
};

const LF = 0x0a;
const CR = 0x0d;

// One for each source and no more: two would take turns at its keys.
const owners = new WeakMap<InputSource, StandardInput>();

/** The one that reads `source`, from the first time that it is asked for. */
export function standardInput(source: InputSource): StandardInput {
  const owner = owners.get(source) ?? new StandardInput(source);
  owners.set(source, owner);
  return owner;
}

/**
 * Reads a source for good, and may itself be paused and resumed, by readline for one. A terminal that is
 * paused and resumed loses a key on Deno 2.6, where the read that is under way cannot be given up; and what
 * is typed between two questions would go to neither.
 */
export class StandardInput extends PassThrough {
  readonly #source: InputSource;
  readonly #isTerminal: boolean;
  readonly #onData = (chunk: unknown) => this.#take(chunk);
  readonly #onEnd = () => void this.end();
  #phase: "untouched" | "reading" | "released" = "untouched";

  /** Reads nothing yet. To be made by {@linkcode standardInput}. */
  constructor(source: InputSource) {
    super();
    this.#source = source;
    this.#isTerminal = source.isTTY === true;
    // A hang-up ends what is read; Node ends a process in which nobody hears of an error.
    this.on("error", () => {});
    source.on("error", (cause) => this.destroy(cause));
    this.on("resume", () => this.#start());
  }

  /** Whether nothing more will ever be read: it has ended, or failed. */
  get gone(): boolean {
    return this.readableEnded || this.destroyed;
  }

  /** Whether keys come one by one; called by readline. */
  setRawMode(raw: boolean): this {
    this.#source.setRawMode?.(raw);
    return this;
  }

  /** The octets from now on, read as fast as they are taken. Once it is cancelled the source is let go of. */
  bytes(): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>({
      start: (controller) => {
        if (this.readableEnded) return controller.close();
        this.on("data", (chunk: unknown) => {
          this.pause();
          controller.enqueue(octets(chunk));
        });
        this.once("end", () => controller.close());
        this.on("error", (cause) => controller.error(cause));
        this.pause();
      },
      pull: () => void this.resume(),
      cancel: () => {
        this.removeAllListeners("data").removeAllListeners("end");
        this.release();
      },
    });
  }

  /**
   * The octets of the next line, its LF not among them; `undefined` at the end of the source. What follows the line
   * stays. A line of `bytesMax` octets or more is given as it is by then.
   */
  line(bytesMax: number): Promise<Bytes | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Bytes | undefined>();
    const parts: Bytes[] = [];
    const done = (): void => {
      this.off("data", take).off("end", done).off("error", reject);
      this.pause();
      resolve(parts.length === 0 ? undefined : concat(...parts));
    };
    const take = (chunk: unknown): void => {
      const bytes = octets(chunk);
      const end = bytes.indexOf(LF);
      parts.push(end < 0 ? bytes : bytes.subarray(0, end));
      if (end < 0 && parts.reduce((sum, { length }) => sum + length, 0) < bytesMax) return;
      done();
      if (end >= 0 && end + 1 < bytes.length) this.unshift(bytes.subarray(end + 1));
    };
    this.on("data", take).once("end", done).once("error", reject);
    this.resume();
    return promise;
  }

  /** Lets go of the source, for good: a read that waits would keep the process alive. */
  release(): void {
    this.#phase = "released";
    this.#source.off("data", this.#onData).off("end", this.#onEnd);
    this.#source.pause();
    this.pause();
  }

  #start(): void {
    // Node tells of a resumption some turns late, when all may be over.
    if (this.#phase !== "untouched") return;
    this.#phase = "reading";
    this.#source.on("data", this.#onData).on("end", this.#onEnd);
  }

  #take(chunk: unknown): void {
    // By lines, so that the one behind an answer is kept for the next question.
    const parts = this.#isTerminal ? cutAfterLines(octets(chunk)) : [octets(chunk)];
    const taken = parts.map((part) => this.write(part)).every(Boolean);
    if (taken || this.#isTerminal) return;
    this.#source.pause();
    this.once("drain", () => {
      if (this.#phase === "reading") this.#source.resume();
    });
  }
}

function cutAfterLines(bytes: Bytes): Bytes[] {
  const parts: Bytes[] = [];
  let from = 0;
  bytes.forEach((octet, at) => {
    const ends = octet === LF || octet === CR && bytes[at + 1] !== LF;
    if (ends) parts.push(bytes.subarray(from, from = at + 1));
  });
  return from < bytes.length ? [...parts, bytes.subarray(from)] : parts;
}

function octets(chunk: unknown): Bytes {
  return chunk instanceof Uint8Array ? new Uint8Array(chunk) : utf8(String(chunk));
}
