/**
 * What somebody may not do, and rooms and people that are not there: one sentence each, and nothing has changed.
 *
 * @module
 */

import { deepEqual, equal, match } from "node:assert/strict";
import { answerOf, done, type Request, said } from "./asking.ts";
import { eventsOf } from "./json_events.ts";
import { type Client, scenario } from "./stage.ts";

/** Who asks where, and what must be asked besides the room; of each the sentence that is the answer. */
type Walk = readonly (readonly [Request, RegExp])[];

const NOT_ALLOWED =
  /^Cannot do that in #garden: your role there does not allow it; ask an owner or operator of the room$/;
const NOT_IN = /^Cannot do that in #\w+: you are not in that room; come in by \/join #\w+\.$/;
const UNKNOWN_PERSON =
  /^Cannot do that(?: in #garden)?: there is no such person, or not there; \/names shows who is in a room$/;
const NOT_SEEN =
  /^Cannot \w+(?: about)? nobody: nobody of that name was seen here; \/names lists who is here\.$/;
const UNCHANGED = /^Cannot do that in #garden: it is so already; nothing is left to do$/;

/** What owners and operators do; a member may do none of it to somebody above. */
function keepingOrder(seq: number): readonly Request[] {
  return [
    { type: "edit", seq, text: "what ann never said" },
    { type: "delete", seq },
    { type: "pin", seq, on: true },
    { type: "topic", topic: "mine" },
    { type: "allow", handle: "cid" },
    { type: "deny", handle: "cid" },
    { type: "rename", name: "#mine" },
    { type: "visibility", visibility: "private" },
    { type: "newcomers", history: 0 },
    { type: "retention", days: 1 },
    { type: "slow", seconds: 60 },
    { type: "lockdown", on: true },
    { type: "role", handle: "ann", role: "member" },
    { type: "role", handle: "ben", role: "owner" },
    { type: "kick", handle: "ann" },
    { type: "ban", handle: "ann", lasting: 60_000 },
    { type: "unban", handle: "cid" },
    { type: "mute", handle: "ann" },
    { type: "unmute", handle: "ann" },
  ];
}

/** What whoever is in a room does there. */
function takingPart(seq: number): readonly Request[] {
  return [
    { type: "send", text: "is anybody there?" },
    { type: "reply", seq, text: "yes" },
    { type: "react", seq, reaction: "👍", on: true },
    { type: "put", path: "picture.png" },
    { type: "get", seq },
    { type: "history" },
    { type: "members" },
    { type: "check" },
    { type: "read" },
    { type: "part" },
    { type: "invite", handle: "ann" },
    { type: "uninvite", handle: "ann" },
  ];
}

scenario(
  "whoever has no right to something is told so in a sentence, once, and nothing has changed",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const ben = await stage.joined(server, { user: "ben", json: true });
    const cid = await stage.joined(server, { user: "cid", json: true });
    await done(
      ann,
      { type: "create", room: "#garden", visibility: "public" },
      { type: "create", room: "#cellar", visibility: "private" },
    );
    await done(ben, { type: "join", room: "#garden" });
    const seq = await said(ann, "#garden", "good morning");
    await ben.event("message", ({ text }) => text === "good morning");
    const before = await stateOf(ann);

    await refused(ben, "#garden", keepingOrder(seq).map((request) => [request, NOT_ALLOWED]));
    const strangers = [...keepingOrder(seq), ...takingPart(seq)].map((request) => [request, NOT_IN] as const);
    for (const room of ["#garden", "#cellar", "#nowhere"]) await refused(cid, room, strangers);
    await refused(cid, "#cellar", [[
      { type: "join" },
      /^Cannot come into #cellar: the room is private; \/knock and wait for an answer, or be invited$/,
    ]]);
    for (const type of ["join", "knock"]) {
      await refused(cid, "#nowhere", [[
        { type },
        /^Cannot find #nowhere: there is no such room; see \/list, or make it by \/create #nowhere\.$/,
      ]]);
    }
    for (const room of ["#garden", "#cellar", "#lobby", "#ce11ar"]) {
      await refused(cid, room, [[
        { type: "create", visibility: "public" },
        /^Cannot use that name in #\w+: another room has it, or one that looks like it; choose another$/,
      ]]);
    }
    deepEqual(await stateOf(ann), before);
  },
);

scenario(
  "people and messages that are not there are told of in a sentence, once, and nothing has changed",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    await stage.joined(server, { user: "ben", json: true });
    await done(ann, { type: "create", room: "#garden", visibility: "public" });
    const before = await stateOf(ann);
    const handle = "nobody";
    const people: Walk = [
      ...["invite", "kick", "ban", "mute"].map((type) => [{ type, handle }, UNKNOWN_PERSON] as const),
      [{ type: "role", handle, role: "operator" }, UNKNOWN_PERSON],
      [{ type: "role", handle: "ben", role: "operator" }, UNKNOWN_PERSON],
      [{ type: "kick", handle: "ben" }, UNKNOWN_PERSON],
      ...["unban", "uninvite"].map((type) => [{ type, handle: "ben" }, UNCHANGED] as const),
      [{ type: "unmute", handle: "ben" }, UNKNOWN_PERSON],
      [{ type: "allow", handle: "ben" }, UNKNOWN_PERSON],
      [{ type: "slow", seconds: 0 }, UNCHANGED],
      [{ type: "lockdown", on: false }, UNCHANGED],
      [{ type: "topic", topic: "" }, UNCHANGED],
    ];
    await refused(ann, "#garden", people);
    const missing = /^Cannot find #99 in #garden: nothing of that number is known here; see \/history\.$/;
    await refused(ann, "#garden", [
      [{ type: "reply", seq: 99, text: "to whom?" }, missing],
      [{ type: "edit", seq: 99, text: "to what?" }, missing],
      [{ type: "delete", seq: 99 }, missing],
      [{ type: "react", seq: 99, reaction: "👍", on: true }, missing],
      [{ type: "pin", seq: 99, on: true }, missing],
      [
        { type: "get", seq: 99 },
        /^Cannot get #99 of #garden: no file is known under that number; see \/history\.$/,
      ],
      [{ type: "put", path: "/nowhere/at/all" }, /^Cannot .*\/nowhere\/at\/all: there is no such file/],
    ]);
    await refused(ann, undefined, [
      [{ type: "block", handle }, UNKNOWN_PERSON],
      [{ type: "whois", handle }, NOT_SEEN],
      [{ type: "verify", handle }, NOT_SEEN],
      [{ type: "accept", handle }, NOT_SEEN],
    ]);
    await refused(ann, "@nobody", [[
      { type: "send", text: "hello?" },
      /there is no such person/,
    ]]);
    await refused(ann, "@ann", [[
      { type: "send", text: "to myself" },
      /^Cannot send to yourself: nobody else is there; name another person\.$/,
    ]]);
    deepEqual(await stateOf(ann), before);
  },
);

/** Asks for each, in `room` where there is one, and asserts that the answer is that sentence and no other. */
async function refused(client: Client, room: string | undefined, walk: Walk): Promise<void> {
  for (const [request, sentence] of walk) {
    const asked = room === undefined ? request : { ...request, room };
    const from = client.events.length;
    await client.ask(asked);
    await client.event("error", () => true, from);
    // Whatever else came of it stands before the answer to this.
    await answerOf(client, { type: "rooms" }, "rooms");
    const told = eventsOf(client.events.slice(from), "error");
    equal(told.length, 1, `${JSON.stringify(asked)}: ${told.map((error) => error.sentence).join(" | ")}`);
    match(told[0]?.sentence ?? "", sentence, JSON.stringify(asked));
  }
}

/** All that `client` sees of its rooms. */
async function stateOf(client: Client): Promise<unknown> {
  const { rooms } = await answerOf(client, { type: "rooms" }, "rooms");
  const members = [];
  for (const { room } of rooms) members.push(await answerOf(client, { type: "members", room }, "members"));
  return { rooms, members };
}
