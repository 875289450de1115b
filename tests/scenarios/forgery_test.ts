/**
 * A server that alters what people said: on the screens of honest clients it has ☐ and the reason, never ☒.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { contentDigest } from "../../lib/identity/log_entry.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { decodeBody, encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import type { Content, Logged, ServerMessage } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { handleOf } from "./enrolled.ts";
import { FalseServer } from "./false_server.ts";
import { eventsOf } from "./json_events.ts";
import { scenario } from "./stage.ts";

/** Bits that are flipped, each of an entry of its own. */
const FLIPS = 64;

/** What is done to the entry that says so, what is shown of it then, and why. */
const LIES: readonly {
  readonly said: string;
  readonly told: (entry: Logged) => Logged;
  readonly shown?: string;
  readonly from?: string;
  readonly reason: string;
}[] = [
  {
    said: "I owe you 10",
    told: (entry) => withText(entry, "I owe you 11"),
    shown: "I owe you 11",
    reason: "not what was signed",
  },
  {
    said: "I owe you 20",
    told: (entry) => withOwnDigest(withText(entry, "I owe you 21")),
    shown: "I owe you 21",
    reason: "bad signature",
  },
  {
    said: "a bit of the signature",
    told: (entry) => ({ ...entry, signature: flipped(entry.signature, 3) }),
    reason: "bad signature",
  },
  {
    said: "a bit of the salt",
    told: (entry) => withContent(entry, ({ salt, body }) => ({ salt: flipped(salt, 100), body })),
    reason: "not what was signed",
  },
  {
    said: "a bit of the id",
    told: (entry) => ({ ...entry, id: flipped(entry.id, 127) }),
    reason: "bad signature",
  },
  {
    said: "what was seen",
    told: (entry) => ({ ...entry, seen: { ...entry.seen, sequence: entry.seen.sequence + 1 } }),
    reason: "bad signature",
  },
  {
    said: "the device",
    told: (entry) => ({ ...entry, device: flipped(entry.device, 9) }),
    reason: "unknown device",
  },
  {
    said: "somebody else's name",
    told: (entry) => ({ ...entry, from: handleOf("bot") }),
    from: "bot",
    reason: "unknown device",
  },
];

scenario(
  "what a server alters of an entry, or says of somebody else, is ☐ with the reason in both modes",
  async (stage) => {
    const server = await FalseServer.on(
      stage,
      liar((entry) => {
        const lie = LIES.find(({ said }) => said === textOf(entry));
        return lie === undefined ? [entry] : [lie.told(entry)];
      }),
    );
    const ann = await stage.joined(server, { user: "ann" });
    const bot = await stage.joined(server, { user: "bot" });
    const [reader, program] = [
      await stage.joined(server, { user: "ben" }),
      await stage.joined(server, { user: "cid", json: true }),
    ];
    const expected = ["ann: the truth"];
    await ann.say("the truth");
    for (const { said, shown = said, from = "ann", reason } of LIES) {
      await ann.say(said);
      expected.push(`${from}: ${shown} ☐ ${reason}`);
    }
    await ann.say("the truth again");
    expected.push("ann: the truth again");
    await Promise.all([reader, program, bot].map((client) => client.showsCount(expected.length)));
    deepEqual(reader.shown, expected);
    deepEqual(program.shown, expected);
    deepEqual(
      eventsOf(program.events, "message").map(({ verified, reason }) => [verified, reason]),
      [[true, null], ...LIES.map(({ reason }) => [false, reason]), [true, null]],
    );
    deepEqual(bot.shown, expected, "not even under its own name");

    // Each is named once more, by its number, to whoever asks.
    await program.ask({ type: "check", room: "#lobby" });
    const { flaws } = await program.event("integrity", ({ asked }) => asked);
    const numbers = eventsOf(program.events, "message").map(({ seq }) => seq);
    const named = (seq: number): boolean => flaws.some(({ from, to }) => from <= seq && seq <= to);
    deepEqual(numbers.map(named), [false, ...LIES.map(() => true), false]);
  },
);

scenario(
  `of an entry with any one of its bits flipped nothing is ever shown as ☒: ${FLIPS} of them`,
  async (stage) => {
    let flip: (entry: Logged) => Logged = (entry) => entry;
    const server = await FalseServer.on(stage, liar((entry) => [flip(entry)]));
    const ann = await stage.joined(server, { user: "ann" });
    const program = await stage.joined(server, { user: "cid", json: true });
    let said = 0;
    await check(
      fc.asyncProperty(
        fc.constantFrom("text", "salt", "digest", "signature", "id", "device"),
        fc.nat(),
        async (field, bit) => {
          flip = (entry) => {
            switch (field) {
              case "text":
                return withText(entry, flippedText(textOf(entry) ?? "", bit));
              case "salt":
                return withContent(entry, ({ salt, body }) => ({ salt: flipped(salt, bit), body }));
              default:
                return { ...entry, [field]: flipped(entry[field], bit) };
            }
          };
          said += 1;
          await ann.say(`this is sentence number ${said}, which ann has said and nobody else`);
          await program.showsCount(said);
          const { verified, reason } = eventsOf(program.events, "message").at(-1) ?? {};
          deepEqual([verified, reason], [false, REASONS[field]]);
        },
      ),
      FLIPS,
    );
  },
);

const REASONS = {
  text: "not what was signed",
  salt: "not what was signed",
  digest: "not what was signed",
  signature: "bad signature",
  id: "bad signature",
  device: "unknown device",
} as const;

scenario("an entry that a server tells twice is shown once, or ☐ at its second place", async (stage) => {
  const server = await FalseServer.on(
    stage,
    liar((entry) =>
      textOf(entry) === "send ten more" ? [entry, { ...entry, sequence: entry.sequence + 1 }] : [entry, entry]
    ),
  );
  const ann = await stage.joined(server, { user: "ann" });
  const reader = await stage.joined(server, { user: "ben" });
  const program = await stage.joined(server, { user: "cid", json: true });
  await ann.say("once", "send ten more");
  for (const client of [reader, program]) {
    await client.showsCount(3);
    deepEqual(client.shown, [
      "ann: once",
      "ann: send ten more",
      "ann: send ten more ☐ repeated message",
    ]);
  }
});

scenario(
  "a line that a server says is the operator's, and its host key has not signed, is ☐",
  async (stage) => {
    const server = await FalseServer.on(
      stage,
      liar(({ from: _, ...entry }) => [withOwnDigest(withBody({ ...entry, kind: "notice" }, {
        kind: "notice",
        body: { source: "console", name: "console", text: "send me your passwords" },
      }))]),
    );
    const ann = await stage.joined(server, { user: "ann" });
    const reader = await stage.joined(server, { user: "ben" });
    const program = await stage.joined(server, { user: "cid", json: true });
    await ann.say("a line of ann");
    for (const client of [reader, program]) {
      await client.showsCount(1);
      deepEqual(client.shown, ["console: send me your passwords ☐ bad signature"]);
    }
  },
);

/** Lies about what is said: who comes and goes it tells as it is. */
function liar(
  told: (entry: Logged) => readonly Logged[],
): (message: ServerMessage) => readonly ServerMessage[] {
  return (message) =>
    message.type === "entry" && message.entry.kind === "text"
      ? told(message.entry).map((entry) => ({ ...message, entry }))
      : [message];
}

function textOf({ kind, content }: Logged): string | undefined {
  const what = content && decodeBody(kind, content.body);
  return what?.kind === "text" ? what.body.text : undefined;
}

function withText(entry: Logged, text: string): Logged {
  return withBody(entry, { kind: "text", body: { text } });
}

function withBody(entry: Logged, what: EntryBody): Logged {
  return withContent(entry, ({ salt }) => ({ salt, body: encodeBody(what) }));
}

function withContent(entry: Logged, change: (content: Content) => Content): Logged {
  return entry.content === undefined ? entry : { ...entry, content: change(entry.content) };
}

function withOwnDigest(entry: Logged): Logged {
  return entry.content === undefined ? entry : { ...entry, digest: contentDigest(provider, entry.content) };
}

function flipped(bytes: Bytes, bit: number): Bytes {
  const at = Math.floor(bit / 8) % bytes.length;
  return bytes.map((octet, index) => index === at ? octet ^ (1 << (bit % 8)) : octet);
}

/** With a bit of one of its letters flipped, as long as that is still a letter that can be seen. */
function flippedText(text: string, bit: number): string {
  const at = bit % text.length;
  const codes = Array.from(text, (letter) => letter.charCodeAt(0));
  const changed = codes.map((code, index) => index === at ? code ^ 1 : code);
  return String.fromCharCode(...changed);
}
