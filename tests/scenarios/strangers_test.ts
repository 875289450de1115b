/**
 * Strangers at the server's port who know no key: they repeat what they recorded, lie about lengths, or take all the
 * time in the world. The last takes the 10 seconds that a handshake may take.
 *
 * @module
 */

import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { parseEndpointText } from "../../lib/identity/endpoint.ts";
import { concat, u16 } from "../../lib/wire/bytes.ts";
import { HALF_OPEN_PER_ADDRESS_MAX } from "../../lib/session/admission.ts";
import { HANDSHAKE_MS_MAX } from "../../lib/wire/limits.ts";
import type { OwnKeys } from "../../lib/client/keepers.ts";
import { join } from "../crowd/member.ts";
import { enrolled } from "./enrolled.ts";
import { silence } from "./ports.ts";
import { complained } from "./programs.ts";
import { type Carried, Relay } from "./relay.ts";
import { scenario, type Server, type Stage } from "./stage.ts";
import { Stranger } from "./stranger.ts";

/** Octets of the frames of a Hello with two suites, of a Reply, and of a Reply with the server's proof behind it. */
const HELLO_FRAME_BYTES = 1_263;
const REPLY_FRAME_BYTES = 1_158;
const FLIGHT_BYTES = REPLY_FRAME_BYTES + 322;

/** Sockets of attack 17. */
const TRICKLERS = 500;

/** How often each of them sends an octet. */
const TRICKLE_MS = 1_000;

/** What a login by a device's key may take while they trickle, the handshake and the join included. */
const LOGIN_MS_ALLOWED = 1_000;

/** Connections of attack 16 that announce the longest frame there is, and send most of it but never all: in one go. */
const LIARS = 200;
const LIE_BYTES = 60_000;

/** How often they come: until the collector has found its pace, and then. */
const WARMING_ROUNDS = 12;
const ROUNDS = 24;

/**
 * What the server's memory may grow by in those rounds, in which 275 MiB come. A third of that: the heap grows by some
 * 50 MiB, then stays.
 */
const GROWTH_BYTES_MAX = 100_663_296;

/** A stranger who is refused is so at once: long before any deadline, on however slow a machine. */
const AT_ONCE_MS_MAX = 5_000;

scenario(
  "attack 3: a recorded session sent again to the running server dies at Done, nobody joins",
  async (stage) => {
    const server = await stage.server();
    const recorded = await recording(stage, server);
    const replay = await stage.until(
      "the session's end",
      () => recorded.over ? recorded.bytes("toServer") : undefined,
    );
    const atOnce = await Stranger.at(stage, server.port);
    await atOnce.send(replay);
    await atOnce.untilEnd();

    const inStep = await Stranger.at(stage, server.port);
    await inStep.send(replay.slice(0, HELLO_FRAME_BYTES));
    await stage.until("the server's flight", () => inStep.heard === FLIGHT_BYTES || undefined);
    await inStep.send(replay.slice(HELLO_FRAME_BYTES));
    const answer = await inStep.untilEnd();
    equal(answer.length, FLIGHT_BYTES, "nothing after its flight");
    notDeepEqual(answer.slice(0, REPLY_FRAME_BYTES), recorded.bytes("toClient").slice(0, REPLY_FRAME_BYTES));
    deepEqual((await server.reasons(3)).slice(1), Array(2).fill("broke the protocol (badRecord)"));
    deepEqual(await server.guests(), ["ann"]);
  },
);

scenario("attack 3: a recorded server's part sent to a client again is refused with 76", async (stage) => {
  const server = await stage.server();
  const recorded = await recording(stage, server);
  const replay = await stage.until(
    "the session's end",
    () => recorded.over ? recorded.bytes("toClient") : undefined,
  );
  const player = silence(stage, replay);
  const { code, out } = await stage.visit(server, { user: "ann", address: player });
  equal(code, 76);
  deepEqual(out, []);
});

scenario(
  "attack 16: impossible lengths are closed before a body comes, without an octet in answer",
  async (stage) => {
    const server = await stage.server();
    const lengths = [
      ["0", u16(0)],
      ["one over the limit", u16(2_049)],
      ["one over a record's limit", u16(16_482)],
      ["2^31", Uint8Array.of(0x80, 0, 0, 0)],
      ["2^32 - 1", Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
      ["65,535", u16(0xffff)],
    ] as const;
    for (const [what, bytes] of lengths) {
      const started_ms = performance.now();
      const stranger = await Stranger.at(stage, server.port);
      await stranger.send(bytes);
      equal((await stranger.untilEnd()).length, 0, what);
      ok(performance.now() - started_ms < AT_ONCE_MS_MAX, what);
    }
    deepEqual(await server.reasons(lengths.length), lengths.map(() => "broke the protocol (badFrame)"));
  },
);

scenario("attack 16: the server's memory stays flat while many lie about lengths", async (stage) => {
  const server = await stage.server();
  const lie = concat(u16(0xffff), new Uint8Array(LIE_BYTES));
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      const started_ms = performance.now();
      const liars = await Promise.all(
        Array.from({ length: LIARS }, () => Stranger.at(stage, server.port)),
      );
      await Promise.all(liars.map((liar) => liar.send(lie)));
      for (const liar of liars) equal((await liar.untilEnd()).length, 0);
      ok(performance.now() - started_ms < AT_ONCE_MS_MAX, "they were listened to");
    }
  };
  await rounds(WARMING_ROUNDS);
  const before = await residentBytes(stage, server);
  await rounds(ROUNDS);
  const growth = (await residentBytes(stage, server)) - before;
  ok(growth < GROWTH_BYTES_MAX, `grew by ${growth} octets`);
  const ann = await stage.joined(server, { user: "ann" });
  await ann.say("still served");
  await ann.shows("ann: still served");
});

scenario(
  "attack 17: 500 sockets that trickle are closed at the deadline, and others log in in less than a second",
  async (stage) => {
    const server = await stage.server();
    const quiet = await stage.client(server, { user: "quiet", address: silence(stage) });
    const [own] = await enrolled(server.dataDir, ["guest"]);
    const started_ms = performance.now();
    const tricklers = await Promise.all(
      Array.from({ length: TRICKLERS }, () => Stranger.at(stage, server.port)),
    );
    const connected_ms = performance.now() - started_ms;
    // The head of a Hello that would be whole after twenty minutes.
    const hello = concat(u16(1_261), Uint8Array.of(1, 4, 234));
    const loginTimes_ms: number[] = [];
    for (let sent = 0; tricklers.some(({ ended }) => !ended); sent++) {
      const round_ms = performance.now();
      ok(round_ms - started_ms < 2 * HANDSHAKE_MS_MAX, "some are still open");
      await Promise.all(tricklers.map((trickler) => trickler.send(Uint8Array.of(hello[sent] ?? 0))));
      loginTimes_ms.push(await loginTime(server, "guest", own));
      await rest(TRICKLE_MS - (performance.now() - round_ms));
    }
    const ended_ms = Math.max(...tricklers.map(({ endedAt_ms }) => endedAt_ms)) - started_ms;
    ok(ended_ms >= HANDSHAKE_MS_MAX, `the last was closed after ${ended_ms} ms`);
    ok(
      ended_ms <= HANDSHAKE_MS_MAX + connected_ms + 3 * TRICKLE_MS,
      `the last was closed after ${ended_ms} ms`,
    );
    ok(tricklers.every(({ heard }) => heard === 0), "nobody got an octet");
    ok(loginTimes_ms.length >= HANDSHAKE_MS_MAX / TRICKLE_MS / 2, `${loginTimes_ms.length} logins`);
    ok(loginTimes_ms.every((time_ms) => time_ms < LOGIN_MS_ALLOWED), loginTimes_ms.join(" ms, "));
    // Of one address only so many may be at it at a time; the oldest gave way to the newest.
    const reasons = await server.reasons(TRICKLERS + loginTimes_ms.length);
    const timedOut = reasons.filter((reason) => reason === "timed out during the handshake").length;
    ok(
      timedOut > HALF_OPEN_PER_ADDRESS_MAX / 2 && timedOut <= HALF_OPEN_PER_ADDRESS_MAX,
      `${timedOut} timed out`,
    );
    complained(await quiet.ending(), {
      code: 75,
      sentence:
        /^Cannot agree on keys with \S+: it did not answer in time; check that a Sotto server answers there\.$/,
    });
  },
);

/** What passes in a session of ann's, who says a word. */
async function recording(stage: Stage, server: Server): Promise<Carried> {
  const relay = new Relay(stage, server.port);
  const ann = await stage.client(server, { user: "ann", address: relay.address });
  await ann.program.typeAndEnd("a word\n");
  equal((await ann.ending()).code, 0);
  return relay.one();
}

/** Memory of the server's process that is in use, as the system tells it. */
async function residentBytes(stage: Stage, { program: { pid } }: Server): Promise<number> {
  const cat = stage.launchFile("cat", { args: [`/proc/${pid}/status`] });
  return 1_024 * Number(await cat.found("out", /^VmRSS:\s*(\d+) kB$/));
}

/** Milliseconds from connecting to being let in, of a client that goes again. */
async function loginTime(server: Server, name: string, own: OwnKeys | undefined): Promise<number> {
  const endpoint = parseEndpointText(server.address);
  if (endpoint === undefined || own === undefined) throw new Error(`no address: ${server.address}`);
  const hostKey = Uint8Array.fromBase64(server.hostKey);
  const started_ms = performance.now();
  const { chat, ended } = await join({ endpoint, hostKey }, name, own);
  const elapsed_ms = performance.now() - started_ms;
  await chat.request({ type: "quit" });
  await ended;
  return elapsed_ms;
}

function rest(time_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time_ms)));
}
