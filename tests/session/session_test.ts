import assert from "node:assert/strict";
import {
  BEFORE_LOGIN_BYTES_MAX,
  CONNECTION_MS_MAX,
  HANDSHAKE_MS_MAX,
  LOGIN_MS_MAX,
} from "../../lib/wire/limits.ts";
import { Channel } from "../../lib/secure/channel.ts";
import { Link } from "../../lib/secure/link.ts";
import { Session } from "../../lib/session/session.ts";
import { Room } from "../delivery/room.ts";
import { test } from "../sanitized.ts";
import { optionsOf } from "../secure/pair.ts";
import {
  framesBound,
  KINDS,
  partsOf,
  recordSession,
  repeatable,
  streamOf,
} from "../secure/recorded_session.ts";

const ID = new Uint8Array(16).fill(9);

test("a guest comes in, talks, and leaves by a close that both ends confirm", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  ann.say("hello");
  ann.say("anybody here?");
  ann.link.close("done", 0);
  const { guest, session } = await ann.ended;
  assert.deepEqual(guest, { kind: "closed", by: "us", reason: "done", confirmed: true });
  assert.deepEqual(session, { kind: "closed", by: "peer", reason: "done", confirmed: true });
  const acks = ann.heard.flatMap((message) => message.type === "ack" ? [message.sequence] : []);
  assert.deepEqual(acks, [1, 2], "what came before the close is answered before the answer to it");
});

test("attack 25: a message before being let in closes; nobody hears it, nothing counts it", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  const eve = await room.enter();
  eve.say("let me in");
  eve.join("eve");
  const { guest, session } = await eve.ended;
  assert.deepEqual(guest, { kind: "closed", by: "peer", reason: "protocolFault", confirmed: true });
  assert.deepEqual(session, { kind: "closed", by: "us", reason: "protocolFault", confirmed: true });
  assert.equal(await eve.session.admitted, undefined);
  assert.deepEqual(eve.heard, []);
  ann.say("just me");
  await room.until(() => ann.heard.length === 2);
  assert.equal(ann.heard[1]?.type === "ack" && ann.heard[1].sequence, 1);
  assert.deepEqual(ann.texts, []);
  ann.link.close("done", 0);
  await ann.ended;
});

test("attack 25: a message for another room is refused, and told to its sender alone", async () => {
  const room = new Room();
  const [ann, bob] = [await room.welcome("ann"), await room.welcome("bob")];
  ann.send({ type: "send", room: "#secrets", id: ID, text: "psst" });
  await room.until(() => ann.heard.some(({ type }) => type === "fault"));
  assert.deepEqual(ann.heard.at(-1), { type: "fault", code: "noSuchRoom", about: ID });
  ann.say("never mind");
  await room.until(() => bob.texts.length === 1);
  assert.deepEqual(bob.texts, ["ann: never mind"]);
  for (const guest of [ann, bob]) {
    guest.link.close("done", 0);
    await guest.ended;
  }
});

test("a refused name leaves the stranger a stranger, who may try another", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  const other = await room.enter();
  other.join("ann");
  await room.until(() => other.heard.length === 1);
  assert.deepEqual(other.heard, [{ type: "fault", code: "nameTaken" }]);
  other.join("ann-2");
  assert.equal(await other.session.admitted, "ann-2");
  for (const guest of [ann, other]) {
    guest.link.close("done", 0);
    await guest.ended;
  }
});

test("a stranger that does not say who it is in time is closed with that reason; whoever is in is not", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  const slow = await room.enter();
  room.now = LOGIN_MS_MAX - 1;
  for (const { session } of [ann, slow]) session.tick(room.now);
  room.now = LOGIN_MS_MAX;
  for (const { session } of [ann, slow]) session.tick(room.now);
  const { guest, session } = await slow.ended;
  assert.deepEqual(session, { kind: "closed", by: "us", reason: "loginTimeout", confirmed: true });
  assert.deepEqual(guest, { kind: "closed", by: "peer", reason: "loginTimeout", confirmed: true });
  ann.say("still here");
  await room.until(() => ann.heard.length === 2);
  ann.link.close("done", room.now);
  await ann.ended;
});

test("attack 17: a stranger that trickles is ended at the handshake's deadline, without a word", async () => {
  const { session, hello } = await stranger();
  for (let at = 0, now = 0; now < HANDSHAKE_MS_MAX; at++, now += 1_000) {
    await session.receive(hello.slice(at, at + 1), now);
    session.tick(now);
  }
  session.tick(HANDSHAKE_MS_MAX);
  assert.deepEqual(await session.ended, { kind: "timedOut", during: "handshake" });
  assert.equal(await session.nextWrite(() => HANDSHAKE_MS_MAX), undefined);
});

test("attack 16: more than an honest client needs, in one go, is dropped before it is looked at", async () => {
  const { session } = await stranger();
  await session.receive(new Uint8Array(BEFORE_LOGIN_BYTES_MAX + 1), 0);
  assert.deepEqual(await session.ended, { kind: "cut", during: "handshake", answered: false });
  assert.equal(await session.nextWrite(() => 0), undefined, "not one octet");
});

test("attack 16: a stranger behind its handshake that says no name but goes on sending is dropped", async () => {
  const { channel, session, sent } = await shookHands();
  let count = sent;
  for (let frames = 0; count <= BEFORE_LOGIN_BYTES_MAX; frames++) {
    const ping = await channel.sealPing();
    count += ping.length;
    await session.receive(ping, 0);
    assert.ok(frames < 1_000, "it does not go on for ever");
  }
  assert.deepEqual(await session.ended, { kind: "cut", during: "conversation", answered: true });
  assert.equal(await session.nextWrite(() => 0), undefined);
});

test("an admitted peer may send as much as it likes", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  for (let count = 0; count < 20; count++) ann.say("x".repeat(4_000));
  await room.until(() => ann.heard.length === 21);
  ann.link.close("done", 0);
  assert.ok((await ann.ended).session.kind === "closed");
});

test("once the server closes, what comes is not decided on any more", async () => {
  const room = new Room();
  const [ann, bob] = [await room.welcome("ann"), await room.welcome("bob")];
  ann.session.close("shuttingDown", 0);
  ann.say("too late");
  const { guest } = await ann.ended;
  assert.deepEqual(guest, { kind: "closed", by: "peer", reason: "shuttingDown", confirmed: true });
  await room.until(() =>
    bob.heard.some((message) => message.type === "presence" && message.change === "left")
  );
  assert.deepEqual(bob.texts, []);
  bob.link.close("done", 0);
  await bob.ended;
});

test("a connection that is lost frees the name and is told to the others, once", async () => {
  const room = new Room();
  const [ann, bob] = [await room.welcome("ann"), await room.welcome("bob")];
  ann.session.lost();
  ann.session.lost();
  assert.deepEqual((await ann.ended).session, { kind: "cut", during: "conversation", answered: true });
  const back = await room.welcome("ann");
  await room.until(() => bob.heard.length === 3);
  const changes = bob.heard.map((message) =>
    message.type === "presence" ? `${message.change} ${message.names}` : "?"
  );
  assert.deepEqual(changes, ["here bob,ann", "left ann", "joined ann"]);
  for (const guest of [back, bob]) {
    guest.link.close("done", 0);
    await guest.ended;
  }
});

test("a peer that was never let in leaves no trace among the others", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  const stranger = await room.enter();
  stranger.session.lost();
  await stranger.ended;
  assert.equal(await stranger.session.admitted, undefined);
  ann.say("quiet here");
  await room.until(() => ann.heard.length === 2);
  assert.deepEqual(ann.heard.map(({ type }) => type), ["presence", "ack"]);
  ann.link.close("done", 0);
  await ann.ended;
});

test("after a day the server has its peer connect again", async () => {
  const room = new Room();
  const ann = await room.welcome("ann");
  room.now = CONNECTION_MS_MAX - 1;
  ann.say("to be heard of");
  await room.until(() => ann.heard.length === 2);
  room.now = CONNECTION_MS_MAX;
  ann.session.tick(room.now);
  const { guest } = await ann.ended;
  assert.deepEqual(guest, { kind: "closed", by: "peer", reason: "reconnect", confirmed: true });
});

test("a peer that sends its join together with all the rest is served in order", async () => {
  // All the client's frames of a recorded session, in one chunk.
  const recorded = await recordSession(KINDS[0] ?? assert.fail("there are kinds"));
  const room = new Room();
  const link = Link.server(recorded.serverOptions, partsOf(recorded.provider, "server", recorded.seed), 0);
  const session = new Session(1, link, { exchange: room.exchange, now: 0 });
  await session.receive(streamOf(framesBound("toServer", recorded.frames)), 0);
  assert.equal(await session.admitted, "ann");
  while (await session.nextWrite(() => 0) !== undefined);
  assert.deepEqual(await session.ended, { kind: "closed", by: "peer", reason: "done", confirmed: true });
});

async function stranger(): Promise<{ readonly session: Session; readonly hello: Uint8Array<ArrayBuffer> }> {
  const options = await optionsOf(KINDS[0] ?? assert.fail("there are kinds"));
  const client = await Link.client(options.client, partsOf(repeatable, "client", "stranger"), 0);
  const hello = await client.nextWrite(() => 0) ?? assert.fail("a Hello");
  client.lost();
  const link = Link.server(options.server, partsOf(repeatable, "server", "stranger"), 0);
  return { session: new Session(1, link, { exchange: new Room().exchange, now: 0 }), hello };
}

/** A session with its handshake behind it, the channel at its other end, and how many octets it has taken. */
async function shookHands(): Promise<
  { readonly channel: Channel; readonly session: Session; readonly sent: number }
> {
  const options = await optionsOf(KINDS[0] ?? assert.fail("there are kinds"));
  const { channel, opening } = await Channel.client(options.client, partsOf(repeatable, "client", "pings"));
  const link = Link.server(options.server, partsOf(repeatable, "server", "pings"), 0);
  const session = new Session(1, link, { exchange: new Room().exchange, now: 0 });
  await session.receive(opening, 0);
  const { reply: done } = await channel.receive(await session.nextWrite(() => 0) ?? assert.fail("an answer"));
  await session.receive(done, 0);
  return { channel, session, sent: opening.length + done.length };
}
