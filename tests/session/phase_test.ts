import assert from "node:assert/strict";
import {
  isStranger,
  MAY_COME,
  mayCome,
  type Phase,
  receiveBytes,
  ROOM_REQUESTS,
  tick,
} from "../../lib/session/phase.ts";
import { BEFORE_LOGIN_BYTES_MAX, LOGIN_MS_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";

const LOGIN: Phase = { kind: "login", since: 1_000, bytes: 0 };
const ENTERING: Phase = { kind: "entering", since: 1_000, bytes: 0 };
const INSIDE: readonly Phase[] = [{ kind: "password" }, { kind: "device" }, { kind: "leaving" }];

test("attack 25: before a login, and after a close, no message may come; after a login, `enter` alone", () => {
  for (const type of Array.from(new Set(Object.values(MAY_COME).flat()))) {
    assert.equal(mayCome(LOGIN, type), false);
    assert.equal(mayCome({ kind: "leaving" }, type), false);
    assert.equal(mayCome(ENTERING, type), type === "enter");
  }
});

test("attack 25: a password lets nobody into a room, and a device does not change the password", () => {
  for (const type of [...ROOM_REQUESTS, "approve"] as const) {
    assert.equal(mayCome({ kind: "password" }, type), false);
  }
  for (const type of ["passwordRequest", "passwordRecord", "recover", "askApproval"] as const) {
    assert.equal(mayCome({ kind: "device" }, type), false);
  }
});

test("nobody enters twice", () => {
  for (const phase of INSIDE) assert.equal(mayCome(phase, "enter"), false);
});

test("a stranger that sends more than an honest client needs is dropped without a word", () => {
  for (const stranger of [LOGIN, ENTERING]) {
    assert.ok(isStranger(stranger));
    const first = receiveBytes(stranger, BEFORE_LOGIN_BYTES_MAX - 1);
    const second = first.kind === "go" ? receiveBytes(first.phase, 1) : assert.fail("it is not too much");
    assert.deepEqual(second, { kind: "go", phase: { ...stranger, bytes: BEFORE_LOGIN_BYTES_MAX } });
    assert.deepEqual(second.kind === "go" && receiveBytes(second.phase, 1), { kind: "drop" });
  }
  for (const phase of INSIDE) assert.deepEqual(receiveBytes(phase, 2 ** 30), { kind: "go", phase });
});

test("a stranger that takes too long is late", () => {
  for (const stranger of [LOGIN, ENTERING]) {
    assert.deepEqual(tick(stranger, 1_000 + LOGIN_MS_MAX - 1), { kind: "go", phase: stranger });
    assert.deepEqual(tick(stranger, 1_000 + LOGIN_MS_MAX), { kind: "late" });
  }
  for (const phase of INSIDE) assert.deepEqual(tick(phase, 2 ** 40), { kind: "go", phase });
});
