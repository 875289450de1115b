/**
 * A client as one socket of this process: what client.ts joins together, without a front end.
 *
 * @module
 */

import { Conversation } from "../../lib/client/conversation.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { EMPTY_PEER_BOOK } from "../../lib/identity/peer_trust.ts";
import { pump } from "../../lib/net/pump.ts";
import { connect } from "../../lib/net/tcp.ts";
import { Ticker } from "../../lib/net/ticker.ts";
import { type Endpoint, endpointText } from "../../lib/identity/endpoint.ts";
import type { OwnKeys } from "../../lib/client/keepers.ts";
import { Link, type LinkEnd } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { LOBBY } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { handleOf } from "../scenarios/enrolled.ts";

const clock = (): number => performance.now();
const ticker = new Ticker(clock);

/** Where a server is, and its host key. */
export interface Place {
  readonly endpoint: Endpoint;
  /** 32 octets. */
  readonly hostKey: Bytes;
}

/** One client and what it has heard. */
export interface Member {
  readonly name: string;
  readonly conversation: Conversation;
  /** Each message as `SEQUENCE FROM TEXT`, and ☐ behind what has not ☒; its own included, in the order of coming. */
  readonly heard: readonly string[];
  /** How many messages of its own were acknowledged. */
  readonly acknowledged: () => number;
  /** Settles when `count` messages were heard. Rejects where the conversation ends before. */
  readonly hears: (count: number) => Promise<void>;
  /** How the connection ended, when nothing of it is left. */
  readonly ended: Promise<LinkEnd>;
}

/** Connects and logs in as `name` by the keys of its device; settles when the server has let it in, throws where it does not. */
export async function join({ endpoint, hostKey }: Place, name: string, own: OwnKeys): Promise<Member> {
  const parts = { provider, entropy: systemEntropy, trace: () => {} };
  const prepared = await Conversation.prepare(handleOf(name), own, {
    provider,
    entropy: systemEntropy,
    wallClock: () => Date.now(),
    clock,
    hostKey,
    server: endpointText(endpoint),
    ownKeys: { load: () => Promise.resolve(own), save: () => Promise.resolve() },
    peers: { load: () => Promise.resolve(EMPTY_PEER_BOOK), save: () => Promise.resolve() },
    hostKeyChanged: () => Promise.resolve(new Failure("protocol", "another host key")),
  });
  const socket = await connect(endpoint);
  const pin = { kind: "key", publicKey: hostKey } as const;
  const conversation = prepared(await Link.client({ suites: SUITES, psk: undefined, pin }, parts, clock()));
  const pumping = pump(socket, conversation, { clock, ticker });
  const { heard, acknowledged, hears, listening } = listen(conversation);
  const admission = await conversation.admission;
  if (admission !== "admitted") {
    throw new Error(`${name} was not let in: ${admission}`, { cause: await conversation.outcome });
  }
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
      if (event.type === "message") {
        heard.push(`${event.sequence} ${event.from} ${event.text}${event.verified ? "" : " ☐"}`);
      }
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
