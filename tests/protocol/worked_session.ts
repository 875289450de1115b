/**
 * The worked session of PROTOCOL §11: two ends of a channel, with every random octet told, write the frames and
 * derive the secrets that the document shows.
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { ML_KEM_768_CIPHERTEXT_BYTES, ML_KEM_768_KEY_BYTES, X25519_BYTES } from "../../lib/crypto/port.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { recordCipher, TAG_BYTES } from "../../lib/secure/aead.ts";
import { Channel, type ChannelEvent, type ChannelParts } from "../../lib/secure/channel.ts";
import { encodeInner } from "../../lib/secure/inner.ts";
import {
  applicationSecrets,
  binder,
  earlySecret,
  expandLabel,
  handshakeSecret,
  handshakeTraffic,
  nextSecret,
  PSK_BYTES,
  recordKey,
  transcriptHash,
  VERIFY_BYTES,
} from "../../lib/secure/schedule.ts";
import { type Bytes, concat, u16, u32, u64 } from "../../lib/wire/bytes.ts";
import { encodeMessage, LOBBY } from "../../lib/wire/message.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";

/** Octets by the name that the document has for them. */
export type Named = Map<string, Bytes>;

const PROVIDER = webCryptoProvider(nobleMlKem);

/** Octets of the messages HostKey and Signature (PROTOCOL §4.2). */
const HOST_KEY_MESSAGE_BYTES = 35;
const SIGNATURE_MESSAGE_BYTES = 67;
/** Where the X25519 share is in a Hello that offers two suites, and in a Reply. */
const HELLO_SHARE_AT = 45;
const REPLY_SHARE_AT = 36;
/** Octets of a Hello up to its nonce, the last of which is the mode. */
const HELLO_START_BYTES = 10;

/** Every draw of both ends, in the order in which they make it. */
const CLIENT_DRAWS = ["client_x25519_seed", "client_ml_kem_seed", "client_nonce"];
const SERVER_DRAWS = ["server_x25519_seed", "server_ml_kem_message", "server_nonce"];

/** Computes the session from what `given` names: seeds, nonces, IVs and messages' fields. */
export async function workedSession(given: (name: string) => Bytes): Promise<Named> {
  const named: Named = new Map();
  const frames = await conversation(given, named);
  await schedule(given, named, frames);
  await withPreSharedKey(given, named, frames.hello);
  await counterModeRecord(given, named);
  return named;
}

interface HandshakeBytes {
  readonly hello: Bytes;
  readonly reply: Bytes;
  readonly proof: Bytes;
  readonly done: Bytes;
}

async function conversation(given: (name: string) => Bytes, named: Named): Promise<HandshakeBytes> {
  const told: Bytes[] = [];
  const clientIvs = ["done", "join", "send", "rekey", "ping", "close"].map((name) => `${name}_iv`);
  const serverIvs = ["proof", "presence", "ack", "answer"].map((name) => `${name}_iv`);
  const clientParts = parts(given, [...CLIENT_DRAWS, ...clientIvs], told);
  const serverParts = parts(given, [...SERVER_DRAWS, ...serverIvs], told);
  const hostKey = await PROVIDER.ed25519SigningKey(given("server_host_seed"));
  named.set("host_key", hostKey.publicKey);

  const server = Channel.server({ suites: ["a256cbc-hs512"], psk: undefined, hostKey }, serverParts);
  const { channel: client, opening } = await Channel.client({
    suites: ["a256cbc-hs512", "a256ctr-hs512"],
    psk: undefined,
    pin: { kind: "key", publicKey: hostKey.publicKey },
  }, clientParts);
  named.set("hello_frame", opening);
  const flight = await server.receive(opening);
  const [replyFrame = opening, proofFrame = opening] = framesOf(flight.reply);
  named.set("reply_frame", replyFrame);
  named.set("proof_frame", proofFrame);
  const last = await client.receive(flight.reply);
  named.set("done_frame", last.reply);
  const exporters = [...last.events, ...(await server.receive(last.reply)).events].map(exporterOf);
  deepEqual(exporters[0], exporters[1]);
  named.set("exporter", exporters[0] ?? new Uint8Array(0));
  await talk({ client, server, given, named });
  const [hello = opening, reply = opening] = told;
  return { hello, reply, ...proofs(told) };
}

async function talk(
  { client, server, given, named }: {
    client: Channel;
    server: Channel;
    given: (name: string) => Bytes;
    named: Named;
  },
): Promise<void> {
  const name = parseHandle("ann");
  if (name === undefined) throw new RangeError("Cannot make the session: its name is refused");
  const id = given("entry_id");
  const time = Number(BigInt(`0x${id.slice(0, 6).toHex()}`)) + 7;
  const messages = {
    join: encodeMessage({ type: "join", room: LOBBY, name }),
    presence: encodeMessage({ type: "presence", room: LOBBY, change: "here", names: [name], time }),
    send: encodeMessage({ type: "send", room: LOBBY, id, text: "hello" }),
    ack: encodeMessage({ type: "ack", room: LOBBY, id, sequence: 1, time: time + 1_000 }),
  };
  for (const [title, message] of Object.entries(messages)) named.set(`${title}_message`, message);
  const steps: readonly (readonly [string, Channel, Channel, (from: Channel) => Promise<Bytes>, number])[] = [
    ["join", client, server, (from) => from.sealMessages([messages.join]), 1],
    ["presence", server, client, (from) => from.sealMessages([messages.presence]), 1],
    ["send", client, server, (from) => from.sealMessages([messages.send]), 1],
    ["ack", server, client, (from) => from.sealMessages([messages.ack]), 1],
    ["rekey", client, server, (from) => from.rekey(), 0],
    ["ping", client, server, (from) => from.sealPing(), 0],
    ["close", client, server, (from) => from.sealClose("done"), 1],
    ["answer", server, client, (from) => from.sealClose("done"), 1],
  ];
  for (const [title, from, to, seal, eventCount] of steps) {
    const frame = await seal(from);
    named.set(`${title}_frame`, frame);
    const { events } = await to.receive(frame);
    equal(events.length, eventCount, `the ${title} frame is understood`);
    equal(events.some(({ kind }) => kind === "failed"), false, `the ${title} frame is opened`);
  }
}

/** Names what the key schedule gives, from messages alone: a channel tells no secret. */
async function schedule(given: (name: string) => Bytes, named: Named, bytes: HandshakeBytes): Promise<void> {
  const { hello, reply, proof, done } = bytes;
  const pair = await PROVIDER.x25519Pair(given("client_x25519_seed"));
  const kem = await PROVIDER.mlKemPair(given("client_ml_kem_seed"));
  const share = reply.slice(REPLY_SHARE_AT, REPLY_SHARE_AT + X25519_BYTES);
  const x25519Secret = await pair.agree(share);
  const mlKemSecret = await kem.decapsulate(reply.slice(-ML_KEM_768_CIPHERTEXT_BYTES));
  if (x25519Secret === undefined || mlKemSecret === undefined) {
    throw new RangeError("Cannot agree on secrets");
  }
  deepEqual(pair.share, hello.slice(HELLO_SHARE_AT, HELLO_SHARE_AT + X25519_BYTES));
  deepEqual(kem.encapsulationKey, hello.slice(-ML_KEM_768_KEY_BYTES));

  const hostKeyEnd = HOST_KEY_MESSAGE_BYTES;
  const signatureEnd = hostKeyEnd + SIGNATURE_MESSAGE_BYTES;
  const hashes = {
    t_reply: await transcriptHash(PROVIDER, concat(hello, reply)),
    t_host_key: await transcriptHash(PROVIDER, concat(hello, reply, proof.slice(0, hostKeyEnd))),
    t_signature: await transcriptHash(PROVIDER, concat(hello, reply, proof.slice(0, signatureEnd))),
    t_finished: await transcriptHash(PROVIDER, concat(hello, reply, proof)),
    t_done: await transcriptHash(PROVIDER, concat(hello, reply, proof, done)),
  };
  const early = await earlySecret(PROVIDER, undefined);
  const hs = await handshakeSecret(PROVIDER, early, { mlKemSecret, x25519Secret });
  const traffic = await handshakeTraffic(PROVIDER, hs, hashes.t_reply);
  const application = await applicationSecrets(PROVIDER, hs, hashes.t_done);
  const next = await nextSecret(PROVIDER, application.traffic.client);
  deepEqual(application.exporter, named.get("exporter"));
  const secrets = {
    x25519_secret: x25519Secret,
    ml_kem_secret: mlKemSecret,
    early_secret: early,
    early_derived: await expandLabel(PROVIDER, early, { label: "derived" }),
    hs_secret: hs,
    hs_derived: await expandLabel(PROVIDER, hs, { label: "derived" }),
    ...hashes,
    c_hs: traffic.client,
    s_hs: traffic.server,
    c_ap: application.traffic.client,
    s_ap: application.traffic.server,
    c_ap_rekeyed: next,
  };
  for (const [name, octets] of Object.entries(secrets)) named.set(name, octets);
  for (const name of ["c_hs", "s_hs", "c_ap", "s_ap", "c_ap_rekeyed"]) {
    const secret = named.get(name) ?? early;
    named.set(`${name}_key`, await recordKey(PROVIDER, secret, "a256cbc-hs512"));
  }
  named.set("proof_messages", proof);
  named.set("done_message", done);
}

async function withPreSharedKey(given: (name: string) => Bytes, named: Named, hello: Bytes): Promise<void> {
  const salt = new TextEncoder().encode("sotto psk v1");
  const cost = { cost: 2 ** 17, blockSize: 8, parallelization: 1 };
  const psk = await PROVIDER.scrypt(given("psk_passphrase"), salt, cost, PSK_BYTES);
  const early = await earlySecret(PROVIDER, psk);
  const { opening } = await Channel.client(
    { suites: ["a256cbc-hs512", "a256ctr-hs512"], psk, pin: { kind: "unknown" } },
    parts(given, CLIENT_DRAWS, []),
  );
  const message = opening.slice(FRAME_HEADER_BYTES);
  deepEqual(message.slice(HELLO_START_BYTES, -VERIFY_BYTES), hello.slice(HELLO_START_BYTES));
  deepEqual(
    await binder(PROVIDER, early, message.slice(0, -VERIFY_BYTES)),
    message.slice(-VERIFY_BYTES),
  );
  named.set("psk", psk);
  named.set("psk_early_secret", early);
  named.set("psk_binder_key", await expandLabel(PROVIDER, early, { label: "binder" }));
  named.set("psk_hello_start", opening.slice(0, FRAME_HEADER_BYTES + HELLO_START_BYTES));
  named.set("psk_binder", message.slice(-VERIFY_BYTES));
}

/** A ping of the other suite under the client's application secret, as if that suite had been chosen. */
async function counterModeRecord(given: (name: string) => Bytes, named: Named): Promise<void> {
  const secret = named.get("c_ap");
  if (secret === undefined) throw new RangeError("Cannot seal: the application secret is not there");
  const key = await recordKey(PROVIDER, secret, "a256ctr-hs512");
  const cipher = await recordCipher(PROVIDER, "a256ctr-hs512", key);
  const iv = given("ctr_iv");
  const inner = encodeInner("ping", new Uint8Array(0));
  const length = iv.length + inner.length + TAG_BYTES;
  const { ciphertext, tag } = await cipher.seal(concat(u32(1), u64(0), u16(length)), iv, inner);
  named.set("ctr_key", key);
  named.set("ctr_frame", concat(u16(length), iv, ciphertext, tag));
}

/** An end that draws the octets `names` name, in that order, and tells the handshake messages it sends. */
function parts(given: (name: string) => Bytes, names: readonly string[], told: Bytes[]): ChannelParts {
  const left = names.map(given);
  return {
    provider: PROVIDER,
    entropy: (length) => {
      const drawn = left.shift();
      if (drawn?.length !== length) throw new RangeError(`Cannot draw ${length} octets: the list has others`);
      return drawn.slice();
    },
    trace: (event) => {
      if (event.kind === "handshake" && event.way === "sent") told.push(event.bytes);
    },
  };
}

function proofs([, , hostKey, signature, finished, done]: readonly Bytes[]): { proof: Bytes; done: Bytes } {
  const nothing = new Uint8Array(0);
  return {
    proof: concat(hostKey ?? nothing, signature ?? nothing, finished ?? nothing),
    done: done ?? nothing,
  };
}

function framesOf(bytes: Bytes): readonly Bytes[] {
  const frames: Bytes[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const end = FRAME_HEADER_BYTES + (rest[0] ?? 0) * 256 + (rest[1] ?? 0);
    frames.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return frames;
}

function exporterOf(event: ChannelEvent): Bytes | undefined {
  return event.kind === "established" ? event.exporter : undefined;
}
