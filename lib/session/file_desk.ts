/**
 * Takes the files that people put into rooms and gives them out again, a piece at a time: what it owes and may hold is
 * bounded for each connection, and what is not there yet goes on where it stopped, whichever side was away (PROTOCOL §6).
 *
 * @module
 */

import type { FileStore, KeptFile } from "../chat/file_port.ts";
import { filesOf } from "../chat/file_rule.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS } from "../wire/limits.ts";
import {
  type ClientMessage,
  encodeMessage,
  type FaultCode,
  type Logged,
  type ServerMessage,
} from "../wire/message.ts";
import { Turns } from "./turns.ts";

/** How many times what one account may keep, one room may: a handful of people who share much. */
export const ROOM_QUOTA_ACCOUNTS = 4;

/** How long a file may be under way, in milliseconds: a week. Then it is given up, so that it fills no quota for ever. */
export const FILE_UNFINISHED_MS = 604_800_000;

/** Files that one connection may put at once; each costs the store an open file. */
export const FILE_PUTS_PER_PEER_MAX = 8;

/**
 * Octets that wait for a peer beyond which the next piece of a file is held back: two writes. The line stays busy, what
 * people say does not wait behind a window of a file, and who reads slowly fills no queue.
 */
export const FILE_AHEAD_BYTES = 131_072;

/** Asks for pieces of files of one connection that may wait: a client has three of each of its two transfers. */
export const FILE_ASKS_PER_PEER_MAX = 8;

/** After how many milliseconds somebody who has asked for too much may ask again. */
export const FILE_PAUSE_MS = 1_000;

/** Octets after which what was written is made durable and told: half a window, so that the other half is on its way. */
const FLUSH_BYTES = FILE_CHUNK_BYTES * FILE_WINDOW_CHUNKS / 2;

/** What is asked of the desk. */
export type FileRequest = Extract<ClientMessage, { type: "fileBegin" | "fileChunk" | "fileGet" }>;

type FileBegin = Extract<ClientMessage, { type: "fileBegin" }>;
type FileChunk = Extract<ClientMessage, { type: "fileChunk" }>;
type FileGet = Extract<ClientMessage, { type: "fileGet" }>;

/** What the desk asks about rooms. */
export interface FileRooms {
  /** Why that account may not put a file into that room now; `undefined` where it may. */
  refusalToPut(room: Bytes, handle: Handle): FaultCode | undefined;
  /** Whether that account may read that room. */
  mayRead(room: Bytes, handle: Handle): boolean;
}

/** A peer as the desk knows it. */
export interface FilePeer {
  /** Settles when at most so many octets wait to be written to it, or none ever will be. */
  drained(octets: number): Promise<void>;
  /** Queues an encoded message; after a close it goes nowhere. */
  send(message: Bytes): void;
}

/** Who asks. */
export interface FileCaller {
  /** Its sending side; the same for all that comes over one connection. */
  readonly peer: FilePeer;
  /** Its account. */
  readonly handle: Handle;
  /** Whether it is still there; asked after each wait. */
  readonly isHere: () => boolean;
}

/** How much is kept for how long. */
export interface FileLimits {
  /** Octets that one account may keep. A room may keep {@linkcode ROOM_QUOTA_ACCOUNTS} times that. */
  readonly quotaBytes: number;
  /** Days after which a file is taken away; 0: never. */
  readonly days: number;
}

/** What a desk works with. */
export interface FileDeskParts {
  /** Where files are kept. */
  readonly store: FileStore;
  /** Who may do what. */
  readonly rooms: FileRooms;
  /** How much, for how long. */
  readonly limits: FileLimits;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Is told what the disk refused: a `Failure`; or a fault of ours behind somebody's back. */
  readonly trouble: (error: unknown) => void;
}

/** A file that somebody puts. Only the connection that began it, or went on with it last, may add to it. */
type Put =
  /** `next` is where the next piece belongs, `flushed` up to where it is durable. */
  | {
    readonly kind: "taking";
    readonly file: KeptFile;
    readonly peer: FilePeer;
    readonly next: number;
    readonly flushed: number;
  }
  /** All of it is there, and its hash is being compared; `peer` is told, where one still asks. */
  | { readonly kind: "checking"; readonly file: KeptFile; readonly peer: FilePeer | undefined };

/** Pieces that somebody is to get. */
interface Ask {
  readonly file: KeptFile;
  readonly caller: FileCaller;
  /** The first piece. */
  readonly offset: number;
  /** Where the last one ends. */
  readonly end: number;
}

const MS_PER_DAY = 86_400_000;

/** The files of a server, as all of its connections put and fetch them. */
export class FileDesk {
  readonly #parts: FileDeskParts;
  readonly #puts = new Map<string, Put>();
  readonly #asks = new Map<FilePeer, Ask[]>();
  readonly #files = new Turns<string>();
  readonly #admissions = new Turns<"all">();

  /** A desk at which nobody puts anything. */
  constructor(parts: FileDeskParts) {
    this.#parts = parts;
  }

  /** Does what `caller` asks; settles when the next message of its connection may be looked at. */
  async take(caller: FileCaller, request: FileRequest): Promise<void> {
    try {
      await this.#take(caller, request);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#parts.trouble(error);
      const key = keyOf(request.file);
      if (this.#puts.get(key)?.peer === caller.peer) this.#puts.delete(key);
      refuse(caller.peer, "notStored", request.file);
    }
  }

  /** The connection is over: what it has put so far stays, and is gone on with over another. */
  async leave(peer: FilePeer): Promise<void> {
    this.#asks.delete(peer);
    for (const [key, put] of this.#puts) {
      if (put.peer !== peer) continue;
      if (put.kind === "checking") this.#puts.set(key, { ...put, peer: undefined });
      else await this.#files.take(key, () => this.#letGo(key, peer));
    }
  }

  /** Takes away the files of entries that were erased or dropped, which are to be given as they were before that. */
  async entriesGone(entries: readonly Logged[]): Promise<void> {
    for (const { id, owner } of filesOf(entries)) await this.#remove(id, owner);
  }

  /** Takes away what has been there, or under way, for too long; how many files. Rejects with a `Failure` of the disk. */
  async expire(): Promise<number> {
    const { store, limits: { days }, wallClock } = this.#parts;
    const now = wallClock();
    const unfinished = now - FILE_UNFINISHED_MS;
    for (const [key, { file }] of this.#puts) {
      if (file.begun < unfinished) this.#puts.delete(key);
    }
    return await store.expire({ done: days === 0 ? 0 : now - days * MS_PER_DAY, unfinished });
  }

  #take(caller: FileCaller, request: FileRequest): Promise<void> {
    const key = keyOf(request.file);
    switch (request.type) {
      case "fileBegin":
        return this.#files.take(key, () => this.#begin(caller, request));
      case "fileChunk":
        return this.#files.take(key, () => this.#add(caller.peer, request));
      case "fileGet":
        return this.#give(caller, request);
    }
  }

  async #begin({ peer, handle }: FileCaller, request: FileBegin): Promise<void> {
    const { store, rooms } = this.#parts;
    const id = request.file;
    const known = await store.find(id);
    if (known !== undefined && !isSame(known, handle, request)) return refuse(peer, "idTaken", id);
    const refusal = rooms.refusalToPut(request.room, handle) ?? this.#tooMany(peer, id);
    if (refusal !== undefined) return refuse(peer, refusal, id);
    const file = known ?? await this.#admit(handle, request);
    if (file === undefined) return refuse(peer, "quota", id);
    if (file.done) return tell(peer, { type: "fileState", file: id, have: file.size, done: true });
    await this.#goOn(file, peer);
  }

  /** What somebody put over a connection that is dead, but not known to be, belongs to the new one from here on. */
  async #goOn(file: KeptFile, peer: FilePeer): Promise<void> {
    const key = keyOf(file.id);
    const put = this.#puts.get(key);
    const have = put?.kind === "checking" ? file.size : await this.#parts.store.flush(file.id);
    tell(peer, { type: "fileState", file: file.id, have, done: false });
    if (put?.kind === "checking") this.#puts.set(key, { ...put, peer });
    else if (have === file.size) this.#check(file, peer);
    else this.#puts.set(key, { kind: "taking", file, peer, next: have, flushed: have });
  }

  #tooMany(peer: FilePeer, id: Bytes): FaultCode | undefined {
    const others = [...this.#puts].filter(([key, put]) => put.peer === peer && key !== keyOf(id));
    return others.length >= FILE_PUTS_PER_PEER_MAX ? "limitReached" : undefined;
  }

  /** Begins it where there is room: one at a time, since two could each fit alone. */
  #admit(owner: Handle, { file: id, room, size, sha256 }: FileBegin): Promise<KeptFile | undefined> {
    return this.#admissions.take("all", async () => {
      const { store, limits: { quotaBytes }, wallClock } = this.#parts;
      const used = await store.usage(owner, room);
      const cost = Math.max(size, FILE_CHUNK_BYTES);
      const fits = used.owner + cost <= quotaBytes && used.room + cost <= quotaBytes * ROOM_QUOTA_ACCOUNTS;
      return fits ? await store.begin({ id, room, owner, size, sha256, begun: wallClock() }) : undefined;
    });
  }

  async #add(peer: FilePeer, { file: id, offset, bytes }: FileChunk): Promise<void> {
    const put = this.#puts.get(keyOf(id));
    if (put?.kind !== "taking" || put.peer !== peer) return refuse(peer, "noSuchFile", id);
    if (offset !== put.next || bytes.length !== Math.min(FILE_CHUNK_BYTES, put.file.size - offset)) {
      await this.#letGo(keyOf(id), peer);
      return refuse(peer, "noSuchFile", id);
    }
    await this.#parts.store.write(id, offset, bytes);
    await this.#advance({ ...put, next: offset + bytes.length });
  }

  async #advance(put: Put & { kind: "taking" }): Promise<void> {
    const { file, peer, next, flushed } = put;
    const isAll = next === file.size;
    if (!isAll && next - flushed < FLUSH_BYTES) {
      this.#puts.set(keyOf(file.id), put);
      return;
    }
    const have = await this.#parts.store.flush(file.id);
    tell(peer, { type: "fileState", file: file.id, have, done: false });
    if (isAll) this.#check(file, peer);
    else this.#puts.set(keyOf(file.id), { ...put, flushed: have });
  }

  /** Reading a big file anew takes longer than a connection may be silent: it goes on meanwhile. */
  #check(file: KeptFile, peer: FilePeer): void {
    const key = keyOf(file.id);
    this.#puts.set(key, { kind: "checking", file, peer });
    const settle = (message: ServerMessage) => {
      const waiting = this.#puts.get(key)?.peer;
      this.#puts.delete(key);
      if (waiting !== undefined) tell(waiting, message);
    };
    this.#parts.store.finish(file.id).then(
      (isRight) =>
        settle(
          isRight
            ? { type: "fileState", file: file.id, have: file.size, done: true }
            : { type: "fault", code: "badFile", about: file.id },
        ),
      (error) => {
        this.#parts.trouble(error);
        settle({ type: "fault", code: "notStored", about: file.id });
      },
    );
  }

  async #give(caller: FileCaller, { file: id, offset, chunks }: FileGet): Promise<void> {
    const { peer, handle, isHere } = caller;
    const file = await this.#readable(id, handle);
    if (!isHere()) return;
    if (file === undefined || offset % FILE_CHUNK_BYTES !== 0 || offset >= file.size) {
      return refuse(peer, "noSuchFile", id);
    }
    const asks = this.#asks.get(peer);
    if (asks !== undefined && asks.length >= FILE_ASKS_PER_PEER_MAX) {
      return refuse(peer, "tooFast", id, FILE_PAUSE_MS);
    }
    const ask = { file, caller, offset, end: Math.min(offset + chunks * FILE_CHUNK_BYTES, file.size) };
    if (asks !== undefined) asks.push(ask);
    else this.#pour(peer, [ask]);
  }

  /** Gives what was asked for, one piece after the other, while the connection goes on with other things. */
  async #pour(peer: FilePeer, asks: Ask[]): Promise<void> {
    this.#asks.set(peer, asks);
    const isWanted = () => this.#asks.get(peer) === asks;
    for (let [ask] = asks; ask !== undefined && isWanted(); [ask] = asks) {
      await this.#givePieces(ask, isWanted);
      asks.shift();
    }
    if (isWanted()) this.#asks.delete(peer);
  }

  async #givePieces(ask: Ask, isWanted: () => boolean): Promise<void> {
    const { peer, isHere } = ask.caller;
    for (let at = ask.offset; at < ask.end; at += FILE_CHUNK_BYTES) {
      await peer.drained(FILE_AHEAD_BYTES);
      if (!isWanted() || !isHere() || !await this.#givePiece(ask, at)) return;
    }
  }

  /** Whether there was a piece. */
  async #givePiece(
    { file: { id, size, room }, caller: { peer, handle } }: Ask,
    offset: number,
  ): Promise<boolean> {
    try {
      const mayRead = this.#parts.rooms.mayRead(room, handle);
      const bytes = mayRead ? await this.#parts.store.read(id, offset) : undefined;
      if (bytes !== undefined) {
        tell(peer, { type: "fileData", file: id, offset, size, bytes });
        return true;
      }
      // Taken away meanwhile, or damaged on the disk.
      const isThere = await this.#readable(id, handle) !== undefined;
      refuse(peer, isThere ? "badFile" : "noSuchFile", id);
    } catch (error) {
      this.#parts.trouble(error);
      refuse(peer, "notStored", id);
    }
    return false;
  }

  /** A file that is not all there, or in a room that one may not read, is none. */
  async #readable(id: Bytes, handle: Handle): Promise<KeptFile | undefined> {
    const file = await this.#parts.store.find(id);
    return file?.done === true && this.#parts.rooms.mayRead(file.room, handle) ? file : undefined;
  }

  async #remove(id: Bytes, owner: Handle | undefined): Promise<void> {
    try {
      const file = await this.#parts.store.find(id);
      // What is known of it mostly went with its entry; its octets did not.
      if (file === undefined || file.owner === owner) await this.#parts.store.remove(id);
    } catch (error) {
      this.#parts.trouble(error);
    }
  }

  /** What was written is made durable, so that as little as possible has to be sent again. */
  async #letGo(key: string, peer: FilePeer): Promise<void> {
    const put = this.#puts.get(key);
    if (put?.kind !== "taking" || put.peer !== peer) return;
    this.#puts.delete(key);
    try {
      await this.#parts.store.flush(put.file.id);
    } catch (error) {
      this.#parts.trouble(error);
    }
  }
}

function isSame(known: KeptFile, owner: Handle, { room, size, sha256 }: FileBegin): boolean {
  return known.owner === owner && known.size === size && equal(known.room, room) &&
    equal(known.sha256, sha256);
}

function keyOf(id: Bytes): string {
  return id.toHex();
}

function refuse(peer: FilePeer, code: FaultCode, about: Bytes, wait?: number): void {
  tell(peer, wait === undefined ? { type: "fault", code, about } : { type: "fault", code, about, wait });
}

function tell(peer: FilePeer, message: ServerMessage): void {
  peer.send(encodeMessage(message));
}
