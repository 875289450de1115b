/**
 * A program that runs beside this one: what it says is kept line by line and can be waited for.
 *
 * @module
 */

import { lines } from "./lines.ts";

/** How long a program may take to say what is waited for; a first run fetches packages meanwhile. */
export const SAID_MS_MAX = 60_000;

/** How a program is started. */
export interface ProgramOptions {
  /** Its arguments. */
  readonly args: readonly string[];
  /** Variables set in addition to ours, or alone where `bare` is set. */
  readonly env?: Record<string, string>;
  /** Whether it gets none of our variables. */
  readonly bare?: boolean;
  /** Its working folder, where it is not ours. */
  readonly cwd?: string;
}

/** A running program. */
export class Program {
  /** Its standard output. */
  readonly output: Said;
  /** Its standard error. */
  readonly errors: Said;
  /** Its exit code, when all it said has been read. */
  readonly ended: Promise<number>;

  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBufferLike>>;

  /** Starts `file`, which sentences call `name`. Throws where it cannot be started. */
  constructor(name: string, file: string, { args, env = {}, bare = false, cwd }: ProgramOptions) {
    this.#child = new Deno.Command(file, {
      args: [...args],
      env,
      clearEnv: bare,
      ...(cwd === undefined ? {} : { cwd }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.output = new Said(name, this.#child.stdout);
    this.errors = new Said(name, this.#child.stderr);
    this.ended = Promise.all([this.#child.status, this.output.ended, this.errors.ended])
      .then(async ([{ code }]) => {
        // Where its reader has gone, nothing is left to be closed.
        await this.#input.close().catch(() => {});
        return code;
      });
  }

  /** The system's number of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Writes `line` and its end to the program's standard input; settles when more may be written. */
  async write(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Ends the program's standard input. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Sends the program a signal, unless it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/** What a program says on one of its outputs. */
export class Said {
  /** Settles when it says no more. */
  readonly ended: Promise<void>;

  readonly #speaker: string;
  readonly #lines: string[] = [];
  #isOver = false;
  #wakes: (() => void)[] = [];

  /** Reads `stream` of the program called `speaker`. */
  constructor(speaker: string, stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#speaker = speaker;
    this.ended = this.#hear(stream);
  }

  /** The lines so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /**
   * What `find` makes of the first line of which it makes anything, said already or yet to come. Throws an
   * error that says "before `what`" where the program ends earlier, or lets {@linkcode SAID_MS_MAX} pass.
   */
  async until<Found>(what: string, find: (line: string) => Found | undefined): Promise<Found> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, SAID_MS_MAX);
    try {
      for (let at = 0;; at++) {
        while (at >= this.#lines.length) {
          if (this.#isOver || isLate) throw new Error(this.#missing(what));
          await new Promise<void>((resolve) => this.#wakes.push(resolve));
        }
        const found = find(this.#lines[at] ?? "");
        if (found !== undefined) return found;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #hear(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const line of lines(stream)) {
      this.#lines.push(line);
      this.#wake();
    }
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }

  #missing(what: string): string {
    const why = this.#isOver ? "ended" : `let ${SAID_MS_MAX / 1000} s pass`;
    const last = this.#lines.length === 0 ? "" : `, having said: ${this.#lines.slice(-5).join(" | ")}`;
    return `${this.#speaker} ${why} before ${what}${last}`;
  }
}
