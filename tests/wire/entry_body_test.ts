import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { encodeCbor } from "../../lib/wire/cbor.ts";
import {
  decodeBody,
  encodeBody,
  ENTRY_KINDS,
  type EntryBody,
  type EntryKind,
} from "../../lib/wire/entry_body.ts";
import { BODY_BYTES_MAX, FILE_NAME_BYTES_MAX, TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const BODIES: readonly EntryBody[] = [
  { kind: "text", body: { text: "Grüße, سلام, 👩🏽‍🚀" } },
  { kind: "reply", body: { text: "x".repeat(TEXT_BYTES_MAX) } },
  { kind: "edit", body: { text: "x" } },
  { kind: "delete", body: {} },
  { kind: "delete", body: { reason: "spam" } },
  { kind: "reaction", body: { reaction: "👍🏽", on: true } },
  { kind: "pin", body: { on: false } },
  { kind: "file", body: { file: octets(16), name: "a.txt", size: 0, sha256: octets(32) } },
  { kind: "topic", body: { topic: "" } },
  { kind: "membership", body: { change: "join" } },
  { kind: "membership", body: { change: "join", handle: ANN, role: "owner" } },
  { kind: "membership", body: { change: "invite", handle: ANN } },
  { kind: "moderation", body: { act: "role", handle: ANN, role: "operator" } },
  { kind: "moderation", body: { act: "ban", handle: ANN, until: 1, reason: "why" } },
  { kind: "moderation", body: { act: "mute", handle: ANN } },
  { kind: "room", body: { act: "create", kind: "open", name: "#ops", visibility: "private" } },
  { kind: "room", body: { act: "create", kind: "direct", with: ANN } },
  { kind: "room", body: { act: "history", history: "all" } },
  { kind: "room", body: { act: "history", history: 7 } },
  { kind: "room", body: { act: "slow", seconds: 30 } },
  { kind: "keys", body: { handle: ANN, identity: octets(32), number: 1, list: octets(32) } },
  { kind: "notice", body: { source: "server", name: "server", text: "restored from #7" } },
];

test("what entries say comes back as it went, and is nothing of another kind by chance", () => {
  for (const what of BODIES) assert.deepEqual(decodeBody(what.kind, encodeBody(what)), what);
  assert.deepEqual(new Set(BODIES.map(({ kind }) => kind)), new Set(ENTRY_KINDS));
});

test("any text within the limit comes back as it went", () =>
  check(fc.property(fc.string({ minLength: 1, maxLength: 500, unit: "grapheme" }), (text) => {
    const what = { kind: "text", body: { text } } as const;
    assert.deepEqual(decodeBody("text", encodeBody(what)), what);
  })));

test("what is missing, added, of another type or out of bounds is nothing that an entry says", () => {
  const wrong: readonly (readonly [EntryKind, unknown])[] = [
    ["text", {}],
    ["text", { text: "" }],
    ["text", { text: 7 }],
    ["text", { text: "x".repeat(TEXT_BYTES_MAX + 1) }],
    ["text", { text: "ü".repeat(TEXT_BYTES_MAX / 2 + 1) }],
    ["text", { text: "x", html: "y" }],
    ["delete", { reason: "" }],
    ["delete", { reason: null }],
    ["reaction", { reaction: "x".repeat(41), on: true }],
    ["reaction", { reaction: "x" }],
    ["pin", { on: 1 }],
    ["file", { file: octets(15), name: "a", size: 0, sha256: octets(32) }],
    ["file", { file: octets(16), name: "x".repeat(FILE_NAME_BYTES_MAX + 1), size: 0, sha256: octets(32) }],
    ["file", { file: octets(16), name: "a", size: -1, sha256: octets(32) }],
    ["topic", { topic: "x".repeat(257) }],
    ["membership", { change: "ascend" }],
    ["membership", { change: "invite" }],
    ["membership", { change: "invite", handle: "Ann" }],
    ["membership", { change: "join", role: "king" }],
    ["moderation", { act: "kick" }],
    ["moderation", { act: "kick", handle: ANN, until: 1 }],
    ["moderation", { act: "ban", handle: ANN, until: -1 }],
    ["room", { act: "create", kind: "open", name: "ops", visibility: "public" }],
    ["room", { act: "create", kind: "open", name: "#../x", visibility: "public" }],
    ["room", { act: "create", kind: "sealed", name: "#ops", visibility: "public" }],
    ["room", { act: "slow", seconds: 21_601 }],
    ["room", { act: "retention", days: -1 }],
    ["room", { act: "history", history: "some" }],
    ["keys", { handle: ANN, identity: octets(32), number: 0, list: octets(32) }],
    ["notice", { source: "ann", name: "x", text: "y" }],
    ["notice", { source: "console", name: "", text: "y" }],
  ];
  for (const [kind, body] of wrong) assert.equal(decodeBody(kind, encodeCbor(body)), undefined, kind);
  for (const kind of ENTRY_KINDS) {
    for (const bytes of [octets(0), octets(1), encodeCbor([]), encodeCbor("x"), utf8("{}")]) {
      assert.equal(decodeBody(kind, bytes), undefined, kind);
    }
  }
});

test("what is longer than any entry may be is not encoded", () => {
  const what = { kind: "text", body: { text: "x".repeat(BODY_BYTES_MAX) } } as const;
  assert.throws(() => encodeBody(what), RangeError);
  assert.ok(
    encodeBody({
      kind: "notice",
      body: { source: "bridge", name: "x".repeat(64), text: "x".repeat(TEXT_BYTES_MAX) },
    }).length <= BODY_BYTES_MAX,
  );
});

function octets(length: number): Bytes {
  return new Uint8Array(length).fill(5);
}
