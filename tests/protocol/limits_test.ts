import { deepEqual, equal, ok } from "node:assert/strict";
import * as conversation from "../../lib/client/conversation.ts";
import * as eventQueue from "../../lib/client/event_queue.ts";
import * as handshakeMessage from "../../lib/secure/handshake_message.ts";
import * as inner from "../../lib/secure/inner.ts";
import * as link from "../../lib/secure/link.ts";
import * as record from "../../lib/secure/record.ts";
import * as admission from "../../lib/session/admission.ts";
import * as handle from "../../lib/text/handle.ts";
import * as limits from "../../lib/wire/limits.ts";
import * as message from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { number, section, tableRows } from "./document.ts";

/** Where constants lie that bind what passes between two ends, beside wire/limits.ts, all of whose are in the table. */
const OTHERS = [
  conversation,
  eventQueue,
  handshakeMessage,
  inner,
  link,
  record,
  admission,
  handle,
  message,
] as const;

/** What the table also has of them: a size that is no limit. */
const SIZES = ["HANDSHAKE_HEADER_BYTES"];

const UNIT_ENDINGS: readonly (readonly [RegExp, RegExp])[] = [
  [/_BYTES(?:_MAX)?$/, /^octets$/],
  [/_MS(?:_MAX)?$/, /^milliseconds$/],
  [/_CHARS_MAX$/, /^characters$/],
  [/_RECORDS_MAX$/, /^records$/],
];

test("PROTOCOL §9 has exactly the limits that the code has, with their values", () => {
  const inDocument = new Map(
    rows().map(([name = "", value = ""]) => [name, value.split("; ").map(number)]),
  );
  equal(inDocument.size, rows().length, "no name stands twice");
  const sorted = (map: ReadonlyMap<string, readonly number[]>) =>
    Array.from(map).sort(([a], [b]) => a < b ? -1 : 1);
  deepEqual(sorted(inDocument), sorted(inCode()));
});

test("PROTOCOL §9 gives each limit its unit, a reason and a consequence", () => {
  for (const [name = "", , unit = "", reason = "", consequence = ""] of rows()) {
    const expected = UNIT_ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? /^[a-z]+$/;
    ok(expected.test(unit), `${name} is in ${unit}`);
    ok(reason.length > 5 && consequence.length > 0, `${name} has a reason and a consequence`);
  }
});

test("the limits of PROTOCOL §9 fit each other", () => {
  equal(limits.INNER_BYTES_MAX, Math.max(...limits.PADDING_BUCKETS_BYTES));
  equal(inner.CONTENT_BYTES_MAX, limits.INNER_BYTES_MAX - inner.INNER_HEADER_BYTES);
  equal(limits.MESSAGE_BYTES_MAX, inner.CONTENT_BYTES_MAX - 2);
  ok(limits.TEXT_BYTES_MAX + 1_024 < limits.MESSAGE_BYTES_MAX);
  ok(conversation.UNACKNOWLEDGED_MAX * (limits.TEXT_BYTES_MAX + 1_024) < link.QUEUE_BYTES_MAX);
});

function rows(): readonly (readonly string[])[] {
  return tableRows(section("9"), "name");
}

function inCode(): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const [name, value] of Object.entries(limits)) found.set(name, [value].flat());
  for (const module of OTHERS) {
    for (const [name, value] of Object.entries<unknown>(module)) {
      if (typeof value === "number" && (/_(?:MAX|MS)$/.test(name) || SIZES.includes(name))) {
        found.set(name, [value]);
      }
    }
  }
  return found;
}
