import assert from "node:assert/strict";
import {
  ACCOUNT_FAILURES_MAX,
  ADDRESS_FAILURES_MAX,
  ADDRESS_REGISTRATIONS_MAX,
  FORGIVEN_MS,
} from "../../lib/chat/back_off.ts";
import { beginLogin } from "../../lib/login/client_login.ts";
import { LOGIN_TRIES_MAX } from "../../lib/login/server_login.ts";
import { encodeLoginStart, encodeOpaque } from "../../lib/login/message.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { ServerMessage } from "../../lib/wire/message.ts";
import { type Guest, Room } from "../delivery/room.ts";
import { test } from "../sanitized.ts";
import { handle, keyOf, Person, THEN } from "./people.ts";
import { LOGIN_TYPES } from "../../lib/wire/login_type.ts";

const [ANN, BOB] = [handle("ann"), handle("bob")];
const PASSWORD = "correct horse battery";

test("somebody registers, logs in on the same connection, publishes a device, and chats by it", async () => {
  const room = await Room.open();
  const person = await Person.named("ann");
  const first = await room.connect();
  assert.equal(await first.register(ANN, PASSWORD), undefined);
  assert.equal(await first.logIn(ANN, PASSWORD), "in");
  assert.deepEqual(first.heard[0], { type: "account", handle: ANN, role: "owner", recovery: false });
  const keys = await person.keys();
  const recovery: Bytes = new Uint8Array(96).fill(5);
  const account = await first.ask({ type: "publish", keys, recovery });
  assert.deepEqual(account, { type: "account", handle: ANN, role: "owner", keys, recovery: true });
  await first.leave();
  const second = await room.join(person);
  assert.deepEqual(second.heard.slice(3, 5), [
    { type: "presence", people: [{ handle: ANN, state: "online" }], time: THEN },
    { type: "cards", cards: [{ handle: ANN, ...keys }] },
  ]);
  await second.leave();
  assert.deepEqual(room.news, [
    { kind: "registered", handle: ANN },
    { kind: "entered", handle: ANN, device: undefined },
    { kind: "published", handle: ANN },
    { kind: "entered", handle: ANN, device: "laptop" },
  ]);
});

test("a registration that is refused leaves a login open on the same connection", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const again = await room.connect();
  assert.equal(await again.register(ANN, "another one"), "nameTaken");
  assert.equal(await again.logIn(ANN, PASSWORD), "in");
  await again.leave();
  assert.deepEqual(room.news.slice(-2), [
    { kind: "registrationRefused", handle: ANN, code: "nameTaken" },
    { kind: "entered", handle: ANN, device: undefined },
  ]);
});

test("by invitation a stranger without a code learns no names, and a code makes one account", async () => {
  const room = await Room.open({ registration: "invite" });
  await room.person("ann");
  const code: Bytes = new Uint8Array(16).fill(3);
  const codeHash = await room.provider.sha256(code);
  await room.store.addInvitation({ codeHash, expires: THEN + 1_000, usesLeft: 1, handle: undefined });
  const eve = await room.connect();
  assert.equal(await eve.register(ANN, PASSWORD), "badInvitation");
  await eve.leave();
  for (const [name, refusal] of [[BOB, undefined], [handle("carl"), "badInvitation"]] as const) {
    const guest = await room.connect();
    assert.equal(await guest.register(name, PASSWORD, code), refusal);
    if (refusal === undefined) assert.equal(await guest.logIn(name, PASSWORD), "in");
    await guest.leave();
  }
});

test("attack 20: known, unknown and disabled names are answered in the same messages of the same lengths", async () => {
  const room = await Room.open({ real: true });
  const name = handle("ann-disabled");
  for (const each of [ANN, name]) {
    await room.store.register(
      { handle: each, passwordRecord: await someRecord(room, each), now: THEN },
      undefined,
    );
  }
  await room.store.setStanding(name, "disabled");
  const seen: unknown[] = [];
  for (const asked of [ANN, BOB, name]) {
    const guest = await room.connect();
    const login = await beginLogin(await room.provider.opaque(), { handle: asked, password: "a guess" });
    const { length } = guest.writesHeard;
    await guest.link.sendLogin(login.loginStart);
    await room.until(() => guest.loginsHeard.length > 0);
    const [reply] = guest.loginsHeard;
    assert.equal(reply?.type, LOGIN_TYPES.LoginReply);
    // The guesser cannot make KE3 for any of them; whatever they send ends it alike.
    await guest.link.sendLogin(encodeOpaque("LoginFinish", new Uint8Array(64)));
    const { session } = await guest.ended;
    seen.push({ octets: reply?.bytes.length, writes: guest.writesHeard.slice(length), session });
  }
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
});

test("attack 20: for an unknown device it does not matter whether the account is there", async () => {
  const room = await Room.open();
  const ann = await room.person("ann");
  const stranger = await Person.named("bob");
  const seen: unknown[] = [];
  for (const [name, key] of [[ANN, stranger.device], [BOB, stranger.device]] as const) {
    const guest = await room.connect();
    await guest.sendDeviceLogin(name, key);
    const { session, guest: end } = await guest.ended;
    seen.push({ refusal: guest.refusal, session, end, writes: guest.writesHeard, heard: guest.heard });
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(room.news, [{ kind: "deviceRefused", handle: ANN }, {
    kind: "deviceRefused",
    handle: BOB,
  }]);
  const guest = await room.enter(ann);
  await guest.leave();
});

test("attack 21: passwords tried one after the other are refused after a few, from every address, and not for ever", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const guesses = await guessUntilRefused(room, ANN, (at) => `192.0.2.${at % 200}`);
  assert.equal(guesses, ACCOUNT_FAILURES_MAX);
  assert.equal(await logIn(room, ANN, PASSWORD, "198.51.100.7"), "tooManyTries", "the right one, too");
  room.now += FORGIVEN_MS;
  assert.equal(await logIn(room, ANN, PASSWORD, "198.51.100.7"), "in", "one is forgiven with time");
});

test("attack 21: an address that tries many names is refused for all of them; others are not", async () => {
  const room = await Room.open();
  await register(room, ANN);
  let tried = 0;
  while (await guess(room, handle(`n${tried}`), "203.0.113.9") === "wrong") tried += 1;
  assert.equal(tried, ADDRESS_FAILURES_MAX);
  assert.equal(await logIn(room, ANN, PASSWORD, "203.0.113.9"), "tooManyTries");
  assert.equal(await logIn(room, ANN, PASSWORD, "198.51.100.7"), "in");
});

test("attack 21: many tries at the same moment count as many", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const outcomes = await Promise.all(
    Array.from({ length: 3 * ACCOUNT_FAILURES_MAX }, (_, at) => guess(room, ANN, `192.0.2.${at}`)),
  );
  assert.equal(outcomes.filter((outcome) => outcome === "wrong").length, ACCOUNT_FAILURES_MAX);
});

test("attack 21: the owner whom a stranger has used up all tries of comes in by a device", async () => {
  const room = await Room.open();
  const ann = await room.person("ann");
  await setPassword(room, ANN);
  await guessUntilRefused(room, ANN, (at) => `192.0.2.${at}`);
  const guest = await room.join(ann);
  await guest.leave();
});

test("attack 21: one connection tries few passwords, and the operator is told of each", async () => {
  const room = await Room.open();
  await register(room, ANN);
  room.news.length = 0;
  const eve = await room.connect();
  for (let tries = 0; tries < LOGIN_TRIES_MAX; tries++) {
    assert.equal(await eve.guess(ANN, "a guess"), "wrong");
  }
  assert.equal(await eve.guess(ANN, PASSWORD), "tooManyTries");
  await eve.leave();
  const failed = { kind: "loginFailed", handle: ANN, why: "wrongPassword" };
  assert.deepEqual(room.news, Array.from({ length: LOGIN_TRIES_MAX }, () => failed));
});

test("attack 21: a right password is forgiven only once a record under its keys has come", async () => {
  const room = await Room.open();
  await register(room, ANN);
  for (let tries = 0; tries < ACCOUNT_FAILURES_MAX; tries++) {
    const guest = await room.connect(`192.0.2.${tries}`);
    assert.equal(await guest.logIn(ANN, PASSWORD, { enters: false }), "in");
    guest.session.lost();
    await guest.ended;
  }
  assert.equal(await logIn(room, ANN, PASSWORD, "198.51.100.7"), "tooManyTries");
  room.now += FORGIVEN_MS;
  for (let times = 0; times < 2 * ACCOUNT_FAILURES_MAX; times++) {
    assert.equal(await logIn(room, ANN, PASSWORD, "198.51.100.7"), "in", "whoever is right is not counted");
  }
});

test("attack 21: an address that asks for a name again and again is refused; others, and logins from there, are not", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const eve = "203.0.113.9";
  for (let asked = 0; asked < ADDRESS_REGISTRATIONS_MAX; asked++) {
    assert.equal(await begin(room, asked % 2 === 0 ? BOB : ANN, eve), asked % 2 === 0 ? "free" : "nameTaken");
  }
  room.news.length = 0;
  const refused = await room.connect(eve);
  assert.equal(await refused.begin(BOB, "a guess"), "tooManyTries");
  refused.link.close("done", room.now);
  assert.deepEqual((await refused.ended).session, {
    kind: "closed",
    by: "us",
    reason: "done",
    confirmed: true,
  });
  assert.deepEqual(room.news, [{ kind: "registrationRefused", handle: BOB, code: "tooManyTries" }]);
  assert.equal(await begin(room, BOB, "198.51.100.7"), "free");
  assert.equal(await logIn(room, ANN, PASSWORD, eve), "in");
  room.now += FORGIVEN_MS;
  assert.deepEqual([await begin(room, BOB, eve), await begin(room, BOB, eve)], ["free", "tooManyTries"]);
});

test("attack 21: names asked for at the same moment count as many", async () => {
  const room = await Room.open();
  const guests = await Promise.all(
    Array.from({ length: ADDRESS_REGISTRATIONS_MAX + 5 }, () => room.connect()),
  );
  const answers = await Promise.all(guests.map((guest) => guest.begin(BOB, "a guess")));
  assert.equal(answers.filter((answer) => answer === "free").length, ADDRESS_REGISTRATIONS_MAX);
  for (const guest of guests) guest.session.lost();
  await Promise.all(guests.map((guest) => guest.ended));
});

test("a class of thirty registers behind one router at once, each having asked for their name before", async () => {
  const room = await Room.open();
  await Promise.all(Array.from({ length: 30 }, async (_, at) => {
    const name = handle(`pupil-${at}`);
    assert.equal(await begin(room, name, "192.0.2.1"), "free");
    const guest = await room.connect("192.0.2.1");
    assert.equal(await guest.register(name, PASSWORD), undefined);
    assert.equal(await guest.logIn(name, PASSWORD), "in");
    await guest.leave();
  }));
});

test("a registration after which somebody logs in does not count, as often as it is done", async () => {
  const room = await Room.open();
  await register(room, ANN);
  for (let times = 0; times <= ADDRESS_REGISTRATIONS_MAX; times++) {
    const guest = await room.connect();
    assert.equal(await guest.begin(ANN, PASSWORD), "nameTaken");
    assert.equal(await guest.logIn(ANN, PASSWORD), "in");
    await guest.leave();
  }
});

test("a right password of an account that is disabled looks wrong", async () => {
  const room = await Room.open();
  await register(room, ANN);
  await room.store.setStanding(ANN, "disabled");
  assert.equal(await logIn(room, ANN, PASSWORD), "wrongPassword");
  await room.store.setStanding(ANN, "active");
  assert.equal(await logIn(room, ANN, PASSWORD), "in");
});

test("attack 25: an account that is disabled or removed while somebody logs in to it is not entered", async () => {
  for (const change of ["disabled", "removed"] as const) {
    for (const by of ["password", "device"] as const) {
      const room = await Room.open();
      const { person, guest } = await between(room, by);
      // Straight into the database, as another process does it: nothing cuts the connection.
      if (change === "disabled") await room.store.setStanding(person.name, "disabled");
      else await room.store.remove(person.name);
      guest.send({ type: "enter" });
      await closedFor(guest, "accountClosed");
      assert.deepEqual(guest.heard, []);
      assert.deepEqual(room.news.at(-1), { kind: "closedMeanwhile", handle: person.name });
    }
  }
});

test("attack 25: a device revoked, or a password changed, between login and entering lets nobody in", async () => {
  const room = await Room.open();
  const byDevice = await between(room, "device");
  const phone = await keyOf("phone");
  const { person } = byDevice;
  person.list = person.with(phone.publicKey, "phone");
  person.list = person.without(person.device.publicKey);
  await room.store.setKeys(person.name, {
    keys: await person.keys(),
    expected: (await room.store.find(person.name))?.keys,
    recovery: undefined,
  });
  byDevice.guest.send({ type: "enter" });
  await closedFor(byDevice.guest, "deviceRevoked");

  const byPassword = await between(room, "password", "bob");
  await room.store.setPasswordRecord(byPassword.person.name, new Uint8Array(192).fill(1));
  byPassword.guest.send({ type: "enter" });
  await closedFor(byPassword.guest, "reconnect");
});

test("attack 25: closing an account ends all of its connections, in whatever phase, and nobody else's", async () => {
  const room = await Room.open();
  const ann = await room.person("ann");
  await setPassword(room, ANN);
  const bob = await room.welcome("bob");
  const [joined, entered] = [await room.join(ann), await room.enter(ann)];
  const password = await room.connect();
  assert.equal(await password.logIn(ANN, PASSWORD), "in");
  const [entering, proving] = [await room.connect(), await room.connect()];
  assert.equal(await entering.logIn(ANN, PASSWORD, { enters: false }), "in");
  await proving.sendDeviceLogin(ANN, ann.device);
  await room.until(() => room.greeted === 6 && bob.summary.includes("online ann"));
  room.exchange.cutAccount(ANN);
  assert.deepEqual(room.exchange.present(), ["bob"], "within the turn");
  joined.say("one last thing");
  for (const guest of [entering, proving]) guest.send({ type: "enter" });
  for (const guest of [joined, entered, password, entering, proving]) await closedFor(guest, "accountClosed");
  for (const guest of [entering, proving]) assert.deepEqual(guest.heard, []);
  await room.until(() => bob.summary.includes("offline ann"));
  assert.deepEqual(bob.texts, []);
  await bob.leave();
});

test("a password is changed by whoever logged in by the old one; connections by that are over, and it fits no more", async () => {
  const room = await Room.open();
  const ann = await room.person("ann");
  await setPassword(room, ANN);
  const device = await room.join(ann);
  const [guest, other, entering] = [await room.connect(), await room.connect(), await room.connect()];
  for (const each of [guest, other]) assert.equal(await each.logIn(ANN, PASSWORD), "in");
  assert.equal(await entering.logIn(ANN, PASSWORD, { enters: false }), "in");
  await room.until(() => room.greeted === 4);
  assert.equal((await changePassword(room, guest, ANN, "a new one")).type, "account");
  await closedFor(other, "reconnect");
  assert.equal((await entering.ended).session.kind, "closed");
  assert.equal(
    (await changePassword(room, guest, ANN, "a newer one")).type,
    "account",
    "it is in by the new one",
  );
  await guest.leave();
  device.say("still here");
  await device.next(({ type }) => type === "ack");
  await device.leave();
  for (const old of [PASSWORD, "a new one"]) assert.equal(await logIn(room, ANN, old), "wrongPassword");
  assert.equal(await logIn(room, ANN, "a newer one"), "in");
});

test("attack 25: after the operator has reset a password, a connection by it sets no other", async () => {
  const room = await Room.open();
  await room.person("ann");
  await setPassword(room, ANN);
  const eve = await room.connect();
  assert.equal(await eve.logIn(ANN, PASSWORD), "in");
  await room.store.setPasswordRecord(ANN, undefined);
  eve.send({ type: "passwordRecord", record: await someRecord(room, ANN, "hers") });
  await closedFor(eve, "reconnect");
  assert.equal((await room.store.find(ANN))?.passwordRecord, undefined);
});

test("attack 25: a password that the operator resets while another one is being set stays reset", async () => {
  for (const [change, reason] of [["reset", "reconnect"], ["removed", "accountClosed"]] as const) {
    const room = await Room.open();
    await room.person("ann");
    await setPassword(room, ANN);
    const eve = await room.connect();
    assert.equal(await eve.logIn(ANN, PASSWORD), "in");
    const record = await someRecord(room, ANN, "hers");
    room.store.after = async (method) => {
      if (method !== "find") return;
      room.store.after = () => {};
      if (change === "reset") await room.store.setPasswordRecord(ANN, undefined);
      else await room.store.remove(ANN);
    };
    eve.send({ type: "passwordRecord", record });
    await closedFor(eve, reason);
    assert.equal((await room.store.find(ANN))?.passwordRecord, undefined);
  }
});

test("a malformed request for another password closes", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const guest = await room.connect();
  assert.equal(await guest.logIn(ANN, PASSWORD), "in");
  guest.send({ type: "passwordRequest", request: new Uint8Array(32).fill(255) });
  await closedFor(guest, "protocolFault");
});

test("attack 26: a record that no login can be answered from is stored by nobody", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const before = (await room.store.find(ANN))?.passwordRecord;
  for (const record of [new Uint8Array(192), new Uint8Array(192).fill(0xff)]) {
    const guest = await room.connect();
    assert.equal(await guest.logIn(ANN, PASSWORD), "in");
    guest.send({ type: "passwordRecord", record });
    await closedFor(guest, "protocolFault");
    assert.deepEqual((await room.store.find(ANN))?.passwordRecord, before);

    const eve = await room.connect();
    assert.equal(await eve.begin(BOB, PASSWORD), "free");
    await eve.link.sendLogin(encodeOpaque("RegisterFinish", record));
    assert.deepEqual((await eve.ended).session, { kind: "dropped", during: "login", why: "unfit" });
    assert.equal(await room.store.find(BOB), undefined);
  }
});

test("the recovery blob is for whoever has the password, where there is one", async () => {
  const room = await Room.open();
  const ann = await room.person("ann");
  await setPassword(room, ANN);
  const guest = await room.connect();
  assert.equal(await guest.logIn(ANN, PASSWORD), "in");
  assert.deepEqual(await guest.ask({ type: "recover" }), { type: "fault", code: "noRecovery" });
  const blob: Bytes = new Uint8Array(96).fill(4);
  await room.store.setKeys(ANN, { keys: await ann.keys(), expected: await ann.keys(), recovery: blob });
  assert.deepEqual(await guest.ask({ type: "recover" }), { type: "recovery", blob });
  await guest.leave();
});

test("whatever comes twice, early or malformed at a login is dropped without a word", async () => {
  const room = await Room.open();
  await register(room, ANN);
  const login = await beginLogin(await room.provider.opaque(), { handle: ANN, password: PASSWORD });
  const wrong: readonly Bytes[] = [
    encodeOpaque("LoginFinish", new Uint8Array(64)),
    encodeOpaque("RegisterFinish", new Uint8Array(192)),
    login.loginStart.map((octet, at) => at === 4 ? 0x20 : octet),
    encodeLoginStart({ handle: ANN, ke1: new Uint8Array(96) }),
  ];
  for (const message of wrong) {
    const eve = await room.connect();
    const { length } = eve.writesHeard;
    await eve.link.sendLogin(message);
    assert.deepEqual((await eve.ended).session, { kind: "dropped", during: "login", why: "unfit" });
    assert.equal(eve.writesHeard.length, length);
  }
});

/** Somebody whose login verified, and who has not entered. */
async function between(
  room: Room,
  by: "password" | "device",
  name = "ann",
): Promise<{ readonly person: Person; readonly guest: Guest }> {
  const person = await room.person(name);
  const guest = await room.connect();
  const { greeted } = room;
  if (by === "device") await guest.sendDeviceLogin(person.name, person.device);
  else {
    await setPassword(room, person.name);
    assert.equal(await guest.logIn(person.name, PASSWORD, { enters: false }), "in");
  }
  await room.until(() => room.greeted > greeted);
  return { person, guest };
}

async function register(room: Room, name: Handle): Promise<void> {
  const guest = await room.connect("100.64.0.1");
  assert.equal(await guest.register(name, PASSWORD), undefined);
  assert.equal(await guest.logIn(name, PASSWORD), "in");
  await guest.leave();
}

async function setPassword(room: Room, name: Handle): Promise<void> {
  await room.store.setPasswordRecord(name, await someRecord(room, name, PASSWORD));
}

async function someRecord(room: Room, name: Handle, password = PASSWORD): Promise<Bytes> {
  const opaque = await room.provider.opaque();
  const registration = await opaque.startRegistration(password, name);
  const response = await opaque.registrationResponse(room.setup, name, registration.request);
  return await registration.finish(response ?? assert.fail("a good request")) ??
    assert.fail("a good response");
}

async function changePassword(
  room: Room,
  guest: Guest,
  name: Handle,
  password: string,
): Promise<ServerMessage> {
  const registration = await (await room.provider.opaque()).startRegistration(password, name);
  const answer = await guest.ask({ type: "passwordRequest", request: registration.request });
  const response = answer.type === "passwordResponse" ? answer.response : assert.fail(answer.type);
  const record = await registration.finish(response) ?? assert.fail("a good response");
  return await guest.ask({ type: "passwordRecord", record });
}

/** How many wrong passwords are answered before the next one is refused. */
async function guessUntilRefused(room: Room, name: Handle, address: (at: number) => string): Promise<number> {
  for (let tried = 0;; tried++) {
    const outcome = await guess(room, name, address(tried));
    if (outcome === "tooManyTries") return tried;
    assert.equal(outcome, "wrong");
    assert.ok(tried < 1_000, "it does not go on for ever");
  }
}

async function guess(room: Room, name: Handle, address: string): Promise<string> {
  const guest = await room.connect(address);
  const outcome = await guest.guess(name, "a guess");
  guest.link.close("done", room.now);
  await guest.ended;
  return outcome;
}

async function begin(room: Room, name: Handle, address: string): Promise<string> {
  const guest = await room.connect(address);
  const outcome = await guest.begin(name, "a guess");
  guest.link.close("done", room.now);
  await guest.ended;
  return outcome;
}

async function logIn(room: Room, name: Handle, password: string, address = "100.64.0.3"): Promise<string> {
  const guest = await room.connect(address);
  const outcome = await guest.logIn(name, password);
  guest.link.close("done", room.now);
  await guest.ended;
  return outcome;
}

async function closedFor(guest: Guest, reason: string): Promise<void> {
  const { session } = await guest.ended;
  assert.equal(session.kind === "closed" && session.reason, reason);
}
