/**
 * A file that is fetched from a room: written as it comes, and given its name once its hash is right.
 *
 * @module
 */

import type { RunningHash } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { BodyOf } from "../wire/entry_body.ts";
import { FILE_CHUNK_BYTES } from "../wire/limits.ts";
import {
  getAsked,
  getBeginning,
  getData,
  getFault,
  getLost,
  type GetProgress,
  getReady,
  nextAsk,
} from "./get_progress.ts";
import type { FileSink } from "./keepers.ts";
import {
  type FileNews,
  type Transfer,
  type TransferLine,
  type TransferParts,
  type TransferRoom,
  TransferVoice,
} from "./transfer.ts";

/** Octets of an earlier try that are read at once to be hashed: sixteen pieces. */
const HASH_READ_BYTES = 16 * FILE_CHUNK_BYTES;

/** What is fetched, and where to. */
export interface Wanted {
  /** The file, as its entry says it. */
  readonly file: BodyOf<"file">;
  /** Where it is to be written to, where its person says that. */
  readonly path: string | undefined;
}

/** One file on its way from a room. */
export class FileGet implements Transfer {
  /** Known from its entry. */
  readonly id: string;
  readonly #parts: TransferParts;
  readonly #wanted: Wanted;
  readonly #voice: TransferVoice;
  #sink: FileSink;
  #hash: RunningHash;
  #progress: GetProgress;
  #outcome = Promise.withResolvers<GetProgress>();
  #writing: Promise<void> = Promise.resolve();
  #line: TransferLine | undefined;
  #isPrepared = false;
  #isStopped = false;

  /** Fetches what is `wanted` into `sink`, which it closes at the end. */
  constructor(parts: TransferParts, { label }: TransferRoom, wanted: Wanted & { readonly sink: FileSink }) {
    const { file, sink } = wanted;
    this.id = file.file.toHex();
    this.#parts = parts;
    this.#wanted = wanted;
    this.#sink = sink;
    this.#hash = parts.provider.runningSha256();
    this.#progress = getBeginning(sink.have, file.size);
    this.#voice = new TransferVoice(parts, { way: "get", room: label, name: file.name, size: file.size });
    // It may be stopped before anybody waits for that.
    this.#outcome.promise.catch(() => {});
  }

  /** Fetches it; what an earlier try left here is begun anew where it turns out to be something else. */
  async run(): Promise<void> {
    try {
      const isOfEarlier = this.#sink.have > 0;
      const isRight = await this.#fetch();
      if (isRight === false && isOfEarlier && !this.#isStopped) await this.#fetchAnew();
      else if (isRight === false) throw this.#wrong();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#voice.failed(this.id, this.#sink.have, error.message);
    } finally {
      this.#sink.close();
    }
  }

  /** Asks for what is missing. */
  connected(line: TransferLine): void {
    this.#line = line;
    this.#ask();
  }

  /** Rests. */
  disconnected(): void {
    this.#line = undefined;
    this.#progress = getLost(this.#progress);
  }

  /** Writes what comes, and asks for more. */
  take(news: FileNews): void {
    if (news.type === "fileState" || !this.#isPrepared) return;
    if (news.type === "fault") {
      this.#progress = getFault(this.#progress, news, this.#parts.clock());
    } else {
      const { bytes, offset, size } = news;
      const had = this.#progress.have;
      this.#progress = getData(
        this.#progress,
        { offset, size, length: bytes.length },
        this.#wanted.file.size,
      );
      if (this.#progress.have > had) this.#write(bytes);
    }
    this.#settleIfOver();
  }

  /** Asks again where a pause is over. */
  tick(now: number): void {
    if (this.#progress.kind === "paused" && this.#progress.until <= now) this.#ask();
  }

  /** Ends it; what has come stays for the next try. */
  stop(sentence: string): void {
    this.#isStopped = true;
    this.#outcome.reject(new Failure("temporary", sentence));
  }

  /** Whether all of it is right, and has its name; `undefined` where the server does not give it, which is told. */
  async #fetch(): Promise<boolean | undefined> {
    await this.#prepare();
    const outcome = await this.#outcome.promise;
    await this.#writing;
    switch (outcome.kind) {
      case "refused":
        await this.#refused(outcome);
        return undefined;
      case "whole":
        if (!equal(this.#hash.digest(), this.#wanted.file.sha256)) break;
        this.#voice.done(this.id, await this.#sink.finish());
        return true;
    }
    await this.#sink.discard();
    return false;
  }

  async #fetchAnew(): Promise<void> {
    const { file, path } = this.#wanted;
    const { file: id, name, size } = file;
    this.#outcome = Promise.withResolvers();
    this.#outcome.promise.catch(() => {});
    this.#sink = await this.#parts.files.openSink({ id, name, size, path });
    this.#hash = this.#parts.provider.runningSha256();
    this.#progress = getBeginning(this.#sink.have, size);
    if (await this.#fetch() === false) throw this.#wrong();
  }

  /** Hashes what is there of an earlier try. */
  async #prepare(): Promise<void> {
    const { have } = this.#sink;
    const buffer = new Uint8Array(HASH_READ_BYTES);
    for (let offset = 0; offset < have && !this.#isStopped; offset += HASH_READ_BYTES) {
      const read = buffer.subarray(0, Math.min(HASH_READ_BYTES, have - offset));
      await this.#sink.read(offset, read);
      this.#hash.update(read);
    }
    this.#isPrepared = true;
    this.#settleIfOver();
    this.#ask();
  }

  #write(bytes: Bytes): void {
    this.#hash.update(bytes);
    this.#writing = this.#writing.then(async () => {
      await this.#sink.write(bytes);
      this.#voice.progress(this.id, this.#sink.have);
      this.#askMore();
    });
    this.#writing.catch(this.#outcome.reject);
  }

  #ask(): void {
    if (this.#line === undefined || !this.#isPrepared) return;
    this.#progress = getReady(this.#progress);
    this.#askMore();
  }

  #askMore(): void {
    const { file, size } = this.#wanted.file;
    const next = nextAsk(this.#progress, size, this.#sink.have);
    if (next === undefined) return;
    this.#line?.send({ type: "fileGet", file, offset: next.offset, chunks: next.chunks });
    this.#progress = getAsked(this.#progress, next.chunks, size);
  }

  #settleIfOver(): void {
    const { kind } = this.#progress;
    if (kind === "whole" || kind === "refused" || kind === "wrong") this.#outcome.resolve(this.#progress);
  }

  async #refused({ code, wait }: Extract<GetProgress, { kind: "refused" }>): Promise<void> {
    if (code === "noSuchFile" || this.#sink.have === 0) await this.#sink.discard();
    this.#voice.refused(this.id, code, wait);
  }

  #wrong(): Failure {
    const why = "what the server gave is not what its author put there, and was thrown away";
    const sentence = `Cannot fetch ${
      visible(this.#wanted.file.name)
    }: ${why}; ask its author to put it again.`;
    return new Failure("data", sentence);
  }
}

/** Why a get that is stopped came to nothing. */
export function stoppedGet(name: string): string {
  return `Cannot fetch ${
    visible(name)
  }: the client ended first; get it again, and it goes on where it stopped.`;
}
