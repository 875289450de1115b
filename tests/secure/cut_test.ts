import assert from "node:assert/strict";
import { Link, type LinkEnd, type LinkEvent } from "../../lib/secure/link.ts";
import { CLOSE_MS_MAX, DEAD_MS } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { extent, sampled, sampler } from "./extent.ts";
import { receiveAndLogIn } from "./recorded_login.ts";
import {
  type Frame,
  framesBound,
  framesOfLogin,
  KINDS,
  MESSAGES_IN,
  partsOf,
  type Recorded,
  recordSession,
  streamOf,
  type Way,
  WAYS,
} from "./recorded_session.ts";

/** The ways in which an end can learn of a cut. */
const CUTS: readonly ((link: Link) => void)[] = [
  (link) => link.receiveEnd(),
  (link) => link.lost(),
  (link) => {
    link.tick(DEAD_MS);
    // A server that lets nobody in closes first, and waits for an answer.
    link.tick(DEAD_MS + CLOSE_MS_MAX);
  },
];

for (const kind of KINDS) {
  for (const way of WAYS) {
    test(`attack 8: a cut at any octet ${way} is never a clean end, ${kind.name}`, () =>
      sampled(async () => {
        const session = await recordSession(kind);
        const pick = sampler(`cuts ${way} ${kind.name}`);
        const frames = framesBound(way, session.frames);
        const whole = streamOf(frames).length;
        const edges = edgesOf(frames).filter((offset) => offset < whole);
        const offsets = new Set([...edges, ...extent(whole, kind === KINDS[0] ? 1 : 8, pick)]);
        for (const offset of offsets) {
          const { end, messages } = await playUpTo(session, way, { offset, cut: CUTS[offset % CUTS.length] });
          const clean = end.kind === "closed" && end.confirmed;
          assert.ok(!clean, `cut after ${offset} of ${whole}: ${JSON.stringify(end)}`);
          assert.equal(messages, messagesWithin(frames, offset), `messages within ${offset}`);
        }
        const { end } = await playUpTo(session, way, { offset: whole, cut: undefined });
        assert.deepEqual(end, {
          kind: "closed",
          by: way === "toServer" ? "peer" : "us",
          reason: "done",
          confirmed: true,
        });
      }));
  }
}

interface Play {
  readonly offset: number;
  readonly cut: ((link: Link) => void) | undefined;
}

/** Plays one way's stream up to an offset to an end that behaves as in the session, and cuts it there. */
async function playUpTo(
  session: Recorded,
  way: Way,
  { offset, cut }: Play,
): Promise<{ readonly end: LinkEnd; readonly messages: number }> {
  const { provider, seed, clientOptions, serverOptions, frames } = session;
  const link = way === "toServer"
    ? Link.server(serverOptions, partsOf(provider, "server", seed), 0)
    : await Link.client(clientOptions, partsOf(provider, "client", seed), 0);
  const bound = framesBound(way, frames);
  const stream = streamOf(bound).subarray(0, offset);
  const events: LinkEvent[] = [];
  let taken = 0;
  async function play(count: number): Promise<void> {
    const end = Math.min(offset, streamOf(bound.slice(0, count)).length);
    const role = way === "toServer" ? "server" : "client";
    const part = stream.slice(taken, end);
    taken = end;
    events.push(...await receiveAndLogIn(link, part, { role, way: session.kind.login, now: 0 }));
  }
  await play(2);
  // The first message is what shows a client that logged in by its device that it is let in.
  await play(framesOfLogin(way, session.kind) + 1);
  if (way === "toClient" && link.open) await writeClose(link);
  await play(bound.length);
  if (way === "toServer" && events.some(({ kind }) => kind === "closed")) await writeClose(link);
  cut?.(link);
  return { end: await link.ended, messages: events.filter(({ kind }) => kind === "message").length };
}

/** Closes, writes all there is, and asks for more, which says that it is written. */
async function writeClose(link: Link): Promise<void> {
  link.close("done", 0);
  assert.ok(await link.nextWrite(() => 0) !== undefined);
  void link.nextWrite(() => 0);
}

/** Where each frame begins, the octets beside that, and where its length ends. */
function edgesOf(frames: readonly Frame[]): readonly number[] {
  return frames.flatMap((_, at) => {
    const start = streamOf(frames.slice(0, at)).length;
    return [start - 1, start, start + 1, start + 2].filter((offset) => offset >= 0);
  });
}

/** How many application messages the frames that are there whole carry. */
function messagesWithin(frames: readonly Frame[], offset: number): number {
  return frames
    .filter((_, at) => streamOf(frames.slice(0, at + 1)).length <= offset)
    .reduce((sum, { step }) => sum + (MESSAGES_IN[step] ?? 0), 0);
}
