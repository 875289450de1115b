/**
 * The commands a person types, as one table: what is understood and what `/help` says are both made from it.
 *
 * @module
 */

import { nearest } from "../text/nearest.ts";
import { visible } from "../text/visible.ts";
import { utf8 } from "../wire/bytes.ts";
import { TEXT_BYTES_MAX } from "../wire/limits.ts";

/**
 * Characters of an unknown word that its sentence repeats: enough to know it again by, and still one line.
 */
const QUOTED_CHARS_MAX = 40;

/** One row of the table. */
export interface CommandRow {
  /** The word after the slash, which is also the kind of {@linkcode Command} that it becomes. */
  readonly name: "quit" | "names" | "help";
  /** Other words after the slash. */
  readonly aliases: readonly string[];
  /** Whole lines without a slash that mean the same. */
  readonly bareLines: readonly string[];
  /** What follows the word, as help shows it; the empty string where nothing may. */
  readonly args: string;
  /** What it does, in one line. */
  readonly help: string;
}

/** The commands of this release, in the order of the help. */
export const COMMANDS: readonly CommandRow[] = [
  { name: "names", aliases: [], bareLines: [], args: "", help: "says who is here" },
  { name: "help", aliases: ["?"], bareLines: [], args: "", help: "prints this list" },
  {
    name: "quit",
    aliases: ["exit", "q"],
    bareLines: ["exit", "quit()"],
    args: "",
    help: "waits until all that was said is acknowledged, and ends",
  },
];

/** What a line asks for. */
export type Command =
  /** A message; the text is as it was typed. */
  | { readonly kind: "send"; readonly text: string }
  /** One of {@linkcode COMMANDS}. */
  | { readonly kind: CommandRow["name"] }
  /** A line of white space, which asks for nothing. */
  | { readonly kind: "nothing" }
  /** Neither; `sentence`, safe for a terminal, says why and what to do. Nothing is sent. */
  | { readonly kind: "refused"; readonly sentence: string };

/**
 * What `line`, without its end, asks for. A slash as the very first character begins a command; two stand for
 * a message that begins with one.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { parseLine } from "./commands.ts";
 * deepEqual(parseLine("hello"), { kind: "send", text: "hello" });
 * deepEqual(parseLine("//etc/hosts"), { kind: "send", text: "/etc/hosts" });
 * deepEqual(parseLine("/q"), { kind: "quit" });
 * ```
 */
export function parseLine(line: string): Command {
  const trimmed = line.trim();
  if (trimmed === "") return { kind: "nothing" };
  const bare = COMMANDS.find(({ bareLines }) => bareLines.includes(trimmed));
  if (bare !== undefined) return { kind: bare.name };
  if (line.startsWith("//")) return parseText(line.slice(1));
  if (line.startsWith("/")) return parseCommand(line.slice(1));
  return parseText(line);
}

/**
 * `text` as a message, or the sentence of why it is none: longer than {@linkcode TEXT_BYTES_MAX}, or white
 * space only.
 */
export function parseText(text: string): Extract<Command, { kind: "send" | "nothing" | "refused" }> {
  if (text.trim() === "") return { kind: "nothing" };
  const { length } = utf8(text);
  if (length <= TEXT_BYTES_MAX) return { kind: "send", text };
  const sentence = `Cannot send a message of ${grouped(length)} octets: ` +
    `it may have ${grouped(TEXT_BYTES_MAX)}; send it in parts`;
  return { kind: "refused", sentence };
}

/** The lines of `/help`, safe for a terminal. */
export function helpLines(): string[] {
  const rows = [
    ["TEXT", "sends TEXT to everybody in the room"],
    ["//TEXT", "sends /TEXT"],
    ...COMMANDS.map((row) => [spellings(row), row.help]),
  ];
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", right = ""]) => `${left.padEnd(width)}  ${right}`);
}

function parseCommand(rest: string): Command {
  const [word = "", ...others] = rest.trimEnd().split(/\s+/);
  const row = COMMANDS.find(({ name, aliases }) => name === word || aliases.includes(word));
  if (row === undefined) return { kind: "refused", sentence: unknown(word) };
  if (row.args === "" && others.length > 0) {
    return { kind: "refused", sentence: `Cannot do /${row.name}: nothing may follow it; write it alone` };
  }
  return { kind: row.name };
}

function unknown(word: string): string {
  const meant = nearest(word, COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]));
  const quoted = visible(word.slice(0, QUOTED_CHARS_MAX)) + (word.length > QUOTED_CHARS_MAX ? "…" : "");
  const remedy = meant === undefined ? "/help lists the commands" : `did you mean /${meant}?`;
  return `Cannot do /${quoted}: there is no such command, and nothing was sent; ${remedy}`;
}

function spellings({ name, aliases, bareLines, args }: CommandRow): string {
  const first = args === "" ? `/${name}` : `/${name} ${args}`;
  return [first, ...aliases.map((alias) => `/${alias}`), ...bareLines].join(", ");
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
