/**
 * A big file through the real programs: put into a room by one person and fetched by another, while lines are cut, the
 * server is killed, and so are the clients. `SOTTO_TEST_FULL=1` takes 1 GiB, `SOTTO_TEST_FILE_MIB` so many MiB.
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import * as v from "valibot";
import type { Program } from "../../tools/program.ts";
import { announcement, launches, start } from "../compiled/launch.ts";
import { variable } from "../compiled/variable.ts";
import { CuttingRelay } from "../crowd/cutting_relay.ts";
import { enrolled, hostKeyIn, keepKeys } from "../scenarios/enrolled.ts";
import { bySeed, freshSeed, givenSeed } from "../seed.ts";
import { Dice } from "../simulation/dice.ts";
import { folderTest, namesIn } from "../store/temporary_folder.ts";
import { type Memory, MemoryWatch } from "./memory_watch.ts";

const { server, client } = launches();

const MIB = 1_048_576;
const FULL_MIB = variable("SOTTO_TEST_FULL") === "1" ? 1_024 : 12;
const FILE_MIB = Number(variable("SOTTO_TEST_FILE_MIB") ?? FULL_MIB);
/** What the last chunk is of is not to be a whole one. */
const FILE_BYTES = FILE_MIB * MIB + 12_345;

/** How often something goes wrong on each way, at places that the seed chooses. */
const MISHAPS = 10;

/** How much either side may take above what it takes when it has nothing to do. */
const MEMORY_BYTES_MAX = 64 * MIB;

/** How long everybody tries to get back. */
const RECONNECT_S = 600;

/** What of a client's events matters here. */
const EventSchema = v.variant("type", [
  v.object({
    type: v.literal("file"),
    bytes: v.number(),
    done: v.boolean(),
    path: v.nullable(v.string()),
    failure: v.nullable(v.string()),
  }),
  v.object({
    type: v.literal("message"),
    kind: v.string(),
    seq: v.number(),
    verified: v.boolean(),
    file: v.nullable(v.object({ size: v.number() })),
  }),
  v.object({ type: v.literal("room"), room: v.string() }),
  v.object({ type: v.literal("error"), code: v.string(), sentence: v.string() }),
]);

type Event = v.InferOutput<typeof EventSchema>;

/** What of an event is waited for. */
type Find<Found> = (event: Event) => Found | undefined | null;

/** Where something goes wrong: after so many octets more. */
interface Mishap {
  readonly after: number;
  readonly what: "cut" | "serverDies" | "clientDies";
}

folderTest(
  `a file of ${FILE_MIB} MiB survives ${MISHAPS} cuts and crashes on each way, and nobody needs much memory for it`,
  async (folder) => {
    const seed = givenSeed() ?? freshSeed();
    console.log(`seed ${seed}`);
    await bySeed(seed, async () => {
      const play = await Play.begin(folder, new Dice(seed));
      try {
        await play.put();
        await play.get();
        await play.end();
      } finally {
        await play.close();
      }
    });
  },
);

/** One run. */
class Play {
  readonly #folder: string;
  readonly #dice: Dice;
  readonly #hostKey: string;
  readonly #relay = new CuttingRelay();
  readonly #watch = new MemoryWatch();
  readonly #running = new Set<Program>();
  #server: Program;
  #memory: Memory = { idle: 0, most: 0 };
  #sequence = 0;

  private constructor(folder: string, dice: Dice, hostKey: string) {
    this.#folder = folder;
    this.#dice = dice;
    this.#hostKey = hostKey;
    this.#server = this.#startServer();
  }

  /** Two people, a server that listens, and a file. */
  static async begin(folder: string, dice: Dice): Promise<Play> {
    const dataDir = `${folder}/server`;
    const users = ["ann", "ben"];
    const keys = await enrolled(dataDir, users);
    for (const [at, user] of users.entries()) {
      const own = keys[at];
      ok(own !== undefined);
      await keepKeys(`${folder}/${user}`, { dataDir, user, own });
    }
    await Deno.mkdir(`${folder}/fetched`);
    await writeFile(`${folder}/big.bin`, dice);
    const play = new Play(folder, dice, (await hostKeyIn(dataDir)).toBase64());
    await play.#listening();
    play.#memory = await play.#watch.watch(play.#server.pid);
    return play;
  }

  /** Ann puts the file into the lobby. */
  async put(): Promise<void> {
    const ask = { type: "put", room: "#lobby", path: `${this.#folder}/big.bin` };
    const ann = await this.#carry("ann", ask, (event) => {
      if (event.type !== "message" || event.kind !== "file") return undefined;
      equal(event.file?.size, FILE_BYTES);
      ok(event.verified);
      return event.seq;
    });
    this.#sequence = ann;
  }

  /** Ben fetches it. */
  async get(): Promise<void> {
    const ask = { type: "get", room: "#lobby", seq: this.#sequence, path: `${this.#folder}/fetched` };
    const path = await this.#carry(
      "ben",
      ask,
      (event) => event.type === "file" && event.done ? event.path : undefined,
    );
    equal(path, `${this.#folder}/fetched/big.bin`);
    deepEqual(await namesIn(`${this.#folder}/fetched`), ["big.bin"]);
    equal(await hashOf(`${this.#folder}/fetched/big.bin`), await hashOf(`${this.#folder}/big.bin`));
  }

  /** The server ends well, and has kept within its memory. */
  async end(): Promise<void> {
    this.#server.kill("SIGTERM");
    equal(await this.#server.ended, 0);
    this.#checkMemory("the server", this.#memory);
  }

  /** Nothing is left of it. */
  async close(): Promise<void> {
    for (const program of this.#running) program.kill("SIGKILL");
    await Promise.all([...this.#running].map(({ ended }) => ended));
    await this.#watch.close();
    await this.#relay.close();
  }

  /** Has `user` ask for a transfer, with all that goes wrong meanwhile, until `find` makes something of what is told. */
  async #carry<Found>(
    user: string,
    ask: Readonly<Record<string, unknown>>,
    find: Find<Found>,
  ): Promise<Found> {
    let program = this.#startClient(user);
    await letIn(program);
    const memory = await this.#watch.watch(program.pid);
    const since = performance.now();
    let { outcome } = await this.#asked(program, ask, find);
    for (const { after, what } of this.#mishaps()) {
      await Promise.race([this.#relay.cutAfter(after), outcome.then(tooEarly)]);
      if (what === "serverDies") await this.#restartServer();
      if (what === "clientDies") {
        program.kill("SIGKILL");
        await program.ended;
        program = this.#startClient(user);
        this.#watch.watchAs(program.pid, memory);
        await letIn(program);
        ({ outcome } = await this.#asked(program, ask, find));
      }
    }
    const found = await outcome;
    const seconds = (performance.now() - since) / 1_000;
    console.log(`${user}: ${seconds.toFixed(1)} s, ${(FILE_BYTES / MIB / seconds).toFixed(1)} MiB/s`);
    await program.write('{"type":"quit"}');
    equal(await program.ended, 0, program.errors.lines.join(" | "));
    this.#checkMemory(user, memory);
    return found;
  }

  /** What will come of `ask`, in a box, as it is not waited for yet. */
  async #asked<Found>(
    program: Program,
    ask: Readonly<Record<string, unknown>>,
    find: Find<Found>,
  ): Promise<{ readonly outcome: Promise<Found> }> {
    await program.write(JSON.stringify(ask));
    const outcome = told(program, find);
    // Of a program that is killed nobody wants to know.
    outcome.catch(() => {});
    return { outcome };
  }

  /** Sorted places in the file; what is sent again comes on top, so that all of them come before its end. */
  #mishaps(): readonly Mishap[] {
    const places = Array.from(
      { length: MISHAPS },
      () => this.#dice.between(1, Math.floor(FILE_BYTES * 0.95)),
    );
    const sorted = places.sort((a, b) => a - b);
    return sorted.map((place, at) => ({
      after: place - (sorted[at - 1] ?? 0),
      what: at === 3 ? "serverDies" : at === 6 ? "clientDies" : "cut",
    }));
  }

  #checkMemory(name: string, { idle, most }: Memory): void {
    const shown = [idle, most].map((octets) => `${(octets / MIB).toFixed(1)} MiB`);
    console.log(`${name}: ${shown[0]} idle, ${shown[1]} at most`);
    ok(most - idle <= MEMORY_BYTES_MAX, `${name} took ${shown[1]} where it is idle with ${shown[0]}`);
  }

  async #restartServer(): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.ended;
    this.#relay.port = undefined;
    this.#server = this.#startServer();
    await this.#listening();
    this.#watch.watchAs(this.#server.pid, this.#memory);
  }

  async #listening(): Promise<void> {
    const { address } = await announcement(this.#server);
    this.#relay.port = Number(address.replace(/^.*:/, ""));
  }

  #startServer(): Program {
    return this.#started(
      start("the server", server, {
        args: ["--port=0", `--data-dir=${this.#folder}/server`, `--file-quota=${FILE_MIB + 1}`],
      }),
    );
  }

  #startClient(user: string): Program {
    return this.#started(
      start(user, client, {
        args: [
          ...["chat", this.#relay.address, `--user=${user}`, `--host-key=${this.#hostKey}`],
          ...["--json", `--reconnect=${RECONNECT_S}`],
        ],
        env: { SOTTO_CONFIG_DIR: `${this.#folder}/${user}` },
      }),
    );
  }

  #started(program: Program): Program {
    this.#running.add(program);
    program.ended.then(() => this.#running.delete(program));
    return program;
  }
}

async function letIn(program: Program): Promise<void> {
  await program.output.until("it was in the lobby", (line) => eventOf(line)?.type === "room" || undefined);
}

function tooEarly(): never {
  throw new Error("the file came to its end before all went wrong that was to");
}

/** What `find` makes of an event, waiting as long as the file comes on. */
async function told<Found>(
  program: Program,
  find: Find<Found>,
): Promise<Found> {
  for (let bytes = -1;;) {
    const found = await program.output.until(`more than ${bytes} octets`, (line) => {
      const event = eventOf(line);
      if (event === undefined) return undefined;
      const end = find(event);
      if (end !== undefined && end !== null) return { end };
      if (event.type === "error" || event.type === "file" && event.failure !== null) return { wrong: line };
      return event.type === "file" && event.bytes > bytes ? { bytes: event.bytes } : undefined;
    });
    if (found.wrong !== undefined) throw new Error(found.wrong);
    if (found.end !== undefined) return found.end;
    bytes = found.bytes ?? bytes;
  }
}

function eventOf(line: string): Event | undefined {
  const parsed = v.safeParse(EventSchema, JSON.parse(line));
  return parsed.success ? parsed.output : undefined;
}

/** A file that no two pieces of are alike. */
async function writeFile(path: string, dice: Dice): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true });
  const piece = dice.entropy(MIB + 7);
  for (let left = FILE_BYTES; left > 0;) {
    piece.set(dice.entropy(16), dice.below(MIB));
    const length = Math.min(left, piece.length);
    for (let at = 0; at < length;) at += await file.write(piece.subarray(at, length));
    left -= length;
  }
}

async function hashOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(MIB);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}
