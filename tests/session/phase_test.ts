import assert from "node:assert/strict";
import { type Phase, receiveBytes, receiveMessage, tick } from "../../lib/session/phase.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { BEFORE_LOGIN_BYTES_MAX, LOGIN_MS_MAX } from "../../lib/wire/limits.ts";
import { SAID } from "../secure/recorded_session.ts";
import { test } from "../sanitized.ts";

const AWAITING: Phase = { kind: "awaitingJoin", since: 1_000, bytes: 0 };
const READY: Phase = { kind: "ready" };
const LEAVING: Phase = { kind: "leaving" };

const FOREIGN: readonly Bytes[] = [new Uint8Array(1), utf8("hello"), SAID.here, SAID.entry, SAID.firstAck];

test("a stranger may ask to be let in", () => {
  const { phase, action } = receiveMessage(AWAITING, SAID.join);
  assert.deepEqual(phase, AWAITING, "the rules say whether it is");
  assert.equal(action.kind === "submit" && action.request.type, "join");
});

test("attack 25: whatever a stranger sends but a request to be let in closes, and is not decided on", () => {
  for (const bytes of [SAID.first, ...FOREIGN]) {
    assert.deepEqual(receiveMessage(AWAITING, bytes), {
      phase: LEAVING,
      action: { kind: "close", reason: "protocolFault" },
    });
  }
});

test("whoever is in may say things, and ask again", () => {
  for (const [bytes, type] of [[SAID.first, "send"], [SAID.join, "join"]] as const) {
    const { phase, action } = receiveMessage(READY, bytes);
    assert.deepEqual(phase, READY);
    assert.equal(action.kind === "submit" && action.request.type, type);
  }
});

test("what is no client's message closes", () => {
  for (const bytes of FOREIGN) {
    assert.deepEqual(receiveMessage(READY, bytes), {
      phase: LEAVING,
      action: { kind: "close", reason: "protocolFault" },
    });
  }
});

test("after a close nothing is taken", () => {
  for (const bytes of [SAID.join, SAID.first, ...FOREIGN]) {
    assert.deepEqual(receiveMessage(LEAVING, bytes), { phase: LEAVING, action: { kind: "none" } });
  }
});

test("a stranger that sends more than an honest client needs is dropped without a word", () => {
  const first = receiveBytes(AWAITING, BEFORE_LOGIN_BYTES_MAX - 1);
  assert.equal(first.action.kind, "none");
  const second = receiveBytes(first.phase, 1);
  assert.equal(second.action.kind, "none");
  assert.deepEqual(receiveBytes(second.phase, 1), { phase: LEAVING, action: { kind: "drop" } });
  for (const phase of [READY, LEAVING]) {
    assert.deepEqual(receiveBytes(phase, 2 ** 30), { phase, action: { kind: "none" } });
  }
});

test("a stranger that takes too long is closed with that reason", () => {
  assert.equal(tick(AWAITING, 1_000 + LOGIN_MS_MAX - 1).action.kind, "none");
  assert.deepEqual(tick(AWAITING, 1_000 + LOGIN_MS_MAX), {
    phase: LEAVING,
    action: { kind: "close", reason: "loginTimeout" },
  });
  for (const phase of [READY, LEAVING]) {
    assert.deepEqual(tick(phase, 2 ** 40), { phase, action: { kind: "none" } });
  }
});
