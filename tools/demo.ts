/**
 * `deno task demo`: a server and two clients, each a program of its own, converse by themselves, and what
 * happens is told as a page for a newcomer. The handshake and the record are what `--trace` printed.
 *
 * @module
 */

import * as v from "valibot";
import { painted } from "../lib/terminal/layout.ts";
import { localClock, phraseOf } from "../lib/terminal/phrase.ts";
import { EXIT_CODES } from "../lib/text/failure.ts";
import { HandleSchema } from "../lib/text/handle.ts";
import { clientPermissions, confined, serverPermissions } from "./permissions.ts";
import { Program } from "./program.ts";

const FOLDER = ".sotto/demo";
/** A page that a terminal of 80 columns does not break. */
const COLUMNS = 79;
/** Octets in a line of hex. */
const LINE_OCTETS = 32;
/** Lines of hex that are shown. */
const LINES_SHOWN = 6;
/** Octets of the shortest record that can be an entry. */
const ENTRY_OCTETS_MIN = 1_000;

/** Who says what, in this order; each waits until the other has read what came before. */
const CONVERSATION = [
  { from: "ann", text: "hello ben" },
  { from: "ben", text: "hello ann, who can read this?" },
  { from: "ann", text: "you, me and our server: no one else" },
  { from: "ben", text: "and whoever records all of it?" },
  { from: "ann", text: "has noise: each visit has new keys" },
] as const;

/** A client in JSON mode, and the name it goes by. */
interface Actor {
  readonly name: string;
  readonly program: Program;
}

const MessageSchema = v.object({
  type: v.literal("message"),
  room: v.string(),
  seq: v.number(),
  id: v.string(),
  from: HandleSchema,
  display: v.nullable(v.string()),
  trust: v.nullable(v.picklist(["own", "seen", "verified"])),
  device: v.nullable(v.string()),
  source: v.picklist(["member", "console", "bridge", "server"]),
  own: v.boolean(),
  time: v.number(),
  text: v.string(),
  verified: v.boolean(),
  reason: v.nullable(v.string()),
});

type Message = v.InferOutput<typeof MessageSchema>;

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  await Deno.mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const folder = await Deno.makeTempDir({ dir: FOLDER });
  const cast: Program[] = [];
  const stop = () => cast.forEach((program) => program.kill("SIGTERM"));
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  try {
    await play(folder, cast);
    return 0;
  } catch (error) {
    for (const line of cast.flatMap(complaints)) console.error(line);
    console.error(
      `Cannot finish the demo: ${error instanceof Error ? error.message : error}; see above, or try again`,
    );
    return EXIT_CODES.software;
  } finally {
    stop();
    await Promise.all(cast.map((program) => program.ended));
    await Deno.remove(folder, { recursive: true });
    // Another demo may be under way in there.
    await Deno.remove(FOLDER).catch(() => {});
  }
}

async function play(folder: string, cast: Program[]): Promise<void> {
  tell("Sotto's demo: a server and two clients, ann and ben, meet on this machine and");
  tell("talk by themselves. Everything shown is theirs; nothing is acted.");

  head("1. The server starts");
  const server = startServer(folder);
  cast.push(server);
  await announced(server, "it said where it listens", /^sotto-server listening on (\S+)$/);
  await announced(server, "it showed its words", /^words (.+)$/);
  const invitation = await announced(server, "it made an invitation", /^invitation (\S+)$/);
  tell("It has made its host key, says where it is and how to know it again, and invites");
  tell("somebody, once:");
  server.output.lines.flatMap(announcement).forEach((line) => tell(line, 2));

  head("2. ann takes the invitation: a handshake of three steps, as ann sees it");
  tell("The invitation has the host key, so she talks to this server and to no other.");
  const ann = startClient("ann", { folder, invitation });
  cast.push(ann.program);
  await ready(ann);
  await ann.program.errors.until("she asked to be let in", deviceRecord(0));
  const { handshake, registration, deviceLogin } = lessons(ann.program.errors.lines);
  handshake.forEach((line) => tell(line));

  head("3. She registers: the server never learns her password");
  registration.forEach((line) => tell(line));
  tell("She makes keys for herself and her device, has them published, and comes again:");
  deviceLogin.forEach((line) => tell(line));

  head("4. ben comes, and ann speaks: one message as it is on the wire");
  const ben = startClient("ben", { folder, invitation: await invite(folder, cast) });
  cast.push(ben.program);
  await ready(ben);
  await speak(ann, ben, CONVERSATION[0].text);
  await showRecord(ann);

  head("5. They go on, and each sees the same in the same order");
  for (const { from, text } of CONVERSATION.slice(1)) {
    if (from === "ann") await speak(ann, ben, text);
    else await speak(ben, ann, text);
  }
  const [annSees, benSees] = [ann, ben].map(({ program }) => messagesOf(program.output.lines).map(shown));
  if (annSees?.join() !== benSees?.join()) throw new Error("ann and ben saw different conversations");
  for (const [name, seen] of [["ann", annSees], ["ben", benSees]] as const) {
    tell(`${name} sees`);
    seen?.forEach((line) => tell(line, 2));
  }
  tell("☒: signed by a device of the person it names, by the keys first seen here.");

  head("6. They leave: an authenticated close");
  await leave(ben);
  await leave(ann);
  tell("A close is a record like others, which nobody can forge: an end without one is");
  tell("shown as a cut. What the server saw, before it ends itself:");
  await server.errors.until("both had closed", nth(4, / gone: closed by the client \(done\)$/));
  server.errors.lines.filter((line) => !line.endsWith(" connected")).forEach((line) => tell(line, 2));
  server.kill("SIGTERM");
  const code = await server.ended;
  if (code !== 0) throw new Error(`the server ended with code ${code}`);
  tell("");
  tell("Done. To talk yourself: deno task start");
}

function startServer(folder: string): Program {
  return serverProgram("the server", folder, ["serve", "--port=0", "--registration=invite"]);
}

/** Has the running server make an invitation for ben, as its operator would. */
async function invite(folder: string, cast: Program[]): Promise<string> {
  const operator = serverProgram("the operator", folder, ["user", "add", "ben"]);
  cast.push(operator);
  const invitation = await announced(operator, "there was an invitation", /^invitation (\S+)$/);
  await operator.ended;
  return invitation;
}

function serverProgram(name: string, folder: string, args: readonly string[]): Program {
  const data = `${folder}/server`;
  return new Program(name, Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      ...confined(serverPermissions(), data),
      "server.ts",
      ...args,
      `--data-dir=${data}`,
    ],
  });
}

function startClient(
  name: string,
  { folder, invitation }: { readonly folder: string; readonly invitation: string },
): Actor {
  const program = new Program(name, Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      ...confined(clientPermissions(), folder),
      "client.ts",
      "chat",
      "-",
      `--user=${name}`,
      "--json",
      "--trace",
    ],
    env: { SOTTO_CONFIG_DIR: `${folder}/${name}`, SOTTO_PASSWORD: crypto.randomUUID() },
  });
  void program.write(invitation);
  return { name, program };
}

/** An invitation is longer than a line; words are left whole, for whoever compares them. */
function announcement(line: string): readonly string[] {
  return line.startsWith("words ") ? [line] : line.match(new RegExp(`.{1,${COLUMNS - 2}}`, "g")) ?? [];
}

async function announced({ output }: Program, what: string, pattern: RegExp): Promise<string> {
  return await output.until(what, (line) => pattern.exec(line)?.[1]);
}

async function ready({ program }: Actor): Promise<void> {
  await program.output.until("being let in", (line) => line.includes('"change":"here"') ? line : undefined);
}

/** `speaker` says `text`; settles when it is acknowledged and `listener` has it. */
async function speak(speaker: Actor, listener: Actor, text: string): Promise<void> {
  await speaker.program.write(JSON.stringify({ type: "send", text }));
  const isIt = (line: string) => messagesOf([line]).find((message) => message.text === text);
  const { id } = await speaker.program.output.until(`"${text}" had its place`, isIt);
  const isAck = (line: string) => line.startsWith('{"type":"ack"') && line.includes(id) ? line : undefined;
  await speaker.program.output.until(`"${text}" was acknowledged`, isAck);
  await listener.program.output.until(`"${text}" arrived`, isIt);
}

async function leave({ name, program }: Actor): Promise<void> {
  await program.write(JSON.stringify({ type: "quit" }));
  const code = await program.ended;
  if (code !== 0) throw new Error(`${name} ended with code ${code}`);
}

/** The first message's record. */
async function showRecord({ program }: Actor): Promise<void> {
  const { iv, ciphertext, tag } = await program.errors.until(
    "the record was traced",
    deviceRecord(ENTRY_OCTETS_MIN),
  );
  const { text } = CONVERSATION[0];
  tell(`"${text}" and ann's signature are padded to ${ciphertext.length / 2 - 16} octets, so that their`);
  tell("length is hidden, and encrypted by AES-256-CBC under an IV of their own:");
  tell(`IV          ${iv}`, 2);
  const lines = hexLines(ciphertext);
  lines.slice(0, LINES_SHOWN).forEach((line, at) => {
    tell(`${at === 0 ? "ciphertext " : "           "} ${line}`, 2);
  });
  tell(`            … and ${lines.length - LINES_SHOWN} more lines`, 2);
  tell(`tag         ${tag}`, 2);
  tell("The tag (HMAC-SHA-512, 32 octets) covers all of it and its place in the order,");
  tell("and is checked before anything is decrypted.");
}

/**
 * Finds the first record of at least `octets` that was sent on the connection on which a device has logged in, which keeps
 * its keys: what a device says of itself is shorter than an entry with all that its signature covers.
 */
function deviceRecord(octets: number): (line: string) => RecordTrace | undefined {
  let isDevice = false;
  return (line) => {
    isDevice ||= / sent DeviceLogin,/.test(line);
    const record = isDevice ? sentRecord(line) : undefined;
    return record !== undefined && record.ciphertext.length >= 2 * octets ? record : undefined;
  };
}

/** What is traced of a record. */
interface RecordTrace {
  readonly iv: string;
  readonly ciphertext: string;
  readonly tag: string;
}

function sentRecord(line: string): RecordTrace | undefined {
  const pattern = /sent record epoch 1 sequence \d+ iv=(\w+) ciphertext\.hex=(\w+) .* tag=(\w+)$/;
  const [, iv, ciphertext, tag] = pattern.exec(line) ?? [];
  if (iv === undefined || ciphertext === undefined || tag === undefined) return undefined;
  return { iv, ciphertext, tag };
}

function hexLines(hex: string): readonly string[] {
  return hex.match(new RegExp(`.{1,${2 * LINE_OCTETS}}`, "g")) ?? [];
}

/**
 * What `--trace` explains of two connections, without hex and records, broken for this page: the handshake of the first
 * with what it carries, of the logins what each message is and why.
 */
function lessons(
  trace: readonly string[],
): Record<"handshake" | "registration" | "deviceLogin", readonly string[]> {
  const told: string[] = [];
  for (const line of trace) {
    const text = /^trace ▸ (.*)$/.exec(line)?.[1];
    if (text === undefined || /^ +(?:[0-9a-f]{4} |… )/.test(text) || / record epoch /.test(text)) continue;
    if (text.startsWith("    ")) told.push(`${told.pop() ?? ""} ${text.trim()}`);
    else told.push(text.replace(" (shown decrypted)", ""));
  }
  const registers = told.findIndex((text) => text.startsWith("sent RegisterStart"));
  const comesAgain = told.findLastIndex((text) => text.startsWith("sent Hello"));
  const logsIn = told.findIndex((text) => text.startsWith("sent DeviceLogin"));
  return {
    handshake: page(told.slice(0, registers).filter((text) => !text.startsWith("  way: "))),
    registration: page(told.slice(registers, comesAgain).filter(isBrief)),
    deviceLogin: page(told.slice(logsIn).filter(isBrief)),
  };
}

function isBrief(text: string): boolean {
  return !/^ +(?:way|carries): /.test(text);
}

function page(lines: readonly string[]): readonly string[] {
  return lines.flatMap((text) => wrapped(text, text.startsWith(" ") ? 4 : 0));
}

/** `text` in lines of the page, the later ones moved in by `indent`. */
function wrapped(text: string, indent: number): readonly string[] {
  const pattern = new RegExp(`.{1,${COLUMNS - indent}}(?: |$)`, "g");
  const rows = text.match(pattern) ?? [];
  return rows.map((row, at) => `${at === 0 ? "" : " ".repeat(indent)}${row.trimEnd()}`);
}

function messagesOf(said: readonly string[]): readonly Message[] {
  return said.filter((line) => line.startsWith('{"type":"message"'))
    .map((line) => v.parse(MessageSchema, JSON.parse(line)));
}

/** A message as the line mode shows it. */
function shown(message: Message): string {
  const { seq: sequence, display, trust, device, reason } = message;
  const phrase = phraseOf(
    {
      ...message,
      sequence,
      display: display ?? undefined,
      trust: trust ?? undefined,
      device: device ?? undefined,
      reason: reason ?? undefined,
      history: false,
      kind: "text",
      about: undefined,
      file: undefined,
      edited: false,
      deletedBy: undefined,
      reactions: [],
    },
    localClock,
  );
  return phrase?.kind === "said" ? phrase.lines.map((line) => painted(line, false)).join("\n") : "";
}

/** Finds the `count`-th line of those that match. */
function nth(count: number, pattern: RegExp): (line: string) => string | undefined {
  let seen = 0;
  return (line) => pattern.test(line) && ++seen === count ? line : undefined;
}

/** What a program said on standard error that explains nothing and is no journal. */
function complaints({ errors }: Program): readonly string[] {
  return errors.lines.filter((line) => !/^(?:trace ▸|Download|\d\d:\d\d:\d\d )/.test(line));
}

function head(title: string): void {
  const bold = Deno.stdout.isTerminal() && !Deno.noColor;
  console.log(bold ? `\n\x1b[1m${title}\x1b[22m` : `\n${title}`);
}

function tell(text: string, indent = 0): void {
  console.log(`${" ".repeat(indent)}${text}`);
}
