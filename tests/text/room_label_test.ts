import { equal, match } from "node:assert/strict";
import { roomLabelFault } from "../../lib/text/room_label.ts";
import { visible } from "../../lib/text/visible.ts";
import { test } from "../sanitized.ts";

test("a room is called by # and its name, or by @ and a person's", () => {
  for (const text of ["#lobby", "#a", "#9-_", `#${"a".repeat(32)}`, "@ben", "@b-2"]) {
    equal(roomLabelFault(text), undefined);
  }
});

test("attack 27: whatever else stands for a room is refused in one sentence", () => {
  const texts = [
    "",
    "#",
    "@",
    "lobby",
    "##x",
    "#@x",
    "@#x",
    "#Dev",
    "#../x",
    "#a/b",
    "#a\0",
    "@con",
    "#a b",
    "#é",
    `#${"a".repeat(33)}`,
  ];
  for (const text of [...texts, "/etc/passwd", "C:\\x", "\x1b]52;c;eA==\x07"]) {
    const sentence = roomLabelFault(text) ?? "";
    match(sentence, /^Cannot use "[^"]*" as (?:a room|the name of a room): [^\n]+; use [^\n]+$/);
    equal(visible(sentence), sentence);
  }
});
