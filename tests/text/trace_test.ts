import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  type HandshakeMessage,
  type OpenLoginMessage,
  type SecretLoginMessage,
  type TraceEvent,
  traceLines,
} from "../../lib/text/trace.ts";
import { visible } from "../../lib/text/visible.ts";
import { concat, u16, u8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const MESSAGES: readonly HandshakeMessage[] = ["Hello", "Reply", "HostKey", "Signature", "Finished", "Done"];

const LOGIN: readonly OpenLoginMessage[] = [
  "RegisterReply",
  "LoginStart",
  "LoginReply",
  "LoginFinish",
  "DeviceLogin",
  "Refused",
];
const SECRET: readonly SecretLoginMessage[] = ["RegisterStart", "RegisterFinish"];

const RECORD_LINE = new RegExp(
  String.raw`^trace ▸ (\w+) record epoch (\d+) sequence (\d+) iv=(\S*) ` +
    String.raw`ciphertext\.hex=(\S*) ciphertext\.base64=(\S*) tag=(\S*)$`,
);

const octets = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Uint8Array.from(bytes));
const way = fc.constantFrom("sent" as const, "received" as const);
const handshakes = fc.record({
  kind: fc.constant("handshake" as const),
  way,
  message: fc.constantFrom(...MESSAGES, ...LOGIN),
  bytes: octets(2_048),
});
const records = fc.record({
  kind: fc.constant("record" as const),
  way,
  epoch: fc.nat(2 ** 32 - 1),
  sequence: fc.nat(),
  iv: octets(16),
  ciphertext: octets(500),
  tag: octets(32),
});

test("a record is one line, from which its octets can be read again", async () => {
  await check(
    fc.property(records, (event) => {
      const [line = "", ...more] = traceLines(event);
      deepEqual(more, []);
      const fields = RECORD_LINE.exec(line);
      const [, sent, epoch, sequence, iv = "", hex = "", base64 = "", tag = ""] = fields ?? [];
      deepEqual({
        kind: "record",
        way: sent,
        epoch: Number(epoch),
        sequence: Number(sequence),
        iv: Uint8Array.fromHex(iv),
        ciphertext: Uint8Array.fromHex(hex),
        tag: Uint8Array.fromHex(tag),
      }, event);
      deepEqual(Uint8Array.fromBase64(base64), event.ciphertext);
    }),
    1_000,
  );
});

test("a record's line looks like this", () => {
  const event: TraceEvent = {
    kind: "record",
    way: "sent",
    epoch: 1,
    sequence: 0,
    iv: new Uint8Array(16).fill(0xa1),
    ciphertext: Uint8Array.of(1, 2, 255),
    tag: new Uint8Array(32).fill(0x0b),
  };
  deepEqual(traceLines(event), [
    `trace ▸ sent record epoch 1 sequence 0 iv=${"a1".repeat(16)} ` +
    `ciphertext.hex=0102ff ciphertext.base64=AQL/ tag=${"0b".repeat(32)}`,
  ]);
});

test("a handshake message shows its octets where they stand, and counts those it leaves out", async () => {
  await check(
    fc.property(handshakes, ({ bytes, ...event }) => {
      let octetsTold = 0;
      for (const line of traceLines({ ...event, bytes })) {
        const left = /^trace ▸ {3}… (\d+) octets more …$/.exec(line)?.[1];
        if (left !== undefined) octetsTold += Number(left);
        const [, offset, hex] = /^trace ▸ {3}([0-9a-f]{4}) ([0-9a-f]+)$/.exec(line) ?? [];
        if (offset === undefined || hex === undefined) continue;
        equal(parseInt(offset, 16), octetsTold);
        equal(bytes.subarray(octetsTold, octetsTold + hex.length / 2).toHex(), hex);
        octetsTold += hex.length / 2;
      }
      equal(octetsTold, bytes.length);
    }),
    1_000,
  );
});

test("a Hello's long key is cut short, its beginning and its binder are not", () => {
  const fields = concat(
    new Uint8Array(78).fill(0x11),
    new Uint8Array(1184).fill(0x22),
    new Uint8Array(32).fill(0x33),
  );
  const lines = traceLines({
    kind: "handshake",
    way: "received",
    message: "Hello",
    bytes: concat(u8(1), u16(fields.length), fields),
  });
  equal(lines[0], "trace ▸ received Hello, 1297 octets: step 1 of 3, the SYN");
  ok(lines.includes(`trace ▸   0000 01050e${"11".repeat(29)}`), "header and first fields");
  ok(lines.includes("trace ▸   … 1137 octets more …"));
  equal(lines.at(-1), `trace ▸   04f1 ${"33".repeat(32)}`);
  ok(lines.length < 20, "a message is a paragraph, not a page");
});

test("the handshake is told as the three steps of the classics, each with what it carries and why", () => {
  const [open, closed] = ["in the clear", "encrypted under the handshake keys (shown decrypted)"];
  const told = MESSAGES.map((message) =>
    traceLines({ kind: "handshake", way: "sent", message, bytes: Uint8Array.of(1, 0, 0) })
  );
  deepEqual(told.map((lines) => lines.slice(0, 2).map((line) => line.replace("trace ▸ ", "").trim())), [
    ["sent Hello, 3 octets: step 1 of 3, the SYN", `way: client to server, ${open}`],
    ["sent Reply, 3 octets: step 2 of 3, the SYN-ACK begins", `way: server to client, ${open}`],
    ["sent HostKey, 3 octets: step 2 of 3, the SYN-ACK goes on", `way: server to client, ${closed}`],
    ["sent Signature, 3 octets: step 2 of 3, the SYN-ACK goes on", `way: server to client, ${closed}`],
    ["sent Finished, 3 octets: step 2 of 3, the SYN-ACK ends", `way: server to client, ${closed}`],
    ["sent Done, 3 octets: step 3 of 3, the ACK", `way: client to server, ${closed}`],
  ]);
  for (const lines of told) {
    const text = lines.join("\n");
    match(text, /carries: .{20}/);
    match(text, /why: .{40}/);
    for (const line of lines) ok(line.startsWith("trace ▸ ") && line.length <= 100, line);
  }
});

test("each message of a login is told with what it carries and why, those with a secret without their octets", () => {
  const ways: Readonly<Record<string, readonly string[]>> = {
    "client to server": ["LoginStart", "LoginFinish", "DeviceLogin", "RegisterStart", "RegisterFinish"],
    "server to client": ["RegisterReply", "LoginReply", "Refused"],
  };
  const events: readonly TraceEvent[] = [
    ...LOGIN.map((message) =>
      ({ kind: "handshake", way: "sent", message, bytes: Uint8Array.of(10, 0, 1, 0xab) }) as const
    ),
    ...SECRET.map((message) => ({ kind: "secretMessage", way: "received", message, octets: 85 }) as const),
  ];
  for (const event of events) {
    const lines = traceLines(event);
    const text = lines.join("\n");
    const message = event.kind === "handshake" || event.kind === "secretMessage" ? event.message : "";
    const [way] = Object.entries(ways).find(([, names]) => names.includes(message)) ?? [];
    match(text, new RegExp(`way: ${way}, encrypted under the application keys`));
    match(text, /carries: .{10}/);
    match(text, /why: .{40}/);
    for (const line of lines) ok(line.startsWith("trace ▸ ") && line.length <= 100, line);
    equal(text.includes("0a0001ab"), event.kind === "handshake");
    if (event.kind === "secretMessage") match(text, /received Register\w+, 85 octets: .*\n.*\(not shown\)/);
  }
});

test("no word of the explanations is lost where they are wrapped", () => {
  const lines = traceLines({
    kind: "handshake",
    way: "sent",
    message: "Hello",
    bytes: Uint8Array.of(1, 0, 0),
  });
  const prose = lines.map((line) => line.replace(/^trace ▸ +/, "")).join(" ");
  match(prose, /last, where a pre-shared key is set, its binder why: asks for a connection/);
  match(prose, /without it the server keeps silent 0000 010000$/);
});

test("new keys are told with their epoch, their suite and what they are", () => {
  const lessons = [0, 1, 7].map((epoch) => {
    const [first, second = ""] = traceLines({ kind: "keys", epoch, suite: "a256cbc-hs512" });
    equal(first, `trace ▸ keys epoch ${epoch} suite a256cbc-hs512`);
    return second;
  });
  match(lessons[0] ?? "", /^trace ▸ {3}the handshake keys/);
  match(lessons[1] ?? "", /^trace ▸ {3}the application keys/);
  match(lessons[2] ?? "", /^trace ▸ {3}newer application keys, after a rekey/);
  const mixed = traceLines({ kind: "mixedKeys", epoch: 2, suite: "a256ctr-hs512" });
  equal(mixed[0], "trace ▸ keys epoch 2 suite a256ctr-hs512");
  match(mixed.join(" "), /with the login's key mixed in/);
});

test("attack 31: a reason from outside cannot write on the terminal by way of the trace", async () => {
  deepEqual(traceLines({ kind: "end", reason: "bye\r\n\x1b[2J" }), ["trace ▸ end: bye␍␊␛[2J"]);
  await check(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const event of [{ kind: "end", reason: text }, { kind: "keys", epoch: 1, suite: text }] as const) {
        const lines = traceLines(event);
        equal(lines[0]?.startsWith("trace ▸ "), true);
        deepEqual(lines.map(visible), lines);
      }
    }),
    1_000,
  );
});
