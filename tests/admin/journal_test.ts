import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  closeJournal,
  noteBanned,
  noteConnected,
  noteDelivery,
  noteEnded,
  noteFault,
  noteSession,
  noteTrace,
  openJournal,
  quotedField,
} from "../../lib/admin/journal.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { visible } from "../../lib/text/visible.ts";
import { utf8Text } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const AT = "192.0.2.1:50000";

const HOSTILE: readonly string[] = [
  `phone\n12:00:00 ${AT} joined as root`,
  "\r\u001b[2J\u001b]52;c;aGk=\u0007",
  '","event":"login","user":"root',
  "\u202Egnp.exe \u200B\u2028\u0085\uFEFF",
  '"\\"\\n',
  "\uD800 half",
  "e\u0301".padEnd(40, "\u0301"),
  "Grüße, 日本語 👩🏽‍🚀",
];

test("attack 28: whatever a logged field holds, one event stays one line and the field is read back equal", async () => {
  for (const hostile of HOSTILE) {
    const lines = await journal(() => {
      noteSession(AT, { kind: "entered", handle: ANN, device: hostile });
      noteFault(AT, hostile);
    });
    assert.equal(lines.length, 2, JSON.stringify(hostile));
    const [, device] = /^\d\d:\d\d:\d\d \S+ logged in as ann by device (".*")$/.exec(lines[0] ?? "") ?? [];
    const [, what] = /please report it: (".*")$/.exec(lines[1] ?? "") ?? [];
    for (const field of [device, what]) assert.equal(JSON.parse(field ?? "null"), hostile);
    for (const line of lines) assert.equal(visible(line), line, "nothing for a terminal to act on or hide");
  }
});

test("attack 28: a line of trace, or a phrase, with breaks and escapes in it stays one line, and does nothing", async () => {
  const lines = await journal(() => {
    noteTrace(AT, "one\n12:00:00 two\u001b[2J\r\u202E");
    noteEnded(AT, "why\nnot\u0007");
  });
  assert.deepEqual(lines.map((line) => line.slice(9)), [
    `${AT} one␊12:00:00 two␛[2J␍⟨U+202E⟩`,
    `${AT} gone: why␊not␇`,
  ]);
});

test("attack 28: any text as a quoted field is one visible line of JSON, and read back equal", () =>
  check(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      const field = quotedField(text);
      assert.equal(JSON.parse(field), text);
      assert.equal(visible(field), field);
    }),
    2_000,
  ));

test("each thing that happens is one line, which begins with the time and the address", async () => {
  const lines = await journal(() => {
    noteConnected(AT);
    noteBanned(AT);
    noteSession(AT, { kind: "registered", handle: ANN });
    noteSession(AT, { kind: "registrationRefused", handle: ANN, code: "nameTaken" });
    noteSession(AT, { kind: "loginFailed", handle: ANN, why: "wrongPassword" });
    noteSession(AT, { kind: "deviceRefused", handle: ANN });
    noteSession(AT, { kind: "entered", handle: ANN, device: undefined });
    noteSession(AT, { kind: "closedMeanwhile", handle: ANN });
    noteSession(AT, { kind: "published", handle: ANN });
    noteSession(AT, { kind: "passwordRenewed", handle: ANN });
    noteTrace(AT, "a line of trace");
    noteEnded(AT, "closed by the client (done)");
  });
  assert.deepEqual(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d 192\.0\.2\.1:50000 /, "")), [
    "connected",
    "refused: the address is banned",
    "registered ann",
    "may not register ann (nameTaken)",
    "failed to log in as ann by password (wrongPassword)",
    "failed to log in as ann by a device (badLogin)",
    "logged in as ann by password",
    "may no longer log in as ann",
    "published keys of ann",
    "set another password for ann",
    "a line of trace",
    "gone: closed by the client (done)",
  ]);
});

test("what is stored, dropped, refused or at fault is a line each, which begins with the time", async () => {
  const lines = await journal(() => {
    noteDelivery({ kind: "notStored", count: 3, why: "Cannot write: the disk is full." });
    noteDelivery({ kind: "dropped", room: "#lobby", upTo: 41 });
    const counts = new Map([["notMember", 2], ["banned", 1]] as const);
    noteDelivery({ kind: "refused", handle: ANN, address: AT, counts });
    noteDelivery({ kind: "fault", what: "one\ntwo" });
  });
  assert.deepEqual(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, "")), [
    "3 not stored or read: Cannot write: the disk is full.",
    "#lobby dropped what was said up to #41",
    `${AT} was refused as ann: notMember 2, banned 1`,
    'a fault of this server, please report it: "one\\ntwo"',
  ]);
});

async function journal(act: () => void): Promise<readonly string[]> {
  let text = "";
  await openJournal(
    new WritableStream({
      write: (chunk: Uint8Array) => {
        text += utf8Text(new Uint8Array(chunk)) ?? assert.fail("well-formed");
      },
    }),
  );
  act();
  await closeJournal();
  return text.split("\n").slice(0, -1);
}
