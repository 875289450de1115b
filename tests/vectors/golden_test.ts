import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  verify,
} from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type Bytes, concat, u16, u32, u64, utf8 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { LOGIN_SAID } from "../secure/recorded_login.ts";
import { SAID } from "../secure/recorded_session.ts";
import {
  GOLDEN_FILE,
  goldenFile,
  type GoldenSession,
  labelInfo,
  readGoldenSessions,
} from "./golden_sessions.ts";

const X25519_PRIVATE: Bytes = Uint8Array.fromHex("302e020100300506032b656e04220420");
const X25519_PUBLIC: Bytes = Uint8Array.fromHex("302a300506032b656e032100");
const ED25519_PUBLIC: Bytes = Uint8Array.fromHex("302a300506032b6570032100");
const NOTHING: Bytes = new Uint8Array(0);
const ZEROS: Bytes = new Uint8Array(64);

test("the golden sessions are what this implementation does, octet for octet", async () => {
  assert.equal(await goldenFile(), await Deno.readTextFile(GOLDEN_FILE));
});

test("the golden sessions are there for both suites, with and without a pre-shared key", async () => {
  const sessions = await readGoldenSessions();
  assert.deepEqual(sessions.map(({ name }) => name), [
    "a256cbc-hs512",
    "a256cbc-hs512 with a pre-shared key",
    "a256ctr-hs512",
    "a256ctr-hs512 with a pre-shared key",
  ]);
  assert.deepEqual(sessions.map(({ frames }) => frames.length), [22, 18, 18, 22]);
});

test("the golden sessions are there for a login by password and by device with each suite", async () => {
  const sessions = await readGoldenSessions();
  assert.deepEqual(sessions.map(({ login }) => login), ["password", "device", "device", "password"]);
});

// What follows shares nothing with lib/secure and lib/crypto: node:crypto and the formulas alone.

test("another reading of the formulas comes to the same secrets", async () => {
  for (const session of await readGoldenSessions()) {
    const { messages, secrets } = session;
    const early = extract(ZEROS, session.psk ?? ZEROS);
    const x25519Secret = agree(session.client.x25519Seed, messages.Reply.slice(36, 68));
    const { secretKey } = ml_kem768.keygen(session.client.mlKem);
    const mlKemSecret = new Uint8Array(ml_kem768.decapsulate(messages.Reply.slice(68), secretKey));
    const hs = extract(expand(early, "derived", NOTHING), concat(mlKemSecret, x25519Secret));
    const upTo = (last: keyof typeof messages): Bytes => transcript(session, last);
    const ms = extract(expand(hs, "derived", NOTHING), ZEROS);
    const [c_ap, s_ap] = [expand(ms, "c ap", upTo("Done")), expand(ms, "s ap", upTo("Done"))];
    assert.deepEqual({ x25519Secret, mlKemSecret }, {
      x25519Secret: session.x25519Secret,
      mlKemSecret: session.mlKemSecret,
    });
    const { c_ap_2, s_ap_2, ms_2, exporter_2, c_ap_3, s_ap_3, ...upToLogin } = secrets;
    assert.deepEqual(upToLogin, {
      early,
      hs,
      c_hs: expand(hs, "c hs", upTo("Reply")),
      s_hs: expand(hs, "s hs", upTo("Reply")),
      ms,
      c_ap,
      s_ap,
      exporter: expand(ms, "exporter", upTo("Done")),
    });
    if (session.sessionKey === null) {
      assert.deepEqual([c_ap_2, s_ap_2], [expand(c_ap, "rekey", NOTHING), expand(s_ap, "rekey", NOTHING)]);
      assert.deepEqual([ms_2, exporter_2, c_ap_3, s_ap_3], [undefined, undefined, undefined, undefined]);
    } else {
      const mixed = extract(expand(ms, "login", NOTHING), session.sessionKey);
      const hash = loginTranscript(session);
      assert.deepEqual([ms_2, exporter_2], [mixed, expand(mixed, "exporter", hash)]);
      assert.deepEqual([c_ap_2, s_ap_2], [expand(mixed, "c ap", hash), expand(mixed, "s ap", hash)]);
      assert.deepEqual([c_ap_3, s_ap_3], [
        expand(c_ap_2, "rekey", NOTHING),
        expand(s_ap_2, "rekey", NOTHING),
      ]);
    }
  }
});

test("another reading of the formulas verifies binder, signature, Finished and Done", async () => {
  for (const session of await readGoldenSessions()) {
    const { messages, secrets, psk } = session;
    if (psk !== null) {
      const covered = messages.Hello.slice(0, -32);
      const binder = hmac(expand(secrets.early, "binder", NOTHING), sha512(covered)).slice(0, 32);
      assert.deepEqual(messages.Hello.slice(-32), binder);
    }
    const finished = hmac(expand(secrets.s_hs, "finished", NOTHING), transcript(session, "Signature")).slice(
      0,
      32,
    );
    assert.deepEqual(messages.Finished, concat(Uint8Array.of(5, 0, 32), finished));
    const done = hmac(expand(secrets.c_hs, "finished", NOTHING), transcript(session, "Finished")).slice(
      0,
      32,
    );
    assert.deepEqual(messages.Done, concat(Uint8Array.of(6, 0, 32), done));
    assert.deepEqual(messages.HostKey, concat(Uint8Array.of(3, 0, 32), session.hostKey));
    const key = createPublicKey({
      key: Buffer.from(concat(ED25519_PUBLIC, session.hostKey)),
      format: "der",
      type: "spki",
    });
    const signed = concat(utf8("sotto/1 server auth\0"), transcript(session, "HostKey"));
    assert.ok(verify(null, signed, key, messages.Signature.slice(3)));
  }
});

test("another reading of the formulas opens every record to what was said", async () => {
  for (const session of await readGoldenSessions()) {
    const [hello, reply, ...records] = session.frames;
    assert.deepEqual(hello?.bytes, framed(session.messages.Hello));
    assert.deepEqual(reply?.bytes, framed(session.messages.Reply));
    const ivs = { toServer: session.client.ivs.values(), toClient: session.server.ivs.values() };
    const opened = records.map((frame) => {
      assert.deepEqual(frame.bytes.slice(2, 18), ivs[frame.way].next().value, "the IV that was drawn");
      return openRecord(session, frame);
    });
    const { HostKey, Signature, Finished, Done } = session.messages;
    const messages = (...bytes: readonly Bytes[]): Bytes =>
      concat(...bytes.map((message) => concat(u16(message.length), message)));
    assert.deepEqual(opened, [
      { code: 1, content: concat(HostKey, Signature, Finished) },
      { code: 1, content: Done },
      ...session.login === "device" ? [said("DeviceLogin")] : PASSWORD_STEPS.map(said),
      { code: 2, content: messages(SAID.enter, SAID.read) },
      { code: 2, content: messages(SAID.here) },
      { code: 2, content: messages(SAID.first, SAID.second) },
      { code: 2, content: messages(SAID.firstAck) },
      { code: 2, content: messages(SAID.entry) },
      { code: 4, content: NOTHING },
      { code: 4, content: NOTHING },
      { code: 3, content: NOTHING },
      { code: 2, content: messages(SAID.third) },
      { code: 3, content: NOTHING },
      { code: 2, content: messages(SAID.thirdAck) },
      { code: 5, content: u16(0) },
      { code: 5, content: u16(0) },
    ]);
    const codes = { handshake: 1, message: 2, rekey: 3, ping: 4, close: 5 } as const;
    const written = records.map(({ kind, content }) => ({ code: kind && codes[kind], content }));
    assert.deepEqual(written, opened, "the file says so too");
  }
});

const PASSWORD_STEPS = ["RegisterStart", "Refused", "LoginStart", "LoginReply", "LoginFinish"] as const;

function said(step: keyof typeof LOGIN_SAID): { readonly code: number; readonly content: Bytes } {
  return { code: 1, content: LOGIN_SAID[step] };
}

function openRecord(
  { suite, secrets }: GoldenSession,
  { way, epoch = -1, sequence = -1, bytes }: GoldenSession["frames"][number],
): { readonly code: number; readonly content: Bytes } {
  const chain = way === "toServer"
    ? [secrets.c_hs, secrets.c_ap, secrets.c_ap_2, secrets.c_ap_3]
    : [secrets.s_hs, secrets.s_ap, secrets.s_ap_2, secrets.s_ap_3];
  const key = expand(chain[epoch] ?? assert.fail("a known epoch"), `key ${suite}`, NOTHING);
  const body = bytes.slice(2);
  const [iv, ciphertext, tag] = [body.slice(0, 16), body.slice(16, -32), body.slice(-32)];
  const associated = concat(u32(epoch), u64(sequence), u16(body.length));
  const covered = concat(associated, iv, ciphertext, u64(8 * associated.length));
  assert.deepEqual(hmac(key.slice(0, 32), covered).slice(0, 32), tag);
  const mode = suite === "a256cbc-hs512" ? "aes-256-cbc" : "aes-256-ctr";
  const decipher = createDecipheriv(mode, key.slice(32), iv);
  const inner = concat(new Uint8Array(decipher.update(ciphertext)), new Uint8Array(decipher.final()));
  const length = (inner[1] ?? 0) * 256 + (inner[2] ?? 0);
  assert.ok(inner.slice(3 + length).every((octet) => octet === 0), "zeros follow");
  assert.ok([64, 256, 1_024, 4_096, 16_384].includes(inner.length), "one of five sizes");
  return { code: inner[0] ?? 0, content: inner.slice(3, 3 + length) };
}

/** T(last): SHA-512 over all messages up to and with it. */
function transcript({ messages }: GoldenSession, last: keyof GoldenSession["messages"]): Bytes {
  const order = ["Hello", "Reply", "HostKey", "Signature", "Finished", "Done"] as const;
  const upTo = order.slice(0, order.indexOf(last) + 1);
  return sha512(concat(...upTo.map((name) => messages[name])));
}

/** T(LoginFinish): the handshake's six messages and all of the login, as the frames carry them. */
function loginTranscript({ messages, frames }: GoldenSession): Bytes {
  const { Hello, Reply, HostKey, Signature, Finished, Done } = messages;
  const login = PASSWORD_STEPS.map((step) => {
    const { content } = frames.find((frame) => frame.step === step) ?? assert.fail(`${step} is in a frame`);
    return content ?? assert.fail(`${step} has a content`);
  });
  return sha512(concat(Hello, Reply, HostKey, Signature, Finished, Done, ...login));
}

function agree(seed: Bytes, share: Bytes): Bytes {
  const privateKey = createPrivateKey({
    key: Buffer.from(concat(X25519_PRIVATE, seed)),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey({
    key: Buffer.from(concat(X25519_PUBLIC, share)),
    format: "der",
    type: "spki",
  });
  return new Uint8Array(diffieHellman({ privateKey, publicKey }));
}

function sha512(data: Bytes): Bytes {
  return new Uint8Array(createHash("sha512").update(data).digest());
}

function hmac(key: Bytes, data: Bytes): Bytes {
  return new Uint8Array(createHmac("sha512", key).update(data).digest());
}

function extract(salt: Bytes, inputKey: Bytes): Bytes {
  return hmac(salt, inputKey);
}

/** One block of HKDF-Expand is all that 64 octets need. */
function expand(secret: Bytes, label: string, transcriptHash: Bytes): Bytes {
  return hmac(secret, concat(labelInfo(label, transcriptHash), Uint8Array.of(1)));
}

function framed(message: Bytes): Bytes {
  return concat(u16(message.length), message);
}
