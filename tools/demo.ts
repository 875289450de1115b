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
  const address = await announced(server, "it said where it listens", /^sotto-server listening on (\S+)$/);
  const fingerprint = await announced(server, "it showed its fingerprint", /^fingerprint (\S+)$/);
  await announced(server, "it showed its words", /^words (.+)$/);
  tell("It has made its host key, and says where it is and how to know it again:");
  server.output.lines.forEach((line) => tell(line, 2));

  head("2. ann connects: a handshake of three steps, as ann sees it");
  tell("She was given the fingerprint, so she will talk to this server and to no other.");
  const ann = startClient("ann", { folder, address, fingerprint });
  cast.push(ann.program);
  await ready(ann);
  await ann.program.errors.until(
    "she had the last keys",
    (line) => / keys epoch 1 /.test(line) ? line : undefined,
  );
  await ann.program.errors.until("she asked to be let in", (line) => recordOf(line, "sent", 0));
  lessons(ann.program.errors.lines).forEach((line) => tell(line));

  head("3. ben joins, and ann speaks: one message as it is on the wire");
  const ben = startClient("ben", { folder, address, fingerprint });
  cast.push(ben.program);
  await ready(ben);
  await speak(ann, ben, CONVERSATION[0].text);
  await showRecord(ann);

  head("4. They go on, and each sees the same in the same order");
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
  tell("☐ with a reason: until there are accounts, a name is said and not proved.");

  head("5. They leave: an authenticated close");
  await leave(ben);
  await leave(ann);
  tell("A close is a record like others, which nobody can forge: an end without one is");
  tell("shown as a cut. The server saw each come and go, and now ends itself:");
  await server.errors.until("both had closed", nth(2, / gone: closed by the client \(done\)$/));
  server.errors.lines.forEach((line) => tell(line, 2));
  server.kill("SIGTERM");
  const code = await server.ended;
  if (code !== 0) throw new Error(`the server ended with code ${code}`);
  tell("");
  tell("Done. To talk yourself: deno task start");
}

function startServer(folder: string): Program {
  return new Program("the server", Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      ...confined(serverPermissions(), folder),
      "server.ts",
      "--port=0",
      `--data-dir=${folder}/server`,
    ],
  });
}

function startClient(
  name: string,
  { folder, address, fingerprint }: { folder: string; address: string; fingerprint: string },
): Actor {
  const program = new Program(name, Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      ...confined(clientPermissions(), folder),
      "client.ts",
      "chat",
      address,
      `--user=${name}`,
      `--host-key=${fingerprint}`,
      "--json",
      "--trace",
    ],
    env: { SOTTO_CONFIG_DIR: `${folder}/${name}` },
  });
  return { name, program };
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

/** The first message's record: what a client sends after its join has sequence 1. */
async function showRecord({ program }: Actor): Promise<void> {
  const { iv, ciphertext, tag } = await program.errors.until(
    "the record was traced",
    (line) => recordOf(line, "sent", 1),
  );
  const { text } = CONVERSATION[0];
  tell(`"${text}" is padded to ${ciphertext.length / 2 - 16} octets, so that its length is hidden,`);
  tell("and encrypted by AES-256-CBC under an IV that is drawn for this record alone:");
  tell(`IV          ${iv}`, 2);
  hexLines(ciphertext).forEach((line, at) => tell(`${at === 0 ? "ciphertext " : "           "} ${line}`, 2));
  tell(`tag         ${tag}`, 2);
  tell("The tag (HMAC-SHA-512, 32 octets) covers all of it and its place in the order,");
  tell("and is checked before anything is decrypted.");
}

function recordOf(
  line: string,
  way: "sent" | "received",
  sequence: number,
): { readonly iv: string; readonly ciphertext: string; readonly tag: string } | undefined {
  const pattern = new RegExp(
    `${way} record epoch 1 sequence ${sequence} iv=(\\w+) ciphertext\\.hex=(\\w+) .* tag=(\\w+)$`,
  );
  const [, iv, ciphertext, tag] = pattern.exec(line) ?? [];
  if (iv === undefined || ciphertext === undefined || tag === undefined) return undefined;
  return { iv, ciphertext, tag };
}

function hexLines(hex: string): readonly string[] {
  return hex.match(new RegExp(`.{1,${2 * LINE_OCTETS}}`, "g")) ?? [];
}

/** What `--trace` explains, without hex and records, broken for this page. */
function lessons(trace: readonly string[]): readonly string[] {
  const told: string[] = [];
  for (const line of trace) {
    const text = /^trace ▸ (.*)$/.exec(line)?.[1];
    if (text === undefined || /^ +(?:[0-9a-f]{4} |… )/.test(text) || / record epoch /.test(text)) continue;
    if (text.startsWith("    ")) told.push(`${told.pop() ?? ""} ${text.trim()}`);
    else told.push(text.replace(" (shown decrypted)", ""));
  }
  return told.flatMap((text) => wrapped(text, text.startsWith(" ") ? 4 : 0));
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
  const phrase = phraseOf(
    { ...message, sequence: message.seq, reason: message.reason ?? undefined },
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
