/**
 * What a connection that says nothing costs a server in memory: what the process has in use with so many logged in, less
 * what it had with one.
 *
 * @module
 */

import { GROUP, openSotto, startPeer } from "./contestant.ts";
import type { Load } from "./load.ts";
import { PEERS } from "./peer_server.ts";
import { residentBytes } from "./process_meter.ts";
import type { Goal, Row, Stage } from "./scenario.ts";

const SIZES = { full: [1_000, 5_000], quick: [20, 60] } as const;

/** How long a server may tidy up before it is looked at, in milliseconds. */
const REST_MS = { full: 5_000, quick: 200 } as const;

/** Issue 6, in KB of a thousand octets. */
const GOALS: Readonly<Record<number, Goal>> = { 1_000: { atMost: 24 }, 5_000: { atMost: 14 } };

const KILOBYTE = 1_000;

/** Peers that are looked at, too. */
const NAMES: readonly string[] = ["relay, TCP, coalescing", "relay, TLS, coalescing"];

/** Measures both sizes. */
export async function idleMemory(stage: Stage): Promise<readonly Row[]> {
  const sizes = SIZES[stage.scale];
  const accounts = Math.max(...sizes);
  const sotto = await openSotto(stage, "idle", {
    accounts,
    // Each alone in a room: who comes is nobody's news.
    furnish: (house) => house.furnish(house.residents.map((_, at) => ({ from: at, to: at + 1 }))),
  });
  const own = await memories(stage, {
    pid: sotto.server.pid,
    load: sotto.load,
    kill: () => sotto.server.kill(),
  });
  const peers: { readonly name: string; readonly figures: readonly number[] }[] = [];
  for (const peer of stage.peers ? PEERS.filter(({ name }) => NAMES.includes(name)) : []) {
    const running = await startPeer(stage, peer);
    if (running !== undefined) peers.push({ name: peer.name, figures: await memories(stage, running) });
  }
  return sizes.map((size, at) => {
    const goal = GOALS[size];
    return {
      what: `${size} connections, idle and logged in`,
      figure: own[at] ?? NaN,
      unit: "KB each",
      ...(goal === undefined ? {} : { goal }),
      peers: peers.map(({ name, figures }) => ({ name, figure: figures[at] ?? NaN })),
    };
  });
}

/** Kilobytes a connection, at each size; the server is ended afterwards. */
async function memories(
  stage: Stage,
  { pid, load: start, kill }: {
    readonly pid: number;
    readonly load: () => Load;
    readonly kill: () => Promise<void>;
  },
): Promise<readonly number[]> {
  const load = start();
  try {
    await load.order({ order: "come", from: 0, to: 1, atOnce: 1 });
    await rest(stage);
    const before = await residentBytes(pid);
    const figures: number[] = [];
    let from = 1;
    for (const size of SIZES[stage.scale]) {
      await load.order({ order: "come", from, to: size, atOnce: GROUP });
      from = size;
      await rest(stage);
      figures.push((await residentBytes(pid) - before) / KILOBYTE / (size - 1));
      stage.note(`${size} connections are there`);
    }
    return figures;
  } finally {
    await load.kill();
    await kill();
  }
}

async function rest({ scale }: Stage): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS[scale]));
}
