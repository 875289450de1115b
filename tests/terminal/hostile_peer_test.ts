/**
 * Every field that a peer fills, filled by one that means harm, through both modes and both variants of the
 * line mode. The decoders below refuse most of it already; the front ends do not count on that.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { ClientEvent, DeviceLine } from "../../lib/client/event.ts";
import { INDENT_COLUMNS } from "../../lib/terminal/layout.ts";
import { runJsonMode } from "../../lib/terminal/json_mode.ts";
import { runLineMode } from "../../lib/terminal/line_mode.ts";
import { localClock, localDay } from "../../lib/terminal/phrase.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { test } from "../sanitized.ts";
import { deed, FakeTalk, hostile, message, room } from "./fake_talk.ts";

const ATTACKS: readonly (readonly [name: string, text: string])[] = [
  ["clear the screen", "\x1b[2J\x1b[H"],
  ["a title", "\x1b]0;owned\x07"],
  ["OSC 52, the clipboard", "\x1b]52;c;cm0gLXJmIC8=\x07"],
  ["OSC 8, a link", "\x1b]8;;http://evil.example\x1b\\bank\x1b]8;;\x1b\\"],
  ["a device query", '\x1b[c\x1b[6n\x1bP$q"p\x1b\\'],
  ["C1", "\x9b2J\x9d52;c;eA==\x9c\x85\x90\x98"],
  ["carriage return", "safe\r12:00:00 #lobby <ann> fake ☒"],
  ["backspace and delete", "yes\b\b\bno\x7f"],
  ["bell", "\x07\x07\x07"],
  ["shift out, null, vertical tab, form feed", "\x0e\0\x0b\x0c"],
  ["a very long line", "x".repeat(8_192)],
  ["a tower of marks", `Z${"\u0301".repeat(4_000)}`],
  ["bidi and zero-width", "\u202egpj.exe\u200b\u2066\u061c\ufeff\u2028\u2029"],
  ["colours like ours", "\x1b[2m00:00:00 #lobby\x1b[22m"],
  ["a lone surrogate", "\ud800"],
];

/** Each string that a peer fills, by field. A line feed is allowed in a message's text alone. */
function events(text: string): readonly (readonly [field: string, event: ClientEvent])[] {
  const id = "0".repeat(32);
  return [
    ["text", message({ text })],
    ["text of several lines", message({ text: `${text}\n${text}\r\n${text}` })],
    ["from", message({ from: hostile(text) })],
    ["room", message({ room: text })],
    ["id", message({ id: text })],
    ["reason", message({ verified: false, reason: text })],
    ["display", message({ display: text })],
    ["device", message({ device: text })],
    ["source", message({ source: hostile(text) })],
    ["bridge's guest", message({ source: "bridge", from: text, verified: false, reason: "bridged" })],
    ["operator's text", message({ source: "console", from: "console", text, verified: false })],
    ["handle of keys", { type: "keys", handle: hostile(text), news: "identityChanged", detail: undefined }],
    ["handle of a refused list", { type: "keys", handle: hostile(text), news: "listRefused", detail: text }],
    ["new device", { type: "keys", handle: hostile("ben"), news: "deviceAdded", detail: text }],
    ["revoked device", { type: "keys", handle: hostile("ben"), news: "deviceRevoked", detail: text }],
    ["new display name", { type: "keys", handle: hostile("ben"), news: "renamed", detail: text }],
    ["news", { type: "keys", handle: hostile("ben"), news: hostile(text), detail: text }],
    ["approval", { type: "approval", name: text, words: [text, text] }],
    ["devices", { type: "devices", devices: [device(text)] }],
    ["person", {
      type: "person",
      handle: hostile(text),
      display: text,
      words: [text],
      trust: "changed",
      devices: [device(text)],
    }],
    ["trust", {
      type: "person",
      handle: hostile("ben"),
      display: undefined,
      words: [],
      trust: hostile(text),
      devices: [],
    }],
    ["done", { type: "done", what: text }],
    ["time", message({ time: Number.MAX_SAFE_INTEGER })],
    ["presence name", presence("online", text)],
    ["presence names", { ...presence("here", text), time: 8.7e15 }],
    ["presence text", { ...presence("away", "ben"), text }],
    ["presence change", presence(hostile(text), "ben")],
    ["reply", message({ kind: "reply", about: { sequence: 1, from: text, text } })],
    ["file of a message", message({ kind: "file", file: { id: text, name: text, size: 1 } })],
    ["who deleted", message({ deletedBy: text })],
    ["reactions", message({ reactions: [{ reaction: text, by: [text] }] })],
    ["server's text", message({ source: "server", from: "server", text, verified: false })],
    ["who did", deed({ kind: "pin", body: { on: true } }, { from: text })],
    ["where it was done", deed({ kind: "pin", body: { on: true } }, { room: text })],
    ["what it is about", deed({ kind: "delete", body: {} }, { about: { sequence: 1, from: text, text } })],
    ["why it is doubtful", deed({ kind: "pin", body: { on: true } }, { verified: false, reason: text })],
    ["something erased", deed(undefined, { from: text })],
    ...deeds(text).map((what): readonly [string, ClientEvent] => [
      `body of ${JSON.stringify(what).slice(0, 60)}`,
      deed(what),
    ]),
    ["typing", { type: "typing", room: "@ben", handle: hostile(text), on: true }],
    ["delivery", { type: "delivery", room: `@${text}`, sequence: 1, state: "read" }],
    ["room's name", room({ news: "joined", room: text })],
    ["room's role", room({ news: "joined", role: hostile(text) })],
    ["room's topic", room({ settings: { ...room().settings, topic: text, visibility: hostile(text) } })],
    ["rooms", {
      type: "rooms",
      rooms: (["member", "invited", "knocking", "requested"] as const).map((standing) =>
        room({ room: text, standing, role: hostile(text) })
      ),
    }],
    ["directory", { type: "directory", rooms: [{ room: text, topic: text, members: 1 }] }],
    ["members", {
      type: "members",
      room: text,
      members: [{ handle: hostile(text), role: hostile(text), state: "away" }],
    }],
    ["page", { type: "page", room: text, first: 1, last: 2, more: true }],
    ["integrity", { type: "integrity", room: text, from: 1, upTo: 2, flaws: [], asked: true }],
    ["flaws", {
      type: "integrity",
      room: text,
      from: 1,
      upTo: 2,
      flaws: [{ kind: hostile(text), from: 1, to: 2 }],
      asked: false,
    }],
    ["gone", { type: "gone", room: text, why: "kicked" }],
    ["why gone", { type: "gone", room: "#lobby", why: hostile(text) }],
    ["who invites", { type: "request", asks: "invited", room: text, handle: hostile(text), words: [] }],
    ["who knocks", { type: "request", asks: "knocking", room: text, handle: hostile(text), words: [] }],
    ["who wants to talk", {
      type: "request",
      asks: "requested",
      room: text,
      handle: hostile(text),
      words: [text],
    }],
    ["what is asked", { type: "request", asks: hostile(text), room: text, handle: undefined, words: [] }],
    ["file on its way", file(text)],
    ["file that is there", { ...file(text), done: true, path: text }],
    ["file that failed", { ...file(text), failure: text }],
    ["queued", { type: "queued", room: text, id, text, wait: undefined }],
    ["fault code", { ...FAULT, code: hostile(text) }],
    ["fault's facts", { ...FAULT, room: text, about: text, text }],
    ["detail", { type: "state", state: "closed", detail: text }],
    ["state", { type: "state", state: hostile(text), detail: undefined }],
    ["unacknowledged", { type: "unacknowledged", room: text, id, text }],
    ["ack", { type: "ack", room: text, id: text, sequence: 1, time: 0 }],
  ];
}

const FAULT = {
  type: "fault",
  code: "muted",
  room: undefined,
  about: undefined,
  text: undefined,
  wait: undefined,
} as const;

function presence(
  change: "here" | "online" | "away",
  name: string,
): Extract<ClientEvent, { type: "presence" }> {
  return { type: "presence", change, names: [hostile(name)], text: undefined, time: 0 };
}

function file(text: string): Extract<ClientEvent, { type: "file" }> {
  return {
    type: "file",
    way: "get",
    room: text,
    id: text,
    name: text,
    bytes: 1,
    size: 2e6,
    done: false,
    path: undefined,
    failure: undefined,
  };
}

/** Whatever an entry of a log may say, said by one that means harm. */
function deeds(text: string): readonly EntryBody[] {
  const who = hostile<Handle>(text);
  return [
    { kind: "text", body: { text } },
    { kind: "reply", body: { text } },
    { kind: "edit", body: { text } },
    { kind: "delete", body: { reason: text } },
    { kind: "reaction", body: { reaction: text, on: true } },
    { kind: "reaction", body: { reaction: text, on: false } },
    { kind: "file", body: { file: new Uint8Array(16), name: text, size: 1, sha256: new Uint8Array(32) } },
    { kind: "topic", body: { topic: text } },
    { kind: "notice", body: { source: "bridge", name: text, text } },
    ...(["invite", "uninvite", "allow", "deny", "join", "part"] as const).map((change) =>
      ({ kind: "membership", body: { change, handle: who } }) as const
    ),
    { kind: "membership", body: hostileBody({ change: text }) },
    ...(["kick", "ban", "unban", "mute", "unmute"] as const).map((act) =>
      ({
        kind: "moderation",
        body: hostileBody<never>({ act, handle: text, until: 8.7e15, reason: text }),
      }) as const
    ),
    { kind: "moderation", body: { act: "role", handle: who, role: hostile(text) } },
    { kind: "moderation", body: hostileBody({ act: text, handle: text }) },
    { kind: "room", body: { act: "create", kind: "open", name: text, visibility: hostile(text) } },
    { kind: "room", body: { act: "create", kind: "direct", with: who } },
    { kind: "room", body: { act: "rename", name: text } },
    { kind: "room", body: { act: "visibility", visibility: hostile(text) } },
    { kind: "room", body: hostileBody({ act: text }) },
    hostileBody<EntryBody>({ kind: text, body: {} }),
  ];
}

/** An object that a type takes for safe although a hostile peer wrote it. */
function hostileBody<Claimed>(value: unknown): Claimed {
  return JSON.parse(JSON.stringify(value));
}

function device(name: string): DeviceLine {
  return { name, added: 8.7e15, revoked: 8.7e15, here: true };
}

/** What our own front end writes besides text: colours, and what moves the cursor about the typed line. */
// deno-lint-ignore no-control-regex
const OWN_COLOURS = /\x1b\[(?:2|22|32|33|36|39)m/g;
// deno-lint-ignore no-control-regex
const OWN_MOVES = /\x1b\[(?:\d*[AG]|0J)|\r\n/g;

function dangers(output: string): string[] {
  return Array.from(
    output.matchAll(/[\p{C}\p{Zl}\p{Zp}\u200b-\u200f]/gu),
    ([character]) => character.charCodeAt(0).toString(16),
  );
}

type Run = (talk: FakeTalk, out: (text: string) => Promise<void>) => Promise<unknown>;

async function everything(run: Run, attacks = ATTACKS) {
  const outputs: { readonly what: string; readonly output: string }[] = [];
  for (const [name, text] of attacks) {
    for (const [field, event] of events(text)) {
      const talk = new FakeTalk();
      let output = "";
      talk.say(event);
      talk.end();
      await run(talk, (part) => Promise.resolve(void (output += part)));
      outputs.push({ what: `${name} in ${field}`, output });
    }
  }
  equal(outputs.length, attacks.length * events("").length);
  return outputs;
}

function piped(colour: boolean): Run {
  return (talk, write) =>
    runLineMode(talk, {
      input: { kind: "piped", bytes: new ReadableStream() },
      write,
      writeError: write,
      clock: localClock,
      day: localDay,
      now: () => 0,
      room: "#lobby",
      fingerprint: "",
      colour,
    });
}

test("attack 31: piped, only printable text, line ends and our own colours come out", async () => {
  for (const colour of [false, true]) {
    const outputs = await everything(piped(colour));
    const harmless = await everything(piped(colour), [["nothing", "harmless"]]);
    for (const [at, { what, output }] of outputs.entries()) {
      const rows = output.split("\n");
      deepEqual(dangers(rows.join("").replace(colour ? OWN_COLOURS : /(?!)/g, "")), [], what);
      equal(rows.length, harmless[at % harmless.length]?.output.split("\n").length, what);
      equal(rows.at(-1), "", what);
      // Where lines of others begin, no peer's text does.
      for (const row of rows.slice(1, -1)) ok(row.startsWith(" ".repeat(INDENT_COLUMNS)), `${what}: ${row}`);
    }
  }
});

test("attack 31: on a screen, only printable text and our own moves and colours come out", async () => {
  for (const colour of [false, true]) {
    const outputs = await everything((talk, write) =>
      runLineMode(talk, {
        input: {
          kind: "terminal",
          terminal: { keys: new PassThrough(), columns: () => 40 },
        },
        write,
        writeError: write,
        clock: localClock,
        day: localDay,
        now: () => 0,
        room: "#lobby",
        fingerprint: "",
        colour,
      })
    );
    for (const { what, output } of outputs) {
      deepEqual(dangers(output.replace(colour ? OWN_COLOURS : /(?!)/g, "").replace(OWN_MOVES, "")), [], what);
    }
  }
});

test("attack 31: in JSON, only printable text and line ends come out, one line an event", async () => {
  const outputs = await everything((talk, write) =>
    runJsonMode(talk, {
      bytes: new ReadableStream(),
      write,
      writeError: write,
      fingerprint: "",
      room: "#lobby",
    })
  );
  for (const { what, output } of outputs) {
    deepEqual(dangers(output.slice(0, -1)), [], what);
    ok(output.endsWith("\n"), what);
    JSON.parse(output);
  }
});

test("attack 31: what was told is safe where it is shown again: the topic, the prompt, what is asked where", async () => {
  for (const [name, text] of ATTACKS) {
    const talk = new FakeTalk();
    talk.refusal = text;
    let output = "";
    const input = new PassThrough();
    const write = (text: string) => Promise.resolve(void (output += text));
    const running = runLineMode(talk, {
      input: { kind: "terminal", terminal: { keys: input, columns: () => 80 } },
      write,
      writeError: write,
      clock: localClock,
      day: localDay,
      now: () => 0,
      room: "#lobby",
      fingerprint: "",
      colour: false,
    });
    talk.say(
      room({ settings: { ...room().settings, topic: text } }),
      { type: "request", asks: "knocking", room: text, handle: hostile("ben"), words: [] },
    );
    await talk.until(({ taken }) => taken === 2);
    input.write("/topic\r/accept ben\r");
    await talk.until(({ requests }) => requests.length === 1);
    talk.say(deed({ kind: "room", body: { act: "rename", name: text } }));
    await talk.until(({ taken }) => taken === 3);
    input.write("x\r\x04");
    await running;
    deepEqual(dangers(output.replace(OWN_MOVES, "")), [], name);
  }
});
