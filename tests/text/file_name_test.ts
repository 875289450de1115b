import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { isFileName, safeFileName } from "../../lib/text/file_name.ts";
import { visible } from "../../lib/text/visible.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const RUNS = 2_000;

/** Each with what it becomes. */
const HOSTILE = [
  ["../x", "x"],
  ["../../etc/passwd", "passwd"],
  ["/etc/passwd", "passwd"],
  ["C:\\Windows\\system32\\x.dll", "x.dll"],
  ["C:x", "C_x"],
  ["\\\\server\\share\\x", "x"],
  ["file:///etc/passwd", "passwd"],
  ["..", "_"],
  [".", "_"],
  ["", "file"],
  ["/", "file"],
  [" ", "file"],
  [".profile", "_profile"],
  ["-rf", "_rf"],
  ["~root", "_root"],
  ["a\0.txt", "a_.txt"],
  ["a\n\u001b[2Jb", "a__[2Jb"],
  ["gnp.\u202egpj.exe", "gnp._gpj.exe"],
  ["x\u2066y", "x_y"],
  ["pay\u200bpal.txt", "pay_pal.txt"],
  ["NUL", "_NUL"],
  ["nul.txt", "_nul.txt"],
  ["Com1.tar.gz", "_Com1.tar.gz"],
  ["LPT¹", "_LPT¹"],
  ["CONIN$", "_CONIN$"],
  ["con .txt", "_con .txt"],
  ["x.", "x"],
  ["x. . ", "x"],
  ["x:stream", "x_stream"],
  ["what?*.txt", "what__.txt"],
  ["\ud800.txt", "_.txt"],
] as const;

const hostileText = fc.array(
  fc.oneof(
    fc.constantFrom(..."./\\-~ :\0\u202e\u200d\ufe0f\u0301👩💋❤aéZ", "..", "con", ".txt"),
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
  ),
  { maxLength: 120 },
).map((parts) => parts.join(""));

test("attack 27: no name of a file leads out of its folder, hides, turns around or is a device", () => {
  for (const [name, safe] of HOSTILE) {
    equal(safeFileName(name), safe, JSON.stringify(name));
    equal(isFileName(name), false, JSON.stringify(name));
  }
});

test("attack 27: whatever a peer writes becomes a name that is taken, shown as it is, and stays it", () =>
  check(
    fc.property(hostileText, (name) => {
      const safe = safeFileName(name);
      ok(isFileName(safe), JSON.stringify(safe));
      equal(visible(safe), safe);
      equal(safeFileName(safe), safe);
      ok(utf8(safe).length <= 215);
    }),
    RUNS,
  ));

test("ordinary names of every script stay as they are", () => {
  const names = [
    "notes.txt",
    "Grüße 2.tar.gz",
    "写真 (1).jpg",
    "سلام.pdf",
    "👩🏽‍🚀.png",
    "console.log",
    "a_b-c~1",
    "Makefile",
  ];
  deepEqual(names.map(safeFileName), names);
  ok(names.every(isFileName));
});

test("a name that is too long is cut before its ending, between characters", () => {
  equal(safeFileName(`${"ü".repeat(200)}.txt`), `${"ü".repeat(105)}.txt`);
  equal(safeFileName(`x.${"y".repeat(300)}`), `x.${"y".repeat(213)}`);
  equal(isFileName("y".repeat(255)), true);
  equal(isFileName("y".repeat(256)), false);
});
