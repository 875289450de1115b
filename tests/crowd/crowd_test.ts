import { equal, ok } from "node:assert/strict";
import { parseEndpointText } from "../../lib/identity/endpoint.ts";
import type { OwnKeys } from "../../lib/client/keepers.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Program } from "../../tools/program.ts";
import { type Announcement, announcement, launches, start } from "../compiled/launch.ts";
import { variable } from "../compiled/variable.ts";
import { enrolled, hostKeyIn, keepKeys } from "../scenarios/enrolled.ts";
import { jsonEvent } from "../scenarios/json_events.ts";
import { folderTest } from "../store/temporary_folder.ts";
import { burst, join, type Member } from "./member.ts";

const { server, client } = launches();

/** Twice the speakers take twice the time, which nobody waits for by default. */
const IS_FULL = variable("SOTTO_TEST_FULL") === "1";

/** More than may wait for an acknowledgement at a time; of whole bursts it takes minutes, as each hears and keeps all. */
const BURST = IS_FULL ? 1_000 : 300;

/** One process opens and verifies what all of them hear: of 200 clients and whole bursts that takes minutes. */
const SOCKETS = { members: IS_FULL ? 200 : 100, speakers: IS_FULL ? 10 : 5, saysEach: IS_FULL ? 200 : 20 };
const JOINING_AT_ONCE = 20;
const EXECUTABLES = { members: 10, speakers: IS_FULL ? 10 : 2, saysEach: BURST };

crowdTest(
  `${SOCKETS.members} clients at once see ${SOCKETS.speakers} bursts of ${SOCKETS.saysEach} signed messages in one order`,
  SOCKETS.members,
  async (crowd) => {
    const total = SOCKETS.speakers * SOCKETS.saysEach;
    const members = await timed(`${SOCKETS.members} logins`, () => joinAll(crowd));
    const speakers = members.slice(0, SOCKETS.speakers);
    await timed(`${total} messages to ${members.length} clients`, () =>
      Promise.all([
        ...speakers.map((speaker) => burst(speaker, SOCKETS.saysEach)),
        ...members.map(({ hears }) => hears(total)),
      ]));
    members.forEach(({ chat }) => void chat.request({ type: "quit" }));
    const ends = await timed("all closes", () => Promise.all(members.map(({ ended }) => ended)));
    for (const end of ends) {
      ok(end.kind === "closed" && end.by === "us" && end.confirmed, JSON.stringify(end));
    }
    for (const speaker of speakers) equal(speaker.acknowledged(), SOCKETS.saysEach, speaker.name);
    checkOrder(
      members.map(({ name, heard }) => ({ name, heard })),
      speakers.map(({ name }) => name),
      SOCKETS.saysEach,
    );
  },
);

crowdTest(
  `${EXECUTABLES.members} programs at once see ${EXECUTABLES.speakers} bursts of ${BURST} in one order`,
  EXECUTABLES.members,
  async (crowd) => {
    const total = EXECUTABLES.speakers * EXECUTABLES.saysEach;
    const { names } = crowd;
    const programs = await Promise.all(names.map((name, at) => startClient(name, crowd.own[at], crowd)));
    await timed(`${names.length} programs let in`, () => Promise.all(programs.map(letIn)));
    const speakers = programs.slice(0, EXECUTABLES.speakers);
    await timed(`${total} messages to ${names.length} programs`, () =>
      Promise.all([
        ...speakers.map((program, at) => burstByLines(program, names[at] ?? "", EXECUTABLES.saysEach)),
        ...programs.map((program) => program.output.until("the last message", nthMessage(total))),
      ]));
    for (const program of programs) await program.write('{"type":"quit"}');
    const codes = await timed("all ends", () => Promise.all(programs.map(({ ended }) => ended)));
    for (const code of codes) equal(code, 0);
    for (const { output } of speakers) equal(count(output.lines, '{"type":"ack"'), EXECUTABLES.saysEach);
    for (const { errors } of programs) equal(errors.lines.join("\n"), "");
    const heard = programs.map(({ output }, at) => ({ name: names[at] ?? "", heard: heardBy(output.lines) }));
    checkOrder(heard, names.slice(0, EXECUTABLES.speakers), EXECUTABLES.saysEach);
  },
);

/** Who is about to come, and where to. */
interface Crowd extends Announcement {
  /** An empty folder but for the server's. */
  readonly folder: string;
  /** The server's. */
  readonly dataDir: string;
  readonly hostKey: Bytes;
  readonly names: readonly string[];
  /** Of the members, in their order. */
  readonly own: readonly OwnKeys[];
}

/** A test with a server of its own, which knows `members` accounts and must end well after it. */
function crowdTest(name: string, members: number, body: (crowd: Crowd) => Promise<void>): void {
  folderTest(name, async (folder) => {
    const dataDir = `${folder}/server`;
    const names = namesOf(members);
    const own = await timed(`${members} accounts`, () => enrolled(dataDir, names));
    const hostKey = await hostKeyIn(dataDir);
    const program = start("the server", server, { args: ["--port=0", `--data-dir=${dataDir}`] });
    try {
      await body({ ...await announcement(program), folder, dataDir, hostKey, names, own });
    } finally {
      program.kill("SIGTERM");
      await program.ended;
    }
    equal(await program.ended, 0, "the server's exit code");
    const departures = program.errors.lines.filter((line) => / gone: /.test(line));
    equal(departures.filter((line) => !/ closed by the client \(done\)$/.test(line)).join("\n"), "");
  });
}

async function joinAll({ address, hostKey, names, own }: Crowd): Promise<readonly Member[]> {
  const endpoint = parseEndpointText(address);
  if (endpoint === undefined) throw new Error(`Cannot read ${address}`);
  const members: Member[] = [];
  // One process plays them all, and each has to get through its handshake in time.
  for (let from = 0; from < names.length; from += JOINING_AT_ONCE) {
    const group = names.slice(from, from + JOINING_AT_ONCE);
    members.push(
      ...await Promise.all(
        group.map((name, at) => join({ endpoint, hostKey }, name, keysOf(own[from + at]))),
      ),
    );
  }
  return members;
}

function keysOf(own: OwnKeys | undefined): OwnKeys {
  if (own === undefined) throw new Error("more names than keys");
  return own;
}

function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `member-${at}`);
}

/** All heard the same, from the first message to the last, and each speaker's messages once and in order. */
function checkOrder(
  members: readonly { readonly name: string; readonly heard: readonly string[] }[],
  speakers: readonly string[],
  saysEach: number,
): void {
  const [first] = members;
  if (first === undefined) throw new Error("nobody heard anything");
  equal(first.heard.length, speakers.length * saysEach);
  const [beginning = ""] = first.heard;
  first.heard.forEach((line, at) => equal(Number(line.split(" ")[0]), Number(beginning.split(" ")[0]) + at));
  for (const speaker of speakers) {
    const said: readonly string[] = first.heard.map((line) => line.replace(/^\d+ /, "")).filter((line) =>
      line.startsWith(`${speaker} `)
    );
    equal(said.length, saysEach);
    said.forEach((line, at) => equal(line, `${speaker} ${speaker} says ${at}`));
  }
  for (const { name, heard } of members) {
    const at = heard.findIndex((line, index) => line !== first.heard[index]);
    equal(at, -1, `${name} heard "${heard[at]}" where ${first.name} heard "${first.heard[at]}"`);
    equal(heard.length, first.heard.length, name);
  }
}

async function startClient(
  name: string,
  own: OwnKeys | undefined,
  { address, hostKey, dataDir, folder }: Crowd,
): Promise<Program> {
  const configDir = `${folder}/${name}`;
  await keepKeys(configDir, { dataDir, user: name, own: keysOf(own) });
  return start(name, client, {
    args: ["chat", address, `--user=${name}`, `--host-key=${hostKey.toBase64()}`, "--json"],
    env: { SOTTO_CONFIG_DIR: configDir },
  });
}

async function letIn({ output }: Program): Promise<void> {
  await output.until("it was let in", (line) => line.includes('"state":"ready"') ? line : undefined);
}

async function burstByLines(program: Program, name: string, times: number): Promise<void> {
  for (let at = 0; at < times; at++) {
    await program.write(JSON.stringify({ type: "send", text: `${name} says ${at}` }));
  }
}

/** Finds the message that is the `count`-th of all. */
function nthMessage(count: number): (line: string) => string | undefined {
  let seen = 0;
  return (line) => line.startsWith('{"type":"message"') && ++seen === count ? line : undefined;
}

function heardBy(said: readonly string[]): readonly string[] {
  return said.flatMap((line) => {
    const event = jsonEvent(line);
    if (event.type !== "message") return [];
    const { seq, from, text, verified } = event;
    return [`${seq} ${from} ${text}${verified ? "" : " ☐"}`];
  });
}

function count(lines: readonly string[], beginning: string): number {
  return lines.filter((line) => line.startsWith(beginning)).length;
}

async function timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const started_ms = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - started_ms) / 1000).toFixed(2)} s`);
  return result;
}
