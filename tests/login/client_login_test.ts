import assert from "node:assert/strict";
import {
  beginLogin,
  beginRegistration,
  type LoginAnswer,
  takeLoginReply,
  takeRegisterReply,
} from "../../lib/login/client_login.ts";
import { decodeRegisterStart, encodeOpaque, encodeRefused, REFUSAL_CODES } from "../../lib/login/message.ts";
import type { LoginDesk } from "../../lib/login/server_login.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, desk, MemoryBook, messageOf, NOW, received } from "./bench.ts";

const opaque = await provider.opaque();
const CODE: Bytes = new Uint8Array(16).fill(3);

/** Registers at `connection` and gives the last step's kind. */
async function register(connection: LoginDesk, handle: Handle, password: string): Promise<string> {
  const registering = await beginRegistration(opaque, { handle, password, code: CODE });
  const reply = messageOf(await connection.take(received(registering.registerStart), NOW));
  const answer = takeRegisterReply(registering, reply);
  const finish = answer.kind === "free" ? await answer.finish() : undefined;
  return (await connection.take(received(finish ?? assert.fail(answer.kind)), NOW)).kind;
}

async function logIn(connection: LoginDesk, handle: Handle, password: string): Promise<LoginAnswer> {
  const loggingIn = await beginLogin(opaque, { handle, password });
  const reply = messageOf(await connection.take(received(loggingIn.loginStart), NOW));
  return await takeLoginReply(loggingIn, reply);
}

const book = new MemoryBook();
const first = desk(book);
const ended = await register(first, ANN, "correct horse");

test("a client registers and logs in on one connection", async () => {
  assert.equal(ended, "continue");
  const answer = await logIn(first, ANN, "correct horse");
  assert(answer.kind === "verified");
  const step = await first.take(received(answer.loginFinish), NOW);
  assert.deepEqual(step, { kind: "mix", sessionKey: answer.sessionKey, handle: ANN });
});

test("a wrong password and an unknown name look the same to a client, and the next try may be right", async () => {
  const connection = desk(book);
  assert.deepEqual(await logIn(connection, BOB, "correct horse"), { kind: "wrongPassword" });
  assert.deepEqual(await logIn(connection, ANN, "wrong horse"), { kind: "wrongPassword" });
  assert.equal((await logIn(connection, ANN, "correct horse")).kind, "verified");
});

/** Times of a guess that are compared, in milliseconds. */
interface Times {
  readonly known_ms: number;
  readonly unknown_ms: number;
}

test("attack 21: a wrong guess costs whoever makes it the memory-hard work", async () => {
  const times: Times = { known_ms: await guess(ANN), unknown_ms: await guess(BOB) };
  const started = performance.now();
  await opaque.startLogin("a guess", ANN);
  const cheap_ms = performance.now() - started;
  // The work is hundreds of milliseconds, the rest a few; the factor leaves room for a busy machine.
  assert(times.known_ms > 10 * cheap_ms && times.unknown_ms > 10 * cheap_ms, JSON.stringify(times));
});

/** How long a client takes to see that its guess for `handle` was wrong. */
async function guess(handle: Handle): Promise<number> {
  const loggingIn = await beginLogin(opaque, { handle, password: "a guess" });
  const reply = messageOf(await desk(book).take(received(loggingIn.loginStart), NOW));
  const started_ms = performance.now();
  assert.deepEqual(await takeLoginReply(loggingIn, reply), { kind: "wrongPassword" });
  return performance.now() - started_ms;
}

test("a RegisterStart has the name and the code, and nothing of the password", async () => {
  const { registerStart } = await beginRegistration(opaque, { handle: ANN, password: "correct", code: CODE });
  const { handle, code, request } = decodeRegisterStart(received(registerStart)) ?? assert.fail("one");
  assert.deepEqual({ handle, code }, { handle: ANN, code: CODE });
  const again = await beginRegistration(opaque, { handle: ANN, password: "correct", code: CODE });
  assert.notDeepEqual(decodeRegisterStart(received(again.registerStart))?.request, request, "blinded anew");
});

test("a client is told every refusal by its code, at both places where one may come", async () => {
  const registering = await beginRegistration(opaque, { handle: ANN, password: "x", code: undefined });
  const loggingIn = await beginLogin(opaque, { handle: ANN, password: "x" });
  for (const code of REFUSAL_CODES) {
    const refused = received(encodeRefused(code));
    assert.deepEqual(takeRegisterReply(registering, refused), { kind: "refused", code });
    assert.deepEqual(await takeLoginReply(loggingIn, refused), { kind: "refused", code });
  }
});

test("a server's message that is another or malformed breaks the login", async () => {
  const registering = await beginRegistration(opaque, { handle: ANN, password: "x", code: undefined });
  const loggingIn = await beginLogin(opaque, { handle: ANN, password: "x" });
  const octets = (length: number): Bytes => new Uint8Array(length).fill(0xff);
  const registerReply = received(encodeOpaque("RegisterReply", octets(64)));
  const loginReply = received(encodeOpaque("LoginReply", octets(320)));
  assert.deepEqual(takeRegisterReply(registering, loginReply), { kind: "broken" });
  assert.deepEqual(await takeLoginReply(loggingIn, registerReply), { kind: "broken" });
  assert.deepEqual(takeRegisterReply(registering, received(Uint8Array.of(14, 0, 1, 6))), { kind: "broken" });
  assert.deepEqual(await takeLoginReply(loggingIn, received(Uint8Array.of(11, 0, 0))), { kind: "broken" });
  const answer = takeRegisterReply(registering, registerReply);
  assert(answer.kind === "free");
  assert.equal(await answer.finish(), undefined, "elements of no group");
  assert.deepEqual(await takeLoginReply(loggingIn, loginReply), { kind: "wrongPassword" });
});
