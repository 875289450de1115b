import { deepEqual, equal, match, notDeepEqual } from "node:assert/strict";
import type { ClientEvent } from "../../lib/client/event.ts";
import { decodeDeviceList } from "../../lib/identity/device_list.ts";
import { LOBBY } from "../../lib/wire/message.ts";
import { Room } from "../delivery/room.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { test } from "../sanitized.ts";
import { handle, THEN } from "../session/people.ts";
import { Visitor } from "./visitor.ts";

const PASSWORD = { password: ["correct horse"] };
const ANN = handle("ann");

function isMessage(event: ClientEvent): event is Extract<ClientEvent, { type: "message" }> {
  return event.type === "message";
}

async function leave(visitor: Visitor, conversation: Awaited<ReturnType<Visitor["comeIn"]>>): Promise<void> {
  await conversation.request({ type: "quit" });
  await visitor.left();
}

/** A room with Ann's account, made on a machine that has left. */
async function roomOfAnn(): Promise<
  { readonly room: Room; readonly laptop: Visitor; readonly code: string }
> {
  const room = await Room.open();
  const laptop = new Visitor(room);
  await leave(laptop, await laptop.comeIn({ name: "ann", answers: PASSWORD }));
  return { room, laptop, code: laptop.person.codes[0] ?? "" };
}

/** Has Ann register by an invitation of her own, on a machine that has left; gives her recovery code. */
async function invitedAnn(room: Room): Promise<string> {
  const code = new Uint8Array(16).fill(5);
  await room.store.addInvitation({
    codeHash: await repeatable.sha256(code),
    expires: THEN + 1_000,
    usesLeft: 1,
    handle: ANN,
  });
  const laptop = new Visitor(room);
  await leave(laptop, await laptop.comeIn({ name: "ann", code, device: "laptop", answers: PASSWORD }));
  return laptop.person.codes[0] ?? "";
}

function devicesOf(visitor: Visitor): readonly string[] {
  const kept = visitor.ownKeys.kept.get(ANN);
  return decodeDeviceList(kept?.keys.list ?? new Uint8Array(0))?.devices.map(({ name }) => name) ?? [];
}

test("on this very machine a script's new name registers itself, and the device comes in alone from then on", async () => {
  const room = await Room.open();
  const visitor = new Visitor(room);
  const conversation = await visitor.comeIn({ name: "ann", answers: PASSWORD });
  equal(conversation.name, "ann");
  deepEqual(visitor.person.asked, ["password"]);
  match(visitor.person.codes.join(), /^([0-9A-Z]{4}-){7}[0-9A-Z]{4}$/);
  deepEqual(visitor.ownKeys.log.map(({ published }) => published), [false, true]);
  equal(visitor.connections, 2);
  await leave(visitor, conversation);

  const again = await visitor.comeIn({ name: "ann" });
  deepEqual(visitor.person.asked, []);
  equal(visitor.connections, 3);
  await leave(visitor, again);
});

test("two people hear each other with ☒, in both directions", async () => {
  const room = await Room.open();
  const [one, two] = [new Visitor(room), new Visitor(room)];
  const ann = await one.comeIn({ name: "ann", answers: PASSWORD });
  const ben = await two.comeIn({ name: "ben", answers: PASSWORD });
  await ann.request({ type: "send", room: LOBBY, text: "hello" });
  await two.until(isMessage);
  await ben.request({ type: "send", room: LOBBY, text: "hi" });
  await one.until((event) => isMessage(event) && event.text === "hi");
  for (const visitor of [one, two]) {
    await visitor.until((event) => isMessage(event) && event.text === "hi");
    deepEqual(
      visitor.events.filter(isMessage).map((
        { from, text, verified, device },
      ) => [from, text, verified, device]),
      [["ann", "hello", true, "linux"], ["ben", "hi", true, "linux"]],
    );
  }
  await leave(one, ann);
  await leave(two, ben);
});

test("a person types the password of a new account twice, over two connections", async () => {
  const room = await Room.open();
  const visitor = new Visitor(room);
  const conversation = await visitor.comeIn({
    name: "ann",
    terminal: true,
    answers: { password: ["one", "right"], passwordAgain: ["other", "right"] },
  });
  deepEqual(visitor.person.asked, ["password", "passwordAgain", "password", "passwordAgain"]);
  equal(visitor.connections, 3);
  await leave(visitor, conversation);
  const elsewhere = new Visitor(room);
  equal((await elsewhere.refused({ name: "ann", answers: { password: ["one"] } })).exit, "noPermission");
});

test("whoever ends at the second password is not asked again", async () => {
  const room = await Room.open();
  const visitor = new Visitor(room);
  const failure = await visitor.refused({ name: "ann", terminal: true, answers: PASSWORD });
  deepEqual([failure.exit, failure.message], [
    "usage",
    "Cannot register ann: a question was left unanswered; start again.",
  ]);
  deepEqual(visitor.person.asked, ["password", "passwordAgain"]);
  const clumsy = await new Visitor(room).refused({
    name: "ann",
    terminal: true,
    answers: { password: ["a", "b", "c", "d"], passwordAgain: ["1", "2", "3", "4"] },
  });
  equal(clumsy.message, "Cannot register ann: the passwords were never the same; start again.");
  equal(await room.store.count(), 0);
});

test("--register never logs in to an account that is there; a person is asked for another name", async () => {
  const { room } = await roomOfAnn();
  const script = new Visitor(room);
  const failure = await script.refused({ name: "ann", register: true, answers: PASSWORD });
  equal(failure.exit, "noPermission");
  match(failure.message, /^Cannot register ann at here: the name, or one that looks like it, is taken/);

  const person = new Visitor(room);
  const conversation = await person.comeIn({
    name: "ann",
    register: true,
    terminal: true,
    answers: { ...PASSWORD, anotherName: ["Anna", "hanna"], passwordAgain: ["correct horse"] },
  });
  equal(conversation.name, "hanna");
  match(person.person.sentences.join("\n"), /taken here[^]*capital letter/);
  await leave(person, conversation);
});

test("whoever gives the taken name again means the account that is there", async () => {
  const { room, code } = await roomOfAnn();
  const visitor = new Visitor(room);
  const conversation = await visitor.comeIn({
    name: "ann",
    register: true,
    terminal: true,
    answers: { ...PASSWORD, anotherName: ["ann"], enrolmentWay: ["recovery"], recoveryCode: [code] },
  });
  deepEqual(devicesOf(visitor), ["linux", "linux 2"]);
  await leave(visitor, conversation);
});

test("a wrong password is told; a person may try three times, a script once, and nothing is registered", async () => {
  const { room } = await roomOfAnn();
  const script = new Visitor(room);
  const failure = await script.refused({ name: "ann", answers: { password: ["wrong"] } });
  equal(failure.exit, "noPermission");
  match(failure.message, /^Cannot log in as ann: the name or the password is wrong/);

  const person = new Visitor(room);
  const refused = await person.refused({
    name: "ann",
    terminal: true,
    answers: { password: ["wrong", "still wrong", "again", "correct horse"] },
  });
  equal(refused.exit, "noPermission");
  deepEqual(person.person.asked, ["password", "password", "password"]);
  equal(person.connections, 3);
});

test("elsewhere than on this machine a script never registers unasked, and a person is asked", async () => {
  const room = await Room.open();
  const script = new Visitor(room);
  const failure = await script.refused({ name: "ann", loopback: false, answers: PASSWORD });
  match(failure.message, /give --register for a new account/);
  equal(await room.store.count(), 0);

  const person = new Visitor(room);
  const answers = { ...PASSWORD, passwordAgain: ["correct horse"] };
  await person.refused({
    name: "ann",
    loopback: false,
    terminal: true,
    answers: { ...answers, confirm: [false] },
  });
  equal(await room.store.count(), 0);
  const conversation = await person.comeIn({
    name: "ann",
    loopback: false,
    terminal: true,
    answers: { ...answers, confirm: [true] },
  });
  await leave(person, conversation);
});

test("without a password to give, nothing is connected to", async () => {
  const room = await Room.open();
  const visitor = new Visitor(room);
  const failure = await visitor.refused({ name: "ann" });
  equal(failure.exit, "usage");
  match(failure.message, /SOTTO_PASSWORD or --password-file/);
  equal(visitor.connections, 0);
});

test("where registration is by invitation, a code is needed and good once", async () => {
  const room = await Room.open({ registration: "invite" });
  const code = new Uint8Array(16).fill(7);
  await room.store.addInvitation({
    codeHash: await repeatable.sha256(code),
    expires: THEN + 1_000,
    usesLeft: 1,
    handle: undefined,
  });
  const visitor = new Visitor(room);
  const without = await visitor.refused({ name: "ann", register: true, answers: PASSWORD });
  equal(without.exit, "noPermission");
  match(without.message, /invitation/);
  const conversation = await visitor.comeIn({ name: "ann", code, loopback: false, answers: PASSWORD });
  await leave(visitor, conversation);
  const late = await new Visitor(room).refused({ name: "ben", code, answers: PASSWORD });
  match(late.message, /the invitation is missing, used up, too old or for another name/);
  // Whose registration was cut off behind its last message has an account, and no use for the code.
  const cutOff = await new Visitor(room).refused({ name: "ann", code, answers: PASSWORD });
  match(
    cutOff.message,
    /; ask its operator for another one, or leave it out if ann has registered already\.$/,
  );
  const renewal = { name: "ann", answers: { ...PASSWORD, newPassword: ["another"] } };
  await new Visitor(room).renewPassword(renewal);
});

test("on this very machine a known account is logged in to, however new accounts are made", async () => {
  for (const registration of ["invite", "closed"] as const) {
    const room = await Room.open({ registration });
    const code = await invitedAnn(room);

    const script = new Visitor(room);
    const talking = await script.comeIn({ name: "ann", answers: PASSWORD, recoveryCode: code });
    deepEqual([script.person.asked, script.connections], [["password"], 2]);
    deepEqual(devicesOf(script), ["laptop", "linux"]);

    const person = new Visitor(room);
    const chatting = await person.comeIn({
      name: "ann",
      terminal: true,
      answers: { ...PASSWORD, enrolmentWay: ["recovery"], recoveryCode: [code] },
    });
    deepEqual([person.person.asked, person.connections], [
      ["password", "enrolmentWay", "recoveryCode"],
      2,
    ]);

    equal(await chatting.request({ type: "revoke", name: "linux" }), undefined);
    equal((await talking.outcome)?.exit, "noPermission");
    await script.left();
    const failure = await script.refused({ name: "ann", answers: PASSWORD });
    equal(failure.exit, "noPermission");
    match(
      failure.message,
      /^Cannot log in as ann with this device at here: the account was disabled, banned or removed, /,
    );
    await leave(person, chatting);

    const stranger = await new Visitor(room).refused({ name: "eve", answers: PASSWORD });
    match(stranger.message, /^Cannot log in as eve: the name or the password is wrong; /);
    equal(await room.store.count(), 1);
  }
});

test("a new device comes in by the recovery code, mistyped at first", async () => {
  const { room, code, laptop } = await roomOfAnn();
  const phone = new Visitor(room);
  const wrong = code.replace(/^..../, code.startsWith("0000") ? "1111" : "0000");
  const conversation = await phone.comeIn({
    name: "ann",
    terminal: true,
    answers: {
      ...PASSWORD,
      enrolmentWay: ["recovery"],
      recoveryCode: ["what?", wrong, ` ${code.toLowerCase()} `],
    },
  });
  match(phone.person.sentences.join("\n"), /no recovery code[^]*not the recovery code of this account/);
  match(phone.person.sentences.join("\n"), /The devices of ann are now: linux, linux 2\./);
  deepEqual(phone.ownKeys.kept.get(ANN)?.identitySeed, laptop.ownKeys.kept.get(ANN)?.identitySeed);
  notDeepEqual(phone.ownKeys.kept.get(ANN)?.deviceSeed, laptop.ownKeys.kept.get(ANN)?.deviceSeed);
  await leave(phone, conversation);

  const again = await laptop.comeIn({ name: "ann" });
  equal((await laptop.until(({ type }) => type === "keys")).type, "keys");
  deepEqual(devicesOf(laptop), ["linux", "linux 2"]);
  await leave(laptop, again);
});

test("a script's new device comes in by the recovery code that it was given, and fails on another", async () => {
  const { room, code } = await roomOfAnn();
  const wrong = await new Visitor(room).refused({
    name: "ann",
    answers: PASSWORD,
    recoveryCode: "0000-".repeat(8).slice(0, -1),
  });
  equal(wrong.exit, "noPermission");
  match(wrong.message, /^Cannot recover ann: /);
  const visitor = new Visitor(room);
  const conversation = await visitor.comeIn({ name: "ann", answers: PASSWORD, recoveryCode: code });
  await leave(visitor, conversation);
});

test("a new device comes in when an old one approves it by the same words", async () => {
  const { room, laptop } = await roomOfAnn();
  const old = await laptop.comeIn({ name: "ann" });
  const phone = new Visitor(room);
  const coming = phone.comeIn({
    name: "ann",
    device: "phone",
    terminal: true,
    answers: { ...PASSWORD, enrolmentWay: ["approval"], confirm: [true, true] },
  });
  const told = await laptop.until(({ type }) => type === "approval");
  if (told.type !== "approval") throw new Error("Cannot test: no approval was asked for");
  deepEqual(told.words, await phone.person.words);
  equal(await old.request({ type: "approve", name: told.name }), undefined);
  const conversation = await coming;
  deepEqual(devicesOf(phone), ["linux", "phone"]);
  await conversation.request({ type: "send", room: LOBBY, text: "from the phone" });
  const heard = await laptop.until(isMessage);
  deepEqual(
    isMessage(heard) && [heard.from, heard.device, heard.verified, heard.own],
    ["ann", "phone", true, true],
  );
  await leave(phone, conversation);
  await leave(laptop, old);
});

test("a new identity comes in, everybody is told, and the old device is out", async () => {
  const { room, laptop } = await roomOfAnn();
  const witness = new Visitor(room);
  const ben = await witness.comeIn({ name: "ben", answers: PASSWORD });
  const old = await laptop.comeIn({ name: "ann" });
  await witness.until((event) => event.type === "presence" && event.change === "online");
  const phone = new Visitor(room);
  const conversation = await phone.comeIn({
    name: "ann",
    terminal: true,
    answers: { ...PASSWORD, enrolmentWay: ["newIdentity"] },
  });
  equal(phone.person.codes.length, 1);
  const told = await witness.until(({ type }) => type === "keys");
  deepEqual(told.type === "keys" && [told.handle, told.news], ["ann", "identityChanged"]);
  await conversation.request({ type: "send", room: LOBBY, text: "trust me" });
  const heard = await witness.until(isMessage);
  deepEqual(isMessage(heard) && heard.reason, "identity changed");
  const failure = await old.outcome;
  equal(failure === undefined, false);
  await laptop.left();
  await leave(phone, conversation);
  await leave(witness, ben);
});

test("a revoked device is refused with exit 77; a person may make it a new device by password", async () => {
  const { room, laptop, code } = await roomOfAnn();
  const phone = new Visitor(room);
  const conversation = await phone.comeIn({
    name: "ann",
    device: "phone",
    answers: PASSWORD,
    recoveryCode: code,
  });
  equal(await conversation.request({ type: "revoke", name: "linux" }), undefined);
  const failure = await laptop.refused({ name: "ann", answers: PASSWORD });
  equal(failure.exit, "noPermission");
  match(
    failure.message,
    /^Cannot log in as ann with this device at here: the account was disabled, banned or removed, or this device revoked;/,
  );
  await laptop.refused({ name: "ann", terminal: true, answers: { ...PASSWORD, confirm: [false] } });

  const again = await laptop.comeIn({
    name: "ann",
    terminal: true,
    answers: { ...PASSWORD, confirm: [true], enrolmentWay: ["recovery"], recoveryCode: [code] },
  });
  deepEqual(devicesOf(laptop), ["linux", "phone", "linux 2"]);
  await leave(laptop, again);
  await leave(phone, conversation);
});

test("a device that is revoked while it talks is told so, with exit 77", async () => {
  const { room, laptop, code } = await roomOfAnn();
  const old = await laptop.comeIn({ name: "ann" });
  const phone = new Visitor(room);
  const conversation = await phone.comeIn({ name: "ann", answers: PASSWORD, recoveryCode: code });
  await laptop.until(({ type }) => type === "keys");
  equal(await conversation.request({ type: "revoke", name: "linux" }), undefined);
  const failure = await old.outcome;
  equal(failure?.exit, "noPermission");
  match(failure?.message ?? "", /revoked/);
  await laptop.left();
  await leave(phone, conversation);
});

test("a changed password is the one that is good from then on", async () => {
  const { room } = await roomOfAnn();
  const visitor = new Visitor(room);
  const wish = { name: "ann", answers: { ...PASSWORD, newPassword: ["battery staple"] } };
  await visitor.renewPassword(wish);
  const old = await new Visitor(room).refused({ name: "ann", answers: PASSWORD });
  equal(old.exit, "noPermission");
  await new Visitor(room).renewPassword({
    name: "ann",
    answers: { password: ["battery staple"], newPassword: ["once more"] },
  });
});

test("an account whose password was taken away gets a new one by invitation, on a device that it has", async () => {
  const { room, laptop } = await roomOfAnn();
  const code = new Uint8Array(16).fill(9);
  await room.store.setPasswordRecord(ANN, undefined);
  await room.store.addInvitation({
    codeHash: await repeatable.sha256(code),
    expires: THEN + 1_000,
    usesLeft: 1,
    handle: ANN,
  });
  // As the database does it: the account of a named invitation gets its record back.
  room.store.register = async ({ handle: whose, passwordRecord }) => {
    await room.store.setPasswordRecord(whose, passwordRecord);
    const account = await room.store.find(whose);
    if (account === undefined) throw new Error("Cannot test: the account is gone");
    return { kind: "registered", account };
  };
  const conversation = await laptop.comeIn({
    name: "ann",
    register: true,
    code,
    answers: { password: ["a new one"] },
  });
  deepEqual(devicesOf(laptop), ["linux"]);
  await leave(laptop, conversation);
  await new Visitor(room).renewPassword({
    name: "ann",
    answers: { password: ["a new one"], newPassword: ["once more"] },
  });
});
