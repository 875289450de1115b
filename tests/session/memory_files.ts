/**
 * Files kept in memory as a disk keeps them: what was not flushed is gone after a crash, and the disk may fail.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { FileStore, KeptFile } from "../../lib/chat/file_port.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { type Bytes, concat, equal } from "../../lib/wire/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";

interface Stored {
  readonly file: Omit<KeptFile, "have" | "done">;
  chunks: Bytes[];
  flushed: number;
  done: boolean;
}

/** A store whose disk a test holds. */
export class MemoryFiles implements FileStore {
  /** Whether the disk refuses everything. */
  refusing = false;
  /** Octets that were written in all. */
  written = 0;
  /** Called before a hash is compared. */
  beforeFinish: () => Promise<void> = () => Promise.resolve();
  readonly #stored = new Map<string, Stored>();

  async find(id: Bytes): Promise<KeptFile | undefined> {
    await this.#use();
    const stored = this.#stored.get(id.toHex());
    return stored === undefined ? undefined : kept(stored);
  }

  async begin(file: Omit<KeptFile, "have" | "done">): Promise<KeptFile> {
    await this.#use();
    const stored = { file, chunks: [], flushed: 0, done: false };
    this.#stored.set(file.id.toHex(), stored);
    return kept(stored);
  }

  async write(id: Bytes, offset: number, bytes: Bytes): Promise<void> {
    await this.#use();
    const stored = this.#of(id);
    if (offset !== length(stored.chunks)) {
      throw new Error(`written at ${offset}, not ${length(stored.chunks)}`);
    }
    stored.chunks.push(bytes);
    this.written += bytes.length;
  }

  async flush(id: Bytes): Promise<number> {
    await this.#use();
    const stored = this.#of(id);
    stored.flushed = stored.chunks.length;
    return length(stored.chunks);
  }

  async finish(id: Bytes): Promise<boolean> {
    await this.beforeFinish();
    const stored = this.#of(id);
    const hash = createHash("sha256").update(concat(...stored.chunks)).digest();
    stored.done = equal(new Uint8Array(hash), stored.file.sha256);
    if (!stored.done) await this.remove(id);
    return stored.done;
  }

  async read(id: Bytes, offset: number): Promise<Bytes | undefined> {
    await Promise.resolve();
    return this.#stored.get(id.toHex())?.chunks[offset / FILE_CHUNK_BYTES];
  }

  usage(owner: Handle, room: Bytes): Promise<{ owner: number; room: number }> {
    const files = [...this.#stored.values()].map(({ file }) => file);
    const sum = (some: typeof files) =>
      some.reduce((octets, { size }) => octets + Math.max(size, FILE_CHUNK_BYTES), 0);
    return Promise.resolve({
      owner: sum(files.filter((file) => file.owner === owner)),
      room: sum(files.filter((file) => equal(file.room, room))),
    });
  }

  async remove(id: Bytes): Promise<void> {
    await this.#use();
    this.#stored.delete(id.toHex());
  }

  async expire(before: { readonly done: number; readonly unfinished: number }): Promise<number> {
    await this.#use();
    const old = [...this.#stored].filter(([, { done, file }]) =>
      file.begun < (done ? before.done : before.unfinished)
    );
    for (const [key] of old) this.#stored.delete(key);
    return old.length;
  }

  /** The server dies: what was not flushed is lost. */
  crash(): void {
    for (const stored of this.#stored.values()) stored.chunks = stored.chunks.slice(0, stored.flushed);
  }

  /** All that is there of a file. */
  content(id: Bytes): Bytes | undefined {
    const stored = this.#stored.get(id.toHex());
    return stored === undefined ? undefined : concat(...stored.chunks);
  }

  /** A piece of a file is damaged on the disk, so that it does not open. */
  damage(id: Bytes, offset: number): void {
    delete this.#of(id).chunks[offset / FILE_CHUNK_BYTES];
  }

  /** How many files there are. */
  get count(): number {
    return this.#stored.size;
  }

  #of(id: Bytes): Stored {
    const stored = this.#stored.get(id.toHex());
    if (stored === undefined) throw new Error("there is no such file");
    return stored;
  }

  async #use(): Promise<void> {
    await Promise.resolve();
    if (this.refusing) {
      throw new Failure("cannotCreate", "Cannot use the files: the disk is at fault; look at it.");
    }
  }
}

function kept({ file, chunks, flushed, done }: Stored): KeptFile {
  return { ...file, have: length(chunks.slice(0, flushed)), done };
}

function length(chunks: readonly Bytes[]): number {
  return chunks.reduce((octets, chunk) => octets + chunk.length, 0);
}
