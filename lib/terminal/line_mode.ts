/**
 * The line mode: every line that comes in is a message or a command, and what arrives is printed as a line.
 *
 * @module
 */

import { type Command, helpLines, parseLine } from "../client/commands.ts";
import type { ClientEvent, ClientRequest, Talk } from "../client/event.ts";
import { visible } from "../text/visible.ts";
import type { Bytes } from "../wire/bytes.ts";
import { LOBBY } from "../wire/message.ts";
import { exchange } from "./exchange.ts";
import { fitted, hanging, type Line, painted } from "./layout.ts";
import { inputFaultSentence, type InputLine, type LineSource, readLines } from "./lines.ts";
import { type ModeOutcome, Output, type Write } from "./output.ts";
import { type Clock, phraseOf } from "./phrase.ts";
import { standardInput } from "./standard_input.ts";
import { type TerminalIo, type Typed, TypedLine } from "./typed_line.ts";

/** What the line mode reads and writes. */
export interface LineModeIo {
  /** A keyboard and a screen, where both standard input and output are a terminal; else octets. */
  readonly input:
    | { readonly kind: "terminal"; readonly terminal: Omit<TerminalIo, "write"> }
    | { readonly kind: "piped"; readonly bytes: ReadableStream<Bytes> };
  /** Standard output. */
  readonly write: Write;
  /** Standard error; not used with a terminal, where all shares the screen. */
  readonly writeError: Write;
  /** Gives times of day. */
  readonly clock: Clock;
  /** The fingerprint of the server's host key. */
  readonly fingerprint: string;
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

/** What the two variants do differently. */
interface Face {
  readonly input: LineSource;
  /** Part of the conversation. */
  say(lines: readonly Line[]): Promise<void>;
  /** Safe sentences about it. */
  notify(sentences: readonly string[]): Promise<void>;
}

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
  const conversation = new Conversation(talk, io, {
    input: readLines(bytes),
    say: (lines) => output.write(hanging(lines).map((line) => `${painted(line, io.colour)}\n`).join("")),
    notify: (sentences) => output.writeError(sentences.map((sentence) => `${sentence}\n`).join("")),
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
  const typedLine = new TypedLine(
    `${visible(talk.name)}> `,
    { ...terminal, write: (text) => output.write(text) },
    { onTyped },
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
    if (typed.kind === "interrupt") running.end("quit");
    else lines.end();
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
  const conversation = new Conversation(talk, io, { input, say: print, notify });
  const running = exchange(talk, conversation);
  const end = await running.ended;
  // Ctrl-D is how a person at a keyboard says /quit, and a person has seen what was wrong with a line.
  return { ...conversation.outcome(end === "inputEnded" ? "quit" : end), badInput: false };
}

/** What both variants do alike: a line's meaning, an event's words, and who is here. */
class Conversation {
  readonly #talk: Talk;
  readonly #io: Pick<LineModeIo, "clock" | "fingerprint">;
  readonly #face: Face;
  readonly #here = new Set<string>();
  #badInput = false;
  #undelivered = 0;

  constructor(talk: Talk, io: Pick<LineModeIo, "clock" | "fingerprint">, face: Face) {
    this.#talk = talk;
    this.#io = io;
    this.#face = face;
  }

  get input(): LineSource {
    return this.#face.input;
  }

  outcome(end: ModeOutcome["end"]): ModeOutcome {
    return { end, badInput: this.#badInput, undelivered: this.#undelivered };
  }

  async take(line: InputLine): Promise<"quit" | "goOn"> {
    const command: Command = line.kind === "line"
      ? parseLine(line.text)
      : { kind: "refused", sentence: inputFaultSentence(line.fault) };
    switch (command.kind) {
      case "quit":
        return "quit";
      case "nothing":
        return "goOn";
      case "help":
        await this.#face.say(helpLines().map(dimmed));
        return "goOn";
      case "names":
        await this.#face.say([dimmed(this.#names())]);
        return "goOn";
      case "fingerprint":
        await this.#face.say([dimmed(`fingerprint ${this.#io.fingerprint}`)]);
        return "goOn";
      case "refused":
        return await this.#refuse(command.sentence);
      case "send":
        await this.#send(command.text);
        return "goOn";
      case "devices":
        return await this.#ask({ type: "devices" });
      case "approve":
      case "revoke":
        return await this.#ask({ type: command.kind, name: command.name });
      case "nick":
        return await this.#ask({ type: "nick", display: command.display });
      case "whois":
      case "verify":
      case "accept":
        return await this.#ask({ type: command.kind, handle: command.handle });
    }
  }

  async show(event: ClientEvent): Promise<void> {
    this.#note(event);
    const phrase = phraseOf(event, this.#io.clock);
    if (phrase === undefined) return;
    if (phrase.kind === "said") await this.#face.say(phrase.lines);
    else await this.#face.notify([phrase.sentence]);
  }

  /** `count` messages that were typed and never had their turn. */
  async lose(count: number): Promise<void> {
    this.#undelivered += count;
    const what = count === 1 ? "the last line" : `the last ${count} lines`;
    await this.#face.notify([`Cannot send ${what}: the end came before their turn; send them again`]);
  }

  async #send(text: string): Promise<void> {
    const sentence = await this.#talk.request({ type: "send", room: LOBBY, text });
    if (sentence === undefined) return;
    this.#undelivered++;
    await this.#face.notify([visible(sentence)]);
  }

  /** What comes of it is an event. */
  async #ask(request: ClientRequest): Promise<"goOn"> {
    const sentence = await this.#talk.request(request);
    return sentence === undefined ? "goOn" : await this.#refuse(visible(sentence));
  }

  async #refuse(sentence: string): Promise<"goOn"> {
    this.#badInput = true;
    await this.#face.notify([sentence]);
    return "goOn";
  }

  #note(event: ClientEvent): void {
    if (event.type === "unacknowledged") this.#undelivered++;
    if (event.type === "fault" && event.about !== undefined) this.#undelivered++;
    if (event.type !== "presence" || event.room !== LOBBY) return;
    for (const name of event.names) {
      if (event.change === "left") this.#here.delete(name);
      else this.#here.add(name);
    }
  }

  #names(): string {
    if (this.#here.size === 0) return "Nobody is known to be here yet";
    return `${LOBBY} * here: ${Array.from(this.#here).sort().map((name) => visible(name)).join(", ")}`;
  }
}

function dimmed(text: string): Line {
  return [{ text, style: "dim" }];
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
