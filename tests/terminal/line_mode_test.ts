import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { ClientRequest } from "../../lib/client/event.ts";
import { INDENT_COLUMNS } from "../../lib/terminal/layout.ts";
import { type LineModeIo, PASTED_LINES_MAX, runLineMode } from "../../lib/terminal/line_mode.ts";
import type { ModeOutcome } from "../../lib/terminal/output.ts";
import { localClock } from "../../lib/terminal/phrase.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { deed, FakeTalk, handle, LINE_IO, message, room } from "./fake_talk.ts";
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
    ...LINE_IO,
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
      ...LINE_IO,
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

/** What a person asked for, beside telling that they write. */
function asked({ talk }: Person): readonly ClientRequest[] {
  return talk.requests.filter(({ type }) => type !== "typing");
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

test("piped: what is said goes to standard output, what is about it to standard error", async () => {
  const talk = new FakeTalk();
  const id = "0".repeat(32);
  talk.say(
    { type: "state", state: "connecting", detail: undefined },
    { type: "state", state: "ready", detail: "127.0.0.1:8443" },
    {
      type: "presence",
      change: "here",
      names: [handle("ann"), handle("ben")],
      text: undefined,
      time: 3_661_000,
    },
    deed({ kind: "membership", body: { change: "join", handle: handle("cas") } }, { source: "server" }),
    message(),
    message({ text: "one\n\ttwo\nthree", verified: false, reason: "bad signature" }),
    { type: "queued", room: "#lobby", id: "1".repeat(32), text: "later", wait: undefined },
    { type: "queued", room: "#lobby", id, text: "slow", wait: 4_500 },
    { type: "ack", room: "#lobby", id, sequence: 1, time: 0 },
    { type: "fault", code: "muted", room: "#lobby", about: id, text: "hello", wait: undefined },
    { type: "unacknowledged", room: "#lobby", id, text: "lost\nmaybe" },
    { type: "state", state: "cut", detail: undefined },
    { type: "state", state: "waiting", detail: "4 s" },
  );
  talk.end();
  const { outcome, out, err } = await piped(talk, never());
  deepEqual(outcome, { end: "connectionEnded", badInput: false, undelivered: 2 });
  deepEqual(out.split("\n"), [
    "01:01:01 * here: ann, ben",
    "00:00:00 #lobby * cas joined",
    "00:00:00 #lobby <ben> hello ☒",
    "00:00:00 #lobby <ben> one",
    "        two",
    "    three ☐ bad signature",
    "",
  ]);
  deepEqual(err.split("\n"), [
    "Connecting",
    "Connected: 127.0.0.1:8443",
    "Kept until there is a connection, for #lobby: later",
    "Kept for 5 s (slow mode), for #lobby: slow",
    "Cannot speak in #lobby: you are muted there; ask an owner or operator of the room (not sent: hello)",
    "Cannot say whether this arrived in #lobby: there is no connection; " +
    "it is kept, and sent when you start again: lost␊maybe",
    "Connection cut",
    "Waiting to connect again: 4 s",
    "",
  ]);
});

test("piped: what one says is heard where one has gone, from the next line on", async () => {
  const talk = new FakeTalk();
  await piped(
    talk,
    "one\n/join #dev\ntwo\n/msg ben three\nfour\n/go lobby\nfive\n/create den private\nsix\n/query ben\nseven\n" +
      "/part #dev\neight\n",
    { room: "#start" },
  );
  deepEqual(
    talk.requests.map((request) => "room" in request ? [request.type, request.room] : [request.type]),
    [
      ["send", "#start"],
      ["join", "#dev"],
      ["send", "#dev"],
      ["send", "@ben"],
      ["send", "@ben"],
      ["send", "#lobby"],
      ["create", "#den"],
      ["send", "#den"],
      ["send", "@ben"],
      ["part", "#dev"],
      ["send", "@ben"],
      ["quit"],
    ],
  );
});

test("piped: after a /join that fails, nothing is said in the room before", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot join #dev: there is no such room; /create #dev makes it";
  await piped(talk, "/join #dev\nsecret\n");
  deepEqual(talk.requests[1], { type: "send", room: "#dev", text: "secret" });
});

test("piped: of a text that is refused here it is told what was not sent", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot do that in #dev: you are not in that room; come in by /join #dev.";
  talk.absent.add("#dev");
  const { outcome, err } = await piped(talk, "secret\n/delete #1\n", { room: "#dev" });
  deepEqual(err.split("\n"), [
    "Cannot do that in #dev: you are not in that room; come in by /join #dev (not sent: secret)",
    talk.refusal,
    "",
  ]);
  // Another try would not mend it.
  deepEqual([outcome.badInput, outcome.undelivered], [true, 0]);
});

test("piped: whoever is put out of a private room is told to knock", async () => {
  const talk = new FakeTalk();
  const { settings } = room();
  talk.say(
    room({ room: "#den", settings: { ...settings, visibility: "private" } }),
    { type: "gone", room: "#den", why: "kicked" },
    { type: "gone", room: "#dev", why: "kicked" },
  );
  talk.end();
  const { out } = await piped(talk, never());
  deepEqual(out.split("\n"), [
    "* you were put out of #den; /knock #den asks to come back",
    "* you were put out of #dev; /join #dev comes back",
    "",
  ]);
});

test("piped: an outage is told at its beginning and at its end, whatever is tried in between", async () => {
  const talk = new FakeTalk();
  const state = (state: "cut" | "waiting" | "connecting" | "ready", detail?: string) =>
    ({ type: "state", state, detail }) as const;
  const queued = (id: string) => ({ type: "queued", room: "#lobby", id, text: id, wait: undefined }) as const;
  const unacknowledged = (id: string) => ({ type: "unacknowledged", room: "#lobby", id, text: id }) as const;
  const { settings } = room();
  const topic = room({ settings: { ...settings, topic: "tea" } });
  talk.say(
    state("connecting"),
    topic,
    state("ready"),
    state("cut"),
    state("waiting", "1 s"),
    queued("one"),
    state("connecting"),
    state("waiting", "2 s"),
    state("connecting"),
    topic,
    room({ room: "#dev", unread: 3 }),
    state("ready"),
    state("cut"),
    state("waiting", "1 s"),
    queued("two"),
    unacknowledged("one"),
    unacknowledged("two"),
  );
  talk.end();
  const { out, err } = await piped(talk, never());
  deepEqual(
    out.split("\n"),
    ["#lobby, 2 people, topic: tea", "#dev, 2 people, 3 unread", ""].map((line) =>
      line === "" ? "" : `* ${line}`
    ),
  );
  deepEqual(err.split("\n"), [
    "Connecting",
    "Connected",
    "Connection cut",
    "Waiting to connect again: 1 s",
    "Kept until there is a connection, for #lobby: one",
    "Connected",
    "Connection cut",
    "Waiting to connect again: 1 s",
    "Kept until there is a connection, for #lobby: two",
    "Cannot say whether this arrived in #lobby: there is no connection; it is kept, and sent when you start again: one",
    "Not sent yet to #lobby: there is no connection; it is kept, and sent when you start again: two",
    "",
  ]);
});

test("piped: what was lost by a restored backup is told with what the server says of it", async () => {
  const talk = new FakeTalk();
  const flaws = [{ kind: "cutBack", from: 8, to: 9 }] as const;
  const integrity = { type: "integrity", room: "#lobby", from: 1, upTo: 7, flaws, asked: true } as const;
  talk.say(
    integrity,
    message({ source: "member", text: "restored from #3" }),
    message({ source: "server", text: "restored from #7", sequence: 8 }),
    integrity,
    { ...integrity, room: "#dev" },
  );
  talk.end();
  const { out } = await piped(talk, never());
  const lines = out.split("\n").filter((line) => /server (?:says|has lost)/.test(line));
  deepEqual(lines, [
    "    The server has lost data or deceives somebody; ask its operator",
    "* a backup was restored, the server says: what came after #7 is lost; ask its operator",
    "    The server says that a backup was restored, which holds what was said up to #7; ask its operator whether " +
    "that is so, for else it deceives somebody",
    "    The server has lost data or deceives somebody; ask its operator",
  ]);
});

test("piped: a room that is given another name is still the one that one is in", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  talk.say(
    deed({ kind: "room", body: { act: "rename", name: "#other" } }, { room: "#elsewhere" }),
    deed({ kind: "room", body: { act: "rename", name: "#hall" } }),
  );
  await talk.until(({ taken }) => taken === 2);
  await settled();
  await writer.write(utf8("hello\n"));
  await writer.close();
  await running;
  deepEqual(talk.requests[0], { type: "send", room: "#hall", text: "hello" });
});

test("piped: ^ is the message shown last in the room that one is in, whatever is said elsewhere", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  for (let sequence = 1; sequence <= 20; sequence++) talk.say(message({ sequence }));
  talk.say(
    message({ sequence: 21, own: true, from: "ann" }),
    message({ sequence: 3, history: true }),
    message({ sequence: 5, room: "#dev" }),
  );
  await talk.until(({ taken }) => taken === 23);
  await settled();
  await writer.write(utf8("/reply ^ a\n/reply ^^ b\n/edit ^ c\n/delete ^^\n/edit ^^ d\n/go dev\n/pin ^\n"));
  await writer.close();
  const { err } = await running;
  deepEqual(talk.requests.flatMap((request) => "sequence" in request ? [request.sequence] : []), [
    21,
    20,
    21,
    20,
    5,
  ]);
  equal(err, "Cannot do /edit: no message was shown here that ^^ could mean; write /edit #N TEXT\n");
});

test("piped: /allow is where that person asks, until it is answered", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  const asks = (asks: "knocking" | "requested" | "invited", name: string, at: string) =>
    talk.say({ type: "request", asks, room: at, handle: handle(name), words: [] });
  asks("knocking", "ben", "#dev");
  asks("requested", "cas", "@cas");
  asks("invited", "dan", "#den");
  asks("knocking", "eve", "#dev");
  talk.say(deed({ kind: "membership", body: { change: "deny", handle: handle("eve") } }, { room: "#dev" }));
  await talk.until(({ taken }) => taken === 5);
  await settled();
  await writer.write(utf8("/allow ben\n/deny cas\n/allow dan\n/allow eve\n/allow @ben\n"));
  await writer.close();
  await running;
  deepEqual(
    talk.requests.flatMap((request) => "handle" in request && "room" in request ? [request.room] : []),
    ["#dev", "@cas", "#lobby", "#lobby", "@ben"],
  );
});

test("piped: that a message was printed is no claim that somebody has read it", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  talk.say(message());
  await talk.until(({ taken }) => taken === 1);
  await settled();
  await writer.write(utf8("hello\n"));
  await settled();
  deepEqual(talk.requests.map(({ type }) => type), ["send"]);
  await writer.write(utf8("/read\n"));
  await writer.close();
  await running;
  deepEqual(talk.requests.map(({ type }) => type), ["send", "read", "quit"]);
});

test("piped: /accept of somebody who asks to come in says what lets them in", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot accept ben: the identity has not changed; go on";
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  talk.say({ type: "request", asks: "knocking", room: "#dev", handle: handle("ben"), words: [] });
  await talk.until(({ taken }) => taken === 1);
  await settled();
  await writer.write(utf8("/accept ben\n/accept cas\n"));
  await writer.close();
  const { err } = await running;
  deepEqual(err.split("\n"), [
    `${talk.refusal}; what was asked in #dev is granted by /allow ben`,
    talk.refusal,
    "",
  ]);
});

test("piped: /more asks for what came before the oldest that was asked for", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  talk.say(
    { type: "page", room: "#lobby", first: 51, last: 100, more: true },
    { type: "page", room: "#dev", first: 7, last: 9, more: false },
  );
  await talk.until(({ taken }) => taken === 2);
  await settled();
  await writer.write(utf8("/more\n/go @ben\n/more\n/go #dev\n/more\n"));
  await writer.close();
  const { out } = await running;
  match(out, /^#dev: nothing comes before #7$/m);
  deepEqual(talk.requests.slice(0, -1), [
    { type: "history", room: "#lobby", where: { from: "before", sequence: 51 }, limit: 50 },
    { type: "history", room: "@ben", where: { from: "before", sequence: undefined }, limit: 50 },
  ]);
});

test("piped: numbers are shown of what was asked for and of files, and of all where that is wished", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  const events = [
    message({ sequence: 41 }),
    message({ sequence: 40, history: true }),
    message({ sequence: 42, kind: "file", file: { id: "", name: "a.png", size: 1_234_567 } }),
    deed({ kind: "topic", body: { topic: "x" } }, { sequence: 43 }),
  ];
  talk.say(...events);
  await talk.until(({ taken }) => taken === 4);
  await settled();
  await writer.write(utf8("/numbers on\n"));
  await settled();
  talk.say(...events);
  await talk.until(({ taken }) => taken === 8);
  await writer.close();
  const { out } = await running;
  deepEqual(out.split("\n"), [
    "00:00:00 #lobby <ben> hello ☒",
    "00:00:00 #lobby #40 <ben> hello ☒",
    '00:00:00 #lobby #42 <ben> (file "a.png", 1.2 MB) ☒',
    "00:00:00 #lobby * ben set the topic: x",
    "00:00:00 #lobby #41 <ben> hello ☒",
    "00:00:00 #lobby #40 <ben> hello ☒",
    '00:00:00 #lobby #42 <ben> (file "a.png", 1.2 MB) ☒',
    "00:00:00 #lobby #43 * ben set the topic: x",
    "",
  ]);
});

test("piped: another day than the last shown has its line", async () => {
  const talk = new FakeTalk();
  const tomorrow = 86_400_000;
  talk.say(message(), message({ time: tomorrow }), message({ time: tomorrow + 1 }), message());
  talk.end();
  const { out } = await piped(talk, never());
  deepEqual(out.split("\n").filter((line) => line.startsWith("*")), ["* 1970-01-02", "* 1970-01-01"]);
});

test("piped: of a large file each tenth is told, of a small one the end", async () => {
  const talk = new FakeTalk();
  const file = {
    type: "file",
    way: "get",
    room: "#dev",
    id: "1",
    name: "a",
    path: undefined,
    failure: undefined,
  } as const;
  for (let bytes = 0; bytes < 10_000_000; bytes += 100_000) {
    talk.say({ ...file, bytes, size: 10_000_000, done: false });
  }
  talk.say({ ...file, bytes: 10_000_000, size: 10_000_000, done: true, path: "./a" });
  for (const bytes of [0, 500]) talk.say({ ...file, id: "2", name: "b", bytes, size: 1_000, done: false });
  talk.say({
    ...file,
    id: "2",
    name: "b",
    bytes: 500,
    size: 1_000,
    done: false,
    failure: "Cannot write b: x; y",
  });
  talk.end();
  const { out, outcome } = await piped(talk, never());
  const lines = out.trimEnd().split("\n");
  equal(lines.length, 12);
  equal(lines[3], '* "a" from #dev: 30 % of 10 MB');
  deepEqual(lines.slice(10), ['* "a" is here: ./a', '* "b": Cannot write b: x; y']);
  equal(outcome.undelivered, 1);
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
  equal(
    err,
    ["one", "two"].map((text) =>
      `Cannot send: the connection␛[2J is gone; connect again (not sent: ${text})\n`
    ).join(""),
  );
});

test("piped: /topic tells what is known, /help what there is, and nothing is asked", async () => {
  const talk = new FakeTalk();
  const input = new TransformStream<Bytes, Bytes>();
  const writer = input.writable.getWriter();
  const running = piped(talk, input.readable);
  await writer.write(utf8("/topic\n"));
  await settled();
  talk.say(room({
    settings: {
      visibility: "public",
      topic: "Tea\x1b[2J",
      history: "all",
      retention: 0,
      slow: 0,
      lockdown: false,
    },
  }));
  await talk.until(({ taken }) => taken === 1);
  await settled();
  await writer.write(utf8("/topic\n/help\n/help ban\n"));
  await writer.close();
  const { out } = await running;
  match(out, /^#lobby has no topic\n/);
  match(out, /^#lobby: Tea␛\[2J$/m);
  match(out, /^\/\/TEXT +says \/TEXT$/m);
  match(out, /^\/ban NAME \[TIME\] \[REASON\]\nputs a person out/m);
  for (const line of out.split("\n")) ok(line.length <= 80, line);
  deepEqual(talk.requests, [{ type: "quit" }]);
});

test("piped: what the server refuses of acts is bad input, of messages a loss", async () => {
  for (const text of [undefined, "hello"]) {
    const talk = new FakeTalk();
    talk.say({ type: "fault", code: "notAllowed", room: "#lobby", about: undefined, text, wait: undefined });
    talk.end();
    const { outcome } = await piped(talk, never());
    deepEqual([outcome.badInput, outcome.undelivered], text === undefined ? [true, 0] : [false, 1]);
  }
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
  await person.shows("00:00:00 #lobby <ben> one ☒", "ann #lobby> hel");
  deepEqual(person.screen.cursor, [1, 15]);
  await person.typeEach("lo\x1b[D\x1b[D");
  await person.hear("two");
  await person.type("p");
  await person.shows(
    "00:00:00 #lobby <ben> one ☒",
    "00:00:00 #lobby <ben> two ☒",
    "ann #lobby> helplo",
  );
  deepEqual(person.screen.cursor, [2, 16]);
  await person.type("\r");
  deepEqual(person.talk.sent, ["helplo"]);
  await person.type("\x03");
  await person.outcome;
});

test("terminal: an entered line disappears, and comes back as the message it became", async () => {
  const person = new Person();
  await person.typeEach("hello");
  await person.type("\r");
  await person.shows("ann #lobby>");
  person.talk.say(message({ from: handle("ann"), own: true }));
  await person.shows("00:00:00 #lobby <ann> hello ☒", "ann #lobby>");
  person.talk.end();
  equal((await person.outcome).end, "connectionEnded");
  await person.shows("00:00:00 #lobby <ann> hello ☒", "");
});

test("terminal: the prompt shows where what is typed is heard", async () => {
  const person = new Person();
  await person.type("/go @ben\rhi");
  await person.shows("ann @ben> hi");
  await person.type("\r");
  person.talk.say(
    message({ room: "@ben", own: true, from: "ann", text: "hi" }),
    message({ text: "elsewhere" }),
  );
  await person.shows("00:00:00 @ben <ann> hi ☒", "00:00:00 #lobby <ben> elsewhere ☒", "ann @ben>");
  await person.type("/join a-room-with-a-long-name\r");
  await person.shows("00:00:00 @ben <ann> hi ☒", "00:00:00 #lobby <ben> elsewhere ☒", "#a-room-with-a-lo…>");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: whoever is not let in stays where they are", async () => {
  const person = new Person(100);
  person.talk.absent.add("#den").add("@nobody");
  await person.type("/join #den\r");
  person.talk.say({
    type: "fault",
    code: "private",
    room: "#den",
    about: undefined,
    text: undefined,
    wait: undefined,
  });
  await person.type("/msg nobody hi\r");
  await person.type("/go #den\r");
  await person.shows(
    "Cannot come into #den: the room is private; /knock and wait for an answer, or be invited",
    "Cannot do that in #den: you are not in that room; come in by /join #den.",
    "ann #lobby>",
  );
  await person.type("hello\r");
  deepEqual(asked(person).at(-1), { type: "send", room: "#lobby", text: "hello" });
  person.talk.absent.clear();
  await person.type("/join #den\r");
  equal(person.screen.rows.at(-1), "ann #den>");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: help is broken between words", async () => {
  const person = new Person(20);
  await person.type("/help ban\r");
  await person.shows(
    "/ban NAME [TIME]",
    "  [REASON]",
    "puts a person out",
    "for 30m, 2h, 7d or",
    "for good",
    "#lobby>",
  );
  await person.type("/help\r");
  await settled();
  for (const row of person.screen.rows) ok(row.length <= 20, row);
  match(person.screen.rows.join("\n"), /^\/rooms\n {2}lists your rooms,\n {2}with what is\n {2}unread$/m);
  await person.type("\x03");
  await person.outcome;
});

test("terminal: a room is read once its person types something after what came, and not before", async () => {
  const person = new Person();
  await person.hear("one", "two");
  deepEqual(person.talk.requests, []);
  await person.type("\r");
  deepEqual(person.talk.requests, [{ type: "read", room: "#lobby" }]);
  await person.type("\r/rooms\r");
  deepEqual(person.talk.requests.map(({ type }) => type), ["read", "rooms"]);
  person.talk.say(message({ room: "@ben" }), message({ own: true }), message({ history: true }));
  await settled();
  await person.type("/go @ben\r");
  deepEqual(person.talk.requests.map(({ type }) => type), ["read", "rooms"]);
  await person.type("\r");
  deepEqual(person.talk.requests.at(-1), { type: "read", room: "@ben" });
  await person.type("\x03");
  await person.outcome;
});

test("terminal: that somebody writes is told when a text begins and when it ends, and never of a command", async () => {
  const person = new Person();
  const told = () =>
    person.talk.requests.flatMap((request) =>
      request.type === "typing" ? [`${request.on} ${request.room}`] : []
    );
  await person.typeEach("/go @ben\r");
  deepEqual(told(), []);
  await person.typeEach("hel");
  deepEqual(told(), ["true @ben"]);
  await person.typeEach("\x7f\x7f\x7f");
  deepEqual(told(), ["true @ben", "false @ben"]);
  await person.typeEach("hi\r");
  deepEqual(told(), ["true @ben", "false @ben", "true @ben", "false @ben"]);
  deepEqual(person.talk.sent, ["hi"]);
  await person.type("\x03");
  await person.outcome;
});

test("terminal: that another one writes, or has read, is told in a conversation of two", async () => {
  const person = new Person();
  const typing = (room: string, on: boolean) =>
    ({ type: "typing", room, handle: handle("ben"), on }) as const;
  const read = (room: string, state: "delivered" | "read") =>
    ({ type: "delivery", room, sequence: 3, state }) as const;
  await person.type("/go @ben\r");
  person.talk.say(typing("#lobby", true), typing("@ben", true), typing("@ben", false), typing("@cas", true));
  person.talk.say(read("#lobby", "read"), read("@ben", "delivered"), read("@ben", "read"));
  await person.shows("* ben is writing", "* @ben * read up to #3", "ann @ben>");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: in 20 columns, rows, wide letters and edits in the middle keep their places", async () => {
  const person = new Person(20);
  await person.typeEach("defghijklmn你好世界, one two three");
  await person.hear("hi");
  const heard = ["00:00:00 #lobby", "    <ben> hi ☒"];
  await person.shows(...heard, "#lobby> defghijklmn", "你好世界, one two th", "ree");
  await person.typeEach("\x1b[D".repeat(15));
  await person.typeEach("\x7f\x7f");
  await person.shows(...heard, "#lobby> defghijklmn", "你好, one two three");
  await person.hear("hi");
  await person.typeEach("XY");
  await person.shows(...heard, ...heard, "#lobby> defghijklmn", "你好XY, one two thre", "e");
  await person.type("\r");
  await person.shows(...heard, ...heard, "#lobby>");
  deepEqual(person.talk.sent, ["defghijklmn你好XY, one two three"]);
  await person.type("\x04");
  await person.outcome;
});

test("terminal: a wide letter that goes on to the next row does not draw the prompt twice", async () => {
  const person = new Person(20);
  await person.typeEach("defghijklmn你");
  await person.type("\x7f");
  await person.type("\x7f");
  await person.shows("#lobby> defghijklm");
  await person.typeEach("\x1b[D你");
  // The cursor is behind the last column, for which readline takes a new row.
  await person.shows("#lobby> defghijkl你m", "");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: a line that fills its row to the last column", async () => {
  const person = new Person(20);
  await person.typeEach("defghijklmno");
  await person.hear("hi");
  await person.typeEach("p");
  const heard = ["00:00:00 #lobby", "    <ben> hi ☒"];
  await person.shows(...heard, "#lobby> defghijklmno", "p");
  await person.type("\x7f\r");
  await person.shows(...heard, "#lobby>");
  deepEqual(person.talk.sent, ["defghijklmno"]);
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
    const prompts = rows.filter((row) => row.includes("#lobby>"));
    equal(prompts.length, 1, "the prompt is there once");
    const from = rows.findIndex((row) => row.includes("#lobby>"));
    equal(
      rows.slice(from).join("").replaceAll(" ", ""),
      `${columns === 20 ? "" : "ann"}#lobby>${line}`.replaceAll(" ", ""),
    );
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
    "ann #lobby> fi",
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

test("terminal: Ctrl-C says what the end waits for", async () => {
  const person = new Person();
  person.talk.endsOnQuit = false;
  const file = {
    type: "file",
    way: "get",
    room: "#lobby",
    size: 100,
    path: undefined,
    failure: undefined,
  } as const;
  person.talk.say(
    { ...file, id: "1", name: "big.bin", bytes: 0, done: false },
    { ...file, id: "2", name: "a.png", bytes: 0, done: false },
    { ...file, id: "2", name: "a.png", bytes: 100, done: true },
  );
  await settled();
  await person.type("\x03");
  equal(person.screen.rows.at(1), 'Waiting for "big.bin"; Ctrl-C again ends at once');
  person.talk.end();
  await person.outcome;
});

test("terminal: what was typed and not entered is not said when the keyboard goes away", async () => {
  const person = new Person();
  await person.type("one\rhalf a li");
  person.keys.end();
  await person.outcome;
  deepEqual(asked(person), [{ type: "send", room: "#lobby", text: "one" }, { type: "quit" }]);
});

test("terminal: Ctrl-D lets what was entered before it be said first", async () => {
  const person = new Person();
  await person.type("one\rtwo\r\x04");
  await person.outcome;
  deepEqual(asked(person).map(({ type }) => type), ["send", "send", "quit"]);
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
  await person.shows("ann #lobby> first");
  await person.type("\x03");
  await person.outcome;
});

test("terminal: an empty line leaves an empty prompt, a wrong command a sentence", async () => {
  const person = new Person();
  await person.type("\r\r  \r");
  await person.shows("ann #lobby>");
  await person.type("/namse\r");
  await person.shows(
    "Cannot do /namse: there is no such command, and nothing was",
    "    sent; did you mean /names?",
    "ann #lobby>",
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
