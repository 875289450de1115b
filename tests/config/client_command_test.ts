import { deepEqual, equal } from "node:assert/strict";
import { type ChatConfig, runClientCommand } from "../../lib/config/client_command.ts";
import { type Suite, SUITES } from "../../lib/secure/suite.ts";
import { EXIT_CODES, Failure } from "../../lib/text/failure.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { test } from "../sanitized.ts";
import { type Answer, environmentOf, Page } from "./answer.ts";

const NOWHERE = { host: undefined, port: undefined } as const;

const DEFAULTS: ChatConfig<Suite> = {
  address: NOWHERE,
  user: undefined,
  hostKey: undefined,
  suites: SUITES,
  pskText: undefined,
  mode: "plain",
  trace: false,
  configDir: "/home/ann/.config/sotto",
};

test("sotto with nothing chats by its defaults, and so does chat; what was not said stays open", async () => {
  for (const line of ["", "chat"]) {
    deepEqual(await answer(line), { code: 0, stdout: "", stderr: "", configs: [DEFAULTS] });
  }
});

test("every flag of sotto is heard, in any order, with a blank or =", async () => {
  const line = "--json Example.org:9000 --user ann --host-key=SHA256:" + "A".repeat(43) +
    " --psk-file psk --cipher a256ctr-hs512,a256cbc-hs512 --trace";
  const config = {
    address: { host: "example.org", port: 9_000 },
    user: parseHandle("ann"),
    hostKey: { kind: "fingerprint", sha256: new Uint8Array(32) },
    suites: ["a256ctr-hs512", "a256cbc-hs512"],
    pskText: "content of psk\n",
    mode: "json",
    trace: true,
    configDir: "/home/ann/.config/sotto",
  };
  deepEqual((await answer(line)).configs, [config]);
  deepEqual((await answer(`chat ${line}`)).configs, [config]);
});

test("the server is named by ADDRESS, by --host and --port, or by both for different parts", async () => {
  const cases = {
    "9000": { host: undefined, port: 9_000 },
    "example.org": { host: "example.org", port: undefined },
    "[::1]:9000": { host: "::1", port: 9_000 },
    "--host [::1] --port 9000": { host: "::1", port: 9_000 },
    "example.org --port 9000": { host: "example.org", port: 9_000 },
    "9000 --host example.org": { host: "example.org", port: 9_000 },
    "chat chat": undefined,
    "--host chat": { host: "chat", port: undefined },
    "chat chta": { host: "chta", port: undefined },
    // Names that JavaScript's objects inherit are hosts like any other.
    "constructor": { host: "constructor", port: undefined },
    "hasOwnProperty": { host: "hasownproperty", port: undefined },
  };
  for (const [line, address] of Object.entries(cases)) {
    const expected = address === undefined ? [] : [{ ...DEFAULTS, address }];
    deepEqual((await answer(line)).configs, expected, line);
  }
});

test("a host key is a fingerprint or the key", async () => {
  const key = new Uint8Array(32).fill(9);
  for (const typed of [key.toBase64(), `sotto-ed25519 ${key.toBase64()}`]) {
    const { configs } = await answer(["--host-key", typed]);
    deepEqual(configs, [{ ...DEFAULTS, hostKey: { kind: "key", publicKey: key } }]);
  }
});

test("SOTTO_PSK, SOTTO_CONFIG_DIR and XDG_CONFIG_HOME are heard", async () => {
  deepEqual(
    (await answer("", { SOTTO_PSK: "geheim", SOTTO_CONFIG_DIR: "d", XDG_CONFIG_HOME: "/c" })).configs,
    [
      { ...DEFAULTS, pskText: "geheim", configDir: "d" },
    ],
  );
  deepEqual((await answer("", { XDG_CONFIG_HOME: "/c" })).configs, [{ ...DEFAULTS, configDir: "/c/sotto" }]);
});

test("every wrong command line of sotto is one sentence, exit 64, and nobody chats", async () => {
  const forms = "HOST, HOST:PORT, [IPv6]:PORT or a port";
  const cases = {
    "chta": 'Cannot run "chta": there is no such command; ' +
      'write "sotto chat", or "sotto chat chta" for a host of that name.',
    "hlep": 'Cannot run "hlep": there is no such command; ' +
      'write "sotto --help", or "sotto chat hlep" for a host of that name.',
    "--plain chat": 'Cannot use "chat" here: a command comes before its flags; write "sotto chat …".',
    "sotto://h:1/x":
      `Cannot understand the address "sotto://h:1/x": an address is ${forms}; write it without "sotto://".`,
    "-": `Cannot understand the address "-": it is not ${forms}; write it like chat.example.org:8443.`,
    "a b": 'Cannot use "b": there is an argument too many; see sotto --help.',
    "a:1 --port 2": "Cannot use --port: the address has a port already; drop one of them.",
    "a --host b": "Cannot use --host: the address has a host already; drop one of them.",
    "--port 0": 'Cannot use "0" as a port: a port is a number from 1 to 65535; give one of these.',
    "--user Ann": 'Cannot use "Ann" as a name: "A" is a capital letter; use "ann".',
    "--user \u202Eann": 'Cannot use "⟨U+202E⟩ann" as a name: "⟨U+202E⟩" (U+202E) is not allowed; ' +
      "use 1 to 32 lower-case letters (a to z), digits, - and _, beginning with a letter or digit.",
    "--host-key x":
      'Cannot use "x" as a host key: it is neither a fingerprint (SHA256:…) nor a key in base64; ' +
      "copy the fingerprint that the server prints when it starts.",
    "--plain --json": "Cannot use both --plain and --json: they are two ways of output; drop one.",
    "--jsno": "Cannot use --jsno: there is no such flag; did you mean --json?",
    "--room x": "Cannot use --room: there is no such flag; see sotto --help.",
    "--psk geheim": "Cannot use --psk: there is no such flag; see sotto --help.",
    "--psk-file": "Cannot use --psk-file: it needs a value; write --psk-file FILE.",
    "--user a --user b": "Cannot use --user twice: which one counts is unclear; drop one.",
  };
  for (const [line, sentence] of Object.entries(cases)) {
    deepEqual(await answer(line), { code: 64, stdout: "", stderr: `${sentence}\n`, configs: [] }, line);
  }
});

test("the client's end is the exit code, by name or by failure", async () => {
  equal((await answer("", {}, { chat: () => Promise.resolve("temporary") })).code, EXIT_CODES.temporary);
  const failure = new Failure("protocol", "Cannot trust x: y; z.");
  deepEqual(await answer("", {}, { chat: () => Promise.reject(failure) }), {
    code: 76,
    stdout: "",
    stderr: "Cannot trust x: y; z.\n",
    configs: [],
  });
});

test("--help tells all that works and nothing else, wherever it stands", async () => {
  const { code, stdout, stderr } = await answer("--help");
  equal(code, 0);
  equal(stderr, "");
  const flags = new Set(stdout.match(/--[a-z\-]+/g));
  const names = "cipher help host host-key json plain port psk-file trace user version".split(" ");
  deepEqual([...flags].sort(), names.map((name) => `--${name}`));
  for (const name of ["SOTTO_PSK", "SOTTO_CONFIG_DIR", "76 protocol or host key"]) {
    equal(stdout.includes(name), true, name);
  }
  for (const line of stdout.split("\n")) equal(line.length <= 100, true, line);
  for (const line of ["-h", "chat --help", "host --plain --help"]) {
    deepEqual(await answer(line), { code: 0, stdout, stderr: "", configs: [] }, line);
  }
});

test("--version tells name and release", async () => {
  for (const line of ["--version", "chat --version"]) {
    deepEqual(await answer(line), { code: 0, stdout: "sotto 1.2.3\n", stderr: "", configs: [] });
  }
});

async function answer(
  line: string | readonly string[],
  names: Readonly<Record<string, string>> = {},
  others: Partial<Parameters<typeof runClientCommand<Suite>>[1]> = {},
): Promise<Answer<ChatConfig<Suite>>> {
  const stdout = new Page();
  const stderr = new Page();
  const configs: ChatConfig<Suite>[] = [];
  const args = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const code = await runClientCommand<Suite>(args, {
    version: "1.2.3",
    suites: SUITES,
    environment: environmentOf(names),
    os: "linux",
    readSecret: (path) => Promise.resolve(`content of ${path}\n`),
    chat: (config) => {
      configs.push(config);
      return Promise.resolve("ok");
    },
    stdout,
    stderr,
    ...others,
  });
  return { code, stdout: stdout.text, stderr: stderr.text, configs };
}
