/**
 * The line that a person types at the foot of a screen, on which text may arrive above it at any moment.
 *
 * node:readline edits the line. Three things it does not do are done here: it is told in which row the cursor
 * is whenever it draws anew, it does not echo a finished line, and what it writes is put in one order with
 * all that is printed.
 *
 * @module
 */

import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Write } from "./output.ts";
import { type InputSource, standardInput } from "./standard_input.ts";

/** A screen and its keyboard. */
export interface TerminalIo {
  /** The keyboard: `process.stdin`, whose raw mode is set and unset here. */
  readonly keys: InputSource;
  /** Writes to the screen. */
  readonly write: Write;
  /** Columns of the screen at this moment. */
  readonly columns: () => number;
}

/** What a person did. */
export type Typed =
  /** Ended a line, which has been erased from the screen. */
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C. */
  | { readonly kind: "interrupt" }
  /** Ctrl-D on an empty line, or the keyboard has gone. */
  | { readonly kind: "end" };

/** Lines that Up brings back. */
const HISTORY_LINES_MAX = 1_000;

/** Columns that are believed of a screen: below it readline's arithmetic divides by nothing. */
const COLUMNS_MIN = 2;

const TO_LINE_START = "\x1b[1G";
const ERASE_BELOW = "\x1b[0J";
const LINE_ENDS = /[\r\n\u2028\u2029]/;
// A page from which a line was pasted is no friend either. Without a width, so readline's columns stay right.
const PASTED_CONTROLS = /[\x80-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** One prompt and the line behind it, from the first prompt to {@linkcode TypedLine.close}. */
export class TypedLine {
  readonly #readline: Interface;
  readonly #gate: Gate;
  #closed = false;

  /**
   * Shows `prompt`, safe text of one line, and hands over what is typed, in the order of the keys. `onEdited` is told
   * after every key what the line that is being typed has come to.
   */
  constructor(
    prompt: string,
    io: TerminalIo,
    { onTyped, onEdited = () => {} }: {
      onTyped: (typed: Typed) => void;
      onEdited?: (line: string) => void;
    },
  ) {
    this.#gate = new Gate(io);
    const keys = standardInput(io.keys);
    const gone = () => this.#readline.close();
    // Before readline hears of it, which takes what was typed until then for a line: a line ends with Enter.
    keys.on("end", gone);
    this.#readline = createInterface({
      input: keys,
      output: this.#gate,
      terminal: true,
      prompt,
      historySize: HISTORY_LINES_MAX,
    });
    const before = (text: unknown, key: unknown) => this.#beforeKey(text, key);
    const after = () => {
      this.#afterKey();
      if (!this.#closed) onEdited(this.#readline.line);
    };
    keys.on("error", gone);
    // Told here, too, where an error that nobody hears of would end the process.
    this.#readline.on("error", gone);
    keys.prependListener("keypress", before);
    keys.on("keypress", after);
    this.#readline.on("line", (text) => onTyped({ kind: "line", text }));
    this.#readline.on("SIGINT", () => onTyped({ kind: "interrupt" }));
    // Else readline sends this process a signal, which takes a permission that it does not have.
    this.#readline.on("SIGTSTP", () => {});
    this.#readline.once("close", () => {
      keys.off("keypress", before).off("keypress", after).off("error", gone).off("end", gone);
      this.#gate.open();
      this.#erase();
      this.#closed = true;
      onTyped({ kind: "end" });
    });
    this.#readline.prompt();
    // What has ended before tells of it no more. Not at once: nobody has this line yet.
    if (keys.gone) void Promise.resolve().then(gone);
  }

  /**
   * Shows `lines`, which are safe and fit the screen, above the line being typed; settles when they are out.
   */
  print(lines: readonly string[]): Promise<void> {
    if (!this.#closed) this.#erase();
    for (const line of lines) this.#gate.write(`${line}\r\n`);
    if (!this.#closed) this.#draw();
    return this.#gate.written();
  }

  /** Shows another prompt, safe text of one line, before the line being typed. */
  ask(prompt: string): Promise<void> {
    if (this.#closed) return this.#gate.written();
    this.#erase();
    this.#readline.setPrompt(prompt);
    this.#draw();
    return this.#gate.written();
  }

  /** Erases prompt and line and lets go of the keyboard; what is printed from now on stands alone. */
  close(): Promise<void> {
    if (!this.#closed) this.#readline.close();
    return this.#gate.written();
  }

  #beforeKey(text: unknown, key: unknown): void {
    this.#tellRow();
    const pasted = typeof text === "string" && LINE_ENDS.test(text);
    if (!pasted && !isEnter(key)) return;
    this.#erase();
    // The line is shown when it is acknowledged: echoed by readline it would be there twice.
    this.#gate.shut();
  }

  #afterKey(): void {
    if (this.#closed || !this.#gate.open()) return;
    this.#draw();
  }

  #erase(): void {
    const { rows } = this.#readline.getCursorPos();
    this.#gate.write(`${TO_LINE_START}${rows > 0 ? `\x1b[${rows}A` : ""}${ERASE_BELOW}`);
  }

  /** From the row that the cursor is in. */
  #draw(): void {
    setRow(this.#readline, 0);
    this.#readline.prompt(true);
  }

  /**
   * The row that readline remembers is of its last drawing. What it wrote since without drawing, a wide
   * letter or several at once, may have gone on to the next.
   */
  #tellRow(): void {
    if (!this.#closed) setRow(this.#readline, this.#readline.getCursorPos().rows);
  }
}

/** `prevRows` is documented nowhere, and yet the only way to tell readline where the cursor is. */
function setRow(readline: Interface, row: number): void {
  Reflect.set(readline, "prevRows", row);
}

function isEnter(key: unknown): boolean {
  return typeof key === "object" && key !== null && "name" in key &&
    (key.name === "return" || key.name === "enter");
}

/**
 * What readline takes for the screen: keeps its writes in order with ours, and drops them while it is shut.
 */
class Gate extends Writable {
  readonly #io: TerminalIo;
  readonly isTTY = true;
  #shut = false;
  #waiting = "";
  #writing: Promise<void> | undefined;

  constructor(io: TerminalIo) {
    super({ decodeStrings: false });
    this.#io = io;
  }

  get columns(): number {
    return Math.max(this.#io.columns(), COLUMNS_MIN);
  }

  shut(): void {
    this.#shut = true;
  }

  /** Whether it was shut. */
  open(): boolean {
    const wasShut = this.#shut;
    this.#shut = false;
    return wasShut;
  }

  /** Settles when all that was written is out. Rejects with what the screen says, now and ever after. */
  written(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  // Called back at once, so that each write comes here while the gate is as it was when it was made.
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    if (!this.#shut) this.#waiting += String(chunk).replace(PASTED_CONTROLS, "");
    if (this.#waiting !== "" && this.#writing === undefined) {
      this.#writing = this.#writeOut();
      this.#writing.catch(() => {});
    }
    done();
  }

  async #writeOut(): Promise<void> {
    // So that erasing, printing and drawing leave as one, and nothing flickers.
    await undefined;
    while (this.#waiting !== "") {
      const text = this.#waiting;
      this.#waiting = "";
      await this.#io.write(text);
    }
    this.#writing = undefined;
  }
}
