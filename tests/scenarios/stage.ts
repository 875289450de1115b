/**
 * The stage of the scenarios: a folder of its own, and the programs that play, all of which are gone when the
 * curtain falls.
 *
 * @module
 */

import { test } from "../sanitized.ts";
import { Changes } from "./changes.ts";
import { type JsonEvent, jsonEvent } from "./json_events.ts";
import { type Ending, type Launch, launched, type Outlet, Program, type ProgramName } from "./programs.ts";

/** How a server is started. */
export interface ServerRun {
  /** Its data folder, if it is not a new one. */
  readonly dataDir?: string;
  /** Its port, if it is not a free one. */
  readonly port?: number;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** All of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Outputs that nobody reads; standard output is read until it has announced itself. */
  readonly unread?: readonly "err"[];
}

/** How a client is started. */
export interface ClientRun {
  /** The name it goes by. */
  readonly user: string;
  /** Where it connects to, if not to where the server says that it listens. */
  readonly address?: string;
  /** Whether it speaks JSON. */
  readonly json?: boolean;
  /** Whether it is told the server's fingerprint, so that it connects once; else it finds out by itself. */
  readonly pinned?: boolean;
  /** Its folder, if it is not a new one. */
  readonly configDir?: string;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Its environment besides its folder. */
  readonly env?: Readonly<Record<string, string>>;
  /** Outputs that nobody reads. */
  readonly unread?: readonly Outlet[];
}

/**
 * Declares a scenario: a test named by a sentence, which gets a stage of its own. At its end every program that
 * still runs is ended, and the folder removed.
 */
export function scenario(name: string, story: (stage: Stage) => Promise<void>): void {
  test(name, async () => {
    const stage = new Stage(await Deno.makeTempDir({ prefix: "sotto_scenario_" }));
    try {
      await story(stage);
    } finally {
      await stage.clear();
    }
  });
}

/** What a scenario is played on. */
export class Stage {
  /** An empty folder, removed at the end. */
  readonly folder: string;
  /** What all on this stage tells. */
  readonly changes: Changes;

  readonly #programs: Program[] = [];
  readonly #endings: (() => Promise<void>)[] = [];
  #names = 0;

  /** A stage with `folder`, which it will remove. */
  constructor(folder: string) {
    this.folder = folder;
    this.changes = new Changes(() => this.#programs.map((program) => program.transcript()).join("\n"));
  }

  /** A path in the folder that no one else gets. */
  path(name: string): string {
    this.#names += 1;
    return `${this.folder}/${name}_${this.#names}`;
  }

  /** Has `end` called when the curtain falls, after the programs have ended. */
  atEnd(end: () => Promise<void>): void {
    this.#endings.push(end);
  }

  /** Waits as {@linkcode Changes.until} does. */
  until<Found>(what: string, find: () => Found | undefined, within_ms?: number): Promise<Found> {
    return this.changes.until(what, find, within_ms);
  }

  /** Launches a program. */
  launch(program: ProgramName, launch: Launch): Program {
    return this.#begin(launched(program, launch, this.changes));
  }

  /** Runs `file`, any program, as the others are run. */
  launchFile(file: string, launch: Launch): Program {
    return this.#begin(
      new Program(launch.as ?? file, { ...launch, file, env: launch.env ?? {} }, this.changes),
    );
  }

  /** Runs a program to its end, with `input` as all of its standard input. */
  async run(program: ProgramName, launch: Launch, input = ""): Promise<Ending> {
    const launched = this.launch(program, launch);
    await launched.typeAndEnd(input);
    return await launched.ending();
  }

  /** Starts a server; settles when it has announced itself. */
  async server(
    { dataDir = this.path("server"), port = 0, args = [], env, unread }: ServerRun = {},
  ): Promise<Server> {
    const program = this.launch("sotto-server", {
      as: "server",
      args: ["serve", String(port), "--data-dir", dataDir, ...args],
      ...(env === undefined ? {} : { env }),
      ...(unread === undefined ? {} : { unread }),
    });
    const address = await program.found("out", /^sotto-server listening on (\S+)$/);
    const fingerprint = await program.found("out", /^fingerprint (\S+)$/);
    const words = await program.found("out", /^words (.+)$/);
    return new Server(program, { address, fingerprint, words, dataDir });
  }

  /** Starts a client of `server`. */
  client(server: Server, run: ClientRun): Client {
    const { user, address = server.address, json = false, pinned = true, args = [], env = {}, unread } = run;
    const configDir = run.configDir ?? this.path(user);
    const program = this.launch("sotto", {
      as: user,
      args: [
        "chat",
        address,
        `--user=${user}`,
        ...(json ? ["--json"] : []),
        ...(pinned ? [`--host-key=${server.fingerprint}`] : []),
        ...args,
      ],
      env: { SOTTO_CONFIG_DIR: configDir, ...env },
      ...(unread === undefined ? {} : { unread }),
    });
    return new Client(program, { user, json, configDir });
  }

  /** Starts a client of `server` and waits until it is let in. */
  async joined(server: Server, run: ClientRun): Promise<Client> {
    const client = this.client(server, run);
    await client.ready();
    return client;
  }

  /** Ends whatever runs, and removes the folder. */
  async clear(): Promise<void> {
    for (const program of this.#programs) program.signal("SIGKILL");
    await Promise.all(this.#programs.map((program) => program.gone()));
    for (const end of this.#endings.reverse()) await end();
    await Deno.remove(this.folder, { recursive: true });
  }

  #begin(program: Program): Program {
    this.#programs.push(program);
    return program;
  }
}

/** What a server announces. */
interface Announced {
  readonly address: string;
  readonly fingerprint: string;
  readonly words: string;
  readonly dataDir: string;
}

/** A server that listens. */
export class Server {
  /** Its process. */
  readonly program: Program;
  /** Host and port. */
  readonly address: string;
  /** Of its host key. */
  readonly fingerprint: string;
  /** Of its host key. */
  readonly words: string;
  /** Where its host key is. */
  readonly dataDir: string;

  /** A server that has announced itself. */
  constructor(program: Program, { address, fingerprint, words, dataDir }: Announced) {
    this.program = program;
    this.address = address;
    this.fingerprint = fingerprint;
    this.words = words;
    this.dataDir = dataDir;
  }

  /** The port it listens on. */
  get port(): number {
    return Number(this.address.replace(/^.*:/, ""));
  }

  /** What its journal says of how `name` went the last time; waits for it. */
  async whyGone(name: string): Promise<string> {
    const where = await this.program.found("err", new RegExp(` (\\S+) joined as ${name}$`));
    return await this.program.found("err", new RegExp(` ${where} gone: (.*)$`));
  }

  /** What its journal says of how each connection went, once `count` have gone. */
  reasons(count: number): Promise<readonly string[]> {
    return this.program.until(`the end of ${count} connections`, () => {
      const reasons = this.program.err.flatMap((line) => / gone: (.*)$/.exec(line)?.[1] ?? []);
      return reasons.length >= count ? reasons : undefined;
    });
  }

  /** Ends it, and tells whom all of its journal says were let in: in the end nothing of it waits to be written. */
  async guests(): Promise<readonly string[]> {
    const { err } = await this.stop();
    return err.flatMap((line) => / joined as (.*)$/.exec(line)?.[1] ?? []);
  }

  /** Ends it by `signal`, and tells how it ended. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ending> {
    this.program.signal(signal);
    return await this.program.ending();
  }
}

/** A client. */
export class Client {
  /** Its process. */
  readonly program: Program;
  /** The name it goes by. */
  readonly user: string;
  /** Its folder. */
  readonly configDir: string;

  readonly #json: boolean;
  readonly #events: JsonEvent[] = [];
  readonly #shown: string[] = [];
  #looked = 0;

  /** A client that was started. */
  constructor(
    program: Program,
    { user, json, configDir }: { user: string; json: boolean; configDir: string },
  ) {
    this.program = program;
    this.user = user;
    this.configDir = configDir;
    this.#json = json;
  }

  /** What it has said in JSON so far. */
  get events(): readonly JsonEvent[] {
    const { out } = this.program;
    while (this.#events.length < out.length) this.#events.push(jsonEvent(out[this.#events.length] ?? ""));
    return this.#events;
  }

  /** Settles when it is let in. */
  async ready(): Promise<void> {
    await this.program.line("out", this.#json ? /"change":"here"/ : / #lobby \* here: /);
  }

  /** Says `texts`, each as a message. */
  async say(...texts: readonly string[]): Promise<void> {
    await this.program.type(
      ...texts.map((text) => this.#json ? JSON.stringify({ type: "send", text }) : text),
    );
  }

  /** Asks to end, as one does in its mode. */
  async quit(): Promise<void> {
    await this.program.type(this.#json ? '{"type":"quit"}' : "/quit");
  }

  /** The messages that it shows, its own among them, as `name: text`. */
  get shown(): readonly string[] {
    const { out } = this.program;
    while (this.#looked < out.length) {
      const message = this.#messageIn(out[this.#looked++] ?? "");
      if (message !== undefined) this.#shown.push(message);
    }
    return this.#shown;
  }

  /** Settles when it shows `message`, as `name: text`. */
  async shows(message: string): Promise<void> {
    await this.program.until(`"${message}"`, () => this.shown.includes(message) || undefined);
  }

  /** Settles when it shows that many messages. */
  async showsCount(count: number): Promise<void> {
    await this.program.until(`${count} messages`, () => this.shown.length >= count || undefined);
  }

  /** How it ended; waits for that. */
  ending(within_ms?: number): Promise<Ending> {
    return this.program.ending(within_ms);
  }

  #messageIn(line: string): string | undefined {
    if (this.#json) {
      const event = jsonEvent(line);
      return event.type === "message" ? `${event.from}: ${event.text}` : undefined;
    }
    const [, from, text] = /^\S+ #lobby <([^>]+)> (.*) ☐ unverified name$/.exec(line) ?? [];
    return from === undefined ? undefined : `${from}: ${text}`;
  }
}
