import assert from "node:assert/strict";
import { Link, type LinkEvent } from "../../lib/secure/link.ts";
import { type Bytes, concat, u16 } from "../../lib/wire/bytes.ts";
import { FrameReader } from "../../lib/wire/frame.ts";
import { HANDSHAKE_MESSAGE_BYTES_MAX, RECORD_BYTES_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { receiveAndLogIn } from "./recorded_login.ts";
import {
  framesBound,
  KINDS,
  partsOf,
  type Recorded,
  recordSession,
  streamOf,
  type Way,
  WAYS,
} from "./recorded_session.ts";

/** A frame's length has 16 bits: what the longest ones of 32 bits would be is cut to these. */
const LENGTHS = [0, 0x8000, 0xffff];

test("attack 16: a frame reader refuses a length of zero or over the limit before any of the body", () => {
  for (const limit of [1, HANDSHAKE_MESSAGE_BYTES_MAX, RECORD_BYTES_MAX]) {
    for (const length of [...LENGTHS, limit + 1]) {
      const reader = new FrameReader();
      const [high = 0, low = 0] = u16(length);
      reader.push(Uint8Array.of(high));
      assert.equal(reader.next(limit).kind, "incomplete");
      reader.push(Uint8Array.of(low));
      assert.equal(reader.next(limit).kind, "refused", `${length} of at most ${limit}`);
      assert.equal(reader.next(limit).kind, "refused", "and goes on refusing");
    }
    const reader = new FrameReader();
    reader.push(concat(u16(limit), new Uint8Array(limit)));
    assert.equal(reader.next(limit).kind, "frame", "the limit itself is in it");
  }
});

for (const way of WAYS) {
  test(`attack 16: lengths out of bounds end a link at once in every phase, ${way}`, async () => {
    for (const kind of KINDS) {
      const session = await recordSession(kind);
      const frames = framesBound(way, session.frames);
      for (let place = 0; place < frames.length; place++) {
        const limit = place < 2 ? HANDSHAKE_MESSAGE_BYTES_MAX : RECORD_BYTES_MAX;
        for (const length of [...LENGTHS, limit + 1]) {
          const { link } = await linkAfter(session, way, place);
          assert.deepEqual(await link.receive(u16(length), 0), [], "two octets suffice");
          assert.deepEqual(await link.ended, { kind: "failed", fault: "badFrame" }, `${length} at ${place}`);
          assert.equal(await drain(link), 0, "nothing is said about it");
          assert.deepEqual(
            await link.receive(streamOf(frames.slice(place)), 0),
            [],
            "nothing is read after it",
          );
        }
      }
    }
  });
}

test("attack 16: bodies of sizes that no record has end a link, whatever is in them", async () => {
  for (const kind of KINDS.slice(0, 3)) {
    const session = await recordSession(kind);
    for (
      const size of [1, 15, 16, 48, 63, 64, 65, 111, 113, 127, 129, RECORD_BYTES_MAX - 1, RECORD_BYTES_MAX]
    ) {
      const { link } = await linkAfter(session, "toServer", 3);
      assert.deepEqual(await link.receive(concat(u16(size), new Uint8Array(size)), 0), []);
      assert.deepEqual(await link.ended, { kind: "failed", fault: "badRecord" }, `${size} octets`);
    }
  }
});

/** The receiving end of `way` after some of the session's frames, with nothing left to write. */
async function linkAfter(
  { kind, provider, seed, clientOptions, serverOptions, frames }: Recorded,
  way: Way,
  count: number,
): Promise<{ readonly link: Link; readonly events: readonly LinkEvent[] }> {
  const link = way === "toServer"
    ? Link.server(serverOptions, partsOf(provider, "server", seed), 0)
    : await Link.client(clientOptions, partsOf(provider, "client", seed), 0);
  if (way === "toClient") await link.nextWrite(() => 0);
  const role = way === "toServer" ? "server" : "client";
  const events: LinkEvent[] = [];
  for (const frame of framesBound(way, frames).slice(0, count)) {
    const bytes: Bytes = frame.bytes;
    events.push(...await receiveAndLogIn(link, bytes, { role, way: kind.login, now: 0 }));
  }
  if (way === "toServer" && count > 0 || way === "toClient" && count > 1) await link.nextWrite(() => 0);
  return { link, events };
}

async function drain(link: Link): Promise<number> {
  let octets = 0;
  for (;;) {
    const bytes = await link.nextWrite(() => 0);
    if (bytes === undefined) return octets;
    octets += bytes.length;
  }
}
