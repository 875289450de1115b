import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { ClientEvent } from "../../lib/client/event.ts";
import { eventJson } from "../../lib/terminal/json_mode.ts";
import { painted } from "../../lib/terminal/layout.ts";
import { personName, quotedName } from "../../lib/terminal/names.ts";
import { faultSentence, phraseOf } from "../../lib/terminal/phrase.ts";
import { displayNameFault } from "../../lib/text/display_name.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { FAULT_CODES } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { clock, handle, message } from "./fake_talk.ts";

const DEVICES = [
  { name: "laptop", added: 0, revoked: undefined, here: true },
  { name: "my phone", added: 86_400_000, revoked: 172_800_000, here: false },
] as const;

/** What a person reads of `event`, as lines; of a notice, its sentence. */
function read(event: ClientEvent): readonly string[] {
  const phrase = phraseOf(event, clock);
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

test("every fault has its sentence", () => {
  for (const code of FAULT_CODES) match(faultSentence(code), /^Cannot [a-z ]+: .+; .+$/);
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
