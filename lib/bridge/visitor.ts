/**
 * The other end of the bridge: what `sotto fernet` does, and what any program with a Fernet library can do in thirty
 * lines (examples/fernet_client.py). It has the shape that the pump drives.
 *
 * @module
 */

import { type Bytes, utf8Text } from "../wire/bytes.ts";
import { LOGIN_MS_MAX } from "../wire/limits.ts";
import { Outbox, type TokenParts } from "./outbox.ts";
import { FAREWELL, LEAVING_TEXTS, REFUSAL, SERVER_LINE_BYTES_MAX } from "./phrases.ts";
import { isServerIv } from "./token_iv.ts";
import { TokenLines } from "./token_lines.ts";
import { UsedTokens } from "./used_tokens.ts";

/** How a visit came to its end. */
export type VisitEnd =
  /** The server has dealt with all that was said, and said goodbye. */
  | "left"
  /** It closed without having answered: the key, or a clock, is not the same. */
  | "unanswered"
  /** It neither answered nor closed. */
  | "silent"
  /** It sent what is no token of this key, or none that a server made. */
  | "broken"
  /** It closed of its own accord. */
  | "closed"
  /** The connection failed, or the server did not say goodbye. */
  | "cut";

/** What a visitor needs. */
export interface VisitorParts extends TokenParts {
  /** Shows a text that came, as it was written; settles when more may come. */
  readonly show: (text: string) => Promise<void>;
}

/** One visit. */
export class Visitor {
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<VisitEnd>;

  readonly #parts: VisitorParts;
  readonly #outbox: Outbox;
  readonly #lines = new TokenLines(SERVER_LINE_BYTES_MAX);
  readonly #used = new UsedTokens(0);
  readonly #end = Promise.withResolvers<VisitEnd>();
  #isAnswered = false;
  #hasSaidAll = false;
  /** When it began, or had said all: from then on it waits for the server. Milliseconds of the pump's clock. */
  #since: number;
  #isDropping = false;
  #refusals = 0;

  /** A visit that begins at `now`: it knocks by an empty token, so that a wrong key shows at once. */
  constructor(parts: VisitorParts, now: number) {
    this.ended = this.#end.promise;
    this.#parts = parts;
    this.#since = now;
    this.#outbox = new Outbox(parts);
    this.#outbox.push("");
  }

  /** How many texts the server did not take. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Says a text of at most 8,192 octets; settles when more may be said, which is at once when the visit is over. */
  async say(text: string): Promise<void> {
    this.#outbox.push(text);
    await this.#outbox.emptied();
  }

  /** Takes its leave; the server says goodbye when it has dealt with what was said before. */
  leave(): void {
    this.#outbox.push(LEAVING_TEXTS[0] ?? "");
    this.#outbox.end();
  }

  /** Takes bytes; settles when what they say was shown. */
  async receive(bytes: Bytes): Promise<void> {
    const { lines, broken } = this.#lines.push(bytes);
    for (const line of lines) {
      const end = await this.#takeLine(line);
      if (end !== undefined) return this.#finish(end);
    }
    if (broken) this.#finish("broken");
  }

  /** The server has closed. */
  receiveEnd(): void {
    this.#finish(this.#isAnswered ? "closed" : "unanswered");
  }

  /** The connection is gone. */
  lost(): void {
    this.#finish(this.#isAnswered ? "cut" : "unanswered");
  }

  /** Gives up waiting for the first answer, or for the goodbye: what was said before it may still be on its way. */
  tick(now: number): void {
    const isWaiting = !this.#isAnswered || this.#hasSaidAll;
    if (isWaiting && now - this.#since >= LOGIN_MS_MAX) this.#finish(this.#isAnswered ? "cut" : "silent");
  }

  /** The next bytes to be written. */
  async nextWrite(now: () => number): Promise<Bytes | undefined> {
    const bytes = await this.#outbox.nextWrite();
    if (bytes === undefined) {
      this.#hasSaidAll = true;
      this.#since = now();
    }
    return bytes;
  }

  async #takeLine(line: string): Promise<VisitEnd | undefined> {
    const opened = await this.#parts.fernet.open(line);
    const text = opened !== undefined && isServerIv(opened.iv) ? utf8Text(opened.content) : undefined;
    if (opened === undefined || text === undefined) return "broken";
    const verdict = this.#used.take(opened, Math.floor(this.#parts.wallClock() / 1_000));
    if (verdict === "untimely" || verdict === "used") return await this.#drop();
    this.#isAnswered = true;
    this.#isDropping = false;
    if (text === FAREWELL) return "left";
    if (text.startsWith(REFUSAL)) this.#refusals += 1;
    await this.#parts.show(text);
    return undefined;
  }

  /** Told once for several lines that follow each other. */
  async #drop(): Promise<undefined> {
    if (!this.#isDropping) await this.#parts.show(DROPPED);
    this.#isDropping = true;
  }

  #finish(end: VisitEnd): void {
    this.#outbox.drop();
    this.#end.resolve(end);
  }
}

const DROPPED = "* Lines were dropped here: they came more than a minute late, or twice";
