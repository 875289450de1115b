/**
 * What a login costs a server, from the first octet to the goodbye: by a device's key, and by OPAQUE. What it costs the
 * client does not count; see `quick_opaque.ts` for what a client leaves out.
 *
 * @module
 */

import { openSotto, startPeer } from "./contestant.ts";
import { PEERS } from "./peer_server.ts";
import { cpuSeconds } from "./process_meter.ts";
import type { Row, Stage } from "./scenario.ts";
import { median } from "./statistics.ts";

const PLANS = {
  full: { accounts: 100, rounds: 3, logins: { device: 600, password: 300 }, tls: 600 },
  quick: { accounts: 4, rounds: 1, logins: { device: 12, password: 8 }, tls: 12 },
} as const;

/** Logins under way at once: not so many that wrong passwords seem to be among them (lib/chat/back_off.ts). */
const AT_ONCE = 8;

/** Issue 6, in milliseconds. */
const GOALS = { device: { atMost: 0.45 }, password: { atMost: 1.6 } } as const;

const WHATS = {
  device: "hybrid handshake, login by device, goodbye",
  password: "hybrid handshake, login by OPAQUE, goodbye",
} as const;

const MILLISECONDS = 1_000;

/** Measures both. */
export async function storm(stage: Stage): Promise<readonly Row[]> {
  const { accounts, rounds, logins } = PLANS[stage.scale];
  const tls = stage.peers ? await tlsHandshake(stage) : undefined;
  const sotto = await openSotto(stage, "storm", {
    accounts,
    passwords: true,
    // Each alone in a room: who comes and goes is nobody's news.
    furnish: (house) => house.furnish(house.residents.map((_, at) => ({ from: at, to: at + 1 }))),
  });
  const load = sotto.load();
  const { pid } = sotto.server;
  try {
    const rows: Row[] = [];
    for (const by of ["device", "password"] as const) {
      await load.order({ order: "storm", by, count: logins[by], atOnce: AT_ONCE });
      const figures: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const before = await cpuSeconds(pid);
        const { count } = await load.order({ order: "storm", by, count: logins[by], atOnce: AT_ONCE });
        figures.push((await cpuSeconds(pid) - before) * MILLISECONDS / count);
      }
      rows.push({
        what: WHATS[by],
        figure: median(figures),
        unit: "ms CPU",
        goal: GOALS[by],
        peers: tls === undefined ? [] : [{ name: "Deno's TLS, handshake alone", figure: tls }],
      });
    }
    return rows;
  } finally {
    await load.kill();
    await sotto.server.kill();
  }
}

/** What a handshake costs a relay behind `Deno.listenTls`, which knows nobody. */
async function tlsHandshake(stage: Stage): Promise<number | undefined> {
  const { tls: count } = PLANS[stage.scale];
  const relay = PEERS.find(({ dialect, tls }) => dialect === "relay" && tls);
  const running = relay && await startPeer(stage, relay);
  if (running === undefined) return undefined;
  const load = running.load();
  try {
    const warm = Math.ceil(count / 4);
    await load.order({ order: "come", from: 0, to: warm, atOnce: count });
    const before = await cpuSeconds(running.pid);
    await load.order({ order: "come", from: warm, to: warm + count, atOnce: count });
    return (await cpuSeconds(running.pid) - before) * MILLISECONDS / count;
  } finally {
    await load.kill();
    await running.kill();
  }
}
