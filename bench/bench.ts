/**
 * `deno task bench [SCENARIO…] [--quick] [--executable] [--alone] [--entries=N]
 * [--sizes=N,N…] [--rounds=N] [--minutes=N]`: measures a server under load from
 * processes of their own, and prints a table in Markdown. What is under way is told on standard error.
 * Without names all scenarios play but `soak`, which takes ten minutes and more and is asked for by its name.
 *
 * @module
 */

import denoJson from "../deno.json" with { type: "json" };
import { chosenMlKem } from "../lib/crypto/ml_kem_choice.ts";
import { webCryptoProvider } from "../lib/crypto/webcrypto.ts";
import { directMessages } from "./direct.ts";
import { disturbance } from "./disturbance.ts";
import { fanOut } from "./fan_out.ts";
import { files } from "./files.ts";
import { idleMemory } from "./idle_memory.ts";
import { latency } from "./latency.ts";
import { longLog } from "./log.ts";
import { machineLoad, processorName } from "./process_meter.ts";
import type { Row, Scenario, Stage } from "./scenario.ts";
import { soak } from "./soak.ts";
import { start } from "./start.ts";
import { storm } from "./storm.ts";
import { TABLE_HEAD, tableLine } from "./table.ts";

const FOLDER = ".sotto/bench";

/** Entries of the longer log, unless a flag says otherwise: more take minutes to be written. */
const ENTRIES = { full: 100_000, quick: 2_000 } as const;

/** All scenarios, in their order. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "fan-out": fanOut,
  latency,
  disturbance,
  storm,
  "idle-memory": idleMemory,
  start,
  "direct-messages": directMessages,
  files,
  log: longLog,
  soak,
};

/** Those that are played where they are asked for by name alone: they take too long. */
const ON_REQUEST: ReadonlySet<string> = new Set(["soak"]);

const FLAG = /^--(?:quick|executable|alone|entries=\d+|rounds=\d+|minutes=\d+|sizes=\d+(?:,\d+)*)$/;

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const asked = args.filter((arg) => !arg.startsWith("--"));
  const unknown = [
    ...asked.filter((name) => !(name in SCENARIOS)),
    ...flags.filter((flag) => !FLAG.test(flag)),
  ];
  if (unknown.length > 0) {
    console.error(`Cannot measure ${unknown.join(", ")}: there are ${Object.keys(SCENARIOS).join(", ")}.`);
    return 64;
  }
  await Deno.mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const folder = await Deno.makeTempDir({ dir: FOLDER });
  const usual = Object.keys(SCENARIOS).filter((name) => !ON_REQUEST.has(name));
  try {
    await play(new Set(asked.length === 0 ? usual : asked), await stageIn(folder, flags));
    return 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
    // Another bench may be under way in there.
    await Deno.remove(FOLDER).catch(() => {});
  }
}

async function stageIn(folder: string, flags: readonly string[]): Promise<Stage> {
  const scale = flags.includes("--quick") ? "quick" : "full";
  const numbers = (name: string): readonly number[] | undefined =>
    flags.find((flag) => flag.startsWith(`--${name}=`))?.split("=")[1]?.split(",").map(Number);
  return {
    // The programs are confined to it, and know it by its whole path.
    folder: await Deno.realPath(folder),
    provider: webCryptoProvider(await chosenMlKem()),
    scale,
    form: flags.includes("--executable") ? "executable" : "source",
    entries: numbers("entries")?.[0] ?? ENTRIES[scale],
    sizes: numbers("sizes"),
    rounds: numbers("rounds")?.[0],
    minutes: numbers("minutes")?.[0],
    peers: !flags.includes("--alone"),
    note: (text) => console.error(`${new Date().toTimeString().slice(0, 8)} ${text}`),
  };
}

async function play(names: Iterable<string>, stage: Stage): Promise<void> {
  for (const line of await machine(stage)) console.log(line);
  for (const line of TABLE_HEAD) console.log(line);
  for (const name of names) {
    stage.note(name);
    const folder = `${stage.folder}/${name}`;
    await Deno.mkdir(folder, { mode: 0o700 });
    const rows = await SCENARIOS[name]?.({ ...stage, folder }) ?? [];
    await Deno.remove(folder, { recursive: true });
    for (const row of rows) console.log(tableLine(name, stage.scale === "quick" ? withoutGoal(row) : row));
  }
  console.log(`\nLoad of the machine at the end: ${await machineLoad()}.`);
}

/** No quick run says whether one is reached. */
function withoutGoal({ goal: _, ...row }: Row): Row {
  return row;
}

async function machine({ form, scale }: Stage): Promise<readonly string[]> {
  const what = form === "source"
    ? `from its source on Deno ${Deno.version.deno}`
    : "as the executable in dist/";
  return [
    `Sotto ${denoJson.version} ${what} (V8 ${Deno.version.v8}), ${new Date().toISOString().slice(0, 10)}, ` +
    `${navigator.hardwareConcurrency} processors (${await processorName()}), ${Deno.build.target}; ` +
    `load of the machine at the beginning: ${await machineLoad()}.` +
    (scale === "quick" ? " A quick run: its figures say that it runs, and nothing else." : ""),
    "",
  ];
}

if (import.meta.main) Deno.exit(await main(Deno.args));
