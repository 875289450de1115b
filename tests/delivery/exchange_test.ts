import assert from "node:assert/strict";
import { type Line } from "../../lib/chat/lobby.ts";
import type { Overheard } from "../../lib/chat/overheard.ts";
import type { Account } from "../../lib/chat/port.ts";
import type { Publication } from "../../lib/chat/publication.ts";
import { LobbyExchange } from "../../lib/delivery/exchange.ts";
import { lobbyId } from "../../lib/identity/entry_signature.ts";
import { verifyNotice } from "../../lib/identity/notice_signature.ts";
import { QUEUE_BYTES_MAX } from "../../lib/secure/link.ts";
import type { Peer } from "../../lib/session/port.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { decodeServerMessage, LOBBY, type ServerMessage } from "../../lib/wire/message.ts";
import { handle, HOST_KEY, THEN } from "../session/people.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { test } from "../sanitized.ts";
import { type Guest, Room, summary } from "./room.ts";

const SIGNATURE: Bytes = new Uint8Array(64);

test("everybody hears everything in one order, and the sender's acknowledgement stands in it", () => {
  const exchange = quiet();
  const peers = [1, 2, 3].map((id) => listener(exchange, id));
  for (let said = 0; said < 30; said++) peers[said % 3]?.say(`${said}`);
  for (const { heard } of peers) {
    const sequences = heard.flatMap((message) =>
      message.type === "entry" || message.type === "ack" ? [message.sequence] : []
    );
    assert.deepEqual(sequences, Array.from({ length: 30 }, (_, at) => at + 1));
  }
});

test("a newcomer hears who is there before anything said later; the others its keys, and then its name, once", () => {
  const exchange = quiet();
  const ann = listener(exchange, 1);
  const bob = listener(exchange, 2);
  ann.say("welcome");
  assert.deepEqual(bob.heard.map(summary), ["account", "here n2,n1", "cards n2,n1", "n1: welcome"]);
  assert.deepEqual(ann.heard.map(summary).slice(3), ["cards n2", "joined n2", "ack"]);
});

test("who has not joined, or has left, hears nothing of what is said", () => {
  const exchange = quiet();
  const [ann, bob] = [listener(exchange, 1), listener(exchange, 2)];
  const outside = listener(exchange, 3, { joins: false });
  const stranger = listener(exchange, 4, { joins: false, enters: false });
  exchange.leave(bob.peer);
  const marks = [bob, outside, stranger].map(({ heard }) => heard.length);
  ann.say("secret");
  assert.deepEqual([bob, outside, stranger].map(({ heard }) => heard.length), marks);
  assert.deepEqual(outside.heard.map(summary), ["account"]);
  assert.deepEqual(stranger.heard, [], "before it has entered, nothing at all");
});

test("a message is encoded once for all who hear it", () => {
  const exchange = quiet();
  const peers = [0, 1, 2, 3, 4].map((id) => listener(exchange, id));
  peers[0]?.say("x");
  const octets = peers.slice(1).map(({ raw }) => raw.at(-1));
  assert.equal(new Set(octets).size, 1);
  assert.equal(octets.length, 4);
});

test("the operator hears all that is said and who comes from where and goes, and own lines at their place", async () => {
  const exchange = quiet();
  const overheard: Overheard[] = [];
  const stop = exchange.overhear((event) => overheard.push(event));
  const ann = listener(exchange, 1);
  const second = listener(exchange, 9, { name: "n1" });
  ann.say("hello");
  await exchange.say({ source: "console", name: "console", text: "hear, hear" });
  await exchange.say({ source: "bridge", name: "guest", text: "me too" });
  assert.deepEqual(exchange.present(), ["n1"]);
  exchange.leave(ann.peer);
  exchange.leave(second.peer);
  stop();
  listener(exchange, 2);
  assert.deepEqual(overheard, [
    { kind: "came", time: THEN, name: "n1", address: "192.0.2.1:50001" },
    { kind: "said", time: THEN, source: "member", name: "n1", text: "hello" },
    { kind: "said", time: THEN, source: "console", name: "console", text: "hear, hear" },
    { kind: "said", time: THEN, source: "bridge", name: "guest", text: "me too" },
    { kind: "went", time: THEN, name: "n1" },
  ]);
  assert.deepEqual(ann.heard.slice(-2).map(summary), ["notice", "notice"]);
});

test("lines of the operator keep their order, though signing one takes longer than the next", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let signed = 0;
  const exchange = new LobbyExchange({
    wallClock: () => THEN,
    sign: async (saying) => {
      await gates[signed++]?.promise;
      return { ...saying, id: new Uint8Array(16), signature: SIGNATURE };
    },
  });
  const ann = listener(exchange, 1);
  const both = ["one", "two"].map((text) => exchange.say({ source: "console", name: "console", text }));
  gates[1]?.resolve();
  gates[0]?.resolve();
  await Promise.all(both);
  const texts = ann.heard.flatMap((message) => message.type === "notice" ? [message.text] : []);
  assert.deepEqual(texts, ["one", "two"]);
});

test("a line that cannot be signed is told to whoever said it, and the next one is said", async () => {
  let broken = true;
  const exchange = new LobbyExchange({
    wallClock: () => THEN,
    sign: (saying) =>
      broken
        ? Promise.reject(new Error("no key"))
        : Promise.resolve({ ...saying, id: new Uint8Array(16), signature: SIGNATURE }),
  });
  const ann = listener(exchange, 1);
  await assert.rejects(exchange.say({ source: "console", name: "console", text: "one" }), /no key/);
  broken = false;
  await exchange.say({ source: "console", name: "console", text: "two" });
  assert.equal(ann.heard.at(-1)?.type, "notice");
});

test("a line that no client would take is not said", () => {
  const exchange = quiet();
  for (
    const [name, text] of [["", "x"], ["x", ""], ["x".repeat(65), "x"], ["x", "x".repeat(TEXT_BYTES_MAX + 1)]]
  ) {
    assert.throws(() => exchange.say({ source: "bridge", name: name ?? "", text: text ?? "" }), RangeError);
  }
});

test("a line of the operator is signed by the host key for this lobby", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  await room.exchange.say({ source: "bridge", name: "guest", text: "good morning" });
  const notice = await ann.next(({ type }) => type === "notice");
  const key = await repeatable.ed25519VerifyingKey(HOST_KEY.publicKey);
  assert.ok(notice.type === "notice" && key !== undefined);
  const { source, name, text, id, signature } = notice;
  const claim = { room: await lobbyId(repeatable, HOST_KEY.publicKey), id, source, name, text };
  assert.ok(await key.verify(new Uint8Array(1), signature) === false);
  assert.ok(await verifyNotice(key, claim, signature));
  assert.ok(!await verifyNotice(key, { ...claim, text: "good night" }, signature));
  await ann.leave();
});

test("two devices of an account are present as one, from the first to the last", async () => {
  const room = await Room.open();
  const person = await room.person("ann");
  const bob = await room.welcome("bob");
  const { length } = bob.heard;
  const [laptop, again] = [await room.join(person), await room.join(person)];
  again.say("from the second");
  await bob.next(({ type }) => type === "entry");
  await laptop.next(({ type }) => type === "entry");
  await laptop.leave();
  await again.leave();
  await bob.next((message) => message.type === "presence" && message.change === "left");
  assert.deepEqual(bob.summary.slice(length), [
    "cards ann",
    "joined ann",
    "ann: from the second",
    "left ann",
  ]);
  await bob.leave();
});

test("what an operator did to an account ends its connections, and what leaves its login valid does not", () => {
  const done: readonly (readonly [Parameters<LobbyExchange["administered"]>, readonly string[]])[] = [
    [[{ type: "userEnable", handle: handle("n1") }, {
      kind: "changed",
      change: "enabled",
      handle: handle("n1"),
    }], []],
    [
      [{ type: "userDisable", handle: handle("n1") }, {
        kind: "changed",
        change: "disabled",
        handle: handle("n1"),
      }],
      ["1 accountClosed", "2 accountClosed"],
    ],
    [
      [{ type: "userRemove", handle: handle("n1") }, {
        kind: "changed",
        change: "removed",
        handle: handle("n1"),
      }],
      ["1 accountClosed", "2 accountClosed"],
    ],
    [
      [
        { type: "userReset", handle: handle("n1") },
        { kind: "invitation", url: "sotto://", expires: 1, uses: 1, handle: handle("n1") },
      ],
      ["2 reconnect"],
    ],
    [
      [{ type: "userReset", handle: handle("n1") }, { kind: "refused", exit: "data", sentence: "Cannot" }],
      [],
    ],
    [[{ type: "invite" }, { kind: "invitation", url: "sotto://", expires: 1, uses: 1 }], []],
  ];
  for (const [[request, answer], closed] of done) {
    const exchange = quiet();
    const guests = [
      listener(exchange, 1),
      listener(exchange, 2, { name: "n1", by: "password", joins: false }),
      listener(exchange, 3),
    ];
    exchange.administered(request, answer);
    assert.deepEqual(guests.flatMap((guest) => guest.closed), closed, request.type);
  }
});

test("over links: bursts from several at once arrive in one order for all, each of them acknowledged", async () => {
  const room = await Room.open();
  const guests: Guest[] = [];
  for (const name of ["ann", "bob", "eve", "joe"]) guests.push(await room.welcome(name));
  for (let said = 0; said < 250; said++) for (const guest of guests) guest.say(`${said}`);
  await room.until(() => guests.every((guest) => places(guest).length === 1_000));
  const order = Array.from({ length: 1_000 }, (_, at) => at + 1);
  for (const guest of guests) assert.deepEqual(places(guest), order);
  const byPlace = new Map(guests.flatMap(entries));
  assert.equal(byPlace.size, 1_000);
  for (const guest of guests) {
    for (const [place, text] of entries(guest)) assert.equal(text, byPlace.get(place));
    guest.link.close("done", 0);
  }
  await Promise.all(guests.map(({ ended }) => ended));
});

test("a guest that does not read is cut with a reason, and the others lose nothing", async () => {
  const room = await Room.open();
  const [ann, bob, deaf] = [await room.welcome("ann"), await room.welcome("bob"), await room.welcome("deaf")];
  const gate = Promise.withResolvers<void>();
  deaf.deaf = gate.promise;
  const text = "x".repeat(8_000);
  const enough = Math.ceil(QUEUE_BYTES_MAX / text.length) + 20;
  for (let said = 0; said < enough; said++) {
    ann.say(text);
    if (said % 50 === 49) await room.until(() => bob.texts.length > said - 1);
  }
  await room.until(() => bob.texts.length === enough);
  gate.resolve();
  const { guest } = await deaf.ended;
  assert.deepEqual(guest, { kind: "closed", by: "peer", reason: "tooSlow", confirmed: true });
  for (const friend of [ann, bob]) await friend.leave();
});

interface Listener {
  readonly peer: Peer;
  readonly heard: ServerMessage[];
  readonly raw: Bytes[];
  readonly closed: string[];
  readonly say: (text: string) => void;
}

/** An exchange that signs nothing. */
function quiet(): LobbyExchange {
  const sign = (saying: Pick<Line, "source" | "name" | "text">): Promise<Line> =>
    Promise.resolve({ ...saying, id: new Uint8Array(16), signature: SIGNATURE });
  return new LobbyExchange({ wallClock: () => THEN, sign });
}

function listener(
  exchange: LobbyExchange,
  id: number,
  { name = `n${id}`, by = "device", enters = true, joins = true }: {
    name?: string;
    by?: "device" | "password";
    enters?: boolean;
    joins?: boolean;
  } = {},
): Listener {
  const [heard, raw, closed]: [ServerMessage[], Bytes[], string[]] = [[], [], []];
  const peer: Peer = {
    id,
    address: `192.0.2.1:${50_000 + id}`,
    send: (message) => {
      raw.push(message);
      heard.push(decodeServerMessage(message) ?? assert.fail("a server's message"));
    },
    close: (reason) => closed.push(`${id} ${reason}`),
  };
  const published = publication(name, id);
  const { account: { handle: own } } = published;
  exchange.greet(
    peer,
    by === "device"
      ? { kind: "device", handle: own, deviceKey: new Uint8Array(32).fill(id) }
      : { kind: "password", handle: own, record: new Uint8Array(192) },
  );
  if (enters) exchange.enter(peer, published.account);
  if (joins) assert.ok(exchange.join(peer, LOBBY, published));
  return {
    peer,
    heard,
    raw,
    closed,
    say: (text) =>
      exchange.send(peer, {
        type: "send",
        room: LOBBY,
        id: new Uint8Array(16),
        text,
        salt: new Uint8Array(32),
        seen: 0,
        signature: SIGNATURE,
      }),
  };
}

function publication(name: string, id: number): Publication {
  const key = new Uint8Array(32).fill(id);
  const keys = { identity: key, list: new Uint8Array([1]), signature: SIGNATURE };
  const account: Account = {
    handle: handle(name),
    role: "member",
    standing: "active",
    registered: THEN,
    passwordRecord: undefined,
    keys,
    recovery: undefined,
  };
  return { account, keys, devices: [{ key, name: "laptop", added: THEN, revoked: undefined }] };
}

function places({ heard }: Guest): readonly number[] {
  return heard.flatMap((message) =>
    message.type === "entry" || message.type === "ack" ? [message.sequence] : []
  );
}

function entries({ heard }: Guest): readonly (readonly [number, string])[] {
  return heard.flatMap((message) =>
    message.type === "entry" ? [[message.sequence, `${message.from} ${message.text}`] as const] : []
  );
}
