/**
 * Whether a server keeps going: many connections that say nothing and one lively room, for minutes. Nobody is dropped,
 * memory stays flat, and what is said arrives as quickly at the end as at the beginning.
 *
 * @module
 */

import { type Contestant, crowdIn, GROUP, openSotto, type Sotto } from "./contestant.ts";
import type { Load } from "./load.ts";
import { openFilesMax, residentBytes } from "./process_meter.ts";
import type { Row, Stage } from "./scenario.ts";
import { median, quantile } from "./statistics.ts";

const PLANS = {
  full: { idle: 10_000, room: 1_000, minutes: 10, sliceMs: 30_000 },
  quick: { idle: 20, room: 8, minutes: 0.02, sliceMs: 400 },
} as const;

/** What is said in the lively room, all together. */
const PER_SECOND = 5;

/** Those of the room who are asked, in the speaker's process: what a crowd's process does is not to count. */
const PROBES_MAX = 8;

/** Idle connections that come, or answer, by one order: that takes seconds, and a load may be silent for a minute. */
const ORDER_CONNECTIONS = 1_000;

/** Files that a server has open besides its connections: stores, sockets and what the engine needs. */
const FILES_BESIDES = 100;

/** How much more memory a server may have at the end than after a third of the time: it has warmed up by then. */
const GROWTH_GOAL = { atMost: 1.1 } as const;

const MINUTE_MS = 60_000;
const MEGABYTE = 1_000_000;

/** One slice of the time. */
interface Slice {
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
}

/** Measures it. */
export async function soak(stage: Stage): Promise<readonly Row[]> {
  const plan = PLANS[stage.scale];
  const [idle = plan.idle, room = plan.room] = stage.sizes ?? [];
  const minutes = stage.minutes ?? plan.minutes;
  const sotto = await openSotto(stage, "soak", {
    accounts: room + idle,
    furnish: (house) =>
      house.furnish([
        { from: 0, to: room },
        // Each alone in a room: who comes is nobody's news.
        ...Array.from({ length: idle }, (_, at) => ({ from: room + at, to: room + at + 1 })),
      ]),
  });
  stage.note(`${room + idle} accounts are made`);
  const [lively = "", ...alone] = sotto.furniture;
  try {
    await expectFiles(sotto.server.pid, idle + room);
    const load = sotto.load();
    try {
      return await withIdle(stage, load, { sotto, lively, alone, room, minutes });
    } finally {
      await load.kill();
    }
  } finally {
    await sotto.server.kill();
  }
}

/** Deno has raised what may be open at once as far as it may; loads have the same limit, and fewer connections each. */
async function expectFiles(pid: number, connections: number): Promise<void> {
  const [wanted, most] = [connections + FILES_BESIDES, await openFilesMax(pid)];
  if (wanted <= most) return;
  throw new Error(
    `Cannot hold ${connections} connections: a process may have ${most} files open here; run \`ulimit -n ${wanted}\` ` +
      "before the bench, as root where the hard limit is below that, or give smaller --sizes=IDLE,ROOM.",
  );
}

async function withIdle(
  stage: Stage,
  load: Load,
  { sotto, lively, alone, room, minutes }: {
    readonly sotto: Sotto;
    readonly lively: string;
    readonly alone: readonly string[];
    readonly room: number;
    readonly minutes: number;
  },
): Promise<readonly Row[]> {
  const { pid } = sotto.server;
  for (let at = 0; at < alone.length; at += ORDER_CONNECTIONS) {
    const to = room + Math.min(alone.length, at + ORDER_CONNECTIONS);
    await load.order({ order: "come", from: room + at, to, atOnce: GROUP });
  }
  stage.note(`${alone.length} idle connections are there`);
  const probes = Math.min(PROBES_MAX, Math.ceil(room / 2));
  const crowd = { accounts: room, shares: [probes, room - probes], turns: probes };
  const contestant = await crowdIn(sotto, lively, crowd);
  try {
    stage.note(`room of ${room}: all are there`);
    const slices = await talkOn(stage, contestant, { pid, minutes });
    let answered = 0;
    for (let at = 0; at < alone.length; at += ORDER_CONNECTIONS) {
      const rooms = alone.slice(at, at + ORDER_CONNECTIONS);
      answered += (await load.order({ order: "answer", from: room + at, rooms })).count;
    }
    return rowsOf(slices, { idle: alone.length, room, answered });
  } finally {
    await contestant.end();
  }
}

/** Ends with an error where anybody in the room was dropped, or did not hear what was said. */
async function talkOn(
  stage: Stage,
  contestant: Contestant,
  { pid, minutes }: { readonly pid: number; readonly minutes: number },
): Promise<readonly Slice[]> {
  const until = performance.now() + minutes * MINUTE_MS;
  const slices: Slice[] = [];
  while (performance.now() < until) {
    const ms = Math.ceil(Math.min(PLANS[stage.scale].sliceMs, until - performance.now()));
    const { delays } = await contestant.talk({ senders: 1, window: 1, ms, perSecond: PER_SECOND });
    const slice = {
      bytes: await residentBytes(pid),
      p50: quantile(delays, 0.5),
      p99: quantile(delays, 0.99),
    };
    slices.push(slice);
    stage.note(
      `slice ${slices.length}: ${Math.round(slice.bytes / MEGABYTE)} MB, ` +
        `p50 ${slice.p50.toFixed(1)} ms, p99 ${slice.p99.toFixed(1)} ms`,
    );
  }
  return slices;
}

function rowsOf(
  slices: readonly Slice[],
  { idle, room, answered }: { readonly idle: number; readonly room: number; readonly answered: number },
): readonly Row[] {
  const where = `${idle} idle, room of ${room}`;
  const warm = slices[Math.floor(slices.length / 3)]?.bytes ?? NaN;
  const last = slices.at(-1)?.bytes ?? NaN;
  const worst = Math.max(...slices.map(({ p99 }) => p99));
  return [
    {
      what: `${where}: idle connections that answered at the end`,
      figure: answered,
      unit: "connections",
      goal: { atLeast: idle },
    },
    { what: "memory after the first slice", figure: (slices[0]?.bytes ?? NaN) / MEGABYTE, unit: "MB" },
    { what: "memory at the end", figure: last / MEGABYTE, unit: "MB", remark: `${slices.length} slices` },
    {
      what: "memory at the end to that after a third",
      figure: last / warm,
      unit: "times",
      goal: GROWTH_GOAL,
    },
    {
      what: `${PER_SECOND} messages a second: p50`,
      figure: median(slices.map(({ p50 }) => p50)),
      unit: "ms",
    },
    {
      what: `${PER_SECOND} messages a second: p99`,
      figure: median(slices.map(({ p99 }) => p99)),
      unit: "ms",
    },
    { what: "p99 of the worst slice", figure: worst, unit: "ms" },
  ];
}
