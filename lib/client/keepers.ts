/**
 * What a client keeps between runs, as interfaces: files hold it, and the root joins the two. Each keeper is of one
 * server, told by its host key.
 *
 * @module
 */

import type { PeerBook } from "../identity/peer_trust.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { RoomRole } from "../wire/entry_body.ts";
import type { Draft, FaultCode, Keys, Logged, Place } from "../wire/message.ts";

/** The secrets of one device of one account, and the newest list that it knows to be its own. */
export interface OwnKeys {
  /** Whether the server is known to have taken `keys`. Keys are kept before they are published: a lost secret is lost for ever. */
  readonly published: boolean;
  /** The seed of the device's signing key, 32 octets. */
  readonly deviceSeed: Bytes;
  /** The seed of the account's identity key, 32 octets. */
  readonly identitySeed: Bytes;
  /** The device list with its signature, and the identity key that made it. */
  readonly keys: Keys;
}

/** Keeps own keys, by account. */
export interface OwnKeysKeeper {
  /** What is kept; `undefined` where this device is none of the account's. Rejects with a `Failure` where it cannot be read. */
  load(handle: Handle): Promise<OwnKeys | undefined>;
  /** Settles once it is kept. Rejects with a `Failure` where it cannot be. */
  save(handle: Handle, keys: OwnKeys): Promise<void>;
}

/** Keeps what the owner of `handle` knows of others. */
export interface PeersKeeper {
  /** What is kept; the empty book where nothing is. Rejects with a `Failure` where it cannot be read. */
  load(handle: Handle): Promise<PeerBook>;
  /** Settles once it is kept. Rejects with a `Failure` where it cannot be. */
  save(handle: Handle, book: PeerBook): Promise<void>;
}

/** Most flaws noted of one room, neighbours being one: by then everybody knows what the server is worth. */
export const FLAWS_MAX = 1_000;

/** What was found at fault in a room's log; it stays noted. Sequences are inclusive. */
export interface Flaw {
  /**
   * - `missing`: the server does not give these entries, and nothing that is signed says why.
   * - `rewritten`: what it gives there is not what its author signed, or does not fit what it gave before or after.
   * - `forked`: somebody else has seen another entry there than the one given here.
   * - `withheld`: what the entry says is missing, and nobody who may has had it erased.
   * - `cutBack`: the server's log ends before that, though it has given these entries.
   */
  readonly kind: "missing" | "rewritten" | "forked" | "withheld" | "cutBack";
  /** The first entry that it concerns. */
  readonly from: number;
  /** The last. */
  readonly to: number;
}

/** Sequences of a room's log, inclusive. */
export interface Sequences {
  /** The first. */
  readonly from: number;
  /** The last. */
  readonly to: number;
}

/** What must be known of a room's log to judge what comes next; lib/client/room_log.ts makes it and reads it. */
export interface LogKnowledge {
  /** When the last entry verified was made, in milliseconds since 1970: times never go back. */
  readonly headTime: number;
  /** The last entry that the server said it does not give, or has dropped. */
  readonly served: number;
  /** What it does not give any more, as long as it may still be explained by one's own coming in. */
  readonly gap: Sequences | undefined;
  /** Whether one is known to have left it, and not to have come back: then another may bring one in again. */
  readonly left: boolean;
  /**
   * Days after which entries are dropped, 0 for never: as the server told it at first, and as was signed since;
   * `undefined` before it was told.
   */
  readonly retention: number | undefined;
  /** Whether the log is known from its first entry on: whoever is not in `roles` then keeps no order. */
  readonly whole: boolean;
  /** What people are known to be in the room; of those who keep no order only where `whole` is false. */
  readonly roles: ReadonlyMap<Handle, RoomRole>;
  /** Entries that came erased, and the later entry that is to say by whom. */
  readonly awaited: readonly { readonly sequence: number; readonly by: number }[];
  /** Entries before `base`, as people say in what they signed that they saw them. */
  readonly claims: readonly Place[];
}

/** A room as this client last saw it verified. */
export interface KeptRoom {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** What it is called: `#name`, or `@handle` of the other. */
  readonly label: string;
  /** The last entry before the ones verified without a gap: the chain is whole from there to `head`. */
  readonly base: Place;
  /** The last entry verified. */
  readonly head: Place;
  /** Up to where its person has read. */
  readonly read: number;
  /** What was found at fault, oldest first; at most FLAWS_MAX. */
  readonly flaws: readonly Flaw[];
  /** What is known of it besides. */
  readonly knowledge: LogKnowledge;
}

/** An entry as it is kept, with what was found out about it when it came. */
export interface KeptEntry {
  /** As it came, but for a content that was erased since. */
  readonly entry: Logged;
  /** Its hash, 32 octets. */
  readonly hash: Bytes;
  /** Why it is doubtful; `undefined` where it verified. A kept entry is not judged anew. */
  readonly doubt: string | undefined;
  /** The name of its author's device at that time, where that is known. */
  readonly deviceName: string | undefined;
}

/** What waits to be said. */
export interface Queued {
  /** The room it is for. */
  readonly room: Bytes;
  /** The entry's id, 16 octets; they are in the order in which they were queued. */
  readonly draft: Omit<Draft, "seen" | "signature">;
  /** As it was signed when it was first sent: whenever it is sent again, it is the same octets. */
  readonly signed: Draft | undefined;
  /** Why the server has refused it, where it has: it is never sent again, and kept until its person was told. */
  readonly refused: FaultCode | undefined;
}

/** Which kept entries: the newest `limit` of those with sequences `from` to `to`, oldest first. */
export interface KeptRange {
  /** The first sequence. */
  readonly from: number;
  /** The last. */
  readonly to: number;
  /** How many entries at most. */
  readonly limit: number;
}

/**
 * What a client keeps of one account's rooms: the log as it was verified, and what waits to be sent. What changes
 * something settles once the end of this program cannot undo it; {@linkcode LocalStore.flush} is for the end of the machine. Rejections are `Failure`s.
 */
export interface LocalStore {
  /** All rooms. */
  rooms(): Promise<readonly KeptRoom[]>;
  /**
   * Keeps a room with entries, new or again, in one step. What another program of the same account has kept meanwhile
   * stays: the head goes back only for a flaw that is new, `read` and what was erased never.
   */
  keep(room: KeptRoom, entries: readonly KeptEntry[]): Promise<void>;
  /** Kept entries. */
  entries(room: Bytes, range: KeptRange): Promise<readonly KeptEntry[]>;
  /** The kept entry with that id. */
  entryById(room: Bytes, id: Bytes): Promise<KeptEntry | undefined>;
  /** Erases what an entry says, and what its edits say, for the entry `by`. */
  erase(room: Bytes, sequence: number, by: number): Promise<void>;
  /** What waits to be sent, in the order in which it was queued. */
  queued(): Promise<readonly Queued[]>;
  /** Adds one at the end. */
  queue(item: Queued): Promise<void>;
  /**
   * Puts one in the place of that of the id `instead`; gives what is kept there then. Where another program has signed it
   * before, that stays, and is to be sent: two of one id would be two entries. `undefined` where it is not there any more:
   * another program has had it stored or refused, or has put one of another id in its place.
   */
  requeue(item: Queued, instead: Bytes): Promise<Queued | undefined>;
  /** Notes why the server has refused the one of that id, where it is there. */
  refuse(id: Bytes, code: FaultCode): Promise<void>;
  /** Takes away the one of that id: it has its place, or its person knows that it was refused. */
  unqueue(id: Bytes): Promise<void>;
  /** Settles once all that was done so far is on the disk. */
  flush(): Promise<void>;
  /** A setting of this account on this device, such as whose messages are not shown. */
  setting(name: string): Promise<string | undefined>;
  /** Keeps one; `undefined` takes it away. */
  setSetting(name: string, value: string | undefined): Promise<void>;
}

/** Opens the local store of an account; one at a time for each account of a configuration folder may be open in a program. */
export interface LocalStoreKeeper {
  /** Rejects with a `Failure` where it cannot be opened. */
  open(handle: Handle): Promise<LocalStore & { close(): void }>;
}

/** A file of this machine that is put into a room. */
export interface FileSource {
  /** What it is called: the last part of its path. */
  readonly name: string;
  /** Octets of all of it. */
  readonly size: number;
  /** Fills `into` from that place on. Rejects with a `Failure` where it cannot be read, or has changed since it was opened. */
  read(offset: number, into: Bytes): Promise<void>;
  /** Lets go of it. */
  close(): void;
}

/** A file of this machine that is fetched from a room: it has another name until all of it is there. */
export interface FileSink {
  /** Octets that are there already: of an earlier try, to begin with. */
  readonly have: number;
  /** Fills `into` from that place on, of the octets that are there. */
  read(offset: number, into: Bytes): Promise<void>;
  /** Adds octets at the end. */
  write(bytes: Bytes): Promise<void>;
  /** Gives it the name that it is to have, or one like it where that is taken; settles with its path once that is durable. */
  finish(): Promise<string>;
  /** Lets go of it; what is there stays for the next try. */
  close(): void;
  /** Takes away what is there. */
  discard(): Promise<void>;
}

/** The files of this machine, as transfers use them. Rejections are `Failure`s. */
export interface LocalFiles {
  /** Opens the file to be put. */
  openSource(path: string): Promise<FileSource>;
  /**
   * Opens what the file of that id is written to: at `path` where one is given, in it under `name` made safe where it is a
   * folder, else under that name in the folder in which the program runs. No file that is there is ever changed.
   */
  openSink(wanted: {
    readonly id: Bytes;
    readonly name: string;
    readonly size: number;
    readonly path: string | undefined;
  }): Promise<FileSink>;
}
