import assert from "node:assert/strict";
import { MisuseError } from "../../lib/secure/fault.ts";
import type { LinkEvent } from "../../lib/secure/link.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { CLOSE_MS_MAX, DEAD_MS, LOGIN_MS_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { LinkPair, otherSide, type Side } from "./pair.ts";
import { LOGIN_SAID, SESSION_KEY } from "./recorded_login.ts";

const SIDES: readonly Side[] = ["client", "server"];
const { LoginStart, LoginReply, LoginFinish, DeviceLogin, Refused } = LOGIN_SAID;

test("links log in by password, and talk under mixed keys", async () => {
  const pair = await upToReply();
  const { client, server } = pair.ends;
  const sent = client.sendLogin(LoginFinish);
  const mixed = client.mix(SESSION_KEY, 0);
  for (const side of SIDES) assert.equal(pair.ends[side].open, false);
  await Promise.all([sent, mixed]);
  pair.send("client", "right behind");
  await pair.until(() => logins(pair, "server").length === 2);
  assert.equal(pair.heard("server").length, 0, "nothing is read before the server has mixed its keys");
  await pair.take("server", await server.mix(SESSION_KEY, 0));
  pair.send("server", "welcome");
  await pair.until(() => pair.heard("server").length === 1 && pair.heard("client").length === 1);
  assert.deepEqual([client.open, server.open], [true, true]);
  client.close("done", 0);
  const ends = await pair.bothEnded();
  assert.ok(ends.client.kind === "closed" && ends.client.confirmed && ends.server.kind === "closed");
});

test("bytes that come while a link is mixing keys are dealt with after it, in the order of the calls", async () => {
  const pair = await upToReply();
  const { client, server } = pair.ends;
  pair.hold("client");
  await client.sendLogin(LoginFinish);
  await client.mix(SESSION_KEY, 0);
  for (let at = 0; at < 20; at++) pair.send("client", `${at}`);
  pair.release("client");
  await pair.until(() => logins(pair, "server").length === 2);
  const settled: string[] = [];
  const mixing = server.mix(SESSION_KEY, 0).then(async (events) => {
    settled.push("mixed");
    await pair.take("server", events);
  });
  pair.send("client", "20");
  await mixing;
  await pair.until(() => pair.heard("server").length === 21);
  assert.deepEqual(settled, ["mixed"]);
  assert.deepEqual(pair.heard("server"), Array.from({ length: 21 }, (_, at) => `${at}`));
  await pair.cut();
});

test("a device talks right behind its login, and is open once it has heard something", async () => {
  const pair = await LinkPair.established();
  const { client, server } = pair.ends;
  const writes = pair.writes.client;
  await client.sendLogin(DeviceLogin);
  await client.expectVerdict(0);
  pair.send("client", "enter");
  await pair.until(() => logins(pair, "server").length === 1);
  await pair.take("server", await server.admit(0));
  await pair.until(() => pair.heard("server").length === 1);
  assert.ok(pair.writes.client - writes <= 2);
  assert.deepEqual([client.open, server.open], [false, true]);
  pair.send("server", "account");
  await pair.until(() => pair.heard("client").length === 1);
  assert.equal(client.open, true);
  await pair.cut();
});

test("a device that says something and closes before it has heard anything gets its answer", async () => {
  const pair = await LinkPair.established({ answersCloses: false });
  const { client, server } = pair.ends;
  await client.sendLogin(DeviceLogin);
  await client.expectVerdict(0);
  pair.send("client", "question");
  client.close("done", 0);
  await pair.until(() => logins(pair, "server").length === 1);
  await pair.take("server", await server.admit(0));
  await pair.until(() => pair.events.server.some(({ kind }) => kind === "closed"));
  assert.deepEqual(pair.heard("server"), ["question"]);
  pair.send("server", "answer");
  server.close("done", 0);
  const ends = await pair.bothEnded();
  assert.deepEqual(pair.heard("client"), ["answer"]);
  assert.deepEqual(ends.client, { kind: "closed", by: "us", reason: "done", confirmed: true });
});

test("a device that is refused says nothing more, and both ends close", async () => {
  const pair = await LinkPair.established();
  const { client, server } = pair.ends;
  await client.sendLogin(DeviceLogin);
  await client.expectVerdict(0);
  pair.send("client", "enter");
  await pair.until(() => logins(pair, "server").length === 1);
  // Both at once: the close waits for what is said before it.
  void server.sendLogin(Refused);
  server.close("done", 0);
  await pair.until(() => logins(pair, "client").length === 1);
  pair.send("client", "too late, and no fault of the caller's");
  assert.equal(client.queuedBytes, 0);
  assert.deepEqual(await pair.bothEnded(), {
    client: { kind: "closed", by: "peer", reason: "done", confirmed: true },
    server: { kind: "closed", by: "us", reason: "done", confirmed: true },
  });
  assert.deepEqual(pair.heard("server"), [], "what it said before is not delivered");
});

test("two login messages and a close leave in the order of the calls, however slow the socket", async () => {
  const pair = await LinkPair.established({ answersCloses: false });
  const { client } = pair.ends;
  pair.hold("client");
  void client.sendLogin(LOGIN_SAID.RegisterStart);
  void client.sendLogin(LoginStart);
  client.close("done", 0);
  void client.sendLogin(DeviceLogin);
  pair.release("client");
  for (let count = 1; count <= 2; count++) {
    await pair.until(() => logins(pair, "server").length === count);
    await pair.take("server", await pair.ends.server.continueLogin(0));
  }
  await pair.until(() => pair.events.server.some(({ kind }) => kind === "closed"));
  assert.deepEqual(logins(pair, "server"), [LOGIN_SAID.RegisterStart, LoginStart]);
  pair.ends.server.close("done", 0);
  const ends = await pair.bothEnded();
  assert.ok(ends.client.kind === "closed" && ends.client.confirmed);
});

for (const side of SIDES) {
  test(`a ${side} that gives a login up closes it, and is answered`, async () => {
    const pair = await LinkPair.established();
    pair.ends[side].close("done", 0);
    assert.deepEqual((await pair.bothEnded())[side], {
      kind: "closed",
      by: "us",
      reason: "done",
      confirmed: true,
    });
  });

  test(`a login is waited for by the ${side} until its time is up, from the connection's beginning on`, async () => {
    const pair = await LinkPair.start({ logsIn: false });
    pair.tick(5_000);
    await pair.until(() => pair.events[side].length > 0 && pair.events[otherSide(side)].length > 0);
    pair.tick(LOGIN_MS_MAX - 1, [side]);
    await settled();
    assert.equal(pair.outcome[side], undefined);
    pair.tick(LOGIN_MS_MAX, [side]);
    const end = await pair.ends[side].ended;
    if (side === "client") assert.deepEqual(end, { kind: "timedOut", during: "login" });
    else assert.deepEqual(end, { kind: "closed", by: "us", reason: "loginTimeout", confirmed: true });
    await pair.cut();
  });

  test(`a ${side} cut in a login says so`, async () => {
    for (const loss of ["lost", "receiveEnd"] as const) {
      const pair = await LinkPair.established();
      pair.ends[side][loss]();
      assert.deepEqual(await pair.ends[side].ended, { kind: "cut", during: "login", answered: true });
      await pair.cut();
    }
  });

  test(`before the login is over a message of the ${side}'s is our misuse, as is a wrong call of the login`, async () => {
    const pair = await LinkPair.established();
    const link = pair.ends[side];
    assert.equal(link.open, false);
    assert.throws(() => link.send(utf8("early")), MisuseError);
    await assert.rejects(link.mix(SESSION_KEY, 0), MisuseError);
    await assert.rejects(link.admit(0), MisuseError);
    await assert.rejects(link.expectVerdict(0), MisuseError);
    await assert.rejects(link.sendLogin(utf8("nothing of the kind")), MisuseError);
    pair.ends[side].close("done", 0);
    const ends = await pair.bothEnded();
    assert.ok(ends[side].kind === "closed" && ends[side].confirmed, "misuse does no harm to what follows");
    for (const call of [link.sendLogin(LoginStart), link.continueLogin(0), link.mix(SESSION_KEY, 0)]) {
      assert.deepEqual(await call ?? [], []);
    }
  });

  test(`the time that the ${side}'s owner took to decide does not count as the other end's silence`, async () => {
    const pair = await upToReply();
    await pair.ends.client.sendLogin(LoginFinish);
    await pair.until(() => logins(pair, "server").length === 2);
    const late = LOGIN_MS_MAX - 1;
    pair.tick(late);
    for (const end of SIDES) await pair.take(end, await pair.ends[end].mix(SESSION_KEY, late));
    pair.hold(otherSide(side));
    pair.tick(late + DEAD_MS - 1, [side]);
    await settled();
    assert.equal(pair.outcome[side], undefined);
    pair.tick(late + DEAD_MS, [side]);
    assert.deepEqual(await pair.ends[side].ended, { kind: "timedOut", during: "conversation" });
    await pair.cut();
  });
}

test("a server whose client may be changing its keys ends without a word, as a close would not be understood", async () => {
  const pair = await upToReply();
  const writes = pair.writes.server;
  pair.ends.server.close("shuttingDown", 0);
  assert.deepEqual(await pair.ends.server.ended, {
    kind: "closed",
    by: "us",
    reason: "shuttingDown",
    confirmed: false,
  });
  assert.equal(pair.writes.server, writes);
  await pair.cut();
  assert.deepEqual(pair.outcome.client, { kind: "cut", during: "login", answered: true });
});

test("a server answers a client that closes after LoginReply", async () => {
  const pair = await upToReply();
  pair.ends.client.close("done", 0);
  assert.deepEqual(await pair.bothEnded(), {
    client: { kind: "closed", by: "us", reason: "done", confirmed: true },
    server: { kind: "closed", by: "peer", reason: "done", confirmed: true },
  });
});

test("a server that closes while its owner thinks reads on, and is answered", async () => {
  const pair = await LinkPair.established();
  await pair.ends.client.sendLogin(LoginStart);
  await pair.until(() => logins(pair, "server").length === 1);
  pair.ends.server.close("loginTimeout", 0);
  await pair.ends.server.sendLogin(LoginReply);
  assert.deepEqual(await pair.ends.server.continueLogin(0), [], "too late");
  assert.deepEqual(await pair.bothEnded(), {
    client: { kind: "closed", by: "peer", reason: "loginTimeout", confirmed: true },
    server: { kind: "closed", by: "us", reason: "loginTimeout", confirmed: true },
  });
});

test("a close that is called while keys are being mixed is said under the mixed ones", async () => {
  const pair = await upToReply();
  const { client, server } = pair.ends;
  void client.sendLogin(LoginFinish);
  void client.mix(SESSION_KEY, 0);
  client.close("done", 0);
  await pair.until(() => logins(pair, "server").length === 2);
  await pair.take("server", await server.mix(SESSION_KEY, 0));
  assert.deepEqual(await pair.bothEnded(), {
    client: { kind: "closed", by: "us", reason: "done", confirmed: true },
    server: { kind: "closed", by: "peer", reason: "done", confirmed: true },
  });
});

test("a close that nobody answers ends a login in time", async () => {
  const pair = await LinkPair.established({ answersCloses: false });
  pair.ends.server.close("loginTimeout", 0);
  await pair.until(() => pair.events.client.some(({ kind }) => kind === "closed"));
  pair.tick(CLOSE_MS_MAX, ["server"]);
  assert.deepEqual(await pair.ends.server.ended, {
    kind: "closed",
    by: "us",
    reason: "loginTimeout",
    confirmed: false,
  });
  await pair.cut();
});

test("attack 25: a message before the login is over ends the link, and nobody hears of it", async () => {
  const pair = await LinkPair.established();
  // A client that takes itself for let in.
  await pair.ends.client.sendLogin(DeviceLogin);
  await pair.ends.client.expectVerdict(0);
  pair.send("client", "let in by nobody");
  await pair.until(() => logins(pair, "server").length === 1);
  await settled();
  await pair.ends.server.sendLogin(Refused);
  await pair.take("server", await pair.ends.server.continueLogin(0));
  await pair.until(() => pair.outcome.server !== undefined);
  assert.deepEqual(pair.outcome.server, { kind: "failed", fault: "unexpectedRecord" });
  assert.deepEqual(pair.heard("server"), []);
  await pair.cut();
});

/** Both ends once the client has the server's LoginReply. */
async function upToReply(): Promise<LinkPair> {
  const pair = await LinkPair.established();
  await pair.ends.client.sendLogin(LoginStart);
  await pair.until(() => logins(pair, "server").length === 1);
  await pair.ends.server.sendLogin(LoginReply);
  await pair.take("server", await pair.ends.server.continueLogin(0));
  await pair.until(() => logins(pair, "client").length === 1);
  return pair;
}

/** The login messages that `side` has handed on. */
function logins(pair: LinkPair, side: Side) {
  return pair.events[side].flatMap((event: LinkEvent) => event.kind === "login" ? [event.message.bytes] : []);
}

/** Lets everything that can happen without a message happen: a turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
