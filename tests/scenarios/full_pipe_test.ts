/**
 * Outputs that nobody reads: whoever writes there must neither stop nor make others stop.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { scenario } from "./stage.ts";

/** A pipe holds 64 KiB, and the journal 1,000 lines more; a trace of this many messages is many times that. */
const MESSAGES = 1_000;

/**
 * An unread client holds 1,000 messages, the server's queue 4 MiB, the system's buffers some more: 15 MiB of the
 * longest messages in all, as measured. These are 24.
 */
const LONG_MESSAGES = 3_000;
/** Who says them: of one account the server takes so many in a row, and then less at a time. */
const SPEAKERS = ["ann", "ben", "cid"];
/** What saying them may take on a slow machine. */
const BURST_MS_MAX = 240_000;
const LONG_TEXT = "x".repeat(8_192);

scenario("a server whose standard error nobody reads goes on serving, and ends when told", async (stage) => {
  const server = await stage.server({ args: ["--trace"], unread: ["err"] });
  const ann = await stage.joined(server, { user: "ann" });
  const bot = await stage.joined(server, { user: "bot", json: true });
  const texts = Array.from({ length: MESSAGES }, (_, at) => `line ${at}`);
  await ann.say(...texts);
  await bot.showsCount(MESSAGES, BURST_MS_MAX);
  deepEqual(bot.shown, texts.map((text) => `ann: ${text}`));
  const cid = await stage.joined(server, { user: "cid" });
  await cid.say("still here");
  await bot.shows("cid: still here");
  equal((await server.stop()).code, 0);
  for (const client of [ann, bot, cid]) equal((await client.ending()).code, 75);
});

scenario(
  "a server's journal that is read again goes on with whole lines",
  async (stage) => {
    const server = await stage.server({ args: ["--trace"], unread: ["err"] });
    const ann = await stage.joined(server, { user: "ann" });
    await ann.say(...Array.from({ length: MESSAGES }, (_, at) => `line ${at}`));
    await ann.showsCount(MESSAGES, BURST_MS_MAX);
    server.program.read("err");
    const cid = await stage.joined(server, { user: "cid" });
    await cid.quit();
    equal(await server.whyGone("cid"), "closed by the client (done)");
    for (const line of server.program.err) {
      match(
        line,
        /^\d\d:\d\d:\d\d 127\.0\.0\.1:\d+ /,
        "no line is torn",
      );
    }
  },
);

scenario(
  "a client whose output nobody reads is cut, and others neither wait for it nor miss a word",
  async (stage) => {
    const server = await stage.server();
    const deaf = await stage.client(server, { user: "deaf", unread: ["out"] });
    await deaf.program.line("err", /^Connected$/);
    const ear = await stage.joined(server, { user: "ear", json: true });
    const said = Array.from(
      { length: LONG_MESSAGES / SPEAKERS.length },
      (_, at) => `${at} ${LONG_TEXT}`.slice(0, 8_192) + "\n",
    ).join("");
    // One after the other: three windows of such messages at once are more than the server holds for any of them.
    for (const user of SPEAKERS) {
      const speaker = await stage.client(server, { user });
      await speaker.program.typeAndEnd(said);
      const { code, err } = await speaker.ending(BURST_MS_MAX);
      equal(code, 0, err.join(" | "));
    }
    await ear.showsCount(LONG_MESSAGES);
    equal(await server.whyGone("deaf"), "closed by this server (tooSlow), unconfirmed");
    await ear.program.line("out", /"change":"offline","names":\["deaf"\]/);
    await ear.quit();
    equal((await ear.ending()).code, 0);
    equal((await server.stop()).code, 0, "the server's end does not wait for it either");

    deaf.program.read("out");
    const { code, err } = await deaf.ending();
    equal(code, 75);
    match(err.at(-1) ?? "", /^Connection cut: \S+ went away without a goodbye; try again\.$/);
    ok(deaf.shown.length < LONG_MESSAGES);
    deepEqual(deaf.shown, ear.shown.slice(0, deaf.shown.length), "what it did get has no gap");
  },
);
