/**
 * A server that alters what people said: on the screens of honest clients it has ☐ and the reason, never ☒.
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Entry, ServerMessage } from "../../lib/wire/message.ts";
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
  readonly told: (entry: Entry) => Entry;
  readonly shown?: string;
  readonly from?: string;
  readonly reason: string;
}[] = [
  {
    said: "I owe you 10",
    told: (entry) => ({ ...entry, text: "I owe you 11" }),
    shown: "I owe you 11",
    reason: "bad signature",
  },
  {
    said: "a bit of the signature",
    told: (entry) => ({ ...entry, signature: flipped(entry.signature, 3) }),
    reason: "bad signature",
  },
  {
    said: "a bit of the salt",
    told: (entry) => ({ ...entry, salt: flipped(entry.salt, 100) }),
    reason: "bad signature",
  },
  {
    said: "a bit of the id",
    told: (entry) => ({ ...entry, id: flipped(entry.id, 127) }),
    reason: "bad signature",
  },
  { said: "what was seen", told: (entry) => ({ ...entry, seen: entry.seen + 1 }), reason: "bad signature" },
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
        const lie = LIES.find(({ said }) => said === entry.text);
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
  },
);

scenario(
  `of an entry with any one of its bits flipped nothing is ever shown as ☒: ${FLIPS} of them`,
  async (stage) => {
    let flip: (entry: Entry) => Entry = (entry) => entry;
    const server = await FalseServer.on(stage, liar((entry) => [flip(entry)]));
    const ann = await stage.joined(server, { user: "ann" });
    const program = await stage.joined(server, { user: "cid", json: true });
    let said = 0;
    await check(
      fc.asyncProperty(
        fc.constantFrom("text", "signature", "salt", "id", "device"),
        fc.nat(),
        async (field, bit) => {
          flip = (entry) =>
            field === "text"
              ? { ...entry, text: flippedText(entry.text, bit) }
              : { ...entry, [field]: flipped(entry[field], bit) };
          said += 1;
          await ann.say(`this is sentence number ${said}, which ann has said and nobody else`);
          await program.showsCount(said);
          const { verified, reason } = eventsOf(program.events, "message").at(-1) ?? {};
          deepEqual([verified, reason], [false, field === "device" ? "unknown device" : "bad signature"]);
        },
      ),
      FLIPS,
    );
  },
);

scenario("an entry that a server tells twice is ☐ the second time", async (stage) => {
  const server = await FalseServer.on(
    stage,
    liar((entry) => [entry, { ...entry, sequence: entry.sequence + 1 }]),
  );
  const ann = await stage.joined(server, { user: "ann" });
  const reader = await stage.joined(server, { user: "ben" });
  const program = await stage.joined(server, { user: "cid", json: true });
  await ann.say("send ten more");
  for (const client of [reader, program]) {
    await client.showsCount(2);
    deepEqual(client.shown, ["ann: send ten more", "ann: send ten more ☐ repeated message"]);
  }
});

scenario(
  "lines that a server says are the operator's, and are not signed by its host key, end the conversation",
  async (stage) => {
    const server = await FalseServer.on(
      stage,
      liar((entry) => [{
        type: "notice",
        room: entry.room,
        sequence: entry.sequence,
        id: entry.id,
        source: "console",
        name: "console",
        time: entry.time,
        text: entry.text,
        signature: entry.signature,
      }]),
    );
    const ann = await stage.joined(server, { user: "ann" });
    const reader = await stage.joined(server, { user: "ben" });
    await ann.say("send me your passwords");
    const { code, err } = await reader.ending();
    equal(code, 76);
    equal(
      err.at(-1),
      `Cannot go on with ${server.address}: it sent a message that makes no sense; try again.`,
    );
    deepEqual(reader.shown, []);
  },
);

function liar(
  told: (entry: Entry) => readonly ServerMessage[],
): (message: ServerMessage) => readonly ServerMessage[] {
  return (message) => message.type === "entry" ? told(message) : [message];
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
