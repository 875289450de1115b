/**
 * Golden sessions: whole sessions of which every input, secret and octet is written down in
 * golden_sessions.json, for this implementation to be held against and for others to be made by.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as v from "valibot";
import { Opener } from "../../lib/secure/record.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import {
  framesBound,
  HOST_KEY_SEED,
  type Kind,
  KINDS,
  type Recorded,
  recordSession,
  repeatable,
  SESSION_SEED,
  type Way,
} from "../secure/recorded_session.ts";
import { SESSION_KEY } from "../secure/recorded_login.ts";
import { type Secrets, secretsOf } from "../secure/secrets_of.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { hex } from "./vector_files.ts";

/** Where they are. */
export const GOLDEN_FILE = new URL("golden_sessions.json", import.meta.url);

const NOTATION =
  "octets are in hexadecimal, integers big-endian; the names of secrets are those of PROTOCOL.md section 4";
const ENTROPY =
  "an end draws its randomness from SHA-512(entropySeed | u32 0) | SHA-512(entropySeed | u32 1) | ..., " +
  "entropySeed in UTF-8, in the order x25519Seed, mlKem, nonce, ivs; mlKem is the client's seed d | z, the server's m";

const EndSchema = v.object({
  entropySeed: v.string(),
  x25519Seed: hex,
  mlKem: hex,
  nonce: hex,
  ivs: v.array(hex),
});

const FrameSchema = v.object({
  step: v.string(),
  way: v.picklist(["toServer", "toClient"]),
  /** Epoch and sequence number of a record; missing in Hello and Reply, which are none. */
  epoch: v.optional(v.number()),
  sequence: v.optional(v.number()),
  /** What the record carries, padding removed. */
  kind: v.optional(v.picklist(["handshake", "message", "rekey", "ping", "close"])),
  content: v.optional(hex),
  bytes: hex,
});

const SessionSchema = v.object({
  name: v.string(),
  suite: v.picklist(["a256cbc-hs512", "a256ctr-hs512"]),
  psk: v.nullable(hex),
  login: v.picklist(["password", "device"]),
  /** What a login by password gave to be mixed in. */
  sessionKey: v.nullable(hex),
  hostKeySeed: hex,
  hostKey: hex,
  client: EndSchema,
  server: EndSchema,
  x25519Secret: hex,
  mlKemSecret: hex,
  messages: v.object({ Hello: hex, Reply: hex, HostKey: hex, Signature: hex, Finished: hex, Done: hex }),
  secrets: v.object({
    early: hex,
    hs: hex,
    c_hs: hex,
    s_hs: hex,
    ms: hex,
    c_ap: hex,
    s_ap: hex,
    exporter: hex,
    c_ap_2: hex,
    s_ap_2: hex,
    ms_2: v.optional(hex),
    exporter_2: v.optional(hex),
    c_ap_3: v.optional(hex),
    s_ap_3: v.optional(hex),
  }),
  frames: v.array(FrameSchema),
});

const FileSchema = v.object({ notation: v.string(), entropy: v.string(), sessions: v.array(SessionSchema) });

/** One golden session, parsed. */
export type GoldenSession = v.InferOutput<typeof SessionSchema>;

/** The golden sessions, as they are written down. */
export async function readGoldenSessions(): Promise<readonly GoldenSession[]> {
  return v.parse(FileSchema, JSON.parse(await Deno.readTextFile(GOLDEN_FILE))).sessions;
}

/** The text of the file, computed anew. */
export async function goldenFile(): Promise<string> {
  const sessions: unknown[] = [];
  for (const kind of KINDS) sessions.push(await goldenSession(kind));
  return `${JSON.stringify({ notation: NOTATION, entropy: ENTROPY, sessions }, asHex, 1)}\n`;
}

async function goldenSession(kind: Kind): Promise<unknown> {
  const recorded = await recordSession(kind, SESSION_SEED, repeatable);
  const { messages, ...secrets } = await secretsOf(recorded);
  const client = endOf(recorded, "client");
  const server = endOf(recorded, "server");
  const x25519 = await repeatable.x25519Pair(client.x25519Seed);
  const mlKem = await repeatable.mlKemPair(client.mlKem);
  const [share, ciphertext] = [messages.Reply.slice(36, 68), messages.Reply.slice(68)];
  return {
    name: kind.name,
    suite: kind.suite,
    psk: kind.psk ?? null,
    login: kind.login,
    sessionKey: kind.login === "password" ? SESSION_KEY : null,
    hostKeySeed: HOST_KEY_SEED,
    hostKey: recorded.serverOptions.hostKey.publicKey,
    client,
    server,
    x25519Secret: await x25519.agree(share) ?? assert.fail("the share is good"),
    mlKemSecret: await mlKem.decapsulate(ciphertext) ?? assert.fail("the ciphertext is good"),
    messages,
    secrets,
    frames: await openedFrames(recorded, { messages, ...secrets }),
  };
}

function endOf(recorded: Recorded, end: "client" | "server"): v.InferOutput<typeof EndSchema> {
  const entropySeed = `${recorded.seed} ${end}`;
  const entropy = seededEntropy(entropySeed);
  const [x25519Seed, mlKem, nonce] = [entropy(32), entropy(end === "client" ? 64 : 32), entropy(32)];
  const own = framesBound(end === "client" ? "toServer" : "toClient", recorded.frames).slice(1);
  return { entropySeed, x25519Seed, mlKem, nonce, ivs: own.map(() => entropy(16)) };
}

async function openedFrames(
  { kind: { suite }, frames }: Recorded,
  secrets: Secrets,
): Promise<readonly unknown[]> {
  const chains = {
    toServer: [secrets.c_hs, secrets.c_ap, secrets.c_ap_2, secrets.c_ap_3].values(),
    toClient: [secrets.s_hs, secrets.s_ap, secrets.s_ap_2, secrets.s_ap_3].values(),
  };
  async function openerOf(way: Way, epoch: number): Promise<Opener> {
    const secret = chains[way].next().value ?? assert.fail("a session has three epochs, or four");
    return await Opener.start({ suite, secret, epoch, trace: () => {} }, repeatable);
  }
  const places = {
    toServer: { epoch: 0, sequence: 0, opener: await openerOf("toServer", 0) },
    toClient: { epoch: 0, sequence: 0, opener: await openerOf("toClient", 0) },
  };
  const opened: unknown[] = [];
  for (const { step, way, bytes } of frames) {
    if (step === "Hello" || step === "Reply") {
      opened.push({ step, way, bytes });
      continue;
    }
    const { epoch, sequence, opener } = places[way];
    const inner = await opener.open(bytes.slice(FRAME_HEADER_BYTES)) ?? assert.fail(`${step} opens`);
    opened.push({ step, way, epoch, sequence, kind: inner.kind, content: inner.content, bytes });
    places[way] = LAST_OF_EPOCH.has(step)
      ? { epoch: epoch + 1, sequence: 0, opener: await openerOf(way, epoch + 1) }
      : { epoch, sequence: sequence + 1, opener };
  }
  return opened;
}

/** The steps after which the direction that they go has other keys. */
const LAST_OF_EPOCH: ReadonlySet<string> = new Set([
  "HostKey, Signature, Finished",
  "Done",
  "LoginReply",
  "LoginFinish",
  "rekey",
]);

function asHex(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? value.toHex() : value;
}

/** The info of XL(secret, label, transcript), for readers that expand by themselves. */
export function labelInfo(label: string, transcript: Bytes): Bytes {
  const name = utf8(`sotto/1 ${label}`);
  return concat(Uint8Array.of(0, 64, name.length), name, Uint8Array.of(transcript.length), transcript);
}
