/**
 * The logs of a server's rooms on disk, in its database of rooms.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { EntryRange, LogChange, LogStore, Marks } from "../chat/log_port.ts";
import type { FileOfEntry } from "../chat/file_port.ts";
import type { RoomState } from "../chat/room.ts";
import type { Entropy } from "../crypto/port.ts";
import { type Handle, HandleSchema } from "../text/handle.ts";
import { type Bytes, concat, utf8 } from "../wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { decodeBody } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import { type EntryPlace, LogRows, type RoomKey } from "./log_rows.ts";
import { prepared } from "./prepared.ts";
import { BlobSchema, type RoomsFile, SLOTS } from "./rooms_file.ts";
import { SecretSlots } from "./secret_slots.ts";

/** A room that came out of a backup, and has not been told so yet. */
export interface RestoredRoom {
  /** The room's id. */
  readonly room: Bytes;
  /** The last entry that the backup has: what was said after it is lost. */
  readonly sequence: number;
}

/** A room as it was kept last. */
interface KeptRoom {
  readonly number: number;
  readonly room: RoomState;
}

type ChangeOf<Kind extends LogChange["kind"]> = Extract<LogChange, { readonly kind: Kind }>;

const PlacedSchema = v.object({ room: v.number(), sequence: v.number() });
const MarksRowSchema = v.object({ person: BlobSchema, sealed: BlobSchema });
const MarksSchema = v.strictObject({ handle: HandleSchema, delivered: v.number(), read: v.number() });
const ToldKeysSchema = v.strictObject({ handle: HandleSchema, number: v.number() });
const BlockRowSchema = v.object({ other: BlobSchema, sealed: BlobSchema });
/** The fields of a room that every entry changes, which {@linkcode LogRows} keeps apart. */
const ENDS: ReadonlySet<string> = new Set<keyof RoomState>(["head", "headTime", "base"]);
/** Changes by which something goes. */
const GOING: readonly LogChange["kind"][] = ["erase", "trim", "files"];
const NO_MARKS: Marks = { delivered: 0, read: 0 };

/**
 * The logs in an open database of rooms. Only one program writes there at a time, and this is what it writes by: rooms
 * are read once. Methods work before they return, so calls take effect in their order.
 */
export class LogDatabase implements LogStore {
  readonly #file: RoomsFile;
  readonly #rows: LogRows;
  readonly #fileSecrets: SecretSlots;
  /** By their ids in hexadecimal. */
  readonly #kept = new Map<string, KeptRoom>();
  /** The ids of rooms by their numbers. */
  readonly #ids = new Map<number, Bytes>();

  /** Throws a `Failure`: `data` where a room does not open, or its entries go beyond what it knows of. */
  constructor(file: RoomsFile, entropy: Entropy) {
    this.#file = file;
    this.#rows = new LogRows(file.seal, entropy);
    this.#fileSecrets = new SecretSlots(SLOTS.files, entropy);
    file.database.read((database) => {
      for (const { number, room } of this.#rows.rooms(database)) {
        if (room === undefined || lastOf(database, number) > room.head.sequence) {
          throw file.database.damaged();
        }
        this.#keep({ number, room });
      }
    });
  }

  rooms(): Promise<readonly RoomState[]> {
    return Promise.resolve([...this.#kept.values()].map(({ room }) => room));
  }

  change(changes: readonly LogChange[]): Promise<void> {
    return new Promise((resolve) => {
      const changed = this.#file.database.change((database) => this.#done(database, changes));
      for (const kept of changed) this.#keep(kept);
      if (changes.some(({ kind }) => GOING.includes(kind))) this.#file.database.forgetOld();
      resolve();
    });
  }

  entries(room: Bytes, range: EntryRange): Promise<readonly Logged[]> {
    return this.#read((database) => {
      const kept = this.#kept.get(room.toHex());
      if (kept === undefined) return [];
      return this.#rows.entries(database, keyOf(kept), range).flatMap(({ entry }) => entry ?? []);
    });
  }

  edits(room: Bytes, sequence: number): Promise<number> {
    return this.#read((database) => {
      const kept = this.#kept.get(room.toHex());
      return kept === undefined ? 0 : this.#rows.editsOf(database, keyOf(kept), sequence).length;
    });
  }

  placeOfId(id: Bytes): Promise<{ readonly room: Bytes; readonly sequence: number } | undefined> {
    return this.#read((database) => {
      const row = prepared(database, "SELECT room, sequence FROM entry_ids WHERE id = ?").get(id);
      if (row === undefined) return undefined;
      const { room: number, sequence } = v.parse(PlacedSchema, row);
      const room = this.#ids.get(number);
      return room && { room, sequence };
    });
  }

  firstSince(room: Bytes, time: number): Promise<number> {
    return this.#read((database) => {
      const kept = this.#kept.get(room.toHex());
      if (kept === undefined) return 1;
      const row = prepared(
        database,
        "SELECT sequence FROM entries WHERE room = ? AND time >= ? ORDER BY time, sequence LIMIT 1",
      ).get(kept.number, time);
      return row === undefined ? kept.room.head.sequence + 1 : Number(row["sequence"]);
    });
  }

  marks(room: Bytes, handle: Handle): Promise<Marks> {
    return this.#read((database) => {
      const kept = this.#kept.get(room.toHex());
      if (kept === undefined) return NO_MARKS;
      const row = prepared(database, "SELECT person, sealed FROM marks WHERE room = ? AND person = ?")
        .get(kept.number, this.#person(handle));
      const { delivered, read } = this.#marksIn(room, row) ?? NO_MARKS;
      return { delivered, read };
    });
  }

  marksOf(room: Bytes): Promise<ReadonlyMap<Handle, Marks>> {
    return this.#read((database) => {
      const kept = this.#kept.get(room.toHex());
      const rows = kept === undefined
        ? []
        : prepared(database, "SELECT person, sealed FROM marks WHERE room = ?").all(kept.number);
      const opened = rows.flatMap((row) => this.#marksIn(room, row) ?? []);
      return new Map(opened.map(({ handle, delivered, read }) => [handle, { delivered, read }]));
    });
  }

  blocks(handle: Handle): Promise<readonly Handle[]> {
    return this.#read((database) => {
      const person = this.#person(handle);
      const rows = prepared(database, "SELECT other, sealed FROM blocks WHERE person = ? ORDER BY number")
        .all(person);
      return rows.flatMap((row) => {
        const { other, sealed } = v.parse(BlockRowSchema, row);
        const opened = this.#file.seal.open("blocks", concat(person, other), sealed);
        const parsed = v.safeParse(HandleSchema, opened && decodeCbor(opened));
        return parsed.success ? parsed.output : [];
      });
    });
  }

  setBlock(handle: Handle, other: Handle, on: boolean): Promise<void> {
    return this.#change((database) => {
      const [person, tag] = [this.#person(handle), this.#person(other)];
      prepared(database, "DELETE FROM blocks WHERE person = ? AND other = ?").run(person, tag);
      if (!on) return;
      const sealed = this.#file.seal.seal("blocks", concat(person, tag), encodeCbor(other));
      prepared(database, "INSERT INTO blocks (person, other, sealed) VALUES (?, ?, ?)").run(
        person,
        tag,
        sealed,
      );
    });
  }

  toldKeys(): Promise<ReadonlyMap<Handle, number>> {
    return this.#read((database) => {
      const rows = prepared(database, "SELECT person, sealed FROM told_keys").all();
      return new Map(rows.flatMap((row) => {
        const found = v.safeParse(MarksRowSchema, row);
        const opened = found.success &&
          this.#file.seal.open("told keys", found.output.person, found.output.sealed);
        const told = v.safeParse(ToldKeysSchema, opened && decodeCbor(opened));
        return told.success ? [[told.output.handle, told.output.number]] : [];
      }));
    });
  }

  noteToldKeys(handle: Handle, number: number): Promise<void> {
    return this.#change((database) => {
      const person = this.#person(handle);
      prepared(database, "INSERT OR REPLACE INTO told_keys (person, sealed) VALUES (?, ?)")
        .run(person, this.#file.seal.seal("told keys", person, encodeCbor({ handle, number })));
    });
  }

  async forget(handle: Handle): Promise<void> {
    await this.#change((database) => {
      const person = this.#person(handle);
      prepared(database, "DELETE FROM told_keys WHERE person = ?").run(person);
      prepared(database, "DELETE FROM marks WHERE person = ?").run(person);
      prepared(database, "DELETE FROM blocks WHERE person = ? OR other = ?").run(person, person);
    });
    this.#file.database.forgetOld();
  }

  /**
   * The rooms that came out of a backup and do not say so yet. A room does once a notice of the server's own was
   * appended to it, which is to be the first that is done with it.
   */
  restored(): Promise<readonly RestoredRoom[]> {
    return this.#read((database) =>
      prepared(database, "SELECT number AS room, restored AS sequence FROM rooms WHERE restored IS NOT NULL")
        .all()
        .flatMap((row) => {
          const { room: number, sequence } = v.parse(PlacedSchema, row);
          const room = this.#ids.get(number);
          return room === undefined ? [] : [{ room, sequence }];
        })
    );
  }

  #read<Value>(work: (database: DatabaseSync) => Value): Promise<Value> {
    return new Promise((resolve) => resolve(this.#file.database.read(work)));
  }

  #change(work: (database: DatabaseSync) => void): Promise<void> {
    return new Promise((resolve) => resolve(this.#file.database.change(work)));
  }

  /** Does the changes; gives the rooms as they are then. */
  #done(database: DatabaseSync, changes: readonly LogChange[]): readonly KeptRoom[] {
    const changed = new Map<string, KeptRoom>();
    const places = this.#rows.placesFor(database, changes.filter(({ kind }) => kind === "append").length)
      .values();
    const known = (id: Bytes): KeptRoom | undefined => changed.get(id.toHex()) ?? this.#kept.get(id.toHex());
    for (const change of changes) {
      const id = change.kind === "append" || change.kind === "trim" ? change.room.id : change.room;
      const kept = this.#one(database, change, { kept: known(id), places });
      changed.set(id.toHex(), kept);
    }
    for (const [id, { number, room }] of changed) {
      const before = this.#kept.get(id)?.room;
      if (before !== room) this.#rows.setRoom(database, number, room, { all: !isSameButEnds(before, room) });
    }
    return [...changed.values()];
  }

  #one(
    database: DatabaseSync,
    change: LogChange,
    { kept, places }: { readonly kept: KeptRoom | undefined; readonly places: Iterator<EntryPlace> },
  ): KeptRoom {
    if (change.kind === "append") return this.#append(database, change, { kept, place: places.next().value });
    if (kept === undefined) throw new RangeError(`Cannot ${change.kind}: there is no such room`);
    switch (change.kind) {
      case "erase":
        this.#rows.erase(database, keyOf(kept), change);
        return kept;
      case "files":
        for (const file of change.gone) this.#dropFile(database, change.room, file);
        return kept;
      case "trim":
        this.#rows.trim(database, keyOf(kept), change.room.base.sequence);
        return { ...kept, room: change.room };
      case "marks":
        this.#mark(database, kept.number, change);
        return kept;
    }
  }

  #append(
    database: DatabaseSync,
    { room, entry }: ChangeOf<"append">,
    { kept, place }: { readonly kept: KeptRoom | undefined; readonly place: EntryPlace | undefined },
  ): KeptRoom {
    if (place === undefined) throw new RangeError(`Cannot append entry ${entry.sequence}: it has no place`);
    const { head, headTime } = kept?.room ?? { head: { sequence: 0 }, headTime: 0 };
    // A gap or a time that goes back would be found by every reader, for ever.
    if (
      entry.sequence !== head.sequence + 1 || room.head.sequence !== entry.sequence || entry.time < headTime
    ) {
      throw new RangeError(`Cannot append entry ${entry.sequence}: the log ends with ${head.sequence}`);
    }
    const number = kept?.number ?? this.#rows.addRoom(database, room);
    this.#rows.addEntry(database, { number, id: room.id }, { entry, place });
    if (isServersNotice(entry)) {
      prepared(database, "UPDATE rooms SET restored = NULL WHERE number = ?").run(number);
    }
    return { number, room };
  }

  /** Another's that has the same id stays. */
  #dropFile(database: DatabaseSync, room: Bytes, { id, owner }: FileOfEntry): void {
    if (owner === undefined) return;
    const number = prepared(database, "SELECT number FROM files WHERE id = ? AND room = ? AND owner = ?")
      .get(id, this.#file.seal.tag("rooms", room), this.#person(owner))?.["number"];
    if (number === undefined) return;
    this.#fileSecrets.forget(database, [Number(number)]);
    prepared(database, "DELETE FROM files WHERE number = ?").run(Number(number));
  }

  #mark(
    database: DatabaseSync,
    number: number,
    { room, handle, delivered, read }: ChangeOf<"marks">,
  ): void {
    const person = this.#person(handle);
    const sealed = this.#file.seal.seal(
      "marks",
      concat(room, person),
      encodeCbor({ handle, delivered, read }),
    );
    prepared(database, "INSERT OR REPLACE INTO marks (room, person, sealed) VALUES (?, ?, ?)")
      .run(number, person, sealed);
  }

  #marksIn(room: Bytes, row: unknown): v.InferOutput<typeof MarksSchema> | undefined {
    const found = v.safeParse(MarksRowSchema, row);
    if (!found.success) return undefined;
    const { person, sealed } = found.output;
    const opened = this.#file.seal.open("marks", concat(room, person), sealed);
    const parsed = v.safeParse(MarksSchema, opened && decodeCbor(opened));
    return parsed.success ? parsed.output : undefined;
  }

  #person(handle: Handle): Bytes {
    return this.#file.seal.tag("people", utf8(handle));
  }

  #keep(kept: KeptRoom): void {
    this.#kept.set(kept.room.id.toHex(), kept);
    this.#ids.set(kept.number, kept.room.id);
  }
}

function keyOf({ number, room: { id } }: KeptRoom): RoomKey {
  return { number, id };
}

function lastOf(database: DatabaseSync, number: number): number {
  return Number(
    prepared(database, "SELECT max(sequence) AS last FROM entries WHERE room = ?").get(number)?.["last"] ?? 0,
  );
}

/** Values that are the very same ones have not changed: then the long part of a big room need not be written again. */
function isSameButEnds(before: RoomState | undefined, room: RoomState): boolean {
  const fields = new Map(Object.entries(before ?? {}));
  return Object.entries(room).every(([name, value]) => ENDS.has(name) || fields.get(name) === value);
}

function isServersNotice({ kind, content }: Logged): boolean {
  if (kind !== "notice" || content === undefined) return false;
  const said = decodeBody(kind, content.body);
  return said?.kind === "notice" && said.body.source === "server";
}
