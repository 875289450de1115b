import { deepEqual, equal, ok } from "node:assert/strict";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../../lib/wire/cbor.ts";
import { decodeClientMessage, decodeServerMessage, encodeMessage } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { fenced, namedOctets, octets, section, tableRows } from "./document.ts";

/** Who sends each message of PROTOCOL §6, and in which subsection it stands. */
const MESSAGES: readonly Message[] = [
  { type: "read", number: "6.2", from: "client" },
  { type: "send", number: "6.3", from: "client" },
  { type: "entry", number: "6.4", from: "server" },
  { type: "ack", number: "6.5", from: "server" },
  { type: "presence", number: "6.6", from: "server" },
  { type: "fault", number: "6.7", from: "server" },
  { type: "page", number: "6.8", from: "server" },
  { type: "cards", number: "6.9", from: "server" },
  { type: "enter", number: "6.10", from: "client" },
  { type: "account", number: "6.11", from: "server" },
  { type: "publish", number: "6.12", from: "client" },
  { type: "recover", number: "6.13", from: "client" },
  { type: "recovery", number: "6.14", from: "server" },
  { type: "askApproval", number: "6.15", from: "client" },
  { type: "approval", number: "6.16", from: "server" },
  { type: "approve", number: "6.17", from: "client" },
  { type: "approved", number: "6.18", from: "server" },
  { type: "passwordRequest", number: "6.19", from: "client" },
  { type: "passwordResponse", number: "6.20", from: "server" },
  { type: "passwordRecord", number: "6.21", from: "client" },
  { type: "room", number: "6.31", from: "server" },
  { type: "gone", number: "6.32", from: "server" },
  { type: "ready", number: "6.33", from: "server" },
  { type: "list", number: "6.34", from: "client" },
  { type: "directory", number: "6.35", from: "server" },
  { type: "askMembers", number: "6.36", from: "client" },
  { type: "members", number: "6.37", from: "server" },
  { type: "askCards", number: "6.38", from: "client" },
  { type: "mark", number: "6.39", from: "client" },
  { type: "marks", number: "6.40", from: "server" },
  { type: "typing", number: "6.41", from: "client" },
  { type: "status", number: "6.42", from: "client" },
  { type: "block", number: "6.43", from: "client" },
  { type: "blocks", number: "6.44", from: "server" },
  { type: "fileBegin", number: "6.45", from: "client" },
  { type: "fileChunk", number: "6.46", from: "client" },
  { type: "fileState", number: "6.47", from: "server" },
  { type: "fileGet", number: "6.48", from: "client" },
  { type: "fileData", number: "6.49", from: "server" },
];

/** Fields that take one of some words: each table says which, followed by a colon. */
const CHOICES = [
  { type: "account", field: "role", words: ["owner", "member"] },
] as const;

/** A message of PROTOCOL §6. */
interface Message {
  readonly type: string;
  readonly number: string;
  readonly from: "client" | "server";
}

for (const { type, number, from } of MESSAGES) {
  const decoders = from === "client"
    ? { ours: decodeClientMessage, others: decodeServerMessage }
    : { ours: decodeServerMessage, others: decodeClientMessage };

  test(`PROTOCOL §${number}: the example of ${type} is one, and says what stands beside it`, () => {
    const bytes = example(number, type);
    const message = decoders.ours(bytes);
    equal(message?.type, type);
    deepEqual(message && encodeMessage(message), bytes);
    deepEqual(message && asDiagnosed(message), diagnosed(number));
    equal(decoders.others(bytes), undefined, "the other end does not send it");
  });

  test(`PROTOCOL §${number}: ${type} has exactly the fields of its table`, () => {
    const bytes = example(number, type);
    const fields = tableRows(section(number), "field").map(([field = ""]) => field);
    const shown = Object.keys(Object(decodeCbor(bytes)));
    const optional = tableRows(section(number), "field").filter(([, , meaning = ""]) =>
      meaning.startsWith("optional")
    );
    const left = optional.map(([field = ""]) => field).filter((field) => !shown.includes(field));
    deepEqual(fields.toSorted(), [...shown, ...left].toSorted());
    const count = bytes[0] ?? 0;
    const unknown = concat(
      Uint8Array.of(count + 1),
      bytes.slice(1),
      Uint8Array.fromHex("6a7a7a7a7a7a7a7a7a7a7a01"),
    );
    equal(Object.keys(Object(decodeCbor(unknown))).length, shown.length + 1, "it is well-formed CBOR");
    equal(decoders.ours(unknown), undefined, "a field that is not in the table is refused");
  });
}

test("PROTOCOL §6: a field may be left out where its table says optional, and nowhere else", () => {
  for (const { type, number, from } of MESSAGES) {
    const decode = from === "client" ? decodeClientMessage : decodeServerMessage;
    for (const [field = "", , meaning = ""] of tableRows(section(number), "field")) {
      const { [field]: there, ...rest } = Object(decodeCbor(example(number, type)));
      if (there === undefined) continue;
      equal(
        decode(encodeCbor(rest)) !== undefined,
        meaning.startsWith("optional"),
        `${type} without ${field}`,
      );
    }
  }
});

for (const { type, field, words } of CHOICES) {
  const number = MESSAGES.find((message) => message.type === type)?.number ?? "";

  test(`PROTOCOL §${number} names every ${field} of ${type}`, () => {
    const meaning = tableRows(section(number), "field").find(([name]) => name === field)?.[2] ?? "";
    deepEqual(Array.from(meaning.matchAll(/(?:^|; )(\w+):/g), ([, word]) => word), words);
    const message = Object(decodeCbor(example(number, type)));
    for (const word of words) ok(decodeServerMessage(encodeCbor({ ...message, [field]: word })), word);
    equal(decodeServerMessage(encodeCbor({ ...message, [field]: "gone" })), undefined);
  });
}

test("PROTOCOL §6.41: what the server tells of typing is one, and no client sends it", () => {
  const bytes = example("6.41", "typing_news");
  equal(decodeServerMessage(bytes)?.type, "typing");
  equal(decodeClientMessage(bytes), undefined);
});

test("PROTOCOL §6.31 shows a request for a direct conversation, of which nothing is told", () => {
  const message = decodeServerMessage(example("6.31", "direct_room"));
  deepEqual(
    message?.type === "room" && [message.standing, message.head.sequence, message.name],
    ["requested", 0, undefined],
  );
});

test("PROTOCOL §6.1 lists every message, each with its sender", () => {
  const listed = tableRows(section("6.1"), "about").flatMap(([, client = "", server = ""]) => [
    ...client.split(", ").map((type) => `${type} client`),
    ...server.split(", ").map((type) => `${type} server`),
  ]);
  const all = MESSAGES.map(({ type, from }) => `${type} ${from}`);
  deepEqual(listed.toSorted(), [...all, "typing server"].toSorted());
});

function example(number: string, type: string): Bytes {
  const bytes = namedOctets(section(number)).get(`${type}_message`);
  if (bytes === undefined) throw new RangeError(`Cannot find the example of ${type} in section ${number}`);
  return bytes;
}

/** The example in diagnostic notation: JSON, but for names that stand for octets. */
function diagnosed(number: string): unknown {
  const [notation = ""] = fenced(section(number), "diag");
  const isWord = (word: string) => word === "true" || word === "false";
  return JSON.parse(
    notation.replace(
      /(: )([a-z]\w*)/g,
      (_, before, name) => before + (isWord(name) ? name : `"h'${hexOf(name)}'"`),
    ),
  );
}

/** The fields of §11.5's messages that OPAQUE's change of password repeats; all else is named as it is. */
const OPAQUE_FIELDS: Readonly<Record<string, readonly [message: string, from: number]>> = {
  opaque_request: ["register_start_message", -32],
  opaque_response: ["register_reply_message", 3],
  opaque_record: ["register_finish_message", 3],
};

function hexOf(name: string): string {
  const [message, from] = OPAQUE_FIELDS[name] ?? [name, 0];
  return octets(message).slice(from).toHex();
}

function asDiagnosed(value: unknown): unknown {
  if (value instanceof Uint8Array) return `h'${value.toHex()}'`;
  if (Array.isArray(value)) return value.map(asDiagnosed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, asDiagnosed(field)]));
}
