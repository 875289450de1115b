/**
 * How long it takes from saying something until others have it, in a quiet room. Those who are asked are few, in a process
 * of their own beside the speaker's connection, and come between the others: what the crowd's process has to do with what
 * it hears is not to count, and neither is being told first.
 *
 * @module
 */

import { type Contestant, peerContestant, sottoContestant } from "./contestant.ts";
import { PEERS } from "./peer_server.ts";
import type { Row, Stage } from "./scenario.ts";
import { median, quantile } from "./statistics.ts";

const PLANS = {
  full: { probes: 8, crowd: 92, rounds: 3, ms: 10_000 },
  quick: { probes: 2, crowd: 2, rounds: 1, ms: 500 },
} as const;

/** As lively as a room of a hundred gets. */
const PER_SECOND = 20;

/** Issue 6, in milliseconds. */
const GOALS = { p50: { atMost: 1.8 }, p99: { atMost: 2.8 } } as const;

const SHARES = { p50: 0.5, p99: 0.99 } as const;

/** The peers that are native, and the quickest relay. */
const NAMES: readonly string[] = ["relay, TCP, coalescing", "ngircd, TLS", "nats-server"];

/** Measures it. */
export async function latency(stage: Stage): Promise<readonly Row[]> {
  const { probes, crowd, rounds, ms } = PLANS[stage.scale];
  const shares = [probes, crowd];
  const contestants: Contestant[] = [];
  const rows: Row[] = [];
  try {
    contestants.push(await sottoContestant(stage, { accounts: probes + crowd, shares, turns: probes }));
    for (const peer of stage.peers ? PEERS.filter(({ name }) => NAMES.includes(name)) : []) {
      const contestant = await peerContestant(stage, peer, { shares, turns: probes });
      if (contestant !== undefined) contestants.push(contestant);
    }
    const delays = await takeTurns(contestants, { rounds, ms });
    for (const which of ["p50", "p99"] as const) {
      const [own, ...peers] = contestants.map(({ name }) => ({
        name,
        figure: median((delays.get(name) ?? []).map((each) => quantile(each, SHARES[which]))),
      }));
      if (own === undefined) continue;
      const what = `room of ${probes + crowd}, ${PER_SECOND} messages a second: ${which}`;
      rows.push({ what, figure: own.figure, unit: "ms", goal: GOALS[which], peers });
    }
    return rows;
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.end()));
  }
}

async function takeTurns(
  contestants: readonly Contestant[],
  { rounds, ms }: { readonly rounds: number; readonly ms: number },
): Promise<ReadonlyMap<string, readonly (readonly number[])[]>> {
  const delays = new Map<string, (readonly number[])[]>();
  const talk = { senders: 1, window: 1, perSecond: PER_SECOND };
  for (const contestant of contestants) await contestant.talk({ ...talk, ms: ms / 5 });
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const { delays: found } = await contestant.talk({ ...talk, ms });
      delays.set(contestant.name, [...delays.get(contestant.name) ?? [], found]);
    }
  }
  return delays;
}
