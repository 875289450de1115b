import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { HANDLE_CHARS_MAX, parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { encodeCbor } from "../../lib/wire/cbor.ts";
import {
  CARDS_MAX,
  DEVICE_LIST_BYTES_MAX,
  DISPLAY_NAME_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  PRESENCE_NAMES_MAX,
  TEXT_BYTES_MAX,
} from "../../lib/wire/limits.ts";
import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeMessage,
  ENTRY_ID_BYTES,
  FAULT_CODES,
  LOBBY,
  PASSWORD_MESSAGE_BYTES,
  RECOVERY_BLOB_BYTES,
  SALT_BYTES,
  SEALED_SEED_BYTES,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const ID = octets(ENTRY_ID_BYTES);
const KEY = octets(32);
const SIGNATURE = octets(64);
const SIGNED = { salt: octets(SALT_BYTES), seen: 7, signature: SIGNATURE };
const KEYS = { identity: KEY, list: octets(100), signature: SIGNATURE };
const SEALED = octets(SEALED_SEED_BYTES);
const BLOB = octets(RECOVERY_BLOB_BYTES);
const REQUEST = { device: KEY, name: "laptop", share: KEY };
const SEND = { type: "send", room: LOBBY, id: ID, text: "x", ...SIGNED } as const;
const ENTRY = {
  type: "entry",
  room: LOBBY,
  sequence: 1,
  id: ID,
  from: ANN,
  device: KEY,
  time: 0,
  text: "x",
  ...SIGNED,
} as const;
const NOTICE = {
  type: "notice",
  room: LOBBY,
  sequence: 1,
  id: ID,
  source: "bridge",
  name: "guest-1",
  time: 0,
  text: "x",
  signature: SIGNATURE,
} as const;

const CLIENT_MESSAGES: readonly ClientMessage[] = [
  { type: "enter" },
  { type: "publish", keys: KEYS },
  { type: "publish", keys: KEYS, recovery: BLOB },
  { type: "recover" },
  { type: "askApproval", ...REQUEST },
  { type: "approve", device: KEY, keys: KEYS, share: KEY, sealed: SEALED },
  { type: "passwordRequest", request: octets(PASSWORD_MESSAGE_BYTES.request) },
  { type: "passwordRecord", record: octets(PASSWORD_MESSAGE_BYTES.record) },
  { type: "join", room: LOBBY },
  { ...SEND, text: "Grüße, سلام, 👩🏽‍🚀" },
  { ...SEND, seen: 0 },
];

const SERVER_MESSAGES: readonly ServerMessage[] = [
  { type: "account", handle: ANN, role: "owner", recovery: false },
  { type: "account", handle: ANN, role: "member", recovery: true, keys: KEYS },
  { type: "recovery", blob: BLOB },
  { type: "approval", ...REQUEST },
  { type: "approved", keys: KEYS, share: KEY, sealed: SEALED },
  { type: "passwordResponse", response: octets(PASSWORD_MESSAGE_BYTES.response) },
  { type: "cards", cards: [{ handle: ANN, ...KEYS }, { handle: ANN, ...KEYS }] },
  NOTICE,
  { ...NOTICE, source: "console" },
  ENTRY,
  { ...ENTRY, sequence: 2 ** 53 - 1, time: 2 ** 53 - 1 },
  { type: "ack", room: LOBBY, id: ID, sequence: 1, time: 1_700_000_000_000 },
  { type: "presence", room: LOBBY, change: "here", names: [ANN], time: 0 },
  { type: "fault", code: "staleList" },
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
    const message = { ...SEND, text };
    assert.deepEqual(decodeClientMessage(encodeMessage(message)), message);
  })));

test("fields missing, added, of another type or out of bounds make no message", () => {
  const presence = { type: "presence", room: LOBBY, change: "here", names: ["ann"], time: 0 };
  const wrong: readonly unknown[] = [
    null,
    [],
    7,
    "send",
    {},
    { type: "sing" },
    { type: "join" },
    { type: "join", room: "lobby" },
    { type: "join", room: "#" },
    { type: "join", room: "#Lobby" },
    { type: "join", room: "#../x" },
    { type: "join", room: `#${"a".repeat(33)}` },
    { type: "join", room: `${LOBBY}\n` },
    { type: "join", room: LOBBY, name: "ann" },
    { type: "enter", as: "ann" },
    { type: "publish" },
    { type: "publish", keys: { ...KEYS, identity: octets(31) } },
    { type: "publish", keys: { ...KEYS, list: octets(0) } },
    { type: "publish", keys: { ...KEYS, list: octets(DEVICE_LIST_BYTES_MAX + 1) } },
    { type: "publish", keys: { ...KEYS, signature: octets(63) } },
    { type: "publish", keys: { ...KEYS, admin: true } },
    { type: "publish", keys: KEYS, recovery: octets(RECOVERY_BLOB_BYTES + 1) },
    { type: "askApproval", ...REQUEST, name: "" },
    { type: "askApproval", ...REQUEST, name: "x".repeat(DISPLAY_NAME_BYTES_MAX + 1) },
    { type: "approve", device: KEY, keys: KEYS, share: KEY, sealed: octets(SEALED_SEED_BYTES - 1) },
    { type: "passwordRequest", request: octets(PASSWORD_MESSAGE_BYTES.request + 1) },
    { type: "passwordRecord", record: octets(PASSWORD_MESSAGE_BYTES.record - 1) },
    { type: "account", handle: "Ann", role: "owner", recovery: false },
    { type: "account", handle: ANN, role: "king", recovery: false },
    { type: "account", handle: ANN, role: "owner" },
    { type: "cards", cards: [] },
    { type: "cards", cards: Array.from({ length: CARDS_MAX + 1 }, () => ({ handle: ANN, ...KEYS })) },
    { type: "cards", cards: [{ ...KEYS }] },
    { ...NOTICE, source: "server" },
    { ...NOTICE, name: "" },
    { ...NOTICE, text: "" },
    { ...NOTICE, signature: octets(65) },
    { ...SEND, salt: octets(SALT_BYTES - 1) },
    { ...SEND, seen: -1 },
    { ...SEND, signature: octets(0) },
    { ...SEND, id: new Uint8Array(15) },
    { ...SEND, id: new Uint8Array(17) },
    { ...SEND, id: "0".repeat(16) },
    { ...SEND, text: "" },
    { ...SEND, text: 7 },
    { ...SEND, text: "x".repeat(TEXT_BYTES_MAX + 1) },
    { ...SEND, text: "ü".repeat(TEXT_BYTES_MAX / 2 + 1) },
    { ...SEND, from: "bob" },
    { ...ENTRY, sequence: 0 },
    { ...ENTRY, sequence: -1 },
    { ...ENTRY, sequence: 1.5 },
    { ...ENTRY, sequence: 2 ** 53 },
    { ...ENTRY, sequence: 2n ** 60n },
    { ...ENTRY, time: -1 },
    { ...ENTRY, time: 0.5 },
    { ...ENTRY, from: "../x" },
    { ...presence, names: [] },
    { ...presence, names: Array.from({ length: PRESENCE_NAMES_MAX + 1 }, () => "ann") },
    { ...presence, names: ["ann", "Bob"] },
    { ...presence, change: "gone" },
    { type: "fault", code: "unheardOf" },
    { type: "fault", code: "notJoined", about: new Uint8Array(1) },
    { type: "fault", code: "notJoined", about: null },
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
    { ...ENTRY, room, sequence: most, from: longest, time: most, text, seen: most },
    { ...NOTICE, room, sequence: most, name: "x".repeat(DISPLAY_NAME_BYTES_MAX), time: most, text },
    { type: "presence", room, change: "joined", names, time: most },
  ];
  for (const message of messages) {
    const bytes = encodeMessage(message);
    assert.ok(bytes.length <= MESSAGE_BYTES_MAX);
    assert.deepEqual(decodeServerMessage(bytes), message);
  }
  const presence = messages[2] ?? assert.fail("there is one");
  assert.ok(encodeMessage(presence).length <= 4_096 - 5, "presence fits in the bucket of 4,096 octets");
  const tooLong = { ...SEND, room, text: "x".repeat(MESSAGE_BYTES_MAX) };
  assert.throws(() => encodeMessage(tooLong), RangeError);
});

test("an id is octets of its own, not a view of what was received", () => {
  const bytes = encodeMessage(SEND);
  const message = decodeClientMessage(bytes);
  bytes.fill(0);
  assert.deepEqual(message?.type === "send" && message.id, ID);
});

test("a lone surrogate is sent as the replacement character, never as bad UTF-8", () => {
  const bytes = encodeMessage({ ...SEND, text: "a\ud800b" });
  const message = decodeClientMessage(bytes);
  assert.equal(message?.type === "send" && message.text, "a\ufffdb");
  assert.equal(utf8("\ud800").toHex(), "efbfbd");
});

function octets(length: number): Bytes {
  return new Uint8Array(length).fill(5);
}

function bigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
