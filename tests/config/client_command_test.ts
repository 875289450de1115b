import { deepEqual, equal } from "node:assert/strict";
import { type ChatConfig, type PasswordConfig, runClientCommand } from "../../lib/config/client_command.ts";
import { invitationText } from "../../lib/identity/invitation.ts";
import { type Suite, SUITES } from "../../lib/secure/suite.ts";
import { EXIT_CODES, Failure } from "../../lib/text/failure.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { test } from "../sanitized.ts";
import { type Answer, environmentOf, Page } from "./answer.ts";

const NOWHERE = { host: undefined, port: undefined } as const;

const CONNECTION = {
  address: NOWHERE,
  invitation: undefined,
  user: undefined,
  password: undefined,
  hostKey: undefined,
  tls: undefined,
  suites: SUITES,
  pskText: undefined,
  trace: false,
  configDir: "/home/ann/.config/sotto",
} as const;

const DEFAULTS: ChatConfig<Suite> = {
  ...CONNECTION,
  register: false,
  device: "linux",
  recoveryCode: undefined,
  mode: "plain",
  room: "#lobby",
  reconnect: undefined,
};

const INVITATION = {
  endpoint: { host: "example.org", port: 9_000 },
  hostKey: new Uint8Array(32).fill(1),
  code: new Uint8Array(16).fill(2),
  certificate: undefined,
};

const INVITED: ChatConfig<Suite> = { ...DEFAULTS, address: INVITATION.endpoint, invitation: INVITATION };

test("sotto with nothing chats by its defaults, and so does chat; what was not said stays open", async () => {
  for (const line of ["", "chat"]) {
    deepEqual(await answer(line), { code: 0, stdout: "", stderr: "", configs: [DEFAULTS] });
  }
});

test("every flag of sotto is heard, in any order, with a blank or =", async () => {
  const line = "--json Example.org:9000 --user ann --host-key=SHA256:" + "A".repeat(43) +
    " --psk-file psk --password-file pw --cipher a256ctr-hs512,a256cbc-hs512 --trace --register" +
    " --device phone --tls --tls-ca ca.pem --room #dev --reconnect 5";
  const config = {
    address: { host: "example.org", port: 9_000 },
    invitation: undefined,
    user: parseHandle("ann"),
    password: "content of pw",
    register: true,
    device: "phone",
    recoveryCode: undefined,
    tls: { caFile: "ca.pem" },
    hostKey: { kind: "fingerprint", sha256: new Uint8Array(32) },
    suites: ["a256ctr-hs512", "a256cbc-hs512"],
    pskText: "content of psk\n",
    mode: "json",
    room: "#dev",
    reconnect: 5,
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

test("TLS is asked for by a flag, or by what to trust in it", async () => {
  deepEqual((await answer("--tls")).configs, [{ ...DEFAULTS, tls: { caFile: undefined } }]);
  deepEqual((await answer("--tls-ca ca.pem")).configs, [{ ...DEFAULTS, tls: { caFile: "ca.pem" } }]);
});

test("a run speaks in the room that was said, and tries a lost connection anew for as long as was said", async () => {
  for (const room of ["#dev", "@ben"]) {
    deepEqual((await answer(["--room", room])).configs, [{ ...DEFAULTS, room }]);
  }
  for (const seconds of [0, 60, 604_800]) {
    deepEqual((await answer(`--reconnect ${seconds}`)).configs, [{ ...DEFAULTS, reconnect: seconds }]);
  }
});

test("an invitation names server, key and code, as an argument or read where - stands", async () => {
  const text = invitationText(INVITATION);
  deepEqual((await answer(text)).configs, [INVITED]);
  deepEqual((await answer(`chat ${text} --tls`)).configs, [{ ...INVITED, tls: { caFile: undefined } }]);
  const modes: string[] = [];
  const readInvitation = (mode: string) => {
    modes.push(mode);
    return Promise.resolve(` ${text}\r\n`);
  };
  deepEqual((await answer("-", {}, { readInvitation })).configs, [INVITED]);
  deepEqual((await answer("chat - --json", {}, { readInvitation })).configs, [{ ...INVITED, mode: "json" }]);
  deepEqual(modes, ["plain", "json"]);
  const certificate = new Uint8Array(300).fill(3);
  const invitation = { ...INVITATION, certificate };
  deepEqual((await answer(invitationText(invitation))).configs, [{ ...INVITED, invitation }]);
});

test("an invitation that was not read, or is none, is one sentence, exit 65, and tells no code", async () => {
  const text = invitationText(INVITATION);
  const none =
    "Cannot read an invitation from standard input: there is none; write one there, on a line of its own.\n";
  const altered = "Cannot use the invitation: what follows the server's key is incomplete or altered; " +
    "copy it anew, all of it.\n";
  const cases = [[undefined, none], ["  ", none], [text.slice(0, -1), altered]] as const;
  for (const [read, stderr] of cases) {
    const readInvitation = () => Promise.resolve(read);
    deepEqual(await answer("-", {}, { readInvitation }), { code: 65, stdout: "", stderr, configs: [] });
  }
});

test("what an invitation says is not to be said again", async () => {
  const text = invitationText({ ...INVITATION, certificate: new Uint8Array(300) });
  const cases = {
    "--host x": "Cannot use --host: the address has a host already; drop one of them.",
    "--port 1": "Cannot use --port: the address has a port already; drop one of them.",
    [`--host-key SHA256:${"A".repeat(43)}`]:
      "Cannot use --host-key: the invitation has a host key already; drop the flag.",
    "--tls-ca x": "Cannot use --tls-ca: the invitation has a certificate already; drop the flag.",
  };
  for (const [flags, sentence] of Object.entries(cases)) {
    deepEqual(await answer(`${text} ${flags}`), {
      code: 64,
      stdout: "",
      stderr: `${sentence}\n`,
      configs: [],
    });
  }
});

test("password has the flags of a connection, and a new password of a file", async () => {
  const heard: PasswordConfig<Suite>[] = [];
  const changePassword = (config: PasswordConfig<Suite>) => Promise.resolve(void heard.push(config));
  const names = { SOTTO_PASSWORD: "old" };
  equal((await answer("password example.org --user ann", names, { changePassword })).code, 0);
  equal((await answer("password --new-password-file new", names, { changePassword })).code, 0);
  equal((await answer("password -", {}, { changePassword })).code, 65);
  deepEqual(heard, [
    {
      ...CONNECTION,
      address: { host: "example.org", port: undefined },
      user: parseHandle("ann"),
      password: "old",
      newPassword: undefined,
    },
    { ...CONNECTION, password: "old", newPassword: "content of new" },
  ]);
  const failure = new Failure("noPermission", "Cannot x: y; z.");
  equal((await answer("password", {}, { changePassword: () => Promise.reject(failure) })).code, 77);
});

test("a host key is a fingerprint or the key", async () => {
  const key = new Uint8Array(32).fill(9);
  for (const typed of [key.toBase64(), `sotto-ed25519 ${key.toBase64()}`]) {
    const { configs } = await answer(["--host-key", typed]);
    deepEqual(configs, [{ ...DEFAULTS, hostKey: { kind: "key", publicKey: key } }]);
  }
});

test("SOTTO_PASSWORD and SOTTO_RECOVERY_CODE are heard, without the newline at the password's end", async () => {
  const names = { SOTTO_PASSWORD: " geheim \n", SOTTO_RECOVERY_CODE: "ABCD" };
  deepEqual((await answer("", names)).configs, [{ ...DEFAULTS, password: " geheim ", recoveryCode: "ABCD" }]);
  for (
    const [name, remedy] of [["SOTTO_PASSWORD", "the password"], ["SOTTO_RECOVERY_CODE", "the recovery code"]]
  ) {
    const stderr = `Cannot use ${name}: it is empty; put ${remedy} into it, or unset it.\n`;
    deepEqual(await answer("", { [name ?? ""]: "" }), { code: 64, stdout: "", stderr, configs: [] });
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
    "--plain password":
      'Cannot use "password" here: a command comes before its flags; write "sotto password …".',
    "passwrod": 'Cannot run "passwrod": there is no such command; ' +
      'write "sotto password", or "sotto chat passwrod" for a host of that name.',
    "sotto://h:1/x":
      "Cannot use the invitation: the server's key in it is incomplete or altered; copy it anew, all of it.",
    "ssh://h:1":
      `Cannot understand the address "ssh://h:1": an address is ${forms}; write it without "ssh://".`,
    "--password x": "Cannot use --password: there is no such flag; see sotto --help.",
    "--password-file a --user b --device \u202Ex":
      'Cannot use "⟨U+202E⟩x" as a name: "⟨U+202E⟩" (U+202E) is not allowed; leave it out.',
    "password --json": "Cannot use --json here: other commands have it; see this one's --help.",
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
    "--room x": 'Cannot use "x" as a room: rooms are #name, people @name; use "#x".',
    "--room #Dev": 'Cannot use "Dev" as the name of a room: "D" is a capital letter; use "dev".',
    "--room": "Cannot use --room: it needs a value; write --room ROOM.",
    "--reconnect": "Cannot use --reconnect: it needs a value; write --reconnect SECONDS.",
    "--reconnect 5m": 'Cannot use "5m" for --reconnect: it is no whole number of seconds from 0 to 604800; ' +
      "give one of these.",
    "--reconnect=-1": 'Cannot use "-1" for --reconnect: it is no whole number of seconds from 0 to 604800; ' +
      "give one of these.",
    "--reconnect 604801":
      'Cannot use "604801" for --reconnect: it is no whole number of seconds from 0 to 604800; ' +
      "give one of these.",
    "password --room #x": "Cannot use --room here: other commands have it; see this one's --help.",
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
  const names =
    ("cipher device help host host-key json password-file plain port psk-file reconnect register room tls tls-ca " +
      "trace user version").split(" ");
  deepEqual([...flags].sort(), names.map((name) => `--${name}`));
  const others = ["SOTTO_PASSWORD", "SOTTO_RECOVERY_CODE", "SOTTO_PSK", "SOTTO_CONFIG_DIR"];
  for (const name of [...others, "76 protocol or host key", "password [ADDRESS]"]) {
    equal(stdout.includes(name), true, name);
  }
  for (const line of stdout.split("\n")) equal(line.length <= 100, true, line);
  for (const line of ["-h", "chat --help", "host --plain --help"]) {
    deepEqual(await answer(line), { code: 0, stdout, stderr: "", configs: [] }, line);
  }
});

test("password --help tells its own flags", async () => {
  const { code, stdout } = await answer("password --help");
  equal(code, 0);
  equal(stdout.includes("--new-password-file"), true);
  equal(stdout.includes("--json"), false);
  for (const line of stdout.split("\n")) equal(line.length <= 100, true, line);
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
    readInvitation: () => Promise.resolve(undefined),
    changePassword: () => Promise.resolve(),
    fernet: () => Promise.reject(new RangeError("no bridge was to be visited")),
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
