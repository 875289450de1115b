/**
 * Somebody who has recorded a connection and later comes by secrets that people and servers keep: tries whatever can be
 * made of them as every secret that the key schedule takes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { X25519_BYTES } from "../../lib/crypto/port.ts";
import {
  decodeHello,
  decodeReply,
  type HandshakeMessage,
  splitMessages,
} from "../../lib/secure/handshake_message.ts";
import { Opener } from "../../lib/secure/record.ts";
import { earlySecret, handshakeSecret, handshakeTraffic, SECRET_BYTES } from "../../lib/secure/schedule.ts";
import type { Suite } from "../../lib/secure/suite.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { framesIn } from "./relay.ts";

/** What passed on one connection, each way. */
export interface Recording {
  /** Of the client. */
  readonly toServer: Bytes;
  /** Of the server. */
  readonly toClient: Bytes;
}

/** What the thief comes by. */
export interface Loot {
  /** Secrets of any length; each is also tried by its pieces of 32 octets. */
  readonly secrets: readonly Bytes[];
  /** The pre-shared key, where one was set. */
  readonly psk: Bytes | undefined;
}

/** Octets of the seed of an ML-KEM pair, and of the secret it gives. */
const ML_KEM_SEED_BYTES = 64;
const ML_KEM_SECRET_BYTES = 32;

/** Highest epoch of a short connection: handshake, application, after a password login. */
const EPOCH_MAX = 2;

/** Whether he opens any record of `recording`. */
export async function opens(recording: Recording, { secrets, psk }: Loot): Promise<boolean> {
  const pieces = distinct(secrets.flatMap((secret) => piecesOf(secret, X25519_BYTES)));
  const whole = secrets.filter(({ length }) => length === X25519_BYTES);
  const seeds = distinct([
    ...secrets.flatMap((secret) => piecesOf(secret, ML_KEM_SEED_BYTES)),
    ...whole.flatMap((d) => whole.map((z) => concat(d, z))),
  ]);
  return await opensByAgreement(recording, { pieces, seeds, psk }) ||
    await opensByThemselves(recording, seeds);
}

/** He takes them for the secrets of the two key agreements, or for what comes of these. */
async function opensByAgreement(
  { toServer, toClient }: Recording,
  { pieces, seeds, psk }: {
    readonly pieces: readonly Bytes[];
    readonly seeds: readonly Bytes[];
    readonly psk: Bytes | undefined;
  },
): Promise<boolean> {
  const [helloBytes] = framesIn(toServer).bodies;
  const [replyBytes, proof] = framesIn(toClient).bodies;
  const hello = decodeHello(one(helloBytes));
  const reply = decodeReply(one(replyBytes));
  assert.ok(hello && reply && helloBytes && replyBytes && proof, "a whole handshake was recorded");
  const transcript = await provider.sha512(concat(helloBytes, replyBytes));
  const early = await earlySecret(provider, psk);
  const x25519Secrets = [new Uint8Array(X25519_BYTES), ...pieces];
  for (const piece of pieces) {
    const { agree } = await provider.x25519Pair(piece);
    for (const share of [hello.hello.x25519Share, reply.x25519Share]) {
      const agreed = await agree(share);
      if (agreed !== undefined) x25519Secrets.push(agreed);
    }
  }
  const mlKemSecrets = [new Uint8Array(ML_KEM_SECRET_BYTES), ...pieces];
  for (const seed of seeds) {
    const decapsulated = await (await provider.mlKemPair(seed)).decapsulate(reply.mlKemCiphertext);
    if (decapsulated !== undefined) mlKemSecrets.push(decapsulated);
  }
  for (const mlKemSecret of mlKemSecrets) {
    for (const x25519Secret of x25519Secrets) {
      const handshake = await handshakeSecret(provider, early, { mlKemSecret, x25519Secret });
      const { server } = await handshakeTraffic(provider, handshake, transcript);
      if (await isSecretOf(proof, { suite: reply.suite, secret: server, epoch: 0 })) return true;
    }
  }
  return false;
}

/** He takes them for the secrets of records. */
async function opensByThemselves(
  { toServer, toClient }: Recording,
  secrets: readonly Bytes[],
): Promise<boolean> {
  const { suite } = decodeReply(one(framesIn(toClient).bodies[0])) ?? assert.fail("a Reply was recorded");
  const records = [toServer, toClient].flatMap((way) => framesIn(way).bodies.slice(1));
  for (const secret of secrets.filter(({ length }) => length === SECRET_BYTES)) {
    for (let epoch = 0; epoch <= EPOCH_MAX; epoch++) {
      for (const record of records) if (await isSecretOf(record, { suite, secret, epoch })) return true;
    }
  }
  return false;
}

async function isSecretOf(
  record: Bytes,
  direction: { readonly suite: Suite; readonly secret: Bytes; readonly epoch: number },
): Promise<boolean> {
  const opener = await Opener.start({ ...direction, trace: () => {} }, provider);
  return await opener.open(record) !== undefined;
}

function one(bytes: Bytes | undefined): HandshakeMessage {
  const [message] = splitMessages(bytes ?? new Uint8Array(0)) ?? [];
  return message ?? assert.fail("no message was recorded");
}

function piecesOf(secret: Bytes, length: number): readonly Bytes[] {
  const count = Math.floor(secret.length / length);
  return Array.from({ length: count }, (_, at) => secret.slice(at * length, (at + 1) * length));
}

function distinct(all: readonly Bytes[]): readonly Bytes[] {
  return Array.from(new Map(all.map((bytes) => [bytes.toHex(), bytes])).values());
}
