/**
 * The client's side of the handshake (PROTOCOL §4.3). Each state holds what is known then and is consumed by the
 * function that takes the next message:
 *
 *     offer ▸ AwaitingReply ▸ takeReply ▸ AwaitingServerProof ▸ takeServerProof ▸ ClientFinished
 *
 * @module
 */

import {
  type Entropy,
  ML_KEM_SEED_BYTES,
  type MlKemPair,
  type Provider,
  X25519_BYTES,
  type X25519Pair,
} from "../crypto/port.ts";
import { type Bytes, concat, equal, utf8 } from "../wire/bytes.ts";
import { type Failed, failed } from "./fault.ts";
import {
  decodeField,
  decodeReply,
  encodeField,
  encodeHello,
  encodeHelloBeforeBinder,
  type Hello,
  NONCE_BYTES,
  splitMessages,
} from "./handshake_message.ts";
import {
  applicationSecrets,
  binder,
  earlySecret,
  type FinishedSecrets,
  handshakeSecret,
  handshakeTraffic,
  type TrafficSecrets,
  transcriptHash,
  verifyData,
} from "./schedule.ts";
import { type Suite, suiteCode } from "./suite.ts";

/** What is signed by the host key, before the transcript hash (PROTOCOL §4.4). */
export const SERVER_AUTH_LABEL: Bytes = utf8("sotto/1 server auth\0");

/** What the client knows of the server's host key beforehand. */
export type HostKeyPin =
  /** The key itself, from an invitation or known hosts; 32 octets. */
  | { readonly kind: "key"; readonly publicKey: Bytes }
  /** Its SHA-256, as a person was told it; 32 octets. */
  | { readonly kind: "fingerprint"; readonly sha256: Bytes }
  /** Nothing: the handshake stops before Done and tells which key it met. */
  | { readonly kind: "unknown" };

/** What a client brings to a handshake. */
export interface ClientOptions {
  /** The suites it would take; the server chooses by its own order. */
  readonly suites: readonly Suite[];
  /** The pre-shared key, 32 octets, where one is set. */
  readonly psk: Bytes | undefined;
  /** The host key it will accept. */
  readonly pin: HostKeyPin;
}

/** After Hello. */
export interface AwaitingReply {
  /** The state's name. */
  readonly kind: "awaitingReply";
  /** What the client brought. */
  readonly options: ClientOptions;
  /** The early secret. */
  readonly early: Bytes;
  /** The ephemeral X25519 pair. */
  readonly x25519: X25519Pair;
  /** The ephemeral ML-KEM pair. */
  readonly mlKem: MlKemPair;
  /** All messages so far. */
  readonly transcript: Bytes;
}

/** After Reply: records of epoch 0 can be opened and sealed. */
export interface AwaitingServerProof {
  /** The state's name. */
  readonly kind: "awaitingServerProof";
  /** The suite the server chose. */
  readonly suite: Suite;
  /** The secrets of epoch 0. */
  readonly traffic: TrafficSecrets;
  /** The handshake secret. */
  readonly handshake: Bytes;
  /** The host key to accept. */
  readonly pin: HostKeyPin;
  /** All messages so far. */
  readonly transcript: Bytes;
}

/** The server has proved its key, and Done is to be sent as the last record of epoch 0. */
export interface ClientFinished {
  /** The state's name. */
  readonly kind: "clientFinished";
  /** The message Done. */
  readonly done: Bytes;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The secrets of epoch 1. */
  readonly application: FinishedSecrets;
  /** All messages, Done included. */
  readonly transcript: Bytes;
}

/** The server has proved a host key that the client does not accept: nothing more is sent. */
export interface HostKeyRefused {
  /** The state's name. */
  readonly kind: "hostKeyRefused";
  /** The key it proved, 32 octets. */
  readonly hostKey: Bytes;
}

/** Begins a handshake: the state, and the message Hello to be sent. */
export async function offer(
  options: ClientOptions,
  provider: Provider,
  entropy: Entropy,
): Promise<{ readonly state: AwaitingReply; readonly hello: Bytes }> {
  const early = await earlySecret(provider, options.psk);
  const x25519 = await provider.x25519Pair(entropy(X25519_BYTES));
  const mlKem = await provider.mlKemPair(entropy(ML_KEM_SEED_BYTES));
  const fields: Hello = {
    nonce: entropy(NONCE_BYTES),
    suiteCodes: options.suites.map(suiteCode),
    x25519Share: x25519.share,
    mlKemKey: mlKem.encapsulationKey,
  };
  const hello = options.psk === undefined ? encodeHello(fields) : await boundHello(fields, early, provider);
  return { state: { kind: "awaitingReply", options, early, x25519, mlKem, transcript: hello }, hello };
}

async function boundHello(fields: Hello, early: Bytes, provider: Provider): Promise<Bytes> {
  const before = encodeHelloBeforeBinder(fields);
  return concat(before, await binder(provider, early, before));
}

/** Takes the body of the first frame from the server. */
export async function takeReply(
  state: AwaitingReply,
  body: Bytes,
  provider: Provider,
): Promise<AwaitingServerProof | Failed> {
  const [message, ...rest] = splitMessages(body) ?? [];
  const reply = message && decodeReply(message);
  if (reply === undefined || rest.length > 0) return failed("badHandshake");
  // Nothing retries with less: a suite that was not offered ends it (PROTOCOL §4.3).
  if (!state.options.suites.includes(reply.suite)) return failed("noCommonSuite");
  const x25519Secret = await state.x25519.agree(reply.x25519Share);
  const mlKemSecret = await state.mlKem.decapsulate(reply.mlKemCiphertext);
  if (x25519Secret === undefined || mlKemSecret === undefined) return failed("badKeyShare");
  const transcript = concat(state.transcript, body);
  const handshake = await handshakeSecret(provider, state.early, { mlKemSecret, x25519Secret });
  const traffic = await handshakeTraffic(provider, handshake, await transcriptHash(provider, transcript));
  const { pin } = state.options;
  return { kind: "awaitingServerProof", suite: reply.suite, traffic, handshake, pin, transcript };
}

/** Takes the content of the server's one handshake record: HostKey, Signature, Finished. */
export async function takeServerProof(
  state: AwaitingServerProof,
  content: Bytes,
  provider: Provider,
): Promise<ClientFinished | HostKeyRefused | Failed> {
  const [first, second, third, ...rest] = splitMessages(content) ?? [];
  const hostKey = decodeField("HostKey", first);
  const signature = decodeField("Signature", second);
  const finished = decodeField("Finished", third);
  if (hostKey === undefined || signature === undefined || finished === undefined || rest.length > 0) {
    return failed("badHandshake");
  }
  const upToHostKey = concat(state.transcript, encodeField("HostKey", hostKey));
  const upToSignature = concat(upToHostKey, encodeField("Signature", signature));
  const upToFinished = concat(upToSignature, encodeField("Finished", finished));

  const signed = concat(SERVER_AUTH_LABEL, await transcriptHash(provider, upToHostKey));
  const verifyingKey = await provider.ed25519VerifyingKey(hostKey);
  if (verifyingKey === undefined || !await verifyingKey.verify(signed, signature)) {
    return failed("badSignature");
  }

  const signatureHash = await transcriptHash(provider, upToSignature);
  const expected = await verifyData(provider, state.traffic.server, signatureHash);
  if (!provider.equalInConstantTime(expected, finished)) return failed("badFinished");

  // Only now is the key known to be the other end's, so only now is it worth showing to a person.
  if (!await pinAccepts(state.pin, hostKey, provider)) return { kind: "hostKeyRefused", hostKey };

  const finishedHash = await transcriptHash(provider, upToFinished);
  const done = encodeField("Done", await verifyData(provider, state.traffic.client, finishedHash));
  const transcript = concat(upToFinished, done);
  const doneHash = await transcriptHash(provider, transcript);
  const application = await applicationSecrets(provider, state.handshake, doneHash);
  return { kind: "clientFinished", done, hostKey, application, transcript };
}

async function pinAccepts(pin: HostKeyPin, hostKey: Bytes, provider: Provider): Promise<boolean> {
  switch (pin.kind) {
    case "key":
      return equal(pin.publicKey, hostKey);
    case "fingerprint":
      return equal(pin.sha256, await provider.sha256(hostKey));
    case "unknown":
      return false;
  }
}
