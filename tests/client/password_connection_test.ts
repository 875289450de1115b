import { deepEqual, equal } from "node:assert/strict";
import {
  ANSWER_MS_MAX,
  APPROVAL_MS_MAX,
  type Attempt,
  PasswordConnection,
} from "../../lib/client/password_connection.ts";
import type { ServerMessage } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { handle } from "../session/people.ts";
import { FakeBook, type HandClock, quick, type Script, SETUP, wire, type Wired } from "./fake_server.ts";

const ANN = handle("ann");
const ACCOUNT: ServerMessage = { type: "account", handle: ANN, role: "member", recovery: false };
const REGISTER: Attempt = { kind: "register", code: undefined, whenFree: "finish", whenRefused: "stop" };
const LOGIN: Attempt = { kind: "login" };
const REQUEST = { device: new Uint8Array(32), name: "phone", share: new Uint8Array(32) };
const KEYS = { identity: new Uint8Array(32), list: new Uint8Array(1), signature: new Uint8Array(64) };
const honest: Script = () => [ACCOUNT];

async function connect(
  attempt: Attempt,
  { book = new FakeBook(), script = honest, clock = { now: 0 }, password = "correct horse" }: {
    book?: FakeBook;
    script?: Script;
    clock?: HandClock;
    password?: string;
  } = {},
): Promise<Wired<PasswordConnection>> {
  const parts = { provider: quick, clock: () => clock.now };
  return await wire((link) => new PasswordConnection(link, { handle: ANN, password, attempt }, parts), {
    book,
    script,
    clock,
  });
}

async function bookWithAnn(): Promise<FakeBook> {
  const book = new FakeBook();
  const { carried, over } = await connect(REGISTER, { book });
  equal((await carried.outcome).kind, "entered");
  await carried.close();
  await over;
  return book;
}

async function outcomeOf(...args: Parameters<typeof connect>) {
  const { carried, over, server } = await connect(...args);
  const outcome = await carried.outcome;
  const end = await carried.close();
  await over;
  return { outcome, end, heard: server.heard.map(({ type }) => type) };
}

test("a registration goes on to a login, and enters", async () => {
  const book = new FakeBook();
  const { outcome, end, heard } = await outcomeOf(REGISTER, { book });
  deepEqual(outcome, { kind: "entered", account: ACCOUNT, registered: true });
  deepEqual(end, { kind: "closed", by: "us", reason: "done", confirmed: true });
  deepEqual(heard, ["enter"]);
  deepEqual(book.log, ["mayRegister ann", "register ann", "attempt ann"]);
});

test("a registration that is to stop at a free name registers nothing", async () => {
  const book = new FakeBook();
  const { outcome, heard } = await outcomeOf({ ...REGISTER, whenFree: "stop" }, { book });
  deepEqual([outcome, heard, book.log], [{ kind: "nameFree" }, [], ["mayRegister ann"]]);
});

test("a refused registration stops, or logs in over the same connection, as was said", async () => {
  const book = await bookWithAnn();
  const stopped = await outcomeOf(REGISTER, { book });
  deepEqual(stopped.outcome, { kind: "refused", during: "registration", code: "nameTaken" });
  const entered = await outcomeOf({ ...REGISTER, whenRefused: "login" }, { book });
  equal(entered.outcome.kind, "entered");
  equal(entered.outcome.kind === "entered" && entered.outcome.registered, false);
});

test("a registration that loses a race is refused, and does not log in", async () => {
  const book = new FakeBook();
  book.lateRefusal = "nameTaken";
  const { outcome } = await outcomeOf({ ...REGISTER, whenRefused: "login" }, { book });
  deepEqual(outcome, { kind: "refused", during: "registration", code: "nameTaken" });
});

test("a wrong password and an unknown name look alike, and nothing is entered", async () => {
  const wrong = await outcomeOf(LOGIN, { book: await bookWithAnn(), password: "wrong" });
  const unknown = await outcomeOf(LOGIN);
  for (const { outcome, heard } of [wrong, unknown]) {
    deepEqual([outcome, heard], [{ kind: "wrongPassword" }, []]);
  }
});

test("too many tries are told as such", async () => {
  const book = new FakeBook();
  book.tries = false;
  const { outcome } = await outcomeOf(LOGIN, { book });
  deepEqual(outcome, { kind: "refused", during: "login", code: "tooManyTries" });
});

test("another account than the one logged in to, or anything else in its place, ends the connection", async () => {
  const lies: readonly ServerMessage[] = [
    { ...ACCOUNT, handle: handle("ben") },
    { type: "recovery", blob: new Uint8Array(96) },
    { type: "fault", code: "notMember" },
  ];
  for (const lie of lies) {
    const { outcome } = await outcomeOf(REGISTER, { script: () => [lie] });
    deepEqual(outcome, {
      kind: "ended",
      end: { kind: "closed", by: "us", reason: "protocolFault", confirmed: true },
    });
  }
});

test("requests are answered, refused, or end with the connection; another's change is passed over", async () => {
  const blob = new Uint8Array(96).fill(3);
  const answers: Record<string, readonly ServerMessage[]> = {
    enter: [ACCOUNT],
    recover: [ACCOUNT, { type: "recovery", blob }],
    publish: [{ type: "fault", code: "staleList" }],
    askApproval: [{ type: "recovery", blob }],
  };
  const { carried, over } = await connect(REGISTER, { script: ({ type }) => answers[type] ?? [] });
  await carried.outcome;
  deepEqual(await carried.recover(), { kind: "answered", value: blob });
  deepEqual(await carried.publish(KEYS, undefined), { kind: "fault", code: "staleList" });
  equal((await carried.askApproval(REQUEST)).kind, "ended");
  equal((await carried.recover()).kind, "ended");
  await over;
});

const enters: Script = ({ type }) => type === "enter" ? [ACCOUNT] : [];

test("no answer in time ends the connection", async () => {
  const clock = { now: 0 };
  const { carried, over, server } = await connect(REGISTER, { clock, script: enters });
  await carried.outcome;
  const early = carried.recover();
  await server.said("recover");
  clock.now = ANSWER_MS_MAX - 1;
  carried.tick(clock.now);
  const blob = new Uint8Array(96);
  server.tell({ type: "recovery", blob });
  deepEqual(await early, { kind: "answered", value: blob });
  const late = carried.recover();
  await server.said("recover", 2);
  clock.now += ANSWER_MS_MAX;
  carried.tick(clock.now);
  deepEqual(await late, { kind: "timedOut" });
  await over;
});

test("an approval may take ten minutes, and not longer", async () => {
  const clock = { now: 0 };
  const { carried, over, server } = await connect(REGISTER, { clock, script: enters });
  await carried.outcome;
  const early = carried.askApproval(REQUEST);
  await server.said("askApproval");
  clock.now = ANSWER_MS_MAX;
  carried.tick(clock.now);
  server.tell({ type: "approved", keys: KEYS, share: new Uint8Array(32), sealed: new Uint8Array(96) });
  equal((await early).kind, "answered");
  const late = carried.askApproval(REQUEST);
  await server.said("askApproval", 2);
  clock.now += APPROVAL_MS_MAX;
  carried.tick(clock.now);
  equal((await late).kind, "timedOut");
  server.link.lost();
  await over;
});

test("a changed password is the one that is good from then on", async () => {
  const book = await bookWithAnn();
  const opaque = await quick.opaque();
  const { carried, over } = await connect(LOGIN, {
    book,
    script: async (message) => {
      if (message.type === "passwordRequest") {
        const response = await opaque.registrationResponse(SETUP, ANN, message.request);
        return response === undefined ? [] : [{ type: "passwordResponse", response }];
      }
      if (message.type === "passwordRecord") book.records.set(ANN, message.record);
      return [ACCOUNT];
    },
  });
  await carried.outcome;
  equal((await carried.changePassword("battery staple")).kind, "answered");
  await carried.close();
  await over;
  equal((await outcomeOf(LOGIN, { book })).outcome.kind, "wrongPassword");
  equal((await outcomeOf(LOGIN, { book, password: "battery staple" })).outcome.kind, "entered");
});

test("a connection that is cut ends what waits", async () => {
  const { carried, over, server } = await connect(REGISTER, {
    script: ({ type }) => type === "enter" ? [ACCOUNT] : [],
  });
  await carried.outcome;
  const answer = carried.recover();
  await server.said("recover");
  carried.lost();
  server.link.lost();
  deepEqual(await answer, { kind: "ended", end: { kind: "cut", during: "conversation", answered: true } });
  await over;
});
