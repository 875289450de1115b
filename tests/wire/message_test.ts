import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { HANDLE_CHARS_MAX, parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { encodeCbor } from "../../lib/wire/cbor.ts";
import { encodeBody, ENTRY_KINDS } from "../../lib/wire/entry_body.ts";
import {
  BODY_BYTES_MAX,
  CARDS_MAX,
  DEVICE_LIST_BYTES_MAX,
  DISPLAY_NAME_BYTES_MAX,
  FILE_BYTES_MAX,
  FILE_CHUNK_BYTES,
  FILE_WINDOW_CHUNKS,
  MESSAGE_BYTES_MAX,
  PAGE_ENTRIES_MAX,
  PEOPLE_MAX,
  RETENTION_DAYS_MAX,
  ROOM_MEMBERS_MAX,
  SLOW_SECONDS_MAX,
  STATUS_BYTES_MAX,
  TEXT_BYTES_MAX,
  TOPIC_BYTES_MAX,
} from "../../lib/wire/limits.ts";
import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeMessage,
  ENTRY_ID_BYTES,
  FAULT_CODES,
  type Logged,
  PASSWORD_MESSAGE_BYTES,
  RECOVERY_BLOB_BYTES,
  ROOM_ID_BYTES,
  SALT_BYTES,
  SEALED_SEED_BYTES,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const BOB = parseHandle("bob") ?? assert.fail("bob is a handle");
const MOST = 2 ** 53 - 1;
const ID = octets(ENTRY_ID_BYTES);
const ROOM = octets(ROOM_ID_BYTES);
const KEY = octets(32);
const HASH = octets(32);
const PLACE = { sequence: 7, hash: HASH };
const SIGNATURE = octets(64);
const KEYS = { identity: KEY, list: octets(100), signature: SIGNATURE };
const SEALED = octets(SEALED_SEED_BYTES);
const BLOB = octets(RECOVERY_BLOB_BYTES);
const REQUEST = { device: KEY, name: "laptop", share: KEY };
const DRAFT = {
  id: ID,
  kind: "text",
  seen: PLACE,
  signature: SIGNATURE,
  content: { salt: octets(SALT_BYTES), body: octets(9) },
} as const;
const LOGGED: Logged = { ...DRAFT, sequence: 1, time: 0, previous: HASH, device: KEY, digest: HASH };
const SEND = { type: "send", room: ROOM, entry: DRAFT } as const;
const READ = {
  type: "read",
  room: ROOM,
  ask: 1,
  where: { from: "newest" },
  limit: 50,
  follow: true,
} as const;
const FILE_BEGIN = { type: "fileBegin", file: ID, room: ROOM, size: 3, sha256: HASH } as const;
const ACK = { type: "ack", room: ROOM, id: ID, sequence: 1, time: 0, previous: HASH } as const;
const SETTINGS = {
  visibility: "public",
  topic: "",
  history: "all",
  retention: 0,
  slow: 0,
  lockdown: false,
} as const;
const ROOM_NEWS: ServerMessage & { type: "room" } = {
  type: "room",
  room: ROOM,
  kind: "open",
  name: "#tea",
  standing: "member",
  role: "owner",
  settings: SETTINGS,
  members: 1,
  knocking: [BOB],
  head: PLACE,
  base: PLACE,
  delivered: 0,
  read: 0,
};
const PRESENCE: ServerMessage = { type: "presence", people: [{ handle: ANN, state: "online" }], time: 0 };

const CLIENT_MESSAGES: readonly ClientMessage[] = [
  { type: "enter" },
  { type: "publish", keys: KEYS },
  { type: "publish", keys: KEYS, recovery: BLOB },
  { type: "recover" },
  { type: "askApproval", ...REQUEST },
  { type: "approve", device: KEY, keys: KEYS, share: KEY, sealed: SEALED },
  { type: "passwordRequest", request: octets(PASSWORD_MESSAGE_BYTES.request) },
  { type: "passwordRecord", record: octets(PASSWORD_MESSAGE_BYTES.record) },
  SEND,
  { ...SEND, entry: { ...DRAFT, kind: "reply", about: PLACE } },
  ...ENTRY_KINDS.map((kind): ClientMessage => ({ ...SEND, entry: { ...DRAFT, kind } })),
  READ,
  { ...READ, where: { from: "after", sequence: 0 }, follow: false },
  { ...READ, where: { from: "before", sequence: 1 }, limit: 1 },
  { ...READ, where: { from: "around", sequence: MOST }, limit: PAGE_ENTRIES_MAX },
  { ...READ, where: { from: "since", time: 0 }, ask: 2 ** 32 - 1 },
  { type: "list", ask: 0 },
  { type: "list", ask: 0, name: "#tea-2_x" },
  { type: "askMembers", room: ROOM, ask: 3 },
  { type: "askCards", ask: 4, handles: [ANN, BOB] },
  { type: "mark", room: ROOM, delivered: 9, read: 8, shown: false },
  { type: "typing", room: ROOM, on: true },
  { type: "status", state: "online" },
  { type: "status", state: "away", text: "zu Tisch" },
  { type: "block", handle: BOB, on: true },
  FILE_BEGIN,
  { ...FILE_BEGIN, size: FILE_BYTES_MAX },
  { type: "fileChunk", file: ID, offset: 0, bytes: octets(FILE_CHUNK_BYTES) },
  { type: "fileGet", file: ID, offset: 0, chunks: FILE_WINDOW_CHUNKS },
];

const SERVER_MESSAGES: readonly ServerMessage[] = [
  { type: "account", handle: ANN, role: "owner", recovery: false },
  { type: "account", handle: ANN, role: "member", recovery: true, keys: KEYS },
  { type: "recovery", blob: BLOB },
  { type: "approval", ...REQUEST },
  { type: "approved", keys: KEYS, share: KEY, sealed: SEALED },
  { type: "passwordResponse", response: octets(PASSWORD_MESSAGE_BYTES.response) },
  { type: "cards", cards: [{ handle: ANN, ...KEYS }, { handle: BOB, ...KEYS }] },
  { type: "cards", cards: [], ask: 1, end: true },
  { type: "entry", room: ROOM, entry: LOGGED },
  { type: "entry", room: ROOM, entry: { ...LOGGED, from: ANN, about: PLACE, sequence: MOST, time: MOST } },
  { type: "entry", room: ROOM, entry: { ...erased(LOGGED), erasedBy: 2 } },
  { type: "page", room: ROOM, ask: 1, entries: [LOGGED, { ...LOGGED, sequence: 2 }] },
  { type: "page", room: ROOM, ask: 1, entries: [], end: { head: PLACE, base: PLACE, live: true } },
  ACK,
  ROOM_NEWS,
  {
    type: "room",
    room: ROOM,
    kind: "direct",
    with: BOB,
    standing: "requested",
    settings: { ...SETTINGS, visibility: "private", history: 0 },
    members: ROOM_MEMBERS_MAX,
    knocking: [],
    head: PLACE,
    base: PLACE,
    delivered: MOST,
    read: MOST,
  },
  { type: "gone", room: ROOM, why: "kicked" },
  { type: "ready" },
  {
    type: "directory",
    ask: 1,
    rooms: [{ room: ROOM, name: "#tea", visibility: "private", topic: "", members: 0 }],
    end: true,
  },
  { type: "members", room: ROOM, ask: 1, members: [{ handle: ANN, role: "muted" }], end: false },
  PRESENCE,
  { type: "typing", room: ROOM, handle: BOB, on: false },
  { type: "marks", room: ROOM, handle: BOB, delivered: 2, read: 1 },
  { type: "blocks", handles: [] },
  { type: "fileState", file: ID, have: 0, done: false },
  { type: "fileData", file: ID, offset: 0, size: 1, bytes: octets(1) },
  { type: "fault", code: "slowMode", about: ID, ask: 1, wait: 4_000 },
  ...FAULT_CODES.map((code): ServerMessage => ({ type: "fault", code })),
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

test("any word about oneself within the limit comes back as it went", () =>
  check(fc.property(fc.string({ minLength: 1, maxLength: 9, unit: "grapheme" }), (text) => {
    fc.pre(utf8(text).length <= STATUS_BYTES_MAX);
    const message = { type: "status", state: "away", text } as const;
    assert.deepEqual(decodeClientMessage(encodeMessage(message)), message);
  })));

test("fields missing, added, of another type or out of bounds make no message", () => {
  const draft = (change: Readonly<Record<string, unknown>>) => ({ ...SEND, entry: { ...DRAFT, ...change } });
  const logged = (change: Readonly<Record<string, unknown>>) => ({
    type: "entry",
    room: ROOM,
    entry: { ...LOGGED, ...change },
  });
  const settled = (change: Readonly<Record<string, unknown>>) => ({
    ...ROOM_NEWS,
    settings: { ...SETTINGS, ...change },
  });
  const crowd = Array.from({ length: PEOPLE_MAX + 1 }, () => ANN);
  const wrong: readonly unknown[] = [
    null,
    [],
    7,
    "send",
    {},
    { type: "sing" },
    { type: "join", room: ROOM },
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
    { type: "cards", cards: Array.from({ length: CARDS_MAX + 1 }, () => ({ handle: ANN, ...KEYS })) },
    { type: "cards", cards: [{ ...KEYS }] },
    { ...SEND, room: "#lobby" },
    { ...SEND, room: octets(15) },
    { ...SEND, from: "bob" },
    draft({ id: octets(15) }),
    draft({ id: "0".repeat(16) }),
    draft({ kind: "sing" }),
    draft({ from: "bob" }),
    draft({ seen: undefined }),
    draft({ seen: 7 }),
    draft({ seen: { ...PLACE, sequence: -1 } }),
    draft({ seen: { ...PLACE, hash: octets(31) } }),
    draft({ about: null }),
    draft({ about: { ...PLACE, more: 1 } }),
    draft({ signature: octets(0) }),
    draft({ content: { ...DRAFT.content, salt: octets(SALT_BYTES - 1) } }),
    draft({ content: { ...DRAFT.content, body: octets(0) } }),
    draft({ content: { ...DRAFT.content, body: octets(BODY_BYTES_MAX + 1) } }),
    draft({ content: { ...DRAFT.content, body: "text" } }),
    logged({ sequence: 0 }),
    logged({ sequence: -1 }),
    logged({ sequence: 1.5 }),
    logged({ sequence: 2 ** 53 }),
    logged({ sequence: 2n ** 60n }),
    logged({ time: -1 }),
    logged({ time: 0.5 }),
    logged({ from: "../x" }),
    logged({ previous: octets(33) }),
    logged({ device: octets(31) }),
    logged({ digest: octets(0) }),
    logged({ erasedBy: 0 }),
    { ...READ, limit: 0 },
    { ...READ, limit: PAGE_ENTRIES_MAX + 1 },
    { ...READ, ask: 2 ** 32 },
    { ...READ, where: { from: "newest", sequence: 1 } },
    { ...READ, where: { from: "before", sequence: 0 } },
    { ...READ, where: { from: "since" } },
    { ...READ, follow: 1 },
    { type: "list", ask: 1, name: "tea" },
    { type: "list", ask: 1, name: "#" },
    { type: "list", ask: 1, name: "#Tea" },
    { type: "list", ask: 1, name: "#../x" },
    { type: "list", ask: 1, name: `#${"a".repeat(33)}` },
    { type: "list", ask: 1, name: "#lobby\n" },
    { type: "askCards", ask: 1, handles: [] },
    { type: "askCards", ask: 1, handles: crowd },
    { type: "mark", room: ROOM, delivered: -1, read: 0, shown: true },
    { type: "status", state: "offline" },
    { type: "status", state: "away", text: "" },
    { type: "status", state: "away", text: "x".repeat(STATUS_BYTES_MAX + 1) },
    { type: "block", handle: "Bob", on: true },
    { ...FILE_BEGIN, size: FILE_BYTES_MAX + 1 },
    { ...FILE_BEGIN, sha256: octets(20) },
    { type: "fileChunk", file: ID, offset: 0, bytes: octets(0) },
    { type: "fileChunk", file: ID, offset: 0, bytes: octets(FILE_CHUNK_BYTES + 1) },
    { type: "fileGet", file: ID, offset: 0, chunks: FILE_WINDOW_CHUNKS + 1 },
    { type: "page", room: ROOM, ask: 1, entries: Array.from({ length: PAGE_ENTRIES_MAX + 1 }, () => LOGGED) },
    { type: "page", room: ROOM, ask: 1, entries: [], end: { head: PLACE, base: PLACE } },
    { ...ROOM_NEWS, name: "tea" },
    { ...ROOM_NEWS, standing: "banned" },
    { ...ROOM_NEWS, role: "king" },
    { ...ROOM_NEWS, members: ROOM_MEMBERS_MAX + 1 },
    { ...ROOM_NEWS, knocking: crowd },
    settled({ topic: "x".repeat(TOPIC_BYTES_MAX + 1) }),
    settled({ history: "none" }),
    settled({ history: -1 }),
    settled({ retention: RETENTION_DAYS_MAX + 1 }),
    settled({ slow: SLOW_SECONDS_MAX + 1 }),
    settled({ lockdown: "on" }),
    { type: "gone", room: ROOM, why: "left" },
    { ...PRESENCE, people: [] },
    { ...PRESENCE, people: crowd.map((handle) => ({ handle, state: "online" })) },
    { ...PRESENCE, people: [{ handle: ANN, state: "busy" }] },
    { ...PRESENCE, room: ROOM },
    { type: "members", room: ROOM, ask: 1, members: [{ handle: ANN }], end: true },
    { type: "fault", code: "unheardOf" },
    { type: "fault", code: "notMember", about: octets(1) },
    { type: "fault", code: "notMember", about: null },
    { type: "fault", code: "tooFast", wait: -1 },
  ];
  for (const value of wrong) {
    const bytes = encodeCbor(value);
    assert.equal(decodeClientMessage(bytes), undefined, JSON.stringify(value, bigint));
    assert.equal(decodeServerMessage(bytes), undefined, JSON.stringify(value, bigint));
  }
});

test("the longest of every message fits in a record, and nothing longer is encoded", () => {
  const longest = parseHandle("a".repeat(HANDLE_CHARS_MAX)) ?? assert.fail("it is a handle");
  const name = `#${"a".repeat(32)}`;
  const place = { sequence: MOST, hash: HASH };
  const body = encodeBody({ kind: "text", body: { text: "x".repeat(TEXT_BYTES_MAX) } });
  const content = { salt: octets(SALT_BYTES), body };
  const said = { ...LOGGED, kind: "membership", from: longest, seen: place, about: place, content } as const;
  const crowd = Array.from({ length: PEOPLE_MAX }, () => longest);
  const away = { state: "away", text: "x".repeat(STATUS_BYTES_MAX) } as const;
  const topic = "x".repeat(TOPIC_BYTES_MAX);
  const messages: readonly ServerMessage[] = [
    { type: "entry", room: ROOM, entry: { ...said, sequence: MOST, time: MOST, erasedBy: MOST } },
    {
      type: "page",
      room: ROOM,
      ask: 2 ** 32 - 1,
      entries: [{ ...said, sequence: MOST, time: MOST }],
      end: { head: place, base: place, live: false },
    },
    {
      ...ROOM_NEWS,
      name,
      settings: { ...SETTINGS, topic },
      knocking: crowd,
      head: place,
      base: place,
      delivered: MOST,
      read: MOST,
    },
    {
      type: "members",
      room: ROOM,
      ask: 1,
      members: crowd.map((handle) => ({ handle, role: "operator" })),
      end: true,
    },
    { type: "fileData", file: ID, offset: MOST, size: MOST, bytes: octets(FILE_CHUNK_BYTES) },
  ];
  for (const message of messages) {
    const bytes = encodeMessage(message);
    assert.ok(bytes.length <= MESSAGE_BYTES_MAX, message.type);
    assert.deepEqual(decodeServerMessage(bytes), message);
  }
  // With everybody's longest word it would not: the server splits by size, too.
  const people = crowd.map((handle) => ({ handle, ...away }));
  assert.throws(() => encodeMessage({ type: "presence", people, time: MOST }), RangeError);
  const few = people.slice(0, PEOPLE_MAX / 2);
  assert.ok(encodeMessage({ type: "presence", people: few, time: MOST }).length <= MESSAGE_BYTES_MAX);
  const tooLong = { ...SEND, entry: { ...DRAFT, content: { ...content, body: octets(MESSAGE_BYTES_MAX) } } };
  assert.throws(() => encodeMessage(tooLong), RangeError);
});

test("an id is octets of its own, not a view of what was received", () => {
  const bytes = encodeMessage(SEND);
  const message = decodeClientMessage(bytes);
  bytes.fill(0);
  assert.deepEqual(message?.type === "send" && message.entry.id, ID);
  assert.deepEqual(message?.type === "send" && message.entry.content.body, DRAFT.content.body);
});

test("a lone surrogate is sent as the replacement character, never as bad UTF-8", () => {
  const bytes = encodeMessage({ type: "status", state: "away", text: "a\ud800b" });
  const message = decodeClientMessage(bytes);
  assert.equal(message?.type === "status" && message.text, "a\ufffdb");
  assert.equal(utf8("\ud800").toHex(), "efbfbd");
});

function erased({ content: _, ...rest }: Logged): Logged {
  return rest;
}

function octets(length: number): Bytes {
  return new Uint8Array(length).fill(5);
}

function bigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
