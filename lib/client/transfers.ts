/**
 * All files on their way between this machine and the rooms of one account: a few at a time, the others in line, each
 * over as many connections as it takes.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import type { BodyOf } from "../wire/entry_body.ts";
import type { ServerMessage } from "../wire/message.ts";
import { FileGet, stoppedGet } from "./file_get.ts";
import { FilePut, stoppedPut } from "./file_put.ts";
import type { FileNews, Transfer, TransferLine, TransferParts, TransferRoom } from "./transfer.ts";

/** Files that are on their way at once: a long one does not hold up a short one, and two windows are two megabytes. */
export const TRANSFERS_AT_ONCE = 2;

/** Files that are on their way or in line: each is open. */
export const TRANSFERS_MAX = 100;

/** A transfer in line or on its way. */
interface Place {
  readonly transfer: Transfer;
  /** Why it came to nothing where the client ends first. */
  readonly stopped: string;
  isRunning: boolean;
}

/** The transfers of one account's client. */
export class Transfers {
  readonly #parts: TransferParts;
  readonly #places = new Set<Place>();
  readonly #waiting: (() => void)[] = [];
  #line: TransferLine | undefined;

  /** None yet. */
  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Puts a file of this machine into a room; a sentence where it cannot. What becomes of it later is told. */
  put({ path, ...room }: TransferRoom & { readonly path: string }): Promise<string | undefined> {
    return this.#add(`Cannot put ${visible(path)}`, async () => {
      const source = await this.#parts.files.openSource(path);
      const isUnderWay = (id: string) => [...this.#places].some(({ transfer }) => transfer.id === id);
      return {
        transfer: new FilePut(this.#parts, room, { source, isUnderWay }),
        stopped: stoppedPut(source.name),
      };
    });
  }

  /** Fetches the file of an entry; a sentence where it cannot. What becomes of it later is told. */
  get(
    { file, path, ...room }: TransferRoom & {
      readonly file: BodyOf<"file">;
      readonly path: string | undefined;
    },
  ): Promise<string | undefined> {
    return this.#add(`Cannot fetch ${visible(file.name)}`, async () => {
      const { file: id, name, size } = file;
      const sink = await this.#parts.files.openSink({ id, name, size, path });
      return { transfer: new FileGet(this.#parts, room, { file, path, sink }), stopped: stoppedGet(name) };
    });
  }

  /** There is a connection, which has let us in: what is on its way goes on. */
  connected(line: TransferLine): void {
    this.#line = line;
    for (const { transfer } of this.#running()) transfer.connected(line);
  }

  /** It is gone. */
  disconnected(): void {
    this.#line = undefined;
    for (const { transfer } of this.#running()) transfer.disconnected();
  }

  /** Takes what the server says; whether it was about a transfer. */
  receive(message: ServerMessage): boolean {
    const about = fileOf(message);
    if (about === undefined) return false;
    const concerned = this.#running().filter(({ transfer }) => transfer.id === about.id);
    for (const { transfer } of concerned) transfer.take(about.news);
    return concerned.length > 0 || message.type !== "fault";
  }

  /** Looks at pauses; about once a second. */
  tick(now: number): void {
    for (const { transfer } of this.#running()) transfer.tick(now);
  }

  /** Settles when nothing is on its way or in line. */
  async idle(): Promise<void> {
    if (this.#places.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends all; what came to nothing by that is told. */
  async end(): Promise<void> {
    const idle = this.idle();
    for (const { transfer, stopped } of this.#places) transfer.stop(stopped);
    this.#advance();
    await idle;
  }

  async #add(
    cannot: string,
    open: () => Promise<{ readonly transfer: Transfer; readonly stopped: string }>,
  ): Promise<string | undefined> {
    if (this.#places.size >= TRANSFERS_MAX) {
      return `${cannot}: ${TRANSFERS_MAX} files are on their way or in line; wait until some are done.`;
    }
    try {
      this.#places.add({ ...await open(), isRunning: false });
    } catch (error) {
      if (error instanceof Failure) return error.message;
      throw error;
    }
    this.#advance();
    return undefined;
  }

  /** Begins what is next in line; but no file goes both ways at once, since the server's answers name the file only. */
  #advance(): void {
    for (const place of this.#places) {
      const running = this.#running();
      if (running.length >= TRANSFERS_AT_ONCE) return;
      const { id } = place.transfer;
      const isAlone = id === undefined || running.every(({ transfer }) => transfer.id !== id);
      if (!place.isRunning && isAlone) this.#run(place);
    }
  }

  async #run(place: Place): Promise<void> {
    place.isRunning = true;
    if (this.#line !== undefined) place.transfer.connected(this.#line);
    await place.transfer.run();
    this.#places.delete(place);
    this.#advance();
    if (this.#places.size === 0) { for (const resolve of this.#waiting.splice(0)) resolve(); }
  }

  #running(): Place[] {
    return [...this.#places].filter(({ isRunning }) => isRunning);
  }
}

function fileOf(message: ServerMessage): { readonly id: string; readonly news: FileNews } | undefined {
  switch (message.type) {
    case "fileState":
    case "fileData":
      return { id: message.file.toHex(), news: message };
    case "fault":
      return message.about === undefined ? undefined : { id: message.about.toHex(), news: message };
    default:
      return undefined;
  }
}
