import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { Channel, type ChannelEvent } from "../../lib/secure/channel.ts";
import { MisuseError } from "../../lib/secure/fault.ts";
import { Sealer } from "../../lib/secure/record.ts";
import { recordKey } from "../../lib/secure/schedule.ts";
import { type TraceEvent, traceLines } from "../../lib/text/trace.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { CLOSE_REASONS } from "../../lib/wire/close_code.ts";
import { MESSAGE_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { kindsOf } from "./events.ts";
import { LOGIN_SAID, PlayedEnd, SESSION_KEY } from "./recorded_login.ts";
import {
  framesBound,
  framesOfLogin,
  freshReceiver,
  KINDS,
  partsOf,
  receiverAfter,
  type Recorded,
  recordSession,
  repeatable,
  streamOf,
  WAYS,
} from "./recorded_session.ts";
import { secretsOf } from "./secrets_of.ts";
import { seededEntropy } from "./seeded_entropy.ts";

for (const kind of KINDS) {
  for (const way of WAYS) {
    test(`any split of the stream ${way} gives the same events and answers, ${kind.name}`, async () => {
      const session = await recordSession(kind);
      const stream = streamOf(framesBound(way, session.frames));
      const whole = await play(session, way, [stream]);
      assert.deepEqual(await play(session, way, Array.from(stream, (octet) => Uint8Array.of(octet))), whole);
      await check(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 }),
          async (cuts) => {
            assert.deepEqual(await play(session, way, split(stream, cuts)), whole);
          },
        ),
        25,
      );
    });

    test(`chunks handed over without waiting are taken in order ${way}, ${kind.name}`, async () => {
      const session = await recordSession(kind);
      const frames = framesBound(way, session.frames);
      const login = framesOfLogin(way, kind);
      const receiver = await receiverAfter(session, way, login);
      const received = await Promise.all(
        frames.slice(login).map(({ bytes }) => receiver.channel.receive(bytes)),
      );
      const whole = await play(session, way, [streamOf(frames)]);
      assert.deepEqual(received.flatMap(({ events }) => events), whole.events.slice(login - 1));
    });
  }
}

test("messages are packed into as few records as hold them, and come out one by one", async () => {
  const { client, server } = await openPair();
  for (
    const lengths of [[1], [1, 2, 3], [MESSAGE_BYTES_MAX], [MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX], [
      8_000,
      8_000,
      8_000,
    ]]
  ) {
    const messages = lengths.map((length, at): Bytes => new Uint8Array(length).fill(at + 1));
    const { events } = await server.receive(await client.sealMessages(messages));
    assert.deepEqual(events, messages.map((message) => ({ kind: "message", message, room: undefined })));
  }
  assert.equal((await client.sealMessages([])).length, 0);
  await assert.rejects(client.sealMessages([new Uint8Array(MESSAGE_BYTES_MAX + 1)]), RangeError);
});

test("nothing can be sealed before the handshake is over", async () => {
  const hostKey = await repeatable.ed25519SigningKey(new Uint8Array(32).fill(1));
  const server = Channel.server(
    { suites: ["a256cbc-hs512"], psk: undefined, hostKey },
    partsOf(repeatable, "server", "early"),
  );
  assert.equal(server.canSeal, false);
  await assert.rejects(async () => await server.sealPing(), MisuseError);
  await assert.rejects(async () => await server.rekey(), MisuseError);
  await assert.rejects(async () => await server.sealClose("done"), MisuseError);
  await assert.rejects(server.sealMessages([Uint8Array.of(1)]), MisuseError);
});

test("after the other end's close its records are not read, and ours can still be sealed", async () => {
  const { client, server } = await openPair();
  const close = await client.sealClose("done");
  const late = await client.sealMessages([Uint8Array.of(1)]);
  assert.deepEqual(kindsOf((await server.receive(concat(close, late))).events), ["closed"]);
  assert.deepEqual(kindsOf((await server.receive(late)).events), []);
  const answer = await server.sealMessages([Uint8Array.of(2)]);
  assert.deepEqual(kindsOf((await client.receive(answer)).events), ["message"]);
  assert.deepEqual(kindsOf((await client.receive(await server.sealClose("tooSlow"))).events), ["closed"]);
});

test("records of a kind or with a content that may not come then end the channel", async () => {
  const octet = Uint8Array.of(1);
  const contents = [
    ["handshake", new Uint8Array(0), "unexpectedRecord"],
    ["handshake", octet, "unexpectedRecord"],
    ["handshake", LOGIN_SAID.LoginStart, "unexpectedRecord"],
    ["handshake", LOGIN_SAID.DeviceLogin, "unexpectedRecord"],
    ["message", new Uint8Array(0), "badRecord"],
    ["message", octet, "badRecord"],
    ["message", Uint8Array.of(0, 0), "badRecord"],
    ["message", Uint8Array.of(0, 2, 1), "badRecord"],
    ["message", Uint8Array.of(0, 1, 1, 0), "badRecord"],
    ["message", Uint8Array.of(0, 1, 1, 0, 0), "badRecord"],
    ["rekey", octet, "badRecord"],
    ["ping", octet, "badRecord"],
    ["close", new Uint8Array(0), "badRecord"],
    ["close", Uint8Array.of(0), "badRecord"],
    ["close", Uint8Array.of(0, CLOSE_REASONS.length), "badRecord"],
    ["close", Uint8Array.of(1, 0), "badRecord"],
    ["close", Uint8Array.of(0, 0, 0), "badRecord"],
  ] as const;
  for (const kind of KINDS) {
    const session = await recordSession(kind);
    for (const [content, bytes, fault] of contents) {
      const receiver = await receiverAfter(session, "toServer", framesOfLogin("toServer", kind));
      const { c_ap, c_ap_2 } = await secretsOf(session);
      const [secret, epoch] = kind.login === "password" ? [c_ap_2, 2] : [c_ap, 1];
      const sealer = await Sealer.start(
        { suite: kind.suite, secret, epoch, trace: () => {} },
        session.provider,
        seededEntropy("a peer that errs"),
      );
      // What the client logged in by was sealed under the same keys, where they were not mixed.
      if (epoch === 1) await sealer.seal("handshake", LOGIN_SAID.DeviceLogin);
      const { events, reply } = await receiver.receive(await sealer.seal(content, bytes));
      assert.deepEqual(kindsOf(events), [fault], `${content} ${bytes.toHex()}`);
      assert.equal(reply.length, 0);
    }
  }
});

test("what is traced is what passes, and never a key", async () => {
  for (const kind of KINDS) {
    const session = await recordSession(kind);
    const traced: TraceEvent[] = [];
    const channel = Channel.server(session.serverOptions, {
      ...partsOf(session.provider, "server", session.seed),
      trace: (event) => traced.push(event),
    });
    const server = new PlayedEnd(channel, "server", kind.login);
    await server.receive(streamOf(framesBound("toServer", session.frames)));
    const told = traced.map((event) => "message" in event ? event.message : event.kind);
    const proof = ["HostKey", "Signature", "Finished"];
    const handshake = ["Hello", "Reply", ...proof, "keys", "record", "record", "Done", "keys"];
    assert.deepEqual(told.slice(0, handshake.length), handshake);
    const byPassword = [
      "record",
      "RegisterStart",
      "Refused",
      "record",
      "record",
      "LoginStart",
      "LoginReply",
      "record",
    ];
    const login = kind.login === "device"
      ? ["record", "DeviceLogin"]
      : [...byPassword, "record", "LoginFinish", "mixedKeys"];
    assert.deepEqual(told.slice(handshake.length, handshake.length + login.length), login);

    const lines = traced.flatMap(traceLines).join("\n");
    assert.equal(lines.includes(LOGIN_SAID.LoginFinish.toHex().slice(0, 64)), kind.login === "password");
    for (const secret of [SESSION_KEY, LOGIN_SAID.RegisterStart]) {
      for (let at = 0; at + 16 <= secret.length; at++) {
        assert.ok(
          !lines.includes(secret.slice(at, at + 16).toHex()),
          "neither session key nor invitation code",
        );
      }
    }
    const { messages: _, ...secrets } = await secretsOf(session);
    for (const [name, secret] of Object.entries(secrets)) {
      const key = await recordKey(repeatable, secret, kind.suite);
      for (const bytes of [secret, key.slice(0, 32), key.slice(32)]) {
        assert.ok(!lines.includes(bytes.toHex()), `${name} is not told`);
      }
    }
  }
});

interface Played {
  readonly events: readonly ChannelEvent[];
  readonly reply: string;
}

async function play(
  session: Recorded,
  way: (typeof WAYS)[number],
  chunks: readonly Bytes[],
): Promise<Played> {
  const receiver = await freshReceiver(session, way);
  const events: ChannelEvent[] = [];
  const replies: Bytes[] = [];
  for (const chunk of chunks) {
    const received = await receiver.receive(chunk);
    events.push(...received.events);
    replies.push(received.reply);
  }
  return { events, reply: concat(...replies).toHex() };
}

function split(stream: Bytes, cuts: readonly number[]): readonly Bytes[] {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
  return edges.slice(1).map((edge, at) => stream.slice(edges[at] ?? 0, edge));
}

async function openPair(): Promise<{ client: Channel; server: Channel }> {
  const hostKey = await repeatable.ed25519SigningKey(new Uint8Array(32).fill(1));
  const { channel: client, opening } = await Channel.client(
    { suites: ["a256cbc-hs512"], psk: undefined, pin: { kind: "key", publicKey: hostKey.publicKey } },
    partsOf(repeatable, "client", "channels"),
  );
  const server = Channel.server(
    { suites: ["a256cbc-hs512"], psk: undefined, hostKey },
    partsOf(repeatable, "server", "channels"),
  );
  const { reply: flight } = await server.receive(opening);
  const { reply: done } = await client.receive(flight);
  const login = await client.sendLogin(LOGIN_SAID.DeviceLogin);
  await client.expectVerdict();
  await server.receive(concat(done, login));
  await server.admit();
  await client.receive(await server.sealMessages([Uint8Array.of(1)]));
  return { client, server };
}
