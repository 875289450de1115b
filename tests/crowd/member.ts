/**
 * A client as one socket of this process: what client.ts joins together, without a front end.
 *
 * @module
 */

import { Chat } from "../../lib/client/chat.ts";
import type { Connection, Dial } from "../../lib/client/connection.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { EMPTY_PEER_BOOK } from "../../lib/identity/peer_trust.ts";
import { pump } from "../../lib/net/pump.ts";
import { connect } from "../../lib/net/tcp.ts";
import { Ticker } from "../../lib/net/ticker.ts";
import { type Endpoint, endpointText } from "../../lib/identity/endpoint.ts";
import type { LocalFiles, OwnKeys } from "../../lib/client/keepers.ts";
import { Link, type LinkEnd } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { type ClientMessage, decodeClientMessage, encodeMessage, LOBBY } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { handleOf } from "../scenarios/enrolled.ts";
import { MemoryLocal } from "../simulation/memory_local.ts";

const clock = (): number => performance.now();
const ticker = new Ticker(clock);

const noFile = (): Promise<never> =>
  Promise.reject(new Failure("noInput", "Cannot open a file: there is none."));
const NO_FILES: LocalFiles = { openSource: noFile, openSink: noFile };

/** Where a server is, and its host key. */
export interface Place {
  readonly endpoint: Endpoint;
  /** 32 octets. */
  readonly hostKey: Bytes;
}

/** One client and what it has heard. */
export interface Member {
  readonly name: string;
  readonly chat: Chat;
  /** Each message as `SEQUENCE FROM TEXT`, and ☐ behind what has not ☒; its own included, in the order of coming. */
  readonly heard: readonly string[];
  /** What was refused, by code. */
  readonly faults: readonly string[];
  /** How many messages of its own were acknowledged. */
  readonly acknowledged: () => number;
  /** Settles when `count` messages were heard. Rejects where the conversation ends before. */
  readonly hears: (count: number) => Promise<void>;
  /** How the connection ended, when nothing of it is left. */
  readonly ended: Promise<LinkEnd>;
}

/** What is special about a member. */
export interface Special {
  /** Its files; it has none where this is not said. */
  readonly files?: LocalFiles;
  /** What it says in the place of what a client of ours would. */
  readonly lie?: (message: ClientMessage) => ClientMessage;
  /** Called when it has heard something. */
  readonly changed?: () => void;
}

/** Connects and logs in as `name` by the keys of its device; settles when the server has let it in, throws where it does not. */
export async function join(
  { endpoint, hostKey }: Place,
  name: string,
  own: OwnKeys,
  { files = NO_FILES, lie, changed = () => {} }: Special = {},
): Promise<Member> {
  const parts = { provider, entropy: systemEntropy, trace: () => {} };
  const chat = await Chat.prepare(handleOf(name), own, {
    provider,
    entropy: systemEntropy,
    wallClock: () => Date.now(),
    clock,
    hostKey,
    server: endpointText(endpoint),
    ownKeys: { load: () => Promise.resolve(own), save: () => Promise.resolve() },
    peers: { load: () => Promise.resolve(EMPTY_PEER_BOOK), save: () => Promise.resolve() },
    localStores: { open: () => Promise.resolve(Object.assign(new MemoryLocal(), { close: () => {} })) },
    files,
    timer: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    reconnectMs: 0,
    hostKeyChanged: () => Promise.resolve(new Failure("protocol", "another host key")),
  });
  const pumpings: Promise<void>[] = [];
  const dial: Dial = async <Kind extends Connection>(carry: (link: Link) => Kind) => {
    const socket = await connect(endpoint);
    const pin = { kind: "key", publicKey: hostKey } as const;
    const link = await Link.client({ suites: SUITES, psk: undefined, pin }, parts, clock());
    if (lie !== undefined) {
      const send = link.send.bind(link);
      link.send = (bytes) => send(instead(bytes, lie));
    }
    const connection = carry(link);
    pumpings.push(pump(socket, connection, { clock, ticker }));
    return connection;
  };
  const connection = await dial((link) => chat.carry(link));
  const running = chat.run(connection, dial);
  const { heard, faults, acknowledged, hears, listening } = listen(chat, changed);
  const admission = await chat.admission;
  if (admission !== "admitted") {
    throw new Error(`${name} was not let in: ${admission}`, { cause: await chat.outcome });
  }
  const ended = Promise.all([connection.ended, running, listening, ...pumpings]).then(([end]) => end);
  return { name, chat, heard, faults, acknowledged, hears, ended };
}

function instead(bytes: Bytes, lie: (message: ClientMessage) => ClientMessage): Bytes {
  const message = decodeClientMessage(bytes);
  return message === undefined ? bytes : encodeMessage(lie(message));
}

/** Says `count` things one after the other, as fast as the window lets it. */
export async function burst({ chat, name }: Member, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const refusal = await chat.request({ type: "send", room: LOBBY, text: `${name} says ${at}` });
    if (refusal !== undefined) throw new Error(`${name} could not say ${at}: ${refusal}`);
  }
}

function listen(
  chat: Chat,
  changed: () => void,
): Pick<Member, "heard" | "faults" | "acknowledged" | "hears"> & { listening: Promise<void> } {
  const heard: string[] = [];
  const faults: string[] = [];
  const acknowledgements = new Set<string>();
  const waits: { readonly count: number; readonly done: () => void; readonly fail: (why: Error) => void }[] =
    [];
  let isOver = false;

  async function take(): Promise<void> {
    for (let event = await chat.nextEvent(); event; event = await chat.nextEvent()) {
      if (event.type === "fault") faults.push(event.code);
      if (event.type === "ack") acknowledgements.add(event.id);
      if (event.type === "message") {
        heard.push(`${event.sequence} ${event.from} ${event.text}${event.verified ? "" : " ☐"}`);
      }
      for (const { count, done } of waits) if (heard.length >= count) done();
      changed();
    }
    isOver = true;
    const cause = await chat.outcome;
    for (const { count, fail } of waits) {
      fail(new Error(`${chat.name} heard ${heard.length} of ${count}: ${cause?.message ?? "it has ended"}`));
    }
  }

  function hears(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (heard.length >= count) resolve();
      else if (isOver) reject(new Error(`${chat.name} heard ${heard.length} of ${count}`));
      else waits.push({ count, done: resolve, fail: reject });
    });
  }

  return { heard, faults, acknowledged: () => acknowledgements.size, hears, listening: take() };
}
