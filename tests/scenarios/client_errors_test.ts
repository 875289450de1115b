/**
 * What can go wrong when a newcomer starts a client: one clear sentence each, and the right exit code.
 *
 * @module
 */

import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { utf8 } from "../../lib/wire/bytes.ts";
import { eventsOf } from "./json_events.ts";
import { impostor, unusedPort } from "./ports.ts";
import { complained } from "./programs.ts";
import { scenario } from "./stage.ts";

/** Ways of calling the client that cannot work, with the sentence and the exit code of each. */
const WRONG_CALLS: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly sentence: RegExp;
}[] = [
  {
    name: "an unknown flag gets the nearest one suggested",
    args: ["--usr=ann"],
    code: 64,
    sentence: /^Cannot use --usr: there is no such flag; did you mean --user\?$/,
  },
  {
    name: "a word that is nearly a command gets it suggested",
    args: ["caht", "--user=ann"],
    code: 64,
    sentence:
      /^Cannot run "caht": there is no such command; write "sotto chat", or "sotto chat caht" for a host of that name\.$/,
  },
  {
    name: "a command after flags says where it belongs",
    args: ["--user=ann", "chat"],
    code: 64,
    sentence: /^Cannot use "chat" here: a command comes before its flags; write "sotto chat …"\.$/,
  },
  {
    name: "no name, and no terminal to ask for one",
    args: ["127.0.0.1:8443"],
    code: 64,
    sentence: /^Cannot chat without a name: there is no terminal to ask at; give --user NAME\.$/,
  },
  {
    name: "a name in capitals gets a better one suggested",
    args: ["--user=Ann"],
    code: 64,
    sentence: /^Cannot use "Ann" as a name: "A" is a capital letter; use "ann"\.$/,
  },
  {
    name: "a name with a space says what a name is",
    args: ["--user", "ann smith"],
    code: 64,
    sentence:
      /^Cannot use "ann smith" as a name: " " \(U\+0020\) is not allowed; use 1 to 32 lower-case letters/,
  },
  {
    name: "an address of the web says what an address is",
    args: ["https://example.org", "--user=ann"],
    code: 64,
    sentence: /^Cannot understand the address "https:\/\/example\.org": .*; write it without "https:\/\/"\.$/,
  },
  {
    name: "two modes at once",
    args: ["--plain", "--json", "--user=ann"],
    code: 64,
    sentence: /^Cannot use both --plain and --json: they are two ways of output; drop one\.$/,
  },
  {
    name: "a missing file of the pre-shared key is named",
    args: ["--user=ann", "--psk-file=/nowhere/psk"],
    code: 66,
    sentence: /^Cannot read the pre-shared key from \/nowhere\/psk: there is no such file or folder; /,
  },
  {
    name: "an empty SOTTO_PSK is not taken for none",
    args: ["--user=ann"],
    env: { SOTTO_PSK: "" },
    code: 64,
    sentence: /^Cannot use SOTTO_PSK: it is empty; put a passphrase into it, or unset it\.$/,
  },
  {
    name: "a host key that is none says where to find one",
    args: ["--user=ann", "--host-key=d3:ad:be:ef"],
    code: 64,
    sentence: /^Cannot use "d3:ad:be:ef" as a host key: .*; copy the fingerprint that the server prints/,
  },
];

for (const { name, args, env = {}, code, sentence } of WRONG_CALLS) {
  scenario(`sotto: ${name}`, async (stage) => {
    const SOTTO_CONFIG_DIR = stage.path("config");
    complained(await stage.run("sotto", { args, env: { SOTTO_CONFIG_DIR, ...env } }), { code, sentence });
  });
}

scenario("sotto: nothing that says where keys go ends with 78", async (stage) => {
  complained(await stage.run("sotto", { args: ["--user=ann"] }), {
    code: 78,
    sentence: /^Cannot choose a folder for keys: SOTTO_CONFIG_DIR, XDG_CONFIG_HOME and HOME are not set; /,
  });
});

scenario("sotto: nobody at the port says so and ends with 69", async (stage) => {
  const port = unusedPort();
  const env = { SOTTO_CONFIG_DIR: stage.path("config") };
  complained(await stage.run("sotto", { args: [String(port), "--user=ann"], env }), {
    code: 69,
    sentence: new RegExp(
      `^Cannot reach 127\\.0\\.0\\.1 port ${port}: no server answers there; start one, or check host and port\\.$`,
    ),
  });
});

const SILENT =
  /: it closed without an answer; a pre-shared key may be required \(--psk-file\), or this address be banned there\.$/;
const STRANGE = /: what it sent is not this protocol; /;

for (
  const { what, greeting, reads, sentence } of [
    { what: "closes at once", greeting: "", reads: false, sentence: SILENT },
    { what: "listens, then closes", greeting: "", reads: true, sentence: SILENT },
    { what: "speaks SSH", greeting: "SSH-2.0-OpenSSH_9.9\r\n", reads: true, sentence: STRANGE },
    {
      what: "answers HTTP",
      greeting: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      reads: true,
      sentence: STRANGE,
    },
    {
      what: "sends a frame of nonsense",
      greeting: "\0\x06sotto!",
      reads: true,
      sentence: /: its part of the handshake makes no sense; /,
    },
  ]
) {
  scenario(`sotto: something that ${what} in a server's place is told as that, with 76`, async (stage) => {
    const address = impostor(stage, utf8(greeting), { reads });
    const env = { SOTTO_CONFIG_DIR: stage.path("config") };
    complained(await stage.run("sotto", { args: [address, "--user=ann"], env }), { code: 76, sentence });
  });
}

scenario("sotto: a malformed line among the known hosts is pointed at, with 65", async (stage) => {
  const server = await stage.server();
  const configDir = stage.path("config");
  await Deno.mkdir(configDir);
  await Deno.writeTextFile(`${configDir}/known_hosts`, `# mine\n${server.address} ssh-ed25519 AAAA\n`);
  complained(await stage.visit(server, { user: "ann", configDir }), {
    code: 65,
    sentence:
      /^Cannot read the known hosts in \S+: line 2 is not HOST:PORT sotto-ed25519 BASE64; correct or remove/,
  });
});

scenario("sotto: a folder for keys that is below a file is named, with 66", async (stage) => {
  const server = await stage.server();
  const file = stage.path("a_file");
  await Deno.writeTextFile(file, "");
  complained(await stage.visit(server, { user: "ann", pinned: false, configDir: `${file}/config` }), {
    code: 66,
    sentence:
      /^Cannot read the known hosts in \S+: a part of the path is a file, not a folder; make it readable, or/,
  });
});

scenario("sotto: an unknown host key is taken on loopback, and remembered", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann", pinned: false });
  await ann.quit();
  equal((await ann.ending()).code, 0);
  const remembered = await Deno.readTextFile(`${ann.configDir}/known_hosts`);
  match(remembered, new RegExp(`^${server.address} sotto-ed25519 [A-Za-z0-9+/]{43}=\n$`));
  deepEqual(await server.reasons(2), ["left during the handshake", "closed by the client (done)"]);
});

scenario("sotto: an unknown host key elsewhere stops without a terminal, with 76", async (stage) => {
  const server = await stage.server();
  // The unspecified address leads to this machine, and is not spelled like loopback.
  const address = `0.0.0.0:${server.port}`;
  const stopped = await stage.client(server, { user: "ann", pinned: false, address });
  complained(await stopped.ending(), {
    code: 76,
    sentence:
      /^Cannot trust 0\.0\.0\.0:\d+: its host key SHA256:\S+ is not known here and there is no terminal to ask at; /,
  });
  ok(stopped.program.err[0]?.includes(`give --host-key ${server.fingerprint}, `));

  const told = await stage.joined(server, { user: "ann", address, configDir: stopped.configDir });
  await told.quit();
  equal((await told.ending()).code, 0);
  const remembered = await stage.joined(server, {
    user: "ann",
    address,
    pinned: false,
    configDir: stopped.configDir,
  });
  await remembered.quit();
  equal((await remembered.ending()).code, 0);
  deepEqual(await server.guests(), ["ann", "ann"], "not the first of the three");
});

scenario("sotto: a reader that has gone ends it without a complaint", async (stage) => {
  const server = await stage.server();
  const ear = await stage.joined(server, { user: "ear" });
  const ann = await stage.joined(server, { user: "ann", unread: ["err"] });
  const bob = await stage.client(server, { user: "bob", unread: ["out"] });
  await bob.program.line("err", /^Connected$/);
  await bob.program.leave("out");
  await ann.say("nobody reads this at bob's");
  const { code, err } = await bob.ending();
  equal(code, 0);
  doesNotMatch(err.join("\n"), /Cannot|pipe|EPIPE|error/i);
  equal(await server.whyGone("bob"), "closed by the client (done)");
  await ear.shows("ann: nobody reads this at bob's");
});

scenario("sotto: a text that is too long is refused with 65, and the others are delivered", async (stage) => {
  const server = await stage.server();
  const ear = await stage.joined(server, { user: "ear" });
  const ann = await stage.client(server, { user: "ann" });
  await ann.program.typeAndEnd(`before\n${"é".repeat(4_097)}\n${"é".repeat(4_096)}\nafter\n`);
  const { code, err } = await ann.ending();
  equal(code, 65);
  deepEqual(err.filter((line) => line.startsWith("Cannot")), [
    "Cannot send a message of 8,194 octets: it may have 8,192; send it in parts",
  ]);
  await ear.showsCount(3);
  deepEqual(ear.shown, ["ann: before", `ann: ${"é".repeat(4_096)}`, "ann: after"]);
});

scenario(
  "sotto: a line that is no command is not sent, gets the nearest one suggested, and ends with 65",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear" });
    const ann = await stage.client(server, { user: "ann" });
    await ann.program.typeAndEnd("/qiut\n//qiut\n");
    const { code, err } = await ann.ending();
    equal(code, 65);
    deepEqual(err.filter((line) => line.startsWith("Cannot")), [
      "Cannot do /qiut: there is no such command, and nothing was sent; did you mean /quit?",
    ]);
    await ear.showsCount(1);
    deepEqual(ear.shown, ["ann: /qiut"]);
  },
);

scenario(
  "sotto: input that is no JSON is told as an object, with 65, and the rest is delivered",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear" });
    const bot = await stage.client(server, { user: "bot", json: true });
    await bot.program.typeAndEnd(
      [
        "{",
        '{"type":"sned","text":"x"}',
        '{"type":"send"}',
        '{"type":"send","text":1}',
        '{"type":"send","text":"fine"}',
      ].join("\n"),
    );
    equal((await bot.ending()).code, 65);
    const errors = eventsOf(bot.events, "error");
    deepEqual(errors.map(({ code }) => code), Array(4).fill("badInput"));
    const begin = ["Cannot understand a line", 'Cannot do "sned"', 'Cannot do "send"', 'Cannot do "send"'];
    ok(errors.every(({ sentence }, at) => sentence.startsWith(begin[at] ?? "")), JSON.stringify(errors));
    await ear.showsCount(1);
    deepEqual(ear.shown, ["bot: fine"]);
  },
);
