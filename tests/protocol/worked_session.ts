/**
 * The worked session of PROTOCOL §11: two ends of a channel, with every random octet told, write the frames and
 * derive the secrets that the document shows. The handshake is followed by a login by password, and once more by one by
 * a device's key: a channel goes on in one way only, so each is a session of its own with the same beginning.
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import { ML_KEM_768_CIPHERTEXT_BYTES, ML_KEM_768_KEY_BYTES, X25519_BYTES } from "../../lib/crypto/port.ts";
import { deviceLogin } from "../../lib/login/client_login.ts";
import { recordCipher, TAG_BYTES } from "../../lib/secure/aead.ts";
import { Channel, type ChannelEvent, type ChannelParts } from "../../lib/secure/channel.ts";
import { extract } from "../../lib/secure/hkdf.ts";
import { encodeInner } from "../../lib/secure/inner.ts";
import {
  applicationSecrets,
  binder,
  earlySecret,
  expandLabel,
  handshakeSecret,
  handshakeTraffic,
  mixedSecrets,
  nextSecret,
  PSK_BYTES,
  recordKey,
  transcriptHash,
  VERIFY_BYTES,
} from "../../lib/secure/schedule.ts";
import { type Bytes, concat, u16, u32, u64 } from "../../lib/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import { type WorkedOpaque, workedOpaque } from "./worked_opaque.ts";
import { ANN, type Given, keyPairs, type Named, PROVIDER, workedPeople } from "./worked_people.ts";

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
export async function workedSession(given: Given): Promise<Named> {
  const opaque = await workedOpaque(given, PROVIDER);
  const named = await workedPeople(given, opaque);
  for (const [name, octets] of Object.entries(opaque.messages)) named.set(name, octets);
  named.set("opaque_public_key", opaque.serverKey);
  named.set("opaque_session_key", opaque.sessionKey);
  const handshake = await passwordSession(given, named, opaque);
  const { master, transcript } = await schedule(given, named, handshake);
  await mixed(named, { master, transcript, opaque });
  await deviceSession(given, named);
  await withPreSharedKey(given, named, handshake.hello);
  await counterModeRecord(given, named);
  return named;
}

interface HandshakeBytes {
  readonly hello: Bytes;
  readonly reply: Bytes;
  readonly proof: Bytes;
  readonly done: Bytes;
}

/** Both ends of a channel, in stage login. */
interface Ends {
  readonly client: Channel;
  readonly server: Channel;
  readonly exporter: Bytes;
  readonly handshake: HandshakeBytes;
}

/** One frame: who seals it and how, who opens it, and how many events it gives there. */
interface FrameStep {
  readonly name: string;
  readonly from: Channel;
  readonly to: Channel;
  readonly seal: (from: Channel) => Promise<Bytes>;
  readonly events: number;
}

/** Two ends after their handshake; `ivs` names what each draws for its records, Done and the server's proof first. */
async function shakeHands(
  given: Given,
  named: Named,
  ivs: { readonly client: readonly string[]; readonly server: readonly string[] },
): Promise<Ends> {
  const told: Bytes[] = [];
  const clientIvs = ["done", ...ivs.client].map((name) => `${name}_iv`);
  const serverIvs = ["proof", ...ivs.server].map((name) => `${name}_iv`);
  const clientParts = parts(given, [...CLIENT_DRAWS, ...clientIvs], told);
  const serverParts = parts(given, [...SERVER_DRAWS, ...serverIvs], told);
  const { host: hostKey } = await keyPairs(given);

  const server = Channel.server({ suites: ["a256cbc-hs512"], psk: undefined, hostKey }, serverParts);
  const { channel: client, opening } = await Channel.client({
    suites: ["a256cbc-hs512", "a256ctr-hs512"],
    psk: undefined,
    pin: { kind: "key", publicKey: hostKey.publicKey },
  }, clientParts);
  const flight = await server.receive(opening);
  const [replyFrame = opening, proofFrame = opening] = framesOf(flight.reply);
  const last = await client.receive(flight.reply);
  const [ours, theirs] = [...last.events, ...(await server.receive(last.reply)).events].map(exporterOf);
  deepEqual(ours, theirs);
  const exporter = ours ?? new Uint8Array(0);
  const frames = {
    hello_frame: opening,
    reply_frame: replyFrame,
    proof_frame: proofFrame,
    done_frame: last.reply,
  };
  for (const [name, octets] of Object.entries({ ...frames, exporter })) setOnce(named, name, octets);
  const [hello = opening, reply = opening] = told;
  return { client, server, exporter, handshake: { hello, reply, ...proofs(told) } };
}

/** A registration, a login by password, and the account's first device (PROTOCOL §11.5). */
async function passwordSession(given: Given, named: Named, opaque: WorkedOpaque): Promise<HandshakeBytes> {
  const { client, server, handshake } = await shakeHands(given, named, {
    client: ["register_start", "register_finish", "login_start", "login_finish", "enter", "publish", "leave"],
    server: ["register_reply", "login_reply", "new_account", "account", "leave_answer"],
  });
  const saying = (name: string, from: Channel, to: Channel): FrameStep => ({
    name,
    from,
    to,
    seal: (sealing) => sealing.sendLogin(octetsOf(named, `${name}_message`)),
    events: 1,
  });
  await pass(named, saying("register_start", client, server));
  await pass(named, saying("register_reply", server, client));
  await server.continueLogin();
  await pass(named, saying("register_finish", client, server));
  await server.continueLogin();
  await pass(named, saying("login_start", client, server));
  await client.continueLogin();
  await pass(named, saying("login_reply", server, client));
  await server.continueLogin();
  await pass(named, saying("login_finish", client, server));
  await client.mix(opaque.sessionKey);
  await server.mix(opaque.sessionKey);
  await pass(named, telling(named, { name: "enter", from: client, to: server }));
  await pass(named, telling(named, { name: "new_account", from: server, to: client }));
  await pass(named, telling(named, { name: "publish", from: client, to: server }));
  await pass(named, telling(named, { name: "account", from: server, to: client }));
  await pass(named, closing("leave", client, server));
  await pass(named, closing("leave_answer", server, client));
  return handshake;
}

/** A login by device's key, and a conversation (PROTOCOL §11.6). */
async function deviceSession(given: Given, named: Named): Promise<void> {
  const { client, server, exporter } = await shakeHands(given, named, {
    client: ["device_login", "device_enter", "read", "send", "rekey", "ping", "close"],
    server: ["device_account", "rooms", "page", "entry", "ack", "answer"],
  });
  const { annDevice } = await keyPairs(given);
  const login = await deviceLogin(annDevice, exporter, ANN);
  named.set("device_login_message", login);
  const seal = (from: Channel): Promise<Bytes> => from.sendLogin(login);
  await pass(named, { name: "device_login", from: client, to: server, seal, events: 1 });
  await client.expectVerdict();
  await server.admit();
  const steps: readonly FrameStep[] = [
    telling(named, { name: "device_enter", from: client, to: server, messages: ["enter"] }),
    telling(named, { name: "device_account", from: server, to: client, messages: ["account"] }),
    telling(named, { name: "rooms", from: server, to: client, messages: ["room", "ready", "presence"] }),
    telling(named, { name: "read", from: client, to: server }),
    telling(named, { name: "page", from: server, to: client }),
    telling(named, { name: "entry", from: server, to: client }),
    telling(named, { name: "send", from: client, to: server }),
    telling(named, { name: "ack", from: server, to: client }),
    { name: "rekey", from: client, to: server, seal: (from) => from.rekey(), events: 0 },
    { name: "ping", from: client, to: server, seal: (from) => from.sealPing(), events: 0 },
    closing("close", client, server),
    closing("answer", server, client),
  ];
  for (const step of steps) await pass(named, step);
}

/** A record with the messages named, or the one that is called like it. */
function telling(
  named: Named,
  { name, from, to, messages = [name] }: {
    readonly name: string;
    readonly from: Channel;
    readonly to: Channel;
    readonly messages?: readonly string[];
  },
): FrameStep {
  const contents = messages.map((message) => octetsOf(named, `${message}_message`));
  return { name, from, to, seal: (sealing) => sealing.sealMessages(contents), events: contents.length };
}

function closing(name: string, from: Channel, to: Channel): FrameStep {
  return { name, from, to, seal: (sealing) => sealing.sealClose("done"), events: 1 };
}

async function pass(named: Named, { name, from, to, seal, events }: FrameStep): Promise<void> {
  const frame = await seal(from);
  setOnce(named, `${name}_frame`, frame);
  const received = await to.receive(frame);
  equal(received.events.length, events, `the ${name} frame is understood`);
  equal(received.events.some(({ kind }) => kind === "failed"), false, `the ${name} frame is opened`);
}

/** Both sessions begin alike: what one has named, the other names the same. */
function setOnce(named: Named, name: string, octets: Bytes): void {
  equal((named.get(name) ?? octets).toHex(), octets.toHex(), name);
  named.set(name, octets);
}

function octetsOf(named: Named, name: string): Bytes {
  const octets = named.get(name);
  if (octets === undefined) throw new RangeError(`Cannot go on with the session: ${name} is not there`);
  return octets;
}

/** Names what the mixing of keys gives (PROTOCOL §4.8). */
async function mixed(
  named: Named,
  { master, transcript, opaque }: { master: Bytes; transcript: Bytes; opaque: WorkedOpaque },
): Promise<void> {
  const said = Object.values(opaque.messages);
  const hash = await transcriptHash(PROVIDER, concat(transcript, ...said));
  const { sessionKey } = opaque;
  const { traffic, exporter } = await mixedSecrets(PROVIDER, master, { sessionKey, transcript: hash });
  const salt = await expandLabel(PROVIDER, master, { label: "login" });
  named.set("t_login_finish", hash);
  named.set("ms_secret", master);
  named.set("ms_login", salt);
  named.set("ms_mixed", await extract(PROVIDER, salt, sessionKey));
  named.set("c_ap_mixed", traffic.client);
  named.set("s_ap_mixed", traffic.server);
  named.set("exporter_mixed", exporter);
  named.set("c_ap_mixed_key", await recordKey(PROVIDER, traffic.client, "a256cbc-hs512"));
  named.set("s_ap_mixed_key", await recordKey(PROVIDER, traffic.server, "a256cbc-hs512"));
}

/** Names what the key schedule gives, from messages alone: a channel tells no secret. */
async function schedule(
  given: Given,
  named: Named,
  bytes: HandshakeBytes,
): Promise<{ readonly master: Bytes; readonly transcript: Bytes }> {
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
  return { master: application.master, transcript: concat(hello, reply, proof, done) };
}

async function withPreSharedKey(given: Given, named: Named, hello: Bytes): Promise<void> {
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
async function counterModeRecord(given: Given, named: Named): Promise<void> {
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
function parts(given: Given, names: readonly string[], told: Bytes[]): ChannelParts {
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
