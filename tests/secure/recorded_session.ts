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
import { encodeBody } from "../../lib/wire/entry_body.ts";
import { encodeMessage } from "../../lib/wire/message.ts";
import { type LoginWay, PlayedEnd } from "./recorded_login.ts";
import { remembering } from "./remembering_provider.ts";
import { seededEntropy } from "./seeded_entropy.ts";

/** Which way a frame goes. */
export type Way = "toServer" | "toClient";

/** Both ways. */
export const WAYS: readonly Way[] = ["toServer", "toClient"];

/** A suite, with or without a pre-shared key, and a way to log in. */
export interface Kind {
  /** Names it in test names and golden files. */
  readonly name: string;
  /** The suite in use. */
  readonly suite: Suite;
  /** The pre-shared key of both ends. */
  readonly psk: Bytes | undefined;
  /** How the client logs in. */
  readonly login: LoginWay;
}

/** The pre-shared key of sessions that have one. */
export const PSK: Bytes = new Uint8Array(32).fill(0x5a);

/** Both suites, each with and without a pre-shared key, and each with both ways to log in. */
export const KINDS: readonly Kind[] = SUITES.flatMap((suite, at) => [
  { name: suite, suite, psk: undefined, login: at === 0 ? "password" : "device" },
  { name: `${suite} with a pre-shared key`, suite, psk: PSK, login: at === 0 ? "device" : "password" },
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
const ROOM = new Uint8Array(16).fill(0xa);

function said(at: number, text: string) {
  const [salt, signature] = [new Uint8Array(32).fill(at), new Uint8Array(64).fill(at)];
  const body = encodeBody({ kind: "text", body: { text } });
  const seen = { sequence: 0, hash: new Uint8Array(32) };
  return {
    id: new Uint8Array(16).fill(at),
    kind: "text",
    seen,
    signature,
    content: { salt, body },
  } as const;
}

function place(at: number) {
  return { sequence: at, time: 1_000 * at, previous: new Uint8Array(32).fill(at) };
}

/** The seed of a session's randomness; each end adds its own name. */
export const SESSION_SEED = "sotto golden session";

/** Everything that is said in a recorded session after its login, encoded. */
export const SAID = {
  enter: encodeMessage({ type: "enter" }),
  read: encodeMessage({
    type: "read",
    room: ROOM,
    ask: 1,
    where: { from: "newest" },
    limit: 50,
    follow: true,
  }),
  here: encodeMessage({
    type: "presence",
    people: [{ handle: NAME, state: "online" }, { handle: BOB, state: "away", text: "at lunch" }],
    time: 1_000,
  }),
  first: encodeMessage({ type: "send", room: ROOM, entry: said(1, "Good morning") }),
  second: encodeMessage({ type: "send", room: ROOM, entry: said(2, "x".repeat(300)) }),
  firstAck: encodeMessage({ type: "ack", room: ROOM, id: new Uint8Array(16).fill(1), ...place(2) }),
  entry: encodeMessage({
    type: "entry",
    room: ROOM,
    entry: {
      ...said(3, "Guten Morgen"),
      ...place(3),
      from: BOB,
      device: new Uint8Array(32).fill(0xd),
      digest: new Uint8Array(32).fill(0xe),
    },
  }),
  third: encodeMessage({ type: "send", room: ROOM, entry: said(4, "under new keys") }),
  thirdAck: encodeMessage({ type: "ack", room: ROOM, id: new Uint8Array(16).fill(4), ...place(4) }),
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

/** How many application messages the step of a session carries. */
export const MESSAGES_IN: Readonly<Record<string, number>> = {
  "enter and read": 2,
  presence: 1,
  "two messages": 2,
  ack: 1,
  entry: 1,
  "message after the rekey": 1,
  "ack after the rekey": 1,
};

/**
 * A session from Hello to both closes, with a login, messages both ways, a ping, a rekey and a message after it each
 * way.
 */
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
  const { channel, opening } = await Channel.client(clientOptions, partsOf(provider, "client", seed));
  const client = new PlayedEnd(channel, "client", kind.login);
  const accepted = Channel.server(serverOptions, partsOf(provider, "server", seed));
  const server = new PlayedEnd(accepted, "server", kind.login);
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
  if (kind.login === "device") {
    await deliver("toServer", done, ["Done", "DeviceLogin"]);
  } else {
    const refused = await deliver("toServer", done, ["Done", "RegisterStart"]);
    const start = await deliver("toClient", refused, ["Refused"]);
    const reply = await deliver("toServer", start, ["LoginStart"]);
    await deliver("toServer", await deliver("toClient", reply, ["LoginReply"]), ["LoginFinish"]);
  }
  const [c, s] = [client.channel, server.channel];
  await deliver("toServer", await c.sealMessages([SAID.enter, SAID.read]), ["enter and read"]);
  await deliver("toClient", await s.sealMessages([SAID.here]), ["presence"]);
  await deliver("toServer", await c.sealMessages([SAID.first, SAID.second]), ["two messages"]);
  await deliver("toClient", await s.sealMessages([SAID.firstAck]), ["ack"]);
  await deliver("toClient", await s.sealMessages([SAID.entry]), ["entry"]);
  await deliver("toServer", await c.sealPing(), ["ping"]);
  await deliver("toClient", await s.sealPing(), ["ping"]);
  await deliver("toServer", await c.rekey(), ["rekey"]);
  await deliver("toServer", await c.sealMessages([SAID.third]), ["message after the rekey"]);
  await deliver("toClient", await s.rekey(), ["rekey"]);
  await deliver("toClient", await s.sealMessages([SAID.thirdAck]), ["ack after the rekey"]);
  await deliver("toServer", await c.sealClose("done"), ["close"]);
  await deliver("toClient", await s.sealClose("done"), ["close"]);

  const kinds = heard.map(({ kind }) => kind);
  assert.deepEqual(kinds, [
    "established",
    "established",
    ...Array.from({ length: kind.login === "device" ? 1 : 5 }, () => "login"),
    ...Array.from({ length: 9 }, () => "message"),
    "closed",
    "closed",
  ]);
  stopLearning();
  return { kind, seed, provider, frames, clientOptions, serverOptions };
}

/** How many frames of `way` there are up to the end of the login. */
export function framesOfLogin(way: Way, { login }: Kind): number {
  if (login === "device") return way === "toServer" ? 3 : 2;
  return way === "toServer" ? 5 : 4;
}

/** The end that frames of `way` go to, fresh, with the randomness it had; it logs in, or lets in, as it did. */
export async function freshReceiver(
  { kind, provider, seed, clientOptions, serverOptions }: Recorded,
  way: Way,
): Promise<PlayedEnd> {
  if (way === "toServer") {
    const server = Channel.server(serverOptions, partsOf(provider, "server", seed));
    return new PlayedEnd(server, "server", kind.login);
  }
  const { channel } = await Channel.client(clientOptions, partsOf(provider, "client", seed));
  return new PlayedEnd(channel, "client", kind.login);
}

/** The receiver of `way` after the first `count` frames of that way, which must all have been accepted. */
export async function receiverAfter(recorded: Recorded, way: Way, count: number): Promise<PlayedEnd> {
  const receiver = await freshReceiver(recorded, way);
  const before = framesBound(way, recorded.frames).slice(0, count);
  const { events } = await receiver.receive(streamOf(before));
  assert.ok(events.every(({ kind }) => kind !== "failed"), "the session repeats itself");
  return receiver;
}
