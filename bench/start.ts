/**
 * How long a server takes from its start until it accepts connections: from its source and as an executable, with few
 * entries stored and with many, and beside an executable of nothing.
 *
 * @module
 */

import { run } from "../tools/child.ts";
import { EMPTY_PROGRAM } from "../tools/permissions.ts";
import { Program } from "../tools/program.ts";
import type { House } from "./house.ts";
import { houseWithLog } from "./log.ts";
import type { Row, Stage } from "./scenario.ts";
import { isBuilt, type ServerForm, ServerProgram } from "./server_program.ts";
import { median } from "./statistics.ts";

const PLANS = { full: { few: 1_000, starts: 7 }, quick: { few: 200, starts: 2 } } as const;

/** Issue 6, in milliseconds: for the executable with a million entries, and beyond an executable of nothing. */
const GOAL = { atMost: 150 } as const;
const GOAL_BEYOND_EMPTY = { atMost: 40 } as const;

/** Measures all of it. */
export async function start(stage: Stage): Promise<readonly Row[]> {
  const { few, starts } = PLANS[stage.scale];
  const built = await isBuilt();
  if (!built) stage.note("dist/sotto-server is not built, and left out");
  const empty = built ? await emptyStart(stage, starts) : undefined;
  const rows: Row[] = empty === undefined
    ? []
    : [{ what: "an executable of nothing, to its first line", figure: empty, unit: "ms" }];
  for (const count of [few, stage.entries]) {
    const house = await houseWithLog(stage, `${stage.folder}/start-${count}`, count);
    stage.note(`${count} entries are written`);
    for (const form of built ? ["source", "executable"] as const : ["source"] as const) {
      const figure = await startTime(house, form, starts);
      const what = form === "source" ? "from its source" : "the executable";
      const peers = empty === undefined ? [] : [{ name: "nothing", figure: empty }];
      const goal = form === "executable" ? { goal: GOAL } : {};
      rows.push({ what: `${what}, ${count} entries`, figure, unit: "ms", ...goal, peers });
      if (form === "source" || empty === undefined) continue;
      const beyond = { figure: figure - empty, unit: "ms", goal: GOAL_BEYOND_EMPTY };
      rows.push({ what: `${what}, ${count} entries: beyond nothing`, ...beyond });
    }
  }
  return rows;
}

async function startTime({ dataDir }: House, form: ServerForm, starts: number): Promise<number> {
  const figures: number[] = [];
  for (let at = 0; at < starts; at++) {
    const server = await ServerProgram.start(dataDir, form);
    figures.push(server.started_ms);
    await server.stop();
  }
  return median(figures);
}

/**
 * Made by the release that makes the executables, in the one place from which the bench may start it. It stays there until
 * `deno task clean`: Deno lets nobody remove what they may run.
 */
async function emptyStart(stage: Stage, starts: number): Promise<number> {
  const compiler = Deno.env.get("DENO_COMPILE") || Deno.execPath();
  const flags = ["--quiet", "--frozen", "--no-code-cache", "--no-prompt"];
  const { code, output } = await run(compiler, [
    "compile",
    ...flags,
    `--output=${EMPTY_PROGRAM}`,
    "bench/empty_program.ts",
  ]);
  if (code !== 0) throw new Error(`Cannot make an executable of nothing: ${output}`);
  const figures: number[] = [];
  for (let at = 0; at < starts; at++) {
    const began = performance.now();
    const program = new Program("nothing", EMPTY_PROGRAM, { args: [] });
    await program.output.until("it was here", (line) => line === "here" || undefined);
    figures.push(performance.now() - began);
    await program.ended;
  }
  stage.note("an executable of nothing was started");
  return median(figures);
}
