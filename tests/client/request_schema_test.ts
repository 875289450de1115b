import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  LASTING_MS_MAX,
  nearestRequest,
  readRequest,
  requestExample,
  requestTypes,
} from "../../lib/client/request_schema.ts";
import { visible } from "../../lib/text/visible.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

/** An object that asks for `type`, with nothing that may be left out. */
function example(type: string): Record<string, unknown> {
  return JSON.parse(requestExample(type) ?? "null");
}

function why(value: unknown): string {
  const read = readRequest(value);
  if (read.kind === "request") throw new Error(`${JSON.stringify(value)} was understood`);
  return read.kind === "misfit" ? read.why : read.sentence;
}

test("every request has an example, which is one", () => {
  const types = requestTypes();
  equal(new Set(types).size, types.length);
  for (const type of types) {
    const read = readRequest(example(type));
    ok(read.kind === "request", type);
    equal(read.request.type, type);
  }
  equal(requestExample("constructor"), undefined);
});

/** A value of another type than `value`'s. */
function wrongOf(value: unknown): unknown {
  return typeof value === "string" ? true : "x";
}

test("a field that is missing, of another type, or unknown, is named, and nothing is asked", () => {
  let cases = 0;
  for (const type of requestTypes()) {
    const whole = example(type);
    match(why({ ...whole, colour: "red" }), /^it has no field "colour"$/);
    for (const field of Object.keys(whole).filter((name) => name !== "type")) {
      const { [field]: _, ...others } = whole;
      equal(why(others), `its field "${field}" is missing`);
      for (
        const wrong of [
          null,
          [],
          {},
          NaN,
          1.5,
          -1,
          "",
          "\ud800",
          "\0",
          wrongOf(whole[field]),
        ]
      ) {
        // Any text is a topic, a display name or a device to this schema, which the account's rules judge.
        if (["topic", "display", "name"].includes(field) && typeof wrong === "string" && wrong !== "\ud800") {
          continue;
        }
        // A message may be any text that is not blank.
        if (["text", "path", "reaction"].includes(field) && wrong === "\0") continue;
        match(
          why({ ...whole, [field]: wrong }),
          /^(?:(?!Invalid).)+$/,
          `${type} ${field} ${JSON.stringify(wrong)}`,
        );
        cases++;
      }
    }
  }
  ok(cases > 500, String(cases));
});

test("what may be left out has its default", () => {
  const room = "#lobby";
  const cases = [
    [{ type: "history", room }, {
      type: "history",
      room,
      where: { from: "before", sequence: undefined },
      limit: 50,
    }],
    [{ type: "get", room, seq: 1 }, { type: "get", room, sequence: 1, path: undefined }],
    [{ type: "kick", room, handle: "ben" }, { type: "kick", room, handle: "ben", reason: undefined }],
    [{ type: "away" }, { type: "away", text: undefined }],
    [
      { type: "ban", room, handle: "ben", lasting: 60_000 },
      { type: "ban", room, handle: "ben", lasting: 60_000, reason: undefined },
    ],
  ];
  for (const [value, request] of cases) deepEqual(readRequest(value), { kind: "request", request });
});

test("numbers out of range are refused with the range", () => {
  const room = "#lobby";
  const cases: readonly (readonly [value: unknown, why: string])[] = [
    [{ type: "slow", room, seconds: 21_601 }, "a number of seconds is a whole number from 0 to 21600"],
    [{ type: "retention", room, days: 3_651 }, "a number of days is a whole number from 0 to 3650"],
    [{ type: "history", room, limit: 101 }, "a number of messages is a whole number from 1 to 100"],
    [{ type: "pin", room, seq: 0, on: true }, "the number of a message is a whole number from 1 on"],
    [{ type: "mute", room, handle: "ben", lasting: 999 }, "a time is at least a second"],
    [
      { type: "mute", room, handle: "ben", lasting: LASTING_MS_MAX + 1 },
      "a time is at most 3,650 days; without one it has no end",
    ],
    [
      { type: "newcomers", room, history: -1 },
      'what newcomers may read is "all" or a number of messages, 0 for none',
    ],
    [{ type: "history", room, where: { from: "ever" } }, 'history is from "before", "around" or "since"'],
    [{ type: "history", room, where: { from: "around" } }, 'its field "where.seq" is missing'],
    [{ type: "sned" }, "nothing of that kind can be asked for"],
    [[], "nothing of that kind can be asked for"],
    [null, "nothing of that kind can be asked for"],
  ];
  for (const [value, sentence] of cases) equal(why(value), sentence);
});

test("the nearest request is known", () => {
  equal(nearestRequest("sned"), "send");
  equal(nearestRequest("weather"), undefined);
});

test("attack 31: whatever stands in an object, what is said of it can be shown", async () => {
  await check(
    fc.property(
      fc.constantFrom(...requestTypes()),
      fc.dictionary(
        fc.oneof(fc.constantFrom("room", "handle", "text", "seq", "where"), fc.string({ unit: "binary" })),
        fc.jsonValue(),
      ),
      (type, fields) => {
        const read = readRequest({ ...example(type), ...fields, type });
        if (read.kind === "request") return;
        const said = read.kind === "misfit" ? read.why : read.sentence;
        equal(visible(said), said);
        ok(said.length < 400 && !/Invalid|Expected/.test(said), said);
      },
    ),
    2_000,
  );
});
