import { equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import * as v from "valibot";
import { HANDLE_CHARS_MAX, handleFault, HandleSchema, parseHandle } from "../../lib/text/handle.ts";
import { visible } from "../../lib/text/visible.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const RUNS = 2_000;
const FIRST = "abcdefghijklmnopqrstuvwxyz0123456789";
const LATER = `${FIRST}-_`;

const handles = fc.tuple(
  fc.constantFrom(...FIRST),
  fc.array(fc.constantFrom(...LATER), { maxLength: HANDLE_CHARS_MAX - 1 }),
).map(([first, later]) => first + later.join("")).filter((text) =>
  !/^(con|prn|aux|nul|com.|lpt.)$/.test(text)
);

const almost = fc.array(fc.constantFrom(...LATER, ..."A.é\u0430/ \n\u200b"), { maxLength: 36 })
  .map((characters) => characters.join(""));

test("every text of the alphabet is a handle, and comes out as it went in", async () => {
  await check(
    fc.property(handles, (text) => {
      equal(parseHandle(text), text);
      equal(handleFault(text), undefined);
    }),
    RUNS,
  );
  for (const text of ["a", "0", "ann", "ann-2", "a_b", "x".repeat(32), "console", "com10", "null", "lpt"]) {
    equal(parseHandle(text), text);
  }
});

test("a text is a handle exactly when no sentence says why not", async () => {
  await check(
    fc.property(fc.oneof(almost, fc.string({ unit: "binary" }), handles), (text) => {
      const characters = [...text];
      const wanted = characters.length >= 1 && characters.length <= 32 &&
        characters.every((character) => LATER.includes(character)) && FIRST.includes(characters[0] ?? "-");
      if (!/^(con|prn|aux|nul|com.|lpt.)$/.test(text)) equal(parseHandle(text) !== undefined, wanted);
      equal(handleFault(text) === undefined, parseHandle(text) !== undefined);
    }),
    RUNS,
  );
});

test("attack 27: names of devices, folders and options are no handles", () => {
  const devices = ["con", "prn", "aux", "nul", "com0", "com1", "com9", "lpt0", "lpt1", "lpt9"];
  for (
    const text of [
      ...devices,
      "..",
      ".",
      "../x",
      "a/b",
      "a\\b",
      "/etc",
      "c:",
      "a\0",
      "-rf",
      "--help",
      "a.b",
      "~",
    ]
  ) {
    equal(parseHandle(text), undefined, text);
  }
  equal(
    handleFault("nul"),
    'Cannot use "nul" as a name: Windows takes it for a device; use another one',
  );
});

test("attack 32: other scripts, invisible characters and line ends are refused in a name", () => {
  const refused = [
    "аnn",
    "ann\u200b",
    "\u202enna",
    "ａｎｎ",
    "ann\n",
    "\nann",
    "ann ",
    " ann",
    "e\u0301ve",
    "éve",
    "ann\ud800",
    "Kate",
  ];
  for (const text of refused) equal(parseHandle(text), undefined, JSON.stringify(text));
  match(
    handleFault("аnn") ?? "",
    /^Cannot use "аnn" as a name: "а" \(U\+0430\) is not allowed; use 1 to 32 /,
  );
});

test("the sentence names the reason and what to use", () => {
  const rule = "1 to 32 lower-case letters (a to z), digits, - and _, beginning with a letter or digit";
  const cases: readonly (readonly [text: string, fault: string])[] = [
    ["", `Cannot use "" as a name: it is empty; use ${rule}`],
    ["Ann", 'Cannot use "Ann" as a name: "A" is a capital letter; use "ann"'],
    ["Ann B", `Cannot use "Ann B" as a name: "A" is a capital letter; use ${rule}`],
    ["NUL", `Cannot use "NUL" as a name: "N" is a capital letter; use ${rule}`],
    ["_ann", `Cannot use "_ann" as a name: it begins with _; use ${rule}`],
    ["-ann", `Cannot use "-ann" as a name: it begins with -; use ${rule}`],
    [
      "x".repeat(33),
      `Cannot use "${"x".repeat(33)}" as a name: it is longer than 32 characters; use ${rule}`,
    ],
    [
      "x".repeat(99),
      `Cannot use "${"x".repeat(40)}…" as a name: it is longer than 32 characters; use ${rule}`,
    ],
  ];
  for (const [text, fault] of cases) equal(handleFault(text), fault);
});

test("attack 31: the sentence about a name is itself safe to print and short", async () => {
  await check(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const fault = handleFault(text) ?? "";
      equal(fault, visible(fault));
      ok(fault.length < 600);
    }),
    RUNS,
  );
  match(handleFault("a\x1b[2J") ?? "", /^Cannot use "a␛\[2J" as a name: "␛" \(U\+001B\) is not allowed; /);
});

test("the schema gives the same sentence, and refuses what is no text", () => {
  const parsed = v.safeParse(HandleSchema, "Ann");
  equal(parsed.issues?.[0].message, handleFault("Ann"));
  for (const other of [undefined, null, 7, ["ann"], { toString: () => "ann" }]) {
    equal(v.safeParse(HandleSchema, other).success, false);
  }
});
