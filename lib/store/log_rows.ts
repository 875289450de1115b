/**
 * The rows of rooms and of their entries. Each entry is sealed under a secret of its own, so that it can be erased for
 * good, and bound to its room and sequence, so that no row can be put in another's place. All is to be called in a
 * transaction.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { EntryRange } from "../chat/log_port.ts";
import type { RoomState } from "../chat/room.ts";
import { decodeRoomState, encodeRoomState } from "../chat/room_snapshot.ts";
import type { Entropy } from "../crypto/port.ts";
import { type Bytes, concat, u64 } from "../wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { entryOctets } from "../wire/entry_octets.ts";
import { HASH_BYTES, type Logged } from "../wire/message.ts";
import { decodeEntry } from "./kept_entry.ts";
import { prepared } from "./prepared.ts";
import { BlobSchema, SLOTS } from "./rooms_file.ts";
import type { RowSeal } from "./row_seal.ts";
import { SecretSlots } from "./secret_slots.ts";

/** Which room. */
export interface RoomKey {
  /** Its number in this database. */
  readonly number: number;
  /** Its id. */
  readonly id: Bytes;
}

/** Where an entry is put, and what it is sealed under there. */
export interface EntryPlace {
  /** The row's number. */
  readonly number: number;
  /** Its secret, which is in its slot already. */
  readonly secret: Bytes;
}

/** A row of the table of rooms. */
export interface RoomRow {
  /** Its number in this database. */
  readonly number: number;
  /** The last entry that a backup has, where the room came out of one and was not told so yet. */
  readonly restored: number | undefined;
  /** The room; `undefined` where the row does not open. */
  readonly room: RoomState | undefined;
}

/** A row of the table of entries. */
export interface EntryRow {
  /** Its number in this database. */
  readonly number: number;
  /** Its sequence. */
  readonly sequence: number;
  /** The time beside what is sealed, in decimal digits. */
  readonly time: string;
  /** The entry; `undefined` where the row does not open. */
  readonly entry: Logged | undefined;
}

const PlaceSchema = v.strictObject({ sequence: v.number(), hash: v.pipe(BlobSchema, v.length(HASH_BYTES)) });

/** What every entry changes of a room: it is kept apart, since all else of a big room is long. */
const EndsSchema = v.strictObject({ head: PlaceSchema, headTime: v.number(), base: PlaceSchema });

const RoomRowSchema = v.object({
  number: v.number(),
  tag: BlobSchema,
  state: BlobSchema,
  place: BlobSchema,
  restored: v.nullable(v.number()),
});

const EntryRowSchema = v.object({
  number: v.number(),
  sequence: v.number(),
  time: v.string(),
  sealed: BlobSchema,
});

/** Reads and writes them. */
export class LogRows {
  readonly #seal: RowSeal;
  readonly #secrets: SecretSlots;
  /** Of rooms by their ids in hexadecimal: each entry needs its room's. */
  readonly #tags = new Map<string, Bytes>();

  /** Of rows that are sealed by `seal`. */
  constructor(seal: RowSeal, entropy: Entropy) {
    this.#seal = seal;
    this.#secrets = new SecretSlots(SLOTS.entries, entropy);
  }

  /** All rooms, in the order in which they were made. */
  rooms(database: DatabaseSync): readonly RoomRow[] {
    return prepared(database, "SELECT number, tag, state, place, restored FROM rooms ORDER BY number").all()
      .map((row) => {
        const { number, restored, tag, ...sealed } = v.parse(RoomRowSchema, row);
        return { number, restored: restored ?? undefined, room: this.#room(tag, sealed) };
      });
  }

  /** Puts a new room into the table; gives its number. */
  addRoom(database: DatabaseSync, room: RoomState): number {
    const tag = this.#tag(room.id);
    const added = prepared(database, "INSERT INTO rooms (tag, head, state, place) VALUES (?, ?, ?, ?)")
      .run(tag, room.head.sequence, this.#state(tag, room), this.#place(tag, room));
    return Number(added.lastInsertRowid);
  }

  /** Keeps what a room has become; with `all: false` only its ends, nothing else having changed. */
  setRoom(database: DatabaseSync, number: number, room: RoomState, { all }: { readonly all: boolean }): void {
    const tag = this.#tag(room.id);
    prepared(database, "UPDATE rooms SET head = ?, place = ? WHERE number = ?")
      .run(room.head.sequence, this.#place(tag, room), number);
    if (!all) return;
    prepared(database, "UPDATE rooms SET state = ? WHERE number = ?").run(this.#state(tag, room), number);
  }

  /** The rows of a range of a room's log, in their order. */
  entries(database: DatabaseSync, { number, id }: RoomKey, { from, to }: EntryRange): readonly EntryRow[] {
    // Whoever changed a row by hand may have made a time of it that is no safe integer.
    const rows = prepared(
      database,
      "SELECT number, sequence, CAST(time AS TEXT) AS time, sealed FROM entries " +
        "WHERE room = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
    ).all(number, from, to);
    const secretOf = this.#secrets.reader(database);
    return rows.map((row) => {
      const { sealed, ...told } = v.parse(EntryRowSchema, row);
      const secret = secretOf(told.number);
      const opened = secret &&
        this.#seal.erasable("entries", secret).open(entryPlace(id, told.sequence), sealed);
      return { ...told, entry: opened && decodeEntry(opened) };
    });
  }

  /** Places for so many entries more, at the end of the table. */
  placesFor(database: DatabaseSync, count: number): readonly EntryPlace[] {
    if (count === 0) return [];
    const last = prepared(database, "SELECT max(number) AS number FROM entries").get()?.["number"];
    const first = Number(last ?? 0) + 1;
    return this.#secrets.renew(database, first, count)
      .map((secret, at) => ({ number: first + at, secret }));
  }

  /** Adds an entry at the end of a room's log. */
  addEntry(
    database: DatabaseSync,
    { number, id }: RoomKey,
    { entry, place }: { readonly entry: Logged; readonly place: EntryPlace },
  ): void {
    const { sequence, time, kind, about } = entry;
    const edits = kind === "edit" ? about?.sequence ?? null : null;
    prepared(
      database,
      "INSERT INTO entries (number, room, sequence, time, edits, sealed) VALUES (?, ?, ?, ?, ?, ?)",
    ).run(place.number, number, sequence, time, edits, this.#sealed(place.secret, id, entry));
    prepared(database, "INSERT INTO entry_ids (id, room, sequence) VALUES (?, ?, ?)")
      .run(entry.id, number, sequence);
  }

  /**
   * Erases what an entry says, and what its edits say, for the entry `by`. One that does not open goes altogether: it may
   * say it still.
   */
  erase(
    database: DatabaseSync,
    room: RoomKey,
    { sequence, by }: { readonly sequence: number; readonly by: number },
  ): void {
    for (const erased of [sequence, ...this.editsOf(database, room, sequence)]) {
      this.#erase(database, room, { sequence: erased, by });
    }
  }

  /** The sequences of a room's entries that edit the one at `sequence`. */
  editsOf(database: DatabaseSync, { number }: RoomKey, sequence: number): readonly number[] {
    return prepared(database, "SELECT sequence FROM entries WHERE room = ? AND edits = ? ORDER BY sequence")
      .all(number, sequence).map((row) => Number(row["sequence"]));
  }

  /** Drops the entries of a room up to and with `sequence`. */
  trim(database: DatabaseSync, { number }: RoomKey, sequence: number): void {
    const rows = prepared(
      database,
      "SELECT number FROM entries WHERE room = ? AND sequence <= ? ORDER BY number",
    ).all(number, sequence);
    this.#drop(database, rows.map((row) => Number(row["number"])));
  }

  #erase(
    database: DatabaseSync,
    room: RoomKey,
    { sequence, by }: { readonly sequence: number; readonly by: number },
  ): void {
    const [row] = this.entries(database, room, { from: sequence, to: sequence });
    if (row === undefined) return;
    if (row.entry === undefined) return this.#drop(database, [row.number]);
    const { content: _, ...rest } = row.entry;
    const entry = { ...rest, erasedBy: by };
    // Under a new secret: with the old one goes what was sealed under it, wherever copies of it are.
    for (const secret of this.#secrets.renew(database, row.number, 1)) {
      prepared(database, "UPDATE entries SET sealed = ? WHERE number = ?")
        .run(this.#sealed(secret, room.id, entry), row.number);
    }
  }

  #drop(database: DatabaseSync, numbers: readonly number[]): void {
    this.#secrets.forget(database, numbers);
    const drop = prepared(database, "DELETE FROM entries WHERE number = ?");
    for (const number of numbers) drop.run(number);
  }

  #sealed(secret: Bytes, room: Bytes, entry: Logged): Bytes {
    return this.#seal.erasable("entries", secret).seal(entryPlace(room, entry.sequence), entryOctets(entry));
  }

  #tag(room: Bytes): Bytes {
    const name = room.toHex();
    const tag = this.#tags.get(name) ?? this.#seal.tag("rooms", room);
    this.#tags.set(name, tag);
    return tag;
  }

  #state(tag: Bytes, room: RoomState): Bytes {
    return this.#seal.seal("room states", tag, encodeRoomState(room));
  }

  #place(tag: Bytes, { head, headTime, base }: RoomState): Bytes {
    return this.#seal.seal("room places", tag, encodeCbor({ head, headTime, base }));
  }

  #room(tag: Bytes, sealed: { readonly state: Bytes; readonly place: Bytes }): RoomState | undefined {
    const state = this.#seal.open("room states", tag, sealed.state);
    const place = this.#seal.open("room places", tag, sealed.place);
    const room = state && decodeRoomState(state);
    const ends = v.safeParse(EndsSchema, place && decodeCbor(place));
    return room !== undefined && ends.success ? { ...room, ...ends.output } : undefined;
  }
}

function entryPlace(room: Bytes, sequence: number): Bytes {
  return concat(room, u64(sequence));
}
