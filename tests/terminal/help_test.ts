import { deepEqual, equal, ok } from "node:assert/strict";
import { COMMAND_GROUPS } from "../../lib/client/commands.ts";
import { helpLines, rowHelpLines } from "../../lib/terminal/help.ts";
import { visible } from "../../lib/text/visible.ts";
import { test } from "../sanitized.ts";

const ROWS = COMMAND_GROUPS.flatMap(({ rows }) => rows);

/** The text without its line breaks. */
function flowing(lines: readonly string[]): string {
  return lines.join(" ").replace(/ +/g, " ");
}

test("help fits a screen of any width, and breaks no word", () => {
  const words = new Set(flowing(helpLines(1_000)).split(" "));
  for (let columns = 20; columns <= 200; columns++) {
    const lines = helpLines(columns);
    for (const line of lines) ok(line.length <= columns, `${columns}: ${line}`);
    for (const word of flowing(lines).split(" ")) ok(words.has(word), word);
    equal(visible(lines.join("")), lines.join(""));
  }
});

test("help has every command with its words, its arguments and what it does, in groups", () => {
  for (const columns of [20, 80]) {
    const page = flowing(helpLines(columns));
    for (const { title } of COMMAND_GROUPS) ok(page.includes(`${title}: `), title);
    for (const { name, aliases, help } of ROWS) {
      ok(new RegExp(`/${name}[ ,].*${RegExp.escape(help)}`).test(page), name);
      for (const alias of aliases) ok(page.includes(`/${alias}`), alias);
    }
  }
});

test("help of one command is that command's", () => {
  const row = ROWS.find(({ name }) => name === "ban");
  ok(row !== undefined);
  deepEqual(rowHelpLines(row, 80), [
    "/ban NAME [TIME] [REASON]",
    "puts a person out for 30m, 2h, 7d or for good",
  ]);
  deepEqual(rowHelpLines(row, 20), [
    "/ban NAME [TIME]",
    "  [REASON]",
    "puts a person out",
    "for 30m, 2h, 7d or",
    "for good",
  ]);
});
