/**
 * Rooms: how one comes into them and out again, who may read what was said before, and what people do with what was said.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { answerOf, deed, done, heard, refusalOf, said, textsIn } from "./asking.ts";
import { eventsOf, type JsonEvent } from "./json_events.ts";
import { type Client, scenario, type Stage } from "./stage.ts";

/** What was said in a room before somebody came. */
const BEFORE = ["one", "two", "three"];

scenario(
  "a public room is made, found, joined, talked in and left, and not found when it is private",
  async (stage) => {
    const { ann, ben, cid } = await people(stage);
    await done(ann, { type: "create", room: "#garden", visibility: "public" });
    await done(ann, { type: "topic", room: "#garden", topic: "what grows" });
    const { rooms } = await answerOf(ben, { type: "list" }, "directory");
    deepEqual(rooms.find(({ room }) => room === "#garden"), {
      room: "#garden",
      topic: "what grows",
      members: 1,
    });
    await done(ben, { type: "join", room: "#garden" });
    await said(ann, "#garden", "welcome");
    await heard(ben, "#garden", "welcome");
    await said(ben, "#garden", "thank you");
    await heard(ann, "#garden", "thank you");
    deepEqual(textsIn(cid, "#garden"), [], "who is not there hears nothing");
    const { members } = await answerOf(ann, { type: "members", room: "#garden" }, "members");
    deepEqual(members.map(({ handle, role, state }) => [handle, role, state]).toSorted(), [
      ["ann", "owner", "online"],
      ["ben", "member", "online"],
    ]);

    await done(ben, { type: "part", room: "#garden" });
    await ben.event("gone", ({ room, why }) => room === "#garden" && why === "parted");
    await deed(ann, "#garden", { change: "part" });
    await said(ann, "#garden", "alone again");
    ok(!textsIn(ben, "#garden").includes("alone again"));

    await done(ann, { type: "visibility", room: "#garden", visibility: "private" });
    const hidden = await answerOf(cid, { type: "list" }, "directory");
    deepEqual(hidden.rooms.map(({ room }) => room), ["#lobby"]);
    await done(ann, { type: "rename", room: "#garden", name: "#orchard" });
    const own = await answerOf(ann, { type: "rooms" }, "rooms");
    deepEqual(own.rooms.map(({ room }) => room).toSorted(), ["#lobby", "#orchard"]);
    await done(ann, { type: "create", room: "#garden", visibility: "public" });
  },
);

scenario(
  "into a private room one comes by an invitation, or by knocking and being let in, and not otherwise",
  async (stage) => {
    const { ann, ben, cid, dan } = await people(stage);
    const room = "#cellar";
    await done(ann, { type: "create", room, visibility: "private" });
    ok(await refusalOf(ben, { type: "join", room }));

    await done(ann, { type: "invite", room, handle: "ben" });
    await ben.event("request", (event) => event.asks === "invited" && event.room === room);
    await done(ben, { type: "join", room });
    await said(ben, room, "here I am");
    await heard(ann, room, "here I am");

    await done(ann, { type: "invite", room, handle: "dan" });
    await dan.event("request", ({ asks }) => asks === "invited");
    await done(ann, { type: "uninvite", room, handle: "dan" });
    await dan.event("gone", ({ why }) => why === "uninvited");
    ok(await refusalOf(dan, { type: "join", room }));

    await done(dan, { type: "knock", room });
    await ann.event("request", (event) => event.asks === "knocking" && event.handle === "dan");
    await done(ann, { type: "deny", room, handle: "dan" });
    await dan.event("gone", ({ why }) => why === "denied");

    await done(cid, { type: "knock", room });
    await ann.event("request", (event) => event.asks === "knocking" && event.handle === "cid");
    await done(ann, { type: "allow", room, handle: "cid" });
    await cid.event("room", (event) => event.room === room && event.standing === "member");
    await said(cid, room, "thank you for opening");
    for (const client of [ann, ben]) await heard(client, room, "thank you for opening");
    deepEqual(textsIn(dan, room), []);
  },
);

for (const [history, shown] of [[0, []], [2, BEFORE.slice(1)], ["all", BEFORE]] as const) {
  const what = history === "all" ? "all" : history === 0 ? "nothing" : `the last ${history} entries`;
  scenario(
    `a newcomer of a room reads ${what} of what was said there before, and all from then on`,
    async (stage) => {
      const { ann, ben } = await people(stage);
      const room = "#garden";
      await done(ann, { type: "create", room, visibility: "public" });
      // Newcomers read all where nobody has settled it otherwise.
      if (history !== "all") await done(ann, { type: "newcomers", room, history });
      for (const text of BEFORE) await said(ann, room, text);
      await done(ben, { type: "join", room });
      await said(ann, room, "welcome");
      await heard(ben, room, "welcome");
      deepEqual(textsIn(ben, room), [...shown, "welcome"]);
      // Nor does the server give more to whoever asks for it.
      const { more } = await answerOf(ben, { type: "history", room, limit: 100 }, "page");
      equal(more, false);
      deepEqual(new Set(textsIn(ben, room)), new Set([...shown, "welcome"]));
      const { flaws } = await answerOf(ben, { type: "check", room }, "integrity");
      deepEqual(flaws, []);
    },
  );
}

scenario(
  "what is edited, deleted, answered, reacted to, pinned and settled is so for everybody, and after a restart",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const ben = await stage.joined(server, { user: "ben", json: true, reconnect: 30 });
    const room = "#lobby";
    const typo = await said(ben, room, "helo");
    const secret = await said(ben, room, "a secret");
    const question = await said(ben, room, "who comes along?");
    await heard(ann, room, "who comes along?");

    await done(ben, { type: "edit", room, seq: typo, text: "hello" }, { type: "delete", room, seq: secret });
    await done(
      ann,
      { type: "reply", room, seq: question, text: "I do" },
      { type: "react", room, seq: typo, reaction: "👋", on: true },
      { type: "react", room, seq: question, reaction: "👍", on: true },
      { type: "react", room, seq: question, reaction: "👍", on: false },
    );
    equal((await heard(ben, room, "I do")).about?.text, "who comes along?");
    for (const client of [ann, ben]) {
      await deed(client, room, { reaction: "👍", on: false });
      const edit = await deed(client, room, { text: "hello" });
      equal(edit.about?.seq, typo);
    }

    const seen = (client: Client) => factsOf(client, { typo, secret, question });
    const expected = {
      typo: { text: "hello", edited: true, deletedBy: null, reactions: [{ reaction: "👋", by: ["ann"] }] },
      secret: { text: "", edited: false, deletedBy: "ben", reactions: [] },
      question: { text: "who comes along?", edited: false, deletedBy: null, reactions: [] },
    };
    for (const client of [ann, ben]) deepEqual(await seen(client), expected, client.user);

    await ann.quit();
    equal((await ann.ending()).code, 0);
    const soFar = ben.events.length;
    server.program.signal("SIGKILL");
    await server.program.ending();
    const again = await stage.server({ dataDir: server.dataDir, port: server.port });
    const back = await stage.joined(again, { user: "ann", json: true });
    const cid = await stage.joined(again, { user: "cid", json: true });
    await ben.event("state", ({ state }) => state === "ready", soFar);
    for (const client of [back, cid, ben]) deepEqual(await seen(client), expected, client.user);
  },
);

scenario("a topic and a pin are seen by all, after a restart, too, and can be taken back", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann", json: true });
  const room = "#garden";
  await done(ann, { type: "create", room, visibility: "public" });
  const ben = await stage.joined(server, { user: "ben", json: true });
  await done(ben, { type: "join", room });
  const rule = await said(ann, room, "be kind");
  await done(ann, { type: "pin", room, seq: rule, on: true }, {
    type: "topic",
    room,
    topic: "a place to rest",
  });
  equal((await deed(ben, room, { on: true })).about?.seq, rule);
  await deed(ben, room, { topic: "a place to rest" });
  await ben.event("room", ({ settings }) => settings.topic === "a place to rest");
  equal((await server.stop()).code, 0);
  for (const client of [ann, ben]) equal((await client.ending()).code, 75);

  const again = await stage.server({ dataDir: server.dataDir, port: server.port });
  const [annAgain, benAgain] = [
    await stage.joined(again, { user: "ann", json: true }),
    await stage.joined(again, { user: "ben", json: true }),
  ];
  const { rooms } = await answerOf(benAgain, { type: "rooms" }, "rooms");
  equal(rooms.find((each) => each.room === room)?.settings.topic, "a place to rest");
  await done(annAgain, { type: "topic", room, topic: "" }, { type: "pin", room, seq: rule, on: false });
  await benAgain.event("room", (event) => event.room === room && event.settings.topic === "");
  await deed(benAgain, room, { on: false });
});

scenario(
  "a conversation of two begins with a request, which is taken up or refused, and can be blocked",
  async (stage) => {
    const { ann, ben, cid, dan } = await people(stage);
    await ann.ask({ type: "send", room: "@ben", text: "a word in private" });
    await heard(ann, "@ben", "a word in private");
    const { asks, room, words } = await ben.event("request");
    deepEqual([asks, room, words.length], ["requested", "@ann", 12]);
    deepEqual(textsIn(ben, "@ann"), [], "nothing of it is shown before it is taken up");
    await done(ben, { type: "allow", room: "@ann", handle: "ann" });
    await heard(ben, "@ann", "a word in private");
    await said(ben, "@ann", "and one in return");
    await heard(ann, "@ben", "and one in return");
    for (const client of [cid, dan]) {
      deepEqual(
        eventsOf(client.events, "message"),
        [],
        "nobody else hears of it",
      );
    }

    // Refused: what is said further is, too.
    await said(cid, "@ben", "do you know me?");
    await ben.event("request", (event) => event.room === "@cid");
    await done(ben, { type: "deny", room: "@cid", handle: "cid" });
    await cid.ask({ type: "send", room: "@ben", text: "hello?" });
    const denied = await cid.event("error");
    deepEqual([denied.code, denied.room, denied.text], ["notAccepted", "@ben", "hello?"]);
    deepEqual(textsIn(ben, "@cid"), []);

    // Blocked: nothing comes any more, and it can be undone.
    await done(ben, { type: "block", handle: "ann" });
    await ann.ask({ type: "send", room: "@ben", text: "are you angry?" });
    deepEqual((await ann.event("error")).code, "blocked");
    await done(ben, { type: "block", handle: "dan" });
    await dan.ask({ type: "send", room: "@ben", text: "psst" });
    deepEqual((await dan.event("error")).code, "blocked");
    await done(ben, { type: "unblock", handle: "ann" });
    await said(ann, "@ben", "thank you");
    await heard(ben, "@ann", "thank you");
    ok(!textsIn(ben, "@ann").includes("are you angry?"));
  },
);

scenario(
  "people see who is at hand, who is away, who writes, and what was read, as far as they want",
  async (stage) => {
    const { ann, ben } = await people(stage);
    await done(ann, { type: "send", room: "@ben", text: "are you there?" });
    await ben.event("request");
    await done(ben, { type: "allow", room: "@ann", handle: "ann" });
    await ben.ask({ type: "typing", room: "@ann", on: true });
    await ann.event("typing", ({ room, handle, on }) => room === "@ben" && handle === "ben" && on);
    await ben.ask({ type: "away", text: "at lunch" });
    equal((await ann.event("presence", ({ change }) => change === "away")).text, "at lunch");
    await ben.ask({ type: "back" });
    await ann.event("presence", ({ change, names }) => change === "online" && names.includes("ben"), 8);
    await ben.ask({ type: "read", room: "@ann" });
    await ann.event("delivery", ({ room, state }) => room === "@ben" && state === "read");

    await done(ben, { type: "receipts", on: false });
    const seq = await said(ann, "@ben", "and now?");
    await heard(ben, "@ann", "and now?");
    await ben.ask({ type: "read", room: "@ann" });
    await said(ben, "@ann", "I have read it and do not say so");
    await heard(ann, "@ben", "I have read it and do not say so");
    deepEqual(
      eventsOf(ann.events, "delivery").filter((event) => event.seq >= seq && event.state === "read"),
      [],
    );
  },
);

/** Clients of one server, each of a person of its own, which speak JSON; the first comes first. */
async function people(stage: Stage): Promise<Record<"ann" | "ben" | "cid" | "dan", Client>> {
  const server = await stage.server();
  const client = (user: string): Promise<Client> => stage.joined(server, { user, json: true });
  return {
    ann: await client("ann"),
    ben: await client("ben"),
    cid: await client("cid"),
    dan: await client("dan"),
  };
}

/** What `client` is shown of those entries of the lobby, when it asks for them. */
async function factsOf<Name extends string>(
  client: Client,
  wanted: Readonly<Record<Name, number>>,
): Promise<Record<string, unknown>> {
  const from = client.events.length;
  await answerOf(client, { type: "history", room: "#lobby", limit: 100 }, "page");
  const messages = eventsOf(client.events.slice(from), "message");
  return Object.fromEntries(
    Object.entries<number>(wanted).map((
      [name, seq],
    ) => [name, facts(messages.find((each) => each.seq === seq))]),
  );
}

function facts(message: Extract<JsonEvent, { type: "message" }> | undefined): unknown {
  if (message === undefined) return undefined;
  const { text, edited, deletedBy, reactions } = message;
  return { text, edited, deletedBy, reactions };
}
