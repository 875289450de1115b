/**
 * Files of this machine on their way: read to be put into a room, and written as they are fetched from one. What is
 * fetched has a name of its own until it is whole, and never takes the place of another file (ATTACKS.md 27).
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { safeFileName } from "../text/file_name.ts";
import { visible } from "../text/visible.ts";
import type { Bytes } from "../wire/bytes.ts";
import { FILE_CHUNK_BYTES } from "../wire/limits.ts";
import { isMissing, orFailure } from "./file_failure.ts";
import { folderOf, syncFolder } from "./private_file.ts";

/** How many files of one name there may be in a folder before another is to be given. */
const SAME_NAME_MAX = 999;

/** Octets of the file's id in a part's name, so that two files of one name do not meet. */
const PART_ID_BYTES = 4;

/** Opens files of this machine. */
export class TransferFiles {
  readonly #parts = new Set<string>();

  /**
   * Opens the file `path` to be put. Rejects with a {@linkcode Failure} `noInput` where it is none, or cannot be read.
   */
  openSource(path: string): Promise<SourceFile> {
    return orFailure(async () => {
      // Before it is opened: to open a pipe is to wait for who writes to it.
      const { isFile, isDirectory } = await Deno.stat(path);
      if (!isFile) {
        const why = isDirectory ? "it is a folder" : "it is no ordinary file";
        throw new Failure("noInput", `Cannot put ${visible(path)}: ${why}; name a file.`);
      }
      const file = await Deno.open(path);
      return new SourceFile(path, file, await file.stat());
    }, { exit: "noInput", cannot: `Cannot put ${visible(path)}`, remedy: "name a file that you can read" });
  }

  /**
   * Opens what a file is written to: at `path` where one is given, in it where that is a folder, else in the folder where
   * the program runs. What an earlier try left there is gone on with. Rejects with a {@linkcode Failure} `cannotCreate`.
   */
  async openSink(
    { id, name, size, path }: {
      readonly id: Bytes;
      readonly name: string;
      readonly size: number;
      readonly path: string | undefined;
    },
  ): Promise<SinkFile> {
    const cannot = `Cannot fetch ${visible(name)}`;
    const refusing = {
      exit: "cannotCreate",
      cannot,
      remedy: "name a folder that you can write to",
    } as const;
    const wanted = await orFailure(() => wantedPath(safeFileName(name), path), refusing);
    const part = `${wanted}.${id.slice(0, PART_ID_BYTES).toHex()}.part`;
    // Two that write to one part would each take the other's octets for their own.
    if (this.#parts.has(part)) {
      throw new Failure("cannotCreate", `${cannot}: it is being fetched already; wait until that is done.`);
    }
    this.#parts.add(part);
    const release = () => this.#parts.delete(part);
    try {
      return await orFailure(async () => {
        const { file, have } = await openPart(part, size);
        return new SinkFile(file, { wanted, part, have, name, release });
      }, refusing);
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** A file of this machine that is put into a room. */
export class SourceFile {
  /** The last part of its path. */
  readonly name: string;
  /** Octets of all of it, when it was opened. */
  readonly size: number;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #changed: number | undefined;

  /** The open `file` at `path`, as `opened` tells of it. */
  constructor(path: string, file: Deno.FsFile, { size, mtime }: Deno.FileInfo) {
    this.name = lastPart(path);
    this.size = size;
    this.#path = path;
    this.#file = file;
    this.#changed = mtime?.getTime();
  }

  /**
   * Fills `into` from that place on. Rejects with a {@linkcode Failure}: `noInput` where they cannot be read, `data` where the
   * file was changed since it was opened.
   */
  read(offset: number, into: Bytes): Promise<void> {
    const cannot = `Cannot put ${visible(this.#path)}`;
    return orFailure(async () => {
      const isFilled = await readAt(this.#file, offset, into);
      const { size, mtime } = await this.#file.stat();
      if (!isFilled || size !== this.size || mtime?.getTime() !== this.#changed) {
        throw new Failure("data", `${cannot}: it was changed meanwhile; put it again.`);
      }
    }, { exit: "noInput", cannot, remedy: "see that it can be read, and put it again" });
  }

  /** Lets go of it. */
  close(): void {
    this.#file.close();
  }
}

/** Where a sink writes. */
interface SinkPlace {
  /** The path that the file is to have. */
  readonly wanted: string;
  /** The path that it has until then. */
  readonly part: string;
  /** Octets that are there. */
  readonly have: number;
  /** What it is called in sentences. */
  readonly name: string;
  /** Tells that nobody writes there any more. */
  readonly release: () => void;
}

/** A file of this machine that is fetched from a room. */
export class SinkFile {
  readonly #file: Deno.FsFile;
  readonly #place: SinkPlace;
  #have: number;
  #isOpen = true;

  /** The open part `file`. */
  constructor(file: Deno.FsFile, place: SinkPlace) {
    this.#file = file;
    this.#place = place;
    this.#have = place.have;
  }

  /** Octets that are there. */
  get have(): number {
    return this.#have;
  }

  /** Fills `into` from that place on, of the octets that are there. */
  read(offset: number, into: Bytes): Promise<void> {
    return this.#attempt(async () => {
      if (!await readAt(this.#file, offset, into)) throw new Error("its part was changed meanwhile");
    });
  }

  /** Adds octets at the end. */
  write(bytes: Bytes): Promise<void> {
    return this.#attempt(async () => {
      await this.#file.seek(this.#have, Deno.SeekMode.Start);
      for (let from = 0; from < bytes.length;) from += await this.#file.write(bytes.subarray(from));
      this.#have += bytes.length;
    });
  }

  /** Gives it its name, or `name (2)` and so on where there is a file of that name; its path, once that is on the disk. */
  finish(): Promise<string> {
    return this.#attempt(async () => {
      const { wanted, part, name } = this.#place;
      await this.#file.sync();
      // Windows moves no file that is open.
      this.close();
      for (let number = 1; number <= SAME_NAME_MAX; number++) {
        const path = numbered(wanted, number);
        if (!await moveInto(part, path)) continue;
        await syncFolder(folderOf(path));
        return path;
      }
      throw new Failure(
        "cannotCreate",
        `Cannot fetch ${visible(name)}: there are too many files of that name; give another path.`,
      );
    });
  }

  /** Lets go of it; what is there stays for the next try. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    this.#place.release();
  }

  /** Takes away what is there. */
  discard(): Promise<void> {
    this.close();
    return this.#attempt(() => Deno.remove(this.#place.part));
  }

  #attempt<Value>(work: () => Promise<Value>): Promise<Value> {
    const cannot = `Cannot fetch ${visible(this.#place.name)}`;
    return orFailure(work, {
      exit: "cannotCreate",
      cannot,
      remedy: "see that there is room, and get it again",
    });
  }
}

/** Where a file is to go: the path given is the person's own, `name` is not. */
async function wantedPath(name: string, path: string | undefined): Promise<string> {
  if (path === undefined) return name;
  if (path.endsWith("/") || await isFolder(path)) return path.endsWith("/") ? path + name : `${path}/${name}`;
  return path;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    // What else is wrong with it shows when it is written to.
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Opens a part; only whole pieces of what is there are kept, since a piece may be half written. */
async function openPart(part: string, size: number): Promise<{ file: Deno.FsFile; have: number }> {
  const there = await lstatIfThere(part);
  if (there !== undefined && !there.isFile) throw new Deno.errors.AlreadyExists("something is in the way");
  const file = await Deno.open(part, {
    read: true,
    write: true,
    ...(there === undefined ? { createNew: true } : {}),
  });
  const whole = Math.floor((there?.size ?? 0) / FILE_CHUNK_BYTES) * FILE_CHUNK_BYTES;
  const have = whole > size ? 0 : whole;
  try {
    await file.truncate(have);
  } catch (error) {
    file.close();
    throw error;
  }
  return { file, have };
}

async function lstatIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Moves `part` to `path` where nothing is; whether it did. */
async function moveInto(part: string, path: string): Promise<boolean> {
  try {
    await Deno.link(part, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (isMissing(error)) throw error;
    return await moveOntoEmpty(part, path);
  }
  await Deno.remove(part);
  return true;
}

/** Some file systems have no hard links: there, an empty file holds the name for a moment. */
async function moveOntoEmpty(part: string, path: string): Promise<boolean> {
  try {
    (await Deno.open(path, { createNew: true, write: true })).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
  await Deno.rename(part, path);
  return true;
}

/** The path as it is, then `name (2).txt` and so on. */
function numbered(path: string, number: number): string {
  if (number === 1) return path;
  const name = lastPart(path);
  const dot = name.lastIndexOf(".");
  const stem = path.slice(0, path.length - (dot > 0 ? name.length - dot : 0));
  return `${stem} (${number})${dot > 0 ? name.slice(dot) : ""}`;
}

function lastPart(path: string): string {
  const from = Math.max(path.lastIndexOf("/"), Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1);
  return path.slice(from + 1);
}

/** Whether the file was long enough. */
async function readAt(file: Deno.FsFile, offset: number, into: Bytes): Promise<boolean> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let got = 0; got < into.length;) {
    const count = await file.read(into.subarray(got));
    if (count === null) return false;
    got += count;
  }
  return true;
}
