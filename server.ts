/**
 * The server's composition root: turns flags into a configuration, gives each part what it needs, and runs them
 * until it is told to end. It decides nothing itself.
 *
 * @module
 */

import process from "node:process";
import { setImmediate } from "node:timers";
import denoJson from "./deno.json" with { type: "json" };
import {
  ADMINISTRATION_SOCKET,
  type AdministrationCall,
  askAdministration,
  type PlaceAddress,
  serveAdministration,
} from "./lib/admin/administration_socket.ts";
import { administrationLines } from "./lib/admin/administration_text.ts";
import { runConsole } from "./lib/admin/console.ts";
import {
  closeJournal,
  noteBanned,
  noteConnected,
  noteDelivery,
  noteEnded,
  noteFault,
  noteGuest,
  noteKnock,
  noteSession,
  noteTrace,
  openJournal,
} from "./lib/admin/journal.ts";
import { Fernet } from "./lib/bridge/fernet.ts";
import { fernetKeyFrom } from "./lib/bridge/fernet_key.ts";
import { Guest, guestEndWords } from "./lib/bridge/guest.ts";
import { serverIv } from "./lib/bridge/token_iv.ts";
import { UsedTokens } from "./lib/bridge/used_tokens.ts";
import { type AdminAnswer, administer, type Office, type Place } from "./lib/chat/administration.ts";
import { addressGroup } from "./lib/chat/address_group.ts";
import type { PeerId } from "./lib/chat/peer_id.ts";
import type { AccountStore } from "./lib/chat/port.ts";
import { DEFAULT_ENDPOINT } from "./lib/config/address.ts";
import type { AdministrationCommand } from "./lib/config/administration_command.ts";
import type { BridgeConfig } from "./lib/config/fernet_flags.ts";
import { invitedEndpoint } from "./lib/config/public_address.ts";
import { runtimeFault } from "./lib/config/runtime.ts";
import { runServerCommand, type ServerConfig } from "./lib/config/server_command.ts";
import type { UpkeepCommand } from "./lib/config/upkeep_command.ts";
import { newCertificateKey, selfSignedCertificate } from "./lib/crypto/certificate.ts";
import { systemEntropy } from "./lib/crypto/entropy.ts";
import { chosenMlKem } from "./lib/crypto/ml_kem_choice.ts";
import type { Provider } from "./lib/crypto/port.ts";
import { nodeProvider } from "./lib/crypto/node_provider.ts";
import { webCryptoProvider } from "./lib/crypto/webcrypto.ts";
import { RoomExchange } from "./lib/delivery/exchange.ts";
import { noteTrouble } from "./lib/delivery/exchange_parts.ts";
import { type Endpoint, endpointText } from "./lib/identity/endpoint.ts";
import { fingerprint, hostKeyWords } from "./lib/identity/host_key.ts";
import { pump } from "./lib/net/pump.ts";
import { type Accepted, listen, type Listening } from "./lib/net/tcp.ts";
import { Ticker } from "./lib/net/ticker.ts";
import { listenTls } from "./lib/net/tls.ts";
import { connectUnix, listenUnix, type UnixListening } from "./lib/net/unix_socket.ts";
import type { ChannelParts } from "./lib/secure/channel.ts";
import { Link } from "./lib/secure/link.ts";
import { pskFromText } from "./lib/secure/psk.ts";
import { NO_TRACE, type Tracer } from "./lib/secure/record.ts";
import type { ServerOptions } from "./lib/secure/server_handshake.ts";
import { type Suite, SUITES } from "./lib/secure/suite.ts";
import { admit, type HalfOpen, settle } from "./lib/session/admission.ts";
import { endWords } from "./lib/session/end_words.ts";
import { Gate } from "./lib/session/gate.ts";
import type { SessionNews } from "./lib/session/port.ts";
import { Reception } from "./lib/session/reception.ts";
import { Service } from "./lib/session/service.ts";
import { Session } from "./lib/session/session.ts";
import { Turnstile } from "./lib/session/turnstile.ts";
import { type AccountDatabase, openAccountDatabase } from "./lib/store/account_database.ts";
import { makeBackup, restoreBackup } from "./lib/store/backup.ts";
import { madeLines, restoredLines } from "./lib/store/backup_text.ts";
import {
  CERTIFICATE_FILES,
  loadOrMakeCertificate,
  readServerCertificate,
  type ServerCertificate,
} from "./lib/store/certificate_file.ts";
import { examine, findingSentence } from "./lib/store/doctor.ts";
import { outputFault } from "./lib/store/file_failure.ts";
import { HOST_KEY_FILE, loadOrMakeHostKey } from "./lib/store/host_key_file.ts";
import { openRoomStore, roomsOnDisk, type RoomStore } from "./lib/store/room_store.ts";
import { readSecretFile } from "./lib/store/secret_file.ts";
import { bytesOf, readLines } from "./lib/terminal/lines.ts";
import { type Exit, EXIT_CODES, Failure } from "./lib/text/failure.ts";
import { traceLines } from "./lib/text/trace.ts";
import { visible } from "./lib/text/visible.ts";
import { type Bytes, utf8 } from "./lib/wire/bytes.ts";

const clock = (): number => performance.now();
const wallClock = (): number => Date.now();

/** How long the end of a server waits for a reader of its journal: a full pipe that nobody reads must not keep it. */
const JOURNAL_CLOSE_MS_MAX = 1_000;

/** What all connections of one run share. */
interface House {
  readonly options: ServerOptions;
  readonly parts: Omit<ChannelParts, "trace">;
  readonly trace: boolean;
  readonly store: AccountStore;
  readonly rooms: RoomStore;
  readonly gate: Gate;
  readonly setup: Bytes;
  readonly exchange: RoomExchange;
  readonly service: Service;
  readonly reception: Reception;
  readonly turnstile: Turnstile;
  readonly ticker: Ticker;
  readonly sessions: Map<PeerId, Session>;
  halfOpen: HalfOpen;
}

/** The Fernet bridge: guests are to it what sessions are to the house. */
interface Bridge {
  readonly fernet: Fernet;
  readonly used: UsedTokens;
  readonly listening: Listening;
  readonly sessions: Map<PeerId, Guest>;
  halfOpen: HalfOpen;
  admitted: number;
}

/** A house whose doors are open. */
interface OpenHouse {
  readonly config: ServerConfig<Suite>;
  readonly house: House;
  readonly listening: Listening;
  readonly bridge: Bridge | undefined;
  readonly administration: UnixListening;
  readonly place: Place;
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
    readSecret,
    stdout: { write: (text) => writeSync(Deno.stdout, text) },
    stderr: { write: (text) => writeSync(Deno.stderr, text) },
    serve,
    administer: administerByCommand,
    seeTo,
  });
}

async function serve(config: ServerConfig<Suite>): Promise<void> {
  // First of all, since its sentences say what is wrong with a data folder; of two servers both get the same key.
  await loadOrMakeHostKey(config.dataDir, systemEntropy);
  // It is what refuses a second server on one data folder.
  const administration = await listenUnix(`${config.dataDir}/${ADMINISTRATION_SOCKET}`);
  let accounts: AccountDatabase | undefined;
  let rooms: RoomStore | undefined;
  try {
    const provider = nodeProvider(webCryptoProvider(await chosenMlKem()));
    accounts = await openAccountDatabase(config.dataDir);
    const place = { dataDir: config.dataDir, keyFile: config.logs.keyFile };
    rooms = await openRoomStore(place, { provider, entropy: systemEntropy });
    const house = await openHouse(config, { accounts, rooms, provider });
    await run(config, house, administration);
    await house.exchange.settled();
  } finally {
    // In this order: whoever administers is not to meet a database that is closed.
    await administration.close();
    accounts?.close();
    rooms?.close();
  }
}

async function run(
  config: ServerConfig<Suite>,
  house: House,
  administration: UnixListening,
): Promise<void> {
  const bridge = config.bridge === undefined
    ? undefined
    : await openBridge(config.bridge, house.parts.provider);
  const { certificate, listening } = await openDoor(config);
  const { endpoint, warning } = invitedEndpoint(listening.at, config.address);
  for (const sentence of [certificate?.warning, warning]) warn(sentence);
  const hostKey = house.options.hostKey.publicKey;
  const place: Place = { endpoint, hostKey, certificate: certificate?.invited };
  const open: OpenHouse = { config, house, listening, bridge, administration, place };
  // Before anything is announced: whoever reads that may tell the server to end at once.
  const end = onceTold(() => closeDoors(open));
  await announce(open);
  await openJournal(Deno.stderr.writable);
  void administerWhoAsks(open);
  const stopTicking = house.ticker.add(() => {
    house.exchange.tick();
    house.gate.tick();
  });
  if (config.console) openConsole(house, end).catch((fault) => noteFault("console", String(fault)));
  await Promise.all([receiveAll(open), receiveGuests(open)]).finally(stopTicking);
  await Promise.race([closeJournal(), new Promise((resolve) => setTimeout(resolve, JOURNAL_CLOSE_MS_MAX))]);
}

/** What is kept on disk, and what computes. */
interface Ground {
  readonly accounts: AccountStore;
  readonly rooms: RoomStore;
  readonly provider: Provider;
}

async function openHouse(
  config: ServerConfig<Suite>,
  { accounts: store, rooms, provider }: Ground,
): Promise<House> {
  const psk = config.pskText === undefined ? undefined : await pskFromText(config.pskText, provider);
  const hostKey = await provider.ed25519SigningKey(await loadOrMakeHostKey(config.dataDir, systemEntropy));
  const onFault = (fault: unknown): void => noteTrouble({ note: noteDelivery }, fault);
  const gate = await Gate.open({ store, wallClock, onFault });
  const setup = await store.opaqueSetup(async () => await (await provider.opaque()).newSetup());
  const exchange = await RoomExchange.open({
    provider,
    entropy: systemEntropy,
    hostKey,
    wallClock,
    soon: (act) => setImmediate(act),
    logs: rooms.log,
    files: rooms.files,
    accounts: store,
    retention: config.logs.retention,
    fanout: config.logs.fanout,
    fileLimits: config.files,
    note: noteDelivery,
  }, await rooms.restored());
  return {
    options: { suites: config.suites, psk, hostKey },
    parts: { provider, entropy: systemEntropy },
    trace: config.trace,
    store,
    rooms,
    gate,
    setup,
    exchange,
    service: new Service({ store, exchange, provider, hostKey: hostKey.publicKey, setup }),
    turnstile: new Turnstile((act) => setImmediate(act)),
    reception: new Reception({ store, registration: config.registration, provider, entropy: systemEntropy }),
    ticker: new Ticker(clock),
    sessions: new Map(),
    halfOpen: new Map(),
  };
}

async function openDoor(
  config: ServerConfig<Suite>,
): Promise<{ readonly listening: Listening; readonly certificate: ServerCertificate | undefined }> {
  const certificate = await certificateOf(config);
  return {
    listening: certificate === undefined ? listen(config) : listenTls(config, certificate),
    certificate,
  };
}

async function certificateOf({ tls, dataDir }: ServerConfig<Suite>): Promise<ServerCertificate | undefined> {
  switch (tls?.kind) {
    case undefined:
      return undefined;
    case "files":
      return await readServerCertificate(tls);
    case "selfSigned": {
      const maker = { newKey: newCertificateKey, certify: selfSignedCertificate };
      return await loadOrMakeCertificate(dataDir, { maker, now: wallClock() });
    }
  }
}

async function openBridge({ endpoint, keyText }: BridgeConfig, provider: Provider): Promise<Bridge> {
  const fernet = await Fernet.of(provider, fernetKeyFrom(keyText));
  const flag = "--fernet-listen HOST:PORT";
  return {
    fernet,
    used: new UsedTokens(Math.floor(wallClock() / 1_000)),
    listening: listen(endpoint, { host: flag, port: flag, either: flag }),
    sessions: new Map(),
    halfOpen: new Map(),
    admitted: 0,
  };
}

/** Nobody comes in any more, and everybody inside is told. */
function closeDoors({ listening, bridge, house }: OpenHouse): void {
  listening.close();
  bridge?.listening.close();
  for (const guest of bridge?.sessions.values() ?? []) guest.close();
  for (const session of house.sessions.values()) session.close("shuttingDown", clock());
}

/** The lines on standard output that programs and people wait for. */
async function announce({ config, house, listening, bridge, place }: OpenHouse): Promise<void> {
  const { options: { hostKey: { publicKey } }, parts: { provider }, store } = house;
  writeSync(Deno.stdout, `sotto-server listening on ${endpointText(listening.at)}\n`);
  writeSync(Deno.stdout, `fingerprint ${fingerprint(await provider.sha256(publicKey))}\n`);
  writeSync(Deno.stdout, `words ${(await hostKeyWords(publicKey, provider)).join(" ")}\n`);
  if (config.registration === "invite") {
    const invited = await administer({ type: "invite" }, store, officeAt(place, house));
    if (invited.kind === "invitation") writeSync(Deno.stdout, `invitation ${invited.url}\n`);
  }
  if (bridge === undefined) return;
  writeSync(Deno.stdout, `fernet bridge listening on ${endpointText(bridge.listening.at)}\n`);
}

async function receiveAll({ house, listening }: OpenHouse): Promise<void> {
  await receive(listening, house.gate, (accepted, peer) => converse(house, accepted, peer));
}

async function receiveGuests({ house, bridge }: OpenHouse): Promise<void> {
  if (bridge === undefined) return;
  const converse = (accepted: Accepted, peer: PeerId) => converseByTokens(house, bridge, { accepted, peer });
  await receive(bridge.listening, house.gate, converse);
}

/** Has each connection that `gate` lets in its conversation, until there are none and will be none. */
async function receive(
  { connections }: Listening,
  gate: Gate,
  converse: (accepted: Accepted, peer: PeerId) => Promise<void>,
): Promise<void> {
  const conversations = new Set<Promise<void>>();
  let peer: PeerId = 0;
  for await (const accepted of connections) {
    if (!gate.lets(accepted.from.host)) {
      accepted.socket.close();
      noteBanned(endpointText(accepted.from));
      continue;
    }
    peer += 1;
    const conversation = converse(accepted, peer)
      .catch((fault) => noteFault(endpointText(accepted.from), String(fault)))
      .finally(() => conversations.delete(conversation));
    conversations.add(conversation);
  }
  await Promise.all(conversations);
}

/** One connection, from its first byte to its end. */
async function converse(house: House, { socket, from }: Accepted, peer: PeerId): Promise<void> {
  const address = endpointText(from);
  noteConnected(address);
  const trace: Tracer = house.trace
    ? (event) => traceLines(event).forEach((line) => noteTrace(address, line))
    : NO_TRACE;
  const note = (news: SessionNews): void => noteSession(address, news);
  const link = Link.server(house.options, { ...house.parts, trace }, clock());
  const session = new Session(peer, link, {
    now: clock(),
    parts: {
      exchange: house.exchange,
      service: house.service,
      visit: house.reception.visit(addressGroup(from.host), note),
      turnstile: house.turnstile,
      provider: house.parts.provider,
      setup: house.setup,
      address,
      note,
      wallClock,
    },
  });
  house.sessions.set(peer, session);
  makeWay(house, { peer, host: from.host }, (evicted) => house.sessions.get(evicted)?.giveWay());
  void session.admitted.then(() => {
    house.halfOpen = settle(house.halfOpen, peer);
  });
  const leaveGate = house.gate.enter(from.host, () => session.turnOut());
  await pump(socket, session, { clock, ticker: house.ticker }).finally(() => {
    leaveGate();
    house.sessions.delete(peer);
  });
  const why = endWords(await session.ended);
  trace({ kind: "end", reason: why });
  noteEnded(address, why);
}

/** One guest of the bridge, from its first byte to its end. */
async function converseByTokens(
  { exchange, ticker, gate }: House,
  bridge: Bridge,
  { accepted: { socket, from }, peer }: { readonly accepted: Accepted; readonly peer: PeerId },
): Promise<void> {
  const address = endpointText(from);
  noteKnock(address);
  const guest = new Guest({
    fernet: bridge.fernet,
    iv: () => serverIv(systemEntropy),
    wallClock,
    lobby: exchange,
    address,
    used: bridge.used,
    admit: () => {
      bridge.halfOpen = settle(bridge.halfOpen, peer);
      const name = `guest-${++bridge.admitted}`;
      noteGuest(address, name);
      return name;
    },
  }, clock());
  bridge.sessions.set(peer, guest);
  makeWay(bridge, { peer, host: from.host }, (evicted) => bridge.sessions.get(evicted)?.lost());
  const leaveGate = gate.enter(from.host, () => guest.lost());
  await pump(socket, guest, { clock, ticker }).finally(() => {
    leaveGate();
    bridge.sessions.delete(peer);
    bridge.halfOpen = settle(bridge.halfOpen, peer);
  });
  noteEnded(address, guestEndWords(await guest.ended));
}

/** The oldest of those who are not in yet gives way where they are too many. */
function makeWay(
  place: House | Bridge,
  { peer, host }: { readonly peer: PeerId; readonly host: string },
  end: (evicted: PeerId) => void,
): void {
  const { halfOpen, evicted } = admit(place.halfOpen, peer, host);
  place.halfOpen = halfOpen;
  if (evicted !== undefined) end(evicted);
}

/** The operator talks and listens by standard input and output; `quit` ends the server. */
async function openConsole(house: House, end: () => void): Promise<void> {
  const outcome = await runConsole(house.exchange, {
    input: readLines(bytesOf(process.stdin)),
    write: async (text) => {
      let rest: Uint8Array = utf8(text);
      while (rest.length > 0) rest = rest.subarray(await Deno.stdout.write(rest));
    },
    clock: (time) => new Date(time).toTimeString().slice(0, 8),
  });
  if (outcome === "quit") end();
}

/** Does what operators ask for over the socket, until it is closed. */
function administerWhoAsks({ administration, house, place }: OpenHouse): Promise<void> {
  return serveAdministration(administration.connections, {
    answer: async ({ request, address }: AdministrationCall) => {
      const there = { ...place, endpoint: movedTo(place.endpoint, address) };
      const answer = await administer(request, house.store, officeAt(there, house));
      house.exchange.administered(request, answer);
      if (answer.kind === "banned") await house.gate.look();
      return answer;
    },
    onFault: (fault) => noteFault("administration", String(fault)),
  });
}

/** `sotto-server user …`, `room list`, `ban` and `invite`: by the server that runs on the data folder, or without one by its files. */
async function administerByCommand(command: AdministrationCommand): Promise<readonly string[]> {
  const { dataDir, qr } = command;
  const running = await connectUnix(`${dataDir}/${ADMINISTRATION_SOCKET}`);
  const answer = running === undefined
    ? await administerFiles(command)
    : await askAdministration(running, command);
  return await administrationLines(answer, { qr });
}

async function administerFiles(
  { request, dataDir, address, keyFile }: AdministrationCommand,
): Promise<AdminAnswer> {
  await requireServersData(dataDir);
  const provider = webCryptoProvider(await chosenMlKem());
  const store = await openAccountDatabase(dataDir);
  try {
    const hostKey = await provider.ed25519SigningKey(await loadOrMakeHostKey(dataDir, systemEntropy));
    const certificate = await ownCertificate(dataDir);
    const endpoint = movedTo(DEFAULT_ENDPOINT, address);
    const entropy = systemEntropy;
    const place = { endpoint, hostKey: hostKey.publicKey, certificate };
    const rooms = () => roomsOnDisk({ dataDir, keyFile }, { provider, entropy });
    const office = { now: wallClock(), entropy, provider, place, rooms };
    const answer = await administer(request, store, office);
    if (answer.kind === "invitation" && address?.port === undefined) warnOfGuess(endpoint);
    return answer;
  } finally {
    store.close();
  }
}

/** A slip in --data-dir is not to make a server's data of its own. */
async function requireServersData(dataDir: string): Promise<void> {
  try {
    await Deno.stat(`${dataDir}/${HOST_KEY_FILE}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return;
    throw new Failure(
      "noInput",
      `Cannot find a server's data in ${visible(dataDir)}: it has no ${HOST_KEY_FILE}; ` +
        "start a server there once, or give --data-dir.",
    );
  }
}

function warnOfGuess(endpoint: Endpoint): void {
  warn(
    `No server runs on this data folder now, so the invitation names ${endpointText(endpoint)}; ` +
      "give --address HOST:PORT if others reach it elsewhere",
  );
}

/** The certificate that the server on a data folder has made for itself, if it ever ran with TLS. */
async function ownCertificate(dataDir: string): Promise<Bytes | undefined> {
  const paths = {
    certificate: `${dataDir}/${CERTIFICATE_FILES.certificate}`,
    key: `${dataDir}/${CERTIFICATE_FILES.key}`,
  };
  try {
    return (await readServerCertificate(paths)).invited;
  } catch (error) {
    if (error instanceof Failure && error.exit === "noInput") return undefined;
    throw error;
  }
}

function movedTo(endpoint: Endpoint, address: PlaceAddress | undefined): Endpoint {
  return address === undefined ? endpoint : { host: address.host, port: address.port ?? endpoint.port };
}

function officeAt(place: Place, { parts, rooms }: House): Office {
  return { now: wallClock(), ...parts, place, rooms: () => rooms.log.rooms() };
}

/** `sotto-server backup`, `restore` and `doctor`: on files, whether or not a server runs on them. */
async function seeTo(command: UpkeepCommand, print: (line: string) => void): Promise<Exit> {
  const { dataDir } = command;
  switch (command.type) {
    case "backup": {
      const backup = await makeBackup({ dataDir, to: command.other, now: wallClock() });
      for (const line of madeLines(backup, command.other)) print(line);
      return "ok";
    }
    case "restore": {
      const backup = await restoreBackup({ from: command.other, dataDir });
      for (const line of restoredLines(backup, dataDir)) print(line);
      return backup.missing.length === 0 ? "ok" : "data";
    }
    case "doctor":
      return await examineAll(command, print);
  }
}

async function examineAll(
  { dataDir, keyFile }: UpkeepCommand & { readonly type: "doctor" },
  print: (line: string) => void,
): Promise<Exit> {
  const provider = webCryptoProvider(await chosenMlKem());
  let exit: Exit = "ok";
  for await (const finding of examine({ dataDir, keyFile }, { provider, entropy: systemEntropy })) {
    print(findingSentence(finding));
    exit = "data";
  }
  if (exit === "ok") print(`Nothing is at fault in ${visible(dataDir)}.`);
  return exit;
}

async function readSecret(path: string, what: string): Promise<string> {
  const { text, sharedMode } = await readSecretFile(path, what);
  warn(sharedMode);
  return text;
}

function warn(sentence: string | undefined): void {
  if (sentence !== undefined) console.error(sentence);
}

/** Runs `act` at the first signal to end, or when told by what it gives back; a second signal ends the program. */
function onceTold(act: () => void): () => void {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  let isTold = false;
  const listener = (): void => {
    if (isTold) return;
    isTold = true;
    for (const signal of signals) Deno.removeSignalListener(signal, listener);
    act();
  };
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return listener;
}

/** A reader that is gone is no reason for a server to end. */
function writeSync(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  try {
    let rest: Uint8Array = utf8(text);
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    const fault = outputFault(error);
    if (fault instanceof Failure) throw fault;
  }
}
