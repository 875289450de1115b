import assert from "node:assert/strict";
import { MisuseError } from "../../lib/secure/fault.ts";
import { Link, type LinkEnd, QUEUE_BYTES_MAX, REKEY_MS, WRITE_BYTES_MAX } from "../../lib/secure/link.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { CLOSE_REASONS } from "../../lib/wire/close_code.ts";
import {
  CLOSE_MS_MAX,
  CONNECTION_MS_MAX,
  DEAD_MS,
  HANDSHAKE_MS_MAX,
  MESSAGE_BYTES_MAX,
  PING_MS,
} from "../../lib/wire/limits.ts";
import { HAS_RUNTIME_ML_KEM, provider as programs } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { sampler } from "./extent.ts";
import { LinkPair, optionsOf, otherSide, type Side } from "./pair.ts";
import { LOGIN_SAID, receiveAndLogIn } from "./recorded_login.ts";
import { KINDS, partsOf, repeatable } from "./recorded_session.ts";

const SIDES: readonly Side[] = ["client", "server"];
/** What has not been written by then never will be: sealing a record takes less than a millisecond. */
const MISSED_MS = 5_000;
const LAST_TICK = HANDSHAKE_MS_MAX - 1;

for (const kind of KINDS) {
  test(`links talk both ways and close, ${kind.name}`, async () => {
    const pair = await LinkPair.open({ kind });
    pair.send("client", "from the client");
    pair.send("server", "from the server");
    await pair.until(() => pair.heard("client").length + pair.heard("server").length === 2);
    assert.deepEqual(pair.heard("server"), ["from the client"]);
    assert.deepEqual(pair.heard("client"), ["from the server"]);
    const [client] = pair.events.client;
    const [server] = pair.events.server;
    assert.ok(client?.kind === "established" && server?.kind === "established");
    assert.equal(client.suite, kind.suite);
    assert.deepEqual(client.exporter, server.exporter, "both name the connection alike");
    pair.ends.client.close("done", 0);
    assert.deepEqual(await pair.bothEnded(), {
      client: { kind: "closed", by: "us", reason: "done", confirmed: true },
      server: { kind: "closed", by: "peer", reason: "done", confirmed: true },
    });
  });
}

test("links talk on what this runtime's programs compute with", async () => {
  const pair = await LinkPair.open({ provider: programs });
  pair.send("client", HAS_RUNTIME_ML_KEM ? "runtime" : "library");
  await pair.until(() => pair.heard("server").length === 1);
  await pair.cut();
});

for (const side of SIDES) {
  test(`a handshake that is not over in time ends the ${side}`, async () => {
    const pair = await LinkPair.start({});
    pair.hold("client");
    pair.tick(LAST_TICK);
    await settled();
    assert.equal(pair.outcome[side], undefined);
    pair.tick(HANDSHAKE_MS_MAX);
    assert.deepEqual(await pair.ends[side].ended, { kind: "timedOut", during: "handshake" });
    await pair.cut();
  });

  test(`an idle ${side} pings, and a ping is no event`, async () => {
    const pair = await LinkPair.open();
    const [before, heard] = [pair.writes[side], pair.events[otherSide(side)].length];
    pair.tick(PING_MS - 1, [side]);
    pair.tick(PING_MS, [side]);
    await pair.until(() => pair.writes[side] === before + 1);
    assert.equal(pair.events[otherSide(side)].length, heard);
    pair.tick(2 * PING_MS - 1, [side]);
    pair.send(side, "instead of a ping");
    await pair.until(() => pair.writes[side] === before + 2);
    pair.tick(2 * PING_MS, [side]);
    pair.send(side, "to see what came before it");
    await pair.until(() => pair.heard(otherSide(side)).length === 2);
    assert.equal(pair.writes[side], before + 3, "no ping beside messages");
    await pair.cut();
  });

  test(`a ${side} that hears nothing takes the other end for dead`, async () => {
    const pair = await LinkPair.open();
    pair.hold(otherSide(side));
    pair.tick(DEAD_MS - 1, [side]);
    await settled();
    assert.equal(pair.outcome[side], undefined);
    pair.tick(DEAD_MS, [side]);
    assert.deepEqual(await pair.ends[side].ended, { kind: "timedOut", during: "conversation" });
    await pair.cut();
  });

  test(`a ${side} that is excused for what it has not read yet is not dead`, async () => {
    const pair = await LinkPair.open();
    pair.ends[side].excuse(DEAD_MS - 1);
    pair.tick(DEAD_MS, [side]);
    pair.tick(2 * DEAD_MS - 2, [side]);
    await settled();
    assert.equal(pair.outcome[side], undefined);
    pair.tick(2 * DEAD_MS - 1, [side]);
    assert.equal((await pair.ends[side].ended).kind, "timedOut");
    await pair.cut();
  });

  test(`pings keep an idle ${side} alive for hours`, async () => {
    const pair = await LinkPair.open();
    for (let now = 0; now <= 2 * REKEY_MS; now += PING_MS) {
      const writes = { ...pair.writes };
      pair.tick(now);
      if (now > 0) {
        await pair.until(() => pair.writes.client > writes.client && pair.writes.server > writes.server);
      }
    }
    assert.deepEqual(pair.outcome, { client: undefined, server: undefined });
    await pair.cut();
  });

  test(`an hour later the ${side} changes its keys, and messages go on`, async () => {
    const pair = await LinkPair.open();
    const bound = side === "client" ? "toServer" : "toClient";
    let expected = 0;
    for (const hour of [1, 2, 3]) {
      pair.ends.client.excuse(hour * REKEY_MS);
      pair.ends.server.excuse(hour * REKEY_MS);
      pair.tick(hour * REKEY_MS - 1, [side]);
      const before = pair.frames.filter(({ way }) => way === bound).length;
      pair.send(side, `before ${hour}`);
      await pair.until(() => pair.heard(otherSide(side)).length === expected + 1);
      // A ping may have left by itself; a rekey adds a frame of its own to the write it comes with.
      const withoutRekey = pair.frames.filter(({ way }) => way === bound).length - before;
      assert.ok(withoutRekey <= 2);
      pair.ends.client.excuse(hour * REKEY_MS);
      pair.ends.server.excuse(hour * REKEY_MS);
      pair.tick(hour * REKEY_MS, [side]);
      const writes = pair.writes[side];
      const frames = pair.frames.length;
      pair.send(side, `after ${hour}`);
      await pair.until(() => pair.heard(otherSide(side)).length === expected + 2);
      assert.ok(pair.frames.length - frames > pair.writes[side] - writes, "a rekey left");
      expected += 2;
    }
    assert.deepEqual(pair.outcome, { client: undefined, server: undefined });
    pair.ends[side].close("done", pair.now);
    const ends = await pair.bothEnded();
    assert.ok(ends.client.kind === "closed" && ends.client.confirmed);
  });

  test(`all that the ${side} sent before its close arrives, is answered, and then both end`, async () => {
    const pair = await LinkPair.open({ answersCloses: false });
    const other = otherSide(side);
    const texts = Array.from({ length: 500 }, (_, at) => `${at} ${"x".repeat(at)}`);
    for (const text of texts) pair.send(side, text);
    pair.ends[side].close("done", 0);
    pair.send(side, "too late");
    await pair.until(() => pair.events[other].some(({ kind }) => kind === "closed"));
    assert.deepEqual(pair.heard(other), texts);
    assert.deepEqual(pair.events[other].at(-1), { kind: "closed", reason: "done" });
    for (const text of texts) pair.send(other, `answer to ${text}`);
    pair.ends[other].close("shuttingDown", 0);
    const ends = await pair.bothEnded();
    assert.deepEqual(pair.heard(side), texts.map((text) => `answer to ${text}`));
    assert.deepEqual(ends[side], { kind: "closed", by: "us", reason: "done", confirmed: true });
    assert.deepEqual(ends[other], { kind: "closed", by: "peer", reason: "done", confirmed: true });
    assert.ok(!pair.events[side].some(({ kind }) => kind === "closed"), "its own close needs no answer");
  });

  test(`a close of the ${side} that is not answered in time is not confirmed`, async () => {
    const pair = await LinkPair.open({ answersCloses: false });
    pair.ends[side].close("done", 100);
    await pair.until(() => pair.events[otherSide(side)].some(({ kind }) => kind === "closed"));
    pair.tick(100 + CLOSE_MS_MAX - 1, [side]);
    await settled();
    assert.equal(pair.outcome[side], undefined);
    pair.tick(100 + CLOSE_MS_MAX, [side]);
    assert.deepEqual(await pair.ends[side].ended, {
      kind: "closed",
      by: "us",
      reason: "done",
      confirmed: false,
    });
    await pair.cut();
  });

  test(`a close of the ${side} that could never be written is not confirmed`, async () => {
    const pair = await LinkPair.open({ answersCloses: false });
    pair.ends[otherSide(side)].close("done", 0);
    await pair.until(() => pair.events[side].some(({ kind }) => kind === "closed"));
    pair.hold(side);
    pair.send(side, "an answer that stays behind");
    pair.ends[side].close("done", 0);
    for (const end of ["tick", "lost"] as const) {
      await settled();
      if (end === "tick") pair.tick(CLOSE_MS_MAX, [side]);
      else pair.ends[side].lost();
    }
    assert.deepEqual(await pair.ends[side].ended, {
      kind: "closed",
      by: "peer",
      reason: "done",
      confirmed: false,
    });
    await pair.cut();
  });

  test(`a ${side} whose peer reads too slowly closes it, and its queue is let go`, async () => {
    const pair = await LinkPair.open({ answersCloses: true });
    pair.hold(side);
    const message = new Uint8Array(MESSAGE_BYTES_MAX).fill(0x61);
    const many = Math.ceil(QUEUE_BYTES_MAX / MESSAGE_BYTES_MAX) + 8;
    for (let count = 0; count < many; count++) {
      pair.ends[side].send(message);
      assert.ok(pair.ends[side].queuedBytes <= QUEUE_BYTES_MAX);
    }
    assert.equal(pair.ends[side].queuedBytes, 0);
    pair.release(side);
    const ends = await pair.bothEnded();
    assert.deepEqual(ends[side], { kind: "closed", by: "us", reason: "tooSlow", confirmed: true });
    assert.deepEqual(ends[otherSide(side)], {
      kind: "closed",
      by: "peer",
      reason: "tooSlow",
      confirmed: true,
    });
  });

  test(`a ${side} with much to say waits for what it has said to be written, and for no longer than there is a line`, async () => {
    const pair = await LinkPair.open({ answersCloses: true });
    const link = pair.ends[side];
    await link.drained(0);
    pair.hold(side);
    const message = new Uint8Array(MESSAGE_BYTES_MAX).fill(0x61);
    for (let count = 0; count < 20; count++) link.send(message);
    const settledAt: number[] = [];
    const limits = [0, WRITE_BYTES_MAX, 10 * MESSAGE_BYTES_MAX];
    const waits = limits.map((limit) => link.drained(limit).then(() => settledAt.push(limit)));
    await settled();
    assert.deepEqual(settledAt, []);
    pair.release(side);
    await Promise.all(waits);
    assert.deepEqual(settledAt, limits.toReversed(), "who takes more is told earlier");

    pair.hold(side);
    for (let count = 0; count < 20; count++) link.send(message);
    const last = link.drained(0);
    link.lost();
    await last;
    await pair.cut();
  });

  test(`a ${side} whose peer never reads is rid of it`, async () => {
    const pair = await LinkPair.open();
    pair.hold(side);
    const message = new Uint8Array(MESSAGE_BYTES_MAX);
    for (let bytes = 0; bytes <= QUEUE_BYTES_MAX; bytes += message.length) pair.ends[side].send(message);
    pair.tick(CLOSE_MS_MAX, [side]);
    assert.deepEqual(await pair.ends[side].ended, {
      kind: "closed",
      by: "us",
      reason: "tooSlow",
      confirmed: false,
    });
    await pair.cut();
  });

  test(`the ${side}'s connection lost or ended by the other end is told by phase`, async () => {
    const losses: readonly ((link: Link) => void)[] = [(link) => link.lost(), (link) => link.receiveEnd()];
    for (const loss of losses) {
      const early = await LinkPair.start();
      early.hold("client");
      loss(early.ends[side]);
      assert.deepEqual(await early.ends[side].ended, { kind: "cut", during: "handshake", answered: false });
      await early.cut();

      const open = await LinkPair.open();
      loss(open.ends[side]);
      assert.deepEqual(await open.ends[side].ended, { kind: "cut", during: "conversation", answered: true });
      open.ends[side].send(new Uint8Array(1));
      assert.equal(await open.ends[side].nextWrite(() => 0), undefined);
      assert.deepEqual(await open.ends[side].receive(new Uint8Array(9), 0), []);
      await open.cut();

      const closing = await LinkPair.open({ answersCloses: false });
      closing.ends[side].close("done", 0);
      await closing.until(() => closing.events[otherSide(side)].some(({ kind }) => kind === "closed"));
      loss(closing.ends[side]);
      assert.deepEqual(await closing.ends[side].ended, {
        kind: "closed",
        by: "us",
        reason: "done",
        confirmed: false,
      });
      loss(closing.ends[side]);
      await closing.cut();
    }
  });

  test(`after the other end's close its end of stream is expected by the ${side}`, async () => {
    const pair = await LinkPair.open({ answersCloses: false });
    const other = otherSide(side);
    pair.ends[other].close("done", 0);
    await pair.until(() => pair.events[side].some(({ kind }) => kind === "closed"));
    pair.ends[side].receiveEnd();
    pair.send(side, "what was still owed");
    await pair.until(() => pair.heard(other).length === 1);
    pair.ends[side].receiveEnd();
    pair.ends[side].close("done", 0);
    const ends = await pair.bothEnded();
    assert.deepEqual(ends[side], { kind: "closed", by: "peer", reason: "done", confirmed: true });
  });

  test(`after the other end's close a lost connection is a cut for the ${side}`, async () => {
    const pair = await LinkPair.open({ answersCloses: false });
    pair.ends[otherSide(side)].close("done", 0);
    await pair.until(() => pair.events[side].some(({ kind }) => kind === "closed"));
    pair.ends[side].lost();
    assert.deepEqual(await pair.ends[side].ended, { kind: "cut", during: "conversation", answered: true });
    await pair.cut();
  });

  test(`every reason reaches the other end when the ${side} closes`, async () => {
    for (const reason of CLOSE_REASONS) {
      const pair = await LinkPair.open();
      pair.ends[side].close(reason, 0);
      pair.ends[side].close("done", 0);
      const ends = await pair.bothEnded();
      assert.deepEqual(ends[side], { kind: "closed", by: "us", reason, confirmed: true });
      assert.deepEqual(ends[otherSide(side)], { kind: "closed", by: "peer", reason, confirmed: true });
    }
  });

  test(`closing the ${side} before the handshake is over ends it without a word`, async () => {
    const pair = await LinkPair.start();
    pair.hold("client");
    pair.ends[side].close("done", 0);
    const end: LinkEnd = { kind: "closed", by: "us", reason: "done", confirmed: false };
    assert.deepEqual(await pair.ends[side].ended, end);
    await pair.cut();
  });
}

test("closes that cross are confirmed at both ends, each of which gave its own reason", async () => {
  const pair = await LinkPair.open();
  pair.hold("client");
  pair.hold("server");
  pair.send("client", "on its way");
  pair.send("server", "on its way too");
  pair.ends.client.close("done", 0);
  pair.ends.server.close("shuttingDown", 0);
  pair.release("client");
  pair.release("server");
  assert.deepEqual(await pair.bothEnded(), {
    client: { kind: "closed", by: "us", reason: "done", confirmed: true },
    server: { kind: "closed", by: "us", reason: "shuttingDown", confirmed: true },
  });
  assert.deepEqual(pair.heard("server"), ["on its way"]);
  assert.deepEqual(pair.heard("client"), ["on its way too"]);
});

test("a server closes a connection that is a day old, so that keys are agreed on anew; a client does not", async () => {
  const pair = await LinkPair.open();
  for (const side of SIDES) pair.ends[side].excuse(CONNECTION_MS_MAX);
  pair.tick(CONNECTION_MS_MAX - 1);
  assert.deepEqual(pair.outcome, { client: undefined, server: undefined });
  pair.tick(CONNECTION_MS_MAX, ["client"]);
  await settled();
  assert.equal(pair.outcome.client, undefined);
  pair.ends.client.excuse(CONNECTION_MS_MAX);
  pair.tick(CONNECTION_MS_MAX, ["server"]);
  assert.deepEqual(await pair.bothEnded(), {
    client: { kind: "closed", by: "peer", reason: "reconnect", confirmed: true },
    server: { kind: "closed", by: "us", reason: "reconnect", confirmed: true },
  });
});

test("what waits leaves as one record and one write, in order", async () => {
  const pair = await LinkPair.open();
  const before = { writes: pair.writes.client, frames: pair.frames.length };
  for (let at = 0; at < 50; at++) pair.send("client", `${at}`);
  await pair.until(() => pair.heard("server").length === 50);
  assert.equal(pair.writes.client - before.writes, 1);
  assert.equal(pair.frames.length - before.frames, 1);
  assert.deepEqual(pair.heard("server"), Array.from({ length: 50 }, (_, at) => `${at}`));
  await pair.cut();
});

test("one write takes a bounded part of the queue", async () => {
  const pair = await LinkPair.open();
  const message = new Uint8Array(MESSAGE_BYTES_MAX).fill(0x62);
  const before = pair.writes.client;
  for (let at = 0; at < 40; at++) pair.ends.client.send(message);
  await pair.until(() => pair.heard("server").length === 40);
  const perWrite = Math.floor(WRITE_BYTES_MAX / MESSAGE_BYTES_MAX);
  assert.equal(pair.writes.client - before, 40 / perWrite);
  await pair.cut();
});

test("sending before the handshake is over, nothing at all, or too much is our misuse", async () => {
  const pair = await LinkPair.start();
  pair.hold("client");
  for (const side of SIDES) assert.throws(() => pair.send(side, "early"), MisuseError);
  pair.release("client");
  await pair.until(() => pair.events.client.length > 0);
  assert.throws(() => pair.ends.client.send(new Uint8Array(0)), MisuseError);
  assert.throws(() => pair.ends.client.send(new Uint8Array(MESSAGE_BYTES_MAX + 1)), MisuseError);
  await pair.cut();
});

test("the longest messages and the shortest pass side by side", async () => {
  const pair = await LinkPair.open();
  const lengths = [MESSAGE_BYTES_MAX, 1, MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX, 2, 16_373, 3];
  for (const length of lengths) pair.ends.client.send(new Uint8Array(length).fill(0x63));
  await pair.until(() => pair.heard("server").length === lengths.length);
  assert.deepEqual(pair.heard("server").map((text) => text.length), lengths);
  await pair.cut();
});

test("a message or a close is written however few turns after it was asked what there is to write", async () => {
  const { client: options, server: serverOptions } = await optionsOf(
    KINDS[0] ?? assert.fail("there are kinds"),
  );
  for (const act of ["send", "close", "tick", "sendLogin"] as const) {
    for (let turns = 0; turns < 12; turns++) {
      const client = await Link.client(options, partsOf(repeatable, "client", "turns"), 0);
      const server = Link.server(serverOptions, partsOf(repeatable, "server", "turns"), 0);
      await server.receive(await client.nextWrite(() => 0) ?? assert.fail("a Hello"), 0);
      await client.receive(await server.nextWrite(() => 0) ?? assert.fail("an answer"), 0);
      const done = await client.nextWrite(() => 0) ?? assert.fail("a Done");
      if (act !== "sendLogin") await letIn(client, server, done);
      const next = client.nextWrite(() => PING_MS);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      if (act === "send") client.send(Uint8Array.of(1));
      else if (act === "sendLogin") void client.sendLogin(LOGIN_SAID.LoginStart);
      else if (act === "close") client.close("done", 0);
      else client.tick(PING_MS);
      const nothing = Promise.withResolvers<"nothing">();
      const timer = setTimeout(() => nothing.resolve("nothing"), MISSED_MS);
      assert.notEqual(await Promise.race([next, nothing.promise]), "nothing", `${act} after ${turns} turns`);
      clearTimeout(timer);
      client.lost();
      server.lost();
    }
  }
});

/** Logs a client in by its device, from its Done on, until it has heard that it is in. */
async function letIn(client: Link, server: Link, done: Bytes): Promise<void> {
  await client.sendLogin(LOGIN_SAID.DeviceLogin);
  await client.expectVerdict(0);
  const login = await client.nextWrite(() => 0) ?? assert.fail("a DeviceLogin");
  await receiveAndLogIn(server, concat(done, login), { role: "server", way: "device", now: 0 });
  server.send(Uint8Array.of(1));
  await client.receive(await server.nextWrite(() => 0) ?? assert.fail("a first message"), 0);
}

test("no wake-up is missed, whatever comes between asking and sending", async () => {
  const pick = sampler("wake-ups");
  for (let round = 0; round < 30; round++) {
    const pair = await LinkPair.open({ seed: `wake-up ${round}` });
    const sent: Record<Side, number> = { client: 0, server: 0 };
    for (let step = 0; step < 40; step++) {
      const side = SIDES[pick(2)] ?? "client";
      switch (pick(5)) {
        case 0:
          pair.tick(pair.now + pick(DEAD_MS / 40));
          break;
        case 1:
          for (let turns = pick(40); turns > 0; turns--) await Promise.resolve();
          break;
        case 2:
          await settled();
          break;
        default:
          pair.send(side, `${sent[side]++}`);
      }
    }
    // Hangs, and is reported by the runtime, where a signal was lost.
    await pair.until(() =>
      SIDES.every((side) => pair.heard(otherSide(side)).length === sent[side]) ||
      outcomeOf(pair) !== undefined
    );
    assert.equal(outcomeOf(pair), undefined);
    for (const side of SIDES) {
      assert.deepEqual(pair.heard(otherSide(side)), Array.from({ length: sent[side] }, (_, at) => `${at}`));
    }
    pair.ends[SIDES[pick(2)] ?? "client"].close("done", pair.now);
    const ends = await pair.bothEnded();
    assert.ok(ends.client.kind === "closed" && ends.client.confirmed);
    assert.ok(ends.server.kind === "closed" && ends.server.confirmed);
  }
});

function outcomeOf(pair: LinkPair): LinkEnd | undefined {
  return pair.outcome.client ?? pair.outcome.server;
}

test("a stream cut into single octets says the same", async () => {
  const pair = await LinkPair.open({ split: (bytes) => Array.from(bytes, (octet) => Uint8Array.of(octet)) });
  for (let at = 0; at < 5; at++) pair.send("client", `message ${at}`);
  await pair.until(() => pair.heard("server").length === 5);
  pair.ends.client.close("done", 0);
  const ends = await pair.bothEnded();
  assert.deepEqual(ends.client, { kind: "closed", by: "us", reason: "done", confirmed: true });
});

/** Lets everything that can happen without a message happen: a turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
