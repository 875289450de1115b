/**
 * Our two ends of OPAQUE against an independent one, at the real cost: both come to the same keys exactly where
 * context, identities, stretching and the form of a setup are what PROTOCOL says.
 */

import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import {
  beginLogin,
  beginRegistration,
  type LoginAnswer,
  takeLoginReply,
  takeRegisterReply,
} from "../../lib/login/client_login.ts";
import {
  decodeLoginStart,
  decodeOpaque,
  decodeRegisterStart,
  encodeOpaque,
} from "../../lib/login/message.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import {
  ANN,
  desk,
  MemoryBook,
  messageOf,
  NOW,
  oracleLogin,
  oracleRegistration,
  received,
  SETUP,
} from "./bench.ts";
import { answerKe1, type Profile, readSetup, registrationResponse, sottoProfile } from "./opaque_oracle.ts";

const opaque = await provider.opaque();
const PROFILE = sottoProfile(ANN);
const KEYS = readSetup(SETUP);

/** The record that our client makes of `password` for ann, at the oracle's server. */
async function registered(password: string): Promise<Bytes> {
  const registering = await beginRegistration(opaque, { handle: ANN, password, code: undefined });
  const start = decodeRegisterStart(received(registering.registerStart)) ?? assert.fail("a start");
  const response = registrationResponse(KEYS, utf8(ANN), start.request);
  const answer = takeRegisterReply(registering, received(encodeOpaque("RegisterReply", response)));
  const finish = answer.kind === "free" ? await answer.finish() : assert.fail(answer.kind);
  const record = finish && decodeOpaque("RegisterFinish", received(finish));
  return record ?? assert.fail("a registration that succeeds");
}

const record = await registered("correct horse");

/** Our client's login as ann at the oracle's server of `profile`; and what that server has of it. */
async function atTheOracle(
  password: string,
  profile: Profile,
): Promise<{ readonly answer: LoginAnswer; readonly server: ReturnType<typeof answerKe1> }> {
  const loggingIn = await beginLogin(opaque, { handle: ANN, password });
  const start = decodeLoginStart(received(loggingIn.loginStart)) ?? assert.fail("a start");
  const server = answerKe1(profile, {
    keys: KEYS,
    identifier: utf8(ANN),
    record,
    ke1: start.ke1,
    maskingNonce: systemEntropy(32),
    nonce: systemEntropy(32),
    keyshareSeed: systemEntropy(32),
  });
  const reply = received(encodeOpaque("LoginReply", server.ke2));
  return { answer: await takeLoginReply(loggingIn, reply), server };
}

test("our client registers and logs in at an independent server, whose setup is read alike", async () => {
  const { answer, server } = await atTheOracle("correct horse", PROFILE);
  const loginFinish = encodeOpaque("LoginFinish", server.ke3);
  assert.deepEqual(answer, { kind: "verified", loginFinish, sessionKey: server.sessionKey });
});

test("our client takes no server of another context, name or identity", async () => {
  const others: readonly Profile[] = [
    { ...PROFILE, context: utf8("sotto/1") },
    { ...PROFILE, identities: ({ server }) => ({ server, client: utf8("bob") }) },
    { ...PROFILE, identities: ({ server, client }) => ({ server, client }) },
    { ...PROFILE, identities: () => ({ server: utf8("sotto"), client: utf8(ANN) }) },
  ];
  for (const profile of others) {
    assert.deepEqual((await atTheOracle("correct horse", profile)).answer, { kind: "wrongPassword" });
  }
});

test("an independent client registers and logs in at our server, at the full cost", async () => {
  const connection = desk(new MemoryBook());
  const registration = oracleRegistration(ANN, "correct horse", { profile: PROFILE });
  const reply = messageOf(await connection.take(registration.start, NOW));
  assert.equal((await connection.take(registration.finish(reply), NOW)).kind, "continue");
  const login = oracleLogin(ANN, "correct horse", PROFILE);
  const finished = login.finish(messageOf(await connection.take(login.start, NOW)));
  assert(finished !== undefined);
  const step = await connection.take(finished.message, NOW);
  assert.deepEqual(step, { kind: "mix", sessionKey: finished.sessionKey, handle: ANN });
});

test("attack 22: a password registered by our client is found by no cheaper stretching", async () => {
  const book = new MemoryBook();
  book.accounts.set(ANN, { record, active: true, devices: [] });
  // Without any stretching the right password fits nothing; with the full cost it does.
  for (const [profile, fits] of [[{ ...PROFILE, stretch: same }, false], [PROFILE, true]] as const) {
    const login = oracleLogin(ANN, "correct horse", profile);
    const reply = messageOf(await desk(book).take(login.start, NOW));
    assert.equal(login.finish(reply) !== undefined, fits);
  }
});

function same(output: Bytes): Bytes {
  return output;
}

test("our server evaluates what an independent one does for the same setup", async () => {
  const { request } = await opaque.startRegistration("correct horse", ANN);
  assert.deepEqual(
    await opaque.registrationResponse(SETUP, ANN, request),
    registrationResponse(KEYS, utf8(ANN), request),
  );
});
