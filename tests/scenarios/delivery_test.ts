/**
 * What is said arrives, once and in its order, whatever ends in the middle: the server, a connection, or the client.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { answerOf, heard, textsIn } from "./asking.ts";
import { eventsOf } from "./json_events.ts";
import { Relay } from "./relay.ts";
import { type Client, scenario, type Server, type Stage } from "./stage.ts";

/** For how many seconds clients try to come back: beyond any wait of a scenario. */
const RECONNECT_S = 60;

/** Messages that two say while the server is killed: more than may wait for their acknowledgement. */
const MESSAGES = 300;

/** How long it may take until all is said and heard. */
const CALM_MS_MAX = 60_000;

const LOBBY = "#lobby";

scenario(
  "attack 23: a server killed in the middle and started again: all come back by themselves, nothing is lost or doubled",
  async (stage) => {
    const server = await stage.server();
    const [ear, ann, ben] = [
      await lasting(stage, server, "ear"),
      await lasting(stage, server, "ann"),
      await lasting(stage, server, "ben"),
    ];
    const texts = Array.from({ length: MESSAGES }, (_, at) => `line ${at}`);
    const saying = Promise.all([ann, ben].map((client) => client.say(...texts)));
    const { dataDir, port } = server;
    let running = server;
    for (const part of [1, 2]) {
      await ear.showsCount(part * MESSAGES / 2, CALM_MS_MAX);
      await running.stop("SIGKILL");
      running = await stage.server({ dataDir, port });
    }
    await saying;
    for (const client of [ear, ann, ben]) await client.showsCount(2 * MESSAGES, CALM_MS_MAX);

    for (const { user } of [ann, ben]) {
      deepEqual(
        ear.shown.filter((line) => line.startsWith(user)),
        texts.map((text) => `${user}: ${text}`),
        `all that ${user} said, once and in its order`,
      );
    }
    for (const client of [ann, ben]) {
      deepEqual(client.shown, ear.shown, "one order for all");
      await client.program.until(
        "every acknowledgement",
        () => eventsOf(client.events, "ack").length >= MESSAGES || undefined,
      );
      const acknowledged = eventsOf(client.events, "ack").map(({ id }) => id);
      deepEqual(acknowledged.length, new Set(acknowledged).size, "none is told twice");
      deepEqual(eventsOf(client.events, "error"), []);
      ok(statesOf(client).includes("cut"), "it was told of");
    }
    // Whoever had heard all before the server was killed is on the way back.
    for (const client of [ear, ann, ben]) {
      await client.program.until("it is back", () => statesOf(client).at(-1) === "ready" || undefined);
    }
    await complete([ear, ann, ben]);
    await goHome([ear, ann, ben]);
  },
);

scenario(
  "attack 23: what is said while there is no server is kept, and sent when there is one; a client that waits says so",
  async (stage) => {
    const server = await stage.server();
    const [ear, ann] = [await lasting(stage, server, "ear"), await lasting(stage, server, "ann")];
    const reader = await stage.joined(server, { user: "reader", reconnect: RECONNECT_S });
    await server.stop("SIGKILL");
    await ann.event("state", ({ state }) => state === "waiting");
    await reader.program.line("err", /^Connection cut$/);
    await reader.program.line("err", /^Waiting to connect again: \d+ s$/);
    await ann.say("one", "two");
    await reader.say("three");
    deepEqual((await ann.event("queued", ({ text }) => text === "two")).room, LOBBY);
    await reader.program.line("err", /^Kept until there is a connection, for #lobby: three$/);
    deepEqual(eventsOf(ann.events, "ack"), [], "nothing is claimed that is not so");
    await stage.server({ dataDir: server.dataDir, port: server.port });
    for (const text of ["one", "two", "three"]) await heard(ear, LOBBY, text);
    deepEqual(textsIn(ear, LOBBY).filter((text) => text !== "three"), ["one", "two"]);
    await complete([ear, ann]);
    await goHome([ear, ann, reader]);
  },
);

scenario(
  "a client that is killed with messages that wait sends them when it is started again, once",
  async (stage) => {
    const server = await stage.server();
    const [ear, ann] = [await lasting(stage, server, "ear"), await lasting(stage, server, "ann")];
    await server.stop("SIGKILL");
    await ann.event("state", ({ state }) => state === "waiting");
    await ann.say("one", "two", "three");
    await ann.event("queued", ({ text }) => text === "three");
    ann.program.signal("SIGKILL");
    await ann.ending();

    const again = await stage.server({ dataDir: server.dataDir, port: server.port });
    const back = await stage.joined(again, { user: "ann", json: true });
    await heard(ear, LOBBY, "three");
    await back.say("four");
    await heard(ear, LOBBY, "four");
    deepEqual(textsIn(ear, LOBBY), ["one", "two", "three", "four"]);
    await back.event("message", ({ text }) => text === "four");
    deepEqual(textsIn(back, LOBBY), ["one", "two", "three", "four"]);
    await complete([ear, back]);
    await goHome([ear, back]);
  },
);

scenario(
  "a script whose server does not come back ends with 75, names what it could not say, and says it the next time",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear", json: true, reconnect: RECONNECT_S });
    const ann = await stage.joined(server, { user: "ann", json: true, reconnect: 3 });
    await server.stop("SIGKILL");
    await ann.event("state", ({ state }) => state === "waiting");
    await ann.say("one", "two");
    await ann.event("queued", ({ text }) => text === "two");
    const { code, err } = await ann.ending();
    equal(code, 75);
    equal(
      err.at(-1),
      `Cannot send all that was said at ${server.address}: 2 messages wait for a connection; start again, and they ` +
        "are sent.",
    );
    deepEqual(eventsOf(ann.events, "unacknowledged").map(({ text }) => text), ["one", "two"]);

    const again = await stage.server({ dataDir: server.dataDir, port: server.port });
    // Without a word: the input ends at once.
    const { code: next } = await stage.visit(again, { user: "ann" });
    equal(next, 0);
    for (const text of ["one", "two"]) await heard(ear, LOBBY, text);
    deepEqual(textsIn(ear, LOBBY), ["one", "two"]);
    await goHome([ear]);
  },
);

scenario(
  "a connection that is cut wherever it is: what was said arrives once all the same",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear", json: true });
    const texts = ["one", "two", "three", "four"];
    // Within the login, within what is said, and behind it, each way: later connections pass.
    const cuts = [["toServer", 1_500], ["toServer", 4_000], ["toServer", 6_000], ["toClient", 2_500], [
      "toClient",
      4_500,
    ]] as const;
    for (const [at, [way, offset]] of cuts.entries()) {
      const user = `ann${at}`;
      const relay = new Relay(stage, server.port, { cut: { way, offset }, cuts: 1 });
      const ann = await stage.client(server, {
        user,
        address: relay.address,
        json: true,
        reconnect: RECONNECT_S,
      });
      await ann.say(...texts);
      await ann.quit();
      const { code } = await ann.ending(CALM_MS_MAX);
      // Whoever is cut before the first time that they are in is told so at once.
      if (code === 75) continue;
      equal(code, 0);
      await ear.shows(`${user}: four`);
      deepEqual(
        ear.shown.filter((line) => line.startsWith(`${user}:`)),
        texts.map((text) => `${user}: ${text}`),
      );
    }
    await goHome([ear]);
  },
  { varies: true },
);

/** A client that comes back by itself and speaks JSON. */
function lasting(stage: Stage, server: Server, user: string): Promise<Client> {
  return stage.joined(server, { user, json: true, reconnect: RECONNECT_S });
}

function statesOf({ events }: Client): readonly string[] {
  return eventsOf(events, "state").map(({ state }) => state);
}

/** Asserts that each knows the lobby's log to be whole. */
async function complete(clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    const { flaws, upTo } = await answerOf(client, { type: "check", room: LOBBY }, "integrity");
    deepEqual(flaws, [], client.user);
    ok(upTo > 1);
  }
}

async function goHome(clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    await client.quit();
    const { code, err } = await client.ending();
    equal(code, 0, `${client.user}: ${err.join(" | ")}`);
  }
}
