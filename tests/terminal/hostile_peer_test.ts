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
import { localClock } from "../../lib/terminal/phrase.ts";
import { test } from "../sanitized.ts";
import { FakeTalk, hostile, message } from "./fake_talk.ts";

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
    ["presence name", {
      type: "presence",
      room: "#lobby",
      change: "joined",
      names: [hostile(text)],
      time: 0,
    }],
    ["presence names", {
      type: "presence",
      room: "#lobby",
      change: "here",
      names: [hostile(text)],
      time: 8.7e15,
    }],
    ["presence room", { type: "presence", room: text, change: "left", names: [hostile("ben")], time: 0 }],
    ["presence change", { type: "presence", room: "#lobby", change: hostile(text), names: [], time: 0 }],
    ["fault code", { type: "fault", code: hostile(text), about: undefined }],
    ["fault about", { type: "fault", code: "notJoined", about: text }],
    ["detail", { type: "state", state: "closed", detail: text }],
    ["state", { type: "state", state: hostile(text), detail: undefined }],
    ["unacknowledged", { type: "unacknowledged", room: text, id, text }],
    ["ack", { type: "ack", room: text, id: text, sequence: 1, time: 0 }],
  ];
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
    runJsonMode(talk, { bytes: new ReadableStream(), write, writeError: write, fingerprint: "" })
  );
  for (const { what, output } of outputs) {
    deepEqual(dangers(output.slice(0, -1)), [], what);
    ok(output.endsWith("\n"), what);
    JSON.parse(output);
  }
});

test("attack 31: names that presence told are safe in the answer to /names", async () => {
  const talk = new FakeTalk();
  let output = "";
  const input = new PassThrough();
  const write = (text: string) => Promise.resolve(void (output += text));
  const running = runLineMode(talk, {
    input: { kind: "terminal", terminal: { keys: input, columns: () => 80 } },
    write,
    writeError: write,
    clock: localClock,
    fingerprint: "",
    colour: false,
  });
  for (const [, text] of ATTACKS) {
    talk.say({ type: "presence", room: "#lobby", change: "here", names: [hostile(text)], time: 0 });
  }
  await talk.until(({ taken }) => taken === ATTACKS.length);
  input.write("/names\r\x04");
  await running;
  deepEqual(dangers(output.replace(OWN_MOVES, "")), []);
});
