/**
 * Direct conversations: how many messages a second a server acknowledges, each signed, in its place and on the disk, when
 * many pairs talk at once. The clients' work is done on the same machine, so what the server itself used is told, too.
 *
 * @module
 */

import { GROUP, openSotto } from "./contestant.ts";
import { cpuSeconds } from "./process_meter.ts";
import type { Goal, Row, Stage } from "./scenario.ts";
import { median } from "./statistics.ts";

const PLANS = {
  full: { pairs: 500, rounds: 3, ms: 3_000 },
  quick: { pairs: 4, rounds: 1, ms: 300 },
} as const;

/** Processes that play the pairs between them. */
const PROCESSES = 2;

/** Issue 6, by how many messages each speaker has under way. */
const CELLS: readonly { readonly window: number; readonly goal: Goal }[] = [
  { window: 1, goal: { atLeast: 6_000 } },
  { window: 8, goal: { atLeast: 12_000 } },
];

const SECOND_MS = 1_000;
const MICROSECONDS = 1e6;

/** What came of a while. */
interface Talked {
  readonly count: number;
  readonly perSecond: number;
}

/** Measures both windows. */
export async function directMessages(stage: Stage): Promise<readonly Row[]> {
  const { pairs, rounds, ms } = PLANS[stage.scale];
  const sotto = await openSotto(stage, "direct", {
    accounts: 2 * pairs,
    furnish: (house) => house.pair(pairs),
  });
  const { pid } = sotto.server;
  const share = pairs / PROCESSES;
  const loads = Array.from({ length: PROCESSES }, (_, at) => ({
    load: sotto.load(),
    from: Math.floor(share * at),
    to: Math.floor(share * (at + 1)),
  }));
  try {
    for (const { load, from, to } of loads) {
      await load.order({ order: "come", from: 2 * from, to: 2 * to, atOnce: GROUP });
    }
    const talk = async (window: number, talk_ms: number): Promise<Talked> => {
      const said = await Promise.all(loads.map(({ load, from, to }) => {
        const seats = Array.from({ length: to - from }, (_, at) => ({
          room: sotto.furniture[from + at] ?? "",
          members: [2 * (from + at)],
          listeners: [2 * (from + at) + 1],
        }));
        return load.order({ order: "say", seats, window, ms: talk_ms });
      }));
      const heard = await Promise.all(loads.map(({ load }) => load.order({ order: "hear", sequence: 0 })));
      const count = total(said);
      if (count !== total(heard)) throw new Error(`${total(heard)} of ${count} were heard`);
      return { count, perSecond: count / Math.max(...said.map((each) => each.ms)) * SECOND_MS };
    };
    // The first time, everybody begins to follow their conversation.
    await talk(1, ms / 4);
    const rows: Row[] = [];
    for (const { window, goal } of CELLS) {
      const [rates, costs]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        const before = await cpuSeconds(pid);
        const { count, perSecond } = await talk(window, ms);
        rates.push(perSecond);
        costs.push((await cpuSeconds(pid) - before) * MICROSECONDS / count);
      }
      const what = `${pairs} pairs, W=${window}`;
      rows.push(
        { what, figure: median(rates), unit: "acknowledged a second", goal },
        { what: `${what}: what the server used`, figure: median(costs), unit: "µs CPU per message" },
      );
    }
    return rows;
  } finally {
    await Promise.all(loads.map(({ load }) => load.kill()));
    await sotto.server.kill();
  }
}

function total(reports: readonly { readonly count: number }[]): number {
  return reports.reduce((sum, each) => sum + each.count, 0);
}
