/**
 * What one who behaves badly costs others: how long it takes from saying to hearing in a room as lively as that of
 * `latency`, quiet, and while somebody does not read, floods, or begins handshakes without end. Each of these plays in a
 * process of its own, so that nothing is shared with those who are asked but the server, and the processors.
 *
 * @module
 */

import { crowdIn, openSotto, type Sotto } from "./contestant.ts";
import type { Load } from "./load.ts";
import { residentBytes } from "./process_meter.ts";
import type { Row, Stage } from "./scenario.ts";
import { median, quantile } from "./statistics.ts";

const PLANS = {
  full: { probes: 8, crowd: 92, rounds: 3, ms: 6_000, strangersAtOnce: 64 },
  quick: { probes: 2, crowd: 2, rounds: 1, ms: 500, strangersAtOnce: 4 },
} as const;

/** As lively as a room of a hundred gets. */
const PER_SECOND = 20;

/** Others are to notice it by so much at the most, as a multiple of the quiet figure (issue 6). */
const TIMES_MAX = 3;

/**
 * What is said to whoever does not read: 5 MB a second. What the system keeps for a connection, about 10 MiB, and what the
 * server queues for it, 4 MiB (lib/secure/link.ts), are full before a round is over.
 */
const NOISE = { bytes: 8_000, perSecond: 640 } as const;

/** Who says it: few, since each hears the others, and enough to keep within their rates (lib/chat/rate.ts) for a round. */
const TALKERS = 3;

/** Messages that each of them has under way. */
const NOISE_WINDOW = 4;

/** More messages under way than a client of ours has. */
const FLOOD_WINDOW = 256;

/** Accounts by which strangers log in. */
const STRANGERS = 16;

/** So long before a round a disturbance begins, and so long after it it ends, in milliseconds. */
const MARGIN_MS = 200;

/** How often the server's memory is looked at meanwhile: each look starts a process. */
const LOOK_MS = 1_000;

const MEGABYTE = 1_000_000;
const SECOND_MS = 1_000;

/** Who plays what, by their places, and where. */
interface Scene {
  readonly sotto: Sotto;
  /** The room in which delays are measured, and how many are there. */
  readonly lively: string;
  readonly members: number;
  /** Follows both the lively room and the noisy one; the talkers of the latter come behind it. */
  readonly reader: number;
  readonly noisy: string;
  /** Floods a room in which nobody else is there. */
  readonly flooder: number;
  readonly flooded: string;
  /** The first of the strangers. */
  readonly strangers: number;
}

/** One who behaves badly. */
interface Disturbance {
  /** What figures call it. */
  readonly what: string;
  /** Plays it for that many milliseconds; settles when it is over. */
  readonly play: (ms: number) => Promise<void>;
  /** What came of it in all rounds. */
  readonly remark: () => string;
  /** Ends its processes. */
  readonly end: () => Promise<void>;
}

/** Measures all of it. */
export async function disturbance(stage: Stage): Promise<readonly Row[]> {
  const { probes, crowd, ms } = PLANS[stage.scale];
  const rounds = stage.rounds ?? PLANS[stage.scale].rounds;
  const scene = await build(stage, probes + crowd);
  const crowded = { accounts: scene.members, shares: [probes, crowd], turns: probes };
  const contestant = await crowdIn(scene.sotto, scene.lively, crowded);
  const disturbances: Disturbance[] = [];
  try {
    disturbances.push(await unread(scene), flood(scene), handshakes(stage, scene));
    const talk = { senders: 1, window: 1, perSecond: PER_SECOND };
    await contestant.talk({ ...talk, ms });
    const quiet: (readonly number[])[] = [];
    const disturbed = disturbances.map((): (readonly number[])[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [at, { play }] of disturbances.entries()) {
        quiet.push((await contestant.talk({ ...talk, ms })).delays);
        const playing = play(ms + 2 * MARGIN_MS);
        const talking = rest(MARGIN_MS).then(() => contestant.talk({ ...talk, ms }));
        const [{ delays }] = await Promise.all([talking, playing]);
        disturbed[at]?.push(delays);
      }
      stage.note(`round ${round + 1} of ${rounds}`);
    }
    return rowsOf(quiet, disturbances.map((each, at) => ({ ...each, delays: disturbed[at] ?? [] })));
  } finally {
    await Promise.all(disturbances.map((each) => each.end()));
    await contestant.end();
  }
}

async function build(stage: Stage, members: number): Promise<Scene> {
  const reader = members;
  const flooder = reader + 1 + TALKERS;
  const strangers = flooder + 1;
  const sotto = await openSotto(stage, "disturbance", {
    accounts: strangers + STRANGERS,
    furnish: (house) =>
      house.furnish([
        { from: 0, to: reader + 1 },
        { from: reader, to: flooder },
        { from: flooder, to: strangers },
        // Each alone in a room: who comes and goes is nobody's news.
        ...Array.from({ length: STRANGERS }, (_, at) => ({ from: strangers + at, to: strangers + at + 1 })),
      ]),
  });
  const [lively = "", noisy = "", flooded = ""] = sotto.furniture;
  return { sotto, lively, members, reader, noisy, flooder, flooded, strangers };
}

/** A member follows two rooms and reads nothing any more, while much is said in one of them. */
async function unread({ sotto, lively, reader, noisy }: Scene): Promise<Disturbance> {
  const { pid } = sotto.server;
  const [deaf, talkers] = [sotto.load(), sotto.load()];
  await talkers.order({
    order: "come",
    from: reader + 1,
    to: reader + 1 + TALKERS,
    atOnce: TALKERS,
    room: noisy,
  });
  const seats = Array.from({ length: TALKERS }, (_, at) => ({ room: noisy, members: [reader + 1 + at] }));
  const ends: string[] = [];
  const grown: number[] = [];
  const noises: number[] = [];
  return {
    what: "while a reader does not read",
    play: async (ms) => {
      await deaf.order({ order: "deafen", member: reader, rooms: [lively, noisy] });
      const before = await residentBytes(pid);
      const saying = talkers.order({ order: "say", seats, window: NOISE_WINDOW, ms, ...NOISE });
      grown.push(await highest(() => residentBytes(pid), saying) - before);
      const { sequence = 0, count: said } = await saying;
      noises.push(said * NOISE.bytes);
      await talkers.order({ order: "hear", room: noisy, sequence });
      const { count, end = "" } = await deaf.order({
        order: "listen",
        member: reader,
        room: noisy,
        sequence,
      });
      ends.push(count === 0 ? "not cut" : `cut (${end})`);
    },
    remark: () =>
      `${Math.round(median(noises) / MEGABYTE)} MB were said to it, and in each round it was: ${
        ends.join(", ")
      }; ` +
      `the server's memory grew by ${Math.round(Math.max(...grown) / MEGABYTE)} MB at the most`,
    end: () => endAll([deaf, talkers]),
  };
}

/** A member of another room sends as fast as its window lets it. */
function flood({ sotto, flooder, flooded }: Scene): Disturbance {
  const load = sotto.load();
  const rates: number[] = [];
  let [taken, refused] = [0, 0];
  return {
    what: "while a sender floods",
    play: async (ms) => {
      const order = { order: "flood", member: flooder, room: flooded, window: FLOOD_WINDOW, ms } as const;
      const report = await load.order(order);
      taken += report.count;
      refused += report.refused ?? 0;
      rates.push((report.count + (report.refused ?? 0)) * SECOND_MS / report.ms);
    },
    remark: () =>
      `${
        Math.round(median(rates))
      } messages a second, of all ${taken} taken and ${refused} refused as too fast`,
    end: () => endAll([load]),
  };
}

/** Strangers log in and leave, many at once. */
function handshakes(stage: Stage, { sotto, strangers }: Scene): Disturbance {
  const load = sotto.load();
  const rates: number[] = [];
  const who = { from: strangers, to: strangers + STRANGERS };
  const atOnce = PLANS[stage.scale].strangersAtOnce;
  return {
    what: "in a storm of handshakes",
    play: async (ms) => {
      const count = Number.MAX_SAFE_INTEGER;
      const report = await load.order({ order: "storm", by: "device", count, atOnce, ms, ...who });
      rates.push(report.count * SECOND_MS / report.ms);
    },
    remark: () => `${Math.round(median(rates))} logins a second, ${atOnce} at once`,
    end: () => endAll([load]),
  };
}

function rowsOf(
  quiet: readonly (readonly number[])[],
  disturbed: readonly (Disturbance & { readonly delays: readonly (readonly number[])[] })[],
): readonly Row[] {
  const of = (delays: readonly (readonly number[])[], share: number): number =>
    median(delays.map((each) => quantile(each, share)));
  const goal = { atMost: TIMES_MAX * of(quiet, 0.99) };
  return [
    { what: "p50, quiet", figure: of(quiet, 0.5), unit: "ms" },
    { what: "p99, quiet", figure: of(quiet, 0.99), unit: "ms" },
    ...disturbed.flatMap(({ what, delays, remark }) => [
      { what: `p50 ${what}`, figure: of(delays, 0.5), unit: "ms" },
      { what: `p99 ${what}`, figure: of(delays, 0.99), unit: "ms", goal, remark: remark() },
    ]),
  ];
}

/** The highest of what `look` finds until `work` settles. */
async function highest(look: () => Promise<number>, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => isOver = true);
  let found = 0;
  while (!isOver) {
    found = Math.max(found, await look());
    await Promise.race([over, rest(LOOK_MS)]);
  }
  return Math.max(found, await look());
}

async function endAll(loads: readonly Load[]): Promise<void> {
  await Promise.all(loads.map((load) => load.kill()));
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
