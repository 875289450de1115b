import { equal } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { nearest } from "../../lib/text/nearest.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const COMMANDS = [
  "chat",
  "send",
  "tail",
  "history",
  "search",
  "export",
  "put",
  "get",
  "devices",
  "verify",
  "doctor",
];

test("a slip of the finger is understood", () => {
  const slips: readonly (readonly [typed: string, meant: string])[] = [
    ["caht", "chat"],
    ["chatt", "chat"],
    ["cht", "chat"],
    ["chst", "chat"],
    ["Chat", "chat"],
    ["ptu", "put"],
    ["hsitroy", "history"],
    ["serach", "search"],
    ["devcie", "devices"],
    ["docter", "doctor"],
    ["gte", "get"],
  ];
  for (const [typed, meant] of slips) equal(nearest(typed, COMMANDS), meant, typed);
});

test("another word gets no suggestion", () => {
  for (
    const typed of [
      "weather",
      "",
      "x",
      "pt2x",
      "ls",
      "127.0.0.1:8443",
      "sotto://host:8443/abc",
      "x".repeat(1_000_000),
    ]
  ) {
    equal(nearest(typed, COMMANDS), undefined, typed.slice(0, 40));
  }
  equal(nearest("chat", []), undefined);
});

test("the nearest word wins, and of equally near ones the first", () => {
  equal(nearest("abcdef", ["abcdxy", "abcdex", "abcxyz"]), "abcdex");
  equal(nearest("cat", ["bat", "hat"]), "bat");
});

test("a known word is its own nearest", async () => {
  await check(fc.property(fc.constantFrom(...COMMANDS), (word) => equal(nearest(word, COMMANDS), word)));
});

test("one edit of a long enough word leads back to it", async () => {
  const word = fc.stringMatching(/^[a-z]{4,12}$/);
  const edit = fc.constantFrom("drop", "double", "swap", "change");
  await check(
    fc.property(word, edit, fc.nat(), (meant, kind, place) => {
      const at = place % (meant.length - 1);
      const [before, one, two, after] = [
        meant.slice(0, at),
        meant.slice(at, at + 1),
        meant.slice(at + 1, at + 2),
        meant.slice(at + 2),
      ];
      const typed = {
        drop: before + two + after,
        double: before + one + one + two + after,
        swap: before + two + one + after,
        change: `${before}0${two}${after}`,
      }[kind];
      equal(nearest(typed, ["000000000000000", meant]), meant);
    }),
    1_000,
  );
});
