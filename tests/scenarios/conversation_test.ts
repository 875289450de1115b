/**
 * People and programs talk.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { eventsOf } from "./json_events.ts";
import { type Client, scenario } from "./stage.ts";

/** Messages that each of two says at once: four times as many as may wait for their acknowledgement. */
const BURST_MESSAGES = 1_000;

/** Lines of a file that is piped in: several windows of what is on its way. */
const PIPED_LINES = 600;

/** How long that may take on a slow disk, to which each is written at both ends. */
const BURST_MS_MAX = 90_000;

scenario("three clients talk both ways, and all see the same in the same order", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann" });
  const bot = await stage.joined(server, { user: "bot", json: true });
  const cid = await stage.joined(server, { user: "cid" });
  const all = [ann, bot, cid];

  await ann.say("Good morning");
  await bot.shows("ann: Good morning");
  await bot.say("Guten Morgen");
  await cid.shows("bot: Guten Morgen");
  await cid.say("Bonjour, ça va ? 你好 👋");
  await ann.shows("cid: Bonjour, ça va ? 你好 👋");
  for (const client of all) client.say(`${client.user} at once`);
  await Promise.all(all.map((client) => client.showsCount(6)));

  deepEqual(ann.shown.slice(0, 3), [
    "ann: Good morning",
    "bot: Guten Morgen",
    "cid: Bonjour, ça va ? 你好 👋",
  ]);
  deepEqual(ann.shown.slice(3).toSorted(), ["ann: ann at once", "bot: bot at once", "cid: cid at once"]);
  deepEqual(bot.shown, ann.shown);
  deepEqual(cid.shown, ann.shown);
  await goHome(all);
});

scenario("each message is acknowledged to whoever said it, at its place in the order", async (stage) => {
  const server = await stage.server();
  const bot = await stage.joined(server, { user: "bot", json: true });
  const ann = await stage.joined(server, { user: "ann" });
  await bot.say("one");
  await bot.shows("bot: one");
  await ann.say("two");
  await bot.shows("ann: two");
  await bot.say("three");
  await bot.shows("bot: three");
  await goHome([ann, bot]);

  const messages = eventsOf(bot.events, "message");
  const { seq: first = 0 } = messages[0] ?? {};
  deepEqual(messages.map(({ text, own, seq }) => ({ text, own, seq: seq - first })), [
    { text: "one", own: true, seq: 0 },
    { text: "two", own: false, seq: 1 },
    { text: "three", own: true, seq: 2 },
  ]);
  deepEqual(
    eventsOf(bot.events, "ack").map(({ id, seq }) => ({ id, seq })),
    messages.filter(({ own }) => own).map(({ id, seq }) => ({ id, seq })),
  );
  ok(messages.every(({ time }, at) => time >= (messages[at - 1]?.time ?? 0)), "times never go back");
});

scenario("whoever is here is told, and who comes and goes", async (stage) => {
  const server = await stage.server();
  const bot = await stage.joined(server, { user: "bot", json: true });
  const ann = await stage.joined(server, { user: "ann" });
  const cid = await stage.joined(server, { user: "cid" });
  await ann.program.line("out", / #lobby \* cid joined$/);
  await ann.program.line("out", /^\S+ \* cid is online$/);
  await cid.quit();
  await ann.program.line("out", /^\S+ \* cid is offline$/);
  await bot.event("presence", ({ change }) => change === "offline");
  await goHome([ann, bot]);

  const expected = [["here", "bot"], ["online", "ann"], ["online", "cid"], ["offline", "cid"]];
  deepEqual(
    eventsOf(bot.events, "presence").slice(0, 4).map(({ change, names }) => [change, ...names]),
    expected,
  );
  match(cid.program.out[0] ?? "", /^\S+ \* here: cid, bot, ann$/);
});

scenario("the server tells its operator who comes from where, and who goes", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann" });
  await goHome([ann]);
  equal(await server.whyGone("ann"), "closed by the client (done)");
  stage.show("The server's journal", server.program.err);
  const [came = ""] = server.program.err;
  const address = /^\d\d:\d\d:\d\d (127\.0\.0\.1:\d+) connected$/.exec(came)?.[1] ?? "no address";
  deepEqual(server.program.err.slice(1).map((line) => line.replace(/^\d\d:\d\d:\d\d /, "")), [
    `${address} logged in as ann by device "laptop"`,
    `${address} gone: closed by the client (done)`,
  ]);
});

scenario(
  "bursts of 1,000 lines from two at once are all acknowledged, in one order for all",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear", json: true });
    const ann = await stage.joined(server, { user: "ann" });
    const bot = await stage.joined(server, { user: "bot", json: true });
    const said = Array.from({ length: BURST_MESSAGES }, (_, at) => `line ${at}`);
    await Promise.all([ann.say(...said), bot.say(...said)]);
    await Promise.all([ear, ann, bot].map((client) => client.showsCount(2 * BURST_MESSAGES, BURST_MS_MAX)));

    deepEqual(ann.shown, ear.shown);
    deepEqual(bot.shown, ear.shown);
    for (const user of ["ann", "bot"]) {
      deepEqual(ear.shown.filter((line) => line.startsWith(user)), said.map((text) => `${user}: ${text}`));
    }
    const numbers = eventsOf(ear.events, "message").map(({ seq }) => seq);
    deepEqual(numbers, numbers.map((_, at) => (numbers[0] ?? 0) + at));
    await goHome([ear, ann, bot]);
    // Each comes right after its message, so the last may have been on its way until the end.
    equal(eventsOf(bot.events, "ack").length, BURST_MESSAGES);
  },
);

scenario(
  "two files piped in at once are delivered to the last line before the clients end with 0",
  async (stage) => {
    const server = await stage.server();
    const ear = await stage.joined(server, { user: "ear", json: true });
    const said = Array.from({ length: PIPED_LINES }, (_, at) => `line ${at}`);
    const ann = await stage.client(server, { user: "ann" });
    const bot = await stage.client(server, { user: "bot", json: true });
    await Promise.all([
      ann.program.typeAndEnd(said.map((text) => `${text}\n`).join("")),
      bot.program.typeAndEnd(said.map((text) => `{"type":"send","text":"${text}"}\n`).join("")),
    ]);
    equal((await ann.ending(BURST_MS_MAX)).code, 0);
    equal((await bot.ending(BURST_MS_MAX)).code, 0);
    equal(eventsOf(bot.events, "ack").length, PIPED_LINES);
    deepEqual(eventsOf(bot.events, "unacknowledged"), []);
    await ear.showsCount(2 * PIPED_LINES, BURST_MS_MAX);
    for (const user of ["ann", "bot"]) {
      deepEqual(ear.shown.filter((line) => line.startsWith(user)), said.map((text) => `${user}: ${text}`));
    }
    await goHome([ear]);
  },
);

async function goHome(clients: readonly Client[]): Promise<void> {
  for (const client of clients) await client.quit();
  for (const client of clients) {
    const { code, err } = await client.ending();
    equal(code, 0, `${client.user}: ${err.join(" | ")}`);
  }
}
