import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { Channel, type Received } from "../../lib/secure/channel.ts";
import { MisuseError } from "../../lib/secure/fault.ts";
import { HANDSHAKE_TYPES } from "../../lib/secure/handshake_message.ts";
import { Sealer } from "../../lib/secure/record.ts";
import { mixedSecrets } from "../../lib/secure/schedule.ts";
import { type Bytes, concat, u16, u8, utf8 } from "../../lib/wire/bytes.ts";
import { BEFORE_LOGIN_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { kindsOf } from "./events.ts";
import { type Both, optionsOf, otherSide, type Side } from "./pair.ts";
import { LOGIN_SAID, loginMessage, SESSION_KEY } from "./recorded_login.ts";
import {
  framesBound,
  HOST_KEY_SEED,
  type Kind,
  KINDS,
  partsOf,
  receiverAfter,
  recordSession,
  repeatable,
} from "./recorded_session.ts";
import { secretsOf } from "./secrets_of.ts";
import { seededEntropy } from "./seeded_entropy.ts";

const [DEFAULT_KIND = assert.fail("there are kinds")] = KINDS;
const SIDES: readonly Side[] = ["client", "server"];
const HI = utf8("hi");
const { LoginStart, LoginReply, LoginFinish, DeviceLogin, Refused, RegisterStart } = LOGIN_SAID;

for (const kind of KINDS) {
  test(`attack 2: a login relayed between two channels gives keys that fit nowhere, ${kind.name}`, async () => {
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      const { client, server, relay } = await relayed(kind);
      const { toServer, toClient } = await attempt({ client, server, relay, kind });
      for (const [end, bytes] of [[server, toServer], [client, toClient]] as const) {
        const { events, reply } = await end.receive(bytes);
        assert.deepEqual(kindsOf(events), ["badRecord"], name);
        assert.equal(reply.length, 0, name);
      }
    }
  });
}

test("the same login, not relayed, lets both ends talk: the attack above fails for its own reason", async () => {
  const { client, server } = await byPassword();
  for (const [from, to] of [[client, server], [server, client]] as const) {
    const { events } = await to.receive(await from.sealMessages([HI]));
    assert.deepEqual(events, [{ kind: "message", message: HI, room: undefined }]);
  }
});

test("a password login with another session key at one end gives keys that fit nowhere", async () => {
  const { client, server } = await upToFinish();
  await client.mix(SESSION_KEY);
  await server.mix(SESSION_KEY.with(63, 1));
  assert.deepEqual(kindsOf((await server.receive(await client.sealMessages([HI]))).events), ["badRecord"]);
  assert.deepEqual(kindsOf((await client.receive(await server.sealMessages([HI]))).events), ["badRecord"]);
});

test("mixed keys depend on the session key, on the master secret and on all that was said", async () => {
  const [master, sessionKey, transcript] = [1, 2, 3].map((octet) => new Uint8Array(64).fill(octet));
  assert.ok(master && sessionKey && transcript);
  const secrets = [
    await mixedSecrets(repeatable, master, { sessionKey, transcript }),
    await mixedSecrets(repeatable, master.with(0, 0), { sessionKey, transcript }),
    await mixedSecrets(repeatable, master, { sessionKey: sessionKey.with(0, 0), transcript }),
    await mixedSecrets(repeatable, master, { sessionKey, transcript: transcript.with(0, 0) }),
  ];
  const all = secrets.flatMap(({ traffic, exporter }) => [traffic.client, traffic.server, exporter]);
  assert.equal(new Set(all.map((secret) => secret.toHex())).size, 12);
  for (const length of [0, 32, 63, 65]) {
    const short = { sessionKey: new Uint8Array(length), transcript };
    await assert.rejects(mixedSecrets(repeatable, master, short), RangeError);
  }
});

test("attack 25: before a login ends, whatever is no message of it for this end ends the channel", async () => {
  const two = concat(LoginStart, LoginStart);
  const contents = [
    ["message", concat(u16(2), HI), "unexpectedRecord"],
    ["ping", new Uint8Array(0), "unexpectedRecord"],
    ["rekey", new Uint8Array(0), "unexpectedRecord"],
    ["handshake", new Uint8Array(0), "badHandshake"],
    ["handshake", two, "badHandshake"],
    ["handshake", concat(LoginReply, LoginReply), "badHandshake"],
    ["handshake", LoginStart.slice(0, -1), "badHandshake"],
    ["handshake", concat(LoginReply, u8(0)), "badHandshake"],
    ["handshake", LoginStart.with(0, 15), "badHandshake"],
    ["handshake", LoginReply.with(0, 0), "badHandshake"],
    ...Object.values(HANDSHAKE_TYPES).map((type) =>
      ["handshake", LoginReply.with(0, type), "badHandshake"] as const
    ),
    ["close", Uint8Array.of(1, 0), "badRecord"],
  ] as const;
  for (const side of SIDES) {
    const wrongWay = side === "server"
      ? [loginMessage("RegisterReply", new Uint8Array(64)), LoginReply, Refused]
      : [RegisterStart, loginMessage("RegisterFinish", HI), LoginStart, LoginFinish, DeviceLogin];
    const backwards = wrongWay.map((message) => ["handshake", message, "badHandshake"] as const);
    for (const [content, bytes, fault] of [...contents, ...backwards]) {
      for (const after of ["Done", "a refusal"] as const) {
        const { end, sealer } = await inLogin(side, after);
        const { events, reply } = await end.receive(await sealer.seal(content, bytes));
        assert.deepEqual(
          kindsOf(events),
          [fault],
          `${content} ${bytes.toHex()} to the ${side} after ${after}`,
        );
        assert.equal(reply.length, 0);
        assert.deepEqual(kindsOf((await end.receive(await sealer.seal("message", bytes))).events), []);
      }
    }
  }
});

test("attack 25: what a client says behind a login is not read before it is decided, nor ever if it is refused", async () => {
  const { client, server } = await established();
  const login = await client.sendLogin(DeviceLogin);
  await client.expectVerdict();
  const early = await client.sealMessages([HI]);
  assert.deepEqual(kindsOf((await server.receive(concat(login, early))).events), ["login"]);
  assert.deepEqual((await server.receive(await client.sealMessages([HI]))).events, []);
  const refusal = await server.sendLogin(Refused);
  const close = await server.sealClose("done");
  const later = await client.sealMessages([HI, HI]);
  assert.deepEqual((await server.receive(later)).events, [], "passed over");
  assert.deepEqual(kindsOf((await client.receive(concat(refusal, close))).events), ["login", "closed"]);
  assert.deepEqual(kindsOf((await server.receive(await client.sealClose("done"))).events), ["closed"]);
});

test("attack 25: a message behind a LoginStart ends the channel as soon as it is read", async () => {
  const { end, sealer } = await inLogin("server", "Done");
  const start = await sealer.seal("handshake", LoginStart);
  const message = await sealer.seal("message", concat(u16(2), HI));
  assert.deepEqual(kindsOf((await end.receive(concat(start, message))).events), ["login"]);
  await end.sendLogin(LoginReply);
  assert.deepEqual(kindsOf((await end.continueLogin()).events), ["unexpectedRecord"]);
});

for (const side of SIDES) {
  test(`attack 7: after LoginFinish a ${side} opens nothing under the old keys`, async () => {
    for (const content of ["message", "close", "handshake"] as const) {
      const ends = await upToFinish();
      await ends[side].mix(SESSION_KEY);
      const bytes = { message: concat(u16(2), HI), close: u16(0), handshake: Refused }[content];
      // What the other end could have sealed next, had it not gone on to other keys.
      const stale = await staleSealer(otherSide(side));
      const { events } = await ends[side].receive(await stale.seal(content, bytes));
      assert.deepEqual(kindsOf(events), ["badRecord"], content);
    }
  });
}

test("attack 7: a record under mixed keys before LoginFinish, or without it, ends the channel", async () => {
  const { client, server, finish } = await upToFinish({ deliver: false });
  await client.mix(SESSION_KEY);
  const early = await client.sealMessages([HI]);
  assert.deepEqual(kindsOf((await server.receive(concat(early, finish))).events), ["badRecord"]);
});

test("what comes behind LoginFinish is opened under the mixed keys, however the stream is cut", () =>
  check(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 12 }), async (lengths) => {
      const { client, server, finish } = await upToFinish({ deliver: false });
      await client.mix(SESSION_KEY);
      const stream = concat(finish, await client.sealMessages([HI]), await client.sealClose("done"));
      const events: string[] = [];
      let mixed = false;
      const take = ({ events: more }: Received) => events.push(...kindsOf(more));
      async function mix(): Promise<void> {
        if (mixed || events.length === 0) return;
        mixed = true;
        take(await server.mix(SESSION_KEY));
      }
      for (let at = 0, step = 0; at < stream.length; step++) {
        const length = lengths[step] ?? stream.length;
        take(await server.receive(stream.slice(at, at + length)));
        at += length;
        // The owner may be slow: here it decides two chunks after it was told.
        if (step > 1) await mix();
      }
      await mix();
      assert.deepEqual(events, ["login", "message", "closed"]);
    }),
    40,
  ));

test("bytes that come while keys are being mixed wait for them, in order", async () => {
  const { client, server, finish } = await upToFinish({ deliver: false });
  await client.mix(SESSION_KEY);
  const first = await client.sealMessages([HI]);
  const second = await client.sealMessages([utf8("again")]);
  await server.receive(finish);
  const results = await Promise.all([
    server.receive(first.slice(0, 5)),
    server.mix(SESSION_KEY),
    server.receive(first.slice(5)),
    server.receive(second),
  ]);
  assert.deepEqual(results.map(({ events }) => kindsOf(events)), [[], [], ["message"], ["message"]]);
});

test("two login messages that are sent without waiting leave in order, under one transcript", async () => {
  const { client, server } = await established();
  const finish = loginMessage("RegisterFinish", new Uint8Array(192));
  const frames = await Promise.all([client.sendLogin(finish), client.sendLogin(LoginStart)]);
  assert.deepEqual(kindsOf((await server.receive(concat(...frames))).events), ["login"]);
  const { events } = await server.continueLogin();
  assert.deepEqual(events.map((event) => event.kind === "login" && event.message.bytes), [LoginStart]);
  await client.receive(await server.sendLogin(LoginReply));
  await server.continueLogin();
  await server.receive(await client.sendLogin(LoginFinish));
  await Promise.all([client.mix(SESSION_KEY), server.mix(SESSION_KEY)]);
  assert.deepEqual(kindsOf((await server.receive(await client.sealMessages([HI]))).events), ["message"]);
});

test("messages of a login that the ends saw in another order give keys that fit nowhere", async () => {
  const { client, server } = await established();
  const record = await client.sendLogin(loginMessage("RegisterFinish", new Uint8Array(192)));
  const start = await client.sendLogin(LoginStart);
  await server.receive(concat(record, start));
  const refusal = await server.sendLogin(Refused);
  await server.continueLogin();
  const reply = await server.sendLogin(LoginReply);
  await server.continueLogin();
  await client.receive(concat(refusal, reply));
  await client.continueLogin();
  await server.receive(await client.sendLogin(LoginFinish));
  await client.mix(SESSION_KEY);
  await server.mix(SESSION_KEY);
  assert.deepEqual(kindsOf((await server.receive(await client.sealMessages([HI]))).events), ["badRecord"]);
});

test("a client that knows at LoginReply that its password is wrong closes, and is answered", async () => {
  const { client, server } = await established();
  await server.receive(await client.sendLogin(LoginStart));
  await client.receive(await server.sendLogin(LoginReply));
  await server.continueLogin();
  assert.deepEqual((await server.receive(await client.sealClose("done"))).events, [
    { kind: "closed", reason: "done" },
  ]);
  assert.deepEqual((await client.receive(await server.sealClose("done"))).events, [
    { kind: "closed", reason: "done" },
  ]);
});

test("an end whose peer may be changing its keys cannot close, and after the change it can", async () => {
  const { client, server } = await established();
  assert.deepEqual([client.canClose, server.canClose], [true, true]);
  await server.receive(await client.sendLogin(LoginStart));
  assert.equal(server.canClose, true);
  await client.receive(await server.sendLogin(LoginReply));
  assert.deepEqual([client.canClose, server.canClose], [true, false]);
  await assert.rejects(server.sealClose("shuttingDown"), MisuseError);
  await server.continueLogin();
  await server.receive(await client.sendLogin(LoginFinish));
  for (const end of [client, server]) {
    assert.equal(end.canClose, false);
    await assert.rejects(end.sealClose("done"), MisuseError);
    await end.mix(SESSION_KEY);
  }
  assert.deepEqual(kindsOf((await client.receive(await server.sealClose("done"))).events), ["closed"]);
});

test("a device that is let in hears it by the first message, and talks before that", async () => {
  const { client, server } = await established();
  const login = await client.sendLogin(DeviceLogin);
  await client.expectVerdict();
  assert.deepEqual(kindsOf((await server.receive(concat(login, await client.sealMessages([HI])))).events), [
    "login",
  ]);
  assert.deepEqual(kindsOf((await server.admit()).events), ["message"]);
  assert.deepEqual(kindsOf((await client.receive(await server.sealMessages([HI]))).events), ["message"]);
  assert.deepEqual(kindsOf((await client.receive(await server.sealPing())).events), []);
  await assert.rejects(server.sendLogin(Refused), MisuseError);
});

test("a device that waits for its verdict takes nothing first but a Refused, a message or a close", async () => {
  const wrong = [
    ["ping", new Uint8Array(0), "unexpectedRecord"],
    ["rekey", new Uint8Array(0), "unexpectedRecord"],
    ["handshake", LoginReply, "badHandshake"],
    ["handshake", DeviceLogin, "badHandshake"],
    ["handshake", concat(Refused, Refused), "badHandshake"],
    ["message", new Uint8Array(0), "badRecord"],
    ["close", u16(0), "closed"],
  ] as const;
  for (const [content, bytes, expected] of wrong) {
    const { client } = await established();
    await client.sendLogin(DeviceLogin);
    await client.expectVerdict();
    const sealer = await staleSealer("server", 0);
    const { events } = await client.receive(await sealer.seal(content, bytes));
    assert.deepEqual(kindsOf(events), [expected], content);
  }
});

test("what is said in a login is bounded, whoever says it", async () => {
  const long = loginMessage("Refused", new Uint8Array(2_045));
  const { end, sealer } = await inLogin("client", "Done");
  let said = 0;
  let faults: readonly string[] = [];
  while (faults.length === 0 && said <= BEFORE_LOGIN_BYTES_MAX) {
    const kinds = kindsOf((await end.receive(await sealer.seal("handshake", long))).events);
    if (kinds[0] !== "login") faults = kinds;
    else said += long.length;
    await end.continueLogin();
  }
  assert.deepEqual(faults, ["badHandshake"]);
  assert.ok(said < BEFORE_LOGIN_BYTES_MAX && said > BEFORE_LOGIN_BYTES_MAX / 2, `${said} octets`);
});

test("a login's calls at the wrong time, by the wrong end or with the wrong octets are our misuse", async () => {
  const hostKey = await repeatable.ed25519SigningKey(HOST_KEY_SEED);
  const fresh = Channel.server(
    { suites: ["a256cbc-hs512"], psk: undefined, hostKey },
    partsOf(repeatable, "server", "misuse"),
  );
  await requireMisuse(fresh, ["sendLogin", "continueLogin", "admit", "mix", "expectVerdict", "message"]);

  const start = await established();
  await requireMisuse(start.client, ["admit", "mix", "expectVerdict", "message", "ping", "rekey"]);
  await requireMisuse(start.server, ["admit", "mix", "expectVerdict", "message", "ping", "rekey"]);
  const wrong = [new Uint8Array(0), LoginReply, Refused, concat(LoginStart, LoginStart), LoginStart.slice(1)];
  for (const bytes of wrong) await assert.rejects(start.client.sendLogin(bytes), MisuseError);
  for (const bytes of [LoginStart, DeviceLogin, concat(Refused, Refused)]) {
    await assert.rejects(start.server.sendLogin(bytes), MisuseError);
  }

  const device = await established();
  await device.server.receive(await device.client.sendLogin(DeviceLogin));
  await requireMisuse(device.client, ["sendLogin", "continueLogin", "admit", "mix", "message"]);
  await requireMisuse(device.server, ["continueLogin", "mix", "expectVerdict", "message"]);

  const finished = await upToFinish();
  await requireMisuse(finished.client, ["sendLogin", "continueLogin", "admit", "expectVerdict", "message"]);
  await requireMisuse(finished.server, ["sendLogin", "continueLogin", "admit", "expectVerdict", "message"]);
  await assert.rejects(finished.client.mix(new Uint8Array(32)), RangeError);

  const { client, server } = await byPassword();
  for (const end of [client, server]) {
    await requireMisuse(end, ["sendLogin", "continueLogin", "admit", "mix", "expectVerdict"]);
  }
});

test("decisions that come after a close do nothing", async () => {
  const { client, server } = await established();
  await server.receive(await client.sealClose("done"));
  for (const end of [client, server]) {
    assert.equal((await end.sendLogin(end === client ? LoginStart : Refused)).length, 0);
    for (const decision of [end.continueLogin(), end.admit(), end.mix(SESSION_KEY), end.expectVerdict()]) {
      assert.deepEqual((await decision).events, []);
    }
  }
});

type Call = "sendLogin" | "continueLogin" | "admit" | "mix" | "expectVerdict" | "message" | "ping" | "rekey";

async function requireMisuse(end: Channel, calls: readonly Call[]): Promise<void> {
  const made: Readonly<Record<Call, () => Promise<unknown>>> = {
    sendLogin: () => end.sendLogin(LoginStart).catch(() => end.sendLogin(Refused)),
    continueLogin: () => end.continueLogin(),
    admit: () => end.admit(),
    mix: () => end.mix(SESSION_KEY),
    expectVerdict: () => end.expectVerdict(),
    message: () => end.sealMessages([HI]),
    ping: () => end.sealPing(),
    rekey: () => end.rekey(),
  };
  for (const call of calls) await assert.rejects(made[call], MisuseError, call);
}

const SEED = "login stage";

/** Both ends after Done. */
async function established(kind = DEFAULT_KIND, seed = SEED): Promise<Both<Channel>> {
  const options = await optionsOf(kind);
  const { channel: client, opening } = await Channel.client(
    options.client,
    partsOf(repeatable, "client", seed),
  );
  const server = Channel.server(options.server, partsOf(repeatable, "server", seed));
  const { reply: flight } = await server.receive(opening);
  const { reply: done } = await client.receive(flight);
  await server.receive(done);
  return { client, server };
}

/** Both ends after LoginFinish, which has been delivered or not. */
async function upToFinish({ deliver = true } = {}): Promise<Both<Channel> & { readonly finish: Bytes }> {
  const { client, server } = await established();
  await server.receive(await client.sendLogin(LoginStart));
  await client.receive(await server.sendLogin(LoginReply));
  await server.continueLogin();
  const finish = await client.sendLogin(LoginFinish);
  if (deliver) await server.receive(finish);
  return { client, server, finish };
}

/** Both ends after a login by password. */
async function byPassword(): Promise<Both<Channel>> {
  const { client, server } = await upToFinish();
  await client.mix(SESSION_KEY);
  await server.mix(SESSION_KEY);
  return { client, server };
}

/** An end in its login, and what seals what the other end says next. */
async function inLogin(side: Side, after: "Done" | "a refusal"): Promise<{ end: Channel; sealer: Sealer }> {
  const ends = await established();
  const sealer = await staleSealer(otherSide(side), 0);
  if (after === "a refusal") {
    if (side === "client") await ends.client.sendLogin(RegisterStart);
    await ends[side].receive(await sealer.seal("handshake", side === "client" ? Refused : RegisterStart));
    if (side === "server") await ends.server.sendLogin(Refused);
    await ends[side].continueLogin();
  }
  return { end: ends[side], sealer };
}

/** Seals under the keys of epoch 1 what `side` would say after `sealed` records. */
async function staleSealer(side: Side, sealed = side === "client" ? 2 : 1): Promise<Sealer> {
  const session = await recordedAs(DEFAULT_KIND, SEED);
  const { c_ap, s_ap } = await secretsOf(session);
  const sealer = await Sealer.start(
    { suite: DEFAULT_KIND.suite, secret: side === "client" ? c_ap : s_ap, epoch: 1, trace: () => {} },
    repeatable,
    seededEntropy("somebody with the keys"),
  );
  for (let record = 0; record < sealed; record++) await sealer.seal("ping", new Uint8Array(0));
  return sealer;
}

/** What `secretsOf` asks of a session of {@linkcode established}. */
async function recordedAs(kind: Kind, seed: string) {
  const { client: clientOptions, server: serverOptions } = await optionsOf(kind);
  return { kind, seed, provider: repeatable, frames: [], clientOptions, serverOptions };
}

/** A client and a server with somebody between, who has a channel with each and hands on their login as it is. */
interface Relayed extends Both<Channel> {
  readonly relay: Both<Channel>;
}

async function relayed(kind: Kind): Promise<Relayed> {
  // He is the server that the client trusts, as after a first contact that he was in the middle of.
  const { client, server: front } = await established(kind, "the relay's front");
  const { client: back, server } = await established(kind, "the relay's back");
  async function handOn(from: Channel, by: Both<Channel>, message: Bytes): Promise<void> {
    const [near, far, to] = from === client ? [by.server, by.client, server] : [by.client, by.server, client];
    const heard = await near.receive(await from.sendLogin(message));
    const [event] = heard.events;
    assert.ok(event?.kind === "login");
    await to.receive(await far.sendLogin(event.message.bytes));
  }
  const relay = { client: back, server: front };
  await handOn(client, relay, LoginStart);
  await handOn(server, relay, LoginReply);
  await server.continueLogin();
  await front.continueLogin();
  await handOn(client, relay, LoginFinish);
  // The password was right and OPAQUE was not touched, so both come to the same session key.
  await client.mix(SESSION_KEY);
  await server.mix(SESSION_KEY);
  return { client, server, relay };
}

/** What he can try next: the first octets that each end gets under its mixed keys. */
const ATTEMPTS: Readonly<
  Record<
    string,
    (
      ends: Relayed & { readonly kind: Kind },
    ) => Promise<{ readonly toServer: Bytes; readonly toClient: Bytes }>
  >
> = {
  "what the ends say, handed on as it is": async ({ client, server }) => ({
    toServer: await client.sealMessages([HI]),
    toClient: await server.sealMessages([HI]),
  }),
  "messages of his own under the keys that he had": async ({ kind }) => ({
    toServer: await forged(kind, "the relay's back", "client"),
    toClient: await forged(kind, "the relay's front", "server"),
  }),
  "messages of his own after mixing in a key that he guessed": async ({ relay }) => {
    await relay.client.mix(new Uint8Array(64));
    await relay.server.mix(new Uint8Array(64));
    return {
      toServer: await relay.client.sealMessages([HI]),
      toClient: await relay.server.sealMessages([HI]),
    };
  },
};

async function forged(kind: Kind, seed: string, side: Side): Promise<Bytes> {
  const { c_ap, s_ap } = await secretsOf(await recordedAs(kind, seed));
  const direction = { suite: kind.suite, secret: side === "client" ? c_ap : s_ap, epoch: 1, trace: () => {} };
  const sealer = await Sealer.start(direction, repeatable, seededEntropy("the relay"));
  for (let sealed = 0; sealed < (side === "client" ? 2 : 1); sealed++) await sealer.seal("ping", HI.slice(2));
  return await sealer.seal("message", concat(u16(HI.length), HI));
}

test("attack 3: a recorded login said again in another session ends it", async () => {
  for (const kind of KINDS) {
    const [recorded, other] = [await recordSession(kind), await recordSession(kind, "another day")];
    for (const { bytes, step } of framesBound("toServer", recorded.frames).slice(2)) {
      const receiver = await receiverAfter(other, "toServer", 2);
      const { events, reply } = await receiver.receive(bytes);
      assert.deepEqual(kindsOf(events), ["badRecord"], step);
      assert.equal(reply.length, 0);
    }
  }
});
