/**
 * How a conversation ends: by a goodbye that both sides have proof of, or by a cut that is called one.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { CLOSE_MS_MAX } from "../../lib/wire/limits.ts";
import { eventsOf } from "./json_events.ts";
import { type Client, scenario, type Server, type Stage } from "./stage.ts";

const TEXTS = ["one", "two", "three"];

/** Traces tell a record that is as long as an entry with its signature: marks and the like are shorter. */
const ENTRY_SENT = / sent record epoch 1 sequence \d+ iv=\w+ ciphertext\.hex=\w{2000,} /;

/** What a person does to end, and in which mode. */
const GOODBYES: readonly { readonly how: string; readonly json?: boolean; readonly end: Goodbye }[] = [
  { how: "the line exit", end: ({ program }) => program.type("exit") },
  { how: "the line quit()", end: ({ program }) => program.type("quit()") },
  { how: "the command /quit", end: ({ program }) => program.type("/quit") },
  { how: "the object quit", json: true, end: ({ program }) => program.type('{"type":"quit"}') },
  { how: "the end of its input", end: ({ program }) => program.endInput() },
  { how: "the end of its input of JSON", json: true, end: ({ program }) => program.endInput() },
  { how: "SIGINT", end: ({ program }) => program.signal("SIGINT") },
  { how: "SIGTERM", json: true, end: ({ program }) => program.signal("SIGTERM") },
];

type Goodbye = (client: Client) => Promise<void> | void;

for (const { how, json = false, end } of GOODBYES) {
  scenario(`${how} ends a client with an authenticated close on both sides and 0`, async (stage) => {
    const { server, ear } = await listened(stage);
    const ann = await stage.joined(server, { user: "ann", json });
    await ann.say(...TEXTS);
    // A signal has no place among the lines; what follows them in the input does.
    if (how.startsWith("SIG")) await ann.showsCount(TEXTS.length);
    await end(ann);
    const { code, err } = await ann.ending();
    equal(code, 0);
    deepEqual(ann.shown, TEXTS.map((text) => `ann: ${text}`));
    if (!json) deepEqual(err, ["Connecting", "Connected", "Connection closed: done"]);
    equal(await server.whyGone("ann"), "closed by the client (done)");
    await ear.program.line("out", /"change":"offline","names":\["ann"\]/);
    deepEqual(ear.shown, ann.shown);
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  scenario(`${signal} ends a server with a goodbye to everybody, and its clients with 75`, async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann" });
    const bot = await stage.joined(server, { user: "bot", json: true });
    await ann.say(...TEXTS);
    await bot.showsCount(TEXTS.length);
    equal((await server.stop(signal)).code, 0);
    for (const client of [ann, bot]) {
      const { code, err } = await client.ending();
      equal(code, 75);
      equal(
        err.at(-1),
        `Cannot go on with ${server.address}: the server is shutting down; try again later.`,
      );
    }
    deepEqual(bot.events.at(-1), { type: "state", state: "closed", detail: "shuttingDown" });
    for (const name of ["ann", "bot"]) {
      equal(await server.whyGone(name), "closed by this server (shuttingDown)");
    }
  });
}

scenario(
  "a server that ends within a burst has delivered what it acknowledged; the rest is named",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear", json: true });
    const bot = await stage.joined(server, { user: "bot", json: true });
    const said = Array.from({ length: 5_000 }, (_, at) => `line ${at}`);
    const saying = bot.say(...said);
    await bot.showsCount(300);
    equal((await server.stop()).code, 0);
    equal((await bot.ending()).code, 75);
    equal((await ear.ending()).code, 75);
    await saying;

    const texts = new Map(eventsOf(bot.events, "message").map(({ id, text }) => [id, text]));
    const acknowledged = eventsOf(bot.events, "ack").map(({ id }) => texts.get(id));
    const unacknowledged = eventsOf(bot.events, "unacknowledged").map(({ text }) => text);
    deepEqual(acknowledged, said.slice(0, acknowledged.length));
    deepEqual(
      unacknowledged,
      said.slice(acknowledged.length, acknowledged.length + unacknowledged.length),
    );
    ok(acknowledged.length < said.length, "the server ended too late for this to show anything");
    deepEqual(ear.shown, acknowledged.map((text) => `bot: ${text}`));
  },
);

scenario(
  "a server killed outright is told as a cut, with 75, and what it did not acknowledge named",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", args: ["--trace"] });
    const bot = await stage.joined(server, { user: "bot", json: true, args: ["--trace"] });
    const sent = ({ program }: Client): number => program.err.filter((line) => ENTRY_SENT.test(line)).length;
    await ann.say("heard");
    await bot.say("heard too");
    await Promise.all([ann, bot].map((client) => client.showsCount(2)));
    server.program.signal("SIGSTOP");
    await ann.say("unheard");
    await bot.say("unheard too");
    for (const client of [ann, bot]) {
      await client.program.until("what it said", () => sent(client) === 2 || undefined);
    }
    server.program.signal("SIGKILL");

    const { code, err } = await ann.ending();
    equal(code, 75);
    const told = err.filter((line) => !line.startsWith("trace"));
    deepEqual(told, [
      "Connecting",
      "Connected",
      "Cannot say whether this arrived in #lobby: there is no connection; it is kept, and sent when you start again: " +
      "unheard",
      "Connection cut",
      `Cannot send all that was said at ${server.address}: 1 message waits for a connection; start again, and it is sent.`,
    ]);
    equal((await bot.ending()).code, 75);
    deepEqual(eventsOf(bot.events, "unacknowledged").map(({ text }) => text), ["unheard too"]);
    deepEqual(bot.events.at(-1), { type: "state", state: "cut", detail: null });
  },
);

scenario(
  "a client that answers nothing keeps a server from ending for five seconds, nobody else",
  async (stage) => {
    const server = await stage.server();
    const mute = await stage.joined(server, { user: "mute" });
    const ann = await stage.joined(server, { user: "ann" });
    mute.program.signal("SIGSTOP");
    const started_ms = performance.now();
    server.program.signal("SIGTERM");
    equal((await ann.ending()).code, 75);
    ok(performance.now() - started_ms < CLOSE_MS_MAX, "ann does not wait for the other");
    equal((await server.program.ending()).code, 0);
    equal(await server.whyGone("ann"), "closed by this server (shuttingDown)");
    equal(await server.whyGone("mute"), "closed by this server (shuttingDown), unconfirmed");
  },
);

scenario(
  "a client killed outright is noted as a cut, seen to leave, and its name is free again",
  async (stage) => {
    const { server, ear } = await listened(stage);
    const ann = await stage.joined(server, { user: "ann" });
    await ann.say("last words");
    await ear.shows("ann: last words");
    ann.program.signal("SIGKILL");
    equal(await server.whyGone("ann"), "cut during the conversation");
    await ear.program.line("out", /"change":"offline","names":\["ann"\]/);
    const other = await stage.joined(server, { user: "ann" });
    await other.say("new here");
    await ear.shows("ann: new here");
  },
);

scenario("a client that is signalled within a burst has all it sent acknowledged or named", async (stage) => {
  const { server, ear } = await listened(stage);
  const bot = await stage.joined(server, { user: "bot", json: true });
  const said = Array.from({ length: 5_000 }, (_, at) => `line ${at}`);
  const saying = bot.say(...said);
  await bot.showsCount(300);
  bot.program.signal("SIGTERM");
  const { code } = await bot.ending();
  await saying;
  equal(await server.whyGone("bot"), "closed by the client (done)");

  const acknowledged = eventsOf(bot.events, "ack").length;
  ok(acknowledged < said.length, "the signal came too late for this to show anything");
  deepEqual(eventsOf(bot.events, "unacknowledged"), []);
  equal(code, eventsOf(bot.events, "error").length === 0 ? 0 : 75);
  await ear.showsCount(acknowledged);
  deepEqual(ear.shown, said.slice(0, acknowledged).map((text) => `bot: ${text}`));
}, { varies: true });

scenario("a second signal ends a client at once, as the system does", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann", args: ["--trace"] });
  // Its login, its entering, what it reads, and how far it has come are its records 0 to 3, its close is the next.
  await ann.program.line("err", /sent record epoch 1 sequence 3 /);
  server.program.signal("SIGSTOP");
  ann.program.signal("SIGINT");
  await ann.program.line("err", /sent record epoch 1 sequence 4 /);
  ann.program.signal("SIGINT");
  equal((await ann.ending()).signal, "SIGINT");
});

async function listened(stage: Stage): Promise<{ server: Server; ear: Client }> {
  const server = await stage.server();
  return { server, ear: await stage.joined(server, { user: "ear", json: true }) };
}
