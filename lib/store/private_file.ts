/**
 * Files that only their owner may read, written so that a reader, or a crash, finds a whole one or none.
 *
 * @module
 */

import { type Bytes, concat } from "../wire/bytes.ts";
import { isMissing } from "./file_failure.ts";

/** Owner only. */
const FOLDER_MODE = 0o700;

/** The bits by which others than the owner may read, write or run. */
const OTHERS = 0o077;

/** Octets asked of a file at once. */
const CHUNK_BYTES = 4_096;

/** A file's content, and who may see it. */
export interface ReadFile {
  /** The octets, at most as many as were asked for and one more. */
  readonly octets: Bytes;
  /**
   * The permission bits where others have any; `undefined` where only the owner has, or modes do not exist.
   */
  readonly sharedMode: number | undefined;
}

/**
 * Makes a folder and those above it that are missing, for the owner only; one that is there stays as it is.
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
}

/**
 * The content of a file, cut after `bytesMax` + 1 octets: who gets that many knows that it is too long.
 * Content and mode are of one file even where another takes its name meanwhile.
 */
export async function readPrivateFile(path: string, bytesMax: number): Promise<ReadFile> {
  using file = await Deno.open(path);
  return { octets: await octetsOf(file, bytesMax + 1), sharedMode: sharedModeIn(await file.stat()) };
}

/** As {@linkcode readPrivateFile}, but `undefined` where there is no such file. */
export async function readPrivateFileIfThere(path: string, bytesMax: number): Promise<ReadFile | undefined> {
  try {
    return await readPrivateFile(path, bytesMax);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * The permission bits of the file `path` where others than its owner have any; `undefined` where they have none, modes
 * do not exist, or there is no such file. The file is not opened: to close it again would end the locks that SQLite
 * holds on it for this process.
 */
export async function sharedModeOf(path: string): Promise<number | undefined> {
  try {
    return sharedModeIn(await Deno.stat(path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether there is a file or folder of that name. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** The names in a folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names;
}

/**
 * Puts a new file, mode 0600, at `path`, and on the disk before it returns. Where a file is there already,
 * that one stays: of several writers one wins, and all find the winner's octets. Its folder must be there.
 */
export async function placePrivateFile(path: string, octets: Bytes): Promise<void> {
  await withWritten(path, octets, async (written) => {
    try {
      await Deno.link(written, path);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return;
      // Some file systems have no hard links; there, two that start in the same instant may not agree.
      await Deno.rename(written, path);
    }
  });
}

/** As {@linkcode placePrivateFile}, but a file that is there is replaced, in one step. */
export async function replacePrivateFile(path: string, octets: Bytes): Promise<void> {
  await withWritten(path, octets, (written) => Deno.rename(written, path));
}

/**
 * Waits for the lock that programs agree on for changing the file `path`, and holds it until what it gives is closed, or
 * the process dies. It is a file of its own beside `path`, whose folder is made where it is missing, since that one is
 * replaced.
 */
export async function lockBeside(path: string): Promise<Deno.FsFile> {
  await makePrivateFolder(folderOf(path));
  const lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
  await lock.lock(true);
  return lock;
}

/** The folder that `path` is in. */
export function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1);
  return end < 0 ? "." : path.slice(0, Math.max(end, 1));
}

/**
 * Writes a temporary file beside `path`, lets `place` give it its name, and leaves nothing temporary
 * behind.
 */
async function withWritten(
  path: string,
  octets: Bytes,
  place: (written: string) => Promise<void>,
): Promise<void> {
  const folder = folderOf(path);
  // Made with mode 0600; on Windows its folder decides.
  const written = await Deno.makeTempFile({ dir: folder, prefix: ".new-" });
  try {
    await writeToDisk(written, octets);
    await place(written);
  } finally {
    await removeIfThere(written);
  }
  await syncFolder(folder);
}

async function writeToDisk(path: string, octets: Bytes): Promise<void> {
  using file = await Deno.open(path, { write: true });
  for (let from = 0; from < octets.length;) from += await file.write(octets.subarray(from));
  await file.sync();
}

function sharedModeIn({ mode }: Deno.FileInfo): number | undefined {
  const hasModes = Deno.build.os !== "windows" && mode !== null;
  return hasModes && (mode & OTHERS) !== 0 ? mode & 0o777 : undefined;
}

/** Puts the names in a folder on the disk: a file that was made there is found after a crash only then. */
export async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using opened = await Deno.open(folder);
  await opened.sync();
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function octetsOf(file: Deno.FsFile, bytesMax: number): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for (let left = bytesMax; left > 0;) {
    const chunk = new Uint8Array(Math.min(left, CHUNK_BYTES));
    const count = await file.read(chunk);
    if (count === null) break;
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  return concat(...chunks);
}
