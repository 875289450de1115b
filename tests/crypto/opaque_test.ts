import fc from "npm:fast-check@4.10.2";
import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { type Opaque, OPAQUE_BYTES, PASSWORD_BYTES_MAX } from "../../lib/crypto/port.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { provider } from "./test_provider.ts";

const opaque = await provider.opaque();
const setup = await opaque.newSetup();

/** The record of `password` for `identity` at the server of `setup`. */
async function register(password: string, identity: string): Promise<Bytes> {
  const registration = await opaque.startRegistration(password, identity);
  const response = await opaque.registrationResponse(setup, identity, registration.request);
  const record = response && await registration.finish(response);
  return record ?? assert.fail("a registration that succeeds");
}

const annsRecord = await register("correct horse", "ann");

/** Whether `password` logs `identity` in against `record`; both ends have the same key then. */
async function logsIn(password: string, identity: string, record: Bytes | undefined): Promise<boolean> {
  const client = await opaque.startLogin(password, identity);
  const server = await opaque.answerLogin(setup, identity, { record, ke1: client.ke1 });
  assert(server !== undefined);
  const finished = await client.finish(server.ke2);
  if (finished === undefined) return false;
  assert.deepEqual(await server.finish(finished.ke3), finished.sessionKey);
  return true;
}

test("OPAQUE's messages have the lengths that the port says", async () => {
  assert.equal(setup.length, OPAQUE_BYTES.setup);
  assert.equal(annsRecord.length, OPAQUE_BYTES.registrationRecord);
  const client = await opaque.startLogin("correct horse", "ann");
  const server = await opaque.answerLogin(setup, "ann", { record: annsRecord, ke1: client.ke1 });
  const finished = await client.finish(server?.ke2 ?? assert.fail("an answer"));
  assert.deepEqual(
    [client.ke1.length, server?.ke2.length, finished?.ke3.length, finished?.sessionKey.length],
    [OPAQUE_BYTES.ke1, OPAQUE_BYTES.ke2, OPAQUE_BYTES.ke3, OPAQUE_BYTES.sessionKey],
  );
});

test("the right password logs in, and nothing else does", async () => {
  assert(await logsIn("correct horse", "ann", annsRecord));
  assert(!await logsIn("correct horsf", "ann", annsRecord), "another password");
  assert(!await logsIn("", "ann", annsRecord), "none");
  assert(!await logsIn("correct horse", "bob", annsRecord), "another name");
  assert(!await logsIn("correct horse", "ann", undefined), "without a record");
});

test("a password is the same in whatever way its letters are composed", async () => {
  const record = await register("Gru\u0308ße", "ann");
  assert(await logsIn("Gr\u00fcße", "ann", record));
});

test("a password of the greatest length is taken, and one octet more throws", async () => {
  const longest = "x".repeat(PASSWORD_BYTES_MAX);
  assert(await logsIn(longest, "ann", await register(longest, "ann")));
  await assert.rejects(opaque.startLogin(`${longest}x`, "ann"), RangeError);
  await assert.rejects(opaque.startRegistration(`${longest}x`, "ann"), RangeError);
});

/** Octets that are no message of `length`: of other lengths, and what is no group element and nobody's MAC. */
function malformed(length: number): readonly Bytes[] {
  return [
    new Uint8Array(0),
    systemEntropy(length - 1),
    systemEntropy(length + 1),
    new Uint8Array(length),
    new Uint8Array(length).fill(0xff),
  ];
}

test("what a peer sends malformed is refused by a value", async () => {
  const client = await opaque.startLogin("correct horse", "ann");
  const registration = await opaque.startRegistration("correct horse", "ann");
  for (const request of malformed(OPAQUE_BYTES.registrationRequest)) {
    assert.equal(await opaque.registrationResponse(setup, "ann", request), undefined);
  }
  for (const response of malformed(OPAQUE_BYTES.registrationResponse)) {
    assert.equal(await registration.finish(response), undefined);
  }
  for (const ke1 of malformed(OPAQUE_BYTES.ke1)) {
    for (const record of [annsRecord, undefined]) {
      assert.equal(await opaque.answerLogin(setup, "ann", { record, ke1 }), undefined);
    }
  }
  for (const ke2 of [...malformed(OPAQUE_BYTES.ke2), systemEntropy(OPAQUE_BYTES.ke2)]) {
    assert.equal(await client.finish(ke2), undefined);
  }
  const server = await opaque.answerLogin(setup, "ann", { record: annsRecord, ke1: client.ke1 });
  for (const ke3 of [...malformed(OPAQUE_BYTES.ke3), systemEntropy(OPAQUE_BYTES.ke3)]) {
    assert.equal(await server?.finish(ke3), undefined);
  }
});

test("attack 26: a record that no login can be answered from is known before it is kept", async () => {
  assert.equal(await opaque.isRecord(setup, annsRecord), true);
  for (const record of malformed(OPAQUE_BYTES.registrationRecord)) {
    assert.equal(await opaque.isRecord(setup, record), false);
  }
  const ones = new Uint8Array(OPAQUE_BYTES.setup).fill(0xff);
  await assert.rejects(opaque.isRecord(ones, annsRecord), /serverSetup/);
  await assert.rejects(opaque.isRecord(new Uint8Array(127), annsRecord), RangeError);
});

test("a server that reflects what the client sent is refused by a value", async () => {
  const client = await opaque.startLogin("correct horse", "ann");
  const server = await opaque.answerLogin(setup, "ann", { record: annsRecord, ke1: client.ke1 });
  const ke2 = server?.ke2 ?? assert.fail("an answer");
  assert.equal(await client.finish(concat(client.ke1.slice(0, 32), ke2.slice(32))), undefined, "element");
  const share = concat(ke2.slice(0, 224), client.ke1.slice(64), ke2.slice(256));
  assert.equal(await client.finish(share), undefined, "key share");
  const registration = await opaque.startRegistration("correct horse", "ann");
  const response = concat(registration.request, registration.request);
  assert.equal(await registration.finish(response), undefined, "registration");
});

test("attack 26: random and altered first messages of OPAQUE give an answer or none, never a throw", async () => {
  const client = await opaque.startLogin("correct horse", "ann");
  const place = fc.record({ at: fc.nat({ max: 95 }), octet: fc.nat({ max: 255 }) });
  await check(
    fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 3 }), async (changes) => {
      const ke1 = changes.reduce<Bytes>((bytes, { at, octet }) => bytes.with(at, octet), client.ke1);
      const login = await opaque.answerLogin(setup, "ann", { record: annsRecord, ke1 });
      assert(login === undefined || login.ke2.length === OPAQUE_BYTES.ke2);
      const request = ke1.slice(0, 32);
      const response = await opaque.registrationResponse(setup, "ann", request);
      assert(response === undefined || response.length === OPAQUE_BYTES.registrationResponse);
    }),
  );
});

test("a setup or a record of ours that is damaged throws, and says nothing of its content", async () => {
  const { request } = await opaque.startRegistration("correct horse", "ann");
  const { ke1 } = await opaque.startLogin("correct horse", "ann");
  const answer = (damaged: Partial<{ setup: Bytes; record: Bytes }>): ReturnType<Opaque["answerLogin"]> =>
    opaque.answerLogin(damaged.setup ?? setup, "ann", { record: damaged.record ?? annsRecord, ke1 });
  for (const length of [0, 127, 129]) {
    const damaged = new Uint8Array(length);
    await assert.rejects(opaque.registrationResponse(damaged, "ann", request), RangeError);
    await assert.rejects(answer({ setup: damaged }), RangeError);
  }
  for (const length of [0, 191, 193]) {
    await assert.rejects(answer({ record: new Uint8Array(length) }), RangeError);
  }
  const ones = new Uint8Array(OPAQUE_BYTES.setup).fill(0xff);
  await assert.rejects(opaque.registrationResponse(ones, "ann", request), /serverSetup/);
  await assert.rejects(answer({ setup: ones }), /serverSetup/);
  await assert.rejects(answer({ record: new Uint8Array(192).fill(0xff) }), /registrationRecord/);
});
