/**
 * Files that people put into rooms, on disk: what is known of each is a row of the database of rooms, and its octets are
 * sealed piece by piece in a file of `files` in the data folder, named by its id in hexadecimal. Pieces have one length
 * but for the last, so each is found by its offset:
 *
 *     piece n  at n × (FILE_CHUNK_BYTES + 64): iv 16 | ciphertext | tag 32, under a secret of the file's own,
 *              associated data L("file pieces") | id 16 | u64 n
 *
 * With the row goes the secret, and with it whatever of the file is left on the disk.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { FileStore, KeptFile } from "../chat/file_port.ts";
import { AES_BLOCK_BYTES, type Entropy, type Provider } from "../crypto/port.ts";
import { type Handle, HandleSchema } from "../text/handle.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, concat, equal, u64, utf8 } from "../wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { FILE_CHUNK_BYTES } from "../wire/limits.ts";
import { ENTRY_ID_BYTES, HASH_BYTES, ROOM_ID_BYTES } from "../wire/message.ts";
import { isMissing, orFailure } from "./file_failure.ts";
import { prepared } from "./prepared.ts";
import { makePrivateFolder, syncFolder } from "./private_file.ts";
import { BlobSchema, type RoomsFile, SLOTS } from "./rooms_file.ts";
import { type PiecesSeal, SEAL_BYTES } from "./row_seal.ts";
import { SecretSlots } from "./secret_slots.ts";

/** The folder's name in the data folder. */
export const FILES_FOLDER = "files";

/** Octets of a whole piece on the disk: FILE_CHUNK_BYTES is a multiple of the cipher's block, so padding takes one. */
const SEALED_PIECE_BYTES = FILE_CHUNK_BYTES + SEAL_BYTES;

/** Pieces read at once where all of a file is read: a quarter of a megabyte, after which others have their turn. */
const READ_PIECES = 16;

/** Files of which what is known, and their key, is kept in memory: many more than are put or fetched at once. */
const USED_MAX = 64;

/** What is sealed of what is known of a file. */
const KnownSchema = v.strictObject({
  room: v.pipe(BlobSchema, v.length(ROOM_ID_BYTES)),
  owner: HandleSchema,
  sha256: v.pipe(BlobSchema, v.length(HASH_BYTES)),
});

type Known = v.InferOutput<typeof KnownSchema>;

const FileRowSchema = v.object({
  number: v.number(),
  id: BlobSchema,
  size: v.number(),
  begun: v.number(),
  have: v.number(),
  done: v.number(),
  sealed: BlobSchema,
});
type SealedRow = v.InferOutput<typeof FileRowSchema>;

const IdRowSchema = v.object({ id: BlobSchema });
const COLUMNS = "number, id, size, begun, have, done, sealed";

/** A row of the table of files. */
export interface FileRow {
  /** Its number in this database. */
  readonly number: number;
  /** The file's id. */
  readonly id: Bytes;
  /** The file; `undefined` where the row does not open. */
  readonly file: KeptFile | undefined;
}

/** What reads and writes files needs of cryptography. */
export interface FileFolderParts {
  /** Hashes files. */
  readonly provider: Pick<Provider, "runningSha256">;
  /** Makes the secrets of files. */
  readonly entropy: Entropy;
}

/**
 * The files of the data folder `dataDir`. What was left there by a crash between two steps, files without a row, is taken
 * away. Throws a {@linkcode Failure} `cannotCreate` where the folder cannot be written.
 */
export async function openFileFolder(
  dataDir: string,
  rooms: RoomsFile,
  parts: FileFolderParts,
): Promise<FileFolder> {
  const folder = `${dataDir}/${FILES_FOLDER}`;
  const files = new FileFolder(folder, rooms, parts);
  const ids = rooms.database.read((database) => database.prepare("SELECT id FROM files").all());
  const names = new Set(ids.map((row) => v.parse(IdRowSchema, row).id.toHex()));
  await orFailure(async () => {
    await makePrivateFolder(folder);
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && !names.has(name)) await Deno.remove(`${folder}/${name}`);
    }
  }, writing(folder));
  return files;
}

/** The files in a folder, which only one program writes to at a time. */
export class FileFolder implements FileStore {
  readonly #folder: string;
  readonly #rooms: RoomsFile;
  readonly #secrets: SecretSlots;
  readonly #provider: Pick<Provider, "runningSha256">;
  /** Where what was written ends, durable or not, of files that were written to, by their ids in hexadecimal. */
  readonly #written = new Map<string, number>();
  /** Files that were read or written lately, by their ids in hexadecimal, the latest last. */
  readonly #used = new Map<string, UsedFile>();
  /** What changes a file waits for the change before. */
  readonly #turns = new Map<string, Promise<unknown>>();

  /** In `folder`, which is there. */
  constructor(folder: string, rooms: RoomsFile, { provider, entropy }: FileFolderParts) {
    this.#folder = folder;
    this.#rooms = rooms;
    this.#provider = provider;
    this.#secrets = new SecretSlots(SLOTS.files, entropy);
  }

  find(id: Bytes): Promise<KeptFile | undefined> {
    return new Promise((resolve) => resolve(this.#find(id)?.file));
  }

  begin(file: Omit<KeptFile, "have" | "done">): Promise<KeptFile> {
    const { id, room, owner, size, sha256, begun } = file;
    return this.#inTurn(id, async () => {
      if (this.#find(id) !== undefined) throw new RangeError("Cannot begin a file: there is one of that id");
      // Before its row: a file without one is taken away at the next start.
      const opened = await Deno.open(this.#path(id), {
        create: true,
        write: true,
        truncate: true,
        mode: 0o600,
      });
      opened.close();
      await syncFolder(this.#folder);
      this.#rooms.database.change((database) => {
        const sealed = this.#rooms.seal.seal("files", id, encodeCbor({ room, owner, sha256 }));
        const { lastInsertRowid } = database.prepare(
          "INSERT INTO files (id, room, owner, size, begun, have, done, sealed) VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
        ).run(id, this.#room(room), this.#owner(owner), size, begun, sealed);
        this.#secrets.renew(database, Number(lastInsertRowid), 1);
      });
      return { ...file, have: 0, done: false };
    });
  }

  write(id: Bytes, offset: number, bytes: Bytes): Promise<void> {
    return this.#inTurn(id, async () => {
      const { file, seal } = await this.#require(id);
      const isNext = !file.done && offset === this.#end(file);
      if (!isNext || bytes.length !== pieceBytes(file, offset)) {
        throw new RangeError("Cannot write a piece: it is not the next one");
      }
      const sealed = await seal.seal(piecePlace(id, offset), bytes);
      await this.#onDisk(async () => {
        using opened = await Deno.open(this.#path(id), { write: true });
        await opened.seek(sealedOffset(offset), Deno.SeekMode.Start);
        for (let from = 0; from < sealed.length;) from += await opened.write(sealed.subarray(from));
      });
      this.#written.set(id.toHex(), offset + bytes.length);
    });
  }

  flush(id: Bytes): Promise<number> {
    return this.#inTurn(id, () => this.#flush(id));
  }

  finish(id: Bytes): Promise<boolean> {
    return this.#inTurn(id, async () => {
      const have = await this.#flush(id);
      const { file } = this.#requireFile(id);
      if (have !== file.size) throw new RangeError("Cannot finish a file: it is not whole");
      const isRight = await this.isRight(id);
      if (!isRight) await this.#remove(id);
      else this.#update("UPDATE files SET done = 1 WHERE id = ?", id);
      this.#written.delete(id.toHex());
      return isRight;
    });
  }

  async read(id: Bytes, offset: number): Promise<Bytes | undefined> {
    const found = this.#find(id);
    if (found?.file?.done !== true || offset % FILE_CHUNK_BYTES !== 0 || offset >= found.file.size) {
      return undefined;
    }
    const [piece] = await this.#pieces(await this.#require(id), { offset, count: 1 });
    return piece;
  }

  usage(owner: Handle, room: Bytes): Promise<{ readonly owner: number; readonly room: number }> {
    return new Promise((resolve) =>
      resolve(this.#rooms.database.read((database) => ({
        owner: sumOf(database, "owner", this.#owner(owner)),
        room: sumOf(database, "room", this.#room(room)),
      })))
    );
  }

  remove(id: Bytes): Promise<void> {
    return this.#inTurn(id, () => this.#remove(id));
  }

  async expire(before: { readonly done: number; readonly unfinished: number }): Promise<number> {
    const rows = this.#rooms.database.read((database) =>
      database.prepare("SELECT id FROM files WHERE begun < CASE done WHEN 1 THEN ? ELSE ? END")
        .all(before.done, before.unfinished)
    );
    for (const row of rows) await this.remove(v.parse(IdRowSchema, row).id);
    return rows.length;
  }

  /** All that is known of files, in the order in which they were begun. */
  rows(): readonly FileRow[] {
    return this.#rooms.database.read((database) =>
      database.prepare(`SELECT ${COLUMNS} FROM files ORDER BY number`).all().map((row) =>
        this.#opened(v.parse(FileRowSchema, row))
      )
    );
  }

  /** Whether the octets of a file are there, and those of its hash. Reads all of it. */
  async isRight(id: Bytes): Promise<boolean> {
    const found = await this.#require(id);
    const hash = this.#provider.runningSha256();
    for (let offset = 0; offset < found.file.size; offset += READ_PIECES * FILE_CHUNK_BYTES) {
      for (const piece of await this.#pieces(found, { offset, count: READ_PIECES })) {
        if (piece === undefined) return false;
        hash.update(piece);
      }
    }
    return equal(hash.digest(), found.file.sha256);
  }

  /** Octets of a file on the disk; `undefined` where it is not there. */
  sizeOnDisk(id: Bytes): Promise<number | undefined> {
    return this.#onDisk(() => unlessMissing(async () => (await Deno.stat(this.#path(id))).size));
  }

  async #flush(id: Bytes): Promise<number> {
    const { file } = this.#requireFile(id);
    const end = this.#end(file);
    if (end === file.have) return end;
    await this.#onDisk(async () => {
      using opened = await Deno.open(this.#path(id), { write: true });
      await opened.syncData();
    });
    this.#update("UPDATE files SET have = ? WHERE id = ?", end, id);
    return end;
  }

  /** The row first: a file without one is taken away at the next start. */
  async #remove(id: Bytes): Promise<void> {
    this.#written.delete(id.toHex());
    this.#used.delete(id.toHex());
    const row = this.#find(id);
    if (row !== undefined) {
      this.#rooms.database.change((database) => {
        this.#secrets.forget(database, [row.number]);
        database.prepare("DELETE FROM files WHERE number = ?").run(row.number);
      });
      this.#rooms.database.forgetOld();
    }
    await this.#onDisk(() => unlessMissing(() => Deno.remove(this.#path(id))));
  }

  /** Pieces from `offset` on, `undefined` in place of each that is not there or does not open. */
  async #pieces(
    { file, seal }: OpenedFile,
    { offset, count }: { readonly offset: number; readonly count: number },
  ): Promise<readonly (Bytes | undefined)[]> {
    const octets = await this.#octets(file.id, {
      from: sealedOffset(offset),
      length: count * SEALED_PIECE_BYTES,
    });
    const pieces: (Bytes | undefined)[] = [];
    for (let at = 0; at < count && offset + at * FILE_CHUNK_BYTES < file.size; at++) {
      const start = offset + at * FILE_CHUNK_BYTES;
      const sealed = octets.subarray(at * SEALED_PIECE_BYTES, (at + 1) * SEALED_PIECE_BYTES);
      const piece = await seal.open(piecePlace(file.id, start), sealed);
      pieces.push(piece?.length === pieceBytes(file, start) ? piece : undefined);
    }
    return pieces;
  }

  /** Fewer octets than `length` where the file ends before, or is not there. */
  async #octets(
    id: Bytes,
    { from, length }: { readonly from: number; readonly length: number },
  ): Promise<Bytes> {
    const octets = new Uint8Array(length);
    let end = 0;
    await this.#onDisk(() =>
      unlessMissing(async () => {
        using opened = await Deno.open(this.#path(id));
        await opened.seek(from, Deno.SeekMode.Start);
        for (let count: number | null = 0; count !== null && end < length; end += count ?? 0) {
          count = await opened.read(octets.subarray(end));
        }
      })
    );
    return octets.subarray(0, end);
  }

  #find(id: Bytes): FileRow | undefined {
    const row = this.#row(id);
    return row === undefined ? undefined : this.#opened(row);
  }

  #row(id: Bytes): SealedRow | undefined {
    return this.#rooms.database.read((database) => {
      const row = prepared(database, `SELECT ${COLUMNS} FROM files WHERE id = ?`).get(id);
      return row === undefined ? undefined : v.parse(FileRowSchema, row);
    });
  }

  #opened({ number, id, size, begun, have, done, sealed }: SealedRow): FileRow {
    const known = this.#known(id, sealed);
    if (known === undefined) return { number, id, file: undefined };
    return { number, id, file: { ...known, id, size, begun, have, done: done === 1 } };
  }

  #known(id: Bytes, sealed: Bytes): Known | undefined {
    const used = this.#used.get(id.toHex());
    if (used !== undefined && equal(used.sealed, sealed)) return used.known;
    const opened = this.#rooms.seal.open("files", id, sealed);
    const known = v.safeParse(KnownSchema, opened && decodeCbor(opened));
    return known.success ? known.output : undefined;
  }

  #requireFile(id: Bytes): { readonly row: SealedRow; readonly file: KeptFile } {
    const row = this.#row(id);
    const file = row && this.#opened(row).file;
    if (row === undefined || file === undefined) {
      throw new RangeError("Cannot use a file: there is none of that id");
    }
    return { row, file };
  }

  async #require(id: Bytes): Promise<OpenedFile> {
    const { row, file } = this.#requireFile(id);
    const used = this.#used.get(id.toHex()) ?? await this.#use(row, file);
    this.#used.delete(id.toHex());
    // Taken away meanwhile: then its key goes, too.
    if (this.#row(id) !== undefined) this.#used.set(id.toHex(), used);
    const [oldest] = this.#used.keys();
    if (this.#used.size > USED_MAX && oldest !== undefined) this.#used.delete(oldest);
    return { file, seal: used.seal };
  }

  async #use({ number, sealed }: SealedRow, { room, owner, sha256 }: KeptFile): Promise<UsedFile> {
    const secret = this.#rooms.database.read((database) => this.#secrets.reader(database)(number));
    if (secret === undefined) throw this.#rooms.database.damaged();
    const seal = await this.#rooms.seal.pieces("file pieces", secret);
    return { sealed, known: { room, owner, sha256 }, seal };
  }

  #update(sql: string, ...values: readonly (number | Bytes)[]): void {
    this.#rooms.database.change((database) => prepared(database, sql).run(...values));
  }

  /** What is asked for after a crash is counted from what was durable then. */
  #end({ id, have }: KeptFile): number {
    return this.#written.get(id.toHex()) ?? have;
  }

  #onDisk<Value>(work: () => Promise<Value>): Promise<Value> {
    return orFailure(work, writing(this.#folder));
  }

  #room(room: Bytes): Bytes {
    return this.#rooms.seal.tag("rooms", room);
  }

  #owner(owner: Handle): Bytes {
    return this.#rooms.seal.tag("people", utf8(owner));
  }

  /** Throws a `RangeError` where the id has another length: no name comes from outside but as digits. */
  #path(id: Bytes): string {
    if (id.length !== ENTRY_ID_BYTES) {
      throw new RangeError(`Cannot name a file: its id has ${id.length} octets`);
    }
    return `${this.#folder}/${id.toHex()}`;
  }

  async #inTurn<Value>(id: Bytes, work: () => Promise<Value>): Promise<Value> {
    const name = id.toHex();
    const before = this.#turns.get(name);
    const turn = Promise.resolve(before).then(work);
    // Whoever comes next waits for the end, not for success.
    const end = turn.then(() => {}, () => {});
    this.#turns.set(name, end);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === end) this.#turns.delete(name);
    }
  }
}

async function unlessMissing<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A file with what its pieces are sealed by. */
interface OpenedFile {
  readonly file: KeptFile;
  readonly seal: PiecesSeal;
}

/** What is kept in memory of a file that is used: `sealed` tells whether its row is still the one that was opened. */
interface UsedFile {
  readonly sealed: Bytes;
  readonly known: Known;
  readonly seal: PiecesSeal;
}

function sumOf(database: DatabaseSync, column: "owner" | "room", tag: Bytes): number {
  const row = database.prepare(`SELECT sum(max(size, ?)) AS sum FROM files WHERE ${column} = ?`)
    .get(FILE_CHUNK_BYTES, tag);
  return Number(row?.["sum"] ?? 0);
}

function pieceBytes({ size }: KeptFile, offset: number): number {
  return Math.min(FILE_CHUNK_BYTES, size - offset);
}

/** Octets of a whole file of `size` octets on the disk. */
export function sealedBytes(size: number): number {
  const last = size % FILE_CHUNK_BYTES;
  const whole = sealedOffset(size - last);
  // PKCS #7 fills the last block, which is a whole one where nothing is left of it.
  return last === 0
    ? whole
    : whole + AES_BLOCK_BYTES * (Math.floor(last / AES_BLOCK_BYTES) + 1) + SEAL_BYTES - AES_BLOCK_BYTES;
}

function sealedOffset(offset: number): number {
  return offset / FILE_CHUNK_BYTES * SEALED_PIECE_BYTES;
}

function piecePlace(id: Bytes, offset: number): Bytes {
  return concat(id, u64(offset / FILE_CHUNK_BYTES));
}

function writing(folder: string): Parameters<typeof orFailure>[1] {
  return {
    exit: "cannotCreate",
    cannot: `Cannot keep files in ${visible(folder)}`,
    remedy: "make room there, or the folder writable",
  };
}
