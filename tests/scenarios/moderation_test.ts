/**
 * Keeping order: what owners and operators do about people and rooms, what is felt of it, and how each is undone.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { answerOf, deed, done, heard, refusalOf, said, textsIn } from "./asking.ts";
import { type Client, scenario, type Stage } from "./stage.ts";

const ROOM = "#garden";

/** For how long a ban and a mute last that end by themselves, in milliseconds. */
const SHORT_MS = 1_500;

scenario("who is kicked is out, is told why, and may come back", async (stage) => {
  const { ann, ben } = await gathered(stage);
  await done(ann, { type: "kick", room: ROOM, handle: "ben", reason: "mind your tone" });
  for (const client of [ann, ben]) {
    await deed(client, ROOM, { act: "kick", handle: "ben", reason: "mind your tone" });
  }
  await ben.event("gone", ({ room, why }) => room === ROOM && why === "kicked");
  await said(ann, ROOM, "while ben is out");
  ok(await refusalOf(ben, { type: "members", room: ROOM }));
  await done(ben, { type: "join", room: ROOM });
  await said(ben, ROOM, "sorry");
  await heard(ann, ROOM, "sorry");
});

scenario(
  "who is banned is out and stays out, until the time is over or the ban is taken back",
  async (stage) => {
    const { ann, ben } = await gathered(stage);
    const join = { type: "join", room: ROOM };
    await done(ann, { type: "ban", room: ROOM, handle: "ben", reason: "for good" });
    await ben.event("gone", ({ why }) => why === "banned");
    equal(await codeOf(ben, join), "banned");
    await done(ann, { type: "unban", room: ROOM, handle: "ben" });
    await done(ben, join);

    const [started_ms, soFar] = [performance.now(), ben.events.length];
    await done(ann, { type: "ban", room: ROOM, handle: "ben", lasting: SHORT_MS });
    await ben.event("gone", ({ why }) => why === "banned", soFar);
    equal(await codeOf(ben, join), "banned");
    await later(SHORT_MS - (performance.now() - started_ms) + 200);
    await done(ben, join);
    await said(ben, ROOM, "back in time");
    await heard(ann, ROOM, "back in time");
  },
);

scenario("who is muted hears and says nothing, until the time is over or it is taken back", async (stage) => {
  const { ann, ben } = await gathered(stage);
  const seq = await said(ann, ROOM, "listen");
  await heard(ben, ROOM, "listen");
  await done(ann, { type: "mute", room: ROOM, handle: "ben" });
  await deed(ben, ROOM, { act: "mute", handle: "ben" });
  equal(await lost(ben, "may I?"), "muted");
  equal(await codeOf(ben, { type: "react", room: ROOM, seq, reaction: "👍", on: true }), "muted");
  await said(ann, ROOM, "still listening?");
  await heard(ben, ROOM, "still listening?");
  await done(ann, { type: "unmute", room: ROOM, handle: "ben" });
  await deed(ben, ROOM, { act: "unmute" });
  await said(ben, ROOM, "thank you");

  await done(ann, { type: "mute", room: ROOM, handle: "ben", lasting: SHORT_MS });
  equal(await lost(ben, "not yet"), "muted");
  await later(SHORT_MS + 200);
  await said(ben, ROOM, "now");
  await heard(ann, ROOM, "now");
  deepEqual(textsIn(ann, ROOM).filter((text) => text === "may I?" || text === "not yet"), []);
});

scenario(
  "in slow mode a member speaks once in a while and operators as they like, until it is off",
  async (stage) => {
    const { ann, ben } = await gathered(stage);
    await done(ann, { type: "slow", room: ROOM, seconds: 2 });
    await ben.event("room", ({ room, settings }) => room === ROOM && settings.slow === 2);
    await ben.ask(...["one", "two"].map((text) => ({ type: "send", room: ROOM, text })));
    const [first, second] = [await heard(ann, ROOM, "one"), await heard(ann, ROOM, "two")];
    ok(second.time - first.time >= 2_000, `the second came ${second.time - first.time} ms after the first`);
    const [third, fourth] = [await said(ann, ROOM, "three"), await said(ann, ROOM, "four")];
    equal(fourth, third + 1);
    await done(ann, { type: "slow", room: ROOM, seconds: 0 });
    await deed(ben, ROOM, { act: "slow", seconds: 0 });
    for (const text of ["five", "six"]) {
      await said(ben, ROOM, text);
    }
    const [fifth, sixth] = [await heard(ann, ROOM, "five"), await heard(ann, ROOM, "six")];
    ok(sixth.time - fifth.time < 2_000, "it is off");
  },
);

scenario("in a lockdown operators alone speak and nobody comes in, until it is ended", async (stage) => {
  const { ann, ben, cid } = await gathered(stage);
  await done(ann, { type: "lockdown", room: ROOM, on: true });
  await deed(ben, ROOM, { act: "lockdown", on: true });
  equal(await lost(ben, "what is going on?"), "lockdown");
  equal(await codeOf(cid, { type: "join", room: ROOM }), "lockdown");
  await said(ann, ROOM, "a moment, please");
  await heard(ben, ROOM, "a moment, please");
  await done(ann, { type: "lockdown", room: ROOM, on: false });
  await deed(ben, ROOM, { act: "lockdown", on: false });
  await said(ben, ROOM, "ah");
  await done(cid, { type: "join", room: ROOM });
});

scenario(
  "an operator keeps order among members and not above, and what is given can be taken back",
  async (stage) => {
    const { ann, ben, cid } = await gathered(stage);
    await done(cid, { type: "join", room: ROOM });
    await done(ann, { type: "role", room: ROOM, handle: "ben", role: "operator" });
    await ben.event("room", ({ room, role }) => room === ROOM && role === "operator");
    const rude = await said(cid, ROOM, "something rude");
    await heard(ben, ROOM, "something rude");
    await done(ben, { type: "delete", room: ROOM, seq: rude }, { type: "mute", room: ROOM, handle: "cid" });
    const { about } = await deed(ann, ROOM, { act: "mute", handle: "cid" }).then(() =>
      ann.event("log", ({ what }) => what?.kind === "delete")
    );
    equal(about?.seq, rude);
    equal(await codeOf(ben, { type: "mute", room: ROOM, handle: "ann" }), "notAllowed");
    equal(await codeOf(ben, { type: "role", room: ROOM, handle: "cid", role: "operator" }), "notAllowed");

    await done(ann, { type: "role", room: ROOM, handle: "ben", role: "member" });
    await deed(ben, ROOM, { act: "role", role: "member" });
    equal(await codeOf(ben, { type: "unmute", room: ROOM, handle: "cid" }), "notAllowed");
    await done(ann, { type: "unmute", room: ROOM, handle: "cid" });

    // The last owner goes only when somebody else is one.
    equal(await codeOf(ann, { type: "part", room: ROOM }), "notDone");
    await done(ann, { type: "role", room: ROOM, handle: "ben", role: "owner" }, { type: "part", room: ROOM });
    const { members } = await answerOf(ben, { type: "members", room: ROOM }, "members");
    deepEqual(members.map(({ handle, role }) => [handle, role]).toSorted(), [["ben", "owner"], [
      "cid",
      "member",
    ]]);
  },
);

scenario("what order was kept is so after a restart, too", async (stage) => {
  const { server, ann, ben, cid } = await gathered(stage);
  await done(cid, { type: "join", room: ROOM });
  await done(
    ann,
    { type: "ban", room: ROOM, handle: "ben" },
    { type: "mute", room: ROOM, handle: "cid" },
    { type: "lockdown", room: ROOM, on: true },
  );
  await server.stop("SIGKILL");
  for (const client of [ann, ben, cid]) await client.ending();
  const { dataDir, port } = server;
  const again = await stage.server({ dataDir, port });
  const [annAgain, benAgain, cidAgain] = [
    await stage.joined(again, { user: "ann", json: true }),
    await stage.joined(again, { user: "ben", json: true }),
    await stage.joined(again, { user: "cid", json: true }),
  ];
  equal(await codeOf(benAgain, { type: "join", room: ROOM }), "banned");
  equal(await lost(cidAgain, "hello?"), "muted");
  await done(
    annAgain,
    { type: "lockdown", room: ROOM, on: false },
    { type: "unban", room: ROOM, handle: "ben" },
    { type: "unmute", room: ROOM, handle: "cid" },
  );
  await done(benAgain, { type: "join", room: ROOM });
  for (const client of [benAgain, cidAgain]) await said(client, ROOM, `${client.user} is back`);
  for (const user of ["ben", "cid"]) await heard(annAgain, ROOM, `${user} is back`);
});

/** A room of ann's with ben in it; cid is not, yet. */
async function gathered(stage: Stage) {
  const server = await stage.server();
  const client = (user: string): Promise<Client> => stage.joined(server, { user, json: true });
  const [ann, ben, cid] = [await client("ann"), await client("ben"), await client("cid")];
  await done(ann, { type: "create", room: ROOM, visibility: "public" });
  await done(ben, { type: "join", room: ROOM });
  await deed(ann, ROOM, { change: "join" });
  return { server, ann, ben, cid };
}

/** Asks for what is refused; gives the code. */
async function codeOf(client: Client, request: Readonly<Record<string, unknown>>): Promise<string> {
  const from = client.events.length;
  await client.ask(request);
  return (await client.event("error", () => true, from)).code;
}

/** Says what is refused; gives the code, and asserts that the text comes with it. */
async function lost(client: Client, text: string): Promise<string> {
  const from = client.events.length;
  await client.ask({ type: "send", room: ROOM, text });
  const fault = await client.event("error", () => true, from);
  equal(fault.text, text);
  return fault.code;
}

/** A time that was set is over. */
function later(time_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time_ms)));
}
