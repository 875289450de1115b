/**
 * What rooms need kept on disk, as an interface: `lib/store` implements it on a database. Every method that changes
 * something settles once that is durable, and changes nothing where it rejects. Times are milliseconds since 1970.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Logged } from "../wire/message.ts";
import type { FileOfEntry } from "./file_port.ts";
import type { RoomState } from "./room.ts";

/** One change of what is kept. Those of one call are done together, in their order, or not at all. */
export type LogChange =
  /** An entry at the end of a room's log, and the room as it is from then on. The first makes the room. */
  | { readonly kind: "append"; readonly room: RoomState; readonly entry: Logged }
  /**
   * What the entry says is erased, and what the entries of kind `edit` about it say: salt and body, in the file, too. `by`
   * is the sequence of the entry that asks for it.
   */
  | { readonly kind: "erase"; readonly room: Bytes; readonly sequence: number; readonly by: number }
  /** Entries up to and with `room.base` are dropped. */
  | { readonly kind: "trim"; readonly room: RoomState }
  /** Files whose entries are erased or dropped are none of the room's any more; their octets are for the `FileStore`. */
  | { readonly kind: "files"; readonly room: Bytes; readonly gone: readonly FileOfEntry[] }
  /** Up to where an account has received and read a room. */
  | {
    readonly kind: "marks";
    readonly room: Bytes;
    readonly handle: Handle;
    readonly delivered: number;
    readonly read: number;
  };

/** Up to where an account has received and read a room; both 0 where nothing was said of it. */
export interface Marks {
  /** The last entry that a device of it has. */
  readonly delivered: number;
  /** The last entry that its person has read. */
  readonly read: number;
}

/** Which entries of a room, oldest first: those of sequences `from` to `to`, both included. */
export interface EntryRange {
  /** The first. */
  readonly from: number;
  /** The last. */
  readonly to: number;
}

/** The logs of a server. */
export interface LogStore {
  /** All rooms, as their last changes left them. Takes no longer for longer logs. */
  rooms(): Promise<readonly RoomState[]>;
  /** Does all changes in one step. Rejects with a `Failure` where the disk is full or at fault. */
  change(changes: readonly LogChange[]): Promise<void>;
  /**
   * The entries of a range, in their order. One that was taken away, or that does not open under the server's key, is
   * left out: whoever reads the log sees which numbers are missing.
   */
  entries(room: Bytes, range: EntryRange): Promise<readonly Logged[]>;
  /** How many entries of a room edit the one at that sequence, erased ones included. */
  edits(room: Bytes, sequence: number): Promise<number>;
  /** The room and the place of the entry with that id, dropped ones included; `undefined` where there is none. */
  placeOfId(id: Bytes): Promise<{ readonly room: Bytes; readonly sequence: number } | undefined>;
  /** The sequence of the first entry not before `time`; one past the last where there is none. */
  firstSince(room: Bytes, time: number): Promise<number>;
  /** An account's marks in a room. */
  marks(room: Bytes, handle: Handle): Promise<Marks>;
  /** All marks of a room. */
  marksOf(room: Bytes): Promise<ReadonlyMap<Handle, Marks>>;
  /** Whose direct messages an account takes none of. */
  blocks(handle: Handle): Promise<readonly Handle[]>;
  /** Adds one, or takes it away. */
  setBlock(handle: Handle, other: Handle, on: boolean): Promise<void>;
  /** The numbers of the device lists that the rooms of accounts were told last; accounts of which nothing was noted lack. */
  toldKeys(): Promise<ReadonlyMap<Handle, number>>;
  /** Notes that all rooms of an account were told its list of that number. */
  noteToldKeys(handle: Handle, number: number): Promise<void>;
  /** Forgets an account's marks, blocks and what was noted of its keys. */
  forget(handle: Handle): Promise<void>;
}
