import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { OwnKeys } from "../../lib/client/keepers.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Program } from "../../tools/program.ts";
import { announcement, launches, start } from "../compiled/launch.ts";
import { variable } from "../compiled/variable.ts";
import { enrolled, hostKeyIn, keepKeys } from "../scenarios/enrolled.ts";
import { bySeed, freshSeed, givenSeed } from "../seed.ts";
import { faultsOf } from "../simulation/checker.ts";
import { Dice } from "../simulation/dice.ts";
import { folderTest } from "../store/temporary_folder.ts";
import { CuttingRelay } from "./cutting_relay.ts";
import { logsIn } from "./logs_on_disk.ts";
import { Talker } from "./talker.ts";

const { server, client } = launches();

/** A hundred under twenty take minutes, which nobody waits for by default. */
const IS_FULL = variable("SOTTO_TEST_FULL") === "1";
const KILLS = IS_FULL ? 100 : 10;
const TALKERS = IS_FULL ? 20 : 12;
const ROOMS = ["#lobby", "#den"] as const;

/** How long everybody tries to get back to a server that is killed again and again. */
const RECONNECT_S = 600;

/** How long a server may run before it is killed, in milliseconds; some are killed before they listen. */
const RUNS_MS_MAX = 4_000;

/** How long a talker pauses between two things it says, and the lines between two cuts. */
const SAYS_MS_MAX = 800;
const CUTS_MS_MAX = 600;

/** What a client without a connection, and one that the server leaves in the lurch, say at their end. */
const ENDS_TO_BE_REPEATED =
  /^(Cannot send all that was said at .*; start again, and (?:it is|they are) sent|Cannot end cleanly .*|Connection cut: .*)\.$/;

folderTest(
  `attack 23: a server that is killed ${KILLS} times under load, and clients that are cut and killed, lose and double nothing`,
  async (folder) => {
    const seed = givenSeed() ?? freshSeed();
    console.log(`seed ${seed}`);
    await bySeed(seed, async () => {
      const play = await Play.begin(folder, new Dice(seed));
      try {
        await play.meet();
        await play.talkAndKill(KILLS);
        await play.endAndCheck();
      } finally {
        await play.close();
      }
    });
  },
);

/** One run. */
class Play {
  readonly #dataDir: string;
  readonly #dice: Dice;
  readonly #relay = new CuttingRelay();
  readonly #talkers: readonly Talker[];
  #server: Program;
  #isOver = false;
  #clientKills = 0;

  private constructor(dataDir: string, dice: Dice, { own, hostKey, folder }: {
    readonly own: readonly { readonly name: string; readonly keys: OwnKeys }[];
    readonly hostKey: Bytes;
    readonly folder: string;
  }) {
    this.#dataDir = dataDir;
    this.#dice = dice;
    this.#server = this.#startServer();
    this.#talkers = own.map(({ name }) =>
      new Talker(name, () =>
        start(name, client, {
          args: [
            ...["chat", this.#relay.address, `--user=${name}`, `--host-key=${hostKey.toBase64()}`],
            ...["--json", `--reconnect=${RECONNECT_S}`],
          ],
          env: { SOTTO_CONFIG_DIR: `${folder}/${name}` },
        }))
    );
  }

  /** Accounts, folders, and a server that has been started. */
  static async begin(folder: string, dice: Dice): Promise<Play> {
    const dataDir = `${folder}/server`;
    const names = Array.from({ length: TALKERS }, (_, at) => `member-${at}`);
    const keys = await enrolled(dataDir, names);
    const own = names.flatMap((name, at) => {
      const its = keys[at];
      return its === undefined ? [] : [{ name, keys: its }];
    });
    for (const { name, keys } of own) {
      await keepKeys(`${folder}/${name}`, { dataDir, user: name, own: keys });
    }
    return new Play(dataDir, dice, { own, hostKey: await hostKeyIn(dataDir), folder });
  }

  /** All come in, and into a room of their own. */
  async meet(): Promise<void> {
    await this.#listening();
    const [first, ...others] = this.#talkers;
    ok(first !== undefined);
    await Promise.all(this.#talkers.map((talker) => talker.come()));
    await first.ask({ type: "create", room: "#den", visibility: "public" });
    await comesInto(first, "#den");
    for (const talker of others) await talker.ask({ type: "join", room: "#den" });
    for (const talker of others) await comesInto(talker, "#den");
  }

  /** Everybody talks; the server is killed so many times, and started again each time. */
  async talkAndKill(kills: number): Promise<void> {
    const talking = this.#talkers.map((talker, at) => this.#talk(talker, new Dice(at, "talker")));
    const cutting = this.#cutLines();
    for (let count = 0; count < kills; count++) {
      // One in five has not got far enough to listen.
      if (!this.#dice.chance(0.2)) await this.#listening();
      await pause(this.#dice.below(RUNS_MS_MAX));
      this.#server.kill("SIGKILL");
      await this.#server.ended;
      this.#relay.port = undefined;
      this.#server = this.#startServer();
    }
    await this.#listening();
    this.#isOver = true;
    await Promise.all([...talking, cutting]);
  }

  /** All is acknowledged; then everybody looks once more, and so do we. */
  async endAndCheck(): Promise<void> {
    await Promise.all(this.#talkers.map((talker) => endWithNothingLeft(talker)));
    await Promise.all(this.#talkers.map((talker) => talker.come()));
    const heads = new Map(
      ROOMS.map((room) => [room, Math.max(...this.#talkers.map((each) => each.last(room)))]),
    );
    await Promise.all(this.#talkers.map((talker) => isComplete(talker, heads)));
    for (const talker of this.#talkers) equal((await talker.quit()).code, 0);
    this.#server.kill("SIGTERM");
    equal(await this.#server.ended, 0, "the server's exit code");

    const logs = await logsIn(this.#dataDir);
    const witnesses = this.#talkers.map(({ witness }) => witness);
    const said = witnesses.reduce((sum, { said }) => sum + said.length, 0);
    const entries = Array.from(logs.values(), ({ length }) => length);
    console.log(
      `${said} said, ${
        entries.join(" + ")
      } entries, ${this.#relay.cuts} cuts, ${this.#clientKills} clients killed`,
    );
    deepEqual(faultsOf({ logs, witnesses }).slice(0, 20), []);
    for (const [room, head] of heads) equal(logs.get(room)?.length, head, `the length of ${room}`);
  }

  /** Ends all that runs. */
  async close(): Promise<void> {
    this.#isOver = true;
    for (const talker of this.#talkers) await talker.kill().catch(() => {});
    this.#server.kill("SIGKILL");
    await this.#server.ended;
    await this.#relay.close();
  }

  #startServer(): Program {
    return start("the server", server, { args: ["--port=0", `--data-dir=${this.#dataDir}`] });
  }

  async #listening(): Promise<void> {
    const { address } = await announcement(this.#server);
    this.#relay.port = Number(address.split(":").at(-1));
  }

  async #talk(talker: Talker, dice: Dice): Promise<void> {
    while (!this.#isOver) {
      await talker.say(dice.pick(ROOMS));
      await pause(dice.below(SAYS_MS_MAX));
      // About once in a run of ten kills.
      if (!dice.chance(0.03)) continue;
      for (let more = dice.below(5); more > 0; more--) await talker.say(dice.pick(ROOMS));
      await talker.kill();
      this.#clientKills += 1;
      await pause(dice.below(SAYS_MS_MAX));
      await talker.come();
    }
  }

  async #cutLines(): Promise<void> {
    while (!this.#isOver) {
      await pause(this.#dice.below(CUTS_MS_MAX));
      this.#relay.cutOne((count) => this.#dice.below(count));
    }
  }
}

/** Whoever has no connection at the moment ends with what is to be sent at the next start, and says so. */
async function endWithNothingLeft(talker: Talker): Promise<void> {
  for (;;) {
    const { code, errors } = await talker.quit();
    if (code === 0) return equal(errors, "");
    match(errors, ENDS_TO_BE_REPEATED);
    equal(code, 75);
    await talker.come();
  }
}

async function comesInto(talker: Talker, room: string): Promise<void> {
  await talker.until(
    `it came into ${room}`,
    (event) => event.type === "room" && event.room === room || undefined,
  );
}

/** Settles when a client says that its logs are whole up to there, for which it may have to read on. */
async function isComplete(talker: Talker, heads: ReadonlyMap<string, number>): Promise<void> {
  for (const [room, head] of heads) {
    for (let upTo = 0, asked = 1; upTo < head; asked++) {
      await talker.ask({ type: "check", room });
      upTo = await talker.answer(
        `it checked ${room}`,
        asked,
        (event) => event.type === "integrity" && event.asked && event.room === room ? event.upTo : undefined,
      );
    }
  }
}

function pause(wait_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, wait_ms));
}
