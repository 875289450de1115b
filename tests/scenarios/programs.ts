/**
 * Server and client as real programs, each with an empty environment but for what is named. They run from
 * source; where `SOTTO_DIST` names a folder, the executables in it are run instead.
 *
 * @module
 */

import { equal, match } from "node:assert/strict";
import * as v from "valibot";
import { lines } from "../../tools/lines.ts";
import { PROGRAMS } from "../../tools/permissions.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { launches } from "../compiled/launch.ts";
import { type Changes, WAIT_MS_MAX } from "./changes.ts";

/** Which of the two programs. */
export type ProgramName = typeof PROGRAMS[number]["executable"];

/** How a program is launched. */
export interface Launch {
  /** What transcripts call it, if it is not the program's own name. */
  readonly as?: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Outputs that nobody reads, until {@linkcode Program.read} is called. */
  readonly unread?: readonly Outlet[];
}

/** An output of a program. */
export type Outlet = "out" | "err";

/** How a program ended. */
export interface Ending {
  /** Its exit code. */
  readonly code: number;
  /** The signal that ended it, where one did. */
  readonly signal: Deno.Signal | null;
  /** The lines of its standard output. */
  readonly out: readonly string[];
  /** The lines of its standard error. */
  readonly err: readonly string[];
}

const { server, client } = launches();

/** What lets a deno without a HOME find our cache. */
export const CACHE_ENV: Readonly<Record<string, string>> = { DENO_DIR: await cacheFolder() };

/** A program that runs, or ran. */
export class Program {
  /** What transcripts call it. */
  readonly name: string;
  /** The system's number of its process. */
  readonly pid: number;

  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #changes: Changes;
  readonly #lines: Record<Outlet, string[]> = { out: [], err: [] };
  readonly #unread = new Set<Outlet>();
  readonly #reading: Promise<void>[] = [];
  #inputEnd: Promise<void> | undefined;
  #ending: Ending | undefined;
  #awaited = false;
  #gone: Promise<void>;

  /** Starts `file`. */
  constructor(name: string, launch: Launch & { readonly file: string }, changes: Changes) {
    this.name = name;
    this.#changes = changes;
    this.#child = new Deno.Command(launch.file, {
      args: [...launch.args],
      clearEnv: true,
      env: { ...launch.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#input = this.#child.stdin.getWriter();
    for (const outlet of ["out", "err"] as const) {
      this.#unread.add(outlet);
      if (!launch.unread?.includes(outlet)) this.read(outlet);
    }
    this.#gone = this.#end();
  }

  /** The lines of its standard output so far. */
  get out(): readonly string[] {
    return this.#lines.out;
  }

  /** The lines of its standard error so far. */
  get err(): readonly string[] {
    return this.#lines.err;
  }

  /** Begins to read an output that was left unread. */
  read(outlet: Outlet): void {
    if (!this.#unread.delete(outlet)) return;
    this.#reading.push(this.#hear(outlet));
  }

  /** Goes away from an output that was left unread, as a reader does that has seen enough. */
  async leave(outlet: Outlet): Promise<void> {
    this.#unread.delete(outlet);
    await this.#stream(outlet).cancel();
  }

  /** Types lines; settles when all are taken. A program that has ended takes nothing, as at a keyboard. */
  async type(...typed: readonly string[]): Promise<void> {
    await this.#input.write(utf8(typed.map((line) => `${line}\n`).join(""))).catch(ignoreGoneReader);
  }

  /** Ends its standard input. */
  async endInput(): Promise<void> {
    this.#inputEnd ??= this.#input.close().catch(ignoreGoneReader);
    await this.#inputEnd;
  }

  /** Types `text` as it is, then ends the input. */
  async typeAndEnd(text: string): Promise<void> {
    if (text !== "") await this.#input.write(utf8(text)).catch(ignoreGoneReader);
    await this.endInput();
  }

  /** Sends it a signal, where it still runs. */
  signal(signal: Deno.Signal): void {
    if (this.#ending === undefined) this.#child.kill(signal);
  }

  /** The first line of an output that `pattern` fits; waits for it. Throws where the program ends without one. */
  line(outlet: Outlet, pattern: RegExp): Promise<string> {
    const lines = this.#lines[outlet];
    // Each line is looked at once: of a trace there are thousands.
    let looked = 0;
    return this.until(`${pattern} in ${outlet}`, () => {
      const found = lines.slice(looked).find((line) => pattern.test(line));
      looked = lines.length;
      return found;
    });
  }

  /** What the first group of `pattern` is in the first line that it fits. */
  async found(outlet: Outlet, pattern: RegExp): Promise<string> {
    return pattern.exec(await this.line(outlet, pattern))?.[1] ?? "";
  }

  /** Waits as {@linkcode Changes.until} does, but no longer than the program runs. */
  until<Found>(what: string, find: () => Found | undefined, within_ms?: number): Promise<Found> {
    return this.#changes.until(`${what} of ${this.name}`, () => {
      const found = find();
      if (found !== undefined || this.#ending === undefined) return found;
      throw this.#changes.missing(`${what} of ${this.name}`, "it has ended");
    }, within_ms);
  }

  /** How it ended, where somebody has waited for that. */
  get awaitedEnding(): Ending | undefined {
    return this.#awaited ? this.#ending : undefined;
  }

  /** How it ended; waits for that. */
  ending(within_ms: number = WAIT_MS_MAX): Promise<Ending> {
    this.#awaited = true;
    return this.#changes.until(`the end of ${this.name}`, () => this.#ending, within_ms);
  }

  /** Settles when it has ended and nothing of it is left. */
  async gone(): Promise<void> {
    await this.#gone;
  }

  /** All that it said. */
  transcript(): string {
    const how = this.#ending === undefined
      ? "runs"
      : `ended with ${this.#ending.signal ?? this.#ending.code}`;
    const told = (["out", "err"] as const).flatMap((outlet) =>
      shortened(this.#lines[outlet]).map((line) => `  ${outlet} ${line}`)
    );
    return [`${this.name} ${how}`, ...told].join("\n");
  }

  #stream(outlet: Outlet): ReadableStream<Uint8Array<ArrayBuffer>> {
    return outlet === "out" ? this.#child.stdout : this.#child.stderr;
  }

  async #hear(outlet: Outlet): Promise<void> {
    for await (const line of lines(this.#stream(outlet))) {
      this.#lines[outlet].push(line);
      this.#changes.tell();
    }
  }

  async #end(): Promise<void> {
    const { code, signal } = await this.#child.status;
    for (const outlet of this.#unread) await this.#stream(outlet).cancel();
    await Promise.all(this.#reading);
    this.#ending = { code, signal, out: this.out, err: this.err };
    await this.endInput();
    this.#changes.tell();
  }
}

/**
 * Asserts that a program could not do what it was asked: it ended with `code`, printed nothing, and complained by
 * one sentence, which `sentence` fits.
 */
export function complained({ code, out, err }: Ending, expected: { code: number; sentence: RegExp }): void {
  equal(err.length, 1, `one sentence and not: ${err.join(" | ")}`);
  match(err[0] ?? "", expected.sentence);
  match(err[0] ?? "", /^Cannot .+: .+(?:[.?]| run: (?:chmod 600 \S+|sotto-server user .+))$/);
  equal(code, expected.code);
  equal(out.length, 0, `nothing on standard output and not: ${out.join(" | ")}`);
}

/** Launches one of the two programs. */
export function launched(program: ProgramName, launch: Launch, changes: Changes): Program {
  const { file, args } = program === "sotto" ? client : server;
  return new Program(launch.as ?? program, {
    ...launch,
    file,
    args: [...args, ...launch.args],
    // An executable gets none of ours.
    env: { ...(file === Deno.execPath() ? CACHE_ENV : {}), ...launch.env },
  }, changes);
}

/** The arguments by which any deno runs a program from its source, with the permissions that it is compiled with. */
export function sourceArguments(program: ProgramName): readonly string[] {
  const found = PROGRAMS.find(({ executable }) => executable === program);
  return found === undefined ? [] : ["run", "--frozen", ...found.permissions, found.root];
}

async function cacheFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return v.parse(v.looseObject({ denoDir: v.string() }), JSON.parse(new TextDecoder().decode(stdout)))
    .denoDir;
}

function ignoreGoneReader(error: unknown): void {
  if (error instanceof Deno.errors.BrokenPipe || error instanceof TypeError) return;
  throw error;
}

/** Transcripts of a burst tell its beginning and its end, and of long lines what they begin with. */
function shortened(told: readonly string[]): readonly string[] {
  const LINES_MAX = 40;
  const CHARS_MAX = 300;
  const lines = told.map((line) => line.length > CHARS_MAX ? `${line.slice(0, CHARS_MAX)}…` : line);
  if (lines.length <= LINES_MAX) return lines;
  const left = `… ${lines.length - LINES_MAX} more …`;
  return [...lines.slice(0, LINES_MAX / 2), left, ...lines.slice(-LINES_MAX / 2)];
}
