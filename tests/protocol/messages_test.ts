import { deepEqual, equal, ok } from "node:assert/strict";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../../lib/wire/cbor.ts";
import { decodeClientMessage, decodeServerMessage, encodeMessage } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { fenced, namedOctets, section, tableRows } from "./document.ts";

/** Who sends each message of PROTOCOL §6, and in which subsection it stands. */
const MESSAGES = [
  { type: "join", number: "6.2", from: "client" },
  { type: "send", number: "6.3", from: "client" },
  { type: "entry", number: "6.4", from: "server" },
  { type: "ack", number: "6.5", from: "server" },
  { type: "presence", number: "6.6", from: "server" },
  { type: "fault", number: "6.7", from: "server" },
] as const;

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
    deepEqual(fields.toSorted(), Object.keys(Object(decodeCbor(bytes))).toSorted());
    const count = bytes[0] ?? 0;
    const unknown = concat(
      Uint8Array.of(count + 1),
      bytes.slice(1),
      Uint8Array.fromHex("6a7a7a7a7a7a7a7a7a7a7a01"),
    );
    equal(Object.keys(Object(decodeCbor(unknown))).length, fields.length + 1, "it is well-formed CBOR");
    equal(decoders.ours(unknown), undefined, "a field that is not in the table is refused");
  });
}

test("PROTOCOL §6: a field may be left out where its table says optional, and nowhere else", () => {
  for (const { type, number, from } of MESSAGES) {
    const decode = from === "client" ? decodeClientMessage : decodeServerMessage;
    for (const [field = "", , meaning = ""] of tableRows(section(number), "field")) {
      const { [field]: _, ...rest } = Object(decodeCbor(example(number, type)));
      equal(
        decode(encodeCbor(rest)) !== undefined,
        meaning.startsWith("optional"),
        `${type} without ${field}`,
      );
    }
  }
});

test("PROTOCOL §6.6 names every change of a presence", () => {
  const change = tableRows(section("6.6"), "field").find(([field]) => field === "change")?.[2] ?? "";
  const words = Array.from(change.matchAll(/(?:^|; )(\w+):/g), ([, word]) => word);
  deepEqual(words, ["here", "joined", "left"]);
  const presence = Object(decodeCbor(example("6.6", "presence")));
  for (const word of words) ok(decodeServerMessage(encodeCbor({ ...presence, change: word })), word);
  equal(decodeServerMessage(encodeCbor({ ...presence, change: "gone" })), undefined);
});

function example(number: string, type: string): Bytes {
  const bytes = namedOctets(section(number)).get(`${type}_message`);
  if (bytes === undefined) throw new RangeError(`Cannot find the example of ${type} in section ${number}`);
  return bytes;
}

/** The example in diagnostic notation: JSON but for `h'…'`. */
function diagnosed(number: string): unknown {
  const [notation = ""] = fenced(section(number), "diag");
  return JSON.parse(notation.replace(/h'([0-9a-f]*)'/g, `"h'$1'"`));
}

function asDiagnosed(message: object): unknown {
  return Object.fromEntries(
    Object.entries(message).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? `h'${value.toHex()}'` : value,
    ]),
  );
}
