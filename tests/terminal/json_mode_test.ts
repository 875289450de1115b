import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { requestExample, requestTypes } from "../../lib/client/request_schema.ts";
import { jsonLine, runJsonMode, toldJson } from "../../lib/terminal/json_mode.ts";
import type { ModeOutcome } from "../../lib/terminal/output.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { deed, FakeTalk, handle, message, room } from "./fake_talk.ts";

const ID = "0123456789abcdef0123456789abcdef";

/** The object of a message, its changes left out. */
const MESSAGE = {
  type: "message",
  room: "#lobby",
  seq: 1,
  id: ID,
  from: "ben",
  display: null,
  trust: null,
  device: "laptop",
  source: "member",
  own: false,
  time: 0,
  text: "hello",
  verified: true,
  reason: null,
  history: false,
  kind: "text",
  about: null,
  file: null,
  edited: false,
  deletedBy: null,
  reactions: [],
} as const;

async function run(
  talk: FakeTalk,
  input: Bytes | string,
): Promise<{ outcome: ModeOutcome; out: string; objects: unknown[] }> {
  let out = "";
  const outcome = await runJsonMode(talk, {
    bytes: ReadableStream.from([typeof input === "string" ? utf8(input) : input]),
    write: (text) => Promise.resolve(void (out += text)),
    writeError: () => Promise.reject(new Error("errors are objects")),
    fingerprint: "SHA256:abc",
    room: "#lobby",
  });
  return { outcome, out, objects: out.split("\n").slice(0, -1).map((line) => JSON.parse(line)) };
}

test("objects that ask are done, and the end of the input asks for the end", async () => {
  const talk = new FakeTalk();
  const { outcome, objects } = await run(
    talk,
    '{"type":"send","room":"#lobby","text":"one"}\r\n\n{"text":" /quit","type":"send"}\n',
  );
  deepEqual(talk.requests, [
    { type: "send", room: "#lobby", text: "one" },
    { type: "send", room: "#lobby", text: " /quit" },
    { type: "quit" },
  ]);
  deepEqual(outcome, { end: "inputEnded", badInput: false, undelivered: 0 });
  deepEqual(objects, []);
});

test("quit ends, and what follows it is not read", async () => {
  const talk = new FakeTalk();
  const { outcome } = await run(talk, '{"type":"quit"}\n{"type":"send","text":"x"}\n');
  deepEqual(talk.requests, [{ type: "quit" }]);
  equal(outcome.end, "quit");
});

test("a line that asks nothing that can be done is one error, and the rest goes on", async () => {
  const lines = [
    "hello",
    "{",
    "[]",
    "null",
    '"send"',
    '{"type":"send"}',
    '{"type":"sned","text":"x"}',
    '{"type":"send","text":1}',
    '{"type":"send","text":"x","extra":1}',
    '{"type":"send","text":"x","__proto__":{"room":"#x"}}',
    '{"type":"send","text":"x","room":"lobby"}',
    '{"type":"send","text":"x","room":""}',
    '{"type":"send","text":"\\ud800"}',
    '{"type":"send","text":""}',
    '{"type":"send","text":" \\n"}',
    '{"type":"quit","now":true}',
    '{"type":"devices","all":true}',
    '{"type":"approve"}',
    '{"type":"revoke","name":1}',
    '{"type":"whois","name":"ben"}',
    '{"type":"verify","handle":"\\ud800"}',
    '{"type":"names"}',
    '{"type":1}',
    '{"type":null}',
    '{"type":"__proto__"}',
    '{"type":"fingerprint","now":true}',
    '{"type":"reply","seq":1,"text":"x"}',
    '{"type":"reply","room":"#lobby","seq":"1","text":"x"}',
    '{"type":"reply","room":"#lobby","sequence":1,"text":"x"}',
    '{"type":"ban","room":"#lobby","handle":"ben","lasting":"2h"}',
    '{"type":"ban","room":"#lobby","handle":"ben","lasting":null}',
    '{"type":"part"}',
    '{"type":"join","room":"@ben"}',
    '{"type":"history","room":"#lobby","where":{"from":"around"}}',
    '{"type":"history","room":"#lobby","limit":0}',
    '{"type":"create","room":"#x","visibility":"secret"}',
    `{"type":"send","text":"${"x".repeat(8_193)}"}`,
    "x".repeat(100_000),
  ];
  for (const line of lines) {
    const talk = new FakeTalk();
    const { outcome, objects } = await run(talk, `${line}\n{"type":"send","text":"last"}`);
    deepEqual(talk.sent, ["last"], line.slice(0, 80));
    equal(outcome.badInput, true);
    equal(objects.length, 1);
    match(
      JSON.stringify(objects[0]),
      /^\{"type":"error","code":"badInput","sentence":"Cannot .+: .+[;,] .+"\}$/,
    );
  }
  const talk = new FakeTalk();
  const { objects } = await run(talk, concat(Uint8Array.of(0x22, 0xff, 0x22, 0x0a), utf8('{"type":"quit"}')));
  equal(objects.length, 1);
});

test("the longest text goes through, each of its octets escaped", async () => {
  const talk = new FakeTalk();
  const { outcome } = await run(talk, `{"type":"send","text":"${"\\u0061".repeat(8_192)}"}\n`);
  deepEqual(talk.sent, ["a".repeat(8_192)]);
  equal(outcome.badInput, false);
});

test("a refusal names the field and shows an object that would be right", async () => {
  const cases = {
    '{"type":"reply","room":"#lobby","text":"x"}':
      'Cannot do "reply": its field "seq" is missing; write {"type":"reply","room":"#lobby","seq":1,"text":"…"}',
    '{"type":"kick","room":"#lobby","handle":"ben","why":"x"}':
      'Cannot do "kick": it has no field "why"; write {"type":"kick","room":"#lobby","handle":"ben"}',
    '{"type":"slow","room":"#lobby","seconds":99999}':
      'Cannot do "slow": a number of seconds is a whole number from 0 to 21600; ' +
      'write {"type":"slow","room":"#lobby","seconds":10}',
    '{"type":"kick","room":"#lobby","handle":"Ben"}':
      'Cannot use "Ben" as a name: "B" is a capital letter; use "ben"',
    '{"type":"joni","room":"#lobby"}': 'Cannot do "joni": there is no such request; did you mean "join"?',
    '{"type":"\\u001b[2J"}': 'Cannot do "␛[2J": there is no such request; README has the list of them',
    '{"type":"send","text":" "}':
      "Cannot send a text of white space only: nobody would see it; write something",
  };
  for (const [line, sentence] of Object.entries(cases)) {
    const { objects } = await run(new FakeTalk(), `${line}\n`);
    const room = line.includes("room") ? { room: "#lobby" } : {};
    deepEqual(objects, [{ type: "error", code: "badInput", sentence, ...room }]);
  }
});

test("a refusal names the room of the request, and what its writer called that", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot find #dev: there is no such room; see /list, or make it by /create #dev.";
  const lines = [
    { type: "join", room: "#dev", ref: "a1" },
    { type: "kick", room: "#dev", ref: "a2" },
    { type: "send", text: "hello", ref: "\u001b[2J" },
    { type: "rooms", ref: 3 },
  ];
  const { objects } = await run(talk, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const error = { type: "error", sentence: talk.refusal };
  deepEqual(objects, [
    { ...error, code: "notDone", room: "#dev", ref: "a1" },
    {
      ...error,
      code: "badInput",
      sentence:
        'Cannot do "kick": its field "handle" is missing; write {"type":"kick","room":"#lobby","handle":"ben"}',
      room: "#dev",
      ref: "a2",
    },
    { ...error, code: "notSent", room: "#lobby", text: "hello", ref: "\u001b[2J" },
    { ...error, code: "badInput", sentence: 'Cannot do "rooms": "ref" is no text; write it between "…"' },
  ]);
  deepEqual(talk.requests[0], { type: "join", room: "#dev" });
});

test("every event has its object", async () => {
  const talk = new FakeTalk();
  const { type: _, news: __, ...facts } = room({ unread: 3 });
  talk.say(
    { type: "state", state: "connecting", detail: undefined },
    { type: "state", state: "ready", detail: "127.0.0.1:8443" },
    { type: "presence", change: "here", names: [handle("ann"), handle("ben")], text: undefined, time: 5 },
    message({ id: ID, own: true, from: "ann", display: "Ann Müller", trust: "own", sequence: 7, time: 6 }),
    message({
      id: ID,
      kind: "reply",
      about: { sequence: 3, from: "ann", text: undefined },
      reactions: [{ reaction: "👍", by: ["ann"] }],
    }),
    message({ id: ID, kind: "file", file: { id: ID, name: "a.png", size: 5 }, history: true }),
    message({
      id: ID,
      source: "bridge",
      from: "guest",
      device: undefined,
      verified: false,
      reason: "bridged",
    }),
    deed({ kind: "pin", body: { on: true } }, { id: ID, about: { sequence: 2, from: undefined, text: "x" } }),
    deed(
      {
        kind: "keys",
        body: {
          handle: handle("ben"),
          identity: new Uint8Array(2).fill(255),
          number: 1,
          list: new Uint8Array(1),
        },
      },
      { id: ID },
    ),
    deed(undefined, { id: ID }),
    { type: "keys", handle: handle("ben"), news: "deviceAdded", detail: "phone" },
    { type: "approval", name: "phone", words: ["one", "two"] },
    { type: "devices", devices: [{ name: "laptop", added: 1, revoked: undefined, here: true }] },
    {
      type: "person",
      handle: handle("ben"),
      display: undefined,
      words: ["one", "two"],
      trust: "seen",
      devices: [{ name: "laptop", added: 1, revoked: 2, here: false }],
    },
    { type: "done", what: "phone is revoked" },
    { type: "ack", room: "#lobby", id: ID, sequence: 8, time: 7 },
    { type: "queued", room: "#lobby", id: ID, text: "later", wait: undefined },
    { type: "delivery", room: "@ben", sequence: 8, state: "read" },
    { type: "typing", room: "@ben", handle: handle("ben"), on: true },
    room(),
    { type: "gone", room: "#dev", why: "kicked" },
    { type: "request", asks: "invited", room: "#dev", handle: undefined, words: [] },
    { type: "rooms", rooms: [facts] },
    { type: "directory", rooms: [{ room: "#dev", topic: "Tea", members: 3 }] },
    { type: "members", room: "#dev", members: [{ handle: handle("ben"), role: "owner", state: "away" }] },
    { type: "page", room: "#dev", first: undefined, last: undefined, more: false },
    {
      type: "integrity",
      room: "#dev",
      from: 1,
      upTo: 9,
      flaws: [{ kind: "missing", from: 3, to: 4 }],
      asked: true,
    },
    {
      type: "file",
      way: "get",
      room: "#dev",
      id: ID,
      name: "a",
      bytes: 1,
      size: 2,
      done: false,
      path: undefined,
      failure: undefined,
    },
    { type: "fault", code: "noSuchRoom", room: undefined, about: ID, text: undefined, wait: undefined },
    { type: "fault", code: "slowMode", room: "#dev", about: ID, text: "hello", wait: 2_500 },
    { type: "unacknowledged", room: "#lobby", id: ID, text: "lost\nmaybe" },
  );
  const { outcome, objects } = await run(talk, "");
  deepEqual([outcome.undelivered, outcome.badInput], [2, true]);
  const {
    kind: _kind,
    text: _text,
    file: _file,
    edited: _edited,
    deletedBy: _by,
    reactions: _reactions,
    ...log
  } = { ...MESSAGE, type: "log", about: null };
  const lobby = {
    room: "#lobby",
    kind: "open",
    standing: "member",
    role: "member",
    settings: { visibility: "public", topic: "", history: "all", retention: 0, slow: 0, lockdown: false },
    members: 2,
    last: 1,
  };
  deepEqual(objects, [
    { type: "state", state: "connecting", detail: null },
    { type: "state", state: "ready", detail: "127.0.0.1:8443" },
    { type: "presence", change: "here", names: ["ann", "ben"], text: null, time: 5 },
    { ...MESSAGE, own: true, from: "ann", display: "Ann Müller", trust: "own", seq: 7, time: 6 },
    {
      ...MESSAGE,
      kind: "reply",
      about: { seq: 3, from: "ann", text: null },
      reactions: [{ reaction: "👍", by: ["ann"] }],
    },
    { ...MESSAGE, kind: "file", file: { id: ID, name: "a.png", size: 5 }, history: true },
    { ...MESSAGE, source: "bridge", from: "guest", device: null, verified: false, reason: "bridged" },
    { ...log, what: { kind: "pin", body: { on: true } }, about: { seq: 2, from: null, text: "x" } },
    { ...log, what: { kind: "keys", body: { handle: "ben", identity: "ffff", number: 1, list: "00" } } },
    { ...log, what: null },
    { type: "keys", handle: "ben", news: "deviceAdded", detail: "phone" },
    { type: "approval", name: "phone", words: ["one", "two"] },
    { type: "devices", devices: [{ name: "laptop", added: 1, revoked: null, here: true }] },
    {
      type: "person",
      handle: "ben",
      display: null,
      words: ["one", "two"],
      trust: "seen",
      devices: [{ name: "laptop", added: 1, revoked: 2, here: false }],
    },
    { type: "done", what: "phone is revoked" },
    { type: "ack", room: "#lobby", id: ID, seq: 8, time: 7 },
    { type: "queued", room: "#lobby", id: ID, text: "later", wait: null },
    { type: "delivery", room: "@ben", seq: 8, state: "read" },
    { type: "typing", room: "@ben", handle: "ben", on: true },
    { type: "room", news: "here", ...lobby, unread: 0 },
    { type: "gone", room: "#dev", why: "kicked" },
    { type: "request", asks: "invited", room: "#dev", handle: null, words: [] },
    { type: "rooms", rooms: [{ ...lobby, unread: 3 }] },
    { type: "directory", rooms: [{ room: "#dev", topic: "Tea", members: 3 }] },
    { type: "members", room: "#dev", members: [{ handle: "ben", role: "owner", state: "away" }] },
    { type: "page", room: "#dev", first: null, last: null, more: false },
    {
      type: "integrity",
      room: "#dev",
      from: 1,
      upTo: 9,
      flaws: [{ kind: "missing", from: 3, to: 4 }],
      asked: true,
    },
    {
      type: "file",
      way: "get",
      room: "#dev",
      id: ID,
      name: "a",
      bytes: 1,
      size: 2,
      done: false,
      path: null,
      failure: null,
    },
    {
      type: "error",
      code: "noSuchRoom",
      sentence:
        "Cannot do that: there is no such room, or none that you may know of; /rooms and /list show rooms",
      about: ID,
    },
    {
      type: "error",
      code: "slowMode",
      sentence: "Cannot speak so soon in #dev: the room is in slow mode; try again in 3 s",
      room: "#dev",
      about: ID,
      text: "hello",
      wait: 2_500,
    },
    { type: "unacknowledged", room: "#lobby", id: ID, text: "lost\nmaybe" },
  ]);
});

test("a message that the connection does not take is an error, and counted", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot send: the connection is gone; connect again";
  const { outcome, objects } = await run(talk, '{"type":"send","text":"x"}\n');
  deepEqual(objects, [{ type: "error", code: "notSent", sentence: talk.refusal, room: "#lobby", text: "x" }]);
  equal(outcome.undelivered, 1);
});

test("every request is an object, and asked of the connection", async () => {
  const talk = new FakeTalk();
  const types = requestTypes().filter((type) => type !== "quit");
  const lines = types.map((type) => requestExample(type) ?? "");
  const { outcome, objects } = await run(talk, lines.join("\n"));
  deepEqual(talk.requests.map(({ type }) => type), [...types, "quit"]);
  deepEqual([outcome.badInput, outcome.undelivered, objects], [false, 0, []]);
});

test("an entry's number is called the same in what is asked and in what is told", async () => {
  const talk = new FakeTalk();
  await run(
    talk,
    '{"type":"get","room":"#lobby","seq":7,"path":"x"}\n' +
      '{"type":"history","room":"#lobby","where":{"from":"before","seq":9},"limit":3}\n',
  );
  deepEqual(talk.requests.slice(0, 2), [
    { type: "get", room: "#lobby", sequence: 7, path: "x" },
    { type: "history", room: "#lobby", where: { from: "before", sequence: 9 }, limit: 3 },
  ]);
});

test("what is sent without a room goes where this run speaks; nothing else does", async () => {
  const talk = new FakeTalk();
  const outcome = await runJsonMode(talk, {
    bytes: ReadableStream.from([utf8('{"type":"send","text":"x"}\n{"type":"part"}\n')]),
    write: () => Promise.resolve(),
    writeError: () => Promise.resolve(),
    fingerprint: "",
    room: "@ben",
  });
  deepEqual(talk.requests, [{ type: "send", room: "@ben", text: "x" }, { type: "quit" }]);
  equal(outcome.badInput, true);
});

test("the fingerprint is told without the connection", async () => {
  const talk = new FakeTalk();
  const { objects } = await run(talk, '{"type":"fingerprint"}\n');
  deepEqual(objects, [{ type: "fingerprint", fingerprint: "SHA256:abc" }]);
  deepEqual(talk.requests, [{ type: "quit" }]);
});

test("a command that is refused is an error, but no message was lost", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot revoke phone: there is no such device; see /devices";
  const { outcome, objects } = await run(talk, '{"type":"revoke","name":"phone"}\n');
  deepEqual(objects, [{ type: "error", code: "notDone", sentence: talk.refusal }]);
  deepEqual([outcome.badInput, outcome.undelivered], [true, 0]);
});

test("what a script is told of its account is an object, too", () => {
  deepEqual(toldJson({ kind: "recoveryCode", code: "ABCD" }), { type: "recoveryCode", code: "ABCD" });
  deepEqual(toldJson({ kind: "told", sentence: "So." }), { type: "told", sentence: "So." });
});

test("a reader that leaves ends it quietly", async () => {
  const talk = new FakeTalk();
  talk.say(message(), message());
  const outcome = await runJsonMode(talk, {
    bytes: new ReadableStream(),
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
    writeError: () => Promise.resolve(),
    fingerprint: "",
    room: "#lobby",
  });
  equal(outcome.end, "outputGone");
});

test("attack 31: a line of JSON is printable whatever is in it, and says the same", async () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
    fc.array(fc.constantFrom(...'\x1b\x9b\u2028\u202e\u200b\u0301\ud83d\\"\n\r\x07\x08é👩')).map((some) =>
      some.join("")
    ),
  );
  await check(
    fc.property(anyText, (text) => {
      const line = jsonLine({ text });
      deepEqual(JSON.parse(line), { text });
      ok(line.endsWith("\n"));
      ok(!/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(line.slice(0, -1)), line);
      ok(!/"\p{M}|\p{M}{7}/u.test(line), line);
    }),
    3_000,
  );
});

test("attack 31: every code point is told as it is, or escaped", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const text = String.fromCodePoint(code);
    const line = jsonLine([`a${text}b`]).slice(0, -1);
    if (
      JSON.parse(line)[0] !== `a${text}b` || /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(line)
    ) {
      throw new Error(`U+${code.toString(16)}: ${line}`);
    }
  }
});

test("what people write stays readable in JSON", () => {
  for (const text of ["Grüße", "Привет", "你好", "😀🎉", "שלום", "e\u0301te\u0301"]) {
    equal(jsonLine(text), `"${text}"\n`);
  }
});
