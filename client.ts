/**
 * The client's composition root: turns flags and answers into connections, joins the last of them to a front end, and
 * ends with the code that tells a script how it went. It decides nothing itself.
 *
 * @module
 */

import process from "node:process";
import denoJson from "./deno.json" with { type: "json" };
import { Fernet } from "./lib/bridge/fernet.ts";
import { fernetKeyFrom } from "./lib/bridge/fernet_key.ts";
import { visitorIv } from "./lib/bridge/token_iv.ts";
import { runVisit, shownText } from "./lib/bridge/visit.ts";
import { visitFailure } from "./lib/bridge/visit_failure.ts";
import { Visitor } from "./lib/bridge/visitor.ts";
import type { Connection, Dial } from "./lib/client/connection.ts";
import { brokenOff, keyRefused } from "./lib/client/ending.ts";
import { comeIn, type Outside, renewPassword, type Wish } from "./lib/client/entrance.ts";
import type { Talk } from "./lib/client/event.ts";
import { Meeting } from "./lib/client/meeting.ts";
import type { Person } from "./lib/client/person.ts";
import { chooseTls, type ChosenTls } from "./lib/client/tls_choice.ts";
import { judge, pinOf } from "./lib/client/trust.ts";
import { DEFAULT_ENDPOINT, hostFrom, isLoopback, portFrom } from "./lib/config/address.ts";
import {
  type ChatConfig,
  type Mode,
  type PasswordConfig,
  runClientCommand,
} from "./lib/config/client_command.ts";
import type { ConnectionConfig } from "./lib/config/connection_flags.ts";
import type { FernetConfig } from "./lib/config/fernet_command.ts";
import { runtimeFault } from "./lib/config/runtime.ts";
import { systemEntropy } from "./lib/crypto/entropy.ts";
import { chosenMlKem } from "./lib/crypto/ml_kem_choice.ts";
import type { Provider } from "./lib/crypto/port.ts";
import { webCryptoProvider } from "./lib/crypto/webcrypto.ts";
import { certificatePem, certificateTrust } from "./lib/identity/certificate.ts";
import { type Endpoint, endpointText } from "./lib/identity/endpoint.ts";
import { fingerprint, hostKeyWords } from "./lib/identity/host_key.ts";
import { INVITATION_CHARS_MAX } from "./lib/identity/invitation.ts";
import { knownHostKey } from "./lib/identity/known_hosts.ts";
import { pemBlocks } from "./lib/identity/pem.ts";
import { pump, type Socket } from "./lib/net/pump.ts";
import { connect, tlsExpected } from "./lib/net/tcp.ts";
import { Ticker } from "./lib/net/ticker.ts";
import { connectTls } from "./lib/net/tls.ts";
import type { ClientOptions, HostKeyPin } from "./lib/secure/client_handshake.ts";
import { Link } from "./lib/secure/link.ts";
import { pskFromText } from "./lib/secure/psk.ts";
import { NO_TRACE } from "./lib/secure/record.ts";
import { type Suite, SUITES } from "./lib/secure/suite.ts";
import { readCertificates } from "./lib/store/certificate_file.ts";
import { outputFault } from "./lib/store/file_failure.ts";
import { appendKnownHost, readKnownHosts } from "./lib/store/known_hosts_file.ts";
import { keepKnownTls, readKnownTls } from "./lib/store/known_tls_file.ts";
import { localStoreKeeper } from "./lib/store/local_database.ts";
import { OwnKeysFiles } from "./lib/store/own_keys_file.ts";
import { PeersFiles } from "./lib/store/peers_file.ts";
import { readSecretFile } from "./lib/store/secret_file.ts";
import { TransferFiles } from "./lib/store/transfer_files.ts";
import { ask, askYesNo } from "./lib/terminal/ask.ts";
import { askHidden } from "./lib/terminal/ask_hidden.ts";
import { jsonLine, runJsonMode, toldJson } from "./lib/terminal/json_mode.ts";
import { runLineMode } from "./lib/terminal/line_mode.ts";
import { bytesOf, inputFaultSentence, readFirstLine, readLines } from "./lib/terminal/lines.ts";
import { type ModeOutcome, Output } from "./lib/terminal/output.ts";
import { localClock, localDay } from "./lib/terminal/phrase.ts";
import { ScriptPerson, type Told, toldLine } from "./lib/terminal/script_person.ts";
import { TerminalPerson } from "./lib/terminal/terminal_person.ts";
import type { TerminalIo } from "./lib/terminal/typed_line.ts";
import { wordRows } from "./lib/terminal/word_rows.ts";
import { type Exit, EXIT_CODES, Failure } from "./lib/text/failure.ts";
import { type Handle, handleFault, parseHandle } from "./lib/text/handle.ts";
import { type TraceEvent, traceLines } from "./lib/text/trace.ts";
import { type Bytes, equal, utf8 } from "./lib/wire/bytes.ts";

const clock = (): number => performance.now();
const wallClock = (): number => Date.now();

/** A screen of unknown width is taken for the narrowest that is common. */
const COLUMNS_UNKNOWN = 80;

/** For how long a script tries a lost connection again where nobody says it: a server starts anew in less. */
const SCRIPT_RECONNECT_MS = 60_000;

/**
 * Connections whose ends are remembered: those by which a client comes in are a few, and what they met is asked for where
 * that fails. Whoever stays for years has many more.
 */
const CARRIED_MAX = 16;

/** What a whole run shares. */
interface Errand {
  readonly config: ConnectionConfig<Suite>;
  /** The terminal, where there is a person to ask. */
  readonly terminal: TerminalIo | undefined;
  readonly provider: Provider;
  readonly psk: Bytes | undefined;
  readonly endpoint: Endpoint;
  /** The endpoint as the person knows it. */
  readonly server: string;
  /** The host key by which the endpoint was known at the start. */
  readonly known: Bytes | undefined;
  /** TLS below the channel, where it was said or is remembered. */
  readonly tls: ChosenTls | undefined;
  /** Where `--trace` goes; a front end that owns the screen takes it over. */
  readonly trace: { lines: (lines: readonly string[]) => void };
  readonly ticker: Ticker;
  /** The connections so far, one after the other. */
  readonly carried: Carried[];
}

/** A connection and what carries it. */
interface Carried {
  readonly pumping: Promise<void>;
  /** Whether the server has sent a single octet, as far as that is known. */
  readonly answered: () => boolean;
  /** Whether what answered was TLS, which was not asked for. */
  readonly answeredInTls: () => boolean;
}

/** What a run brings beside what its errand is told. */
interface Means {
  readonly mode: Mode;
  /** The password that is to take the old one's place, where it was said. */
  readonly newPassword: string | undefined;
  /** For how long a lost connection is tried again, in milliseconds; `undefined`: for ever. */
  readonly reconnectMs: number | undefined;
}

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const fault = runtimeFault(Deno.version.deno);
  if (fault !== undefined) {
    writeSync(Deno.stderr, `${fault}\n`);
    return EXIT_CODES.config;
  }
  return await runClientCommand(Deno.args, {
    version: denoJson.version,
    suites: SUITES,
    environment: (name) => Deno.env.get(name),
    os: Deno.build.os,
    readSecret,
    readInvitation,
    stdout: { write: (text) => writeSync(Deno.stdout, text) },
    stderr: { write: (text) => writeSync(Deno.stderr, text) },
    chat,
    changePassword,
    fernet,
  });
}

async function chat(config: ChatConfig<Suite>): Promise<Exit> {
  const { mode } = config;
  const begun = await beginErrand(config, mode);
  const name = await nameOf(config, begun.terminal);
  return await explained(begun, async (errand) => {
    const reconnectMs = reconnectMsOf(config, errand.terminal);
    const { hostKey, outside } = await outsideOf(errand, { mode, newPassword: undefined, reconnectMs });
    const { register, device, recoveryCode, room } = config;
    const wish: Wish = { ...wishOf(errand, { name, hostKey }), register, device };
    const talk = await provedBy({ errand, hostKey }, comeIn(wish, { ...outside, recoveryCode }));
    quitWhenTold(() => void talk.request({ type: "quit" }));
    const shown = fingerprint(await errand.provider.sha256(hostKey));
    const outcome = await runFrontEnd(talk, { errand, mode, room, fingerprint: shown });
    await carriedAll(errand);
    return exitOf(outcome, await talk.outcome);
  });
}

function reconnectMsOf(
  { reconnect }: ChatConfig<Suite>,
  terminal: TerminalIo | undefined,
): number | undefined {
  if (reconnect !== undefined) return reconnect * 1_000;
  return terminal === undefined ? SCRIPT_RECONNECT_MS : undefined;
}

async function changePassword(config: PasswordConfig<Suite>): Promise<void> {
  const begun = await beginErrand(config, "plain");
  const name = await nameOf(config, begun.terminal);
  await explained(begun, async (errand) => {
    const means: Means = { mode: "plain", newPassword: config.newPassword, reconnectMs: 0 };
    const { hostKey, outside } = await outsideOf(errand, means);
    await provedBy({ errand, hostKey }, renewPassword(wishOf(errand, { name, hostKey }), outside));
    await carriedAll(errand);
    writeSync(Deno.stdout, `The password of ${name} at ${errand.server} is changed\n`);
  });
}

async function fernet({ endpoint, keyText }: FernetConfig): Promise<Exit> {
  const key = await Fernet.of(webCryptoProvider(await chosenMlKem()), fernetKeyFrom(keyText));
  const socket = await connect(endpoint);
  const output: Output = new Output(
    (text) => write(Deno.stdout, text),
    (text) => write(Deno.stderr, text),
    { onGone: () => visitor.leave() },
  );
  const visitor: Visitor = new Visitor({
    fernet: key,
    iv: () => visitorIv(systemEntropy),
    wallClock,
    show: (text) => output.write(shownText(text)),
  }, clock());
  quitWhenTold(() => visitor.leave());
  const input = readLines(bytesOf(process.stdin));
  const [{ end, refusals }] = await Promise.all([
    runVisit(visitor, { input, writeError: (text) => output.writeError(text) }),
    pump(socket, visitor, { clock, ticker: new Ticker(clock) }),
  ]);
  const failure = visitFailure(end, endpointText(endpoint));
  if (failure !== undefined) throw failure;
  return refusals > 0 ? "data" : "ok";
}

async function beginErrand(config: ConnectionConfig<Suite>, mode: Mode): Promise<Errand> {
  const terminal = terminalFor(mode);
  const provider = webCryptoProvider(await chosenMlKem());
  const endpoint = await endpointOf(config, terminal);
  return {
    config,
    terminal,
    provider,
    psk: config.pskText === undefined ? undefined : await pskFromText(config.pskText, provider),
    endpoint,
    server: endpointText(endpoint),
    known: knownHostKey(await readKnownHosts(knownHostsPath(config)), endpoint),
    tls: await tlsOf(config, endpoint),
    trace: { lines: (lines) => writeSync(Deno.stderr, lines.map((line) => `${line}\n`).join("")) },
    ticker: new Ticker(clock),
    carried: [],
  };
}

/** The terminal, where lines are spoken and both ends of it are one. */
function terminalFor(mode: Mode): TerminalIo | undefined {
  if (mode === "json" || !Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  return { keys: process.stdin, write: (text) => write(Deno.stdout, text), columns };
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return COLUMNS_UNKNOWN;
  }
}

async function readSecret(path: string, what: string): Promise<string> {
  const { text, sharedMode } = await readSecretFile(path, what);
  if (sharedMode !== undefined) writeSync(Deno.stderr, `${sharedMode}\n`);
  return text;
}

async function readInvitation(mode: Mode): Promise<string | undefined> {
  const terminal = terminalFor(mode);
  if (terminal !== undefined) return await ask("Invitation: ", terminal, { keep: false });
  const line = await readFirstLine(process.stdin, INVITATION_CHARS_MAX);
  if (line?.kind !== "fault") return line?.text;
  throw new Failure("data", `${inputFaultSentence(line.fault)}.`);
}

async function endpointOf(
  { address }: ConnectionConfig<Suite>,
  terminal: TerminalIo | undefined,
): Promise<Endpoint> {
  const nothingSaid = address.host === undefined && address.port === undefined;
  if (terminal === undefined || !nothingSaid) {
    return { host: address.host ?? DEFAULT_ENDPOINT.host, port: address.port ?? DEFAULT_ENDPOINT.port };
  }
  const { host, port } = DEFAULT_ENDPOINT;
  return {
    host: await askFor(`Server's host [${host}]: `, terminal, (text) => text === "" ? host : hostFrom(text)),
    port: await askFor(
      `Server's port [${port}]: `,
      terminal,
      (text) => text === "" ? port : portFrom(text, 1),
    ),
  };
}

async function nameOf(
  { user }: ConnectionConfig<Suite>,
  terminal: TerminalIo | undefined,
): Promise<Handle> {
  if (user !== undefined) return user;
  if (terminal === undefined) {
    throw new Failure(
      "usage",
      "Cannot chat without a name: there is no terminal to ask at; give --user NAME.",
    );
  }
  return await askFor("Your name here: ", terminal, (text) => {
    const handle = parseHandle(text);
    if (handle === undefined) throw new Failure("usage", `${handleFault(text) ?? "Cannot use that name"}.`);
    return handle;
  });
}

/** Asks until `parse` takes the answer; what it throws as a {@linkcode Failure} is shown. */
async function askFor<Value>(
  question: string,
  terminal: TerminalIo,
  parse: (text: string) => Value,
): Promise<Value> {
  for (let told = "";;) {
    const answer = await ask(told + question, terminal);
    if (answer === undefined) {
      throw new Failure("usage", "Cannot chat: a question was left unanswered; start again.");
    }
    try {
      return parse(answer);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      told = `${error.message}\n`;
    }
  }
}

/**
 * Does `work`; where it fails by what the network brought, says what is known of that. A server that closes without an
 * answer may require a pre-shared key, so a person who gave none is asked for it, once, and the work is done anew.
 */
async function explained<Result>(
  errand: Errand,
  work: (errand: Errand) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(errand);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (errand.carried.some(({ answeredInTls }) => answeredInTls())) throw tlsExpected(errand.endpoint);
    if (errand.psk !== undefined && error.exit === "protocol" && isSilent(errand)) {
      throw keyRefused(errand.server);
    }
    const psk = await askedPsk(errand);
    if (psk === undefined) throw error;
    return await explained({ ...errand, psk, carried: [] }, work);
  }
}

/** The pre-shared key that a person types for a server which said nothing; `undefined` where there is none to ask for. */
async function askedPsk(errand: Errand): Promise<Bytes | undefined> {
  const { terminal, psk, server, provider } = errand;
  if (terminal === undefined || psk !== undefined || !isSilent(errand)) return undefined;
  const text = await askHidden(
    `${server} closed without an answer, as servers do that require a pre-shared key.\nPre-shared key (Enter if there is none): `,
    terminal,
  );
  return text === undefined || text === "" ? undefined : await pskFromText(text, provider);
}

/** Whether the server was reached, and has not sent a single octet. */
function isSilent({ carried }: Errand): boolean {
  return carried.length > 0 && carried.every(({ answered }) => !answered());
}

/** The server's host key, trusted, and what coming in uses. */
async function outsideOf(
  errand: Errand,
  means: Means,
): Promise<{ readonly hostKey: Bytes; readonly outside: Outside }> {
  const { config: { configDir }, provider } = errand;
  const hostKey = await hostKeyOf(errand);
  const pin: HostKeyPin = { kind: "key", publicKey: hostKey };
  const folder = { configDir, hostKeySha256: await provider.sha256(hostKey) };
  const outside: Outside = {
    provider,
    entropy: systemEntropy,
    wallClock,
    clock,
    person: personFor(errand, means),
    dial: dialer(errand, pin),
    ownKeys: new OwnKeysFiles(folder),
    peers: new PeersFiles(folder),
    localStores: localStoreKeeper({ provider, entropy: systemEntropy }, folder),
    files: new TransferFiles(),
    timer: later,
    reconnectMs: means.reconnectMs,
    recoveryCode: undefined,
    hostKeyChanged: async (key) => changedKey(errand, pin, fingerprint(await provider.sha256(key))),
  };
  return { hostKey, outside };
}

function wishOf(
  { config: { invitation }, endpoint: { host }, server, terminal }: Errand,
  { name, hostKey }: { readonly name: Handle; readonly hostKey: Bytes },
): Wish {
  return {
    name,
    hostKey,
    server,
    loopback: isLoopback(host),
    register: false,
    code: invitation?.code,
    terminal: terminal !== undefined,
    device: Deno.build.os,
  };
}

/** Whoever answers: what was said beforehand counts before anybody is asked. */
function personFor({ config: { password }, terminal }: Errand, { mode, newPassword }: Means): Person {
  if (terminal !== undefined) return new TerminalPerson(terminal, { password, newPassword });
  const tell = (told: Told): Promise<void> => {
    if (mode === "json") writeSync(Deno.stdout, jsonLine(toldJson(told)));
    else writeSync(Deno.stderr, `${toldLine(told)}\n`);
    return Promise.resolve();
  };
  return new ScriptPerson({ password, newPassword, tell });
}

/** Connections whose host key has to be that of `pin`. */
function dialer(errand: Errand, pin: HostKeyPin): Dial {
  const { config, provider, psk, trace, ticker } = errand;
  const options: ClientOptions = { suites: config.suites, psk, pin };
  const tracer = config.trace ? (event: TraceEvent) => trace.lines(traceLines(event)) : NO_TRACE;
  return async <Kind extends Connection>(carry: (link: Link) => Kind) => {
    const { socket, answered, answeredInTls } = await openSocket(errand);
    const link = await Link.client(options, { provider, entropy: systemEntropy, trace: tracer }, clock());
    const connection = carry(link);
    const pumping = pump(socket, connection, { clock, ticker });
    // Told when all of them are looked at; until then nobody waits for this one.
    pumping.catch(() => {});
    noteCarried(errand.carried, { pumping, answered, answeredInTls });
    return connection;
  };
}

/** Keeps what is known of a connection; of those after the first few only as long as they last. */
function noteCarried(all: Carried[], carried: Carried): void {
  all.push(carried);
  const forget = (): void => {
    if (all.length > CARRIED_MAX) all.splice(all.indexOf(carried), 1);
  };
  // One that threw is told of at the end.
  carried.pumping.then(forget, () => {});
}

async function openSocket(
  errand: Errand,
): Promise<Omit<Carried, "pumping"> & { readonly socket: Socket }> {
  const { endpoint, server, tls } = errand;
  if (tls === undefined) {
    const socket = await connect(endpoint);
    return { socket, answered: () => socket.answered(), answeredInTls: () => socket.answeredInTls() };
  }
  const pem = tls.certificates.map(certificatePem).join("");
  const trust = certificateTrust(pem === "" ? undefined : pem, endpoint.host);
  const remedy =
    `ask its operator, and only if its TLS was really changed remove the line of ${server} from ${
      knownTlsPath(errand.config)
    }`;
  const socket = await connectTls(endpoint, tls.remembered ? { ...trust, remedy } : trust);
  // A certificate was shown, so that somebody is there: what a server without a word means cannot be told from that.
  return { socket, answered: () => true, answeredInTls: () => false };
}

/** TLS as it was said or is remembered. Throws a {@linkcode Failure} where the two contradict each other. */
async function tlsOf(config: ConnectionConfig<Suite>, endpoint: Endpoint): Promise<ChosenTls | undefined> {
  const { invitation, tls } = config;
  const path = knownTlsPath(config);
  const choice = chooseTls({
    invited: invitation?.certificate,
    said: tls &&
      (tls.caFile === undefined ? [] : pemBlocks("CERTIFICATE", await readCertificates(tls.caFile)) ?? []),
    remembered: await readKnownTls(path, endpoint),
  });
  switch (choice.kind) {
    case "tls":
      return choice;
    case "plain":
      return undefined;
    case "contradicted": {
      const server = endpointText(endpoint);
      throw new Failure(
        "protocol",
        `Cannot trust the invitation: its TLS certificate is not the one by which ${server} is known here; ask its ` +
          `operator, and only if its TLS was really changed remove the line of ${server} from ${path}.`,
      );
    }
  }
}

/** Settles once nothing is carried any more. Throws what a connection threw, which is a fault of ours. */
async function carriedAll({ carried }: Errand): Promise<void> {
  await Promise.all(carried.map(({ pumping }) => pumping));
}

/** The host key to insist on: said, known, or met and then trusted. Throws a {@linkcode Failure} where it is not. */
async function hostKeyOf(errand: Errand): Promise<Bytes> {
  const { config: { hostKey, invitation }, server, known } = errand;
  if (invitation !== undefined) return await invitedKey(errand, invitation.hostKey, known);
  const pin = pinOf({ given: hostKey, known });
  if (pin.kind === "key") return pin.publicKey;
  const meeting = await dialer(errand, pin)((link) => new Meeting(link));
  const met = await meeting.met;
  await meeting.ended;
  if (met.kind === "met") return met.hostKey;
  if (met.end.kind !== "hostKeyRefused") throw brokenOff(met.end, server);
  await trust(errand, pin, met.end.hostKey);
  return met.end.hostKey;
}

/** An invitation may come from anybody: it does not take the place of a key that is known. */
async function invitedKey(errand: Errand, invited: Bytes, known: Bytes | undefined): Promise<Bytes> {
  if (known === undefined || equal(invited, known)) return invited;
  const { provider, server } = errand;
  const [shown, expected] = [
    fingerprint(await provider.sha256(invited)),
    fingerprint(await provider.sha256(known)),
  ];
  throw new Failure(
    "protocol",
    `Cannot trust the invitation: it says that the host key of ${server} is ${shown}, and here it is known as ` +
      `${expected}; ask its operator, and only if the key was really changed remove the line of ${server} from ` +
      `${knownHostsPath(errand.config)}.`,
  );
}

/**
 * Does `work`, by which the server proves its host key, and remembers the server then: also where it refuses, which is
 * said through its channel, so that whoever tries again needs no invitation for that.
 */
async function provedBy<Result>(
  { errand, hostKey }: { readonly errand: Errand; readonly hostKey: Bytes },
  work: Promise<Result>,
): Promise<Result> {
  try {
    const result = await work;
    await remember(errand, hostKey);
    return result;
  } catch (error) {
    if (error instanceof Failure && error.exit === "noPermission") await remember(errand, hostKey);
    throw error;
  }
}

/** Remembers the host key that was said and has been proved, and the TLS below it. */
async function remember(errand: Errand, hostKey: Bytes): Promise<void> {
  const { config, endpoint } = errand;
  const path = knownHostsPath(config);
  await rememberTls(errand);
  if (knownHostKey(await readKnownHosts(path), endpoint) !== undefined) return;
  await appendKnownHost(path, endpoint, hostKey);
}

async function rememberTls({ config, endpoint, tls }: Errand): Promise<void> {
  if (tls === undefined || tls.remembered) return;
  await keepKnownTls(knownTlsPath(config), endpoint, tls.certificates);
}

/** Decides on a host key that was proved and is not pinned; returns where it is trusted and remembered. */
async function trust(errand: Errand, pin: HostKeyPin, key: Bytes): Promise<void> {
  const { terminal, provider, endpoint, server } = errand;
  const shown = fingerprint(await provider.sha256(key));
  switch (judge(pin, { terminal: terminal !== undefined, loopback: isLoopback(endpoint.host) })) {
    case "changed":
      throw await changedKey(errand, pin, shown);
    case "stop":
      throw new Failure(
        "protocol",
        `Cannot trust ${server}: its host key ${shown} is not known here and there is no terminal to ask at; ` +
          `compare it with what the server printed and give --host-key ${shown}, or use an invitation.`,
      );
    case "ask":
      if (terminal !== undefined && await askToTrust(terminal, { server, shown, key, provider })) break;
      throw new Failure(
        "protocol",
        `Cannot go on with ${server}: its host key was not trusted; ask its operator.`,
      );
    case "accept":
  }
  await rememberTls(errand);
  await appendKnownHost(knownHostsPath(errand.config), endpoint, key);
}

async function askToTrust(
  terminal: TerminalIo,
  { server, shown, key, provider }: {
    readonly server: string;
    readonly shown: string;
    readonly key: Bytes;
    readonly provider: Provider;
  },
): Promise<boolean> {
  const question = [
    `${server} is new here. Its host key has the fingerprint`,
    `  ${shown}`,
    "which is, in words,",
    ...wordRows(await hostKeyWords(key, provider)).map((row) => `  ${row}`),
    "The server printed both when it started. Compare one of them with its operator.",
    "Is it the same (yes/no)? ",
  ];
  return await askYesNo(question.join("\n"), terminal, { inFull: true }) ?? false;
}

async function changedKey(errand: Errand, pin: HostKeyPin, shown: string): Promise<Failure> {
  const { provider, server } = errand;
  const expected = pin.kind === "key"
    ? fingerprint(await provider.sha256(pin.publicKey))
    : pin.kind === "fingerprint"
    ? fingerprint(pin.sha256)
    : "unknown";
  return new Failure(
    "protocol",
    `Cannot trust ${server}: its host key is ${shown} and not ${expected}, so somebody may be in between; ask its ` +
      `operator, and only if the key was really changed correct --host-key or remove the line of ${server} from ` +
      `${knownHostsPath(errand.config)}.`,
  );
}

function knownHostsPath({ configDir }: ConnectionConfig<Suite>): string {
  return `${configDir}/known_hosts`;
}

function knownTlsPath({ configDir }: ConnectionConfig<Suite>): string {
  return `${configDir}/known_tls`;
}

async function runFrontEnd(
  talk: Talk,
  { errand: { terminal, trace }, mode, room, fingerprint }: {
    readonly errand: Errand;
    readonly mode: Mode;
    readonly room: string;
    readonly fingerprint: string;
  },
): Promise<ModeOutcome> {
  const io = {
    write: (text: string) => write(Deno.stdout, text),
    writeError: (text: string) => write(Deno.stderr, text),
    fingerprint,
    room,
  };
  if (mode === "json") return await runJsonMode(talk, { bytes: bytesOf(process.stdin), ...io });
  return await runLineMode(talk, {
    ...io,
    input: terminal === undefined
      ? { kind: "piped", bytes: bytesOf(process.stdin) }
      : { kind: "terminal", terminal },
    clock: localClock,
    day: localDay,
    now: wallClock,
    // Where standard error is elsewhere, the trace has it for itself.
    takeOver: (print) => {
      if (Deno.stderr.isTerminal()) trace.lines = print;
    },
    colour: Deno.stdout.isTerminal() && !Deno.noColor,
  });
}

/** Does `act` after `ms` milliseconds, unless what it gives is called before. */
function later(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/** The first signal ends a conversation as `/quit` does; a second one the program, as the system would. */
function quitWhenTold(quit: () => void): void {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const listener = (): void => {
    for (const signal of signals) Deno.removeSignalListener(signal, listener);
    quit();
  };
  for (const signal of signals) Deno.addSignalListener(signal, listener);
}

function exitOf({ badInput, undelivered }: ModeOutcome, failure: Failure | undefined): Exit {
  if (failure !== undefined) throw failure;
  if (badInput) return "data";
  return undelivered > 0 ? "temporary" : "ok";
}

async function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): Promise<void> {
  let rest: Uint8Array = utf8(text);
  try {
    while (rest.length > 0) rest = rest.subarray(await stream.write(rest));
  } catch (error) {
    throw outputFault(error);
  }
}

/** A reader that is gone is no reason for an error. */
function writeSync(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  try {
    let rest: Uint8Array = utf8(text);
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    const fault = outputFault(error);
    if (fault instanceof Failure) throw fault;
  }
}
