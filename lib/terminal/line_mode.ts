/**
 * The line mode: every line that comes in is a message or a command, and what arrives is printed as a line.
 *
 * @module
 */

import type { Talk } from "../client/event.ts";
import type { Bytes } from "../wire/bytes.ts";
import { exchange } from "./exchange.ts";
import { fitted, hanging, type Line, painted } from "./layout.ts";
import { LineConversation, type LineConversationIo } from "./line_conversation.ts";
import { type InputLine, type LineSource, readLines } from "./lines.ts";
import { type ModeOutcome, Output, type Write } from "./output.ts";
import { promptOf } from "./prompt.ts";
import { standardInput } from "./standard_input.ts";
import { type TerminalIo, type Typed, TypedLine } from "./typed_line.ts";

/** What the line mode reads and writes. */
export interface LineModeIo extends LineConversationIo {
  /** A keyboard and a screen, where both standard input and output are a terminal; else octets. */
  readonly input:
    | { readonly kind: "terminal"; readonly terminal: Omit<TerminalIo, "write"> }
    | { readonly kind: "piped"; readonly bytes: ReadableStream<Bytes> };
  /** Standard output. */
  readonly write: Write;
  /** Standard error; not used with a terminal, where all shares the screen. */
  readonly writeError: Write;
  /** Whether our own colour codes are wanted: a screen, and no NO_COLOR. */
  readonly colour: boolean;
  /** Told, with a terminal, how other safe lines come to the screen without disturbing the one that is typed. */
  readonly takeOver?: (print: (lines: readonly string[]) => void) => void;
}

/**
 * Lines that were pasted faster than they could be sent and wait their turn. The keyboard is read on
 * meanwhile, since Ctrl-C is a key; a larger text is for a pipe, which waits.
 */
export const PASTED_LINES_MAX = 10_000;

/** Columns that a pipe or a file is taken to have, where something is laid out. */
const COLUMNS_PIPED = 80;

/**
 * Talks by lines until the connection ends, and lets go of the input. Throws what the input or the outputs
 * throw, once the connection has ended; but an output without a reader is an end like others.
 */
export async function runLineMode(talk: Talk, io: LineModeIo): Promise<ModeOutcome> {
  if (io.input.kind === "piped") return await runPiped(talk, io, io.input.bytes);
  return await runTerminal(talk, io, io.input.terminal);
}

async function runPiped(talk: Talk, io: LineModeIo, bytes: ReadableStream<Bytes>): Promise<ModeOutcome> {
  const output: Output = new Output(io.write, io.writeError, { onGone: () => running.end("outputGone") });
  const conversation = new LineConversation(talk, io, {
    input: readLines(bytes),
    attended: false,
    columns: () => COLUMNS_PIPED,
    say: (lines) => output.write(hanging(lines).map((line) => `${painted(line, io.colour)}\n`).join("")),
    notify: (sentences) => output.writeError(sentences.map((sentence) => `${sentence}\n`).join("")),
    enter: () => Promise.resolve(),
  });
  const running = exchange(talk, conversation);
  return conversation.outcome(await running.ended);
}

async function runTerminal(
  talk: Talk,
  io: LineModeIo,
  terminal: Omit<TerminalIo, "write">,
): Promise<ModeOutcome> {
  const output: Output = new Output(io.write, io.writeError, { onGone: () => running.end("outputGone") });
  const lines = new TypedLines();
  const prompt = (room: string) => promptOf(talk.name, room, terminal.columns());
  const typedLine = new TypedLine(
    prompt(io.room),
    { ...terminal, write: (text) => output.write(text) },
    { onTyped, onEdited: (line) => conversation.edited(line) },
  );
  const print = (lines: readonly Line[]) =>
    typedLine.print(fitted(lines, terminal.columns()).map((line) => painted(line, io.colour)));
  const notify = async (sentences: readonly string[]) => {
    for (const text of sentences) await print([[{ text, style: "dim" }]]);
  };

  io.takeOver?.((sentences) => {
    notify(sentences).catch(() => running.end("outputGone"));
  });

  function onTyped(typed: Typed): void {
    if (typed.kind === "line") {
      lines.add(typed.text);
      return;
    }
    if (typed.kind === "interrupt") {
      conversation.leave().catch(() => running.end("outputGone"));
      running.end("quit");
    } else lines.end();
  }

  const input: LineSource = {
    [Symbol.asyncIterator]: () => lines.taken(),
    cancel: async () => {
      const unsent = lines.drop();
      await typedLine.close();
      standardInput(terminal.keys).release();
      if (unsent > 0) await conversation.lose(unsent);
    },
  };
  const conversation = new LineConversation(talk, io, {
    input,
    attended: true,
    columns: terminal.columns,
    say: print,
    notify,
    enter: (room) => typedLine.ask(prompt(room)),
  });
  const running = exchange(talk, conversation);
  const end = await running.ended;
  // Ctrl-D is how a person at a keyboard says /quit, and a person has seen what was wrong with a line.
  return { ...conversation.outcome(end === "inputEnded" ? "quit" : end), badInput: false };
}

/** Lines on their way from the keyboard to whoever takes them, one at a time. */
class TypedLines {
  readonly #lines: InputLine[] = [];
  #ended = false;
  #wake = () => {};

  add(text: string): void {
    if (this.#ended) return;
    const { length } = this.#lines;
    if (length < PASTED_LINES_MAX) this.#lines.push({ kind: "line", text });
    // Told once, in the place of the first line that was too many.
    else if (length === PASTED_LINES_MAX) this.#lines.push({ kind: "fault", fault: "tooMany" });
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** How many lines were still waiting. */
  drop(): number {
    const { length } = this.#lines.splice(0);
    this.end();
    return length;
  }

  async *taken(): AsyncGenerator<InputLine, void, undefined> {
    while (true) {
      const line = this.#lines.shift();
      if (line !== undefined) yield line;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
