/**
 * Somebody on the way who cuts or changes what passes, without a key.
 *
 * @module
 */

import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { check } from "../properties.ts";
import { type Meddling, Relay, type Way } from "./relay.ts";
import { type Client, scenario, type Server, type Stage } from "./stage.ts";

/** Sessions that are cut, and sessions in which a bit is flipped: each of its own random place. */
const CUTS = 24;
const FLIPS = 24;

/** What each session says; on the wire it is beyond this many octets each way, the login and the goodbyes included. */
const TEXTS = ["one", "two", "three"];
const SESSION_BYTES_MIN = 3_000;

/** Octets of a handshake, one way or the other. */
const HANDSHAKE_BYTES_MAX = 1_480;

/** How a program says that a conversation did not end well. */
const ENDED_BADLY =
  /^Connection cut: \S+ went away without a goodbye; |^Cannot (?:agree on keys with|end cleanly with|go on with|log in at|send all that was said at) \S+: /;

/** Where the fields of a handshake are in their direction's stream (PROTOCOL §4.2), behind a frame's length. */
const VERSION = 10;
const MODE = 11;
const SUITE_COUNT = 44;
const SUITE_FIRST = 45;
const SUITE_SECOND = 46;
const SUITE_CHOSEN = 5;

/** Where the length of a client's third frame is, its login: after Hello and Done. */
const LOGIN_LENGTH = 1_263 + 130;

// Half of a session is handshake; half of the places are behind it. A counterexample is not made smaller, since each
// try takes a program.
const place = fc.noShrink(
  fc.oneof(
    fc.nat(SESSION_BYTES_MIN - 1),
    fc.integer({ min: HANDSHAKE_BYTES_MAX, max: SESSION_BYTES_MIN - 1 }),
  ),
);
const bit = fc.noShrink(fc.nat(7));
const way = fc.noShrink(fc.constantFrom<Way>("toServer", "toClient"));

scenario(`attack 8: ${CUTS} sessions cut somewhere are never told as a clean end`, async (stage) => {
  const { server, ear } = await listened(stage);
  const ways: Way[] = [];
  await check(
    fc.asyncProperty(way, place, async (way, offset) => {
      const { ann, relay } = await session(stage, server, { cut: { way, offset } });
      await survived(ann, ear);
      const { code, err } = await ann.ending();
      match(err.at(-1) ?? "", ENDED_BADLY);
      ok(code === 75 || code === 76, `exit ${code}`);
      const [carried] = relay.connections;
      equal(carried?.meddled, true);
      ways.push(way);
    }),
    CUTS,
  );
  // The server is right, too: a client's goodbye is the last that comes to it.
  const reasons = await server.reasons(ways.length);
  for (const [at, way] of ways.entries()) {
    if (way === "toServer") notEqual(reasons[at], "closed by the client (done)");
  }
}, { varies: true });

scenario(
  `attack 9: ${FLIPS} sessions with a bit flipped somewhere end so, and deliver nothing else`,
  async (stage) => {
    const { server, ear } = await listened(stage);
    await check(
      fc.asyncProperty(way, place, bit, async (flippedWay, place, bit) => {
        const { ann, relay } = await session(stage, server, {
          change: (way, octet, { offset, inLength }) =>
            way === flippedWay && offset === place && !inLength ? octet ^ (1 << bit) : octet,
        });
        await survived(ann, ear);
        const { code } = await ann.ending();
        // A length that is changed makes an end wait for what never comes: tests/secure has those, with a clock.
        if (relay.connections[0]?.meddled) ok(code === 75 || code === 76, `exit ${code}`);
        else equal(code, 0);
      }),
      FLIPS,
    );
  },
  { varies: true },
);

const EDITS: readonly {
  readonly what: string;
  readonly edits: readonly (readonly [Way, number, number])[];
  readonly serverArgs?: readonly string[];
}[] = [
  { what: "another version", edits: [["toServer", VERSION, 2]] },
  { what: "version 0", edits: [["toServer", VERSION, 0]] },
  { what: "the mode with a pre-shared key", edits: [["toServer", MODE, 1]] },
  { what: "an unknown mode", edits: [["toServer", MODE, 255]] },
  { what: "no suite", edits: [["toServer", SUITE_COUNT, 0]] },
  { what: "one suite fewer", edits: [["toServer", SUITE_COUNT, 1]] },
  {
    what: "the suites in another order",
    edits: [["toServer", SUITE_FIRST, 2], ["toServer", SUITE_SECOND, 1]],
  },
  { what: "the default suite struck out", edits: [["toServer", SUITE_FIRST, 127]] },
  {
    what: "the default suite struck out where the server takes no other",
    edits: [["toServer", SUITE_FIRST, 127]],
    serverArgs: ["--cipher=a256cbc-hs512"],
  },
  { what: "another suite chosen", edits: [["toClient", SUITE_CHOSEN, 2]] },
  { what: "an unknown suite chosen", edits: [["toClient", SUITE_CHOSEN, 3]] },
];

for (const { what, edits, serverArgs = [] } of EDITS) {
  scenario(
    `attack 11: ${what}, written in flight, ends the handshake, and nothing retries weaker`,
    async (stage) => {
      const server = await stage.server({ args: serverArgs });
      const { ann, relay } = await session(stage, server, {
        change: (way, octet, { offset }) => {
          const edit = edits.find(([editedWay, place]) => editedWay === way && place === offset);
          return edit === undefined ? octet : edit[2];
        },
      });
      const { code, err, out } = await ann.ending();
      equal(code, 76);
      equal(err.length, 1);
      deepEqual(out, []);
      equal(relay.connections.length, 1);
      equal(relay.connections[0]?.meddled, true);
      equal((await server.reasons(1)).length, 1);
      deepEqual(await server.guests(), []);
    },
  );
}

for (
  const [what, length] of [
    ["zero", 0],
    ["one over the limit", 16_482],
    ["32,768", 0x8000],
    ["65,535", 0xffff],
  ] as const
) {
  scenario(
    `attack 16: a length of ${what} after the handshake ends the connection at once`,
    async (stage) => {
      const server = await stage.server();
      const { ann, relay } = await session(stage, server, {
        change: (way, octet, { offset }) => {
          if (way === "toClient") return octet;
          return offset === LOGIN_LENGTH ? length >> 8 : offset === LOGIN_LENGTH + 1 ? length & 255 : octet;
        },
      });
      equal((await ann.ending()).code, 75);
      equal(relay.connections[0]?.meddled, true);
      deepEqual(await server.reasons(1), ["broke the protocol (badFrame)"]);
      deepEqual(await server.guests(), []);
    },
  );
}

async function listened(stage: Stage): Promise<{ readonly server: Server; readonly ear: Client }> {
  const server = await stage.server();
  return { server, ear: await stage.joined(server, { user: "ear" }) };
}

let sessions = 0;

/** A client that says {@linkcode TEXTS} through a relay that meddles, and is over. */
async function session(
  stage: Stage,
  server: Server,
  meddling: Meddling,
): Promise<{ readonly ann: Client; readonly relay: Relay }> {
  const relay = new Relay(stage, server.port, meddling);
  sessions += 1;
  const ann = await stage.client(server, { user: `ann${sessions}`, address: relay.address });
  await ann.program.typeAndEnd(TEXTS.map((text) => `${text}\n`).join(""));
  await ann.ending();
  await relay.firstOver();
  return { ann, relay };
}

/** Asserts that the others saw nothing but what was said, in its order, if not to its end; and that they go on. */
async function survived(ann: Client, ear: Client): Promise<void> {
  await ear.say(`after ${ann.user}`);
  await ear.shows(`ear: after ${ann.user}`);
  const heard = ear.shown.filter((message) => message.startsWith(`${ann.user}: `));
  deepEqual(heard, TEXTS.slice(0, heard.length).map((text) => `${ann.user}: ${text}`));
  // What others have said before is shown, too.
  const own = ann.shown.filter((message) => message.startsWith(`${ann.user}: `));
  deepEqual(own, TEXTS.slice(0, own.length).map((text) => `${ann.user}: ${text}`));
  ok(own.length <= heard.length, "acknowledged and not delivered");
  notEqual(ear.program.err.at(-1), "Connection cut");
}
