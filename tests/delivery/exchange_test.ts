import assert from "node:assert/strict";
import type { Peer } from "../../lib/session/session.ts";
import { LobbyExchange } from "../../lib/delivery/exchange.ts";
import { QUEUE_BYTES_MAX } from "../../lib/secure/link.ts";
import { decodeServerMessage, LOBBY, type ServerMessage } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { type Guest, handle, Room } from "./room.ts";

test("everybody hears everything in one order, and the sender's acknowledgement stands in it", () => {
  const exchange = new LobbyExchange(() => 1);
  const peers = [1, 2, 3].map(listener);
  for (const { peer, name } of peers) exchange.submit(peer, { type: "join", room: LOBBY, name });
  for (let said = 0; said < 30; said++) {
    const { peer } = peers[said % 3] ?? assert.fail("there are three");
    const id = new Uint8Array(16).fill(said);
    exchange.submit(peer, { type: "send", room: LOBBY, id, text: `${said}` });
  }
  for (const { heard } of peers) {
    const sequences = heard.flatMap((message) =>
      message.type === "entry" || message.type === "ack" ? [message.sequence] : []
    );
    assert.deepEqual(sequences, Array.from({ length: 30 }, (_, at) => at + 1));
  }
});

test("a newcomer hears who is there before anything said later, and the others hear of it once", () => {
  const exchange = new LobbyExchange(() => 1);
  const [ann, bob] = [listener(1), listener(2)];
  exchange.submit(ann.peer, { type: "join", room: LOBBY, name: ann.name });
  exchange.submit(bob.peer, { type: "join", room: LOBBY, name: bob.name });
  exchange.submit(ann.peer, { type: "send", room: LOBBY, id: new Uint8Array(16), text: "welcome" });
  assert.deepEqual(bob.heard.map(({ type }) => type), ["presence", "entry"]);
  assert.deepEqual(ann.heard.map(summary), ["here n1", "joined n2", "ack"]);
});

test("whoever is refused or has left hears nothing of what is said", () => {
  const exchange = new LobbyExchange(() => 1);
  const [ann, bob, eve] = [listener(1), listener(2), listener(3)];
  exchange.submit(ann.peer, { type: "join", room: LOBBY, name: ann.name });
  exchange.submit(eve.peer, { type: "join", room: LOBBY, name: ann.name });
  exchange.submit(bob.peer, { type: "join", room: LOBBY, name: bob.name });
  exchange.submit(bob.peer, { type: "leave" });
  exchange.submit(ann.peer, { type: "send", room: LOBBY, id: new Uint8Array(16), text: "secret" });
  assert.deepEqual(eve.heard, [{ type: "fault", code: "nameTaken" }]);
  assert.deepEqual(bob.heard.map(({ type }) => type), ["presence"]);
});

test("a message is encoded once for all who hear it", () => {
  const exchange = new LobbyExchange(() => 1);
  const seen = new Set<Uint8Array>();
  let copies = 0;
  for (let id = 0; id < 5; id++) {
    const peer: Peer = {
      id,
      send: (message) => {
        if (decodeServerMessage(message)?.type !== "entry") return;
        seen.add(message);
        copies++;
      },
    };
    exchange.submit(peer, { type: "join", room: LOBBY, name: handle(`n${id}`) });
  }
  exchange.submit({ id: 0, send: () => {} }, {
    type: "send",
    room: LOBBY,
    id: new Uint8Array(16),
    text: "x",
  });
  assert.equal(copies, 4);
  assert.equal(seen.size, 1);
});

test("over links: bursts from several at once arrive in one order for all, each of them acknowledged", async () => {
  const room = new Room();
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
  const room = new Room();
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
  for (const friend of [ann, bob]) {
    friend.link.close("done", 0);
    await friend.ended;
  }
});

interface Listener {
  readonly peer: Peer;
  readonly name: ReturnType<typeof handle>;
  readonly heard: ServerMessage[];
}

function listener(id: number): Listener {
  const heard: ServerMessage[] = [];
  const send = (message: Uint8Array<ArrayBuffer>): void => {
    heard.push(decodeServerMessage(message) ?? assert.fail("a server's message"));
  };
  return { peer: { id, send }, name: handle(`n${id}`), heard };
}

function summary(message: ServerMessage): string {
  return message.type === "presence" ? `${message.change} ${message.names.join()}` : message.type;
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
