/**
 * What a long log costs: a server with a thousand entries in its lobby and one with many more. Start-up, a newcomer's coming
 * in and paging anywhere are to take as long on both. The programs are the real ones, the client among them.
 *
 * @module
 */

import * as v from "valibot";
import { OwnKeysFiles } from "../lib/store/own_keys_file.ts";
import { LOBBY } from "../lib/wire/message.ts";
import { clientPermissions, confined } from "../tools/permissions.ts";
import { Program } from "../tools/program.ts";
import { House, type Resident } from "./house.ts";
import { lengthenLobby } from "./long_room.ts";
import type { Row, Stage } from "./scenario.ts";
import { ServerProgram } from "./server_program.ts";
import { median } from "./statistics.ts";

/** How often each is measured; the median counts, as the first run of each finds cold caches. */
const PLANS = {
  full: { short: 1_000, comings: 5, pages: 100 },
  quick: { short: 200, comings: 1, pages: 3 },
} as const;

/** Entries of a page that is asked for. */
const PAGE_ENTRIES = 100;

/** Milliseconds between two entries of such a log. */
const STEP_MS = 1_000;

/** How many times as long anything may take with the longer log before it counts as growing. */
const RATIO_MAX = 1.5;

const PageSchema = v.object({
  type: v.literal("page"),
  first: v.nullable(v.number()),
  last: v.nullable(v.number()),
});

/** What was measured of one log, in milliseconds. */
type Figures = Readonly<Record<"coming in" | "a page by its number" | "a page by its time", number>>;

/** Measures both logs. */
export async function longLog(stage: Stage): Promise<readonly Row[]> {
  const { short: few } = PLANS[stage.scale];
  const short = await figuresOf(stage, few);
  const long = await figuresOf(stage, stage.entries);
  return Object.entries(short).map(([name, before]) => {
    const after = Object.entries(long).find(([each]) => each === name)?.[1] ?? NaN;
    return {
      what: `${name}: with ${stage.entries} entries instead of ${few}`,
      figure: after / before,
      unit: "times",
      goal: { atMost: RATIO_MAX },
      remark: `${before.toFixed(1)} ms and ${after.toFixed(1)} ms`,
    };
  });
}

/** A server's data folder whose lobby has `count` entries. */
export async function houseWithLog(stage: Stage, folder: string, count: number): Promise<House> {
  const house = await House.build(`${folder}/server`, { accounts: 1 }, stage.provider);
  // The server makes the lobby, which is then there to be lengthened, and lets its owner into it.
  await withServer(
    stage,
    house,
    async (server) => await quit((await comeIn(house, server, `${folder}/0`)).client),
  );
  const { handle, own: keys } = residentOf(house);
  await lengthenLobby(house.dataDir, { provider: stage.provider, author: { handle, keys }, count });
  return house;
}

async function figuresOf(stage: Stage, count: number): Promise<Figures> {
  const { comings, pages } = PLANS[stage.scale];
  const folder = `${stage.folder}/log-${count}`;
  const house = await houseWithLog(stage, folder, count);
  stage.note(`${count} entries are written`);
  const [cames, numbers, moments]: [number[], number[], number[]] = [[], [], []];
  await withServer(stage, house, async (server) => {
    for (let at = 1; at <= comings; at++) {
      const { client, came_ms } = await comeIn(house, server, `${folder}/${at}`);
      cames.push(came_ms);
      for (let page = 0; at === 1 && page < pages; page++) {
        const seq = 1 + Math.floor(Math.random() * count);
        numbers.push(await pageTime(client, { from: "around", seq }, page));
      }
      for (let page = 0; at === 1 && page < pages; page++) {
        const time = Date.now() - Math.floor(Math.random() * count) * STEP_MS;
        moments.push(await pageTime(client, { from: "since", time }, pages + page));
      }
      await quit(client);
    }
  });
  return {
    "coming in": median(cames),
    "a page by its number": median(numbers),
    "a page by its time": median(moments),
  };
}

async function withServer(
  stage: Stage,
  house: House,
  work: (server: ServerProgram) => Promise<void>,
): Promise<void> {
  const server = await ServerProgram.start(house.dataDir, stage.form);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

/** A client that knows nothing of the log yet, and how many milliseconds it took until it had the newest of it. */
async function comeIn(
  house: House,
  { address }: ServerProgram,
  configDir: string,
): Promise<{ readonly client: Program; readonly came_ms: number }> {
  const hostKeySha256 = await house.provider.sha256(house.hostKey);
  const { handle, own } = residentOf(house);
  await new OwnKeysFiles({ configDir, hostKeySha256 }).save(handle, own);
  const began = performance.now();
  const client = new Program("the client", Deno.execPath(), {
    args: [
      ...["run", "--frozen", ...confined(clientPermissions(), configDir)],
      ...["client.ts", "chat", address, `--user=${handle}`, `--host-key=${house.hostKey.toBase64()}`],
      "--json",
    ],
    env: { SOTTO_CONFIG_DIR: configDir },
  });
  await client.output.until("it was let in", (line) => line.includes('"state":"ready"') || undefined);
  await client.write(JSON.stringify({ type: "check", room: LOBBY }));
  await client.output.until("it had the log", (line) => line.startsWith('{"type":"integrity"') || undefined);
  return { client, came_ms: performance.now() - began };
}

function residentOf({ residents }: House): Resident {
  const [resident] = residents;
  if (resident === undefined) throw new Error("nobody lives here");
  return resident;
}

/** Milliseconds from asking for a page to its end; `number` pages were asked for before. */
async function pageTime(
  client: Program,
  where: Readonly<Record<string, unknown>>,
  number: number,
): Promise<number> {
  const began = performance.now();
  await client.write(JSON.stringify({ type: "history", room: LOBBY, where, limit: PAGE_ENTRIES }));
  let seen = 0;
  await client.output.until("it told the page", (line) => {
    const isPage = line.startsWith('{"type":"page"') && v.is(PageSchema, JSON.parse(line));
    return isPage && seen++ === number ? true : undefined;
  });
  return performance.now() - began;
}

async function quit(client: Program): Promise<void> {
  await client.write('{"type":"quit"}');
  const code = await client.ended;
  if (code !== 0) throw new Error(`the client ended with ${code}: ${client.errors.lines.join(" | ")}`);
}
