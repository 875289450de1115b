import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { Scene } from "../../lib/client/command_argument.ts";
import { type Command, COMMAND_GROUPS, parseLine } from "../../lib/client/commands.ts";
import type { ClientRequest } from "../../lib/client/event.ts";
import { visible } from "../../lib/text/visible.ts";
import { TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ROWS = COMMAND_GROUPS.flatMap(({ rows }) => rows);

const SCENE: Scene = {
  room: "#lobby",
  now: Date.UTC(2026, 10, 21, 12),
  shown: [{ sequence: 7, own: false }, { sequence: 8, own: true }, { sequence: 9, own: false }],
  askedAt: (handle) => handle === "cas" ? "#dev" : handle === "dan" ? "@dan" : undefined,
};

/** A sentence that says what could not be done, why, and what to do: one line that a terminal can be shown. */
const SENTENCE = /^Cannot [^\n]+: [^\n]+[;,] [^\n]+$/;

function parse(line: string): Command {
  return parseLine(line, SCENE);
}

/** What `line` asks of the connection, and where it goes. */
function asked(line: string): { readonly request: ClientRequest; readonly goTo: string | undefined } {
  const command = parse(line);
  if (command.kind !== "ask") throw new Error(`${line}: ${JSON.stringify(command)}`);
  return { request: command.request, goTo: command.goTo };
}

function refusal(line: string): string {
  const command = parse(line);
  if (command.kind !== "refused") throw new Error(`${line}: ${JSON.stringify(command)}`);
  return command.sentence;
}

test("a line is a message in the room that one is in, as it was typed", () => {
  for (const text of ["hello", "  indented ", " /help", "exit now", "quit", "say quit()", "a /quit"]) {
    deepEqual(asked(text), { request: { type: "send", room: "#lobby", text }, goTo: undefined });
  }
});

test("a line of white space asks for nothing", () => {
  for (const line of ["", " ", "\t \u3000"]) deepEqual(parse(line), { kind: "nothing" });
  equal(parse("// ").kind, "ask");
});

test("two slashes stand for one", () => {
  for (const [line, text] of [["//quit", "/quit"], ["///", "//"]] as const) {
    deepEqual(asked(line).request, { type: "send", room: "#lobby", text });
  }
});

test("a text may have as many octets as the protocol says, and not one more, wherever it stands", () => {
  equal(parse("é".repeat(TEXT_BYTES_MAX / 2)).kind, "ask");
  equal(parse(`/${"/".repeat(TEXT_BYTES_MAX)}`).kind, "ask");
  const long = "é".repeat(TEXT_BYTES_MAX / 2) + "x";
  for (const line of [long, `/msg ben ${long}`, `/reply #1 ${long}`, `/edit #1 ${long}`]) {
    equal(refusal(line), "Cannot send a message of 8,193 octets: it may have 8,192; send it in parts");
  }
});

/** Every command as it is typed, and what it asks for. */
const ASKED: readonly (readonly [line: string, request: ClientRequest])[] = [
  ["/msg ben  hello  there ", { type: "send", room: "@ben", text: "hello  there" }],
  ["/msg @ben /quit", { type: "send", room: "@ben", text: "/quit" }],
  ["/reply #12 so it is", { type: "reply", room: "#lobby", sequence: 12, text: "so it is" }],
  ["/reply 12 x", { type: "reply", room: "#lobby", sequence: 12, text: "x" }],
  ["/reply ^ x", { type: "reply", room: "#lobby", sequence: 9, text: "x" }],
  ["/reply ^^ x", { type: "reply", room: "#lobby", sequence: 8, text: "x" }],
  ["/edit ^ better", { type: "edit", room: "#lobby", sequence: 8, text: "better" }],
  ["/delete ^", { type: "delete", room: "#lobby", sequence: 9 }],
  ["/delete #3", { type: "delete", room: "#lobby", sequence: 3 }],
  ["/react ^ 👍", { type: "react", room: "#lobby", sequence: 9, reaction: "👍", on: true }],
  ["/unreact #3 👍", { type: "react", room: "#lobby", sequence: 3, reaction: "👍", on: false }],
  ["/pin #3", { type: "pin", room: "#lobby", sequence: 3, on: true }],
  ["/unpin #3", { type: "pin", room: "#lobby", sequence: 3, on: false }],
  ["/history", history({ from: "before", sequence: undefined }, 50)],
  ["/history 20", history({ from: "before", sequence: undefined }, 20)],
  ["/history #20", history({ from: "around", sequence: 20 }, 50)],
  ["/history 2h", history({ from: "since", time: SCENE.now - 7_200_000 }, 100)],
  ["/history 2026-11-20", history({ from: "since", time: new Date(2026, 10, 20).getTime() }, 100)],
  [
    "/history 2026-11-20 14:30",
    history({ from: "since", time: new Date(2026, 10, 20, 14, 30).getTime() }, 100),
  ],
  ["/read", { type: "read", room: "#lobby" }],
  ["/read @ben", { type: "read", room: "@ben" }],
  ["/check", { type: "check", room: "#lobby" }],
  ["/check dev", { type: "check", room: "#dev" }],
  ["/join #dev", { type: "join", room: "#dev" }],
  ["/join dev", { type: "join", room: "#dev" }],
  ["/create #dev", { type: "create", room: "#dev", visibility: "public" }],
  ["/create dev private", { type: "create", room: "#dev", visibility: "private" }],
  ["/rooms", { type: "rooms" }],
  ["/list", { type: "list" }],
  ["/names", { type: "members", room: "#lobby" }],
  ["/who #dev", { type: "members", room: "#dev" }],
  ["/topic All about  it", { type: "topic", room: "#lobby", topic: "All about  it" }],
  ["/topic -", { type: "topic", room: "#lobby", topic: "" }],
  ["/part", { type: "part", room: "#lobby" }],
  ["/part #dev", { type: "part", room: "#dev" }],
  ["/knock #dev", { type: "knock", room: "#dev" }],
  ["/whois @ben", { type: "whois", handle: "ben" }],
  ["/verify ben", { type: "verify", handle: "ben" }],
  ["/accept ben", { type: "accept", handle: "ben" }],
  ["/allow ben", { type: "allow", room: "#lobby", handle: "ben" }],
  ["/allow cas", { type: "allow", room: "#dev", handle: "cas" }],
  ["/allow dan", { type: "allow", room: "@dan", handle: "dan" }],
  ["/deny @cas", { type: "deny", room: "@cas", handle: "cas" }],
  ["/block ben", { type: "block", handle: "ben" }],
  ["/unblock ben", { type: "unblock", handle: "ben" }],
  ["/ignore ben", { type: "ignore", handle: "ben" }],
  ["/unignore ben", { type: "unignore", handle: "ben" }],
  ["/invite ben", { type: "invite", room: "#lobby", handle: "ben" }],
  ["/uninvite ben", { type: "uninvite", room: "#lobby", handle: "ben" }],
  ["/kick ben", { type: "kick", room: "#lobby", handle: "ben", reason: undefined }],
  ["/kick ben be kind", { type: "kick", room: "#lobby", handle: "ben", reason: "be kind" }],
  ["/ban ben", moderation("ban", undefined, undefined)],
  ["/ban ben 30m", moderation("ban", 1_800_000, undefined)],
  ["/ban ben 2h be kind", moderation("ban", 7_200_000, "be kind")],
  ["/ban ben be kind for 2h", moderation("ban", undefined, "be kind for 2h")],
  ["/mute ben 7d", moderation("mute", 604_800_000, undefined)],
  ["/unban ben", { type: "unban", room: "#lobby", handle: "ben" }],
  ["/unmute ben", { type: "unmute", room: "#lobby", handle: "ben" }],
  ["/role ben Operator", { type: "role", room: "#lobby", handle: "ben", role: "operator" }],
  ["/op ben", { type: "role", room: "#lobby", handle: "ben", role: "operator" }],
  ["/deop ben", { type: "role", room: "#lobby", handle: "ben", role: "member" }],
  ["/slow 30", { type: "slow", room: "#lobby", seconds: 30 }],
  ["/slow 30s", { type: "slow", room: "#lobby", seconds: 30 }],
  ["/slow off", { type: "slow", room: "#lobby", seconds: 0 }],
  ["/lockdown on", { type: "lockdown", room: "#lobby", on: true }],
  ["/visibility private", { type: "visibility", room: "#lobby", visibility: "private" }],
  ["/rename hall", { type: "rename", room: "#lobby", name: "#hall" }],
  ["/newcomers none", { type: "newcomers", room: "#lobby", history: 0 }],
  ["/newcomers all", { type: "newcomers", room: "#lobby", history: "all" }],
  ["/newcomers 50", { type: "newcomers", room: "#lobby", history: 50 }],
  ["/retention 30", { type: "retention", room: "#lobby", days: 30 }],
  ["/retention off", { type: "retention", room: "#lobby", days: 0 }],
  ["/put my picture.png", { type: "put", room: "#lobby", path: "my picture.png" }],
  ['/put "my picture.png"', { type: "put", room: "#lobby", path: "my picture.png" }],
  ["/get #3", { type: "get", room: "#lobby", sequence: 3, path: undefined }],
  ["/get #3 my folder", { type: "get", room: "#lobby", sequence: 3, path: "my folder" }],
  ["/nick Zoë O’Neill", { type: "nick", display: "Zoë O’Neill" }],
  ["/nick", { type: "nick", display: "" }],
  ["/away", { type: "away", text: undefined }],
  ["/away at lunch", { type: "away", text: "at lunch" }],
  ["/back", { type: "back" }],
  ["/receipts off", { type: "receipts", on: false }],
  ["/typing on", { type: "typingShown", on: true }],
  ["/devices", { type: "devices" }],
  ["/approve my old phone", { type: "approve", name: "my old phone" }],
  ['/approve "my old phone"', { type: "approve", name: "my old phone" }],
  ['/revoke "my" phone', { type: "revoke", name: '"my" phone' }],
];

function history(
  where: Extract<ClientRequest, { type: "history" }>["where"],
  limit: number,
): ClientRequest {
  return { type: "history", room: "#lobby", where, limit };
}

function moderation(
  type: "ban" | "mute",
  lasting: number | undefined,
  reason: string | undefined,
): ClientRequest {
  return { type, room: "#lobby", handle: "ben", lasting, reason };
}

test("every command asks for what it says", () => {
  for (const [line, request] of ASKED) deepEqual(asked(line).request, request, line);
  const local = ["go", "query", "more", "numbers", "fingerprint", "help", "quit"];
  const tried = new Set(ASKED.map(([line]) => /^\/(\S+)/.exec(line)?.[1]));
  for (const { name, aliases } of ROWS) {
    ok(local.includes(name) || [name, ...aliases].some((word) => tried.has(word)), name);
  }
});

test("commands of this program alone ask nothing of the connection", () => {
  deepEqual(parse("/go dev"), { kind: "go", room: "#dev" });
  deepEqual(parse("/go @ben"), { kind: "go", room: "@ben" });
  deepEqual(parse("/query ben"), { kind: "go", room: "@ben" });
  deepEqual(parse("/topic"), { kind: "topic" });
  deepEqual(parse("/more"), { kind: "more" });
  deepEqual(parse("/numbers on"), { kind: "numbers", on: true });
  deepEqual(parse("/numbers off"), { kind: "numbers", on: false });
  deepEqual(parse("/fingerprint"), { kind: "fingerprint" });
  deepEqual(parse("/help"), { kind: "help", row: undefined });
  const command = parse("/help /leave");
  equal(command.kind === "help" && command.row?.name, "part");
  for (const line of ["/quit", "/q", "exit", "quit()", " exit "]) deepEqual(parse(line), { kind: "quit" });
});

test("joining, making and writing to somebody goes there, and nothing else does", () => {
  for (
    const [line, goTo] of [["/join dev", "#dev"], ["/create dev", "#dev"], ["/msg ben hi", "@ben"]] as const
  ) {
    equal(asked(line).goTo, goTo);
  }
  for (const [line] of ASKED) {
    if (!/^\/(?:join|create|msg) /.test(line)) equal(asked(line).goTo, undefined, line);
  }
});

test("every word of the table stands for one command", () => {
  const words = ROWS.flatMap(({ name, aliases }) => [name, ...aliases]);
  equal(new Set(words).size, words.length);
  for (const { name, aliases } of ROWS) {
    for (const alias of aliases) {
      const [one, other] = [parse(`/${alias} ben x`), parse(`/${name} ben x`)];
      deepEqual(JSON.stringify(one), JSON.stringify(other), alias);
    }
  }
});

/** What does not fit each kind of argument, as help shows it. */
const MISFITS: Readonly<Record<string, readonly string[]>> = {
  "NAME": ["Ben", "b,n", "\u202eben", "b".repeat(33)],
  "#N": ["x", "#", "#0", "-1", "1.5", "9".repeat(16), "^^^^", "#12x"],
  "#ROOM": ["@ben", "#", "#Dev", "##dev", `#${"d".repeat(33)}`],
  "ROOM": ["#", "@", "#Dev", "@Ben", "de:v"],
  "TEXT|-": ["t".repeat(257)],
  "TIME": ["30", "30x", "0s", "9999w", "2hours"],
  "EMOJI": ["e".repeat(41)],
  "REASON": ["r".repeat(257)],
  "on|off": ["yes", "1"],
  "public|private": ["secret"],
  "ROLE": ["king", "constructor"],
  "none|N|all": ["some", "-1", "1.5", "toString"],
  "DAYS|off": ["3651", "-1", "x", "1h"],
  "SECONDS|off": ["21601", "-1", "x"],
  "N|#N|TIME": ["0", "101", "#0", "x", "25:00", "2026-02-30", "2099-01-01", "#", "#1 2"],
  "PATH": ["p".repeat(4_097)],
  "COMMAND": ["weather"],
};

/** What fits it. */
const FITS: Readonly<Record<string, string>> = {
  "NAME": "ben",
  "#N": "#1",
  "#ROOM": "#dev",
  "ROOM": "#dev",
  "TEXT": "x",
  "TEXT|-": "x",
  "TIME": "2h",
  "EMOJI": "👍",
  "on|off": "on",
  "public|private": "private",
  "ROLE": "member",
};

test("each command with wrong arguments gives one sentence and asks nothing", () => {
  let cases = 0;
  for (const row of ROWS) {
    const before: string[] = [];
    if (row.args.length === 0) cases += refused(`/${row.name} x`);
    for (const { shown, extent, optional } of row.args) {
      // Devices have names of another kind, which the account's list judges.
      const isDevice = shown === "NAME" && extent === "rest";
      if (!optional) cases += refused([`/${row.name}`, ...before].join(" "));
      for (const misfit of isDevice ? [] : MISFITS[shown] ?? []) {
        // What has no digit in front is the reason.
        if (shown === "TIME" && !/^\d/.test(misfit)) continue;
        cases += refused([`/${row.name}`, ...before, misfit].join(" "));
      }
      before.push(FITS[shown] ?? "x");
    }
    if (row.args.length > 0 && row.args.at(-1)?.extent === "word") {
      cases += refused([`/${row.name}`, ...before, "more"].join(" "));
    }
  }
  ok(cases > 200, String(cases));
});

function refused(line: string): number {
  const sentence = refusal(line);
  match(sentence, SENTENCE, line);
  equal(visible(sentence), sentence);
  ok(sentence.length < 300, sentence);
  return 1;
}

test("a refusal says what to write", () => {
  const cases = {
    "/approve": "Cannot do /approve: NAME is missing; write /approve NAME",
    "/whois ": "Cannot do /whois: NAME is missing; write /whois NAME",
    "/verify ben and cara": "Cannot do /verify: NAME is one word; write /verify NAME",
    "/devices all": "Cannot do /devices: nothing may follow it; write it alone",
    "/reply": "Cannot do /reply: #N is missing; write /reply #N TEXT",
    "/reply #12": "Cannot do /reply: TEXT is missing; write /reply #N TEXT",
    "/reply hello": 'Cannot do /reply: "hello" is no number of a message such as #12; write /reply #N TEXT',
    "/reply ^^^^ x": "Cannot do /reply: no message was shown here that ^^^^ could mean; write /reply #N TEXT",
    "/ban ben 30": 'Cannot do /ban: "30" is no time such as 30m, 2h or 7d; write /ban NAME [TIME] [REASON]',
    "/ban ben 999w":
      "Cannot do /ban: a time is at most 3,650 days; without one it has no end; write /ban NAME [TIME] [REASON]",
    "/ban Ben": 'Cannot use "Ben" as a name: "B" is a capital letter; use "ben"',
    "/join #Dev": 'Cannot use "Dev" as the name of a room: "D" is a capital letter; use "dev"',
    "/join @ben": "Cannot do /join: that is for rooms whose names begin with #; write /join #ROOM",
    "/history 101":
      "Cannot do /history: a number of messages is a whole number from 1 to 100; write /history [N|#N|TIME]",
    "/slow 99999":
      "Cannot do /slow: a number of seconds is a whole number from 0 to 21600; write /slow SECONDS|off",
    [`/away ${"é".repeat(65)}`]: "Cannot do /away: what you say has at most 128 octets; write /away [TEXT]",
    "/lockdown now": 'Cannot do /lockdown: "now" is not on|off; write /lockdown on|off',
  };
  for (const [line, sentence] of Object.entries(cases)) equal(refusal(line), sentence);
});

test("an unknown command sends nothing, and the nearest is suggested", () => {
  const cases: readonly (readonly [line: string, sentence: RegExp])[] = [
    ["/qiut", /^Cannot do \/qiut: .*did you mean \/quit\?$/],
    ["/hepl me", /did you mean \/help\?$/],
    ["/weather", /\/help lists the commands$/],
    ["/", /\/help lists the commands$/],
    ["/Quit", /did you mean \/quit\?$/],
    ["/help hepl", /did you mean \/help\?$/],
    ["/quit now", /^Cannot do \/quit: nothing may follow it/],
    ["/constructor", /there is no such command/],
  ];
  for (const [line, sentence] of cases) match(refusal(line), sentence);
});

test("attack 31: a refusal repeats of any line only what can be shown, and little", async () => {
  const words = fc.constantFrom("", ...ROWS.flatMap(({ name }) => [name, `${name} ben `, `${name} #1 `]));
  await check(
    fc.property(words, fc.string({ unit: "binary", maxLength: 200 }), (word, rest) => {
      const command = parse(`/${word} ${rest}`);
      if (command.kind !== "refused") return;
      equal(visible(command.sentence), command.sentence);
      ok(command.sentence.length < 500);
    }),
    3_000,
  );
});
