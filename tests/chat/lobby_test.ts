import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { decide, EMPTY_LOBBY, type Lobby, type Outcome, type Request } from "../../lib/chat/lobby.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { PRESENCE_NAMES_MAX } from "../../lib/wire/limits.ts";
import { LOBBY, type Send } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ID: Bytes = new Uint8Array(16).fill(1);
const [ANN, BOB, EVE] = [handle("ann"), handle("bob"), handle("eve")];

test("whoever comes first is alone, and told so", () => {
  const { lobby, reply, deliveries } = decide(EMPTY_LOBBY, join(ANN), { peer: 1, now: 500 });
  assert.deepEqual(reply, [{ type: "presence", room: LOBBY, change: "here", names: [ANN], time: 500 }]);
  assert.deepEqual(deliveries, [{
    except: 1,
    notice: { type: "presence", room: LOBBY, change: "joined", names: [ANN], time: 500 },
  }]);
  assert.deepEqual(Array.from(lobby.members), [[1, ANN]]);
});

test("a newcomer hears its own name first, then those who are there in the order of coming", () => {
  const lobby = lobbyOf([[1, ANN], [2, BOB]]);
  const { reply } = decide(lobby, join(EVE), { peer: 3, now: 9 });
  const [here] = reply;
  assert.deepEqual(here?.type === "presence" && here.names, [EVE, ANN, BOB]);
});

test("a crowd is told in several messages, none too long, each name once", () => {
  const crowd = Array.from({ length: 250 }, (_, at): [number, Handle] => [at, handle(`n${at}`)]);
  const { reply } = decide(lobbyOf(crowd), join(ANN), { peer: 999, now: 1 });
  const lists = reply.map((message) => message.type === "presence" ? message.names : []);
  assert.deepEqual(lists.map((names) => names.length), [PRESENCE_NAMES_MAX, PRESENCE_NAMES_MAX, 51]);
  assert.deepEqual(lists.flat(), [ANN, ...crowd.map(([, name]) => name)]);
});

test("refusals change nothing and concern only whoever asked", () => {
  const lobby = lobbyOf([[1, ANN]]);
  const asked: readonly [Request, number, unknown][] = [
    [join(ANN), 2, { type: "fault", code: "nameTaken" }],
    [join(BOB), 1, { type: "fault", code: "alreadyJoined" }],
    [join(ANN), 1, { type: "fault", code: "alreadyJoined" }],
    [{ type: "join", room: "#other", name: BOB }, 2, { type: "fault", code: "noSuchRoom" }],
    [{ type: "join", room: "#other", name: BOB }, 1, { type: "fault", code: "noSuchRoom" }],
    [send("x"), 2, { type: "fault", code: "notJoined", about: ID }],
    [{ ...send("x"), room: "#other" }, 1, { type: "fault", code: "noSuchRoom", about: ID }],
  ];
  for (const [request, peer, fault] of asked) {
    const outcome = decide(lobby, request, { peer, now: 0 });
    assert.deepEqual(outcome.reply, [fault]);
    assert.deepEqual(outcome.deliveries, []);
    assert.deepEqual(outcome.lobby.members, lobby.members);
    assert.equal(outcome.lobby.lastSequence, lobby.lastSequence);
  }
});

test("what is said is acknowledged to its sender and told to the others, at one place in the order", () => {
  const lobby: Lobby = { ...lobbyOf([[1, ANN], [2, BOB]]), lastSequence: 41 };
  const outcome = decide(lobby, send("hello"), { peer: 2, now: 700 });
  assert.deepEqual(outcome.reply, [{ type: "ack", room: LOBBY, id: ID, sequence: 42, time: 700 }]);
  assert.deepEqual(outcome.deliveries, [{
    except: 2,
    notice: { type: "entry", room: LOBBY, sequence: 42, id: ID, from: BOB, time: 700, text: "hello" },
  }]);
});

test("whoever leaves is told to the others and frees its name; a stranger's leaving is nothing", () => {
  const lobby = lobbyOf([[1, ANN], [2, BOB]]);
  const left = decide(lobby, { type: "leave" }, { peer: 1, now: 8 });
  assert.deepEqual(left.reply, []);
  assert.deepEqual(left.deliveries, [{
    except: 1,
    notice: { type: "presence", room: LOBBY, change: "left", names: [ANN], time: 8 },
  }]);
  const [again] = decide(left.lobby, join(ANN), { peer: 3, now: 9 }).reply;
  assert.equal(again?.type, "presence");
  const stranger = decide(lobby, { type: "leave" }, { peer: 77, now: 8 });
  assert.deepEqual([stranger.reply, stranger.deliveries], [[], []]);
  assert.deepEqual(stranger.lobby.members, lobby.members);
});

test("times never go back, whatever the clock does", () => {
  let lobby = decide(EMPTY_LOBBY, join(ANN), { peer: 1, now: 5_000 }).lobby;
  for (const [now, expected] of [[4_000, 5_000], [5_001, 5_001], [0, 5_001], [6_000, 6_000]] as const) {
    const outcome = decide(lobby, send("x"), { peer: 1, now });
    const [ack] = outcome.reply;
    assert.equal(ack?.type === "ack" && ack.time, expected);
    lobby = outcome.lobby;
  }
});

test("over any run of requests: one order without gaps, one holder per name, and nothing is changed in place", () =>
  check(
    fc.property(
      fc.array(fc.tuple(request(), fc.nat({ max: 5 }), fc.nat({ max: 9_999 })), { maxLength: 60 }),
      (run) => {
        let lobby = EMPTY_LOBBY;
        let sequence = 0;
        let time = 0;
        for (const [asked, peer, now] of run) {
          const before = { members: Array.from(lobby.members), lastSequence: lobby.lastSequence };
          const outcome = decide(lobby, asked, { peer, now });
          assert.deepEqual({ members: Array.from(lobby.members), lastSequence: lobby.lastSequence }, before);
          for (const { except } of outcome.deliveries) assert.equal(except, peer);
          const ack = outcome.reply.find(({ type }) => type === "ack");
          if (ack?.type === "ack") {
            assert.equal(ack.sequence, ++sequence);
            assert.ok(lobby.members.has(peer), "only members are acknowledged");
            assert.equal(entriesOf(outcome)[0], sequence);
          } else assert.deepEqual(entriesOf(outcome), []);
          const names = Array.from(outcome.lobby.members.values());
          assert.equal(new Set(names).size, names.length);
          assert.ok(outcome.lobby.lastTime >= time);
          time = outcome.lobby.lastTime;
          lobby = outcome.lobby;
        }
      },
    ),
    200,
  ));

function entriesOf(outcome: Outcome): readonly number[] {
  return outcome.deliveries.flatMap(({ notice }) => notice.type === "entry" ? [notice.sequence] : []);
}

function request(): fc.Arbitrary<Request> {
  return fc.oneof(
    fc.constantFrom<Request>(join(ANN), join(BOB), join(EVE), { type: "leave" }),
    fc.constantFrom<Request>(send("a"), send("b"), { ...send("c"), room: "#other" }),
  );
}

function join(name: Handle): Request {
  return { type: "join", room: LOBBY, name };
}

function send(text: string): Send {
  return { type: "send", room: LOBBY, id: ID, text };
}

function lobbyOf(members: readonly [number, Handle][]): Lobby {
  return { ...EMPTY_LOBBY, members: new Map(members) };
}

function handle(text: string): Handle {
  return parseHandle(text) ?? assert.fail(`${text} is a handle`);
}
