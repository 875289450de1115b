import { deepEqual, equal, match } from "node:assert/strict";
import { runClientCommand } from "../../lib/config/client_command.ts";
import type { FernetConfig } from "../../lib/config/fernet_command.ts";
import type { BridgeConfig } from "../../lib/config/fernet_flags.ts";
import { runServerCommand } from "../../lib/config/server_command.ts";
import { type Suite, SUITES } from "../../lib/secure/suite.ts";
import { test } from "../sanitized.ts";
import { type Answer, environmentOf, Page } from "./answer.ts";

const FILE = "content of key\n";

test("sotto fernet visits the bridge of this machine, or the one that is named", async () => {
  const expected: Readonly<Record<string, FernetConfig["endpoint"]>> = {
    "fernet --key-file key": { host: "127.0.0.1", port: 12_345 },
    "fernet 9000 --key-file=key": { host: "127.0.0.1", port: 9_000 },
    "fernet --key-file key example.org": { host: "example.org", port: 12_345 },
    "fernet [::1]:9000 --key-file key": { host: "::1", port: 9_000 },
  };
  for (const [line, endpoint] of Object.entries(expected)) {
    deepEqual((await visit(line)).configs, [{ endpoint, keyText: FILE }], line);
  }
  deepEqual((await visit("fernet", { SOTTO_FERNET_KEY: "geheim" })).configs, [
    { endpoint: { host: "127.0.0.1", port: 12_345 }, keyText: "geheim" },
  ]);
});

test("sotto fernet ends with what the visit ended with", async () => {
  equal((await visit("fernet --key-file key")).code, 65);
});

test("sotto fernet without one key, or with what is no address, is wrong usage", async () => {
  const sentences: readonly (readonly [line: string, sentence: RegExp, names?: Record<string, string>])[] = [
    ["fernet", /^Cannot talk over a bridge without its key: none is given; add --key-file FILE, or set S/],
    ["fernet --key-file key", /^Cannot use both --key-file and SOTTO_FERNET_KEY: /, {
      SOTTO_FERNET_KEY: "x",
    }],
    ["fernet", /^Cannot use SOTTO_FERNET_KEY: it is empty; put the key into it/, { SOTTO_FERNET_KEY: "" }],
    ["fernet --key-file", /^Cannot use --key-file: it needs a value; write --key-file FILE\.$/],
    ["fernet fernet --key-file key", /^Cannot use "fernet" here: /],
    ["fernet 0 --key-file key", /^Cannot use "0" as a port: /],
    ["fernet --key gAAAA", /^Cannot use --key: there is no such flag; /],
    ["fernt", /^Cannot run "fernt": there is no such command; write "sotto fernet"/],
  ];
  for (const [line, sentence, names] of sentences) {
    const { code, stderr, configs } = await visit(line, names);
    match(stderr.trimEnd(), sentence, line);
    deepEqual([code, configs], [64, []], line);
  }
});

test("sotto fernet --help tells of its key and of the environment", async () => {
  const { stdout, code } = await visit("fernet --help");
  match(stdout, /\[ADDRESS\] --key-file FILE/);
  match(stdout, /SOTTO_FERNET_KEY/);
  for (const line of stdout.split("\n")) equal(line.length <= 100, true, line);
  equal(code, 0);
});

test("a server's bridge has an address and the key in a file, or there is none", async () => {
  deepEqual((await serve("")).configs, [undefined]);
  for (
    const [text, endpoint] of [
      ["127.0.0.1:12345", { host: "127.0.0.1", port: 12_345 }],
      ["[::]:0", { host: "::", port: 0 }],
    ] as const
  ) {
    deepEqual((await serve(`--fernet-listen ${text} --fernet-key-file key`)).configs, [
      { endpoint, keyText: FILE },
    ]);
  }
});

test("half a bridge is wrong usage, and so is what is no address", async () => {
  const sentences: readonly (readonly [line: string, sentence: RegExp])[] = [
    ["--fernet-listen [::1]:1", /^Cannot use --fernet-listen alone: .*; give --fernet-key-file FILE, too\.$/],
    [
      "--fernet-key-file key",
      /^Cannot use --fernet-key-file alone: .*; give --fernet-listen HOST:PORT, too\.$/,
    ],
    ...["12345", "127.0.0.1", "127.0.0.1:65536", "a b:1"].map((text) =>
      [
        `--fernet-listen=${text} --fernet-key-file key`,
        /^Cannot use ".*" for --fernet-listen: it is not H/,
      ] as const
    ),
  ];
  for (const [line, sentence] of sentences) {
    const args = line.startsWith("--fernet-listen=a b")
      ? ["--fernet-listen=a b:1", "--fernet-key-file", "key"]
      : line.split(" ");
    const { code, stderr, configs } = await serve(args);
    match(stderr.trimEnd(), sentence, line);
    deepEqual([code, configs], [64, []], line);
  }
});

test("an empty key file of a server is bad data", async () => {
  const { code, stderr } = await serve("--fernet-listen 127.0.0.1:0 --fernet-key-file empty");
  equal(stderr, 'Cannot use the Fernet key in "empty": the file is empty; write one.\n');
  equal(code, 65);
});

async function visit(
  line: string,
  names: Readonly<Record<string, string>> = {},
): Promise<Answer<FernetConfig>> {
  const [stdout, stderr] = [new Page(), new Page()];
  const configs: FernetConfig[] = [];
  const unasked = (): Promise<never> => Promise.reject(new RangeError("not asked for"));
  const code = await runClientCommand<Suite>(line.split(" "), {
    version: "1.2.3",
    suites: SUITES,
    environment: environmentOf(names),
    os: "linux",
    readSecret,
    readInvitation: unasked,
    changePassword: unasked,
    chat: unasked,
    fernet: (config) => {
      configs.push(config);
      return Promise.resolve("data");
    },
    stdout,
    stderr,
  });
  return { code, stdout: stdout.text, stderr: stderr.text, configs };
}

async function serve(line: string | readonly string[]): Promise<Answer<BridgeConfig | undefined>> {
  const [stdout, stderr] = [new Page(), new Page()];
  const configs: (BridgeConfig | undefined)[] = [];
  const args = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const code = await runServerCommand<Suite>(args, {
    version: "1.2.3",
    suites: SUITES,
    environment: environmentOf({}),
    readSecret,
    serve: ({ bridge }) => {
      configs.push(bridge);
      return Promise.resolve();
    },
    administer: () => Promise.reject(new RangeError("not asked for")),
    seeTo: () => Promise.reject(new RangeError("not asked for")),
    stdout,
    stderr,
  });
  return { code, stdout: stdout.text, stderr: stderr.text, configs };
}

function readSecret(path: string, what: string): Promise<string> {
  equal(what, "the Fernet key");
  return Promise.resolve(path === "empty" ? "\n" : `content of ${path}\n`);
}
