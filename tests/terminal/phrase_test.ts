import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { ClientEvent } from "../../lib/client/event.ts";
import { eventJson } from "../../lib/terminal/json_mode.ts";
import { painted } from "../../lib/terminal/layout.ts";
import { personName, quotedName } from "../../lib/terminal/names.ts";
import { faultSentence } from "../../lib/terminal/fault_sentence.ts";
import { localClock, localDay, phraseOf, type PhraseOptions } from "../../lib/terminal/phrase.ts";
import { displayNameFault } from "../../lib/text/display_name.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { FAULT_CODES } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { clock, deed, handle, message, room } from "./fake_talk.ts";

const DEVICES = [
  { name: "laptop", added: 0, revoked: undefined, here: true },
  { name: "my phone", added: 86_400_000, revoked: 172_800_000, here: false },
] as const;

/** What a person reads of `event`, as lines; of a notice, its sentence. */
function read(event: ClientEvent, options: PhraseOptions = {}): readonly string[] {
  const phrase = phraseOf(event, clock, options);
  if (phrase === undefined) return [];
  return phrase.kind === "notice" ? [phrase.sentence] : phrase.lines.map((line) => painted(line, false));
}

test("a verified message has ☒, a doubtful one ☐ and the reason, the operator's none", () => {
  deepEqual(read(message()), ["00:00:00 #lobby <ben> hello ☒"]);
  deepEqual(read(message({ display: "Ben Müller" })), ["00:00:00 #lobby <ben (Ben Müller)> hello ☒"]);
  deepEqual(read(message({ verified: false, reason: "bad signature" })), [
    "00:00:00 #lobby <ben> hello ☐ bad signature",
  ]);
  deepEqual(read(message({ verified: false, reason: undefined })), ["00:00:00 #lobby <ben> hello ☐"]);
  deepEqual(read(message({ from: "console", source: "console", verified: false })), [
    "00:00:00 #lobby <console> hello",
  ]);
  deepEqual(read(message({ from: "guest", source: "bridge", verified: false, reason: "bridged" })), [
    "00:00:00 #lobby <bridge> guest: hello ☐ bridged",
  ]);
});

test("whose words were compared has a sign behind the name, and nobody else", () => {
  deepEqual(read(message({ trust: "verified" })), ["00:00:00 #lobby <ben ✓> hello ☒"]);
  deepEqual(read(message({ trust: "verified", display: "Ben Müller" })), [
    "00:00:00 #lobby <ben (Ben Müller) ✓> hello ☒",
  ]);
  for (const trust of ["own", "seen"] as const) {
    deepEqual(read(message({ trust })), ["00:00:00 #lobby <ben> hello ☒"]);
  }
});

test("attack 32: nobody gives himself the sign of a compared name, nor one like it", () => {
  for (const sign of "✓✔☑✅🗸🗹√☒") {
    ok(displayNameFault(`Ben ${sign}`) !== undefined, sign);
    deepEqual(read(message({ from: "eve", display: `Ben ${sign}` })), ["00:00:00 #lobby <eve> hello ☒"]);
    ok(parseHandle(`ben${sign}`) === undefined, sign);
  }
});

test("what becomes known of somebody's keys is a line, and what is to be looked into says what to do", () => {
  const ben = handle("ben");
  const news = (kind: "deviceAdded" | "deviceRevoked" | "renamed", detail: string) =>
    read({ type: "keys", handle: ben, news: kind, detail });
  deepEqual(news("deviceAdded", "my phone"), ['* ben has a new device: "my phone"']);
  deepEqual(news("deviceRevoked", "my phone"), ['* ben has revoked a device: "my phone"']);
  deepEqual(news("renamed", "Ben"), ['* ben is now called "Ben"']);
  deepEqual(news("renamed", ""), ["* ben has no display name now"]);
  for (
    const [kind, remedy] of [
      ["identityChanged", /^\* The identity of ben has changed: .*\/whois ben, then \/accept ben$/],
      ["listRefused", /^\* The server shows devices of ben that do not follow .*; ask its operator$/],
    ] as const
  ) {
    const phrase = phraseOf({ type: "keys", handle: ben, news: kind, detail: undefined }, clock);
    ok(phrase?.kind === "said");
    match(phrase.lines.map((line) => painted(line, false)).join("\n"), remedy);
    equal(phrase.lines[0]?.[0]?.style, "doubtful");
  }
});

test("a request for approval shows its words, and how to answer it", () => {
  const [first, words, remedy, ...rest] = read({
    type: "approval",
    name: "my phone",
    words: ["one", "two", "three", "four", "five", "six"],
  });
  equal(first, '* A device that calls itself "my phone" asks to be one of yours. If it is yours, it shows:');
  equal(words, "one two three four five six");
  match(remedy ?? "", /\/approve "my phone"\. .*sotto password$/);
  deepEqual(rest, []);
});

test("one's devices are listed by name and day", () => {
  deepEqual(read({ type: "devices", devices: DEVICES }), [
    "* your devices:",
    '"laptop" since 1970-01-01, this one',
    '"my phone" since 1970-01-02, revoked 1970-01-03',
  ]);
});

test("a person is told by trust, words and devices", () => {
  const words = "a b c d e f g h i j k l".split(" ");
  const person = {
    type: "person",
    handle: handle("ben"),
    display: "Ben",
    words,
    devices: [DEVICES[0]],
  } as const;
  const shown = ["a b c d e f", "g h i j k l", '"laptop" since 1970-01-01, this one'];
  deepEqual(read({ ...person, trust: "verified" }), ["* ben (Ben): verified by these words", ...shown]);
  const [seen = ""] = read({ ...person, trust: "seen" });
  match(seen, /not verified; compare these words with ben by another way, then \/verify ben$/);
  const [changed = ""] = read({ ...person, trust: "changed" });
  match(changed, /THE IDENTITY HAS CHANGED; .*\/accept ben$/);
  deepEqual(read({ ...person, trust: "own" }), ["* ben (Ben): this is you", shown[2]]);
});

test("what was done is a notice", () => {
  deepEqual(phraseOf({ type: "done", what: "my phone is revoked." }, clock), {
    kind: "notice",
    sentence: "my phone is revoked.",
  });
});

test("every fault has its sentence, with the room, what was to be said, and how long to wait", () => {
  for (const code of FAULT_CODES) {
    match(faultSentence({ code }), /^Cannot [a-z ]+: [^;]+; [^;]+$/);
    match(
      faultSentence({ code, room: "#dev", text: "x".repeat(1_000), wait: 2_001 }),
      /^Cannot [a-z ]+ in(?:to)? #dev: [^;]+; [^;]+ in 3 s \(not sent: x{100}…\)$/,
    );
  }
});

test("what became of a message since it was said stands behind it", () => {
  deepEqual(read(message({ edited: true })), ["00:00:00 #lobby <ben> hello (edited) ☒"]);
  deepEqual(
    read(message({ reactions: [{ reaction: "👍", by: ["ann", "cas"] }, { reaction: "😀", by: ["ann"] }] })),
    ["00:00:00 #lobby <ben> hello (👍 2, 😀 1) ☒"],
  );
  deepEqual(read(message({ deletedBy: "cas", text: "", edited: true })), [
    "00:00:00 #lobby <ben> (deleted by cas) ☒",
  ]);
});

test("a reply names what it answers, by as much of it as is needed", () => {
  const about = { sequence: 12, from: "ann", text: "How long is a piece of string, and why is that so?" };
  deepEqual(read(message({ kind: "reply", about })), [
    "00:00:00 #lobby <ben> (re #12 ann: How long is a piece of string,…) hello ☒",
  ]);
  deepEqual(read(message({ kind: "reply", about: { sequence: 12, from: undefined, text: undefined } })), [
    "00:00:00 #lobby <ben> (re #12) hello ☒",
  ]);
});

test("a file has its number, name and size; what the server says has no angle brackets", () => {
  const file = { id: "", name: "my picture.png", size: 999 };
  deepEqual(read(message({ kind: "file", file, sequence: 7 })), [
    '00:00:00 #lobby #7 <ben> (file "my picture.png", 999 octets) ☒',
  ]);
  const server = { source: "server", from: "server", kind: "notice", verified: false } as const;
  deepEqual(read(message(server)), ["00:00:00 #lobby * the server: hello"]);
});

/** What each entry of a log is to people, done by ben. */
const DEEDS: readonly (readonly [what: EntryBody | undefined, words: string])[] = [
  [undefined, "an entry of ben was deleted, or cannot be read"],
  [{ kind: "text", body: { text: "hi" } }, "ben said: hi"],
  [{ kind: "notice", body: { source: "bridge", name: "guest", text: "hi" } }, "guest said: hi"],
  [{ kind: "delete", body: {} }, "ben deleted #4 of cas"],
  [{ kind: "delete", body: { reason: "rude" } }, "ben deleted #4 of cas: rude"],
  [{ kind: "reaction", body: { reaction: "👍", on: true } }, "ben reacted to #4 of cas: 👍"],
  [{ kind: "reaction", body: { reaction: "👍", on: false } }, "ben took a reaction to #4 of cas back: 👍"],
  [{ kind: "pin", body: { on: true } }, "ben pinned #4 of cas"],
  [{ kind: "pin", body: { on: false } }, "ben took the pin from #4 of cas"],
  [{ kind: "topic", body: { topic: "Tea" } }, "ben set the topic: Tea"],
  [{ kind: "topic", body: { topic: "" } }, "ben took the topic away"],
  [{ kind: "membership", body: { change: "join" } }, "ben joined"],
  [{ kind: "membership", body: { change: "part" } }, "ben left"],
  [{ kind: "membership", body: { change: "invite", handle: handle("cas") } }, "ben invited cas"],
  [
    { kind: "membership", body: { change: "uninvite", handle: handle("cas") } },
    "ben took the invitation of cas back",
  ],
  [{ kind: "membership", body: { change: "knock" } }, "ben asks to come in"],
  [{ kind: "membership", body: { change: "allow", handle: handle("cas") } }, "ben let cas in"],
  [{ kind: "membership", body: { change: "deny", handle: handle("cas") } }, "ben turned cas away"],
  [
    { kind: "moderation", body: { act: "role", handle: handle("cas"), role: "operator" } },
    "ben made cas an operator",
  ],
  [{ kind: "moderation", body: { act: "kick", handle: handle("cas") } }, "ben put cas out"],
  [
    { kind: "moderation", body: { act: "ban", handle: handle("cas"), until: 60_000, reason: "rude" } },
    `ben banned cas until ${localDay(60_000)} ${localClock(60_000).slice(0, 5)}: rude`,
  ],
  [{ kind: "moderation", body: { act: "unban", handle: handle("cas") } }, "ben ended the ban of cas"],
  [{ kind: "moderation", body: { act: "mute", handle: handle("cas") } }, "ben muted cas"],
  [{ kind: "moderation", body: { act: "unmute", handle: handle("cas") } }, "ben lets cas speak again"],
  [
    { kind: "room", body: { act: "create", kind: "open", name: "#dev", visibility: "private" } },
    "ben made the room #dev, private",
  ],
  [
    { kind: "room", body: { act: "create", kind: "direct", with: handle("cas") } },
    "ben began a conversation with cas",
  ],
  [{ kind: "room", body: { act: "rename", name: "#hall" } }, "ben gave the room another name: #hall"],
  [{ kind: "room", body: { act: "visibility", visibility: "private" } }, "ben made the room private"],
  [{ kind: "room", body: { act: "history", history: 1 } }, "ben lets newcomers read the last 1 message"],
  [
    { kind: "room", body: { act: "history", history: 0 } },
    "ben lets newcomers read nothing of what was said before",
  ],
  [
    { kind: "room", body: { act: "history", history: "all" } },
    "ben lets newcomers read all that was said before",
  ],
  [{ kind: "room", body: { act: "retention", days: 30 } }, "ben lets messages be dropped after 30 days"],
  [{ kind: "room", body: { act: "retention", days: 0 } }, "ben lets messages be kept for good"],
  [{ kind: "room", body: { act: "slow", seconds: 5 } }, "ben set slow mode: one message in 5 s"],
  [{ kind: "room", body: { act: "slow", seconds: 0 } }, "ben ended slow mode"],
  [{ kind: "room", body: { act: "lockdown", on: true } }, "ben locked the room down: only operators speak"],
  [{ kind: "room", body: { act: "lockdown", on: false } }, "ben ended the lockdown"],
];

test("every entry of a log that is no message says who did what", () => {
  const about = { sequence: 4, from: "cas", text: "never shown again" };
  for (const [what, words] of DEEDS) deepEqual(read(deed(what, { about })), [`00:00:00 #lobby * ${words}`]);
});

test("what the server does in a room is told of whom it concerns", () => {
  const server = { source: "server", from: "server", verified: false } as const;
  deepEqual(
    read(
      deed({ kind: "membership", body: { change: "join", handle: handle("cas"), role: "owner" } }, server),
    ),
    ["00:00:00 #lobby * cas joined"],
  );
  deepEqual(read(deed({ kind: "membership", body: { change: "part", handle: handle("cas") } }, server)), [
    "00:00:00 #lobby * cas is gone: the account was removed",
  ]);
  const keys = { handle: handle("ben"), identity: new Uint8Array(32), number: 1, list: new Uint8Array(32) };
  deepEqual(read(deed({ kind: "keys", body: keys }, server)), []);
});

test("an edit shows the new text with its mark, another deed only a doubt", () => {
  const edit = { kind: "edit", body: { text: "one\ntwo" } } as const;
  deepEqual(read(deed(edit, { about: { sequence: 4, from: "ben", text: "old" } })), [
    "00:00:00 #lobby * ben changed #4 of ben: one",
    "two ☒",
  ]);
  const topic = { kind: "topic", body: { topic: "Tea" } } as const;
  deepEqual(read(deed(topic, { verified: false, reason: "unknown device" })), [
    "00:00:00 #lobby * ben set the topic: Tea ☐ unknown device",
  ]);
});

test("presence is told without a room", () => {
  const names = [handle("ann"), handle("ben")];
  const presence = (change: "here" | "online" | "away" | "offline", text?: string) =>
    read({ type: "presence", change, names: change === "here" ? names : names.slice(1), text, time: 0 });
  deepEqual(presence("here"), ["00:00:00 * here: ann, ben"]);
  deepEqual(presence("online"), ["00:00:00 * ben is online"]);
  deepEqual(presence("away", "lunch"), ["00:00:00 * ben is away: lunch"]);
  deepEqual(presence("offline"), ["00:00:00 * ben is offline"]);
});

test("a room is told with all that is unusual about it, and at the beginning only where there is something", () => {
  const settings = {
    visibility: "private",
    topic: "Tea",
    history: "all",
    retention: 1,
    slow: 5,
    lockdown: true,
  } as const;
  deepEqual(read(room()), []);
  deepEqual(read(room({ news: "changed", unread: 3 })), []);
  deepEqual(read(room({ unread: 3 })), ["* #lobby, 2 people, 3 unread"]);
  deepEqual(read(room({ news: "joined", role: "owner", members: 1, settings })), [
    "* you are in #lobby (owner), 1 person, private, locked down, slow mode 5 s, kept for 1 day, topic: Tea",
  ]);
  deepEqual(read(room({ standing: "invited" })), []);
  const { type: _, news: __, ...facts } = room();
  deepEqual(
    read({
      type: "rooms",
      rooms: [
        facts,
        { ...facts, room: "@ben", kind: "direct", unread: 1 },
        { ...facts, room: "#dev", standing: "invited" },
        { ...facts, room: "#den", standing: "knocking" },
        { ...facts, room: "@cas", kind: "direct", standing: "requested" },
      ],
    }),
    [
      "* your rooms:",
      "#lobby, 2 people",
      "@ben, 1 unread",
      "#dev: you are invited; /join #dev",
      "#den: you have asked to come in",
      "@cas asks to talk to you; /allow @cas or /deny @cas",
    ],
  );
  deepEqual(read({ type: "rooms", rooms: [] }), ["* you are in no room"]);
});

test("rooms that anybody may join, and who is in one, are lists", () => {
  deepEqual(
    read({
      type: "directory",
      rooms: [{ room: "#dev", topic: "Tea", members: 3 }, { room: "#x", topic: "", members: 1 }],
    }),
    ["* rooms that anybody may join:", "#dev, 3 people, Tea", "#x, 1 person"],
  );
  deepEqual(read({ type: "directory", rooms: [] }), [
    "* there are no rooms that anybody may join; /create #NAME makes one",
  ]);
  deepEqual(
    read({
      type: "members",
      room: "#dev",
      members: [
        { handle: handle("cas"), role: "member", state: "online" },
        { handle: handle("ben"), role: "owner", state: "online" },
        { handle: handle("dan"), role: "muted", state: "offline" },
      ],
    }),
    ["* #dev, 3 people:", "online: ben (owner), cas", "offline: dan (muted)"],
  );
});

test("a page of history says where it ends, and how to go on", () => {
  const page = (first: number | undefined, last: number | undefined, more: boolean) =>
    read({ type: "page", room: "#dev", first, last, more }).join();
  equal(page(51, 100, true), "* #dev #51 to #100; /more shows what came before");
  equal(page(1, 1, false), "* #dev #1, from the beginning");
  equal(page(undefined, undefined, false), "* #dev: there is nothing");
});

test("what is known of a log names each flaw by its numbers and what it means", () => {
  const integrity = { type: "integrity", room: "#dev", from: 1, upTo: 1_043, asked: true } as const;
  deepEqual(read({ ...integrity, flaws: [] }), [
    "* #dev is complete from #1 to #1043: every entry is there, in its place, and genuine",
  ]);
  const kinds = ["missing", "rewritten", "forked", "withheld", "cutBack"] as const;
  const lines = read({ ...integrity, flaws: kinds.map((kind, at) => ({ kind, from: 5, to: 5 + at })) });
  equal(lines[0], "* #dev is NOT as it was written, of what was read up to #1043:");
  for (const [at, kind] of kinds.entries()) {
    match(lines[at + 1] ?? "", new RegExp(`^${kind} #5${at === 0 ? "" : ` to #${5 + at}`}: .+`));
  }
  match(lines.at(-1) ?? "", /ask its operator$/);
});

test("who asks for something is told with how to answer", () => {
  const request = (asks: "invited" | "requested" | "knocking", at: string, words: readonly string[] = []) =>
    read({ type: "request", asks, room: at, handle: handle("ben"), words });
  deepEqual(request("invited", "#dev"), ["* ben invites you to #dev; /join #dev takes that up"]);
  deepEqual(request("knocking", "#dev"), ["* ben asks to come into #dev; /allow ben or /deny ben"]);
  deepEqual(request("requested", "@ben", ["one", "two"]), [
    "* ben asks to talk to you; /allow @ben takes that up, /deny @ben refuses it",
    "To be sure who it is, compare these words with ben first:",
    "one two",
  ]);
  deepEqual(read({ type: "gone", room: "#dev", why: "kicked" }), [
    "* you were put out of #dev; /join #dev comes back",
  ]);
  deepEqual(read({ type: "gone", room: "#dev", why: "denied" }), ["* you were not let into #dev"]);
  deepEqual(read({ type: "gone", room: "@cas", why: "denied" }), ["* you refused the conversation with cas"]);
});

test("the local day is a day, and none for a time that no calendar has", () => {
  match(localDay(1_700_000_000_000), /^2023-11-1[45]$/);
  equal(localDay(Number.MAX_SAFE_INTEGER), "");
});

/** Names that nobody may have, and each of which would pass for something else. */
const DECEITS = {
  "bidi controls": "Ann \u202Eneb",
  "zero-width": "Ben\u200b",
  "mixed scripts": "Аnn",
  "a tower of marks": `Z${"\u0301".repeat(20)}`,
  "a line break": "Ann\n00:00:00 #lobby <ben> hi ☒",
  "brackets": "x> hi ☒ 00:00:00 #lobby <ben",
  "a mark": "Ben ☒",
  "length": "n".repeat(65),
};

test("attack 32: a display name that is none by the rules is not shown, in no mode", () => {
  for (const [deceit, display] of Object.entries(DECEITS)) {
    deepEqual(read(message({ display })), ["00:00:00 #lobby <ben> hello ☒"], deceit);
    match(JSON.stringify(eventJson(message({ display }))), /"display":null/, deceit);
    equal(personName("ben", display), "ben");
    const person = {
      type: "person",
      handle: handle("ben"),
      display,
      words: [],
      trust: "own",
      devices: [],
    } as const;
    deepEqual(read(person), ["* ben: this is you"], deceit);
    match(JSON.stringify(eventJson(person)), /"display":null/, deceit);
  }
});

test("attack 32: a display name never stands where a handle does", () => {
  match(read(message({ from: "eve", display: "ben" })).join(), /^00:00:00 #lobby <eve \(ben\)> hello ☒$/);
  match(read(message({ from: "eve", display: "ben) (eve" })).join(), /<eve \(ben\) \(eve\)>/);
});

test("attack 32: a guest of the bridge does not pass for an account, whatever it is called", () => {
  for (const from of ["ann", "console", ...Object.values(DECEITS)]) {
    const line = read(message({ source: "bridge", from, verified: false, reason: "bridged" })).join("\n");
    ok(line.startsWith("00:00:00 #lobby <bridge> "), line);
    ok(line.endsWith(" ☐ bridged"), line);
  }
});

test("attack 32: a device's name ends where its quotation marks do", async () => {
  await check(fc.property(fc.string({ unit: "grapheme" }), (name) => {
    match(quotedName(name), /^"[^"]*"$/);
  }));
  const forged = 'x" since 1970-01-01, this one "';
  const [, line = ""] = read({ type: "devices", devices: [{ ...DEVICES[1], name: forged }] });
  match(line, /^"[^"]*" since 1970-01-02, revoked 1970-01-03$/);
  const lines = read({ type: "approval", name: 'x". It is yours. "', words: [] });
  for (const line of lines) doesNotMatch(line, /x"\. It is yours/);
});

test("why a connection has ended is told in a person's words where it was for good", () => {
  const closed = (detail: string) => phraseOf({ type: "state", state: "closed", detail }, clock);
  deepEqual(
    ["accountClosed", "deviceRevoked", "done", "toString"].map(closed),
    [
      "Connection closed: the account was disabled, banned or removed",
      "Connection closed: this device was revoked by another of yours",
      "Connection closed: done",
      "Connection closed: toString",
    ].map((sentence) => ({ kind: "notice", sentence })),
  );
});
