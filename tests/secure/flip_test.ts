import assert from "node:assert/strict";
import { Channel, type ChannelEvent } from "../../lib/secure/channel.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { extent, FULL, sampled, sampler } from "./extent.ts";
import {
  framesBound,
  type Kind,
  KINDS,
  partsOf,
  receiverAfter,
  type Recorded,
  recordSession,
  streamOf,
  type Way,
  WAYS,
} from "./recorded_session.ts";

for (const kind of KINDS) {
  for (const way of WAYS) {
    test(`attack 9: a flip of any bit of any frame ${way} ends the session, ${kind.name}`, () =>
      sampled(async () => {
        const session = await recordSession(kind);
        const pick = sampler(`flips ${way} ${kind.name}`);
        const frames = framesBound(way, session.frames);
        for (const [index, { bytes, step }] of frames.entries()) {
          for (const at of extent(bytes.length, strideOf(kind), pick)) {
            for (const bit of FULL ? [0, 1, 2, 3, 4, 5, 6, 7] : [pick(8)]) {
              await requireDeath(session, { way, index, at, bit, step });
            }
          }
        }
      }));
  }
}

/** A sample takes a bit of each octet with the default suite, and of every sixth one elsewhere. */
function strideOf(kind: Kind): number {
  return kind === KINDS[0] ? 1 : 6;
}

interface Flip {
  readonly way: Way;
  readonly index: number;
  readonly at: number;
  readonly bit: number;
  readonly step: string;
}

/** Delivers all up to one frame, that one altered, and then all the rest as it was. */
async function requireDeath(session: Recorded, flip: Flip): Promise<void> {
  const { way, index, at, bit, step } = flip;
  const what = `bit ${bit} of octet ${at} of ${step}, ${way}`;
  const frames = framesBound(way, session.frames);
  const receiver = await receiverAfter(session, way, index);
  const genuine = frames[index]?.bytes ?? assert.fail("there is such a frame");
  const altered = genuine.with(at, (genuine[at] ?? 0) ^ 1 << bit);

  const first = await receiver.receive(altered);
  if (first.events.length > 0) assert.deepEqual(kinds(first.events), ["failed"], what);
  if (first.events.length > 0 || step !== "Hello") assert.equal(first.reply.length, 0, `${what}: no answer`);
  else if (first.reply.length > 0) await requireClientRefuses(session, first.reply, what);

  const rest = await receiver.receive(streamOf(frames.slice(index + 1)));
  const events = [...first.events, ...rest.events];
  assert.equal(rest.reply.length, 0, `${what}: no answer later either`);
  // A longer length makes the rest of the stream the frame's; where that does not suffice, a deadline ends it.
  if (events.length === 0) assert.ok(at < FRAME_HEADER_BYTES, `${what}: something must be noticed`);
  else assert.deepEqual(kinds(events), ["failed"], what);
}

/** A server may answer an altered Hello, of which it cannot know; the client that sent another one must notice. */
async function requireClientRefuses(session: Recorded, reply: Bytes, what: string): Promise<void> {
  const { channel } = await Channel.client(
    session.clientOptions,
    partsOf(session.provider, "client", session.seed),
  );
  const { events, reply: done } = await channel.receive(concat(reply));
  assert.deepEqual(kinds(events), ["failed"], `${what}: at the client`);
  assert.equal(done.length, 0, `${what}: no Done`);
}

function kinds(events: readonly ChannelEvent[]): readonly string[] {
  return events.map(({ kind }) => kind);
}
