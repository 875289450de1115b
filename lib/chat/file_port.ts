/**
 * What files need kept on disk, as an interface: `lib/store` implements it in a folder, sealed. Methods that change
 * something settle once that is durable, but for `write`. Times are milliseconds since 1970.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";

/** A file that somebody puts, or has put, into a room. */
export interface KeptFile {
  /** Its id, 16 octets, made by its owner. */
  readonly id: Bytes;
  /** The room it is in. */
  readonly room: Bytes;
  /** Whose it is. */
  readonly owner: Handle;
  /** Octets of all of it. */
  readonly size: number;
  /** SHA-256 of all of it. */
  readonly sha256: Bytes;
  /** When it was begun. */
  readonly begun: number;
  /** Octets that are there, durably, from the beginning on. */
  readonly have: number;
  /** Whether all of it is there and its hash was found right. */
  readonly done: boolean;
}

/** A file that an entry puts into a room. */
export interface FileOfEntry {
  /** Its id. */
  readonly id: Bytes;
  /** The entry's author, whose it is. */
  readonly owner: Handle | undefined;
}

/** The files of a server. Rejections are `Failure`s: the disk is full or at fault. */
export interface FileStore {
  /** The file of that id. */
  find(id: Bytes): Promise<KeptFile | undefined>;
  /** Begins one; room for it is not taken yet. */
  begin(file: Omit<KeptFile, "have" | "done">): Promise<KeptFile>;
  /** Writes a piece where the last one ended: FILE_CHUNK_BYTES, or fewer at the end. It may be lost until `flush`. */
  write(id: Bytes, offset: number, bytes: Bytes): Promise<void>;
  /** Makes durable what was written; gives how many octets are there. */
  flush(id: Bytes): Promise<number>;
  /** Compares the hash of all of it: done from now on, or thrown away where it is another. */
  finish(id: Bytes): Promise<boolean>;
  /** The piece that begins at `offset`, a multiple of FILE_CHUNK_BYTES; `undefined` where it cannot be read. */
  read(id: Bytes, offset: number): Promise<Bytes | undefined>;
  /**
   * Octets that an account keeps in all, and that a room keeps: files under way counted in full, and each file as
   * FILE_CHUNK_BYTES at least, so that empty ones cost something, too.
   */
  usage(owner: Handle, room: Bytes): Promise<{ readonly owner: number; readonly room: number }>;
  /** Takes a file away, and what is left of one that the logs have forgotten already. */
  remove(id: Bytes): Promise<void>;
  /** Takes away what is done and was begun before `done`, and what is not and was begun before `unfinished`; how many. */
  expire(before: { readonly done: number; readonly unfinished: number }): Promise<number>;
}
