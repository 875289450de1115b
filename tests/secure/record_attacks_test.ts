import assert from "node:assert/strict";
import { ML_KEM_768_KEY_BYTES } from "../../lib/crypto/port.ts";
import type { ChannelEvent } from "../../lib/secure/channel.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { encodeFrame } from "../../lib/wire/frame.ts";
import { HANDSHAKE_TYPES } from "../../lib/secure/handshake_message.ts";
import { Link } from "../../lib/secure/link.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { kindsOf } from "./events.ts";
import type { PlayedEnd } from "./recorded_login.ts";
import {
  type Frame,
  framesBound,
  framesOfLogin,
  freshReceiver,
  KINDS,
  partsOf,
  receiverAfter,
  type Recorded,
  recordSession,
  streamOf,
  type Way,
  WAYS,
} from "./recorded_session.ts";
import { LOGIN_TYPES } from "../../lib/wire/login_type.ts";

for (const kind of KINDS) {
  test(`attack 3: a recorded session sent again dies at Done and changes nothing, ${kind.name}`, async () => {
    const recorded = await recordSession(kind);
    const link = Link.server(recorded.serverOptions, partsOf(recorded.provider, "server", "another day"), 0);
    const [hello, done, ...rest] = framesBound("toServer", recorded.frames);

    assert.deepEqual(await link.receive(hello?.bytes ?? assert.fail("there is a Hello"), 0), []);
    const answer = await link.nextWrite(() => 0);
    assert.ok(answer !== undefined && answer.length > 0, "a Hello alone cannot be known for a copy");
    assert.deepEqual(await link.receive(done?.bytes ?? assert.fail("there is a Done"), 0), []);
    assert.deepEqual(await link.ended, { kind: "failed", fault: "badRecord" });
    assert.deepEqual(await link.receive(streamOf(rest), 0), [], "no login begins");
    assert.equal(await link.nextWrite(() => 0), undefined, "no more is written");
  });

  for (const way of WAYS) {
    test(`attack 4: any frame ${way} sent twice ends the session, ${kind.name}`, async () => {
      const recorded = await recordSession(kind);
      await forEachFrame(recorded, way, async (frame, { index, rest }) => {
        const receiver = await receiverAfter(recorded, way, index + 1);
        await requireSilentDeath(receiver, concat(frame.bytes, streamOf(rest)), {
          what: `${frame.step} again`,
          closes: frame.step === "close",
        });
      });
    });

    test(`attack 4: any frame ${way} sent again later ends the session, ${kind.name}`, async () => {
      const recorded = await recordSession(kind);
      const frames = framesBound(way, recorded.frames);
      for (const [index, frame] of frames.entries()) {
        for (let later = index + 1; later < frames.length; later++) {
          const receiver = await receiverAfter(recorded, way, later);
          await requireSilentDeath(receiver, concat(frame.bytes, streamOf(frames.slice(later))), {
            what: `${frame.step} in place ${later}`,
            closes: false,
          });
        }
      }
    });

    test(`attack 5: an end's own frames sent back to it ${way} end the session, ${kind.name}`, async () => {
      const recorded = await recordSession(kind);
      const own = framesBound(way === "toServer" ? "toClient" : "toServer", recorded.frames);
      const frames = framesBound(way, recorded.frames);
      for (let place = 0; place < frames.length; place++) {
        for (const { bytes, step } of own) {
          const receiver = await receiverAfter(recorded, way, place);
          await requireSilentDeath(receiver, concat(bytes, streamOf(frames.slice(place))), {
            what: `its own ${step} in place ${place}`,
            closes: false,
          });
        }
      }
    });

    test(`attack 6: any two frames ${way} swapped end the session, ${kind.name}`, async () => {
      const recorded = await recordSession(kind);
      const frames = framesBound(way, recorded.frames);
      for (const [index, frame] of frames.entries()) {
        for (let other = index + 1; other < frames.length; other++) {
          const receiver = await receiverAfter(recorded, way, index);
          const swapped = frames.with(index, frames[other] ?? frame).with(other, frame);
          await requireSilentDeath(receiver, streamOf(swapped.slice(index)), {
            what: `${frame.step} and ${frames[other]?.step} swapped`,
            closes: false,
          });
        }
      }
    });

    test(`attack 6: any frames ${way} removed end the session, ${kind.name}`, async () => {
      const recorded = await recordSession(kind);
      const frames = framesBound(way, recorded.frames);
      for (const [index, frame] of frames.entries()) {
        for (let next = index + 1; next < frames.length; next++) {
          const receiver = await receiverAfter(recorded, way, index);
          await requireSilentDeath(receiver, streamOf(frames.slice(next)), {
            what: `${next - index} removed from ${frame.step} on`,
            closes: false,
          });
        }
      }
    });

    test(`attack 7: a frame put in before a switch of keys and one taken out after it, ${way}, ${kind.name}`, async () => {
      const recorded = await recordSession(kind);
      const frames = framesBound(way, recorded.frames);
      const foreign = await recordSession(kind, "somebody else's session");
      const inserted = [
        ...frames.map(({ bytes }) => bytes),
        ...framesBound(way, foreign.frames).map(({ bytes }) => bytes),
        encodeFrame(new Uint8Array(1)),
        encodeFrame(new Uint8Array(128)),
      ];
      for (const [place, { step }] of frames.entries()) {
        if (!isBeforeSwitch(step)) continue;
        for (const bytes of inserted) {
          for (const removed of [place, place + 1, place + 2]) {
            const receiver = await receiverAfter(recorded, way, place);
            const after = frames.filter((_, at) => at >= place && at !== removed);
            const genuine = bytes === frames[place]?.bytes;
            if (genuine && removed === place) continue;
            await requireSilentDeath(receiver, concat(bytes, streamOf(after)), {
              what: `a frame before ${step}, and frame ${removed} gone`,
              closes: false,
              // A Hello of anybody's is answered; what follows it is not.
              ...(genuine || step === "Hello" && isHello(bytes) ? { after: bytes } : {}),
            });
          }
        }
      }
    });
  }
}

/** The frames at whose end the keys of a direction change, and those before them, up to the end of the login. */
function isBeforeSwitch(step: string): boolean {
  const handshake = ["Hello", "Reply", "HostKey, Signature, Finished", "Done"];
  return [...handshake, ...Object.keys(LOGIN_TYPES), "rekey"].includes(step);
}

function isHello(frame: Bytes): boolean {
  return frame[FRAME_HEADER_BYTES] === HANDSHAKE_TYPES.Hello && frame.length > ML_KEM_768_KEY_BYTES;
}

async function forEachFrame(
  recorded: Recorded,
  way: Way,
  attack: (frame: Frame, place: { index: number; rest: readonly Frame[] }) => Promise<void>,
): Promise<void> {
  const frames = framesBound(way, recorded.frames);
  for (const [index, frame] of frames.entries()) {
    await attack(frame, { index, rest: frames.slice(index + 1) });
  }
}

interface Expected {
  /** What was done, for the failure's message. */
  readonly what: string;
  /** Whether the other end had closed before, so that nothing is read any more. */
  readonly closes: boolean;
  /** A frame that comes first and is taken. */
  readonly after?: Bytes;
}

/** Delivers an attacked stream: one fault or, behind a close, nothing; no delivery, no answer. */
async function requireSilentDeath(
  receiver: PlayedEnd,
  stream: Bytes,
  { what, closes, after }: Expected,
): Promise<void> {
  let attacked = stream;
  if (after !== undefined) {
    await receiver.receive(after);
    attacked = stream.subarray(after.length);
  }
  const { events, reply } = await receiver.receive(attacked);
  const kinds: readonly ChannelEvent["kind"][] = events.map(({ kind }) => kind);
  assert.deepEqual(kinds, closes ? [] : ["failed"], `${what}: ${kindsOf(events).join(", ")}`);
  assert.equal(reply.length, 0, `${what}: no answer`);
  assert.deepEqual((await receiver.receive(stream)).events, [], `${what}: nothing is read any more`);
}

test("a recorded session is taken as it is, so that the attacks above fail for their own reason", async () => {
  for (const kind of KINDS) {
    const recorded = await recordSession(kind);
    for (const way of WAYS) {
      const receiver = await freshReceiver(recorded, way);
      const { events } = await receiver.receive(streamOf(framesBound(way, recorded.frames)));
      const logins = framesOfLogin(way, kind) - 2;
      const messages = way === "toServer" ? 5 : 4;
      assert.deepEqual(kindsOf(events), [
        "established",
        ...Array.from({ length: logins }, () => "login"),
        ...Array.from({ length: messages }, () => "message"),
        "closed",
      ]);
    }
  }
});
