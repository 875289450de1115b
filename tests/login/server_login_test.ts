import assert from "node:assert/strict";
import {
  encodeDeviceLogin,
  encodeLoginStart,
  encodeOpaque,
  encodeRefused,
  encodeRegisterStart,
  type LoginMessage,
} from "../../lib/login/message.ts";
import { LOGIN_TRIES_MAX, type LoginDesk } from "../../lib/login/server_login.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import {
  ANN,
  BOB,
  bookWith,
  desk,
  MemoryBook,
  messageOf,
  NOW,
  oracleLogin,
  oracleRegistration,
  received,
  watchedDesk,
} from "./bench.ts";
import { LOGIN_TYPES, type LoginName } from "../../lib/wire/login_type.ts";

const CODE: Bytes = new Uint8Array(16).fill(3);

test("who registers logs in on the same connection, with the key that both have", async () => {
  const book = new MemoryBook();
  const connection = desk(book);
  const registration = oracleRegistration(ANN, "correct horse", { code: CODE });
  const reply = messageOf(await connection.take(registration.start, NOW));
  assert.deepEqual(await connection.take(registration.finish(reply), NOW), { kind: "continue" });
  const login = oracleLogin(ANN, "correct horse");
  const finished = login.finish(messageOf(await connection.take(login.start, NOW)));
  assert(finished !== undefined);
  const step = await connection.take(finished.message, NOW);
  assert.deepEqual(step, { kind: "mix", sessionKey: finished.sessionKey, handle: ANN });
  assert.deepEqual(book.asked, ["mayRegister ann", "register ann", "count ann"]);
});

test("a book sees the hash of an invitation's code, and nothing where there is none", async () => {
  const book = new MemoryBook();
  await desk(book).take(oracleRegistration(ANN, "x", { code: CODE }).start, NOW);
  assert.deepEqual(book.codeHash, await provider.sha256(CODE));
  await desk(book).take(oracleRegistration(ANN, "x").start, NOW);
  assert.equal(book.codeHash, undefined);
});

test("after a registration refused a login goes on, and nothing else does", async () => {
  for (const code of ["registrationClosed", "badInvitation", "nameTaken"] as const) {
    const book = await bookWith(ANN, "correct horse");
    book.registration = code;
    const connection = desk(book);
    const step = await connection.take(oracleRegistration(ANN, "correct horse").start, NOW);
    assert.deepEqual(step, { kind: "reply", message: encodeRefused(code) });
    const login = oracleLogin(ANN, "correct horse");
    const finished = login.finish(messageOf(await connection.take(login.start, NOW)));
    assert(finished !== undefined);
    assert.equal((await connection.take(finished.message, NOW)).kind, "mix");

    const another = desk(book);
    await another.take(oracleRegistration(ANN, "x").start, NOW);
    assert.equal((await another.take(oracleRegistration(BOB, "x").start, NOW)).kind, "broken", "a second");
  }
});

test("a registration refused for too many tries, or by somebody faster, ends the connection", async () => {
  const book = new MemoryBook();
  book.registration = "tooManyTries";
  const early = await desk(book).take(oracleRegistration(ANN, "x").start, NOW);
  assert.deepEqual(early, { kind: "refuseAndClose", message: encodeRefused("tooManyTries") });
  book.registration = undefined;
  book.registering = "nameTaken";
  const connection = desk(book);
  const registration = oracleRegistration(ANN, "x");
  const reply = messageOf(await connection.take(registration.start, NOW));
  const late = await connection.take(registration.finish(reply), NOW);
  assert.deepEqual(late, { kind: "refuseAndClose", message: encodeRefused("nameTaken") });
  assert.equal((await connection.take(oracleLogin(ANN, "x").start, NOW)).kind, "broken");
});

test("attack 21: a registration refused evaluates no password against that name's key", async () => {
  const book = await bookWith(ANN, "correct horse");
  book.registration = "nameTaken";
  await watchedDesk(book).take(oracleRegistration(ANN, "a guess").start, NOW);
  assert.deepEqual(book.asked, ["mayRegister ann"]);
  book.registration = undefined;
  await watchedDesk(book).take(oracleRegistration(BOB, "a guess").start, NOW);
  assert.deepEqual(book.asked.slice(1), ["mayRegister bob", "evaluate bob"]);
});

test("attack 21: every KE2 is counted before it is made, and none is made that may not be", async () => {
  const book = await bookWith(ANN, "correct horse");
  const connection = watchedDesk(book);
  for (let tries = 0; tries < LOGIN_TRIES_MAX; tries++) {
    const login = oracleLogin(ANN, `guess ${tries}`);
    const reply = messageOf(await connection.take(login.start, NOW));
    assert.equal(login.finish(reply), undefined, "the wrong password shows at KE2");
  }
  assert.deepEqual(book.asked, Array(LOGIN_TRIES_MAX).fill(["count ann", "answer ann"]).flat());
  book.asked.length = 0;
  book.attemptsLeft = 0;
  const step = await watchedDesk(book).take(oracleLogin(ANN, "correct horse").start, NOW);
  assert.deepEqual(step, { kind: "refuseAndClose", message: encodeRefused("tooManyTries") });
  assert.deepEqual(book.asked, ["refuse ann"]);
});

test("attack 21: one connection may try a few passwords, and not one more", async () => {
  const book = await bookWith(ANN, "correct horse");
  const connection = desk(book);
  for (let tries = 0; tries < LOGIN_TRIES_MAX; tries++) {
    messageOf(await connection.take(oracleLogin(tries % 2 === 0 ? ANN : BOB, "guess").start, NOW));
  }
  const step = await connection.take(oracleLogin(ANN, "correct horse").start, NOW);
  assert.deepEqual(step, { kind: "refuseAndClose", message: encodeRefused("tooManyTries") });
  assert.equal(book.asked.length, LOGIN_TRIES_MAX, "the one too many is not counted against the account");
  assert.equal((await connection.take(oracleLogin(ANN, "correct horse").start, NOW)).kind, "broken");
});

test("a person who mistyped gets in with the next try, and the first one's answer fits no more", async () => {
  const book = await bookWith(ANN, "correct horse");
  const [first, second] = [oracleLogin(ANN, "correct horse"), oracleLogin(ANN, "correct horse")];
  for (const proof of ["of the first", "of the second"]) {
    const connection = desk(book);
    const old = first.finish(messageOf(await connection.take(first.start, NOW)));
    const fresh = second.finish(messageOf(await connection.take(second.start, NOW)));
    const finish = (proof === "of the first" ? old : fresh) ?? assert.fail("both know the password");
    const expected = proof === "of the first" ? "broken" : "mix";
    assert.equal((await connection.take(finish.message, NOW)).kind, expected, proof);
  }
});

test("a KE3 with any bit flipped is refused without a word", async () => {
  const book = await bookWith(ANN, "correct horse");
  for (const bit of [0, 1, 100, 511]) {
    const connection = desk(book);
    const login = oracleLogin(ANN, "correct horse");
    const finished = login.finish(messageOf(await connection.take(login.start, NOW)));
    assert(finished !== undefined);
    const ke3 = finished.message.fields;
    const at = bit >> 3;
    const flipped = encodeOpaque("LoginFinish", ke3.with(at, (ke3[at] ?? 0) ^ 1 << bit % 8));
    assert.deepEqual(await connection.take(received(flipped), NOW), { kind: "broken" });
    assert.deepEqual(await connection.take(finished.message, NOW), { kind: "broken" }, "one try");
  }
});

test("who knows the password of one name is let in under no other", async () => {
  const book = await bookWith(ANN, "correct horse");
  const ann = book.accounts.get(ANN) ?? assert.fail("she is there");
  book.accounts.set(BOB, ann);
  const connection = desk(book);
  const login = oracleLogin(ANN, "correct horse");
  const asBob = received(encodeLoginStart({ handle: BOB, ke1: login.start.fields.slice(4) }));
  assert.equal(login.finish(messageOf(await connection.take(asBob, NOW))), undefined);
});

/** The login messages of a client, made without looking at what it is answered, and one of the server's. */
function anyMessage(name: LoginName): LoginMessage {
  const octets = (length: number): Bytes => new Uint8Array(length).fill(1);
  switch (name) {
    case "RegisterStart":
      return oracleRegistration(BOB, "x").start;
    case "RegisterFinish":
      // Of an OPAQUE record, only the public key that it begins with can be malformed.
      return received(
        encodeOpaque(name, concat(oracleRegistration(BOB, "x").start.fields.slice(-32), octets(160))),
      );
    case "LoginStart":
      return oracleLogin(ANN, "x").start;
    case "LoginFinish":
      return received(encodeOpaque(name, octets(64)));
    case "DeviceLogin":
      return received(encodeDeviceLogin({ handle: ANN, deviceKey: octets(32), signature: octets(64) }));
    case "RegisterReply":
      return received(encodeOpaque(name, octets(64)));
    case "LoginReply":
      return received(encodeOpaque(name, octets(320)));
    case "Refused":
      return received(encodeRefused("badLogin"));
  }
}

/** Ways to each stage, and what may come there. */
const STAGES: readonly { readonly after: readonly LoginName[]; readonly may: readonly LoginName[] }[] = [
  { after: [], may: ["RegisterStart", "LoginStart", "DeviceLogin"] },
  { after: ["RegisterStart"], may: ["RegisterFinish"] },
  { after: ["RegisterStart", "RegisterFinish"], may: ["LoginStart"] },
  { after: ["LoginStart"], may: ["LoginStart"] },
  { after: ["LoginStart", "LoginFinish"], may: [] },
  { after: ["DeviceLogin"], may: [] },
  { after: ["LoginFinish"], may: [] },
  { after: ["RegisterFinish", "LoginStart"], may: [] },
];

const NAMES: readonly LoginName[] = [
  "RegisterStart",
  "RegisterReply",
  "RegisterFinish",
  "LoginStart",
  "LoginReply",
  "LoginFinish",
  "DeviceLogin",
  "Refused",
];

test("login messages that come out of order, and the server's own, break the connection", async () => {
  assert.deepEqual([...NAMES].sort(), Object.keys(LOGIN_TYPES).sort());
  for (const { after, may } of STAGES) {
    for (const name of NAMES) {
      const connection = desk(new MemoryBook());
      for (const earlier of after) await connection.take(anyMessage(earlier), NOW);
      const { kind } = await connection.take(anyMessage(name), NOW);
      // A LoginFinish may come after a LoginStart, but this one was made without the password.
      assert.equal(kind !== "broken", may.includes(name), `${name} after ${after.join(", ")}: ${kind}`);
    }
  }
});

test("what is out of order reaches no book", async () => {
  const book = new MemoryBook();
  const connection = desk(book);
  await connection.take(anyMessage("RegisterFinish"), NOW);
  for (const name of NAMES) assert.equal((await connection.take(anyMessage(name), NOW)).kind, "broken");
  assert.deepEqual(book.asked, []);
});

test("malformed login messages break the connection, and types of no message do", async () => {
  const spoilt = (name: LoginName): LoginMessage => {
    const { type, fields } = anyMessage(name);
    const longer = concat(fields, Uint8Array.of(0));
    return { type, fields: longer, bytes: concat(Uint8Array.of(type, 0, 0), longer) };
  };
  const badGroupElement = [
    encodeRegisterStart({ handle: BOB, code: undefined, request: new Uint8Array(32) }),
    encodeLoginStart({ handle: ANN, ke1: new Uint8Array(96).fill(0xff) }),
  ];
  const messages = [
    ...NAMES.map(spoilt),
    ...badGroupElement.map(received),
    received(Uint8Array.of(15, 0, 0)),
    received(Uint8Array.of(0, 0, 0)),
  ];
  for (const message of messages) {
    assert.deepEqual(await desk(new MemoryBook()).take(message, NOW), { kind: "broken" });
  }
  const registering: LoginDesk = desk(new MemoryBook());
  await registering.take(anyMessage("RegisterStart"), NOW);
  assert.equal((await registering.take(spoilt("RegisterFinish"), NOW)).kind, "broken");
  const answered = desk(new MemoryBook());
  await answered.take(anyMessage("LoginStart"), NOW);
  assert.equal((await answered.take(spoilt("LoginFinish"), NOW)).kind, "broken");
});

test("a message that comes before the last was decided about is broken, and the last is not disturbed", async () => {
  const connection = desk(await bookWith(ANN, "correct horse"));
  const first = connection.take(oracleLogin(ANN, "x").start, NOW);
  const second = connection.take(oracleLogin(ANN, "x").start, NOW);
  assert.equal((await second).kind, "broken");
  assert.equal((await first).kind, "reply");
});
