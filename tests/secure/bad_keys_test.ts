import assert from "node:assert/strict";
import { SMALL_ORDER_ENCODINGS } from "../../lib/crypto/ed25519_points.ts";
import type { MlKem } from "../../lib/crypto/ml_kem.ts";
import { ML_KEM_768_CIPHERTEXT_BYTES, type Provider, type SigningKey } from "../../lib/crypto/port.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { Channel, type Received } from "../../lib/secure/channel.ts";
import {
  decodeHello,
  decodeReply,
  encodeHello,
  encodeReply,
  splitMessages,
} from "../../lib/secure/handshake_message.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { encodeFrame } from "../../lib/wire/frame.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import { bothMlKemsTest } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { kindsOf } from "./events.ts";
import { framesOf, HOST_KEY_SEED, partsOf, repeatable } from "./recorded_session.ts";
import { seededEntropy } from "./seeded_entropy.ts";

/** u of small order: 0, 1, both of order 8, p - 1; and forms not below p of 0, 1 and p - 1 (RFC 7748 §5). */
const SMALL_ORDER_SHARES = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex): Bytes => Uint8Array.fromHex(hex));

/** A signature that verifies for any message under the neutral key: R neutral, S zero. */
const FORGED: Bytes = concat(Uint8Array.of(1), new Uint8Array(63));

test("attack 12: a server drops a Hello whose X25519 share is of small order or not canonical", async () => {
  const { opening } = await freshClient(repeatable);
  const { hello } = parsedHello(opening);
  for (const x25519Share of badShares(hello.x25519Share)) {
    const { events, reply } = await answer(repeatable, encodeFrame(encodeHello({ ...hello, x25519Share })));
    assert.deepEqual(kindsOf(events), ["badKeyShare"], x25519Share.toHex());
    assert.equal(reply.length, 0);
  }
});

test("attack 12: a client ends at a Reply whose X25519 share is of small order or not canonical", async () => {
  const { reply: flight } = await answer(repeatable, (await freshClient(repeatable)).opening);
  const [replyFrame, proof] = framesOf(flight);
  assert.ok(replyFrame !== undefined && proof !== undefined);
  const reply = parsedReply(replyFrame);
  for (const x25519Share of badShares(reply.x25519Share)) {
    const { channel } = await freshClient(repeatable);
    const altered = encodeFrame(encodeReply({ ...reply, x25519Share }));
    const { events, reply: done } = await channel.receive(concat(altered, proof));
    assert.deepEqual(kindsOf(events), ["badKeyShare"], x25519Share.toHex());
    assert.equal(done.length, 0);
  }
});

test("attack 12: a client refuses small-order and non-canonical host keys, even pinned, with forged signatures", async () => {
  const keys = new Set([...SMALL_ORDER_ENCODINGS, ...encodingsNotBelowP()]);
  assert.equal(keys.size, 14 + 38 - 4);
  for (const key of keys) {
    const { events, reply } = await meet(forger(Uint8Array.fromHex(key)));
    assert.deepEqual(kindsOf(events), ["badSignature"], key);
    assert.equal(reply.length, 0);
  }
});

test("attack 12: host keys that are no point at all are a fault and nothing worse", async () => {
  const entropy = seededEntropy("keys of nobody");
  for (let count = 0; count < 100; count++) {
    const { events } = await meet(forger(entropy(32)));
    assert.deepEqual(kindsOf(events), ["badSignature"]);
  }
});

bothMlKemsTest("attack 13: a server drops a Hello whose ML-KEM key is malformed", async (mlKem) => {
  const provider = webCryptoProvider(mlKem);
  const { hello } = parsedHello((await freshClient(provider)).opening);
  for (const mlKemKey of malformedKeys(hello.mlKemKey)) {
    const { events, reply } = await answer(provider, encodeFrame(encodeHello({ ...hello, mlKemKey })));
    assert.deepEqual(kindsOf(events), ["badKeyShare"]);
    assert.equal(reply.length, 0);
  }
});

bothMlKemsTest(
  "attack 13: an altered ML-KEM ciphertext fails at Finished, like any other forgery",
  async (mlKem) => {
    const provider = webCryptoProvider(mlKem);
    for (const at of [0, 1, 500, ML_KEM_768_CIPHERTEXT_BYTES - 1]) {
      const { received } = await withCiphertext(
        mlKem,
        (ciphertext) => ciphertext.with(at, (ciphertext[at] ?? 0) ^ 1),
      );
      assert.deepEqual(kindsOf(received.events), ["badRecord"], `octet ${at}`);
      assert.equal(received.reply.length, 0);
    }
    for (const value of [0x00, 0xff]) {
      const { received } = await withCiphertext(mlKem, (ciphertext) => ciphertext.slice().fill(value));
      assert.deepEqual(kindsOf(received.events), ["badRecord"]);
    }
    const { opening } = await freshClient(provider);
    const { events } = await answer(provider, opening);
    assert.deepEqual(events, [], "the honest one is answered");
  },
);

test("attack 13: an altered ciphertext whose hash is repaired fails all the same", async () => {
  // The server signs and hashes the altered Reply itself, so that only the shared secret differs.
  const lying: Provider = {
    ...repeatable,
    async mlKemEncapsulate(key, entropy) {
      const made = await repeatable.mlKemEncapsulate(key, entropy);
      return made && { ...made, ciphertext: made.ciphertext.with(7, (made.ciphertext[7] ?? 0) ^ 1) };
    },
  };
  const { channel, opening } = await freshClient(repeatable);
  const { reply } = await answer(lying, opening);
  const received = await channel.receive(reply);
  assert.deepEqual(kindsOf(received.events), ["badRecord"]);
  assert.equal(received.reply.length, 0);
});

function badShares(good: Bytes): readonly Bytes[] {
  const topBit = good.with(31, (good[31] ?? 0) | 0x80);
  return [
    ...SMALL_ORDER_SHARES,
    ...SMALL_ORDER_SHARES.map((share) => share.with(31, (share[31] ?? 0) | 0x80)),
    topBit,
  ];
}

/** y from p to 2^255 - 1, each with both signs of x. */
function encodingsNotBelowP(): readonly string[] {
  const encodings: string[] = [];
  for (let lowest = 0xed; lowest <= 0xff; lowest++) {
    for (const highest of [0x7f, 0xff]) {
      encodings.push(new Uint8Array(32).fill(0xff).with(0, lowest).with(31, highest).toHex());
    }
  }
  return encodings;
}

/** Keys with a coefficient of q or more: at the first place, the last, in the middle, and everywhere. */
function malformedKeys(good: Bytes): readonly Bytes[] {
  const q = [0x01, 0x0d];
  const places = [0, 600, 1_149];
  return [
    ...places.map((at) => good.with(at, q[0] ?? 0).with(at + 1, (q[1] ?? 0) | (good[at + 1] ?? 0) & 0xf0)),
    good.with(1_150, (good[1_150] ?? 0) | 0xf0).with(1_151, 0xff),
    new Uint8Array(good.length).fill(0xff),
  ];
}

function forger(publicKey: Bytes): SigningKey {
  return { publicKey, sign: () => Promise.resolve(FORGED) };
}

/** A client, which has even pinned the key, meets a server with `hostKey`. */
async function meet(hostKey: SigningKey): Promise<Received> {
  const { channel, opening } = await freshClient(repeatable, hostKey.publicKey);
  const { reply } = await answer(repeatable, opening, hostKey);
  return channel.receive(reply);
}

async function withCiphertext(
  mlKem: MlKem,
  alter: (ciphertext: Bytes) => Bytes,
): Promise<{ readonly received: Received }> {
  const provider = webCryptoProvider(mlKem);
  const { channel, opening } = await freshClient(provider);
  const [replyFrame, proof] = framesOf((await answer(provider, opening)).reply);
  assert.ok(replyFrame !== undefined && proof !== undefined);
  const reply = parsedReply(replyFrame);
  const altered = encodeReply({ ...reply, mlKemCiphertext: alter(reply.mlKemCiphertext) });
  return { received: await channel.receive(concat(encodeFrame(altered), proof)) };
}

async function freshClient(
  provider: Provider,
  pinned?: Bytes,
): Promise<{ readonly channel: Channel; readonly opening: Bytes }> {
  const hostKey = await repeatable.ed25519SigningKey(HOST_KEY_SEED);
  return Channel.client(
    {
      suites: ["a256cbc-hs512"],
      psk: undefined,
      pin: { kind: "key", publicKey: pinned ?? hostKey.publicKey },
    },
    partsOf(provider, "client", "bad keys"),
  );
}

async function answer(provider: Provider, hello: Bytes, hostKey?: SigningKey): Promise<Received> {
  const options = {
    suites: ["a256cbc-hs512"],
    psk: undefined,
    hostKey: hostKey ?? await repeatable.ed25519SigningKey(HOST_KEY_SEED),
  } as const;
  return Channel.server(options, partsOf(provider, "server", "bad keys")).receive(hello);
}

function parsedHello(frame: Bytes): NonNullable<ReturnType<typeof decodeHello>> {
  const [message] = splitMessages(frame.slice(FRAME_HEADER_BYTES)) ?? [];
  return (message && decodeHello(message)) ?? assert.fail("the Hello parses");
}

function parsedReply(frame: Bytes): NonNullable<ReturnType<typeof decodeReply>> {
  const [message] = splitMessages(frame.slice(FRAME_HEADER_BYTES)) ?? [];
  return (message && decodeReply(message)) ?? assert.fail("the Reply parses");
}
