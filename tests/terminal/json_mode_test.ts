import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { jsonLine, runJsonMode, toldJson } from "../../lib/terminal/json_mode.ts";
import type { ModeOutcome } from "../../lib/terminal/output.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { FakeTalk, handle, message } from "./fake_talk.ts";

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
      /^\{"type":"error","code":"badInput","sentence":"Cannot .+: .+; .+"\}$/,
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

test("every event has its object", async () => {
  const talk = new FakeTalk();
  talk.say(
    { type: "state", state: "connecting", detail: undefined },
    { type: "state", state: "ready", detail: "127.0.0.1:8443" },
    { type: "presence", room: "#lobby", change: "here", names: [handle("ann"), handle("ben")], time: 5 },
    message({ id: ID, sequence: 7, time: 6 }),
    message({ id: ID, own: true, from: "ann", display: "Ann Müller", trust: "own" }),
    message({ id: ID, trust: "verified" }),
    message({
      id: ID,
      source: "bridge",
      from: "guest",
      device: undefined,
      verified: false,
      reason: "bridged",
    }),
    message({ id: ID, source: "console", from: "console", device: undefined, verified: false }),
    { type: "keys", handle: handle("ben"), news: "deviceAdded", detail: "phone" },
    { type: "keys", handle: handle("ben"), news: "identityChanged", detail: undefined },
    { type: "approval", name: "phone", words: ["one", "two"] },
    {
      type: "devices",
      devices: [{ name: "laptop", added: 1, revoked: undefined, here: true }, {
        name: "phone",
        added: 2,
        revoked: 3,
        here: false,
      }],
    },
    {
      type: "person",
      handle: handle("ben"),
      display: undefined,
      words: ["one", "two"],
      trust: "seen",
      devices: [{ name: "laptop", added: 1, revoked: undefined, here: false }],
    },
    { type: "done", what: "phone is revoked" },
    { type: "ack", room: "#lobby", id: ID, sequence: 8, time: 7 },
    { type: "fault", code: "noSuchRoom", about: ID },
    { type: "fault", code: "staleList", about: undefined },
    { type: "unacknowledged", room: "#lobby", id: ID, text: "lost\nmaybe" },
  );
  const { outcome, objects } = await run(talk, "");
  equal(outcome.undelivered, 2);
  deepEqual(objects, [
    { type: "state", state: "connecting", detail: null },
    { type: "state", state: "ready", detail: "127.0.0.1:8443" },
    { type: "presence", room: "#lobby", change: "here", names: ["ann", "ben"], time: 5 },
    {
      type: "message",
      room: "#lobby",
      seq: 7,
      id: ID,
      from: "ben",
      display: null,
      trust: null,
      device: "laptop",
      source: "member",
      own: false,
      time: 6,
      text: "hello",
      verified: true,
      reason: null,
    },
    { ...MESSAGE, from: "ann", display: "Ann Müller", own: true, trust: "own" },
    { ...MESSAGE, trust: "verified" },
    { ...MESSAGE, from: "guest", device: null, source: "bridge", verified: false, reason: "bridged" },
    { ...MESSAGE, from: "console", device: null, source: "console", verified: false },
    { type: "keys", handle: "ben", news: "deviceAdded", detail: "phone" },
    { type: "keys", handle: "ben", news: "identityChanged", detail: null },
    { type: "approval", name: "phone", words: ["one", "two"] },
    {
      type: "devices",
      devices: [{ name: "laptop", added: 1, revoked: null, here: true }, {
        name: "phone",
        added: 2,
        revoked: 3,
        here: false,
      }],
    },
    {
      type: "person",
      handle: "ben",
      display: null,
      words: ["one", "two"],
      trust: "seen",
      devices: [{ name: "laptop", added: 1, revoked: null, here: false }],
    },
    { type: "done", what: "phone is revoked" },
    { type: "ack", room: "#lobby", id: ID, seq: 8, time: 7 },
    {
      type: "error",
      code: "noSuchRoom",
      sentence: "Cannot send: the server has no such room; use #lobby",
      about: ID,
    },
    {
      type: "error",
      code: "staleList",
      sentence:
        "Cannot change your devices: another device changed them meanwhile; look at /devices and try again",
    },
    { type: "unacknowledged", room: "#lobby", id: ID, text: "lost\nmaybe" },
  ]);
});

test("a message that the connection does not take is an error, and counted", async () => {
  const talk = new FakeTalk();
  talk.refusal = "Cannot send: the connection is gone; connect again";
  const { outcome, objects } = await run(talk, '{"type":"send","text":"x"}\n');
  deepEqual(objects, [{ type: "error", code: "notSent", sentence: talk.refusal }]);
  equal(outcome.undelivered, 1);
});

test("every command is an object, and asked of the connection as it is", async () => {
  const requests = [
    { type: "devices" },
    { type: "approve", name: "my phone" },
    { type: "revoke", name: "my phone" },
    { type: "nick", display: "" },
    { type: "whois", handle: "ben" },
    { type: "verify", handle: "ben" },
    { type: "accept", handle: "ben" },
  ];
  const talk = new FakeTalk();
  const { outcome, objects } = await run(talk, requests.map((request) => JSON.stringify(request)).join("\n"));
  deepEqual(talk.requests, [...requests, { type: "quit" }]);
  deepEqual([outcome.badInput, outcome.undelivered, objects], [false, 0, []]);
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
