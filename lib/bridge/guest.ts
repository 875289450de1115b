/**
 * One guest of the bridge, on the server's side: a program that shares the Fernet key, and talks in the lobby by lines of
 * tokens. It has the shape that the pump drives.
 *
 *     knocking ▸ inside ▸ leaving
 *
 * @module
 */

import type { OpenLobby, Overheard } from "../chat/overheard.ts";
import { Failure } from "../text/failure.ts";
import { visible, visibleLines } from "../text/visible.ts";
import { type Bytes, utf8, utf8Text } from "../wire/bytes.ts";
import { CLOSE_MS_MAX, LOGIN_MS_MAX, PEOPLE_MAX, TEXT_BYTES_MAX } from "../wire/limits.ts";
import { LOBBY } from "../wire/message.ts";
import { Outbox, type TokenParts } from "./outbox.ts";
import { FAREWELL, GUEST_LINE_BYTES_MAX, LEAVING_TEXTS, REFUSAL } from "./phrases.ts";
import { isServerIv } from "./token_iv.ts";
import { TokenLines } from "./token_lines.ts";
import type { UsedTokens } from "./used_tokens.ts";

/** How a guest's connection came to its end. */
export type GuestEnd =
  /** It said `exit`, or nothing more. */
  | "left"
  /** Its connection failed. */
  | "cut"
  /** Its first line was no token that is taken, or none came in time: it was told nothing. */
  | "stranger"
  /** It sent a line that is too long for any token. */
  | "broken"
  /** It did not read what was said. */
  | "tooSlow"
  /** The server ends. */
  | "shuttingDown";

/** A phrase for the operator. */
export function guestEndWords(end: GuestEnd): string {
  return {
    left: "left",
    cut: "cut",
    stranger: "did not show the Fernet key",
    broken: "sent a line that is too long",
    tooSlow: "read too slowly",
    shuttingDown: "the server ends",
  }[end];
}

/** What a guest is let in by. */
export interface GuestParts extends TokenParts {
  /** What it talks in. */
  readonly lobby: OpenLobby;
  /** Where it connects from, as HOST:PORT. */
  readonly address: string;
  /** The tokens that the guests of this key have used up. */
  readonly used: UsedTokens;
  /** Called when the guest has shown that it has the key: gives its name, which no other guest of this run has. */
  readonly admit: () => string;
}

type State =
  /** It has shown nothing yet; `since` in milliseconds of the pump's clock, as everywhere here. */
  | { readonly kind: "knocking"; readonly since: number }
  | { readonly kind: "inside"; readonly name: string; readonly depart: () => Promise<void> }
  /** Nothing is taken of it any more, and what it was told last is being written. */
  | { readonly kind: "leaving"; readonly since: number };

/** One guest. */
export class Guest {
  /** Settles when nothing more will be read or written, and the lobby knows. Rejects with a fault of the lobby's. */
  readonly ended: Promise<GuestEnd>;

  readonly #parts: GuestParts;
  readonly #outbox: Outbox;
  readonly #lines = new TokenLines(GUEST_LINE_BYTES_MAX);
  readonly #end = Promise.withResolvers<GuestEnd>();
  readonly #written = Promise.withResolvers<void>();
  #state: State;
  /** The moment that was told last. */
  #now: number;

  /** A guest that was accepted at `now`. */
  constructor(parts: GuestParts, now: number) {
    this.ended = this.#end.promise;
    this.#parts = parts;
    this.#outbox = new Outbox(parts);
    this.#state = { kind: "knocking", since: now };
    this.#now = now;
  }

  /** Takes bytes; settles when what they say has its place. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    this.#now = now;
    if (this.#state.kind === "leaving") return;
    const { lines, broken } = this.#lines.push(bytes);
    for (const line of lines) await this.#takeLine(line);
    if (broken) this.#break();
  }

  /** It will say nothing more. */
  receiveEnd(): void {
    this.#takeLeave();
  }

  /** The connection is gone. */
  lost(): void {
    this.#leave("cut");
    this.#giveUp();
  }

  /** Looks at the deadlines of those who only knock, and of those who do not read what they are told last. */
  tick(now: number): void {
    this.#now = now;
    if (this.#state.kind === "inside") return;
    const waited = now - this.#state.since;
    if (this.#state.kind === "leaving" && waited >= CLOSE_MS_MAX) this.#giveUp();
    if (this.#state.kind === "knocking" && waited >= LOGIN_MS_MAX) this.#leave("stranger");
  }

  /** The next bytes to be written; after the last of a guest that leaves, its connection is over. */
  async nextWrite(): Promise<Bytes | undefined> {
    const bytes = await this.#outbox.nextWrite();
    if (bytes === undefined) this.#written.resolve();
    return bytes;
  }

  /** The server ends. */
  close(): void {
    this.#tell("* the server ends");
    this.#leave("shuttingDown");
  }

  async #takeLine(line: string): Promise<void> {
    const opened = await this.#parts.fernet.open(line);
    const now = Math.floor(this.#parts.wallClock() / 1_000);
    const verdict = opened === undefined || isServerIv(opened.iv)
      ? "unknown"
      : this.#parts.used.take(opened, now);
    const text = verdict === "taken" && opened !== undefined ? utf8Text(opened.content) : undefined;
    if (this.#state.kind === "knocking") {
      // A stranger learns no more than that its visit is over.
      if (text === undefined) return this.#leave("stranger");
      this.#enter();
    }
    if (text === undefined) return this.#tell(`${REFUSAL}take a line: ${WHY_NOT[verdict]}.`);
    await this.#say(text.replace(/\r?\n$/, ""));
  }

  #enter(): void {
    const { lobby, address, admit } = this.#parts;
    const name = admit();
    const present = lobby.present();
    const stopListening = lobby.overhear((event) => this.#hear(event, name));
    const goodbye = lobby.visit(name, address);
    const depart = (): Promise<void> => {
      stopListening();
      return goodbye();
    };
    this.#state = { kind: "inside", name, depart };
    this.#tell(`* you are ${name} in ${LOBBY}, with ${listed(present)}; exit leaves`);
  }

  /** An empty text only knocks. */
  async #say(text: string): Promise<void> {
    // Opening its token took a while, in which the server may have ended, or the deadline passed.
    if (this.#state.kind !== "inside") return;
    const trimmed = text.trim();
    if (LEAVING_TEXTS.includes(trimmed)) return this.#takeLeave();
    if (trimmed === "") return;
    if (utf8(text).length > TEXT_BYTES_MAX) {
      return this.#tell(`${REFUSAL}say that: it is longer than ${TEXT_BYTES_MAX} octets; say it in parts.`);
    }
    try {
      await this.#parts.lobby.say({ source: "bridge", name: this.#state.name, text });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#tell(`* ${error.message}`);
    }
  }

  /** Those who read it may print it as it comes, so it is made safe here. */
  #hear(event: Overheard, ownName: string): void {
    const isBridged = event.kind === "guestCame" || event.kind === "guestWent" ||
      event.kind === "said" && event.source === "bridge";
    if (isBridged && event.name === ownName) return;
    // No member's name has a blank in it, so none can look like this.
    const name = isBridged ? `${visible(event.name)} via bridge` : visible(event.name);
    switch (event.kind) {
      case "came":
      case "guestCame":
        return this.#tell(`* ${name} joined`);
      case "went":
      case "guestWent":
        return this.#tell(`* ${name} left`);
      case "said":
        return this.#tell(`<${name}> ${visibleLines(event.text).join("\n    ")}`);
    }
  }

  /** Whoever does not read what it is told is cut. */
  #tell(text: string): void {
    if (this.#state.kind !== "inside" || this.#outbox.push(text)) return;
    this.#leave("tooSlow");
    this.#giveUp();
  }

  #takeLeave(): void {
    this.#tell(FAREWELL);
    this.#leave("left");
  }

  #break(): void {
    if (this.#state.kind === "knocking") return this.#leave("stranger");
    this.#tell(`${REFUSAL}take a line: it is longer than any message; say it in parts.`);
    this.#leave("broken");
  }

  #leave(end: GuestEnd): void {
    if (this.#state.kind === "leaving") return;
    const departed = this.#state.kind === "inside" ? this.#state.depart().catch(unlessNotStored) : undefined;
    this.#state = { kind: "leaving", since: this.#now };
    this.#outbox.end();
    this.#end.resolve(Promise.all([departed, this.#written.promise]).then(() => end));
  }

  /** Waits for no write any more. */
  #giveUp(): void {
    this.#outbox.drop();
    this.#written.resolve();
  }
}

/** What cannot be stored is for the server's journal: a guest that goes cannot be told. */
function unlessNotStored(error: unknown): void {
  if (!(error instanceof Failure)) throw error;
}

const WHY_NOT = {
  unknown: "it is no token of this key",
  untimely: "its token is too old, or from the future; set the clock right and say it again",
  used: "its token was sent before; make a new one each time",
  tooMany: "too much was said in the last two minutes; say it again later",
  taken: "it is not UTF-8",
} as const;

/** As many names as other lists have at once: a greeting stays shorter than a long message. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return "nobody";
  const more = names.length - PEOPLE_MAX;
  const shown = names.slice(0, PEOPLE_MAX).map(visible).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
