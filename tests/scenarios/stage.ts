/**
 * The stage of the scenarios: a folder of its own, and the programs that play, all of which are gone when the
 * curtain falls.
 *
 * @module
 */

import { SCENARIOS_FOLDER, SCENARIOS_VARIABLE, type ToldScenario } from "../../tools/scenarios.ts";
import { variable } from "../compiled/variable.ts";
import { test } from "../sanitized.ts";
import { Changes } from "./changes.ts";
import { enrolled, hostKeyIn, keepKeys } from "./enrolled.ts";
import { eventsOf, type JsonEvent, jsonEvent } from "./json_events.ts";
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

/** The password of everybody who is not said to have another. */
export const PASSWORD = "a password that nobody guesses";

/** How a client is started. */
export interface ClientRun {
  /** The name it goes by. */
  readonly user: string;
  /** Where it connects to, if not to where the server says that it listens. */
  readonly address?: string;
  /** Whether it speaks JSON. */
  readonly json?: boolean;
  /** Whether it is told the server's host key, so that it connects once; else it finds out by itself. */
  readonly pinned?: boolean;
  /**
   * Whether it has no account yet that it knows of, in an empty folder, so that it registers or logs in by password; else
   * it has one, with a device of its own, without having registered.
   */
  readonly newcomer?: boolean;
  /** Its folder, if it is neither its usual one nor a newcomer's. */
  readonly configDir?: string;
  /** The password in its environment; `null`: none. */
  readonly password?: string | null;
  /** For how many seconds it tries a lost connection again; 0, so that a cut is its end, unless it is said. */
  readonly reconnect?: number;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Its environment besides its folder. */
  readonly env?: Readonly<Record<string, string>>;
  /** Outputs that nobody reads. */
  readonly unread?: readonly Outlet[];
}

/**
 * Declares a scenario: a test named by a sentence, which gets a stage of its own. At its end every program that
 * still runs is ended, and the folder removed. What it tells goes into docs/scenarios.md, where that is made, but for what
 * is different each time in one that `varies`.
 */
export function scenario(
  name: string,
  story: (stage: Stage) => Promise<void>,
  { varies = false }: { readonly varies?: boolean } = {},
): void {
  test(name, async ({ origin }) => {
    const stage = new Stage(await Deno.makeTempDir({ prefix: "sotto_scenario_" }));
    try {
      await story(stage);
      await tell({ file: fileOf(origin), name, ...(varies ? NOTHING_TOLD : stage.told) });
    } finally {
      await stage.clear();
    }
  });
}

/** Where the page of scenarios is to be made of, if it is. */
const TELLS_TO = variable(SCENARIOS_VARIABLE);

const NOTHING_TOLD = { shown: [], endings: [] } as const;

async function tell(told: Readonly<Record<keyof ToldScenario, unknown>>): Promise<void> {
  if (TELLS_TO !== undefined) {
    await Deno.writeTextFile(TELLS_TO, `${JSON.stringify(told)}\n`, { append: true });
  }
}

function fileOf(origin: string): string {
  return `${SCENARIOS_FOLDER}/${origin.replace(/^.*\//, "")}`;
}

/** What a scenario is played on. */
export class Stage {
  /** An empty folder, removed at the end. */
  readonly folder: string;
  /** What all on this stage tells. */
  readonly changes: Changes;

  readonly #programs: Program[] = [];
  readonly #endings: (() => Promise<void>)[] = [];
  readonly #homes = new Map<string, Promise<string>>();
  readonly #shown: ToldScenario["shown"] = [];
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

  /** Puts `lines`, which are the same each time but for what has placeholders, on the page of scenarios. */
  show(title: string, lines: readonly string[]): void {
    this.#shown.push({ title, lines: [...lines] });
  }

  /** What has been shown, and how programs ended that did not end well, as far as somebody waited for it. */
  get told(): Pick<ToldScenario, "shown" | "endings"> {
    const endings = this.#programs.flatMap(({ name, awaitedEnding }) => {
      const sentence = awaitedEnding?.err.at(-1);
      if (awaitedEnding === undefined || sentence === undefined) return [];
      if (awaitedEnding.code === 0 || awaitedEnding.signal !== null) return [];
      return [{ program: name, code: awaitedEnding.code, sentence }];
    });
    return { shown: this.#shown, endings };
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
    return await this.announced(program, dataDir);
  }

  /** The server that `program` is, launched on `dataDir` by whatever arguments, once it has announced itself. */
  async announced(program: Program, dataDir: string): Promise<Server> {
    const address = await program.found("out", /^sotto-server listening on (\S+)$/);
    const fingerprint = await program.found("out", /^fingerprint (\S+)$/);
    const words = await program.found("out", /^words (.+)$/);
    const hostKey = (await hostKeyIn(dataDir)).toBase64();
    return new Server(program, { address, fingerprint, words, hostKey, dataDir });
  }

  /** Runs one of the operator's commands on a server's data folder, whether or not the server runs. */
  operate({ dataDir }: Pick<Reachable, "dataDir">, ...args: readonly string[]): Promise<Ending> {
    return this.run("sotto-server", { as: "operator", args: [...args, `--data-dir=${dataDir}`] });
  }

  /** Has an invitation to `server` made, and gives its URL; `args` are the command's, which is `invite` unless they say. */
  async invitation(server: Server, ...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.operate(server, ...(args.length === 0 ? ["invite"] : args));
    const url = /^invitation (\S+)$/.exec(out[0] ?? "")?.[1];
    if (url === undefined) throw new Error(`Cannot invite: ${code} ${out.join("|")} ${err.join("|")}`);
    return url;
  }

  /** The folder of a user of `server`, who has an account there and a device in that folder: always the same one. */
  home({ dataDir }: Pick<Reachable, "dataDir">, user: string): Promise<string> {
    const key = `${dataDir} ${user}`;
    const home = this.#homes.get(key) ?? this.#furnish(dataDir, user);
    this.#homes.set(key, home);
    return home;
  }

  /** Starts a client of `server`. */
  async client(server: Reachable, run: ClientRun): Promise<Client> {
    const { user, address = server.address, pinned = true, newcomer = false, args = [] } = run;
    const configDir = run.configDir ?? (newcomer ? this.path(user) : await this.home(server, user));
    const pin = pinned ? [`--host-key=${server.hostKey}`] : [];
    return this.clientBy({ ...run, configDir, args: [address, ...pin, ...args] });
  }

  /** Starts a client by `args`, which are all that it is told of its server. */
  clientBy(run: Omit<ClientRun, "address" | "pinned" | "newcomer"> & { readonly configDir: string }): Client {
    const { user, json = false, configDir, password = PASSWORD, reconnect = 0, args = [], env = {}, unread } =
      run;
    const program = this.launch("sotto", {
      as: user,
      args: ["chat", `--user=${user}`, `--reconnect=${reconnect}`, ...(json ? ["--json"] : []), ...args],
      env: {
        SOTTO_CONFIG_DIR: configDir,
        ...(password === null ? {} : { SOTTO_PASSWORD: password }),
        ...env,
      },
      ...(unread === undefined ? {} : { unread }),
    });
    return new Client(program, { user, json, configDir });
  }

  /** Starts a client of `server` and waits until it is let in. */
  async joined(server: Reachable, run: ClientRun): Promise<Client> {
    const client = await this.client(server, run);
    await client.ready();
    return client;
  }

  /** Runs a client of `server` to its end, with `input` as all of its standard input. */
  async visit(server: Reachable, run: ClientRun, input = ""): Promise<Ending> {
    const client = await this.client(server, run);
    await client.program.typeAndEnd(input);
    return await client.ending();
  }

  /** Ends whatever runs, and removes the folder. */
  async clear(): Promise<void> {
    for (const program of this.#programs) program.signal("SIGKILL");
    await Promise.all(this.#programs.map((program) => program.gone()));
    for (const end of this.#endings.reverse()) await end();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #furnish(dataDir: string, user: string): Promise<string> {
    const configDir = this.path(user);
    const [own] = await enrolled(dataDir, [user]);
    if (own !== undefined) await keepKeys(configDir, { dataDir, user, own });
    return configDir;
  }

  #begin(program: Program): Program {
    this.#programs.push(program);
    return program;
  }
}

/** Where a server is, and who it is. */
export interface Reachable {
  /** Host and port. */
  readonly address: string;
  /** Its host key, in base64. */
  readonly hostKey: string;
  /** Where its host key and its accounts are. */
  readonly dataDir: string;
}

/** What a server announces. */
interface Announced {
  readonly address: string;
  readonly fingerprint: string;
  readonly words: string;
  readonly hostKey: string;
  readonly dataDir: string;
}

/** A server that listens. */
export class Server implements Reachable {
  /** Its process. */
  readonly program: Program;
  /** Host and port. */
  readonly address: string;
  /** Of its host key. */
  readonly fingerprint: string;
  /** Of its host key. */
  readonly words: string;
  /** Its host key itself, in base64. */
  readonly hostKey: string;
  /** Where its host key and its accounts are. */
  readonly dataDir: string;

  /** A server that has announced itself. */
  constructor(program: Program, { address, fingerprint, words, hostKey, dataDir }: Announced) {
    this.program = program;
    this.address = address;
    this.fingerprint = fingerprint;
    this.words = words;
    this.hostKey = hostKey;
    this.dataDir = dataDir;
  }

  /** The port it listens on. */
  get port(): number {
    return Number(this.address.replace(/^.*:/, ""));
  }

  /** What its journal says of how `name` went the last time; waits for it. */
  async whyGone(name: string): Promise<string> {
    const where = await this.program.found("err", new RegExp(` (\\S+) logged in as ${name} by device `));
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
    return err.flatMap((line) => / logged in as (.*) by device /.exec(line)?.[1] ?? []);
  }

  /** Ends it by `signal`, and tells how it ended. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ending> {
    this.program.signal(signal);
    return await this.program.ending();
  }
}

/** A message in the line mode; the mark is missing where it is the operator's, the number where nobody asked for it. */
const MESSAGE = /^\S+ #lobby (?:#\d+ )?<([^>]+)> (.*?)(?: (☒|☐(?: .*)?))?$/;

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
    await this.program.line("out", this.#json ? /"change":"here"/ : /^\S+ \* here: /);
  }

  /** Says `texts`, each as a message. */
  async say(...texts: readonly string[]): Promise<void> {
    await this.program.type(
      ...texts.map((text) => this.#json ? JSON.stringify({ type: "send", text }) : text),
    );
  }

  /** Asks for something, in JSON; rooms, numbers and all as README's table has it. */
  async ask(...requests: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await this.program.type(...requests.map((request) => JSON.stringify(request)));
  }

  /** The first event of that type that fits, in JSON; waits for it. Those before the `from`-th of all do not count. */
  event<Type extends JsonEvent["type"]>(
    type: Type,
    fits: (event: Extract<JsonEvent, { type: Type }>) => boolean = () => true,
    from = 0,
  ): Promise<Extract<JsonEvent, { type: Type }>> {
    return this.program.until(`such a "${type}"`, () => eventsOf(this.events.slice(from), type).find(fits));
  }

  /** Asks to end, as one does in its mode. */
  async quit(): Promise<void> {
    await this.program.type(this.#json ? '{"type":"quit"}' : "/quit");
  }

  /**
   * The messages of the lobby that it shows, its own among them: as `name: text` what has ☒ or is the operator's, and what has ☐ with
   * that and the reason behind it.
   */
  get shown(): readonly string[] {
    const { out } = this.program;
    while (this.#looked < out.length) {
      const message = this.#messageIn(out[this.#looked++] ?? "");
      if (message !== undefined) this.#shown.push(message);
    }
    return this.#shown;
  }

  /** Settles when it shows `message`, as {@linkcode shown} has it. */
  async shows(message: string): Promise<void> {
    await this.program.until(`"${message}"`, () => this.shown.includes(message) || undefined);
  }

  /** Settles when it shows that many messages. */
  async showsCount(count: number, within_ms?: number): Promise<void> {
    await this.program.until(`${count} messages`, () => this.shown.length >= count || undefined, within_ms);
  }

  /** How it ended; waits for that. */
  ending(within_ms?: number): Promise<Ending> {
    return this.program.ending(within_ms);
  }

  #messageIn(line: string): string | undefined {
    if (this.#json) {
      const event = jsonEvent(line);
      if (event.type !== "message" || event.room !== "#lobby") return undefined;
      // What the host key has signed carries no mark.
      const isMarked = !event.verified && event.reason !== null;
      return `${event.from}: ${event.text}${isMarked ? ` ☐ ${event.reason}` : ""}`;
    }
    const [, from, text, mark] = MESSAGE.exec(line) ?? [];
    if (from === undefined) return undefined;
    if (mark === undefined && from !== "console") return `${from}: ${text} without a mark`;
    return `${from}: ${text}${mark?.startsWith("☐") ? ` ${mark}` : ""}`;
  }
}
