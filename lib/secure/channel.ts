/**
 * A channel: frames, handshake and records joined. Bytes in, events out; what must be written in answer comes
 * with them. Both ends are the same machine with other states:
 *
 *     client  awaitingReply ▸ awaitingServerProof ▸ open ▸ ended
 *     server  awaitingHello ▸ awaitingDone        ▸ open ▸ ended
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import { ByteReader, type Bytes, concat, u16 } from "../wire/bytes.ts";
import { type CloseReason, decodeClose, encodeClose } from "../wire/close_code.ts";
import { encodeFrame, FrameReader } from "../wire/frame.ts";
import { HANDSHAKE_MESSAGE_BYTES_MAX, RECORD_BYTES_MAX } from "../wire/limits.ts";
import {
  type AwaitingReply,
  type AwaitingServerProof,
  type ClientOptions,
  offer,
  takeReply,
  takeServerProof,
} from "./client_handshake.ts";
import { type ChannelFault, MisuseError } from "./fault.ts";
import { HANDSHAKE_TYPES, type HandshakeName, splitMessages } from "./handshake_message.ts";
import { CONTENT_BYTES_MAX, type Inner } from "./inner.ts";
import { Opener, Sealer, type Tracer } from "./record.ts";
import type { ApplicationSecrets, TrafficSecrets } from "./schedule.ts";
import { type AwaitingDone, type ServerOptions, takeDone, takeHello } from "./server_handshake.ts";
import type { Suite } from "./suite.ts";

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
  /** One application message, still encoded. */
  | { readonly kind: "message"; readonly message: Bytes }
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
  | { readonly kind: "open"; readonly sealer: Sealer; readonly opener: Opener }
  /** Nothing is read any more; what we owe the other end may still be sealed, if it ended after being open. */
  | { readonly kind: "ended"; readonly sealer: Sealer | undefined };

/** Where a step leads. */
interface Step {
  readonly state: State;
  readonly events: readonly ChannelEvent[];
  readonly reply: Bytes;
}

const NOTHING: Bytes = new Uint8Array(0);
const ENDED: State = { kind: "ended", sealer: undefined };

/** One end of a channel. */
export class Channel {
  readonly #parts: ChannelParts;
  readonly #frames = new FrameReader();
  #state: State;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(state: State, parts: ChannelParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** A client's end, and the frame that opens the handshake. */
  static async client(
    options: ClientOptions,
    parts: ChannelParts,
  ): Promise<{ readonly channel: Channel; readonly opening: Bytes }> {
    const { state, hello } = await offer(options, parts.provider, parts.entropy);
    traceMessages(parts.trace, "sent", hello);
    return { channel: new Channel({ kind: "awaitingReply", state }, parts), opening: encodeFrame(hello) };
  }

  /** A server's end, which waits for a Hello. */
  static server(options: ServerOptions, parts: ChannelParts): Channel {
    return new Channel({ kind: "awaitingHello", options }, parts);
  }

  /** Whether messages can be sealed. */
  get canSeal(): boolean {
    return this.#sealer !== undefined;
  }

  /** Whether the sender's keys have seen enough use. */
  get rekeyDue(): boolean {
    return this.#sealer?.rekeyDue ?? false;
  }

  /** Takes bytes as they arrive, split anywhere. Calls queue. */
  receive(bytes: Bytes): Promise<Received> {
    const result = this.#last.then(() => this.#receiveNow(bytes));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Frames that carry `messages` in order, as many as fit in each record. Throws where one is too long. */
  async sealMessages(messages: readonly Bytes[]): Promise<Bytes> {
    const frames: Bytes[] = [];
    for (const content of packMessages(messages)) frames.push(await this.#seal("message", content));
    return concat(...frames);
  }

  /** The frame of a ping. */
  sealPing(): Promise<Bytes> {
    return this.#seal("ping", NOTHING);
  }

  /** The frame after which this end sends nothing more. */
  sealClose(reason: CloseReason): Promise<Bytes> {
    return this.#seal("close", encodeClose(reason));
  }

  /** The frame after which this end uses new keys. */
  rekey(): Promise<Bytes> {
    return this.#requireSealer().rekey();
  }

  get #sealer(): Sealer | undefined {
    return this.#state.kind === "open" || this.#state.kind === "ended" ? this.#state.sealer : undefined;
  }

  #requireSealer(): Sealer {
    const sealer = this.#sealer;
    if (sealer === undefined) {
      throw new MisuseError(`Cannot seal a record: the channel is ${this.#state.kind}`);
    }
    return sealer;
  }

  #seal(kind: "message" | "ping" | "close", content: Bytes): Promise<Bytes> {
    return this.#requireSealer().seal(kind, content);
  }

  async #receiveNow(bytes: Bytes): Promise<Received> {
    const events: ChannelEvent[] = [];
    const replies: Bytes[] = [];
    if (this.#state.kind !== "ended") this.#frames.push(bytes);
    while (this.#state.kind !== "ended") {
      const frame = this.#frames.next(
        this.#state.kind === "open" ? RECORD_BYTES_MAX : HANDSHAKE_MESSAGE_BYTES_MAX,
      );
      if (frame.kind === "incomplete") break;
      const step = frame.kind === "refused"
        ? fail("badFrame")
        : await takeFrame(this.#state, frame.body, this.#parts);
      this.#state = step.state.kind === "ended" ? { kind: "ended", sealer: this.#sealer } : step.state;
      events.push(...step.events);
      if (step.reply.length > 0) replies.push(step.reply);
    }
    return { events, reply: concat(...replies) };
  }
}

function takeFrame(state: State, body: Bytes, parts: ChannelParts): Promise<Step> {
  switch (state.kind) {
    case "awaitingHello":
      return takeHelloFrame(state.options, body, parts);
    case "awaitingDone":
      return takeDoneFrame(state, body, parts);
    case "awaitingReply":
      return takeReplyFrame(state.state, body, parts);
    case "awaitingServerProof":
      return takeServerProofFrame(state, body, parts);
    case "open":
      return takeRecord(state, body);
    case "ended":
      throw new MisuseError("Cannot take a frame: the channel has ended");
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
  const { application: { traffic, exporter } } = finished;
  return {
    state: await open({ ours: traffic.server, theirs: traffic.client, suite: state.suite }, parts),
    events: [{ kind: "established", suite: state.suite, hostKey, exporter }],
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
  { done, hostKey, application }: { done: Bytes; hostKey: Bytes; application: ApplicationSecrets },
  parts: ChannelParts,
): Promise<Step> {
  const { provider, entropy, trace } = parts;
  const sealer = await Sealer.start({ suite, secret: traffic.client, epoch: 0, trace }, provider, entropy);
  traceMessages(trace, "sent", done);
  const reply = await sealer.seal("handshake", done);
  return {
    state: await open({ ours: application.traffic.client, theirs: application.traffic.server, suite }, parts),
    events: [{ kind: "established", suite, hostKey, exporter: application.exporter }],
    reply,
  };
}

async function openHandshake(opener: Opener, body: Bytes): Promise<Bytes | undefined> {
  const inner = await opener.open(body);
  return inner?.kind === "handshake" ? inner.content : undefined;
}

async function open(
  { ours, theirs, suite }: { ours: Bytes; theirs: Bytes; suite: Suite },
  { provider, entropy, trace }: ChannelParts,
): Promise<State> {
  trace({ kind: "keys", epoch: 1, suite });
  return {
    kind: "open",
    sealer: await Sealer.start({ suite, secret: ours, epoch: 1, trace }, provider, entropy),
    opener: await Opener.start({ suite, secret: theirs, epoch: 1, trace }, provider),
  };
}

async function takeRecord(state: State & { kind: "open" }, body: Bytes): Promise<Step> {
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
    case "close":
      return takeClose(inner);
    case "handshake":
      return fail("unexpectedRecord");
  }
}

function takeMessages(state: State & { kind: "open" }, { content }: Inner): Step {
  const messages = unpackMessages(content);
  if (messages === undefined) return fail("badRecord");
  return {
    state,
    events: messages.map((message) => ({ kind: "message", message })),
    reply: NOTHING,
  };
}

function takeClose({ content }: Inner): Step {
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

/** Contents of as few records as hold `messages` in order, each message as `u16 length | message`. */
function packMessages(messages: readonly Bytes[]): readonly Bytes[] {
  const contents: Bytes[] = [];
  let parts: Bytes[] = [];
  let used = 0;
  for (const message of messages) {
    const part = concat(u16(message.length), message);
    if (used + part.length > CONTENT_BYTES_MAX) {
      contents.push(concat(...parts));
      parts = [];
      used = 0;
    }
    parts.push(part);
    used += part.length;
  }
  return parts.length === 0 ? contents : [...contents, concat(...parts)];
}

/** The messages in a record's content; `undefined` where there is none, one is empty or one is cut short. */
function unpackMessages(content: Bytes): readonly Bytes[] | undefined {
  const reader = new ByteReader(content);
  const messages: Bytes[] = [];
  do messages.push(reader.take(reader.u16())); while (reader.whole && reader.remaining > 0);
  return reader.finished && messages.every((message) => message.length > 0) ? messages : undefined;
}

function traceMessages(trace: Tracer, way: "sent" | "received", bytes: Bytes): void {
  for (const { type, bytes: message } of splitMessages(bytes) ?? []) {
    const name = HANDSHAKE_NAMES.find((candidate) => HANDSHAKE_TYPES[candidate] === type);
    if (name !== undefined) trace({ kind: "handshake", way, message: name, bytes: message });
  }
}

const HANDSHAKE_NAMES: readonly HandshakeName[] = [
  "Hello",
  "Reply",
  "HostKey",
  "Signature",
  "Finished",
  "Done",
];
