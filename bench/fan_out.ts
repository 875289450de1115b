/**
 * What it costs a server that somebody says something to a room: processor time per message delivered, by the room's size,
 * by how many speak, and by how many messages each has under way. The relays and servers beside it take turns with it.
 *
 * @module
 */

import { ROOM_MEMBERS_MAX } from "../lib/wire/limits.ts";
import { type Contestant, peerContestant, sottoContestant } from "./contestant.ts";
import { PEERS } from "./peer_server.ts";
import type { Goal, Row, Stage } from "./scenario.ts";
import { lineThrough, median } from "./statistics.ts";

/** What is measured at a scale. */
const PLANS = {
  full: {
    sizes: [10, 100, 1_000, 5_000],
    rounds: 3,
    ms: 1_500,
    /** A size beyond which a room would be too long in coming for peers to come, too. */
    peersUpTo: 1_000,
  },
  quick: { sizes: [4, 16], rounds: 1, ms: 200, peersUpTo: 16 },
} as const;

/** How many speak, and how many messages each has under way. */
const CELLS = [
  { senders: 1, window: 1 },
  { senders: 4, window: 1 },
  { senders: 1, window: 16 },
  { senders: 4, window: 16 },
] as const;

/**
 * What is said before anything is counted, each for the time of two cells: an engine has optimised a server's code by
 * then, that of single messages last.
 */
const WARM_UPS = [{ senders: 4, window: 16 }, { senders: 1, window: 1 }] as const;

/** A room so big is played by more than one process: each then sees that the others heard the same. */
const TWO_PROCESSES_FROM = 1_000;

/** Issue 6. */
const GOALS: Readonly<Record<string, Goal>> = {
  "1000 16 1": { atMost: 0.7 },
  "100 16 1": { atMost: 1.4 },
  "100 16 4": { atMost: 1.0 },
  "100 1 1": { atMost: 8 },
  "100 1 4": { atMost: 6 },
};

/** From where to where a room grows, and what a message may then cost, as a multiple. */
const GROWTH = { from: 1_000, to: 5_000, goal: { atMost: 1.7 } } as const;

/** The lines are fitted up to here: beyond it other things begin to count. */
const FITTED_UP_TO = 1_000;

const MICROSECONDS = 1e6;

/** What was measured in one cell of one size, in microseconds per message delivered. */
type Measured = ReadonlyMap<string, readonly number[]>;

/** Measures all sizes. */
export async function fanOut(stage: Stage): Promise<readonly Row[]> {
  const sizes = stage.sizes ?? PLANS[stage.scale].sizes;
  const rows: Row[] = [];
  const medians: Figure[] = [];
  for (const size of sizes) {
    const measured = await measureSize(stage, size);
    CELLS.forEach((cell, at) => {
      const of = measured[at] ?? new Map();
      const figure = median(of.get("sotto") ?? []);
      medians.push({ ...cell, size, figure });
      rows.push(rowOf({ ...cell, size, figure }, of));
    });
  }
  return [...rows, ...linesOf(medians), ...growthOf(medians)];
}

interface Figure {
  readonly size: number;
  readonly senders: number;
  readonly window: number;
  readonly figure: number;
}

async function measureSize(stage: Stage, size: number): Promise<readonly Measured[]> {
  const contestants: Contestant[] = [];
  try {
    for await (const contestant of gather(stage, size)) contestants.push(contestant);
    return await takeTurns(stage, size, contestants);
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.end()));
  }
}

async function takeTurns(
  stage: Stage,
  size: number,
  contestants: readonly Contestant[],
): Promise<readonly Measured[]> {
  const { ms } = PLANS[stage.scale];
  const rounds = stage.rounds ?? PLANS[stage.scale].rounds;
  for (const contestant of contestants) {
    for (const cell of WARM_UPS) await contestant.talk({ ...cell, ms: 2 * ms });
  }
  const cells = CELLS.map(() => new Map<string, number[]>());
  for (let round = 0; round < rounds; round++) {
    for (const [at, cell] of CELLS.entries()) {
      for (const contestant of contestants) {
        const { cpu_s, heard } = await contestant.talk({ ...cell, ms });
        const figures = cells[at]?.get(contestant.name) ?? [];
        cells[at]?.set(contestant.name, [...figures, cpu_s * MICROSECONDS / heard]);
      }
    }
    stage.note(`room of ${size}: round ${round + 1} of ${rounds}`);
  }
  return cells;
}

async function* gather(stage: Stage, size: number): AsyncGenerator<Contestant> {
  const half = Math.floor(size / 2);
  const shares = size >= TWO_PROCESSES_FROM ? [size - half, half] : [size];
  yield await sottoContestant(stage, { accounts: Math.min(size, ROOM_MEMBERS_MAX), shares });
  stage.note(`room of ${size}: all are there`);
  if (!stage.peers || size > PLANS[stage.scale].peersUpTo) return;
  for (const peer of PEERS) {
    const contestant = await peerContestant(stage, peer, { shares: [size] });
    if (contestant !== undefined) yield contestant;
  }
}

function rowOf({ size, senders, window, figure }: Figure, measured: Measured): Row {
  const goal = GOALS[`${size} ${window} ${senders}`];
  const peers = Array.from(measured).filter(([name]) => name !== "sotto");
  return {
    what: `room of ${size}, W=${window}, ${senders === 1 ? "1 sender" : `${senders} senders`}`,
    figure,
    unit: "µs CPU per delivered message",
    ...(goal === undefined ? {} : { goal }),
    peers: peers.map(([name, figures]) => ({ name, figure: median(figures) })),
    ...(size > ROOM_MEMBERS_MAX
      ? { remark: `${ROOM_MEMBERS_MAX} accounts, some with two connections: a room has no more` }
      : {}),
  };
}

/** What an entry costs whoever hears it, and what each one who does adds. */
function linesOf(figures: readonly Figure[]): readonly Row[] {
  return CELLS.flatMap(({ senders, window }) => {
    const points = figures
      .filter((each) => each.senders === senders && each.window === window && each.size <= FITTED_UP_TO)
      .map(({ size, figure }) => [size - 1, figure * (size - 1)] as const);
    const line = lineThrough(points);
    if (line === undefined) return [];
    const what = `W=${window}, ${senders === 1 ? "1 sender" : `${senders} senders`}`;
    return [
      { what: `${what}: fixed cost`, figure: line.fixed, unit: "µs CPU per entry" },
      { what: `${what}: slope`, figure: line.slope, unit: "µs CPU per recipient" },
    ];
  });
}

function growthOf(figures: readonly Figure[]): readonly Row[] {
  return CELLS.flatMap(({ senders, window }) => {
    const at = (size: number): Figure | undefined =>
      figures.find((each) => each.size === size && each.senders === senders && each.window === window);
    const [small, big] = [at(GROWTH.from), at(GROWTH.to)];
    if (small === undefined || big === undefined) return [];
    const who = senders === 1 ? "1 sender" : `${senders} senders`;
    return [{
      what: `growth from ${GROWTH.from} to ${GROWTH.to} in a room, W=${window}, ${who}`,
      figure: big.figure / small.figure,
      unit: "times",
      goal: GROWTH.goal,
    }];
  });
}
