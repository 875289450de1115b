/**
 * The server's side of the handshake (PROTOCOL §4.3):
 *
 *     takeHello ▸ AwaitingDone ▸ takeDone ▸ ServerFinished
 *
 * @module
 */

import { type Entropy, type Provider, type SigningKey, X25519_BYTES } from "../crypto/port.ts";
import { type Bytes, concat } from "../wire/bytes.ts";
import { SERVER_AUTH_LABEL } from "./client_handshake.ts";
import { type Failed, failed } from "./fault.ts";
import {
  decodeField,
  decodeHello,
  encodeField,
  encodeReply,
  NONCE_BYTES,
  type ReceivedHello,
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
import { type Suite, suiteOfCode } from "./suite.ts";

/** What a server brings to every handshake. */
export interface ServerOptions {
  /** The suites it takes, best first: the operator's floor. */
  readonly suites: readonly Suite[];
  /** The pre-shared key, 32 octets, where one is set. */
  readonly psk: Bytes | undefined;
  /** The key it proves to own. */
  readonly hostKey: SigningKey;
}

/** After the server's flight: only Done may come. */
export interface AwaitingDone {
  /** The state's name. */
  readonly kind: "awaitingDone";
  /** The suite in use. */
  readonly suite: Suite;
  /** The secrets of epoch 0. */
  readonly traffic: TrafficSecrets;
  /** The handshake secret. */
  readonly handshake: Bytes;
  /** What Done must carry, 32 octets. */
  readonly expectedDone: Bytes;
  /** All messages so far. */
  readonly transcript: Bytes;
}

/** The server's answer to a Hello, and the state after it. */
export interface Answer {
  /** Tells it from a fault. */
  readonly kind: "answer";
  /** The message Reply, sent in the clear. */
  readonly reply: Bytes;
  /** HostKey, Signature and Finished, sent as one record of epoch 0. */
  readonly proof: Bytes;
  /** The state after them. */
  readonly state: AwaitingDone;
}

/** The client holds the keys that the server has. */
export interface ServerFinished {
  /** The state's name. */
  readonly kind: "serverFinished";
  /** The secrets of epoch 1. */
  readonly application: FinishedSecrets;
  /** All messages, Done included. */
  readonly transcript: Bytes;
}

/** Takes the body of the first frame from a client. */
export async function takeHello(
  options: ServerOptions,
  body: Bytes,
  { provider, entropy }: { provider: Provider; entropy: Entropy },
): Promise<Answer | Failed> {
  const [message, ...rest] = splitMessages(body) ?? [];
  const received = message && decodeHello(message);
  if (received === undefined || rest.length > 0) return failed("badHandshake");
  const early = await earlySecret(provider, options.psk);
  // Before any asymmetric work, so that a stranger's probe costs two HMACs and hears nothing (PROTOCOL §4.5).
  if (!await pskMatches(options, received, { provider, early })) return failed("badPreSharedKey");
  const { hello } = received;
  const suite = options.suites.find((ours) => hello.suiteCodes.some((code) => suiteOfCode(code) === ours));
  if (suite === undefined) return failed("noCommonSuite");

  const x25519 = await provider.x25519Pair(entropy(X25519_BYTES));
  const x25519Secret = await x25519.agree(hello.x25519Share);
  const encapsulation = await provider.mlKemEncapsulate(hello.mlKemKey, entropy);
  if (x25519Secret === undefined || encapsulation === undefined) return failed("badKeyShare");
  const reply = encodeReply({
    suite,
    nonce: entropy(NONCE_BYTES),
    x25519Share: x25519.share,
    mlKemCiphertext: encapsulation.ciphertext,
  });
  const upToReply = concat(body, reply);
  const mlKemSecret = encapsulation.sharedSecret;
  const handshake = await handshakeSecret(provider, early, { mlKemSecret, x25519Secret });
  const traffic = await handshakeTraffic(provider, handshake, await transcriptHash(provider, upToReply));
  const { proof, transcript } = await prove(options.hostKey, provider, { traffic, upToReply });
  const finishedHash = await transcriptHash(provider, transcript);
  const expectedDone = await verifyData(provider, traffic.client, finishedHash);
  return {
    kind: "answer",
    reply,
    proof,
    state: { kind: "awaitingDone", suite, traffic, handshake, expectedDone, transcript },
  };
}

async function pskMatches(
  options: ServerOptions,
  { bound }: ReceivedHello,
  { provider, early }: { provider: Provider; early: Bytes },
): Promise<boolean> {
  if (options.psk === undefined || bound === undefined) {
    return options.psk === undefined && bound === undefined;
  }
  return provider.equalInConstantTime(await binder(provider, early, bound.covers), bound.binder);
}

async function prove(
  hostKey: SigningKey,
  provider: Provider,
  { traffic, upToReply }: { traffic: TrafficSecrets; upToReply: Bytes },
): Promise<{ readonly proof: Bytes; readonly transcript: Bytes }> {
  const hostKeyMessage = encodeField("HostKey", hostKey.publicKey);
  const upToHostKey = concat(upToReply, hostKeyMessage);
  const hostKeyHash = await transcriptHash(provider, upToHostKey);
  const signature = encodeField("Signature", await hostKey.sign(concat(SERVER_AUTH_LABEL, hostKeyHash)));
  const upToSignature = concat(upToHostKey, signature);
  const signatureHash = await transcriptHash(provider, upToSignature);
  const finished = encodeField("Finished", await verifyData(provider, traffic.server, signatureHash));
  return {
    proof: concat(hostKeyMessage, signature, finished),
    transcript: concat(upToSignature, finished),
  };
}

/** Takes the content of the client's one handshake record: Done. */
export async function takeDone(
  state: AwaitingDone,
  content: Bytes,
  provider: Provider,
): Promise<ServerFinished | Failed> {
  const [message, ...rest] = splitMessages(content) ?? [];
  const done = decodeField("Done", message);
  if (done === undefined || rest.length > 0) return failed("badHandshake");
  if (!provider.equalInConstantTime(done, state.expectedDone)) return failed("badFinished");
  const transcript = concat(state.transcript, content);
  const doneHash = await transcriptHash(provider, transcript);
  return {
    kind: "serverFinished",
    application: await applicationSecrets(provider, state.handshake, doneHash),
    transcript,
  };
}
