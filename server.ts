/**
 * The server's composition root: turns flags into a configuration, gives each part what it needs, and runs them
 * until it is told to end. It decides nothing itself.
 *
 * @module
 */

import denoJson from "./deno.json" with { type: "json" };
import {
  closeJournal,
  noteConnected,
  noteEnded,
  noteFault,
  noteJoined,
  noteTrace,
  openJournal,
} from "./lib/admin/journal.ts";
import type { PeerId } from "./lib/chat/lobby.ts";
import { runtimeFault } from "./lib/config/runtime.ts";
import { runServerCommand, type ServerConfig } from "./lib/config/server_command.ts";
import { systemEntropy } from "./lib/crypto/entropy.ts";
import { chosenMlKem } from "./lib/crypto/ml_kem_choice.ts";
import { webCryptoProvider } from "./lib/crypto/webcrypto.ts";
import { LobbyExchange } from "./lib/delivery/exchange.ts";
import { endpointText } from "./lib/identity/endpoint.ts";
import { fingerprint, hostKeyWords } from "./lib/identity/host_key.ts";
import { pump } from "./lib/net/pump.ts";
import { type Accepted, listen } from "./lib/net/tcp.ts";
import { Ticker } from "./lib/net/ticker.ts";
import type { ChannelParts } from "./lib/secure/channel.ts";
import { Link } from "./lib/secure/link.ts";
import type { Tracer } from "./lib/secure/record.ts";
import { pskFromText } from "./lib/secure/psk.ts";
import type { ServerOptions } from "./lib/secure/server_handshake.ts";
import { type Suite, SUITES } from "./lib/secure/suite.ts";
import { admit, type HalfOpen, settle } from "./lib/session/admission.ts";
import { endWords } from "./lib/session/end_words.ts";
import { Session } from "./lib/session/session.ts";
import { loadOrMakeHostKey } from "./lib/store/host_key_file.ts";
import { readSecretFile } from "./lib/store/secret_file.ts";
import { EXIT_CODES } from "./lib/text/failure.ts";
import { traceLines } from "./lib/text/trace.ts";
import { utf8 } from "./lib/wire/bytes.ts";

const clock = (): number => performance.now();
const wallClock = (): number => Date.now();

/** How long the end of a server waits for a reader of its journal: a full pipe that nobody reads must not keep it. */
const JOURNAL_CLOSE_MS_MAX = 1_000;

/** What all connections of one run share. */
interface House {
  readonly options: ServerOptions;
  readonly parts: Omit<ChannelParts, "trace">;
  readonly trace: boolean;
  readonly exchange: LobbyExchange;
  readonly ticker: Ticker;
  readonly sessions: Map<PeerId, Session>;
  halfOpen: HalfOpen;
}

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const fault = runtimeFault(Deno.version.deno);
  if (fault !== undefined) {
    console.error(fault);
    return EXIT_CODES.config;
  }
  return await runServerCommand(Deno.args, {
    version: denoJson.version,
    suites: SUITES,
    environment: (name) => Deno.env.get(name),
    readSecret: (path) => readSecretFile(path, "the pre-shared key"),
    stdout: { write: (text) => writeSync(Deno.stdout, text) },
    stderr: { write: (text) => writeSync(Deno.stderr, text) },
    serve,
  });
}

async function serve(config: ServerConfig<Suite>): Promise<void> {
  const house = await openHouse(config);
  const listening = listen(config);
  // Before anything is announced: whoever reads that may tell the server to end at once.
  onceTold(() => {
    listening.close();
    for (const session of house.sessions.values()) session.close("shuttingDown", clock());
  });
  await announce(endpointText(listening.at), house);
  await openJournal(Deno.stderr.writable);
  const conversations = new Set<Promise<void>>();
  let peer: PeerId = 0;
  for await (const accepted of listening.connections) {
    peer += 1;
    const conversation = converse(house, accepted, peer)
      .catch((fault) => noteFault(endpointText(accepted.from), String(fault)))
      .finally(() => conversations.delete(conversation));
    conversations.add(conversation);
  }
  await Promise.all(conversations);
  await Promise.race([closeJournal(), new Promise((resolve) => setTimeout(resolve, JOURNAL_CLOSE_MS_MAX))]);
}

async function openHouse(config: ServerConfig<Suite>): Promise<House> {
  const provider = webCryptoProvider(await chosenMlKem());
  const psk = config.pskText === undefined ? undefined : await pskFromText(config.pskText, provider);
  const hostKey = await provider.ed25519SigningKey(await loadOrMakeHostKey(config.dataDir, systemEntropy));
  return {
    options: { suites: config.suites, psk, hostKey },
    parts: { provider, entropy: systemEntropy },
    trace: config.trace,
    exchange: new LobbyExchange(wallClock),
    ticker: new Ticker(clock),
    sessions: new Map(),
    halfOpen: new Map(),
  };
}

/** The lines on standard output that programs and people wait for. */
async function announce(address: string, { options, parts: { provider } }: House): Promise<void> {
  const { publicKey } = options.hostKey;
  writeSync(Deno.stdout, `sotto-server listening on ${address}\n`);
  writeSync(Deno.stdout, `fingerprint ${fingerprint(await provider.sha256(publicKey))}\n`);
  writeSync(Deno.stdout, `words ${(await hostKeyWords(publicKey, provider)).join(" ")}\n`);
}

/** One connection, from its first byte to its end. */
async function converse(house: House, { socket, from }: Accepted, peer: PeerId): Promise<void> {
  const address = endpointText(from);
  noteConnected(address);
  const trace: Tracer = house.trace
    ? (event) => traceLines(event).forEach((line) => noteTrace(address, line))
    : () => {};
  const link = Link.server(house.options, { ...house.parts, trace }, clock());
  const session = new Session(peer, link, { exchange: house.exchange, now: clock() });
  house.sessions.set(peer, session);
  makeWay(house, peer, from.host);
  session.admitted.then((name) => {
    house.halfOpen = settle(house.halfOpen, peer);
    if (name !== undefined) noteJoined(address, name);
  });
  await pump(socket, session, { clock, ticker: house.ticker }).finally(() => house.sessions.delete(peer));
  const why = endWords(await session.ended);
  trace({ kind: "end", reason: why });
  noteEnded(address, why);
}

function makeWay(house: House, peer: PeerId, host: string): void {
  const { halfOpen, evicted } = admit(house.halfOpen, peer, host);
  house.halfOpen = halfOpen;
  if (evicted !== undefined) house.sessions.get(evicted)?.lost();
}

/** Runs `act` at the first signal to end; a second one ends the program as the system would. */
function onceTold(act: () => void): void {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const listener = (): void => {
    for (const signal of signals) Deno.removeSignalListener(signal, listener);
    act();
  };
  for (const signal of signals) Deno.addSignalListener(signal, listener);
}

/** A reader that is gone is no reason for a server to end. */
function writeSync(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  try {
    let rest: Uint8Array = utf8(text);
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
