import assert from "node:assert/strict";
import { type Approvals, askApproval, findWaiting, waitingFor, withdraw } from "../../lib/chat/approvals.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { APPROVALS_WAITING_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";

const [ANN, BOB] = [handle("ann"), handle("bob")];

test("a device waits for its own account alone, until its connection is over", () => {
  const waiting = asked([1, ANN, 10], [2, BOB, 20]);
  assert.equal(findWaiting(waiting, ANN, key(10))?.peer, 1);
  assert.equal(findWaiting(waiting, BOB, key(10)), undefined);
  assert.deepEqual(waitingFor(waiting, BOB).map(({ peer }) => peer), [2]);
  const after = withdraw(waiting, 1);
  assert.equal(findWaiting(after, ANN, key(10)), undefined);
  assert.equal(findWaiting(after, BOB, key(20))?.peer, 2);
});

test("a connection waits for one device, and a device on one connection: the latest", () => {
  assert.deepEqual(asked([1, ANN, 10], [1, ANN, 11]).map(({ request }) => request.device), [key(11)]);
  assert.deepEqual(asked([1, ANN, 10], [2, ANN, 10]).map(({ peer }) => peer), [2]);
});

test("nobody takes the place of another account's device by asking for the same key", () => {
  const waiting = asked([1, ANN, 10], [2, BOB, 10]);
  assert.equal(findWaiting(waiting, ANN, key(10))?.peer, 1);
});

test("the oldest of an account gives way to one too many; other accounts are not concerned", () => {
  const many = Array.from(
    { length: APPROVALS_WAITING_MAX },
    (_, at): [number, Handle, number] => [at, ANN, at],
  );
  const full = asked([90, BOB, 90], ...many);
  assert.equal(waitingFor(full, ANN).length, APPROVALS_WAITING_MAX);
  const over = ask(full, [91, ANN, 91]);
  assert.deepEqual(waitingFor(over, ANN).map(({ peer }) => peer), [
    ...many.slice(1).map(([peer]) => peer),
    91,
  ]);
  assert.equal(waitingFor(over, BOB).length, 1);
});

function asked(...requests: readonly (readonly [number, Handle, number])[]): Approvals {
  return requests.reduce(ask, []);
}

function ask(approvals: Approvals, [peer, name, device]: readonly [number, Handle, number]): Approvals {
  const request = { type: "askApproval", device: key(device), name: "new", share: key(99) } as const;
  return askApproval(approvals, { peer, handle: name, request });
}

function key(octet: number): Bytes {
  return new Uint8Array(32).fill(octet);
}

function handle(text: string): Handle {
  return parseHandle(text) ?? assert.fail(`${text} is a handle`);
}
