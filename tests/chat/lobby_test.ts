import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  decide,
  EMPTY_LOBBY,
  type Line,
  type Lobby,
  type Outcome,
  type Request,
} from "../../lib/chat/lobby.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { CARDS_MAX, PRESENCE_NAMES_MAX } from "../../lib/wire/limits.ts";
import { type Card, LOBBY, type Send, type ServerMessage } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ID: Bytes = new Uint8Array(16).fill(1);
const SALT: Bytes = new Uint8Array(32).fill(2);
const SIGNATURE: Bytes = new Uint8Array(64).fill(3);
const [ANN, BOB, EVE] = [handle("ann"), handle("bob"), handle("eve")];
const LINE: Line = { source: "console", name: "console", text: "hear, hear", id: ID, signature: SIGNATURE };

test("whoever comes first is alone, and told so, with its own card", () => {
  const { lobby, reply, deliveries } = decide(EMPTY_LOBBY, join(1, ANN), 500);
  assert.deepEqual(reply, [
    { type: "presence", room: LOBBY, change: "here", names: [ANN], time: 500 },
    { type: "cards", cards: [card(ANN)] },
  ]);
  assert.deepEqual(deliveries, [
    { except: 1, notice: { type: "cards", cards: [card(ANN)] } },
    { except: 1, notice: { type: "presence", room: LOBBY, change: "joined", names: [ANN], time: 500 } },
  ]);
  assert.deepEqual(Array.from(lobby.members), [[1, { handle: ANN, device: device(1) }]]);
});

test("a newcomer hears its own name first, then those who are there, and then the keys of them all", () => {
  const { reply } = decide(lobbyOf([[1, ANN], [2, BOB]]), join(3, EVE), 9);
  assert.deepEqual(names(reply), [EVE, ANN, BOB]);
  assert.deepEqual(cardsOf(reply), [EVE, ANN, BOB]);
  assert.deepEqual(reply.map(({ type }) => type), ["presence", "cards"]);
});

test("two devices of one account are one presence: the first one's coming and the last one's going are told", () => {
  const first = decide(lobbyOf([[1, BOB]]), join(2, ANN), 1);
  assert.deepEqual(first.deliveries.map(({ notice }) => notice.type), ["cards", "presence"]);
  const second = decide(first.lobby, join(3, ANN), 2);
  assert.deepEqual(second.deliveries, []);
  assert.deepEqual(names(second.reply), [ANN, BOB], "each name once, its own first");
  const left = decide(second.lobby, { type: "leave", peer: 2 }, 3);
  assert.deepEqual(left.deliveries, []);
  assert.deepEqual(Array.from(left.lobby.present.keys()), [BOB, ANN]);
  const gone = decide(left.lobby, { type: "leave", peer: 3 }, 4);
  assert.deepEqual(gone.deliveries, [{
    except: 3,
    notice: { type: "presence", room: LOBBY, change: "left", names: [ANN], time: 4 },
  }]);
  assert.deepEqual(Array.from(gone.lobby.present.keys()), [BOB]);
});

test("what one device says, the account's other devices hear like everybody else", () => {
  const lobby = lobbyOf([[1, ANN], [2, ANN], [3, BOB]]);
  const { reply, deliveries } = decide(lobby, { type: "send", peer: 2, message: send("hello") }, 7);
  assert.deepEqual(reply.map(({ type }) => type), ["ack"]);
  assert.deepEqual(deliveries.map(({ except }) => except), [2]);
});

test("a crowd is told in several messages, none too long, each name and card once", () => {
  const crowd = Array.from({ length: 250 }, (_, at): [number, Handle] => [at, handle(`n${at}`)]);
  const { reply } = decide(lobbyOf(crowd), join(999, ANN), 1);
  const lists = reply.flatMap((message) => message.type === "presence" ? [message.names] : []);
  assert.deepEqual(lists.map((list) => list.length), [PRESENCE_NAMES_MAX, PRESENCE_NAMES_MAX, 51]);
  assert.deepEqual(lists.flat(), [ANN, ...crowd.map(([, name]) => name)]);
  const cards = reply.flatMap((message) => message.type === "cards" ? [message.cards.length] : []);
  assert.deepEqual(cards, [CARDS_MAX, CARDS_MAX, CARDS_MAX, 251 - 3 * CARDS_MAX]);
  assert.deepEqual(cardsOf(reply), [ANN, ...crowd.map(([, name]) => name)]);
});

test("attack 25: refusals change nothing and concern only whoever asked", () => {
  const lobby = lobbyOf([[1, ANN]]);
  const asked: readonly [Request, unknown][] = [
    [join(1, ANN), { type: "fault", code: "alreadyJoined" }],
    [{ ...join(2, BOB), room: "#other" }, { type: "fault", code: "noSuchRoom" }],
    [{ ...join(1, ANN), room: "#other" }, { type: "fault", code: "noSuchRoom" }],
    [{ type: "send", peer: 2, message: send("x") }, { type: "fault", code: "notJoined", about: ID }],
    [
      { type: "send", peer: 1, message: { ...send("x"), room: "#other" } },
      { type: "fault", code: "noSuchRoom", about: ID },
    ],
  ];
  for (const [request, fault] of asked) {
    const outcome = decide(lobby, request, 0);
    assert.deepEqual(outcome.reply, [fault]);
    assert.deepEqual(outcome.deliveries, []);
    assert.deepEqual(outcome.lobby.members, lobby.members);
    assert.deepEqual(outcome.lobby.present, lobby.present);
    assert.equal(outcome.lobby.lastSequence, lobby.lastSequence);
  }
});

test("what is said is acknowledged and told at one place in the order, under the name and key of the connection", () => {
  const lobby: Lobby = { ...lobbyOf([[1, ANN], [2, BOB]]), lastSequence: 41 };
  const outcome = decide(lobby, { type: "send", peer: 2, message: send("hello") }, 700);
  assert.deepEqual(outcome.reply, [{ type: "ack", room: LOBBY, id: ID, sequence: 42, time: 700 }]);
  assert.deepEqual(outcome.deliveries, [{
    except: 2,
    notice: {
      type: "entry",
      room: LOBBY,
      sequence: 42,
      id: ID,
      from: BOB,
      device: device(2),
      time: 700,
      text: "hello",
      salt: SALT,
      seen: 40,
      signature: SIGNATURE,
    },
  }]);
});

test("the operator's line has a place in the order like any other, and goes to all", () => {
  const lobby: Lobby = { ...lobbyOf([[1, ANN]]), lastSequence: 6 };
  const { reply, deliveries, lobby: after } = decide(lobby, { type: "say", line: LINE }, 70);
  assert.deepEqual(reply, []);
  assert.deepEqual(deliveries, [{
    except: undefined,
    notice: { type: "notice", room: LOBBY, sequence: 7, time: 70, ...LINE },
  }]);
  assert.equal(after.lastSequence, 7);
});

test("keys published anew are told to all, and whoever comes later is told no others", () => {
  const renewed: Card = { ...card(ANN), list: new Uint8Array([9]) };
  const published = decide(lobbyOf([[1, ANN], [2, BOB]]), { type: "publish", card: renewed }, 5);
  assert.deepEqual(published.deliveries, [{
    except: undefined,
    notice: { type: "cards", cards: [renewed] },
  }]);
  const { reply } = decide(published.lobby, join(3, EVE), 6);
  assert.ok(reply.some((message) => message.type === "cards" && message.cards.includes(renewed)));
  const absent = decide(lobbyOf([[2, BOB]]), { type: "publish", card: renewed }, 5);
  assert.equal(absent.deliveries.length, 1);
  assert.deepEqual(Array.from(absent.lobby.present.keys()), [BOB], "that makes nobody present");
});

test("whoever leaves is told to the others; the leaving of a connection that had not joined is nothing", () => {
  const lobby = lobbyOf([[1, ANN], [2, BOB]]);
  const left = decide(lobby, { type: "leave", peer: 1 }, 8);
  assert.deepEqual(left.reply, []);
  assert.deepEqual(left.deliveries, [{
    except: 1,
    notice: { type: "presence", room: LOBBY, change: "left", names: [ANN], time: 8 },
  }]);
  const stranger = decide(lobby, { type: "leave", peer: 77 }, 8);
  assert.deepEqual([stranger.reply, stranger.deliveries], [[], []]);
  assert.deepEqual(stranger.lobby.members, lobby.members);
});

test("attack 29: times never go back, whatever the clock does", () => {
  let lobby = decide(EMPTY_LOBBY, join(1, ANN), 5_000).lobby;
  for (const [now, expected] of [[4_000, 5_000], [5_001, 5_001], [0, 5_001], [6_000, 6_000]] as const) {
    const outcome = decide(lobby, { type: "send", peer: 1, message: send("x") }, now);
    const [ack] = outcome.reply;
    assert.equal(ack?.type === "ack" && ack.time, expected);
    lobby = outcome.lobby;
  }
});

test("over any run of requests: one order without gaps, presence told exactly, and nothing changed in place", () =>
  check(
    fc.property(
      fc.array(fc.tuple(request(), fc.nat({ max: 9_999 })), { maxLength: 60 }),
      (run) => {
        let lobby = EMPTY_LOBBY;
        let sequence = 0;
        let time = 0;
        const told = new Set<Handle>();
        for (const [asked, now] of run) {
          const before = snapshot(lobby);
          const outcome = decide(lobby, asked, now);
          assert.deepEqual(snapshot(lobby), before);
          for (const place of placesOf(outcome)) assert.equal(place, sequence + 1);
          sequence += placesOf(outcome).length;
          assert.equal(outcome.lobby.lastSequence, sequence);
          for (const { notice } of outcome.deliveries) {
            if (notice.type !== "presence") continue;
            for (const name of notice.names) {
              assert.equal(told.has(name), notice.change === "left");
              if (notice.change === "left") told.delete(name);
              else told.add(name);
            }
          }
          const present = new Set(Array.from(outcome.lobby.members.values(), (member) => member.handle));
          assert.deepEqual(new Set(outcome.lobby.present.keys()), present);
          assert.deepEqual(told, present);
          assert.ok(outcome.lobby.lastTime >= time);
          time = outcome.lobby.lastTime;
          lobby = outcome.lobby;
        }
      },
    ),
    200,
  ));

function snapshot({ members, present, lastSequence }: Lobby): unknown {
  return { members: Array.from(members), present: Array.from(present), lastSequence };
}

function placesOf({ deliveries }: Outcome): readonly number[] {
  return deliveries.flatMap(({ notice }) =>
    notice.type === "entry" || notice.type === "notice" ? [notice.sequence] : []
  );
}

function names(reply: readonly ServerMessage[]): readonly Handle[] {
  return reply.flatMap((message) => message.type === "presence" ? message.names : []);
}

function cardsOf(reply: readonly ServerMessage[]): readonly Handle[] {
  return reply.flatMap((message) => message.type === "cards" ? message.cards.map((each) => each.handle) : []);
}

function request(): fc.Arbitrary<Request> {
  const peer = fc.nat({ max: 5 });
  // A connection is one account's for ever, so its name follows from its number.
  const joining = peer.map((id) => join(id, [ANN, BOB, EVE][id % 3] ?? ANN));
  return fc.oneof(
    joining,
    joining,
    peer.map((id): Request => ({ type: "leave", peer: id })),
    peer.map((id): Request => ({ type: "send", peer: id, message: send("a") })),
    peer.map((id): Request => ({ type: "send", peer: id, message: { ...send("c"), room: "#other" } })),
    fc.constant<Request>({ type: "publish", card: card(BOB) }),
    fc.constant<Request>({ type: "say", line: LINE }),
  );
}

function join(peer: number, name: Handle): Request & { type: "join" } {
  return { type: "join", peer, room: LOBBY, device: device(peer), card: card(name) };
}

function send(text: string): Send {
  return { type: "send", room: LOBBY, id: ID, text, salt: SALT, seen: 40, signature: SIGNATURE };
}

function card(name: Handle): Card {
  return { handle: name, identity: device(0), list: new Uint8Array([1]), signature: SIGNATURE };
}

function device(peer: number): Bytes {
  return new Uint8Array(32).fill(peer);
}

function lobbyOf(members: readonly [number, Handle][]): Lobby {
  return {
    ...EMPTY_LOBBY,
    members: new Map(members.map(([peer, name]) => [peer, { handle: name, device: device(peer) }])),
    present: new Map(members.map(([, name]) => [name, card(name)])),
  };
}

function handle(text: string): Handle {
  return parseHandle(text) ?? assert.fail(`${text} is a handle`);
}
