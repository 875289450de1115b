/**
 * A client as one socket of this process: what client.ts joins together, without a front end.
 *
 * @module
 */

import { Conversation } from "../../lib/client/conversation.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { pump } from "../../lib/net/pump.ts";
import { connect, type Endpoint } from "../../lib/net/tcp.ts";
import { Ticker } from "../../lib/net/ticker.ts";
import type { HostKeyPin } from "../../lib/secure/client_handshake.ts";
import { Link, type LinkEnd } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { LOBBY } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";

const clock = (): number => performance.now();
const ticker = new Ticker(clock);

/** One client and what it has heard. */
export interface Member {
  readonly name: string;
  readonly conversation: Conversation;
  /** Each message as `SEQUENCE FROM TEXT`, its own included, in the order of coming. */
  readonly heard: readonly string[];
  /** How many messages of its own were acknowledged. */
  readonly acknowledged: () => number;
  /** Settles when `count` messages were heard. Rejects where the conversation ends before. */
  readonly hears: (count: number) => Promise<void>;
  /** How the connection ended, when nothing of it is left. */
  readonly ended: Promise<LinkEnd>;
}

/** Connects to `endpoint`; settles when the server has let it in as `name`, throws where it does not. */
export async function join(endpoint: Endpoint, pin: HostKeyPin, name: string): Promise<Member> {
  const handle = parseHandle(name);
  if (handle === undefined) throw new RangeError(`Cannot join as ${name}: it is no handle`);
  const socket = await connect(endpoint);
  const parts = { provider, entropy: systemEntropy, trace: () => {} };
  const link = await Link.client({ suites: SUITES, psk: undefined, pin }, parts, clock());
  const conversation = new Conversation(link, {
    name: handle,
    entropy: systemEntropy,
    wallClock: () => Date.now(),
    clock,
  });
  const pumping = pump(socket, conversation, { clock, ticker });
  const { heard, acknowledged, hears, listening } = listen(conversation);
  const admission = await conversation.admission;
  if (admission.kind !== "admitted") throw new Error(`${name} was not let in: ${JSON.stringify(admission)}`);
  const ended = Promise.all([conversation.ended, pumping, listening]).then(([end]) => end);
  return { name, conversation, heard, acknowledged, hears, ended };
}

/** Says `count` things one after the other, as fast as the window lets it. */
export async function burst({ conversation, name }: Member, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const refusal = await conversation.request({ type: "send", room: LOBBY, text: `${name} says ${at}` });
    if (refusal !== undefined) throw new Error(`${name} could not say ${at}: ${refusal}`);
  }
}

function listen(
  conversation: Conversation,
): Pick<Member, "heard" | "acknowledged" | "hears"> & { listening: Promise<void> } {
  const heard: string[] = [];
  const acknowledgements = new Set<string>();
  const waits: { readonly count: number; readonly done: () => void; readonly fail: (why: Error) => void }[] =
    [];
  let isOver = false;

  async function take(): Promise<void> {
    for (let event = await conversation.nextEvent(); event; event = await conversation.nextEvent()) {
      if (event.type === "ack") acknowledgements.add(event.id);
      if (event.type === "message") heard.push(`${event.sequence} ${event.from} ${event.text}`);
      for (const { count, done } of waits) if (heard.length >= count) done();
    }
    isOver = true;
    for (const { count, fail } of waits) {
      fail(new Error(`${conversation.name} heard ${heard.length} of ${count}`));
    }
  }

  function hears(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (heard.length >= count) resolve();
      else if (isOver) reject(new Error(`${conversation.name} heard ${heard.length} of ${count}`));
      else waits.push({ count, done: resolve, fail: reject });
    });
  }

  return { heard, acknowledged: () => acknowledgements.size, hears, listening: take() };
}
