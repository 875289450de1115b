import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { PassThrough } from "node:stream";
import { INDENT_COLUMNS } from "../../lib/terminal/layout.ts";
import { type LineModeIo, PASTED_LINES_MAX, runLineMode } from "../../lib/terminal/line_mode.ts";
import type { ModeOutcome } from "../../lib/terminal/output.ts";
import { localClock } from "../../lib/terminal/phrase.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { clock, FakeTalk, handle, message } from "./fake_talk.ts";
import { Screen } from "./screen.ts";

/** What a piped run printed and how it ended. */
interface Piped {
  readonly outcome: ModeOutcome;
  readonly out: string;
  readonly err: string;
}

async function piped(
  talk: FakeTalk,
  input: string | ReadableStream<Bytes>,
  changes: Partial<LineModeIo> = {},
): Promise<Piped> {
  let out = "";
  let err = "";
  const bytes: ReadableStream<Bytes> = typeof input === "string" ? ReadableStream.from([utf8(input)]) : input;
  const outcome = await runLineMode(talk, {
    input: { kind: "piped", bytes },
    write: (text) => Promise.resolve(void (out += text)),
    writeError: (text) => Promise.resolve(void (err += text)),
    clock,
    fingerprint: "SHA256:abc",
    colour: false,
    ...changes,
  });
  return { outcome, out, err };
}

function never(): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>();
}

/** A person at a screen. */
class Person {
  readonly talk = new FakeTalk();
  readonly keys = new PassThrough();
  readonly screen: Screen;
  readonly outcome: Promise<ModeOutcome>;

  constructor(columns = 60, changes: Partial<LineModeIo> = {}) {
    this.screen = new Screen(columns);
    this.outcome = runLineMode(this.talk, {
      input: { kind: "terminal", terminal: { keys: this.keys, columns: () => columns } },
      write: (text) => this.screen.write(text),
      writeError: () => Promise.reject(new Error("the screen is for all")),
      clock,
      fingerprint: "SHA256:abc",
      colour: false,
      ...changes,
    });
  }

  async type(keys: string): Promise<void> {
    this.keys.write(keys);
    await settled();
  }

  /** `type` as a person does, a key at a time. */
  async typeEach(keys: string): Promise<void> {
    for (const key of keys) await this.type(key);
  }

  async hear(...texts: readonly string[]): Promise<void> {
    this.talk.say(...texts.map((text) => message({ text })));
    await settled();
  }

  async shows(...rows: readonly string[]): Promise<void> {
    await settled();
    deepEqual(this.screen.rows, rows);
  }
}

/** Lets streams, promises and readline do what they have to do. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

test("piped: each line is a message, and the end of the input asks for the end", async () => {
  const talk = new FakeTalk();
  talk.acknowledges = true;
  const { outcome, out, err } = await piped(talk, "hello\n\n  \r\n//etc\n  last");
  deepEqual(talk.requests.map(({ type }) => type), ["send", "send", "send", "quit"]);
  deepEqual(talk.sent, ["hello", "/etc", "  last"]);
  deepEqual(outcome, { end: "inputEnded", badInput: false, undelivered: 0 });
  equal(err, "");
  equal(
    out,
    "00:00:00 #lobby <ann> hello ☒\n" +
      "00:00:00 #lobby <ann> /etc ☒\n" +
      "00:00:00 #lobby <ann>   last ☒\n",
  );
});

test("piped: every event has its form", async () => {
  const talk = new FakeTalk();
  talk.say(
    { type: "state", state: "connecting", detail: undefined },
    { type: "state", state: "ready", detail: "127.0.0.1:8443" },
    {
      type: "presence",
      room: "#lobby",
      change: "here",
      names: [handle("ann"), handle("ben")],
      time: 3_661_000,
    },
    { type: "presence", room: "#lobby", change: "joined", names: [handle("cas")], time: 0 },
    { type: "presence", room: "#lobby", change: "left", names: [handle("ben")], time: 0 },
    message(),
    message({ text: "one\n\ttwo\nthree", verified: false, reason: "bad signature" }),
    { type: "ack", room: "#lobby", id: "0".repeat(32), sequence: 1, time: 0 },
    { type: "fault", code: "noSuchRoom", about: "0".repeat(32) },
    { type: "unacknowledged", room: "#lobby", id: "0".repeat(32), text: "lost\nmaybe" },
    { type: "state", state: "cut", detail: undefined },
  );
  talk.end();
  const { outcome, out, err } = await piped(talk, never());
  deepEqual(outcome, { end: "connectionEnded", badInput: false, undelivered: 2 });
  deepEqual(out.split("\n"), [
    "01:01:01 #lobby * here: ann, ben",
    "00:00:00 #lobby * cas joined",
    "00:00:00 #lobby * ben left",
    "00:00:00 #lobby <ben> hello ☒",
    "00:00:00 #lobby <ben> one",
    "        two",
    "    three ☐ bad signature",
    "",
  ]);
  deepEqual(err.split("\n"), [
    "Connecting",
    "Connected: 127.0.0.1:8443",
    "Cannot send: the server has no such room; use #lobby",
    "Cannot say whether this arrived: the connection ended before it was acknowledged; " +
    "say it again if nobody heard it: lost␊maybe",
    "Connection cut",
    "",
  ]);
});

test("piped: after the end of the input, what arrives is printed to the last event", async () => {
  const talk = new FakeTalk();
  talk.endsOnQuit = false;
  const running = piped(talk, "hello\n");
  await talk.until(({ requests }) => requests.length === 2);
  talk.say(message({ text: "late" }));
  talk.end();
  match((await running).out, /<ben> late/);
});

test("piped: /quit, exit and quit() end, and what follows them is not read", async () => {
  for (const line of ["/quit", "/q", "exit", "quit()"]) {
    const talk = new FakeTalk();
    const { outcome } = await piped(talk, `one\n${line}\ntwo\n`);
    deepEqual(talk.sent, ["one"]);
    equal(outcome.end, "quit");
    equal(talk.requests.at(-1)?.type, "quit");
  }
});

test("piped: a line that is no message is told, not sent, and the rest goes on", async () => {
  const talk = new FakeTalk();
  const bytes = concat(
    utf8(`/hlep\n${"x".repeat(8_193)}\n`),
    Uint8Array.of(0xff, 0x0a),
    utf8(`${"y".repeat(100_000)}\nlast\n`),
  );
  const { outcome, err } = await piped(talk, ReadableStream.from([bytes]));
  deepEqual(talk.sent, ["last"]);
  equal(outcome.badInput, true);
  const sentences = err.trimEnd().split("\n");
  equal(sentences.length, 4);
  for (const sentence of sentences) match(sentence, /^Cannot .+: .+[;,] .+$/);
});

test("piped: a message that the connection does not take is told and counted", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot send: the connection\x1b[2J is gone; connect again";
  const { outcome, err } = await piped(talk, "one\ntwo\n");
  equal(outcome.undelivered, 2);
  equal(outcome.badInput, false);
  equal(err, "Cannot send: the connection␛[2J is gone; connect again\n".repeat(2));
});

test("piped: /names tells who is here, /help what there is", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  await writer.write(utf8("/names\n"));
  talk.say(
    { type: "presence", room: "#lobby", change: "here", names: [handle("cas"), handle("ben")], time: 0 },
    { type: "presence", room: "#lobby", change: "joined", names: [handle("ann")], time: 0 },
    { type: "presence", room: "#lobby", change: "left", names: [handle("ben")], time: 0 },
  );
  await talk.until(({ taken }) => taken === 3);
  await settled();
  await writer.write(utf8("/names\n/help\n"));
  await writer.close();
  const { out } = await running;
  match(out, /^Nobody is known to be here yet\n/);
  match(out, /^#lobby \* here: ann, cas$/m);
  match(out, /^ {4}\/\/TEXT +sends \/TEXT$/m);
  deepEqual(talk.sent, []);
});

test("piped: every command is asked of the connection, and its refusal is bad input", async () => {
  const talk = new FakeTalk();
  const lines = [
    "/devices",
    "/approve my phone",
    '/revoke "my phone"',
    "/nick Ann Müller",
    "/nick",
    "/whois @ben",
    "/verify ben",
    "/accept ben",
  ];
  const { outcome } = await piped(talk, lines.join("\n"));
  deepEqual(talk.requests, [
    { type: "devices" },
    { type: "approve", name: "my phone" },
    { type: "revoke", name: "my phone" },
    { type: "nick", display: "Ann Müller" },
    { type: "nick", display: "" },
    { type: "whois", handle: "ben" },
    { type: "verify", handle: "ben" },
    { type: "accept", handle: "ben" },
    { type: "quit" },
  ]);
  deepEqual([outcome.badInput, outcome.undelivered], [false, 0]);
  const refusing = new FakeTalk();
  refusing.refusal = "Cannot verify ben: nobody\x1b[2J of that name; look again";
  const refused = await piped(refusing, "/verify ben\n");
  deepEqual([refused.outcome.badInput, refused.outcome.undelivered], [true, 0]);
  equal(refused.err, "Cannot verify ben: nobody␛[2J of that name; look again\n");
});

test("piped: /fingerprint tells the server's, without the connection", async () => {
  const talk = new FakeTalk();
  const { out } = await piped(talk, "/fingerprint\n");
  equal(out, "fingerprint SHA256:abc\n");
  deepEqual(talk.requests, [{ type: "quit" }]);
});

test("piped: the input is read no faster than messages are taken", async () => {
  const talk = new FakeTalk();
  const window = Promise.withResolvers<void>();
  talk.window = window.promise;
  let pulled = 0;
  const input = new ReadableStream<Bytes>({
    pull(controller) {
      if (++pulled > 100) controller.close();
      else controller.enqueue(utf8("x\n"));
    },
  });
  const running = piped(talk, input);
  await settled();
  ok(pulled < 5, `${pulled}`);
  equal(talk.sent.length, 1);
  window.resolve();
  await running;
  equal(talk.sent.length, 100);
});

test("piped: events are taken no faster than they are written", async () => {
  const talk = new FakeTalk();
  for (let count = 0; count < 100; count++) talk.say(message());
  talk.end();
  const window = Promise.withResolvers<void>();
  const running = piped(talk, never(), { write: () => window.promise });
  await settled();
  equal(talk.taken, 1);
  window.resolve();
  await running;
  equal(talk.taken, 101);
});

test("piped: a reader that leaves ends it quietly, and input and connection are let go of", async () => {
  for (
    const cause of [new Deno.errors.BrokenPipe("gone"), Object.assign(new Error("gone"), { code: "EPIPE" })]
  ) {
    const talk = new FakeTalk();
    let cancelled = false;
    talk.say(message(), message(), { type: "state", state: "ready", detail: undefined });
    const input = new ReadableStream<Bytes>({ cancel: () => void (cancelled = true) });
    const { outcome, err } = await piped(talk, input, { write: () => Promise.reject(cause) });
    equal(outcome.end, "outputGone");
    equal(err, "");
    equal(cancelled, true);
    deepEqual(talk.requests, [{ type: "quit" }]);
  }
});

test("piped: other failures of output or input are thrown, once the connection has ended", async () => {
  const talk = new FakeTalk();
  talk.say(message(), message());
  let attempts = 0;
  const write = () => Promise.reject(new Error(`disk full ${++attempts}`));
  await rejects(piped(talk, never(), { write }), /disk full 1/);
  equal(attempts, 1);
  equal(talk.taken, 3);
  const failing = new ReadableStream<Bytes>({
    start: (controller) => controller.error(new Error("no input")),
  });
  const other = new FakeTalk();
  await rejects(piped(other, failing), /no input/);
  deepEqual(other.requests, [{ type: "quit" }]);
});

test("piped: when the connection ends, a pending read of the input is given up", async () => {
  const talk = new FakeTalk();
  let cancelled = false;
  const running = piped(talk, new ReadableStream<Bytes>({ cancel: () => void (cancelled = true) }));
  talk.end();
  equal((await running).outcome.end, "connectionEnded");
  equal(cancelled, true);
});

test("colours are written where they are wanted only", async () => {
  for (const colour of [true, false]) {
    const talk = new FakeTalk();
    talk.say(message());
    const { out } = await piped(talk, "", { colour });
    equal(out.includes("\x1b["), colour);
    // deno-lint-ignore no-control-regex
    equal(out.replace(/\x1b\[\d+m/g, ""), "00:00:00 #lobby <ben> hello ☒\n");
  }
});

test("the local clock gives times of day, and none for a time that no calendar has", () => {
  match(localClock(1_700_000_000_000), /^\d\d:\d\d:\d\d$/);
  equal(localClock(Number.MAX_SAFE_INTEGER), "--:--:--");
});

test("terminal: what arrives goes above the line being typed", async () => {
  const person = new Person();
  await person.typeEach("hel");
  await person.hear("one");
  await person.shows("00:00:00 #lobby <ben> one ☒", "ann> hel");
  deepEqual(person.screen.cursor, [1, 8]);
  await person.typeEach("lo\x1b[D\x1b[D");
  await person.hear("two");
  await person.type("p");
  await person.shows(
    "00:00:00 #lobby <ben> one ☒",
    "00:00:00 #lobby <ben> two ☒",
    "ann> helplo",
  );
  deepEqual(person.screen.cursor, [2, 9]);
  await person.type("\r");
  deepEqual(person.talk.sent, ["helplo"]);
  await person.type("\x03");
  await person.outcome;
});

test("terminal: an entered line disappears, and comes back as the message it became", async () => {
  const person = new Person();
  await person.typeEach("hello");
  await person.type("\r");
  await person.shows("ann>");
  person.talk.say(message({ from: handle("ann"), own: true }));
  await person.shows("00:00:00 #lobby <ann> hello ☒", "ann>");
  person.talk.end();
  equal((await person.outcome).end, "connectionEnded");
  await person.shows("00:00:00 #lobby <ann> hello ☒", "");
});

test("terminal: in 20 columns, rows, wide letters and edits in the middle keep their places", async () => {
  const person = new Person(20);
  await person.typeEach("abcdefghijklmn你好世界, one two three");
  await person.hear("hi");
  const heard = ["00:00:00 #lobby", "    <ben> hi ☒"];
  await person.shows(...heard, "ann> abcdefghijklmn", "你好世界, one two th", "ree");
  await person.typeEach("\x1b[D".repeat(15));
  await person.typeEach("\x7f\x7f");
  await person.shows(...heard, "ann> abcdefghijklmn", "你好, one two three");
  await person.hear("hi");
  await person.typeEach("XY");
  await person.shows(...heard, ...heard, "ann> abcdefghijklmn", "你好XY, one two thre", "e");
  await person.type("\r");
  await person.shows(...heard, ...heard, "ann>");
  deepEqual(person.talk.sent, ["abcdefghijklmn你好XY, one two three"]);
  await person.type("\x04");
  await person.outcome;
});

test("terminal: a wide letter that goes on to the next row does not draw the prompt twice", async () => {
  const person = new Person(20);
  await person.typeEach("abcdefghijklmn你");
  await person.type("\x7f");
  await person.type("\x7f");
  await person.shows("ann> abcdefghijklm");
  await person.typeEach("\x1b[D你");
  // The cursor is behind the last column, for which readline takes a new row.
  await person.shows("ann> abcdefghijkl你m", "");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: a line that fills its row to the last column", async () => {
  const person = new Person(20);
  await person.typeEach("abcdefghijklmno");
  await person.hear("hi");
  await person.typeEach("p");
  const heard = ["00:00:00 #lobby", "    <ben> hi ☒"];
  await person.shows(...heard, "ann> abcdefghijklmno", "p");
  await person.type("\x7f\r");
  await person.shows(...heard, "ann>");
  deepEqual(person.talk.sent, ["abcdefghijklmno"]);
  await person.type("\x03");
  await person.outcome;
});

test("terminal: a thousand messages while a line is typed leave the line intact", async () => {
  for (const columns of [20, 60]) {
    const person = new Person(columns);
    const line = "the quick brown fox, 你好世界, jumps";
    const letters = [...line];
    for (let at = 0; at < 1_000; at++) {
      person.talk.say(message({ text: `number ${at}` }));
      if (at % 25 === 0) await person.type(letters.shift() ?? "");
    }
    await person.typeEach(letters.join(""));
    await settled();
    const rows = person.screen.rows;
    const prompts = rows.filter((row) => row.includes("ann>"));
    equal(prompts.length, 1, "the prompt is there once");
    const from = rows.findIndex((row) => row.startsWith("ann>"));
    equal(rows.slice(from).join("").replaceAll(" ", ""), `ann>${line}`.replaceAll(" ", ""));
    const heard = rows.slice(0, from).join(" ");
    deepEqual(
      Array.from(heard.matchAll(/number\s+(\d+)/g), ([, at]) => Number(at)),
      Array.from({ length: 1_000 }, (_, at) => at),
    );
    await person.type("\r");
    deepEqual(person.talk.sent, [line]);
    await person.type("\x03");
    await person.outcome;
  }
});

test("terminal: each line of a paste is a message, in order, however its lines end", async () => {
  const person = new Person();
  person.talk.acknowledges = true;
  await person.type("one\rtwo\nthree\r\nfour\u2028fi");
  deepEqual(person.talk.sent, ["one", "two", "three", "four"]);
  await person.shows(
    ...["one", "two", "three", "four"].map((text) => `00:00:00 #lobby <ann> ${text} ☒`),
    "ann> fi",
  );
  await person.type("\x03");
  await person.outcome;
});

test("terminal: a paste that is too large is cut, and the keyboard is heard all the while", async () => {
  const person = new Person();
  const window = Promise.withResolvers<void>();
  person.talk.window = window.promise;
  await person.type("x\r".repeat(PASTED_LINES_MAX + 50));
  await person.type("\x03");
  deepEqual(person.talk.requests.at(-1), { type: "quit" });
  window.resolve();
  const { end, undelivered } = await person.outcome;
  equal(end, "quit");
  ok(undelivered >= PASTED_LINES_MAX);
  match(person.screen.rows.join("\n"), /Cannot send the last \d+ lines: the end came before/);
});

test("terminal: Ctrl-C, Ctrl-D and a keyboard that goes away ask for the end and let go of it", async () => {
  for (const key of ["\x03", "\x04", "ends", "fails"]) {
    const person = new Person();
    await person.hear("hi");
    if (key === "ends") person.keys.end();
    else if (key === "fails") person.keys.destroy(new Error("hung up"));
    else await person.type(key);
    const outcome = await person.outcome;
    deepEqual(outcome, { end: "quit", badInput: false, undelivered: 0 });
    deepEqual(person.talk.requests, [{ type: "quit" }]);
    equal(person.keys.listenerCount("data"), 0);
    ok(key === "ends" || key === "fails" || person.keys.isPaused(), "still read");
    await person.shows("00:00:00 #lobby <ben> hi ☒", "");
  }
});

test("terminal: what was typed and not entered is not said when the keyboard goes away", async () => {
  const person = new Person();
  await person.type("one\rhalf a li");
  person.keys.end();
  await person.outcome;
  deepEqual(person.talk.requests, [{ type: "send", room: "#lobby", text: "one" }, { type: "quit" }]);
});

test("terminal: Ctrl-D lets what was entered before it be said first", async () => {
  const person = new Person();
  await person.type("one\rtwo\r\x04");
  await person.outcome;
  deepEqual(person.talk.requests.map(({ type }) => type), ["send", "send", "quit"]);
});

test("terminal: what arrives after /quit is printed without a prompt", async () => {
  const person = new Person();
  person.talk.endsOnQuit = false;
  await person.type("/quit\r");
  await person.hear("late");
  person.talk.end();
  equal((await person.outcome).end, "quit");
  match(person.screen.rows.join("\n"), /<ben> late/);
  equal(person.screen.rows.at(-1), "");
});

test("terminal: Up brings back what was said, Ctrl-Z does nothing", async () => {
  const person = new Person();
  await person.type("first\r");
  await person.type("\x1a\x1b[A");
  await person.shows("ann> first");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: an empty line leaves an empty prompt, a wrong command a sentence", async () => {
  const person = new Person();
  await person.type("\r\r  \r");
  await person.shows("ann>");
  await person.type("/namse\r");
  await person.shows(
    "Cannot do /namse: there is no such command, and nothing was",
    "    sent; did you mean /names?",
    "ann>",
  );
  deepEqual(person.talk.sent, []);
  await person.type("\x03");
  equal((await person.outcome).badInput, false);
});

test("attack 31: no row of a peer's text begins where others' rows do, whatever its spaces", async () => {
  for (const columns of [20, 40, 61]) {
    for (let spaces = 0; spaces < 2 * columns; spaces++) {
      const person = new Person(columns);
      await person.hear(`你${" ".repeat(spaces)}00:00:00 #lobby <ann> I owe ben 1000 ☒`);
      const rows = person.screen.rows;
      for (const row of rows.slice(1, -1)) ok(row === "" || row.startsWith(" ".repeat(INDENT_COLUMNS)), row);
      person.talk.end();
      await person.outcome;
    }
  }
});
