/**
 * Octets of an input, cut into lines. Whoever writes there is not trusted to end a line, nor to write text.
 *
 * @module
 */

import { type Bytes, concat, utf8Text } from "../wire/bytes.ts";
import { type InputSource, standardInput } from "./standard_input.ts";

/**
 * Longest line of input, its end not counted: the longest text of a message, 8,192 octets, takes 49,152 where
 * JSON spells each of them as `\u00XX`, and its frame a few more.
 */
export const LINE_BYTES_MAX = 65_536;

/** One line, or why it is none. */
export type InputLine =
  /** Without its end. */
  | { readonly kind: "line"; readonly text: string }
  /** Longer than the limit, not UTF-8, or one more than may wait for its turn; its octets are gone. */
  | { readonly kind: "fault"; readonly fault: InputFault };

/** Why a line of input is none. */
export type InputFault = "tooLong" | "notUtf8" | "tooMany";

/** Lines as they come, and a way to stop waiting for the next one. */
export interface LineSource extends AsyncIterable<InputLine> {
  /** Ends the iteration, a pending step too, and lets go of the input. */
  cancel(): Promise<void>;
}

const SENTENCES: Readonly<Record<InputFault, string>> = {
  tooLong: "Cannot read a line of the input: it is longer than any message; send it in parts",
  notUtf8: "Cannot read a line of the input: it is not UTF-8; convert it first",
  tooMany: "Cannot take more lines: too many wait to be sent; send the rest later, or through a pipe",
};

const LF = 0x0a;
const CR = 0x0d;

/**
 * The lines of `stream`, each ended by LF, CRLF or the end of the input; nothing follows a final end. A line
 * over `bytesMax` octets is skipped to its end and gives a fault, as does one that is not UTF-8; the next one
 * is read as if nothing had been. To be iterated once. Throws what the stream throws.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { readLines } from "./lines.ts";
 * const found = await Array.fromAsync(readLines(new Blob(["one\r\ntwo"]).stream()));
 * deepEqual(found, [{ kind: "line", text: "one" }, { kind: "line", text: "two" }]);
 * ```
 */
export function readLines(stream: ReadableStream<Bytes>, bytesMax: number = LINE_BYTES_MAX): LineSource {
  const reader = stream.getReader();
  return {
    [Symbol.asyncIterator]: () => cut(reader, bytesMax),
    // An input that failed has let go by itself, and its failure is the iteration's to tell.
    cancel: () => reader.cancel().catch(() => {}),
  };
}

/**
 * The first line of `source`, such as `process.stdin`, as {@linkcode readLines} gives one; what follows it stays to be
 * read. `undefined` where the source ends before a line begins. Throws what the source throws.
 */
export async function readFirstLine(
  source: InputSource,
  bytesMax: number = LINE_BYTES_MAX,
): Promise<InputLine | undefined> {
  const bytes = await standardInput(source).line(bytesMax + 1);
  if (bytes === undefined) return undefined;
  const line = new OpenLine(bytesMax);
  line.add(bytes);
  return line.take();
}

/** What a person is told of a line that is none. */
export function inputFaultSentence(fault: InputFault): string {
  return SENTENCES[fault];
}

/** The octets of `source`, such as `process.stdin`, from now on; once cancelled, it is let go of for good. */
export function bytesOf(source: InputSource): ReadableStream<Bytes> {
  return standardInput(source).bytes();
}

async function* cut(
  reader: ReadableStreamDefaultReader<Bytes>,
  bytesMax: number,
): AsyncGenerator<InputLine, void, undefined> {
  const line = new OpenLine(bytesMax);
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    let from = 0;
    for (let end = step.value.indexOf(LF); end >= 0; end = step.value.indexOf(LF, from)) {
      line.add(step.value.subarray(from, end));
      yield line.take();
      from = end + 1;
    }
    line.add(step.value.subarray(from));
  }
  if (line.begun) yield line.take();
}

/** The line whose end has not come yet. Never holds much more than the limit. */
class OpenLine {
  readonly #bytesMax: number;
  #parts: Bytes[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get begun(): boolean {
    return this.#length > 0;
  }

  add(part: Bytes): void {
    if (part.length === 0) return;
    this.#length += part.length;
    // One more than the limit, since the last may be the CR of the line's end.
    if (this.#length <= this.#bytesMax + 1) this.#parts.push(part);
    else this.#parts = [];
  }

  take(): InputLine {
    const whole = this.#length <= this.#bytesMax + 1;
    const bytes = concat(...this.#parts);
    this.#parts = [];
    this.#length = 0;
    const content = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
    if (!whole || content.length > this.#bytesMax) return { kind: "fault", fault: "tooLong" };
    const text = utf8Text(content);
    return text === undefined ? { kind: "fault", fault: "notUtf8" } : { kind: "line", text };
  }
}
