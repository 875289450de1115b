import assert from "node:assert/strict";
import { Channel, type ChannelEvent, type Received } from "../../lib/secure/channel.ts";
import {
  decodeHello,
  decodeReply,
  encodeHello,
  encodeReply,
  splitMessages,
} from "../../lib/secure/handshake_message.ts";
import { type Suite, suiteCode, SUITES } from "../../lib/secure/suite.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { encodeFrame, FrameReader } from "../../lib/wire/frame.ts";
import { test } from "../sanitized.ts";
import { kindsOf } from "./events.ts";
import {
  framesOf,
  HOST_KEY_SEED,
  KINDS,
  partsOf,
  type Recorded,
  recordSession,
  repeatable,
} from "./recorded_session.ts";

/** Offsets within the frame of a Hello: length 2, type 1, length 2, then the fields. */
const MAGIC_AT = 5;
const VERSION_AT = 10;
const MODE_AT = 11;
const SUITES_LENGTH_AT = 44;
const FIRST_SUITE_AT = 45;
const SECOND_SUITE_AT = 46;
/** Offset of the suite within the frame of a Reply. */
const SUITE_CHOSEN_AT = 5;

const HELLO_PLACES = {
  "the magic": MAGIC_AT,
  "the version": VERSION_AT,
  "the mode": MODE_AT,
  "the length of the suite list": SUITES_LENGTH_AT,
  "the first suite": FIRST_SUITE_AT,
  "the second suite": SECOND_SUITE_AT,
} as const;

for (const kind of KINDS) {
  for (const [place, at] of Object.entries(HELLO_PLACES)) {
    test(`attack 11: every value of ${place} ends the handshake, ${kind.name}`, async () => {
      const session = await recordSession(kind);
      const hello = session.frames[0]?.bytes ?? assert.fail("there is a Hello");
      for (let value = 0; value < 256; value++) {
        if (value !== hello[at]) {
          await requireNoHandshake(session, hello.with(at, value), `${place} ${value}`);
        }
      }
    });
  }

  test(`attack 11: every value of the suite chosen ends the handshake, ${kind.name}`, async () => {
    const session = await recordSession(kind);
    const reply = session.frames[1]?.bytes ?? assert.fail("there is a Reply");
    const proof = session.frames[2]?.bytes ?? assert.fail("there is a proof");
    for (let value = 0; value < 256; value++) {
      if (value === reply[SUITE_CHOSEN_AT]) continue;
      const altered = concat(reply.with(SUITE_CHOSEN_AT, value), proof);
      requireSilentFault(await freshClient(session, altered), `suite ${value}`);
    }
  });

  test(`attack 11: a suite list rewritten in flight ends the handshake, ${kind.name}`, async () => {
    const session = await recordSession(kind);
    const { hello } = parsedHello(session.frames[0]?.bytes ?? assert.fail("there is a Hello"));
    for (const suiteCodes of [[1], [2], [2, 1], [1, 2], [1, 2, 3], [3, 1], [3, 2]]) {
      if (suiteCodes.join() === hello.suiteCodes.join()) continue;
      const altered = encodeFrame(encodeHello({ ...hello, suiteCodes }));
      await requireNoHandshake(session, altered, `suites ${suiteCodes.join()}`);
    }
  });
}

test("attack 11: a server's floor refuses whoever offers only what lies below it", async () => {
  for (
    const [floor, offered] of [["a256ctr-hs512", "a256cbc-hs512"], [
      "a256cbc-hs512",
      "a256ctr-hs512",
    ]] as const
  ) {
    const { server, client } = await handshake({ offered: [offered], taken: [floor] });
    assert.deepEqual(kindsOf(server.events), ["noCommonSuite"]);
    assert.equal(server.reply.length, 0, "a stranger gets no word");
    assert.equal(client, undefined);
  }
});

test("attack 11: a client refuses a suite that it did not offer, though the server proves itself", async () => {
  for (const suite of SUITES) {
    const other = SUITES.find((candidate) => candidate !== suite) ?? suite;
    const hostKey = await repeatable.ed25519SigningKey(HOST_KEY_SEED);
    const { channel, opening } = await Channel.client(
      { suites: [suite], psk: undefined, pin: { kind: "key", publicKey: hostKey.publicKey } },
      partsOf(repeatable, "client", "choosy"),
    );
    // This server reads one list and answers by another: the transcripts differ only in what it chose.
    const { hello } = parsedHello(opening);
    const both = encodeFrame(encodeHello({ ...hello, suiteCodes: [suiteCode(other)] }));
    const options = { suites: [other], psk: undefined, hostKey };
    const server = Channel.server(options, partsOf(repeatable, "server", "choosy"));
    const { reply } = await server.receive(both);
    const received = await channel.receive(reply);
    assert.deepEqual(kindsOf(received.events), ["noCommonSuite"]);
    assert.equal(received.reply.length, 0);
  }
});

test("both ends agree on the server's first choice among what is offered", async () => {
  for (const offered of [SUITES, SUITES.toReversed()]) {
    for (const taken of [SUITES, SUITES.toReversed()]) {
      const { client } = await handshake({ offered, taken });
      const [event] = client?.events ?? [];
      assert.equal(event?.kind === "established" && event.suite, taken[0]);
    }
  }
});

test("a Reply parses back to what was written, and a suite unknown to this version does not", () => {
  const reply = {
    suite: "a256ctr-hs512",
    nonce: new Uint8Array(32).fill(1),
    x25519Share: new Uint8Array(32).fill(2),
    mlKemCiphertext: new Uint8Array(1_088).fill(3),
  } as const;
  const bytes = encodeReply(reply);
  const [message] = splitMessages(bytes) ?? [];
  assert.deepEqual(message && decodeReply(message), reply);
  const [unknown] = splitMessages(bytes.with(3, 3)) ?? [];
  assert.equal(unknown && decodeReply(unknown), undefined);
});

/** The server drops the Hello without a word, or its answer makes the client end the handshake. */
async function requireNoHandshake(session: Recorded, hello: Bytes, what: string): Promise<void> {
  const server = Channel.server(session.serverOptions, partsOf(session.provider, "server", session.seed));
  const answered = await server.receive(hello);
  if (answered.events.length > 0) return requireSilentFault(answered, what);
  assert.equal(session.kind.psk, undefined, `${what}: a binder covers all of a Hello`);
  assert.ok(answered.reply.length > 0, `${what}: answered or dropped`);
  requireSilentFault(await freshClient(session, answered.reply), `${what}, at the client`);
  const done = session.frames[3]?.bytes ?? assert.fail("there is a Done");
  requireSilentFault(await server.receive(done), `${what}, at the server's Done`);
}

async function freshClient(session: Recorded, bytes: Bytes): Promise<Received> {
  const parts = partsOf(session.provider, "client", session.seed);
  const { channel } = await Channel.client(session.clientOptions, parts);
  return channel.receive(bytes);
}

function requireSilentFault({ events, reply }: Received, what: string): void {
  const kinds: readonly ChannelEvent["kind"][] = events.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["failed"], what);
  assert.equal(reply.length, 0, `${what}: no word`);
}

function parsedHello(frame: Bytes): NonNullable<ReturnType<typeof decodeHello>> {
  const reader = new FrameReader();
  reader.push(framesOf(frame)[0] ?? assert.fail("there is a frame"));
  const next = reader.next(2_048);
  const [message] = next.kind === "frame" ? splitMessages(next.body) ?? [] : [];
  return (message && decodeHello(message)) ?? assert.fail("the Hello parses");
}

async function handshake(
  { offered, taken }: { offered: readonly Suite[]; taken: readonly Suite[] },
): Promise<{ readonly server: Received; readonly client: Received | undefined }> {
  const hostKey = await repeatable.ed25519SigningKey(HOST_KEY_SEED);
  const pin = { kind: "key", publicKey: hostKey.publicKey } as const;
  const options = { suites: offered, psk: undefined, pin };
  const { channel, opening } = await Channel.client(options, partsOf(repeatable, "client", "floors"));
  const server = Channel.server(
    { suites: taken, psk: undefined, hostKey },
    partsOf(repeatable, "server", "floors"),
  );
  const answered = await server.receive(opening);
  return {
    server: answered,
    client: answered.reply.length === 0 ? undefined : await channel.receive(answered.reply),
  };
}
