/**
 * Files that people give each other: whole, whatever is cut in between, under names that do no harm.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { parseEndpointText } from "../../lib/identity/endpoint.ts";
import { isFileName } from "../../lib/text/file_name.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { decodeBody, encodeBody } from "../../lib/wire/entry_body.ts";
import type { Content, Logged } from "../../lib/wire/message.ts";
import { join } from "../crowd/member.ts";
import { namesIn } from "../store/temporary_folder.ts";
import { answerOf, done, refusalOf, said, textsIn } from "./asking.ts";
import { enrolled } from "./enrolled.ts";
import { FalseServer } from "./false_server.ts";
import { eventsOf } from "./json_events.ts";
import { Relay } from "./relay.ts";
import { type Client, scenario, type Server, type Stage } from "./stage.ts";

const LOBBY = "#lobby";

/** Beyond what is on its way at a time, so that a cut is in the middle; in octets. */
const SIZE_BYTES = 3_000_000;

/** Where in what passes a cut is, in octets: well within the file. */
const CUT_AT_BYTES = 1_200_000;

scenario(
  "a file is put into a room and fetched by another, octet for octet, and takes no other's place",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const ben = await stage.joined(server, { user: "ben", json: true });
    const cid = await stage.joined(server, { user: "cid" });
    const { path, content } = await fileOf(stage, "letter to ben.txt", 100_000);
    await ann.ask({ type: "put", room: LOBBY, path });
    const { seq, file, from } = await ben.event("message", ({ kind }) => kind === "file");
    deepEqual([from, file?.name, file?.size], ["ann", "letter to ben.txt", 100_000]);
    await cid.program.line(
      "out",
      new RegExp(` #lobby #${seq} <ann> \\(file "letter to ben.txt", 100 kB\\) ☒$`),
    );

    const folder = await emptyFolder(stage);
    for (const name of ["letter to ben.txt", "letter to ben (2).txt"]) {
      const got = await fetched(ben, seq, folder);
      match(got, /letter to ben.*\.txt$/);
      deepEqual(await Deno.readFile(got), content, name);
    }
    equal((await namesIn(folder)).length, 2, "the first was not written over");
    ok((await namesIn(folder)).every((name) => !name.endsWith(".part")));
    await cid.program.type(`/get #${seq} ${folder}/mine.txt`);
    await cid.program.line("out", /^\* "letter to ben\.txt" is here: .*mine\.txt$/);
    deepEqual(await Deno.readFile(`${folder}/mine.txt`), content);
  },
);

scenario("a file goes on where it was cut, on its way there and on its way back", async (stage) => {
  const server = await stage.server();
  const { path, content } = await fileOf(stage, "long", SIZE_BYTES);
  const ann = await through(stage, server, { user: "ann", way: "toServer" });
  await ann.client.ask({ type: "put", room: LOBBY, path });
  const put = await ann.client.event("file", (event) => event.done);
  equal(put.failure, null);
  const ben = await through(stage, server, { user: "ben", way: "toClient" });
  const { seq } = await ben.client.event("message", ({ kind }) => kind === "file");
  const got = await fetched(ben.client, seq, await emptyFolder(stage));
  deepEqual(await Deno.readFile(got), content);
  for (const { client, relay, way } of [ann, ben]) {
    ok(eventsOf(client.events, "state").some(({ state }) => state === "cut"), `${client.user} was cut`);
    // Goes on, and does not begin anew: all that passed is less than the file and what was cut of it.
    const passed = relay.connections.reduce((sum, carried) => sum + carried.count(way), 0);
    ok(passed < SIZE_BYTES + CUT_AT_BYTES, `${passed} octets passed`);
  }
  equal(eventsOf(ben.client.events, "message").filter(({ kind }) => kind === "file").length, 1, "once");
});

scenario(
  "a file that is fetched by somebody who is not in its room, or is too large, is refused",
  async (stage) => {
    const server = await stage.server({ args: ["--file-quota=1"] });
    const ann = await stage.joined(server, { user: "ann", json: true });
    const ben = await stage.joined(server, { user: "ben", json: true });
    await done(ann, { type: "create", room: "#cellar", visibility: "private" });
    const small = await fileOf(stage, "small", 1_000);
    await ann.ask({ type: "put", room: "#cellar", path: small.path });
    const { seq } = await ann.event("message", ({ kind }) => kind === "file");
    match(
      await refusalOf(ben, { type: "get", room: "#cellar", seq }) ?? "",
      /^Cannot do that in #cellar: you are not in/,
    );
    const large = await fileOf(stage, "large", 2_000_000);
    await ann.ask({ type: "put", room: "#cellar", path: large.path });
    const fault = await ann.event("error");
    deepEqual([fault.code, fault.text], ["quota", "large"]);
    equal(eventsOf(ann.events, "message").filter(({ kind }) => kind === "file").length, 1);
  },
);

/** Names that lead elsewhere, are something else to some system, or show another than they are. */
const BAD_NAMES = [
  "../x",
  "..\\x",
  "/etc/passwd",
  "a\0b",
  "nul",
  "con.txt",
  "COM1",
  ".profile",
  "-rf",
  "x.",
  "a\u202Etxt.exe",
];

scenario(
  "attack 27: names that lead elsewhere, of devices or with a NUL are refused of rooms and of files",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    for (const name of ["../x", "..", "a/b", "a\\b", "a\0b", "a\u202Eb", "a b", "a.b", "-rf"]) {
      const room = `#${name}`;
      for (const request of [{ type: "create", room, visibility: "public" }, { type: "join", room }]) {
        const from = ann.events.length;
        await ann.ask(request);
        equal((await ann.event("error", () => true, from)).code, "badInput", JSON.stringify(request));
      }
    }
    const { rooms } = await answerOf(ann, { type: "list" }, "directory");
    deepEqual(rooms.map(({ room }) => room), [LOBBY]);

    // Somebody with a client of her own, which calls files as she likes.
    const mallory = await withOwnNames(stage, server, new TextEncoder().encode("harmless?"));
    for (const name of BAD_NAMES) {
      mallory.name = name;
      const before = mallory.member.faults.length;
      await mallory.member.chat.request({ type: "put", room: LOBBY, path: "harmless" });
      await stage.until(
        `the refusal of ${JSON.stringify(name)}`,
        () => mallory.member.faults[before],
      );
    }
    deepEqual([...new Set(mallory.member.faults)], ["badEntry"]);
    await mallory.member.chat.request({ type: "quit" });
    await mallory.member.ended;
    await said(ann, LOBBY, "all is quiet");
    deepEqual(textsIn(ann, LOBBY), ["all is quiet"]);
  },
);

scenario(
  "attack 27: where a server gives such names of files, they are written nowhere but where one says",
  async (stage) => {
    let given = "";
    const server = await FalseServer.on(stage, (message) => {
      if (message.type !== "entry" || message.entry.kind !== "file") return [message];
      return [{ ...message, entry: withName(message.entry, given) }];
    });
    const ann = await stage.joined(server, { user: "ann", json: true });
    const ben = await stage.joined(server, { user: "ben", json: true });
    const { path } = await fileOf(stage, "harmless", 1_000);
    for (const name of BAD_NAMES) {
      given = name;
      const from = ben.events.length;
      await ann.ask({ type: "put", room: LOBBY, path });
      const { seq, verified } = await ben.event("message", ({ kind }) => kind === "file", from);
      equal(verified, false);
      const folder = await emptyFolder(stage);
      const before = await everythingIn(stage.folder);
      await ben.ask({ type: "get", room: LOBBY, seq, path: folder });
      await ben.program.until(
        "what came of it",
        () =>
          ben.events.slice(from).some((event) =>
            event.type === "error" || event.type === "file" && (event.done || event.failure !== null)
          ) || undefined,
      );
      const added = (await everythingIn(stage.folder)).filter((each) => !before.includes(each));
      for (const each of added) ok(each.startsWith(`${folder}/`), `${JSON.stringify(name)}: ${each}`);
      for (const each of await namesIn(folder)) ok(isFileName(each), each);
    }
  },
);

/** Mallory, who puts files under names of her own choice. */
async function withOwnNames(stage: Stage, server: Server, content: Bytes) {
  const [own] = await enrolled(server.dataDir, ["mallory"]);
  const endpoint = parseEndpointText(server.address);
  if (own === undefined || endpoint === undefined) throw new Error("nobody is there");
  const chosen = { name: "" };
  const member = await join({ endpoint, hostKey: Uint8Array.fromBase64(server.hostKey) }, "mallory", own, {
    files: {
      openSource: (name) =>
        Promise.resolve({
          name,
          size: content.length,
          read: (offset, into) => Promise.resolve(into.set(content.subarray(offset, offset + into.length))),
          close: () => {},
        }),
      openSink: () => Promise.reject(new Error("she fetches none")),
    },
    changed: () => stage.changes.tell(),
    lie: (message) =>
      message.type === "send" && message.entry.kind === "file"
        ? { ...message, entry: { ...message.entry, content: named(message.entry.content, chosen.name) } }
        : message,
  });
  stage.atEnd(async () => await member.ended.then(() => {}));
  return Object.assign(chosen, { member });
}

function withName(entry: Logged, name: string): Logged {
  return entry.content === undefined ? entry : { ...entry, content: named(entry.content, name) };
}

function named(content: Content, name: string): Content {
  const what = decodeBody("file", content.body);
  if (what?.kind !== "file") throw new Error("a file was put");
  return { ...content, body: encodeBody({ kind: "file", body: { ...what.body, name } }) };
}

/** The paths of all files below a folder. */
async function everythingIn(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    paths.push(...isDirectory ? await everythingIn(path) : [path]);
  }
  return paths;
}

/** A file of random octets. */
async function fileOf(
  stage: Stage,
  name: string,
  size: number,
): Promise<{ readonly path: string; readonly content: Bytes }> {
  const parts: Bytes[] = [];
  for (let left = size; left > 0; left -= 65_536) parts.push(systemEntropy(Math.min(left, 65_536)));
  const content = concat(...parts);
  const path = `${await emptyFolder(stage)}/${name}`;
  await Deno.writeFile(path, content);
  return { path, content };
}

async function emptyFolder(stage: Stage): Promise<string> {
  const folder = stage.path("folder");
  await Deno.mkdir(folder);
  return folder;
}

/** Has `client` fetch the file of an entry of the lobby into `folder`; gives its path there. */
async function fetched(client: Client, seq: number, folder: string): Promise<string> {
  const from = client.events.length;
  await client.ask({ type: "get", room: LOBBY, seq, path: folder });
  const { path, failure } = await client.event("file", (event) => event.done || event.failure !== null, from);
  equal(failure, null);
  return path ?? "";
}

/** A client behind a relay that cuts its first connection in the middle of a file. */
async function through(
  stage: Stage,
  server: Server,
  { user, way }: { readonly user: string; readonly way: "toServer" | "toClient" },
): Promise<{ readonly client: Client; readonly relay: Relay; readonly way: "toServer" | "toClient" }> {
  const relay = new Relay(stage, server.port, { cut: { way, offset: CUT_AT_BYTES }, cuts: 1 });
  const client = await stage.joined(server, { user, address: relay.address, json: true, reconnect: 30 });
  return { client, relay, way };
}
