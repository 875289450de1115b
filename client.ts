/**
 * The client's composition root: turns flags and answers into a connection, joins it to a front end, and ends with
 * the code that tells a script how it went. It decides nothing itself.
 *
 * @module
 */

import process from "node:process";
import denoJson from "./deno.json" with { type: "json" };
import { type Admission, Conversation } from "./lib/client/conversation.ts";
import { endFailure, refusalFailure } from "./lib/client/ending.ts";
import { judge, pinOf } from "./lib/client/trust.ts";
import { DEFAULT_ENDPOINT, hostFrom, isLoopback, portFrom } from "./lib/config/address.ts";
import { type ChatConfig, runClientCommand } from "./lib/config/client_command.ts";
import { runtimeFault } from "./lib/config/runtime.ts";
import { systemEntropy } from "./lib/crypto/entropy.ts";
import { chosenMlKem } from "./lib/crypto/ml_kem_choice.ts";
import type { Provider } from "./lib/crypto/port.ts";
import { webCryptoProvider } from "./lib/crypto/webcrypto.ts";
import { type Endpoint, endpointText } from "./lib/identity/endpoint.ts";
import { fingerprint, hostKeyWords } from "./lib/identity/host_key.ts";
import { knownHostKey } from "./lib/identity/known_hosts.ts";
import { pump } from "./lib/net/pump.ts";
import { connect } from "./lib/net/tcp.ts";
import { Ticker } from "./lib/net/ticker.ts";
import type { ClientOptions, HostKeyPin } from "./lib/secure/client_handshake.ts";
import { Link, type LinkEnd } from "./lib/secure/link.ts";
import { pskFromText } from "./lib/secure/psk.ts";
import { type Suite, SUITES } from "./lib/secure/suite.ts";
import { appendKnownHost, readKnownHosts } from "./lib/store/known_hosts_file.ts";
import { readSecretFile } from "./lib/store/secret_file.ts";
import { ask, askYesNo } from "./lib/terminal/ask.ts";
import { runJsonMode } from "./lib/terminal/json_mode.ts";
import { runLineMode } from "./lib/terminal/line_mode.ts";
import { bytesOf } from "./lib/terminal/lines.ts";
import type { ModeOutcome } from "./lib/terminal/output.ts";
import { localClock } from "./lib/terminal/phrase.ts";
import type { TerminalIo } from "./lib/terminal/typed_line.ts";
import { type Exit, EXIT_CODES, Failure } from "./lib/text/failure.ts";
import { type Handle, handleFault, parseHandle } from "./lib/text/handle.ts";
import { type TraceEvent, traceLines } from "./lib/text/trace.ts";
import { type Bytes, utf8 } from "./lib/wire/bytes.ts";

const clock = (): number => performance.now();
const wallClock = (): number => Date.now();

/** A screen of unknown width is taken for the narrowest that is common. */
const COLUMNS_UNKNOWN = 80;

/** What a whole run shares. */
interface Errand {
  readonly config: ChatConfig<Suite>;
  /** The person at the terminal, where there is one. */
  readonly person: TerminalIo | undefined;
  readonly provider: Provider;
  readonly psk: Bytes | undefined;
  readonly endpoint: Endpoint;
  readonly name: Handle;
  /** Where `--trace` goes; a front end that owns the screen takes it over. */
  readonly trace: { lines: (lines: readonly string[]) => void };
}

/** A conversation and the pump that carries it. */
interface Running {
  readonly conversation: Conversation;
  readonly pumping: Promise<void>;
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
    readSecret: (path) => readSecretFile(path, "the pre-shared key"),
    stdout: { write: (text) => writeSync(Deno.stdout, text) },
    stderr: { write: (text) => writeSync(Deno.stderr, text) },
    chat,
  });
}

async function chat(config: ChatConfig<Suite>): Promise<Exit> {
  const person = personAt(config);
  const provider = webCryptoProvider(await chosenMlKem());
  const errand: Errand = {
    config,
    person,
    provider,
    psk: config.pskText === undefined ? undefined : await pskFromText(config.pskText, provider),
    endpoint: await endpointOf(config, person),
    name: await nameOf(config, person),
    trace: { lines: (lines) => writeSync(Deno.stderr, lines.map((line) => `${line}\n`).join("")) },
  };
  const { conversation, pumping } = await reach(errand);
  quitWhenTold(conversation);
  const outcome = await runFrontEnd(conversation, errand);
  await pumping;
  return exitOf(outcome, errand, await conversation.ended);
}

/** The person to ask, where lines are spoken and both ends of the terminal are one. */
function personAt({ mode }: ChatConfig<Suite>): TerminalIo | undefined {
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

async function endpointOf({ address }: ChatConfig<Suite>, person: TerminalIo | undefined): Promise<Endpoint> {
  const nothingSaid = address.host === undefined && address.port === undefined;
  if (person === undefined || !nothingSaid) {
    return { host: address.host ?? DEFAULT_ENDPOINT.host, port: address.port ?? DEFAULT_ENDPOINT.port };
  }
  const { host, port } = DEFAULT_ENDPOINT;
  return {
    host: await askFor(`Server's host [${host}]: `, person, (text) => text === "" ? host : hostFrom(text)),
    port: await askFor(`Server's port [${port}]: `, person, (text) => text === "" ? port : portFrom(text, 1)),
  };
}

async function nameOf({ user }: ChatConfig<Suite>, person: TerminalIo | undefined): Promise<Handle> {
  if (user !== undefined) return user;
  if (person === undefined) {
    throw new Failure(
      "usage",
      "Cannot chat without a name: there is no terminal to ask at; give --user NAME.",
    );
  }
  return await askFor("Your name here: ", person, (text) => {
    const handle = parseHandle(text);
    if (handle === undefined) throw new Failure("usage", `${handleFault(text) ?? "Cannot use that name"}.`);
    return handle;
  });
}

/** Asks until `parse` takes the answer; what it throws as a {@linkcode Failure} is shown. */
async function askFor<Value>(
  question: string,
  person: TerminalIo,
  parse: (text: string) => Value,
): Promise<Value> {
  for (let told = "";;) {
    const answer = await ask(told + question, person);
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

/** Connects, and settles with a conversation that was let in. Throws a {@linkcode Failure} that says why not. */
async function reach(errand: Errand): Promise<Running> {
  const { endpoint, config, name } = errand;
  const known = knownHostKey(await readKnownHosts(knownHostsPath(config)), endpoint);
  const pin = pinOf({ given: config.hostKey, known });
  const { running, admission } = await attempt(errand, pin);
  switch (admission.kind) {
    case "admitted":
      if (known === undefined) await appendKnownHost(knownHostsPath(config), endpoint, admission.hostKey);
      return running;
    case "refused":
      throw refusalFailure(admission.code, name);
    case "ended":
      if (admission.end.kind !== "hostKeyRefused") throw notReached(admission.end, endpointText(endpoint));
      await trust(errand, pin, admission.end.hostKey);
      return await reach(errand);
  }
}

async function attempt(
  { config, provider, psk, endpoint, name, trace }: Errand,
  pin: HostKeyPin,
): Promise<{ readonly running: Running; readonly admission: Admission }> {
  const socket = await connect(endpoint);
  const options: ClientOptions = { suites: config.suites, psk, pin };
  const tracer = config.trace ? (event: TraceEvent) => trace.lines(traceLines(event)) : () => {};
  const link = await Link.client(options, { provider, entropy: systemEntropy, trace: tracer }, clock());
  const conversation = new Conversation(link, { name, entropy: systemEntropy, wallClock, clock });
  const pumping = pump(socket, conversation, { clock, ticker: new Ticker(clock) });
  return { running: { conversation, pumping }, admission: await conversation.admission };
}

function notReached(end: Exclude<LinkEnd, { kind: "hostKeyRefused" }>, server: string): Failure {
  return endFailure(end, server) ??
    new Failure("temporary", `Cannot chat at ${server}: it closed at once; try again.`);
}

/** Decides on a host key that was proved and is not pinned; returns where it is trusted and remembered. */
async function trust(
  { config, person, provider, endpoint }: Errand,
  pin: HostKeyPin,
  key: Bytes,
): Promise<void> {
  const server = endpointText(endpoint);
  const shown = fingerprint(await provider.sha256(key));
  const path = knownHostsPath(config);
  switch (judge(pin, { terminal: person !== undefined, loopback: isLoopback(endpoint.host) })) {
    case "changed":
      throw await changedKey(server, { pin, shown, path, provider });
    case "stop":
      throw new Failure(
        "protocol",
        `Cannot trust ${server}: its host key ${shown} is not known here and there is no terminal to ask at; ` +
          `compare it with what the server printed and give --host-key ${shown}.`,
      );
    case "ask":
      if (person !== undefined && await askToTrust(person, server, { shown, key, provider })) break;
      throw new Failure(
        "protocol",
        `Cannot go on with ${server}: its host key was not trusted; ask its operator.`,
      );
    case "accept":
  }
  await appendKnownHost(path, endpoint, key);
}

async function askToTrust(
  person: TerminalIo,
  server: string,
  { shown, key, provider }: { shown: string; key: Bytes; provider: Provider },
): Promise<boolean> {
  const words = await hostKeyWords(key, provider);
  const question = [
    `${server} is new here. Its host key has the fingerprint`,
    `  ${shown}`,
    "which is, in words,",
    `  ${words.slice(0, 6).join(" ")}`,
    `  ${words.slice(6).join(" ")}`,
    "The server printed both when it started. Compare one of them with its operator.",
    "Is it the same (yes/no)? ",
  ];
  return await askYesNo(question.join("\n"), person, { inFull: true }) ?? false;
}

async function changedKey(
  server: string,
  { pin, shown, path, provider }: { pin: HostKeyPin; shown: string; path: string; provider: Provider },
): Promise<Failure> {
  const expected = pin.kind === "key"
    ? fingerprint(await provider.sha256(pin.publicKey))
    : pin.kind === "fingerprint"
    ? fingerprint(pin.sha256)
    : "unknown";
  return new Failure(
    "protocol",
    `Cannot trust ${server}: its host key is ${shown} and not ${expected}, so somebody may be in between; ask its ` +
      `operator, and only if the key was really changed correct --host-key or remove the line of ${server} from ${path}.`,
  );
}

function knownHostsPath({ configDir }: ChatConfig<Suite>): string {
  return `${configDir}/known_hosts`;
}

async function runFrontEnd(conversation: Conversation, errand: Errand): Promise<ModeOutcome> {
  const outputs = {
    write: (text: string) => write(Deno.stdout, text),
    writeError: (text: string) => write(Deno.stderr, text),
  };
  const { config, person } = errand;
  if (config.mode === "json") {
    return await runJsonMode(conversation, { bytes: bytesOf(process.stdin), ...outputs });
  }
  return await runLineMode(conversation, {
    input: person === undefined
      ? { kind: "piped", bytes: bytesOf(process.stdin) }
      : { kind: "terminal", terminal: person },
    ...outputs,
    clock: localClock,
    // Where standard error is elsewhere, the trace has it for itself.
    takeOver: (print) => {
      if (Deno.stderr.isTerminal()) errand.trace.lines = print;
    },
    colour: Deno.stdout.isTerminal() && !Deno.noColor,
  });
}

/** The first signal ends the conversation as `/quit` does; a second one the program, as the system would. */
function quitWhenTold(conversation: Conversation): void {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const listener = (): void => {
    for (const signal of signals) Deno.removeSignalListener(signal, listener);
    conversation.request({ type: "quit" });
  };
  for (const signal of signals) Deno.addSignalListener(signal, listener);
}

function exitOf(
  { badInput, undelivered }: ModeOutcome,
  { endpoint }: Errand,
  end: LinkEnd,
): Exit {
  if (end.kind !== "hostKeyRefused") {
    const failure = endFailure(end, endpointText(endpoint));
    if (failure !== undefined) throw failure;
  }
  if (badInput) return "data";
  return undelivered > 0 ? "temporary" : "ok";
}

async function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): Promise<void> {
  let rest: Uint8Array = utf8(text);
  while (rest.length > 0) rest = rest.subarray(await stream.write(rest));
}

/** A reader that is gone is no reason for an error. */
function writeSync(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  try {
    let rest: Uint8Array = utf8(text);
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
