/**
 * A channel: frames, handshake and records joined. Bytes in, events out; what must be written in answer comes
 * with them. Both ends are the same machine with other states:
 *
 *     client  awaitingReply ▸ awaitingServerProof ▸ login ◂▸ paused ▸ [awaitingVerdict ▸] open ▸ ended
 *     server  awaitingHello ▸ awaitingDone        ▸ login ◂▸ paused ▸                     open ▸ ended
 *
 * After each message of a login it pauses: what comes behind may be under other keys, and its owner decides whether
 * it is. A login that is given up leads to leaving, where nothing is taken but the other end's close.
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import { type Bytes, concat, joined } from "../wire/bytes.ts";
import { type CloseReason, decodeClose, encodeClose } from "../wire/close_code.ts";
import { encodeFrame, FrameReader } from "../wire/frame.ts";
import { HANDSHAKE_MESSAGE_BYTES_MAX, RECORD_BYTES_MAX } from "../wire/limits.ts";
import {
  type AwaitingReply,
  type AwaitingServerProof,
  type ClientFinished,
  type ClientOptions,
  offer,
  takeReply,
  takeServerProof,
} from "./client_handshake.ts";
import { type ChannelFault, MisuseError } from "./fault.ts";
import type { HandshakeMessage } from "./handshake_message.ts";
import { parseLoginMessage, type Role } from "./login_message.ts";
import {
  type Directions,
  keysMaySwitch,
  type LoginStage,
  mixedDirections,
  startDirections,
  withMessage,
} from "./login_stage.ts";
import { packMessages, unpackMessages } from "./message_pack.ts";
import { traceLogin, traceMessages } from "./message_trace.ts";
import { type Opened, Opener, Sealer, type Tracer } from "./record.ts";
import type { FinishedSecrets, TrafficSecrets } from "./schedule.ts";
import type { SharedRecord } from "./shared_record.ts";
import { type AwaitingDone, type ServerOptions, takeDone, takeHello } from "./server_handshake.ts";
import type { Suite } from "./suite.ts";
import type { LoginName } from "../wire/login_type.ts";

/** What a channel computes with. */
export interface ChannelParts {
  /** The primitives. */
  readonly provider: Provider;
  /** The randomness. */
  readonly entropy: Entropy;
  /** Told what passes. */
  readonly trace: Tracer;
}

/** What has come of received bytes. The last three end the channel and are always the last event. */
export type ChannelEvent =
  /** The handshake is over: both ends hold the same keys. `exporter` names this connection, 64 octets. */
  | { readonly kind: "established"; readonly suite: Suite; readonly hostKey: Bytes; readonly exporter: Bytes }
  /** One message of the login. The channel reads on when it is told how. */
  | { readonly kind: "login"; readonly message: HandshakeMessage }
  /** One application message, still encoded. */
  | {
    readonly kind: "message";
    readonly message: Bytes;
    /** The room whose key it came under; `undefined` where it came for this end alone. */
    readonly room: Bytes | undefined;
  }
  /** The other end closes and will send nothing more. */
  | { readonly kind: "closed"; readonly reason: CloseReason }
  /** The server proved a host key that is not the pinned one. */
  | { readonly kind: "hostKeyRefused"; readonly hostKey: Bytes }
  /** The other end broke the protocol, or someone between did. */
  | { readonly kind: "failed"; readonly fault: ChannelFault };

/** Events, and the bytes to be written before anything else. */
export interface Received {
  /** In the order in which they happened. */
  readonly events: readonly ChannelEvent[];
  /** Whole frames; often none. */
  readonly reply: Bytes;
}

type State =
  | { readonly kind: "awaitingHello"; readonly options: ServerOptions }
  | {
    readonly kind: "awaitingDone";
    readonly state: AwaitingDone;
    readonly opener: Opener;
    readonly hostKey: Bytes;
  }
  | { readonly kind: "awaitingReply"; readonly state: AwaitingReply }
  | { readonly kind: "awaitingServerProof"; readonly state: AwaitingServerProof; readonly opener: Opener }
  /** A message of the login may come. */
  | { readonly kind: "login"; readonly stage: LoginStage }
  /** One has come, or gone, after which its owner decides under which keys to read on. */
  | { readonly kind: "paused"; readonly stage: LoginStage }
  /** A client that logged in by its device talks already; the first record it gets says whether it was let in. */
  | { readonly kind: "awaitingVerdict" } & Directions
  | { readonly kind: "open" } & Directions
  /** The login came to nothing: only a close has a meaning. */
  | { readonly kind: "leaving" } & Directions
  /** Nothing is read any more; what we owe the other end may still be sealed, in the stage that had been reached. */
  | { readonly kind: "ended"; readonly stage: Stage; readonly sealer: Sealer | undefined };

/** What an end may say: nothing, messages of the login, or anything. */
type Stage = "handshake" | "login" | "messages";

/** Where a step leads. */
interface Step {
  readonly state: State;
  readonly events: readonly ChannelEvent[];
  readonly reply: Bytes;
}

const NOTHING: Bytes = new Uint8Array(0);
const NOTHING_RECEIVED: Received = { events: [], reply: NOTHING };
const ENDED: State = { kind: "ended", stage: "handshake", sealer: undefined };

/** One end of a channel. */
export class Channel {
  readonly #parts: ChannelParts;
  readonly #frames = new FrameReader();
  readonly #role: Role;
  #state: State;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(state: State, role: Role, parts: ChannelParts) {
    this.#state = state;
    this.#role = role;
    this.#parts = parts;
  }

  /** A client's end, and the frame that opens the handshake. */
  static async client(
    options: ClientOptions,
    parts: ChannelParts,
  ): Promise<{ readonly channel: Channel; readonly opening: Bytes }> {
    const { state, hello } = await offer(options, parts.provider, parts.entropy);
    traceMessages(parts.trace, "sent", hello);
    return {
      channel: new Channel({ kind: "awaitingReply", state }, "client", parts),
      opening: encodeFrame(hello),
    };
  }

  /** A server's end, which waits for a Hello. */
  static server(options: ServerOptions, parts: ChannelParts): Channel {
    return new Channel({ kind: "awaitingHello", options }, "server", parts);
  }

  /** Whether records can be sealed: of what kind is a matter of the stage. */
  get canSeal(): boolean {
    return sealerOf(this.#state) !== undefined;
  }

  /**
   * Whether a close can be sealed that the other end will understand: not while it may be changing to mixed keys that
   * this end does not have yet.
   */
  get canClose(): boolean {
    const stage = loginOf(this.#state);
    return this.canSeal && (stage === undefined || !keysMaySwitch(stage));
  }

  /** Whether the sender's keys have seen enough use. */
  get rekeyDue(): boolean {
    return sealerOf(this.#state)?.rekeyDue ?? false;
  }

  /** Takes bytes as they arrive, split anywhere. Calls queue, also with those that follow. */
  receive(bytes: Bytes): Promise<Received> {
    return this.#enqueue(() => {
      if (this.#state.kind !== "ended") this.#frames.push(bytes);
      return this.#readOn();
    });
  }

  /** The frame of one login message, header included. Nothing where the login has come to nothing meanwhile. */
  sendLogin(message: Bytes): Promise<Bytes> {
    return this.#enqueue(() => isOver(this.#state) ? NOTHING : this.#sealLogin(message));
  }

  /** Reads on under the same keys: another message of the login may come. */
  continueLogin(): Promise<Received> {
    return this.#decide((stage) => {
      if (stage.last === "LoginFinish" || stage.last === "DeviceLogin") {
        throw new MisuseError(`Cannot go on with the login: after ${stage.last} it is decided`);
      }
      return { kind: "login", stage };
    });
  }

  /** A server lets a device in: messages begin, under the same keys. */
  admit(): Promise<Received> {
    return this.#decide((stage) =>
      open(requireAfter(stage, "admit", { role: "server", last: "DeviceLogin" }))
    );
  }

  /** A client that has sent DeviceLogin talks; the first record it gets is a Refused, or shows that it is let in. */
  expectVerdict(): Promise<Received> {
    return this.#decide((stage) => {
      requireAfter(stage, "expect a verdict", { role: "client", last: "DeviceLogin" });
      return { kind: "awaitingVerdict", sealer: stage.sealer, opener: stage.opener };
    });
  }

  /** Mixes the key of a password login into those of both directions: messages begin, in epoch 2. */
  mix(sessionKey: Bytes): Promise<Received> {
    return this.#decide(async (stage) => {
      requireAfter(stage, "mix keys", { role: stage.role, last: "LoginFinish" });
      return open(await mixedDirections(stage, sessionKey, this.#parts));
    });
  }

  /** Frames that carry `messages` in order, as many as fit in each record. Throws where one is too long. */
  async sealMessages(messages: readonly Bytes[]): Promise<Bytes> {
    const sealer = this.#requireTalking();
    const frames: Bytes[] = [];
    for (const content of packMessages(messages)) frames.push(await sealer.seal("message", content));
    return joined(frames);
  }

  /** Frames that carry what is shared, in order; at once where that can be, see {@linkcode Sealer.shareNow}. */
  shareNow(records: readonly SharedRecord[]): Bytes | undefined {
    return this.#requireTalking().shareNow(records);
  }

  /** Frames that carry what is shared, in order. */
  async sealShared(records: readonly SharedRecord[]): Promise<Bytes> {
    return await this.#requireTalking().share(records);
  }

  /** The frame of a ping. */
  async sealPing(): Promise<Bytes> {
    return await this.#requireTalking().seal("ping", NOTHING);
  }

  /** The frame after which this end sends nothing more; a login under way comes to nothing by it. */
  sealClose(reason: CloseReason): Promise<Bytes> {
    return this.#enqueue(async () => {
      const state = this.#state;
      const sealer = sealerOf(state);
      if (sealer === undefined || !this.canClose) {
        throw new MisuseError(`Cannot seal a close: the channel is ${state.kind}`);
      }
      const frame = await sealer.seal("close", encodeClose(reason));
      const stage = loginOf(state);
      if (stage !== undefined) this.#state = leave(stage);
      return frame;
    });
  }

  /** The frame after which this end uses new keys. */
  async rekey(): Promise<Bytes> {
    return await this.#requireTalking().rekey();
  }

  #requireTalking(): Sealer {
    const sealer = sealerOf(this.#state);
    if (sealer === undefined || stageOf(this.#state) !== "messages") {
      throw new MisuseError(`Cannot seal a record: the channel is ${this.#state.kind}`);
    }
    return sealer;
  }

  #enqueue<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #sealLogin(bytes: Bytes): Promise<Bytes> {
    const { kind } = this.#state;
    const stage = loginOf(this.#state);
    if (stage === undefined || keysMaySwitch(stage) || isDecided(stage)) {
      throw new MisuseError(`Cannot send a message of the login: the channel is ${kind}`);
    }
    const named = parseLoginMessage(bytes, stage.role);
    const next = named && withMessage(stage, named);
    if (named === undefined || next === undefined) {
      throw new MisuseError(`Cannot send these octets: they are no message of a ${stage.role}'s login`);
    }
    traceLogin(this.#parts.trace, "sent", named);
    const frame = await stage.sealer.seal("handshake", bytes);
    const pauses = kind === "paused" || stage.role === "client" && (keysMaySwitch(next) || isDecided(next));
    this.#state = { kind: pauses ? "paused" : "login", stage: next };
    return frame;
  }

  /** Goes from a login to the state that `decision` gives, and reads on in it. */
  #decide(decision: (stage: LoginStage) => State | Promise<State>): Promise<Received> {
    return this.#enqueue(async () => {
      if (isOver(this.#state)) return NOTHING_RECEIVED;
      const stage = loginOf(this.#state);
      if (stage === undefined) {
        throw new MisuseError(`Cannot decide on a login: the channel is ${this.#state.kind}`);
      }
      this.#state = await decision(stage);
      return await this.#readOn();
    });
  }

  async #readOn(): Promise<Received> {
    const events: ChannelEvent[] = [];
    const replies: Bytes[] = [];
    for (let state = this.#state; state.kind !== "ended" && state.kind !== "paused"; state = this.#state) {
      const frame = this.#frames.next(
        stageOf(state) === "handshake" ? HANDSHAKE_MESSAGE_BYTES_MAX : RECORD_BYTES_MAX,
      );
      if (frame.kind === "incomplete") break;
      const step = frame.kind === "refused"
        ? fail("badFrame")
        : await takeFrame(state, frame.body, { ...this.#parts, role: this.#role });
      this.#state = step.state.kind === "ended"
        ? { kind: "ended", stage: stageOf(state), sealer: sealerOf(state) }
        : step.state;
      events.push(...step.events);
      if (step.reply.length > 0) replies.push(step.reply);
    }
    return { events, reply: concat(...replies) };
  }
}

function stageOf(state: State): Stage {
  switch (state.kind) {
    case "awaitingHello":
    case "awaitingDone":
    case "awaitingReply":
    case "awaitingServerProof":
      return "handshake";
    case "login":
    case "paused":
      return "login";
    case "awaitingVerdict":
    case "open":
    case "leaving":
      return "messages";
    case "ended":
      return state.stage;
  }
}

function sealerOf(state: State): Sealer | undefined {
  switch (state.kind) {
    case "login":
    case "paused":
      return state.stage.sealer;
    case "awaitingVerdict":
    case "open":
    case "leaving":
    case "ended":
      return state.sealer;
    default:
      return undefined;
  }
}

function loginOf(state: State): LoginStage | undefined {
  return state.kind === "login" || state.kind === "paused" ? state.stage : undefined;
}

/** Whether a decision on the login comes too late: the other end closed meanwhile, or this one did. */
function isOver(state: State): boolean {
  return state.kind === "ended" || state.kind === "leaving";
}

/** Whether a client has said all it can say in a login, so that the next word is the server's. */
function isDecided({ role, last }: LoginStage): boolean {
  return role === "client" && last === "DeviceLogin";
}

function requireAfter(
  stage: LoginStage,
  what: string,
  { role, last }: { role: Role; last: LoginName },
): LoginStage {
  if (stage.role !== role || stage.last !== last) {
    throw new MisuseError(`Cannot ${what}: this ${stage.role} is after ${stage.last ?? "Done"}`);
  }
  return stage;
}

function open({ sealer, opener }: Directions): State {
  return { kind: "open", sealer, opener };
}

function leave({ sealer, opener }: Directions): State {
  return { kind: "leaving", sealer, opener };
}

function takeFrame(
  state: State,
  body: Bytes,
  parts: ChannelParts & { readonly role: Role },
): Promise<Step> {
  switch (state.kind) {
    case "awaitingHello":
      return takeHelloFrame(state.options, body, parts);
    case "awaitingDone":
      return takeDoneFrame(state, body, parts);
    case "awaitingReply":
      return takeReplyFrame(state.state, body, parts);
    case "awaitingServerProof":
      return takeServerProofFrame(state, body, parts);
    case "login":
      return takeLoginRecord(state.stage, body, parts);
    case "awaitingVerdict":
      return takeVerdict(state, body, parts);
    case "open":
      return takeRecord(state, body, parts);
    case "leaving":
      return passOver(state, body);
    case "paused":
    case "ended":
      throw new MisuseError(`Cannot take a frame: the channel is ${state.kind}`);
  }
}

async function takeHelloFrame(options: ServerOptions, body: Bytes, parts: ChannelParts): Promise<Step> {
  const { provider, entropy, trace } = parts;
  const answer = await takeHello(options, body, parts);
  if (answer.kind === "failed") return fail(answer.fault);
  traceMessages(trace, "received", body);
  traceMessages(trace, "sent", answer.reply);
  traceMessages(trace, "sent", answer.proof);
  const { suite, traffic } = answer.state;
  trace({ kind: "keys", epoch: 0, suite });
  const sealer = await Sealer.start({ suite, secret: traffic.server, epoch: 0, trace }, provider, entropy);
  const opener = await Opener.start({ suite, secret: traffic.client, epoch: 0, trace }, provider);
  return {
    state: { kind: "awaitingDone", state: answer.state, opener, hostKey: options.hostKey.publicKey },
    events: [],
    reply: concat(encodeFrame(answer.reply), await sealer.seal("handshake", answer.proof)),
  };
}

async function takeDoneFrame(
  { state, opener, hostKey }: State & { kind: "awaitingDone" },
  body: Bytes,
  parts: ChannelParts,
): Promise<Step> {
  const content = await openHandshake(opener, body);
  if (content === undefined) return fail("badRecord");
  const finished = await takeDone(state, content, parts.provider);
  if (finished.kind === "failed") return fail(finished.fault);
  traceMessages(parts.trace, "received", content);
  const { suite } = state;
  return {
    state: await beginLogin({ role: "server", suite, ...finished }, parts),
    events: [{ kind: "established", suite, hostKey, exporter: finished.application.exporter }],
    reply: NOTHING,
  };
}

async function takeReplyFrame(state: AwaitingReply, body: Bytes, parts: ChannelParts): Promise<Step> {
  const next = await takeReply(state, body, parts.provider);
  if (next.kind === "failed") return fail(next.fault);
  const { provider, trace } = parts;
  traceMessages(trace, "received", body);
  const { suite, traffic } = next;
  trace({ kind: "keys", epoch: 0, suite });
  const opener = await Opener.start({ suite, secret: traffic.server, epoch: 0, trace }, provider);
  return { state: { kind: "awaitingServerProof", state: next, opener }, events: [], reply: NOTHING };
}

async function takeServerProofFrame(
  { state, opener }: State & { kind: "awaitingServerProof" },
  body: Bytes,
  parts: ChannelParts,
): Promise<Step> {
  const content = await openHandshake(opener, body);
  if (content === undefined) return fail("badRecord");
  const next = await takeServerProof(state, content, parts.provider);
  if (next.kind === "failed") return fail(next.fault);
  traceMessages(parts.trace, "received", content);
  if (next.kind === "hostKeyRefused") return end({ kind: "hostKeyRefused", hostKey: next.hostKey });
  return await sendDone(state, next, parts);
}

async function sendDone(
  { suite, traffic }: { suite: Suite; traffic: TrafficSecrets },
  { done, hostKey, application, transcript }: ClientFinished,
  parts: ChannelParts,
): Promise<Step> {
  const { provider, entropy, trace } = parts;
  const sealer = await Sealer.start({ suite, secret: traffic.client, epoch: 0, trace }, provider, entropy);
  traceMessages(trace, "sent", done);
  const reply = await sealer.seal("handshake", done);
  return {
    state: await beginLogin({ role: "client", suite, application, transcript }, parts),
    events: [{ kind: "established", suite, hostKey, exporter: application.exporter }],
    reply,
  };
}

async function openHandshake(opener: Opener, body: Bytes): Promise<Bytes | undefined> {
  const inner = await opener.open(body);
  return inner?.kind === "handshake" ? inner.content : undefined;
}

async function beginLogin(
  { role, suite, application, transcript }: {
    role: Role;
    suite: Suite;
    application: FinishedSecrets;
    transcript: Bytes;
  },
  parts: ChannelParts,
): Promise<State> {
  const { traffic, master } = application;
  parts.trace({ kind: "keys", epoch: 1, suite });
  const directions = await startDirections({ role, suite, traffic, epoch: 1 }, parts);
  return { kind: "login", stage: { role, suite, master, transcript, last: undefined, ...directions } };
}

/** Anything but one message of the login, or a close, ends the channel: nobody is let in yet (PROTOCOL §4.7). */
async function takeLoginRecord(stage: LoginStage, body: Bytes, { trace }: ChannelParts): Promise<Step> {
  const inner = await stage.opener.open(body);
  if (inner === undefined) return fail("badRecord");
  if (inner.kind === "close") return takeClose(inner);
  if (inner.kind !== "handshake") return fail("unexpectedRecord");
  const named = parseLoginMessage(inner.content, stage.role === "client" ? "server" : "client");
  const next = named && withMessage(stage, named);
  if (named === undefined || next === undefined) return fail("badHandshake");
  traceLogin(trace, "received", named);
  return {
    state: { kind: "paused", stage: next },
    events: [{ kind: "login", message: named.message }],
    reply: NOTHING,
  };
}

/** What the server says first to a device: Refused, or anything that it says to those who are let in. */
async function takeVerdict(
  state: State & { kind: "awaitingVerdict" },
  body: Bytes,
  { trace }: ChannelParts,
): Promise<Step> {
  const inner = await state.opener.open(body);
  if (inner === undefined) return fail("badRecord");
  if (inner.kind === "message") return takeMessages(open(state), inner);
  if (inner.kind === "close") return takeClose(inner);
  if (inner.kind !== "handshake") return fail("unexpectedRecord");
  const named = parseLoginMessage(inner.content, "server");
  if (named?.name !== "Refused") return fail("badHandshake");
  traceLogin(trace, "received", named);
  return { state: leave(state), events: [{ kind: "login", message: named.message }], reply: NOTHING };
}

/** A record of a peer with whom the login came to nothing, and who may not know it yet. */
async function passOver(state: State & { kind: "leaving" }, body: Bytes): Promise<Step> {
  const inner = await state.opener.open(body);
  if (inner === undefined) return fail("badRecord");
  if (inner.kind === "close") return takeClose(inner);
  return { state, events: [], reply: NOTHING };
}

async function takeRecord(
  state: State & { kind: "open" },
  body: Bytes,
  { role }: ChannelParts & { readonly role: Role },
): Promise<Step> {
  const inner = await state.opener.open(body);
  if (inner === undefined) return fail("badRecord");
  switch (inner.kind) {
    case "message":
      return takeMessages(state, inner);
    case "rekey":
      if (inner.content.length > 0) return fail("badRecord");
      await state.opener.rekey();
      return { state, events: [], reply: NOTHING };
    case "ping":
      return inner.content.length > 0 ? fail("badRecord") : { state, events: [], reply: NOTHING };
    case "roomKey":
      // Rooms are the server's: what a client shares goes nowhere.
      if (role === "server") return fail("unexpectedRecord");
      return state.opener.learn(inner.content) ? { state, events: [], reply: NOTHING } : fail("badRecord");
    case "close":
      return takeClose(inner);
    case "handshake":
      return fail("unexpectedRecord");
  }
}

function takeMessages(state: State, { content, room }: Opened): Step {
  const messages = unpackMessages(content);
  if (messages === undefined) return fail("badRecord");
  return {
    state,
    events: messages.map((message) => ({ kind: "message", message, room })),
    reply: NOTHING,
  };
}

function takeClose({ content }: Opened): Step {
  const reason = decodeClose(content);
  if (reason === undefined) return fail("badRecord");
  return end({ kind: "closed", reason });
}

function fail(fault: ChannelFault): Step {
  return end({ kind: "failed", fault });
}

function end(event: ChannelEvent): Step {
  return { state: ENDED, events: [event], reply: NOTHING };
}
