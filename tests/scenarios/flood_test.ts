/**
 * Somebody who does too much of everything: that one is slowed down, and nobody else.
 *
 * @module
 */

import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { RATES } from "../../lib/chat/rate.ts";
import { parseEndpointText } from "../../lib/identity/endpoint.ts";
import { burst, join, type Member } from "../crowd/member.ts";
import { enrolled } from "./enrolled.ts";
import { scenario, type Server, type Stage } from "./stage.ts";

const LOBBY = "#lobby";

/** Beyond what is taken at once. */
const BEYOND = 200;

/** How often others say something meanwhile. */
const ROUNDS = 8;

/** Acts that are allowed while a test goes on, beyond those at once; each takes a second. */
const ACTS_MEANWHILE_MAX = 10;

/** How long what others say may take to be heard meanwhile, in milliseconds, on however slow a machine. */
const HEARD_MS_MAX = 3_000;

scenario(
  "attack 33: whoever floods a room is heard at the pace that all are given, and others are heard at once",
  async (stage) => {
    const server = await stage.server();
    const [ann, ben, mallory] = await members(stage, server, ["ann", "ben", "mallory"]);
    const { entries } = RATES;
    const started_ms = performance.now();
    const flooding = burst(mallory, entries.burst + BEYOND).then(() => mallory.hears(entries.burst + BEYOND));
    const talk_ms = await talked(stage, [ann, ben]);
    await flooding;
    const took_ms = performance.now() - started_ms;
    ok(took_ms > 0.8 * 1_000 * BEYOND / entries.perSecond, `it took ${took_ms} ms`);
    ok(Math.max(...talk_ms) < HEARD_MS_MAX, `${talk_ms.join(" ms, ")} ms`);
    equal(mallory.acknowledged(), entries.burst + BEYOND, "nothing of it is lost either");
    await goHome([ann, ben, mallory]);
  },
);

scenario(
  "attack 33: rooms, joins, invitations and requests beyond all measure are refused, and nobody else is refused anything",
  async (stage) => {
    const server = await stage.server();
    const [ann, ben, mallory] = await members(stage, server, ["ann", "ben", "mallory"]);
    const { burst: actsAtOnce } = RATES.acts;
    const acts = Array.from({ length: 2 * actsAtOnce }, (_, at) => at);
    await mallory.chat.request({ type: "send", room: "@ann", text: "take notice of me" });
    await Promise.all(
      acts.map((at) => mallory.chat.request({ type: "create", room: `#m${at}`, visibility: "public" })),
    );
    const made = acts.length - tooFast(mallory);
    ok(made <= actsAtOnce + ACTS_MEANWHILE_MAX, `${made} rooms were made`);
    for (const type of ["invite", "kick"] as const) {
      const before = tooFast(mallory);
      await Promise.all(
        acts.map(() =>
          mallory.chat.request({
            type,
            room: "#m0",
            handle: type === "invite" ? "ben" : "ann",
            reason: undefined,
          })
        ),
      );
      ok(tooFast(mallory) - before >= actsAtOnce, `${type}: ${tooFast(mallory) - before} were refused`);
    }
    await Promise.all(
      acts.map(() => mallory.chat.request({ type: "send", room: "@ann", text: "and again" })),
    );
    const talk_ms = await talked(stage, [ann, ben]);
    ok(Math.max(...talk_ms) < HEARD_MS_MAX, `${talk_ms.join(" ms, ")} ms`);
    equal(await ann.chat.request({ type: "create", room: "#garden", visibility: "public" }), undefined);
    deepEqual([ann.faults, ben.faults], [[], []]);
    // Of all that she wrote to ann there is one request, which tells nothing of what she said.
    deepEqual(ann.heard.filter((line) => line.includes("notice") || line.includes("again")), []);
    await goHome([ann, ben, mallory]);
  },
);

/** People whose clients are faster than programs of their own, so that the server alone is what slows them down. */
async function members(
  stage: Stage,
  server: Server,
  names: readonly [string, string, string],
): Promise<[Member, Member, Member]> {
  const endpoint = parseEndpointText(server.address) ?? fail(server.address);
  const place = { endpoint, hostKey: Uint8Array.fromBase64(server.hostKey) };
  const all = await enrolled(server.dataDir, names);
  const member = (at: number): Promise<Member> =>
    join(place, names[at] ?? "", all[at] ?? fail("nobody"), { changed: () => stage.changes.tell() });
  return [await member(0), await member(1), await member(2)];
}

/** Has two say things in the lobby; gives how long each took to be heard, in milliseconds. */
async function talked(stage: Stage, two: readonly [Member, Member]): Promise<readonly number[]> {
  const times_ms: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [speaker, listener] of [two, two.toReversed()]) {
      const text = `${speaker?.name} says a word, number ${round}`;
      const started_ms = performance.now();
      await speaker?.chat.request({ type: "send", room: LOBBY, text });
      await stage.until(text, () => listener?.heard.some((line) => line.endsWith(text)) || undefined);
      times_ms.push(performance.now() - started_ms);
    }
  }
  return times_ms;
}

/** How much was refused of what somebody did too often. */
function tooFast({ faults }: Member): number {
  return faults.filter((code) => code === "tooFast").length;
}

async function goHome(all: readonly Member[]): Promise<void> {
  for (const { chat, ended } of all) {
    await chat.request({ type: "quit" });
    await ended;
  }
}
