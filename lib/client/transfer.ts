/**
 * What the two kinds of transfers have in common: a file on its way between this machine and a room, over as many
 * connections as that takes.
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { BodyOf } from "../wire/entry_body.ts";
import type { ClientMessage, FaultCode, ServerMessage } from "../wire/message.ts";
import type { ClientEvent } from "./event.ts";
import type { LocalFiles, LocalStore } from "./keepers.ts";

/** At most one event in so many milliseconds tells how far a file has come. */
export const PROGRESS_MS = 250;

/** What transfers tell. */
export type TransferEvent = Extract<ClientEvent, { type: "file" | "fault" }>;

/** What the server says of a file. */
export type FileNews = Extract<ServerMessage, { type: "fileState" | "fileData" | "fault" }>;

/** What transfers work with. */
export interface TransferParts {
  /** Hashes files as they pass. */
  readonly provider: Pick<Provider, "runningSha256">;
  /** Makes the ids of files. */
  readonly entropy: Entropy;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** The files of this machine. */
  readonly files: LocalFiles;
  /** Is told what a front end is to know. */
  readonly tell: (event: TransferEvent) => void;
  /** Queues the entry that says that a file is there; settles once that is durable, rejects with a `Failure`. */
  readonly say: (room: Bytes, file: BodyOf<"file">) => Promise<void>;
  /** Where ids of files under way are kept. */
  readonly settings: Pick<LocalStore, "setting" | "setSetting">;
}

/** A room as a transfer knows it. */
export interface TransferRoom {
  /** Its id, 16 octets. */
  readonly room: Bytes;
  /** What it is called: `#name` or `@handle`. */
  readonly label: string;
}

/** A connection, as transfers use it. */
export interface TransferLine {
  /** Sends to the server; goes nowhere once the connection is gone. */
  readonly send: (message: ClientMessage) => void;
  /** Settles when at most so many octets wait to be sent, or the connection is gone. */
  readonly drained: (octets: number) => Promise<void>;
}

/** One file on its way. Nothing here rejects. */
export interface Transfer {
  /** The file's id in hexadecimal, where that is settled. */
  readonly id: string | undefined;
  /** Begins; settles when it has ended, well or not, and everything about that was told. */
  run(): Promise<void>;
  /** There is a connection. */
  connected(line: TransferLine): void;
  /** It is gone. */
  disconnected(): void;
  /** Takes what the server says of the file. */
  take(news: FileNews): void;
  /** Looks at its pause. */
  tick(now: number): void;
  /** Ends it, with the sentence that says why. */
  stop(sentence: string): void;
}

/** Tells of one transfer. */
export class TransferVoice {
  readonly #parts: Pick<TransferParts, "tell" | "clock">;
  readonly #facts: {
    readonly way: "put" | "get";
    readonly room: string;
    readonly name: string;
    readonly size: number;
  };
  #told: number | undefined;

  /** Tells what is the same of all that is told. */
  constructor(
    parts: Pick<TransferParts, "tell" | "clock">,
    facts: {
      readonly way: "put" | "get";
      readonly room: string;
      readonly name: string;
      readonly size: number;
    },
  ) {
    this.#parts = parts;
    this.#facts = facts;
  }

  /** How far it has come, unless that was told a moment ago. */
  progress(id: string, bytes: number): void {
    const now = this.#parts.clock();
    if (this.#told !== undefined && now - this.#told < PROGRESS_MS) return;
    this.#told = now;
    this.#tell({ id, bytes, done: false, path: undefined, failure: undefined });
  }

  /** All of it is there; at `path`, where it was fetched. */
  done(id: string, path: string | undefined): void {
    this.#tell({ id, bytes: this.#facts.size, done: true, path, failure: undefined });
  }

  /** It came to nothing here. */
  failed(id: string, bytes: number, failure: string): void {
    this.#tell({ id, bytes, done: false, path: undefined, failure });
  }

  /** The server does not do it. */
  refused(id: string, code: FaultCode, wait: number | undefined): void {
    const { room, name } = this.#facts;
    this.#parts.tell({ type: "fault", code, room, about: id, text: name, wait });
  }

  #tell(
    news: { id: string; bytes: number; done: boolean; path: string | undefined; failure: string | undefined },
  ) {
    this.#parts.tell({ type: "file", ...this.#facts, ...news });
  }
}
