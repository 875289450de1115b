/**
 * A file of this machine that is put into a room: hashed, sent, and then said there.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { safeFileName } from "../text/file_name.ts";
import { visible } from "../text/visible.ts";
import type { Bytes } from "../wire/bytes.ts";
import { FILE_CHUNK_BYTES } from "../wire/limits.ts";
import { ENTRY_ID_BYTES } from "../wire/message.ts";
import type { FileSource } from "./keepers.ts";
import {
  nextPiece,
  PUT_BEGINNING,
  putAsked,
  putFault,
  putLost,
  type PutProgress,
  putSent,
  putState,
} from "./put_progress.ts";
import {
  type FileNews,
  type Transfer,
  type TransferLine,
  type TransferParts,
  type TransferRoom,
  TransferVoice,
} from "./transfer.ts";

/** Octets read at once to be hashed: sixteen pieces. */
const HASH_READ_BYTES = 16 * FILE_CHUNK_BYTES;

/** Octets that wait to be sent beyond which the next piece is held back, so that what people say does not wait behind a window. */
const AHEAD_BYTES = 131_072;

/** What the server is told about the file. */
interface Begun {
  readonly file: Bytes;
  readonly sha256: Bytes;
  /** Whether the id is that of an earlier try. */
  readonly isRecalled: boolean;
}

/** How the sending ended. */
type PutOutcome = Extract<PutProgress, { kind: "stored" | "refused" }>;

/** One file on its way into a room. */
export class FilePut implements Transfer {
  readonly #parts: TransferParts;
  readonly #room: TransferRoom;
  readonly #source: FileSource;
  readonly #isUnderWay: (id: string) => boolean;
  readonly #name: string;
  readonly #voice: TransferVoice;
  readonly #outcome = Promise.withResolvers<PutOutcome>();
  #begun: Begun | undefined;
  #progress: PutProgress = PUT_BEGINNING;
  #line: TransferLine | undefined;
  #have = 0;
  #isReading = false;
  #isStopped = false;

  /** Puts `source`, which it closes at the end. `isUnderWay` tells whether another transfer has that id. */
  constructor(
    parts: TransferParts,
    room: TransferRoom,
    { source, isUnderWay }: { readonly source: FileSource; readonly isUnderWay: (id: string) => boolean },
  ) {
    this.#parts = parts;
    this.#room = room;
    this.#source = source;
    this.#isUnderWay = isUnderWay;
    this.#name = safeFileName(source.name);
    this.#voice = new TransferVoice(parts, {
      way: "put",
      room: room.label,
      name: this.#name,
      size: source.size,
    });
    // It may be stopped before anybody waits for that.
    this.#outcome.promise.catch(() => {});
  }

  /** Absent until the file is hashed. */
  get id(): string | undefined {
    return this.#begun?.file.toHex();
  }

  /** Hashes it, puts it, and says it. */
  async run(): Promise<void> {
    try {
      await this.#open();
      const outcome = await this.#outcome.promise;
      if (outcome.kind === "refused") await this.#refused(outcome);
      else await this.#say();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#voice.failed(this.id ?? "", this.#have, error.message);
    } finally {
      this.#isStopped = true;
      this.#source.close();
    }
  }

  /** Asks the server how much it has. */
  connected(line: TransferLine): void {
    this.#line = line;
    this.#ask();
  }

  /** Rests. */
  disconnected(): void {
    this.#line = undefined;
    this.#progress = putLost(this.#progress);
  }

  /** Sends what there is room for now, or waits, or has ended. */
  take(news: FileNews): void {
    if (news.type === "fileData") return;
    this.#progress = news.type === "fault"
      ? putFault(this.#progress, news, this.#parts.clock())
      : putState(this.#progress, news, this.#source.size);
    if (this.#progress.kind === "refused" && this.#progress.code === "idTaken" && this.#begun?.isRecalled) {
      this.#renew();
    } else if (this.#progress.kind === "stored" || this.#progress.kind === "refused") {
      this.#outcome.resolve(this.#progress);
    } else {
      if (this.#progress.kind === "sending") this.#tellProgress(this.#progress.have);
      this.#fill();
    }
  }

  /** Asks again where a pause is over. */
  tick(now: number): void {
    if (this.#progress.kind === "paused" && this.#progress.until <= now) this.#ask();
  }

  /** Ends it. */
  stop(sentence: string): void {
    this.#isStopped = true;
    this.#outcome.reject(new Failure("temporary", sentence));
  }

  async #open(): Promise<void> {
    const sha256 = await this.#hash();
    // Where it was stopped, that is not the hash of all of it.
    if (this.#isStopped) return;
    const recalled = await this.#recalled(sha256);
    await this.#begin({
      file: recalled ?? this.#parts.entropy(ENTRY_ID_BYTES),
      sha256,
      isRecalled: recalled !== undefined,
    });
  }

  async #hash(): Promise<Bytes> {
    const hash = this.#parts.provider.runningSha256();
    const { size } = this.#source;
    const buffer = new Uint8Array(HASH_READ_BYTES);
    for (let offset = 0; offset < size && !this.#isStopped; offset += HASH_READ_BYTES) {
      const read = buffer.subarray(0, Math.min(HASH_READ_BYTES, size - offset));
      await this.#source.read(offset, read);
      hash.update(read);
    }
    return hash.digest();
  }

  /** The id under which an earlier run of the program has put the same into the same room, and come to no end. */
  async #recalled(sha256: Bytes): Promise<Bytes | undefined> {
    const kept = await this.#parts.settings.setting(this.#setting(sha256));
    return kept === undefined || this.#isUnderWay(kept) ? undefined : Uint8Array.fromHex(kept);
  }

  async #begin(begun: Begun): Promise<void> {
    // Kept before it is used: after a crash it goes on under that id.
    await this.#parts.settings.setSetting(this.#setting(begun.sha256), begun.file.toHex());
    this.#begun = begun;
    this.#ask();
  }

  /** The id of an earlier try is another file's by now. */
  #renew(): void {
    const begun = this.#begun;
    if (begun === undefined) return;
    this.#begun = undefined;
    this.#progress = PUT_BEGINNING;
    this.#begin({ ...begun, file: this.#parts.entropy(ENTRY_ID_BYTES), isRecalled: false })
      .catch(this.#outcome.reject);
  }

  #ask(): void {
    if (this.#line === undefined || this.#begun === undefined || this.#isStopped) return;
    const { file, sha256 } = this.#begun;
    this.#progress = putAsked(this.#progress);
    this.#line.send({ type: "fileBegin", file, room: this.#room.room, size: this.#source.size, sha256 });
  }

  async #fill(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (await this.#sendNext());
    } catch (error) {
      this.#outcome.reject(error);
    } finally {
      this.#isReading = false;
    }
  }

  async #sendNext(): Promise<boolean> {
    await this.#line?.drained(AHEAD_BYTES);
    const { size } = this.#source;
    const piece = nextPiece(this.#progress, size);
    if (piece === undefined || this.#begun === undefined || this.#isStopped) return false;
    const bytes = new Uint8Array(piece.length);
    await this.#source.read(piece.offset, bytes);
    // After a cut in the meantime something else may come next.
    if (nextPiece(this.#progress, size)?.offset === piece.offset) {
      this.#line?.send({ type: "fileChunk", file: this.#begun.file, offset: piece.offset, bytes });
      this.#progress = putSent(this.#progress, bytes.length);
    }
    return true;
  }

  async #say(): Promise<void> {
    if (this.#begun === undefined) return;
    const { file, sha256 } = this.#begun;
    await this.#parts.say(this.#room.room, { file, name: this.#name, size: this.#source.size, sha256 });
    await this.#forget(sha256);
    this.#voice.done(file.toHex(), undefined);
  }

  async #refused({ code, wait }: Extract<PutProgress, { kind: "refused" }>): Promise<void> {
    if (this.#begun !== undefined) await this.#forget(this.#begun.sha256);
    this.#voice.refused(this.id ?? "", code, wait);
  }

  async #forget(sha256: Bytes): Promise<void> {
    await this.#parts.settings.setSetting(this.#setting(sha256), undefined);
  }

  #setting(sha256: Bytes): string {
    return `put ${this.#room.room.toHex()} ${sha256.toHex()}`;
  }

  #tellProgress(have: number): void {
    this.#have = have;
    if (this.id !== undefined) this.#voice.progress(this.id, have);
  }
}

/** Why a put that is stopped came to nothing. */
export function stoppedPut(name: string): string {
  return `Cannot put ${
    visible(name)
  }: the client ended first; put it again, and it goes on where it stopped.`;
}
