/**
 * Bytes as lines of tokens: one token a line, LF or CRLF, split anywhere.
 *
 * @module
 */

import { type Bytes, utf8Text } from "../wire/bytes.ts";

const LINE_FEED = 10;

/** What has come of received bytes. */
export interface TakenLines {
  /** Whole lines, without their ends. */
  readonly lines: readonly string[];
  /** Whether a line was too long, or no text: nothing more may be read. */
  readonly broken: boolean;
}

/** Cuts a stream of bytes into lines, and holds no more of it than one line. */
export class TokenLines {
  readonly #bytesMax: number;
  #held: Bytes = new Uint8Array(0);
  #length = 0;

  /** Takes lines of `bytesMax` octets, their ends not counted but for a CR. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes bytes. Not to be called again once the stream is broken. */
  push(bytes: Bytes): TakenLines {
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      const line = this.#hold(bytes.subarray(from, end)) ? this.#take() : undefined;
      if (line === undefined) return { lines, broken: true };
      lines.push(line);
      from = end + 1;
    }
    return { lines, broken: !this.#hold(bytes.subarray(from)) };
  }

  /** Keeps a part of a line, unless the line is too long with it. Copies each octet a bounded number of times. */
  #hold(part: Bytes): boolean {
    const length = this.#length + part.length;
    if (length > this.#bytesMax) return false;
    if (length > this.#held.length) {
      const held = new Uint8Array(Math.min(2 * length, this.#bytesMax));
      held.set(this.#held.subarray(0, this.#length));
      this.#held = held;
    }
    this.#held.set(part, this.#length);
    this.#length = length;
    return true;
  }

  #take(): string | undefined {
    const line = utf8Text(this.#held.subarray(0, this.#length));
    this.#length = 0;
    return line?.replace(/\r$/, "");
  }
}
