/**
 * The operator's console (`--console`): what is said in the lobby, who comes and from where, who goes; and lines typed,
 * which the operator says.
 *
 * @module
 */

import type { OpenLobby, Overheard } from "../chat/overheard.ts";
import { Failure } from "../text/failure.ts";
import { visible, visibleLines } from "../text/visible.ts";
import { utf8 } from "../wire/bytes.ts";
import { TEXT_BYTES_MAX } from "../wire/limits.ts";
import { LOBBY } from "../wire/message.ts";

/** Under which name the operator speaks; nobody can register it. */
export const OPERATOR_NAME = "console";

/**
 * Lines that wait while nobody reads the console: a screen that was stopped must not stop the server, nor fill its
 * memory.
 */
export const CONSOLE_LINES_MAX = 1_000;

/** Columns that lines after the first of one message are moved in by: none can look like one of somebody else. */
const INDENT_COLUMNS = 4;

/** One line that was typed, or why it is none: as lib/terminal/lines.ts gives them. */
export type ConsoleLine =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "fault"; readonly fault: string };

/** The lobby as far as a console uses it. */
export type ConsoleLobby = Pick<OpenLobby, "overhear" | "say" | "present">;

/** What a console is connected to. */
export interface ConsoleIo {
  /** The lines that are typed. */
  readonly input: AsyncIterable<ConsoleLine>;
  /** Writes to standard output; settles when more may be written. */
  readonly write: (text: string) => Promise<void>;
  /** Gives a time, in milliseconds since 1970, as `HH:MM:SS`. */
  readonly clock: (time: number) => string;
}

/**
 * Tells what happens in `lobby` and says what is typed, until the input ends or asks for the end of the server; what
 * happens is told even after that. Never holds up the lobby: lines that nobody reads are dropped beyond
 * {@linkcode CONSOLE_LINES_MAX}.
 */
export async function runConsole(lobby: ConsoleLobby, io: ConsoleIo): Promise<"quit" | "inputEnded"> {
  const screen = new Screen(io.write);
  lobby.overhear((event) => screen.show(eventLines(event, io.clock)));
  for await (const line of io.input) {
    const command = line.kind === "line" ? parseConsoleLine(line.text) : unreadable();
    switch (command.kind) {
      case "quit":
        return "quit";
      case "nothing":
        break;
      case "users":
        screen.show([usersLine(lobby)]);
        break;
      case "refused":
        screen.show([command.sentence]);
        break;
      case "say":
        screen.show(await say(lobby, command.text));
    }
  }
  return "inputEnded";
}

/** Gives why it could not be said, as a line. */
async function say(lobby: ConsoleLobby, text: string): Promise<readonly string[]> {
  try {
    await lobby.say({ source: "console", name: OPERATOR_NAME, text });
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [error.message];
  }
}

/** Writes lines in their order, and forgets those that are too many. */
class Screen {
  readonly #write: ConsoleIo["write"];
  #waiting: string[] = [];
  #dropped = 0;
  #isWriting = false;

  constructor(write: ConsoleIo["write"]) {
    this.#write = write;
  }

  show(lines: readonly string[]): void {
    const room = CONSOLE_LINES_MAX - this.#waiting.length;
    this.#waiting.push(...lines.slice(0, room));
    this.#dropped += Math.max(lines.length - room, 0);
    if (this.#isWriting) return;
    this.#isWriting = true;
    // Who reads no more, reads no more: the server goes on, and nothing is written ever again.
    this.#writeAll().catch(() => {});
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      if (this.#dropped > 0) {
        lines.push(`${LOBBY} * ${this.#dropped} lines were not shown: nobody read the console`);
      }
      this.#waiting = [];
      this.#dropped = 0;
      await this.#write(lines.map((line) => `${line}\n`).join(""));
    }
    this.#isWriting = false;
  }
}

/** What a typed line asks for. */
type ConsoleCommand =
  | { readonly kind: "quit" | "nothing" | "users" }
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "refused"; readonly sentence: string };

/** As at a client: a slash as the very first character begins a command, two stand for a line that begins with one. */
function parseConsoleLine(line: string): ConsoleCommand {
  const trimmed = line.trim();
  if (trimmed === "") return { kind: "nothing" };
  if (["exit", "quit()", "/quit", "/exit"].includes(trimmed)) return { kind: "quit" };
  if (trimmed === "/users" || trimmed === "/names") return { kind: "users" };
  if (line.startsWith("/") && !line.startsWith("//")) {
    const word = trimmed.split(/\s/)[0] ?? "";
    const remedy = "the console has /users and /quit";
    return { kind: "refused", sentence: `Cannot do ${visible(word)}: there is no such command; ${remedy}` };
  }
  const text = line.startsWith("//") ? line.slice(1) : line;
  if (utf8(text).length <= TEXT_BYTES_MAX) return { kind: "say", text };
  return {
    kind: "refused",
    sentence: `Cannot say that: it is longer than ${TEXT_BYTES_MAX} octets; say it in parts`,
  };
}

function unreadable(): ConsoleCommand {
  const why = "it is too long or not UTF-8";
  return { kind: "refused", sentence: `Cannot read a line of the input: ${why}; write it anew` };
}

function usersLine(lobby: ConsoleLobby): string {
  const names = lobby.present();
  return names.length === 0
    ? `${LOBBY} * nobody is here`
    : `${LOBBY} * here: ${names.map(visible).join(", ")}`;
}

/** In the client's form of a line; without a mark, since nothing is verified here. */
function eventLines(event: Overheard, clock: ConsoleIo["clock"]): string[] {
  const head = `${clock(event.time)} ${LOBBY}`;
  switch (event.kind) {
    case "came":
      return [`${head} * ${visible(event.name)} joined from ${visible(event.address)}`];
    case "went":
      return [`${head} * ${visible(event.name)} left`];
    case "guestCame":
      return [`${head} * ${visible(event.name)} via bridge joined from ${visible(event.address)}`];
    case "guestWent":
      return [`${head} * ${visible(event.name)} via bridge left`];
    case "said": {
      const [first = "", ...rest] = visibleLines(event.text);
      // No member's name has a blank in it, so none can look like this.
      const name = event.source === "bridge" ? `${visible(event.name)} via bridge` : visible(event.name);
      return [
        `${head} <${name}> ${first}`,
        ...rest.map((line) => `${" ".repeat(INDENT_COLUMNS)}${line}`),
      ];
    }
  }
}
