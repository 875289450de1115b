/**
 * One whole session, every frame of it kept, and the means to bring a fresh end to any point of it: the ground on
 * which attacks are mounted.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import type { Entropy, Provider } from "../../lib/crypto/port.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { Channel, type ChannelEvent, type ChannelParts } from "../../lib/secure/channel.ts";
import type { ClientOptions } from "../../lib/secure/client_handshake.ts";
import type { ServerOptions } from "../../lib/secure/server_handshake.ts";
import { type Suite, SUITES } from "../../lib/secure/suite.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { encodeFrame, FrameReader } from "../../lib/wire/frame.ts";
import { encodeMessage, LOBBY } from "../../lib/wire/message.ts";
import { remembering } from "./remembering_provider.ts";
import { seededEntropy } from "./seeded_entropy.ts";

/** Which way a frame goes. */
export type Way = "toServer" | "toClient";

/** Both ways. */
export const WAYS: readonly Way[] = ["toServer", "toClient"];

/** A suite, with or without a pre-shared key. */
export interface Kind {
  /** Names it in test names and golden files. */
  readonly name: string;
  /** The suite in use. */
  readonly suite: Suite;
  /** The pre-shared key of both ends. */
  readonly psk: Bytes | undefined;
}

/** The pre-shared key of sessions that have one. */
export const PSK: Bytes = new Uint8Array(32).fill(0x5a);

/** Both suites, each with and without a pre-shared key. */
export const KINDS: readonly Kind[] = SUITES.flatMap((suite) => [
  { name: suite, suite, psk: undefined },
  { name: `${suite} with a pre-shared key`, suite, psk: PSK },
]);

/** One frame of a session. */
export interface Frame {
  /** What it is, in a word. */
  readonly step: string;
  /** Which way it goes. */
  readonly way: Way;
  /** All of it, its length included. */
  readonly bytes: Bytes;
}

/** A session as it went. */
export interface Recorded {
  /** Its suite and key. */
  readonly kind: Kind;
  /** The seed of all its randomness. */
  readonly seed: string;
  /** The provider that computed it, which need not compute it again. */
  readonly provider: Provider;
  /** All frames in the order of sending. */
  readonly frames: readonly Frame[];
  /** What the client brought. */
  readonly clientOptions: ClientOptions;
  /** What the server brought. */
  readonly serverOptions: ServerOptions;
}

/** Primitives that give the same for the same arguments: WebCrypto, with the library's ML-KEM. */
export const repeatable: Provider = webCryptoProvider(nobleMlKem);

/**
 * The same, its hashes computed synchronously: an attack repeated ten thousand times spends its time on them
 * otherwise. The golden sessions keep the two equal.
 */
const quick: Provider = {
  ...repeatable,
  sha512: (data) => Promise.resolve(new Uint8Array(createHash("sha512").update(data).digest())),
  hmacSha512: (key) =>
    Promise.resolve({
      sign: (data) => Promise.resolve(new Uint8Array(createHmac("sha512", key).update(data).digest())),
    }),
};

/** The host key of recorded sessions is that of this seed. */
export const HOST_KEY_SEED: Bytes = new Uint8Array(32).fill(0x11);

const NAME = parseHandle("ann") ?? assert.fail("ann is a handle");
const BOB = parseHandle("bob") ?? assert.fail("bob is a handle");

/** The seed of a session's randomness; each end adds its own name. */
export const SESSION_SEED = "sotto golden session";

/** Everything that is said in a recorded session, encoded. */
export const SAID = {
  join: encodeMessage({ type: "join", room: LOBBY, name: NAME }),
  here: encodeMessage({ type: "presence", room: LOBBY, change: "here", names: [NAME, BOB], time: 1_000 }),
  first: encodeMessage({ type: "send", room: LOBBY, id: new Uint8Array(16).fill(1), text: "Good morning" }),
  second: encodeMessage({ type: "send", room: LOBBY, id: new Uint8Array(16).fill(2), text: "x".repeat(300) }),
  firstAck: encodeMessage({
    type: "ack",
    room: LOBBY,
    id: new Uint8Array(16).fill(1),
    sequence: 1,
    time: 2_000,
  }),
  entry: encodeMessage({
    type: "entry",
    room: LOBBY,
    sequence: 2,
    id: new Uint8Array(16).fill(3),
    from: BOB,
    time: 2_001,
    text: "Guten Morgen",
  }),
  third: encodeMessage({ type: "send", room: LOBBY, id: new Uint8Array(16).fill(4), text: "under new keys" }),
  thirdAck: encodeMessage({
    type: "ack",
    room: LOBBY,
    id: new Uint8Array(16).fill(4),
    sequence: 3,
    time: 3_000,
  }),
} as const;

/** What an end computes with in a recorded session: its entropy is of the seed and its own name. */
export function partsOf(provider: Provider, end: "client" | "server", seed: string): ChannelParts {
  return partsWith(provider, seededEntropy(`${seed} ${end}`));
}

/** Parts without trace. */
export function partsWith(provider: Provider, entropy: Entropy): ChannelParts {
  return { provider, entropy, trace: () => {} };
}

/** Cuts bytes that hold whole frames. */
export function framesOf(bytes: Bytes): readonly Bytes[] {
  const reader = new FrameReader();
  reader.push(bytes);
  const frames: Bytes[] = [];
  for (let next = reader.next(65_535); next.kind === "frame"; next = reader.next(65_535)) {
    frames.push(encodeFrame(next.body));
  }
  return frames;
}

/** The frames that go one way. */
export function framesBound(way: Way, frames: readonly Frame[]): readonly Frame[] {
  return frames.filter((frame) => frame.way === way);
}

/** Frames as the byte stream they are. */
export function streamOf(frames: readonly Frame[]): Bytes {
  return concat(...frames.map(({ bytes }) => bytes));
}

/** A session from Hello to both closes, with messages both ways, a ping, a rekey and a message after it each way. */
export async function recordSession(kind: Kind, seed = SESSION_SEED, real = quick): Promise<Recorded> {
  const { provider, stopLearning } = remembering(real);
  const hostKey = await provider.ed25519SigningKey(HOST_KEY_SEED);
  const { suite, psk } = kind;
  const clientOptions: ClientOptions = {
    suites: [suite, ...SUITES.filter((other) => other !== suite)],
    psk,
    pin: { kind: "key", publicKey: hostKey.publicKey },
  };
  const serverOptions: ServerOptions = { suites: [suite], psk, hostKey };

  const frames: Frame[] = [];
  const { channel: client, opening } = await Channel.client(clientOptions, partsOf(provider, "client", seed));
  const server = Channel.server(serverOptions, partsOf(provider, "server", seed));
  const heard: ChannelEvent[] = [];

  async function deliver(way: Way, bytes: Bytes, steps: readonly string[]): Promise<Bytes> {
    const cut = framesOf(bytes);
    assert.equal(cut.length, steps.length, `frames of ${steps.join(", ")}`);
    cut.forEach((frame, at) => frames.push({ step: steps[at] ?? "", way, bytes: frame }));
    const { events, reply } = await (way === "toServer" ? server : client).receive(bytes);
    heard.push(...events);
    return reply;
  }

  const flight = await deliver("toServer", opening, ["Hello"]);
  const done = await deliver("toClient", flight, ["Reply", "HostKey, Signature, Finished"]);
  await deliver("toServer", done, ["Done"]);
  await deliver("toServer", await client.sealMessages([SAID.join]), ["join"]);
  await deliver("toClient", await server.sealMessages([SAID.here]), ["presence"]);
  await deliver("toServer", await client.sealMessages([SAID.first, SAID.second]), ["two messages"]);
  await deliver("toClient", await server.sealMessages([SAID.firstAck]), ["ack"]);
  await deliver("toClient", await server.sealMessages([SAID.entry]), ["entry"]);
  await deliver("toServer", await client.sealPing(), ["ping"]);
  await deliver("toClient", await server.sealPing(), ["ping"]);
  await deliver("toServer", await client.rekey(), ["rekey"]);
  await deliver("toServer", await client.sealMessages([SAID.third]), ["message after the rekey"]);
  await deliver("toClient", await server.rekey(), ["rekey"]);
  await deliver("toClient", await server.sealMessages([SAID.thirdAck]), ["ack after the rekey"]);
  await deliver("toServer", await client.sealClose("done"), ["close"]);
  await deliver("toClient", await server.sealClose("done"), ["close"]);

  const kinds = heard.map(({ kind }) => kind);
  assert.deepEqual(kinds, [
    "established",
    "established",
    ...Array.from({ length: 8 }, () => "message"),
    "closed",
    "closed",
  ]);
  stopLearning();
  return { kind, seed, provider, frames, clientOptions, serverOptions };
}

/** The end that frames of `way` go to, fresh, with the randomness it had. */
export async function freshReceiver(
  { provider, seed, clientOptions, serverOptions }: Recorded,
  way: Way,
): Promise<Channel> {
  if (way === "toServer") return Channel.server(serverOptions, partsOf(provider, "server", seed));
  return (await Channel.client(clientOptions, partsOf(provider, "client", seed))).channel;
}

/** The receiver of `way` after the first `count` frames of that way, which must all have been accepted. */
export async function receiverAfter(recorded: Recorded, way: Way, count: number): Promise<Channel> {
  const receiver = await freshReceiver(recorded, way);
  const before = framesBound(way, recorded.frames).slice(0, count);
  const { events } = await receiver.receive(streamOf(before));
  assert.ok(events.every(({ kind }) => kind !== "failed"), "the session repeats itself");
  return receiver;
}
