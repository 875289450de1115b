/**
 * The commands, as `/help` prints them on a screen of any width: broken between words, and in two columns where there
 * is room for them.
 *
 * @module
 */

import { COMMAND_GROUPS, type CommandRow, usage } from "../client/commands.ts";

/** Columns of what is typed, where what it does stands beside it; what is longer has a line of its own. */
const LEFT_COLUMNS = 27;

/** Narrowest screen on which the two stand side by side: what is left has four or five words a line. */
const SIDE_BY_SIDE_COLUMNS_MIN = 60;

/** Columns by which what belongs to the line above it is moved in. */
const INDENT_COLUMNS = 2;

/** Narrowest screen that lines are broken for: no word of the help is longer than that. */
const COLUMNS_MIN = 16;

/** What is typed without a slash. */
const TEXTS = [
  ["TEXT", "says TEXT in the room that you are in"],
  ["//TEXT", "says /TEXT"],
] as const;

const NUMBERS =
  "#N is the number of a message: 12, or ^ for the last one shown in the room, ^^ for the one " +
  "before it. /numbers on shows all of them.";

/** The lines of `/help`, safe for a terminal and as wide as `columns`. */
export function helpLines(columns: number): string[] {
  const groups = COMMAND_GROUPS.flatMap(({ title, rows }, at) => [
    "",
    ...wrapped(`${title}:`, columns, 0),
    ...at === 0 ? TEXTS.flatMap(([left, right]) => entry(left, right, columns)) : [],
    ...rows.flatMap((row) => entry(spellings(row), row.help, columns)),
  ]);
  return [...groups.slice(1), "", ...wrapped(NUMBERS, columns, 0)];
}

/** The lines of `/help` for one command. */
export function rowHelpLines(row: CommandRow, columns: number): string[] {
  return [...wrapped(spellings(row), columns, INDENT_COLUMNS), ...wrapped(row.help, columns, 0)];
}

function entry(left: string, right: string, columns: number): string[] {
  if (columns < SIDE_BY_SIDE_COLUMNS_MIN) {
    return [
      ...wrapped(left, columns, INDENT_COLUMNS),
      ...wrapped(`${" ".repeat(INDENT_COLUMNS)}${right}`, columns, INDENT_COLUMNS),
    ];
  }
  const indent = LEFT_COLUMNS + INDENT_COLUMNS;
  if (left.length > LEFT_COLUMNS) return [left, ...wrapped(`${" ".repeat(indent)}${right}`, columns, indent)];
  return wrapped(`${left.padEnd(indent)}${right}`, columns, indent);
}

/** `text` broken between words, its later lines moved in by `indent`; blanks at its beginning stay. */
function wrapped(text: string, columns: number, indent: number): string[] {
  const widest = Math.max(columns, COLUMNS_MIN);
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? "";
  let isEmpty = true;
  for (const word of text.trimStart().split(/(?<=\S) /)) {
    if (!isEmpty && line.length + 1 + word.length > widest) {
      lines.push(line);
      line = " ".repeat(indent);
      isEmpty = true;
    }
    line += isEmpty ? word.trimStart() : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

function spellings(row: CommandRow): string {
  const { aliases, bareLines } = row;
  return [usage(row), ...aliases.map((alias) => `/${alias}`), ...bareLines].join(", ");
}
