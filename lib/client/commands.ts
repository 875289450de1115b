/**
 * The commands a person types, as one table: what is understood and what `/help` says are both made from it.
 *
 * @module
 */

import { nearest } from "../text/nearest.ts";
import { roomLabelFault } from "../text/room_label.ts";
import { PAGE_ENTRIES_MAX } from "../wire/limits.ts";
import {
  type Argument,
  ASKER,
  DAYS,
  DEVICE,
  DISPLAY,
  EMOJI,
  type Meaning,
  NAME,
  NEW_NAME,
  NEWCOMERS,
  NUMBER,
  ON,
  OPEN_ROOM,
  optional,
  OWN_NUMBER,
  PATH,
  readArguments,
  REASON,
  ROLE,
  ROOM,
  type Scene,
  SECONDS,
  shownArgument,
  TEXT,
  TIME,
  TOPIC,
  VISIBILITY,
} from "./command_argument.ts";
import type { ClientRequest } from "./event.ts";
import { quoted, readRequest } from "./request_schema.ts";
import { sinceOf } from "./typed_time.ts";

/** What a line asks for. */
export type Command =
  /** A request; with `goTo`, that room is the one that one is in from then on. */
  | { readonly kind: "ask"; readonly request: ClientRequest; readonly goTo: string | undefined }
  /** That room is the one that one is in from then on. */
  | { readonly kind: "go"; readonly room: string }
  /** The topic of the room that one is in is to be shown. */
  | { readonly kind: "topic" }
  /** What came before the oldest entry that was asked for last. */
  | { readonly kind: "more" }
  /** Whether every message is to be shown with its number. */
  | { readonly kind: "numbers"; readonly on: boolean }
  | { readonly kind: "fingerprint" | "quit" }
  /** Help, of one command or of all. */
  | { readonly kind: "help"; readonly row: CommandRow | undefined }
  /** A line of white space, which asks for nothing. */
  | { readonly kind: "nothing" }
  /** None of these; `sentence`, safe for a terminal, says why and what to do. Nothing is asked. */
  | { readonly kind: "refused"; readonly sentence: string };

/** One row of the table. */
export interface CommandRow {
  /** The word after the slash. */
  readonly name: string;
  /** Other words after the slash. */
  readonly aliases: readonly string[];
  /** Whole lines without a slash that mean the same. */
  readonly bareLines: readonly string[];
  /** What follows the word. */
  readonly args: readonly Argument[];
  /** What it does, in a few words. */
  readonly help: string;
  /** What it asks for, where what followed the word meant `fields`. */
  readonly command: (fields: Fields, scene: Scene) => Command | Extract<Meaning, { kind: "misfit" }>;
}

/** Rows that are told together. */
export interface CommandGroup {
  /** What they are about. */
  readonly title: string;
  /** In the order of the help. */
  readonly rows: readonly CommandRow[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What may be told of a row beside its words. */
interface RowOptions {
  readonly aliases?: readonly string[];
  readonly bareLines?: readonly string[];
}

/** The commands of this release, in the order of the help. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  {
    title: "Talking",
    rows: [
      {
        ...row("msg", [NAME, TEXT], "says TEXT to one person, and goes there", { aliases: ["m", "dm"] }),
        command: ({ handle, text }) => goAnd({ type: "send", room: `@${handle}`, text }),
      },
      askingHere("reply", [NUMBER, TEXT], "answers a message", { aliases: ["re"] }),
      askingHere("edit", [OWN_NUMBER, TEXT], "puts TEXT in the place of what you said; ^ is your own newest"),
      askingHere("delete", [NUMBER], "deletes a message", { aliases: ["del", "rm"] }),
      askingHere("react", [NUMBER, EMOJI], "reacts to a message", { on: true }),
      askingHere("unreact", [NUMBER, EMOJI], "takes a reaction back", { type: "react", on: false }),
      askingHere("pin", [NUMBER], "pins a message", { on: true }),
      askingHere("unpin", [NUMBER], "takes the pin away", { type: "pin", on: false }),
    ],
  },
  {
    title: "Reading",
    rows: [
      {
        ...row(
          "history",
          [{ ...TEXT, shown: "N|#N|TIME", optional: true }],
          "shows the last N messages, those around #N, or since 2h, 14:30 or 2026-11-20",
          { aliases: ["last"] },
        ),
        command: ({ text }, scene) => history(typeof text === "string" ? text : "", scene),
      },
      { ...row("more", [], "shows what came before that"), command: () => ({ kind: "more" }) },
      {
        ...row("numbers", [ON], "shows each message with its number"),
        command: ({ on }) => ({ kind: "numbers", on: on === true }),
      },
      askingHere("read", [optional(ROOM)], "notes that you have read a room"),
      askingHere("check", [optional(ROOM)], "tells whether all of a room's log is there and genuine"),
    ],
  },
  {
    title: "Rooms",
    rows: [
      {
        ...row("join", [OPEN_ROOM], "comes into a room, and goes there", { aliases: ["j"] }),
        command: ({ room }) => goAnd({ type: "join", room }),
      },
      {
        ...row("create", [OPEN_ROOM, optional(VISIBILITY)], "makes a room, and goes there"),
        command: ({ room, visibility = "public" }) => goAnd({ type: "create", room, visibility }),
      },
      { ...row("go", [ROOM], "goes to #ROOM or @NAME: what you type is said there"), command: goTo },
      {
        ...row("query", [NAME], "goes to the conversation with one person"),
        command: ({ handle }) => goTo({ room: `@${handle}` }),
      },
      asking("rooms", [], "lists your rooms, with what is unread"),
      asking("list", [], "lists the rooms that anybody may join"),
      askingHere("names", [optional(ROOM)], "says who is in a room", {
        aliases: ["who", "users"],
        type: "members",
      }),
      {
        ...row("topic", [optional(TOPIC)], "shows or sets the topic of the room; - takes it away"),
        command: ({ topic }, { room }) =>
          topic === undefined ? { kind: "topic" } : ask({ type: "topic", room, topic }),
      },
      askingHere("part", [optional(ROOM)], "leaves a room", { aliases: ["leave"] }),
      askingHere("knock", [OPEN_ROOM], "asks to be let into a private room"),
    ],
  },
  {
    title: "People",
    rows: [
      asking("whois", [NAME], "tells what is known of a person, with the words to compare", {
        aliases: ["finger"],
      }),
      asking("verify", [NAME], "notes that you and that person have compared the words of /whois"),
      asking("accept", [NAME], "takes a person's changed identity for theirs"),
      askingHere("allow", [ASKER], "lets in who knocks, or takes up a private conversation"),
      askingHere("deny", [ASKER], "turns away who knocks, or refuses a private conversation"),
      asking("block", [NAME], "takes no private messages of a person"),
      asking("unblock", [NAME], "takes them again"),
      asking("ignore", [NAME], "hides here what a person says"),
      asking("unignore", [NAME], "shows it again"),
    ],
  },
  {
    title: "Keeping order in a room",
    rows: [
      askingHere("invite", [NAME], "invites a person"),
      askingHere("uninvite", [NAME], "takes an invitation back"),
      askingHere("kick", [NAME, optional(REASON)], "puts a person out"),
      askingHere(
        "ban",
        [NAME, optional(TIME), optional(REASON)],
        "puts a person out for 30m, 2h, 7d or for good",
      ),
      askingHere("unban", [NAME], "ends a ban"),
      askingHere("mute", [NAME, optional(TIME), optional(REASON)], "lets a person read only"),
      askingHere("unmute", [NAME], "lets a person speak again"),
      askingHere("role", [NAME, ROLE], "makes a person owner, operator, member or muted"),
      askingHere("op", [NAME], "makes a person an operator", { type: "role", role: "operator" }),
      askingHere("deop", [NAME], "makes a person a member", { type: "role", role: "member" }),
      askingHere("slow", [SECONDS], "lets each member speak once in so many seconds"),
      askingHere("lockdown", [ON], "lets only operators speak, and nobody come in"),
      askingHere("visibility", [VISIBILITY], "says who may come in"),
      askingHere("rename", [NEW_NAME], "gives the room another name"),
      askingHere("newcomers", [NEWCOMERS], "says how many older messages newcomers may read"),
      askingHere("retention", [DAYS], "drops messages after so many days"),
    ],
  },
  {
    title: "Files",
    rows: [
      askingHere("put", [PATH], "puts a file into the room", { aliases: ["upload"] }),
      askingHere("get", [NUMBER, optional(PATH)], "fetches the file of a message", { aliases: ["download"] }),
    ],
  },
  {
    title: "You and your devices",
    rows: [
      {
        ...row("nick", [optional(DISPLAY)], "shows TEXT beside your name, or no longer anything", {
          aliases: ["name"],
        }),
        command: ({ display = "" }) => ask({ type: "nick", display }),
      },
      asking("away", [optional(TEXT)], "tells that you are away"),
      asking("back", [], "tells that you are back"),
      asking("receipts", [ON], "lets others know what you have read"),
      asking("typing", [ON], "lets others know that you are writing; told in private conversations alone", {
        type: "typingShown",
      }),
      asking("devices", [], "lists your devices"),
      asking("approve", [DEVICE], "lets your new device in, once its words are the same on both"),
      asking("revoke", [DEVICE], "shuts out a device of yours, for ever"),
    ],
  },
  {
    title: "This program",
    rows: [
      {
        ...row("fingerprint", [], "prints the fingerprint of the server's host key"),
        command: () => ({ kind: "fingerprint" }),
      },
      {
        ...row("help", [optional({ ...DEVICE, shown: "COMMAND" })], "prints this list, or one command", {
          aliases: ["?", "h"],
        }),
        command: ({ name }) => help(typeof name === "string" ? name : ""),
      },
      {
        ...row("quit", [], "waits until all that was said is acknowledged, and ends", {
          aliases: ["exit", "q", "bye"],
          bareLines: ["exit", "quit()"],
        }),
        command: () => ({ kind: "quit" }),
      },
    ],
  },
];

const ROWS = COMMAND_GROUPS.flatMap(({ rows }) => rows);

/**
 * What `line`, without its end, asks for in `scene`. A slash as the very first character begins a command; two stand
 * for a message that begins with one.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { parseLine } from "./commands.ts";
 * const scene = { room: "#lobby", now: 0, shown: [], askedAt: () => undefined };
 * const said = { type: "send", room: "#lobby", text: "/etc/hosts" };
 * deepEqual(parseLine("//etc/hosts", scene), { kind: "ask", request: said, goTo: undefined });
 * deepEqual(parseLine("/q", scene), { kind: "quit" });
 * ```
 */
export function parseLine(line: string, scene: Scene): Command {
  const trimmed = line.trim();
  if (trimmed === "") return { kind: "nothing" };
  const bare = ROWS.find(({ bareLines }) => bareLines.includes(trimmed));
  if (bare !== undefined) return commandOf(bare, "", scene);
  const { room } = scene;
  if (line.startsWith("//")) return saying({ type: "send", room, text: line.slice(1) });
  if (line.startsWith("/")) return parseCommand(line.slice(1), scene);
  return saying({ type: "send", room, text: line });
}

/** How a row is typed, without its aliases. */
export function usage({ name, args }: CommandRow): string {
  return [`/${name}`, ...args.map(shownArgument)].join(" ");
}

function parseCommand(rest: string, scene: Scene): Command {
  const [word = ""] = rest.split(/\s/, 1);
  const row = rowOf(word);
  if (row === undefined) return { kind: "refused", sentence: unknown(word) };
  return commandOf(row, rest.slice(word.length).trim(), scene);
}

function commandOf(row: CommandRow, argument: string, scene: Scene): Command {
  const meaning = readArguments(row.args, argument, scene);
  const command = meaning.kind === "fields" ? row.command(meaning.fields, scene) : meaning;
  if (command.kind !== "misfit") return command;
  const remedy = row.args.length === 0 ? "write it alone" : `write ${usage(row)}`;
  return { kind: "refused", sentence: `Cannot do /${row.name}: ${command.why}; ${remedy}` };
}

function rowOf(word: string): CommandRow | undefined {
  return ROWS.find(({ name, aliases }) => name === word || aliases.includes(word));
}

function row(
  name: string,
  args: readonly Argument[],
  help: string,
  { aliases = [], bareLines = [] }: RowOptions = {},
): Omit<CommandRow, "command"> {
  return { name, aliases, bareLines, args, help };
}

/** A row that asks for what it is called; `fixed` are fields that nobody types. */
function asking(
  name: string,
  args: readonly Argument[],
  help: string,
  { aliases = [], ...fixed }: RowOptions & Fields = {},
): CommandRow {
  return {
    ...row(name, args, help, { aliases }),
    command: (fields) => ask({ type: name, ...fixed, ...fields }),
  };
}

/** The same, in the room that one is in where no other is typed. */
function askingHere(...[name, args, help, fixed]: Parameters<typeof asking>): CommandRow {
  const { command, ...others } = asking(name, args, help, fixed);
  return { ...others, command: (fields, scene) => command({ room: scene.room, ...fields }, scene) };
}

function ask(value: Fields): ReturnType<CommandRow["command"]> {
  const read = readRequest(value);
  switch (read.kind) {
    case "request":
      return { kind: "ask", request: read.request, goTo: undefined };
    case "misfit":
      return { kind: "misfit", why: read.why };
    case "refused":
      return read;
  }
}

function goAnd(value: Fields): ReturnType<CommandRow["command"]> {
  const command = ask(value);
  return command.kind === "ask" && "room" in command.request
    ? { ...command, goTo: command.request.room }
    : command;
}

function goTo({ room }: Fields): Command {
  const name = String(room);
  const sentence = roomLabelFault(name);
  return sentence === undefined ? { kind: "go", room: name } : { kind: "refused", sentence };
}

/** A message, of which nothing but its text can be at fault. */
function saying(value: Fields): Command {
  const command = ask(value);
  return command.kind === "misfit"
    ? { kind: "refused", sentence: `Cannot send a text: ${command.why}; write it anew` }
    : command;
}

function history(text: string, { room, now }: Scene): ReturnType<CommandRow["command"]> {
  const newest = { from: "before" } as const;
  if (text === "") return ask({ type: "history", room, where: newest });
  const [, seq] = /^#(\d{1,15})$/.exec(text) ?? [];
  if (seq !== undefined) return ask({ type: "history", room, where: { from: "around", seq: Number(seq) } });
  if (/^\d+$/.test(text)) return ask({ type: "history", room, where: newest, limit: Number(text) });
  const time = sinceOf(text, now);
  if (time !== undefined && time <= now) {
    return ask({ type: "history", room, where: { from: "since", time }, limit: PAGE_ENTRIES_MAX });
  }
  const why = time === undefined
    ? `"${quoted(text)}" is no number of messages, no #N and no time such as 2h, 14:30 or 2026-11-20`
    : `"${quoted(text)}" is yet to come`;
  return { kind: "misfit", why };
}

function help(word: string): ReturnType<CommandRow["command"]> {
  if (word === "") return { kind: "help", row: undefined };
  const name = word.replace(/^\//, "");
  const found = rowOf(name);
  return found === undefined ? { kind: "refused", sentence: unknown(name) } : { kind: "help", row: found };
}

function unknown(word: string): string {
  const meant = nearest(word, ROWS.flatMap(({ name, aliases }) => [name, ...aliases]));
  const remedy = meant === undefined ? "/help lists the commands" : `did you mean /${meant}?`;
  return `Cannot do /${quoted(word)}: there is no such command, and nothing was sent; ${remedy}`;
}
