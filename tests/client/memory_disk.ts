/**
 * The files of a person's machine, in memory: they outlive the client, as parts of what is fetched do.
 *
 * @module
 */

import type { FileSink, FileSource, LocalFiles } from "../../lib/client/keepers.ts";
import { Failure } from "../../lib/text/failure.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";

/** One run of a program: what it has open does nothing more once it is over. */
interface Run {
  isOver: boolean;
}

/** A disk that a test holds. */
export class MemoryDisk implements LocalFiles {
  /** What is there, by path; parts end in `.part`. */
  readonly content = new Map<string, Bytes>();
  /** How many files are open. */
  open = 0;
  /** Whether nothing can be written. */
  full = false;
  /** Called before each read of a file that is put. */
  beforeRead: () => Promise<void> = () => Promise.resolve();
  /** Called before each write. */
  beforeWrite: () => Promise<void> = () => Promise.resolve();

  async openSource(path: string): Promise<FileSource> {
    await Promise.resolve();
    return new Source(this, path);
  }

  async openSink({ name, path }: { name: string; path: string | undefined }): Promise<FileSink> {
    await Promise.resolve();
    return new Sink(this, path ?? name);
  }

  /** The run of the program that opens files now. */
  run: Run = { isOver: false };

  /** The program dies, and runs again. */
  endRun(): void {
    this.run.isOver = true;
    this.run = { isOver: false };
    this.open = 0;
  }

  /** The content at `path`. */
  at(path: string): Bytes {
    const bytes = this.content.get(path);
    if (bytes === undefined) throw failure(`there is no ${path}`);
    return bytes;
  }
}

class Source implements FileSource {
  readonly name: string;
  readonly size: number;
  readonly #disk: MemoryDisk;
  readonly #opened: Bytes;
  readonly #run: Run;

  constructor(disk: MemoryDisk, path: string) {
    this.#opened = disk.at(path);
    this.#disk = disk;
    this.#run = disk.run;
    this.name = path;
    this.size = this.#opened.length;
    disk.open++;
  }

  async read(offset: number, into: Bytes): Promise<void> {
    await this.#disk.beforeRead();
    await unlessOver(this.#run);
    if (this.#disk.content.get(this.name) !== this.#opened) throw failure(`${this.name} was changed`);
    into.set(this.#opened.subarray(offset, offset + into.length));
  }

  close(): void {
    if (!this.#run.isOver) this.#disk.open--;
  }
}

class Sink implements FileSink {
  have: number;
  readonly #disk: MemoryDisk;
  readonly #path: string;
  readonly #part: string;
  readonly #run: Run;
  #isOpen = true;

  constructor(disk: MemoryDisk, path: string) {
    this.#disk = disk;
    this.#run = disk.run;
    this.#path = path;
    this.#part = `${path}.part`;
    const there = disk.content.get(this.#part) ?? new Uint8Array(0);
    this.have = there.length - there.length % FILE_CHUNK_BYTES;
    disk.content.set(this.#part, there.slice(0, this.have));
    disk.open++;
  }

  async read(offset: number, into: Bytes): Promise<void> {
    await unlessOver(this.#run);
    into.set(this.#disk.at(this.#part).subarray(offset, offset + into.length));
  }

  async write(bytes: Bytes): Promise<void> {
    await this.#disk.beforeWrite();
    await unlessOver(this.#run);
    if (this.#disk.full) throw failure("the disk is full");
    this.#disk.content.set(this.#part, concat(this.#disk.at(this.#part), bytes));
    this.have += bytes.length;
  }

  async finish(): Promise<string> {
    await this.#takeAway(this.#path);
    return this.#path;
  }

  close(): void {
    if (this.#isOpen && !this.#run.isOver) this.#disk.open--;
    this.#isOpen = false;
  }

  discard(): Promise<void> {
    return this.#takeAway(undefined);
  }

  async #takeAway(to: string | undefined): Promise<void> {
    this.close();
    await unlessOver(this.#run);
    if (to !== undefined) this.#disk.content.set(to, this.#disk.at(this.#part));
    this.#disk.content.delete(this.#part);
  }
}

async function unlessOver(run: Run): Promise<void> {
  await (run.isOver ? new Promise(() => {}) : Promise.resolve());
}

function failure(why: string): Failure {
  return new Failure("data", `Cannot use the file: ${why}; use another.`);
}
