import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { HANDLE_CHARS_MAX, parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { encodeCbor } from "../../lib/wire/cbor.ts";
import { MESSAGE_BYTES_MAX, PRESENCE_NAMES_MAX, TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeMessage,
  ENTRY_ID_BYTES,
  FAULT_CODES,
  LOBBY,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const ID: Bytes = new Uint8Array(ENTRY_ID_BYTES).fill(5);

const CLIENT_MESSAGES: readonly ClientMessage[] = [
  { type: "join", room: LOBBY, name: ANN },
  { type: "send", room: LOBBY, id: ID, text: "Grüße, سلام, 👩🏽‍🚀" },
];

const SERVER_MESSAGES: readonly ServerMessage[] = [
  { type: "entry", room: LOBBY, sequence: 1, id: ID, from: ANN, time: 0, text: "x" },
  { type: "entry", room: LOBBY, sequence: 2 ** 53 - 1, id: ID, from: ANN, time: 2 ** 53 - 1, text: "x" },
  { type: "ack", room: LOBBY, id: ID, sequence: 1, time: 1_700_000_000_000 },
  { type: "presence", room: LOBBY, change: "here", names: [ANN], time: 0 },
  { type: "fault", code: "nameTaken" },
  ...FAULT_CODES.map((code): ServerMessage => ({ type: "fault", code, about: ID })),
];

test("messages come back as they went, each at its own end alone", () => {
  for (const message of CLIENT_MESSAGES) {
    assert.deepEqual(decodeClientMessage(encodeMessage(message)), message);
    assert.equal(decodeServerMessage(encodeMessage(message)), undefined);
  }
  for (const message of SERVER_MESSAGES) {
    assert.deepEqual(decodeServerMessage(encodeMessage(message)), message);
    assert.equal(decodeClientMessage(encodeMessage(message)), undefined);
  }
});

test("any text within the limit comes back as it went", () =>
  check(fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (text) => {
    const message = { type: "send", room: LOBBY, id: ID, text } as const;
    assert.deepEqual(decodeClientMessage(encodeMessage(message)), message);
  })));

test("fields missing, added, of another type or out of bounds make no message", () => {
  const send = { type: "send", room: LOBBY, id: ID, text: "x" };
  const entry = { type: "entry", room: LOBBY, sequence: 1, id: ID, from: "ann", time: 0, text: "x" };
  const presence = { type: "presence", room: LOBBY, change: "here", names: ["ann"], time: 0 };
  const wrong: readonly unknown[] = [
    null,
    [],
    7,
    "send",
    {},
    { type: "sing" },
    { type: "join", room: LOBBY },
    { type: "join", room: LOBBY, name: "Ann" },
    { type: "join", room: LOBBY, name: "" },
    { type: "join", room: LOBBY, name: "a".repeat(HANDLE_CHARS_MAX + 1) },
    { type: "join", room: LOBBY, name: ["ann"] },
    { type: "join", room: "lobby", name: "ann" },
    { type: "join", room: "#", name: "ann" },
    { type: "join", room: "#Lobby", name: "ann" },
    { type: "join", room: "#../x", name: "ann" },
    { type: "join", room: `#${"a".repeat(33)}`, name: "ann" },
    { type: "join", room: `${LOBBY}\n`, name: "ann" },
    { type: "join", room: LOBBY, name: "ann", admin: true },
    { ...send, id: new Uint8Array(15) },
    { ...send, id: new Uint8Array(17) },
    { ...send, id: "0".repeat(16) },
    { ...send, text: "" },
    { ...send, text: 7 },
    { ...send, text: "x".repeat(TEXT_BYTES_MAX + 1) },
    { ...send, text: "ü".repeat(TEXT_BYTES_MAX / 2 + 1) },
    { ...send, from: "bob" },
    { ...entry, sequence: 0 },
    { ...entry, sequence: -1 },
    { ...entry, sequence: 1.5 },
    { ...entry, sequence: 2 ** 53 },
    { ...entry, sequence: 2n ** 60n },
    { ...entry, time: -1 },
    { ...entry, time: 0.5 },
    { ...entry, from: "../x" },
    { ...presence, names: [] },
    { ...presence, names: Array.from({ length: PRESENCE_NAMES_MAX + 1 }, () => "ann") },
    { ...presence, names: ["ann", "Bob"] },
    { ...presence, change: "gone" },
    { type: "fault", code: "unheardOf" },
    { type: "fault", code: "nameTaken", about: new Uint8Array(1) },
    { type: "fault", code: "nameTaken", about: null },
  ];
  for (const value of wrong) {
    const bytes = encodeCbor(value);
    assert.equal(decodeClientMessage(bytes), undefined, JSON.stringify(value, bigint));
    assert.equal(decodeServerMessage(bytes), undefined, JSON.stringify(value, bigint));
  }
});

test("the longest of every message fits in a record, and nothing longer is encoded", () => {
  const longest = parseHandle("a".repeat(HANDLE_CHARS_MAX)) ?? assert.fail("it is a handle");
  const text = "x".repeat(TEXT_BYTES_MAX);
  const room = `#${"a".repeat(32)}`;
  const names = Array.from({ length: PRESENCE_NAMES_MAX }, () => longest);
  const most = 2 ** 53 - 1;
  const messages: readonly ServerMessage[] = [
    { type: "entry", room, sequence: most, id: ID, from: longest, time: most, text },
    { type: "presence", room, change: "joined", names, time: most },
  ];
  for (const message of messages) {
    const bytes = encodeMessage(message);
    assert.ok(bytes.length <= MESSAGE_BYTES_MAX);
    assert.deepEqual(decodeServerMessage(bytes), message);
  }
  const presence = messages[1] ?? assert.fail("there is one");
  assert.ok(encodeMessage(presence).length <= 4_096 - 5, "presence fits in the bucket of 4,096 octets");
  const tooLong = { type: "send", room, id: ID, text: "x".repeat(MESSAGE_BYTES_MAX) } as const;
  assert.throws(() => encodeMessage(tooLong), RangeError);
});

test("an id is octets of its own, not a view of what was received", () => {
  const bytes = encodeMessage({ type: "send", room: LOBBY, id: ID, text: "x" });
  const message = decodeClientMessage(bytes);
  bytes.fill(0);
  assert.deepEqual(message?.type === "send" && message.id, ID);
});

test("a lone surrogate is sent as the replacement character, never as bad UTF-8", () => {
  const bytes = encodeMessage({ type: "send", room: LOBBY, id: ID, text: "a\ud800b" });
  const message = decodeClientMessage(bytes);
  assert.equal(message?.type === "send" && message.text, "a\ufffdb");
  assert.equal(utf8("\ud800").toHex(), "efbfbd");
});

function bigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
