import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { jsonLine, runJsonMode } from "../../lib/terminal/json_mode.ts";
import type { ModeOutcome } from "../../lib/terminal/output.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { FakeTalk, handle, message } from "./fake_talk.ts";

const ID = "0123456789abcdef0123456789abcdef";

async function run(
  talk: FakeTalk,
  input: Bytes | string,
): Promise<{ outcome: ModeOutcome; out: string; objects: unknown[] }> {
  let out = "";
  const outcome = await runJsonMode(talk, {
    bytes: ReadableStream.from([typeof input === "string" ? utf8(input) : input]),
    write: (text) => Promise.resolve(void (out += text)),
    writeError: () => Promise.reject(new Error("errors are objects")),
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
    message({ id: ID, own: true, verified: true, reason: undefined, from: handle("ann") }),
    { type: "ack", room: "#lobby", id: ID, sequence: 8, time: 7 },
    { type: "fault", code: "noSuchRoom", about: ID },
    { type: "fault", code: "nameTaken", about: undefined },
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
      own: false,
      time: 6,
      text: "hello",
      verified: false,
      reason: "unverified name",
    },
    {
      type: "message",
      room: "#lobby",
      seq: 1,
      id: ID,
      from: "ann",
      own: true,
      time: 0,
      text: "hello",
      verified: true,
      reason: null,
    },
    { type: "ack", room: "#lobby", id: ID, seq: 8, time: 7 },
    {
      type: "error",
      code: "noSuchRoom",
      sentence: "Cannot send: the server has no such room; use #lobby",
      about: ID,
    },
    {
      type: "error",
      code: "nameTaken",
      sentence: "Cannot join: somebody here goes by that name already; use another",
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

test("a reader that leaves ends it quietly", async () => {
  const talk = new FakeTalk();
  talk.say(message(), message());
  const outcome = await runJsonMode(talk, {
    bytes: new ReadableStream(),
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
    writeError: () => Promise.resolve(),
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
