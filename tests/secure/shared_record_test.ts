import assert from "node:assert/strict";
import { Channel, type ChannelEvent } from "../../lib/secure/channel.ts";
import {
  KnownRoomKeys,
  ROOM_KEYS_MAX,
  type RoomKey,
  SHARED_TAG_BYTES,
  sharedBodyBytes,
  type SharedRecord,
  shareMessages,
} from "../../lib/secure/shared_record.ts";
import { type Bytes, concat, u16, utf8 } from "../../lib/wire/bytes.ts";
import { FRAME_HEADER_BYTES, MESSAGE_BYTES_MAX, RECORD_BYTES_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { LOGIN_SAID } from "./recorded_login.ts";
import { partsOf, repeatable } from "./recorded_session.ts";
import { seededEntropy } from "./seeded_entropy.ts";

const DEN = roomKey("den", "first");

/** A key of a room. */
function roomKey(room: string, seed: string): RoomKey {
  const entropy = seededEntropy(`${room} ${seed}`);
  return { room: seededEntropy(room)(16), id: entropy(16), key: entropy(32) };
}

/** The records that carry those texts. */
function shared(key: RoomKey, ...texts: readonly string[]): readonly SharedRecord[] {
  const parts = { provider: repeatable, entropy: seededEntropy(texts.join(" ")) };
  return shareMessages(key, texts.map(utf8), parts).records;
}

/** One record that carries a text. */
function one(key: RoomKey, text: string): SharedRecord {
  return shared(key, text)[0] ?? assert.fail("there is one");
}

/** Two ends of a channel that is open, unlike any other of another name. */
async function open(name: string): Promise<{ readonly client: Channel; readonly server: Channel }> {
  const hostKey = await repeatable.ed25519SigningKey(new Uint8Array(32).fill(1));
  const { channel: client, opening } = await Channel.client(
    { suites: ["a256cbc-hs512"], psk: undefined, pin: { kind: "key", publicKey: hostKey.publicKey } },
    partsOf(repeatable, "client", name),
  );
  const server = Channel.server(
    { suites: ["a256cbc-hs512"], psk: undefined, hostKey },
    partsOf(repeatable, "server", name),
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

/** One whose client was told the den's key, and has heard a text under it. */
async function listening(name: string): Promise<{ readonly client: Channel; readonly server: Channel }> {
  const pair = await open(name);
  const { events } = await pair.client.receive(await pair.server.sealShared(shared(DEN, "begun")));
  assert.equal(events.length, 1);
  return pair;
}

async function heardBy(client: Channel, bytes: Bytes): Promise<readonly ChannelEvent[]> {
  return (await client.receive(bytes)).events;
}

const DEAD: readonly ChannelEvent[] = [{ kind: "failed", fault: "badRecord" }];

test("what is shared is encrypted once, and heard by all with the room it was said in, among what is theirs alone", async () => {
  const records = shared(DEN, "one", "two");
  assert.equal(records.length, 1);
  const frames: Bytes[] = [];
  for (const name of ["ann", "bob"]) {
    const { client, server } = await open(name);
    const stream = concat(
      await server.sealMessages([utf8("before")]),
      await server.sealShared(records),
      await server.rekey(),
      await server.sealShared(records),
      await server.sealMessages([utf8("behind")]),
    );
    const own = (text: string) => ({ kind: "message", message: utf8(text), room: undefined });
    const all = (text: string) => ({ kind: "message", message: utf8(text), room: DEN.room });
    assert.deepEqual(await heardBy(client, stream), [
      own("before"),
      ...["one", "two", "one", "two"].map(all),
      own("behind"),
    ]);
    const frame = await server.sealShared(records);
    frames.push(frame.slice(FRAME_HEADER_BYTES, -SHARED_TAG_BYTES));
    assert.notDeepEqual(frame.slice(-SHARED_TAG_BYTES), frames.at(-2)?.slice(-SHARED_TAG_BYTES));
  }
  assert.deepEqual(frames[0], frames[1]);
});

test("messages of any length are shared in as few records as hold them, none longer than may be read", async () => {
  const { client, server } = await open("long");
  const texts = [MESSAGE_BYTES_MAX, 1, MESSAGE_BYTES_MAX - 9, 8_000].map((length) => "x".repeat(length));
  const records = shared(DEN, ...texts);
  assert.ok(records.every((record) => sharedBodyBytes(record) <= RECORD_BYTES_MAX));
  const events = await heardBy(client, await server.sealShared(records));
  assert.deepEqual(
    events.map((event) => event.kind === "message" && event.message.length),
    texts.map(({ length }) => length),
  );
});

test("a room's key is told once, and again when it is another", async () => {
  const { server } = await listening("keys");
  const [record, other] = [one(DEN, "text"), one(roomKey("den", "second"), "text")];
  const alone = FRAME_HEADER_BYTES + sharedBodyBytes(record);
  assert.equal((await server.sealShared([record])).length, alone);
  assert.ok((await server.sealShared([other])).length > alone);
  assert.equal((await server.sealShared([other])).length, alone);
});

test("attack 15: a shared record sent twice, left out or swapped ends the session", async () => {
  const records = shared(DEN, "x".repeat(9_000), "y".repeat(9_000));
  assert.equal(records.length, 2);
  const plays = {
    "sent twice": ([first]: readonly Bytes[]) => [first, first],
    "left out": ([, second]: readonly Bytes[]) => [second],
    "swapped": ([first, second]: readonly Bytes[]) => [second, first],
  };
  for (const [name, played] of Object.entries(plays)) {
    const { client, server } = await listening(name);
    const frames: Bytes[] = [];
    for (const record of records) frames.push(await server.sealShared([record]));
    const events: ChannelEvent[] = [];
    for (const frame of played(frames)) events.push(...await heardBy(client, frame ?? assert.fail()));
    assert.deepEqual(events.at(-1), DEAD[0], name);
    assert.equal(events.length, name === "sent twice" ? 2 : 1, name);
  }
});

test("attack 15: one sent again later, or put before what is the reader's alone, ends the session", async () => {
  const { client, server } = await listening("later");
  const frame = await server.sealShared([one(DEN, "text")]);
  await heardBy(client, frame);
  await heardBy(client, await server.sealMessages([utf8("between")]));
  assert.deepEqual(await heardBy(client, frame), DEAD);
  const other = await listening("before");
  const own = await other.server.sealMessages([utf8("own")]);
  const behind = await other.server.sealShared([one(DEN, "text")]);
  assert.deepEqual(await heardBy(other.client, concat(behind, own)), DEAD);
});

test("attack 15: what was said to one reader is nothing to another, though both have the key", async () => {
  const [ann, bob] = [await listening("ann"), await listening("bob")];
  assert.deepEqual(await heardBy(bob.client, await ann.server.sealShared([one(DEN, "text")])), DEAD);
});

test("attack 15: a member who has the key cannot put words of their own under a tag of the server's", async () => {
  const { client, server } = await listening("victim");
  const frame = await server.sealShared([one(DEN, "text")]);
  const { bytes } = one(DEN, "evil");
  const tag = frame.slice(-SHARED_TAG_BYTES);
  assert.deepEqual(await heardBy(client, concat(u16(bytes.length + tag.length), bytes, tag)), DEAD);
});

test("attack 15: a record of another room, or under another key, has no tag here", async () => {
  for (const key of [roomKey("hut", "first"), roomKey("den", "second")]) {
    const { client, server } = await listening("other room");
    // Both keys are told, so that nothing but the tag is in the way.
    await heardBy(client, await server.sealShared(shared(key, "begun")));
    if (key.room.toHex() === DEN.room.toHex()) {
      await heardBy(client, await server.sealShared(shared(DEN, "again")));
    }
    const frame = await server.sealShared([one(DEN, "text")]);
    const moved = concat(frame.slice(0, 3), key.room, key.id, frame.slice(3 + 32));
    assert.deepEqual(await heardBy(client, moved), DEAD);
  }
});

test("attack 15: whatever octet of a shared record is altered, nothing of it is heard", async () => {
  const { length } = await (await listening("length")).server.sealShared([one(DEN, "text")]);
  for (let at = FRAME_HEADER_BYTES; at < length; at++) {
    const { client, server } = await listening("altered");
    const frame = await server.sealShared([one(DEN, "text")]);
    assert.deepEqual(await heardBy(client, frame.with(at, (frame[at] ?? 0) ^ 1)), DEAD, `octet ${at}`);
  }
});

test("attack 15: a client that shares, or tells a room's key, is put out", async () => {
  const { client, server } = await open("sharing client");
  const { events } = await server.receive(await client.sealShared([one(DEN, "text")]));
  assert.deepEqual(events, [{ kind: "failed", fault: "unexpectedRecord" }]);
});

test("of rooms without end the keys of the first are forgotten", () => {
  const known = new KnownRoomKeys();
  const keys = Array.from({ length: ROOM_KEYS_MAX + 1 }, (_, at) => roomKey(`room ${at}`, "key"));
  for (const key of keys) known.put(key);
  assert.deepEqual(keys.slice(0, 3).map((key) => known.has(key)), [false, true, true]);
});
