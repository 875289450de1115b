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
  readonly name: Exclude<Command["kind"], "send" | "nothing" | "refused">;
  /** Other words after the slash. */
  readonly aliases: readonly string[];
  /** Whole lines without a slash that mean the same. */
  readonly bareLines: readonly string[];
  /** What follows the word, as help shows it; the empty string where nothing may. */
  readonly args: string;
  /** What it does, in one line. */
  readonly help: string;
  /** The command with what follows the word, blanks around it removed; `undefined` where that does not fit `args`. */
  readonly parse: (argument: string) => Command | undefined;
}

/** What a line asks for. */
export type Command =
  /** A message; the text is as it was typed. */
  | { readonly kind: "send"; readonly text: string }
  /** Nothing follows these words. */
  | { readonly kind: "names" | "devices" | "fingerprint" | "help" | "quit" }
  /** A device of one's own by its name, in which there may be blanks. */
  | { readonly kind: "approve" | "revoke"; readonly name: string }
  /** Another display name; the empty text takes it away. */
  | { readonly kind: "nick"; readonly display: string }
  /** A person by their handle, or what was typed for one. */
  | { readonly kind: "whois" | "verify" | "accept"; readonly handle: string }
  /** A line of white space, which asks for nothing. */
  | { readonly kind: "nothing" }
  /** Neither; `sentence`, safe for a terminal, says why and what to do. Nothing is sent. */
  | { readonly kind: "refused"; readonly sentence: string };

/** The commands of this release, in the order of the help. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: "names",
    aliases: ["who", "users"],
    bareLines: [],
    args: "",
    help: "says who is here",
    parse: alone("names"),
  },
  {
    name: "whois",
    aliases: ["finger"],
    bareLines: [],
    args: "NAME",
    help: "tells what is known of a person, with the words to compare",
    parse: person("whois"),
  },
  {
    name: "verify",
    aliases: [],
    bareLines: [],
    args: "NAME",
    help: "notes that you and that person have compared the words of /whois",
    parse: person("verify"),
  },
  {
    name: "accept",
    aliases: [],
    bareLines: [],
    args: "NAME",
    help: "takes a person's changed identity for theirs",
    parse: person("accept"),
  },
  {
    name: "nick",
    aliases: ["name"],
    bareLines: [],
    args: "[TEXT]",
    help: "shows TEXT beside your name, or no longer anything",
    parse: (display) => ({ kind: "nick", display: unquoted(display) }),
  },
  {
    name: "devices",
    aliases: [],
    bareLines: [],
    args: "",
    help: "lists your devices",
    parse: alone("devices"),
  },
  {
    name: "approve",
    aliases: [],
    bareLines: [],
    args: "NAME",
    help: "lets your new device in, once its words are the same on both",
    parse: device("approve"),
  },
  {
    name: "revoke",
    aliases: [],
    bareLines: [],
    args: "NAME",
    help: "shuts out a device of yours, for ever",
    parse: device("revoke"),
  },
  {
    name: "fingerprint",
    aliases: [],
    bareLines: [],
    args: "",
    help: "prints the fingerprint of the server's host key",
    parse: alone("fingerprint"),
  },
  {
    name: "help",
    aliases: ["?", "h"],
    bareLines: [],
    args: "",
    help: "prints this list",
    parse: alone("help"),
  },
  {
    name: "quit",
    aliases: ["exit", "q", "bye"],
    bareLines: ["exit", "quit()"],
    args: "",
    help: "waits until all that was said is acknowledged, and ends",
    parse: alone("quit"),
  },
];

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
  if (bare !== undefined) return bare.parse("") ?? { kind: "nothing" };
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
  const [word = ""] = rest.split(/\s/, 1);
  const argument = rest.slice(word.length).trim();
  const row = COMMANDS.find(({ name, aliases }) => name === word || aliases.includes(word));
  if (row === undefined) return { kind: "refused", sentence: unknown(word) };
  return row.parse(argument) ?? { kind: "refused", sentence: misused(row, argument) };
}

function alone(kind: "names" | "devices" | "fingerprint" | "help" | "quit"): CommandRow["parse"] {
  return (argument) => argument === "" ? { kind } : undefined;
}

function device(kind: "approve" | "revoke"): CommandRow["parse"] {
  return (argument) => argument === "" ? undefined : { kind, name: unquoted(argument) };
}

/** Handles have no blanks, and many people write `@` before one. */
function person(kind: "whois" | "verify" | "accept"): CommandRow["parse"] {
  return (argument) => /^@?\S+$/.test(argument) ? { kind, handle: argument.replace(/^@/, "") } : undefined;
}

/** Whoever is used to a shell puts a name with blanks between quotation marks. */
function unquoted(argument: string): string {
  return /^"[^"]+"$/.test(argument) ? argument.slice(1, -1).trim() : argument;
}

function misused({ name, args }: CommandRow, argument: string): string {
  if (args === "") return `Cannot do /${name}: nothing may follow it; write it alone`;
  const why = argument === "" ? `${args} is missing` : `${args} is one word`;
  return `Cannot do /${name}: ${why}; write /${name} ${args}`;
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
