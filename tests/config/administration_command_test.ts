import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  BAN_MS_MAX,
  BAN_REASON_CHARS_MAX,
  INVITATION_MS_MAX,
  INVITATION_USES_MAX,
  parseAdminRequest,
} from "../../lib/chat/administration.ts";
import {
  type AdministrationCommand,
  BAN_LIMITS,
  INVITATION_LIMITS,
} from "../../lib/config/administration_command.ts";
import { runServerCommand } from "../../lib/config/server_command.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { Failure } from "../../lib/text/failure.ts";
import { test } from "../sanitized.ts";
import { type Answer, environmentOf, Page } from "./answer.ts";

const FOLDER = "/home/ann/.local/share/sotto-server";
const PLAIN = { dataDir: FOLDER, address: undefined, qr: false, keyFile: undefined } as const;

test("each command is heard with its flags in any order, and what came of it is printed", async () => {
  const day = 86_400_000;
  const address = { host: "chat.example.org", port: 9_000 } as const;
  const elsewhere = { ...PLAIN, dataDir: "d", address, qr: true } as const;
  const cases: Readonly<Record<string, object>> = {
    "user list": { ...PLAIN, request: { type: "userList" } },
    "user list --data-dir=d": { ...PLAIN, dataDir: "d", request: { type: "userList" } },
    "user add ann": { ...PLAIN, request: { type: "userAdd", handle: "ann" } },
    "user add --qr --data-dir d ann --address chat.example.org:9000": {
      ...elsewhere,
      request: { type: "userAdd", handle: "ann" },
    },
    "user reset ann --qr": { ...PLAIN, qr: true, request: { type: "userReset", handle: "ann" } },
    "user disable ann": { ...PLAIN, request: { type: "userDisable", handle: "ann" } },
    "user enable ann --data-dir d": {
      ...PLAIN,
      dataDir: "d",
      request: { type: "userEnable", handle: "ann" },
    },
    "user remove ann": { ...PLAIN, request: { type: "userRemove", handle: "ann" } },
    "ban ann": { ...PLAIN, request: { type: "ban", subject: { kind: "account", handle: "ann" } } },
    "ban 192.0.2.7 --expires 7d --reason flood": {
      ...PLAIN,
      request: {
        type: "ban",
        subject: { kind: "address", address: "192.0.2.7" },
        lastingMs: 7 * day,
        reason: "flood",
      },
    },
    "unban 2001:db8::7 --data-dir d": {
      ...PLAIN,
      dataDir: "d",
      request: { type: "unban", subject: { kind: "address", address: "2001:db8::7" } },
    },
    "unban 2001:db8::/64": {
      ...PLAIN,
      request: { type: "unban", subject: { kind: "address", address: "2001:db8::" } },
    },
    "bans": { ...PLAIN, request: { type: "bans" } },
    "room list": { ...PLAIN, request: { type: "roomList" } },
    "room list --key-file k --data-dir d": {
      ...PLAIN,
      dataDir: "d",
      keyFile: "k",
      request: { type: "roomList" },
    },
    "invite": { ...PLAIN, request: { type: "invite" } },
    "invite --uses 10000 --expires 365d": {
      ...PLAIN,
      request: { type: "invite", uses: 10_000, lifetimeMs: 365 * day },
    },
    "invite --expires 24h": { ...PLAIN, request: { type: "invite", lifetimeMs: day } },
    "invite --data-dir d --expires=30m --qr --address=chat.example.org:9000": {
      ...elsewhere,
      request: { type: "invite", lifetimeMs: 1_800_000 },
    },
  };
  for (const [line, command] of Object.entries(cases)) {
    deepEqual(await answer(line), { code: 0, stdout: "one\ntwo\n", stderr: "", configs: [command] }, line);
  }
});

test("whatever this command line can ask for, the rules understand, and their limits are its own", async () => {
  equal(INVITATION_LIMITS.uses, INVITATION_USES_MAX);
  equal(INVITATION_LIMITS.days * 86_400_000, INVITATION_MS_MAX);
  equal(BAN_LIMITS.days * 86_400_000, BAN_MS_MAX);
  equal(BAN_LIMITS.reasonChars, BAN_REASON_CHARS_MAX);
  const lines = ["bans", "ban ann --expires 3650d", "ban 2001:db8::7 --reason x", "unban ann", "unban ::1"];
  lines.push("room list");
  lines.push("user list", "invite", "invite --uses 10000 --expires 365d", "invite --uses 1 --expires 1m");
  for (const change of ["add", "disable", "enable", "remove", "reset"]) lines.push(`user ${change} ann`);
  for (const line of lines) {
    const [command] = (await answer(line)).configs;
    ok(parseAdminRequest(JSON.parse(JSON.stringify(command?.request))) !== undefined, line);
  }
});

test("every wrong command is one sentence, exit 64, and nothing is done", async () => {
  const rule = "it is minutes, hours or days, at most 365 of these; write it like 30m, 24h or 7d.";
  const address = "as an address: it is no IP address; write it like 192.0.2.7 or 2001:db8::7.";
  const uses = "as a number of uses: it is a number from 1 to 10000; give one of these.";
  const cases: Readonly<Record<string, string>> = {
    "user": 'Cannot run "user": it needs a second word; see "sotto-server user --help".',
    "user --data-dir d":
      'Cannot run "user --data-dir": there is no such command; see "sotto-server user --help".',
    "user lst": 'Cannot run "user lst": there is no such command; write "sotto-server user list".',
    "user frobnicate":
      'Cannot run "user frobnicate": there is no such command; see "sotto-server user --help".',
    "user \u001b[2J": 'Cannot run "user ␛[2J": there is no such command; see "sotto-server user --help".',
    "usr list": 'Cannot run "usr": there is no such command; write "sotto-server user".',
    "invit": 'Cannot run "invit": there is no such command; write "sotto-server invite".',
    "user add": 'Cannot run "user add" alone: NAME is missing; write "sotto-server user add NAME".',
    "user add --qr": 'Cannot run "user add" alone: NAME is missing; write "sotto-server user add NAME".',
    "user add Ann": 'Cannot use "Ann" as a name: "A" is a capital letter; use "ann".',
    "user add ann ben": 'Cannot use "ben": there is an argument too many; see sotto-server --help.',
    "user list ann": 'Cannot use "ann": there is an argument too many; see sotto-server --help.',
    "user list --qr": "Cannot use --qr here: other commands have it; see this one's --help.",
    "invite --uses 0": `Cannot use "0" ${uses}`,
    "invite --uses 10001": `Cannot use "10001" ${uses}`,
    "invite --uses 1e3": `Cannot use "1e3" ${uses}`,
    "invite --expires 24": `Cannot use "24" as a time: ${rule}`,
    "invite --expires 0h": `Cannot use "0h" as a time: ${rule}`,
    "invite --expires 366d": `Cannot use "366d" as a time: ${rule}`,
    "invite --expires -1h": `Cannot use "-1h" as a time: ${rule}`,
    "room": 'Cannot run "room": it needs a second word; see "sotto-server room --help".',
    "room lst": 'Cannot run "room lst": there is no such command; write "sotto-server room list".',
    "bann ann": 'Cannot run "bann": there is no such command; write "sotto-server ban".',
    "ban": 'Cannot run "ban" alone: WHO is missing; write "sotto-server ban WHO".',
    "ban --data-dir DIR": 'Cannot run "ban" alone: WHO is missing; write "sotto-server ban WHO".',
    "user reset --qr --data-dir=DIR --address a:1":
      'Cannot run "user reset" alone: NAME is missing; write "sotto-server user reset NAME".',
    "unban": 'Cannot run "unban" alone: WHO is missing; write "sotto-server unban WHO".',
    "bans ann": 'Cannot use "ann": there is an argument too many; see sotto-server --help.',
    "ban Ann": 'Cannot use "Ann" as a name: "A" is a capital letter; use "ann".',
    "ban 192.0.2.256": `Cannot use "192.0.2.256" ${address}`,
    "ban 192.0.2": `Cannot use "192.0.2" ${address}`,
    "ban 192.0.2.0/24": `Cannot use "192.0.2.0/24" ${address}`,
    "unban 2001:db8::7::1": `Cannot use "2001:db8::7::1" ${address}`,
    "ban ann --expires 3651d": `Cannot use "3651d" as a time: ${rule.replace("365", "3650")}`,
    [`ban ann --reason ${"x".repeat(257)}`]:
      "Cannot use that reason: it has 257 characters, and 1 to 256 fit; write another.",
    "unban ann --reason x": "Cannot use --reason here: other commands have it; see this one's --help.",
    "invite --address 9000": 'Cannot use "9000" as an address: nobody can connect to it from elsewhere; ' +
      "write HOST or HOST:PORT, like chat.example.org:8443.",
  };
  for (const [line, sentence] of Object.entries(cases)) {
    deepEqual(await answer(line), { code: 64, stdout: "", stderr: `${sentence}\n`, configs: [] }, line);
  }
});

test("what could not be done is its sentence and its exit code", async () => {
  const failed = await answer(
    "user remove eve",
    () =>
      Promise.reject(
        new Failure("data", "Cannot remove the user eve: there is none; see them by: user list"),
      ),
  );
  equal(failed.code, 65);
  equal(failed.stdout, "");
  match(failed.stderr, /^Cannot remove the user eve: .*\n$/);
});

test("each command has a help of its own, and the server's names them", async () => {
  const { stdout } = await answer("--help");
  match(stdout, /sotto-server user list \| add /);
  match(stdout, /sotto-server invite /);
  match(stdout, /sotto-server ban .* \| unban \| bans /);
  match(stdout, /sotto-server room list /);
  const helps = {
    "user --help": ["sotto-server user list", "sotto-server user add", "sotto-server user reset"],
    "user add --help": ["sotto-server user add [--data-dir DIR] [--address HOST:PORT] [--qr] <NAME>"],
    "room list --help": ["sotto-server room list [--data-dir DIR] [--key-file FILE]"],
    "ban --help": ["sotto-server ban [--expires TIME] [--reason TEXT] [--data-dir DIR] <WHO>"],
    "invite --help": ["sotto-server invite [--uses N] [--expires TIME]", "--qr", "7d"],
  };
  for (const [line, words] of Object.entries(helps)) {
    const help = await answer(line);
    equal(help.code, 0);
    for (const word of words) ok(help.stdout.includes(word), `${line}: ${word}`);
    for (const printed of help.stdout.split("\n")) ok(printed.length <= 100, printed);
  }
});

async function answer(
  line: string,
  administer: () => Promise<readonly string[]> = () => Promise.resolve(["one", "two"]),
): Promise<Answer<AdministrationCommand>> {
  const [stdout, stderr] = [new Page(), new Page()];
  const configs: AdministrationCommand[] = [];
  const code = await runServerCommand(line.split(" "), {
    version: "1.2.3",
    suites: SUITES,
    environment: environmentOf({}),
    readSecret: (path) => Promise.reject(new RangeError(`${path} was read`)),
    serve: () => Promise.reject(new RangeError("a server was started")),
    seeTo: () => Promise.reject(new RangeError("no data folder was to be seen to")),
    administer: async (command) => {
      const lines = await administer();
      configs.push(command);
      return lines;
    },
    stdout,
    stderr,
  });
  return { code, stdout: stdout.text, stderr: stderr.text, configs };
}
