/**
 * What a client keeps of one account's rooms, in `local.db` beside its keys: the log as it was verified, and what waits
 * to be sent. Rows are sealed under the key in `local.key`, each for its table and place; in the clear are numbers only:
 * sequences, which of them edit which, and which rows are of one room.
 *
 * Several programs of one account may have it open at once: each change is a transaction, and what is kept of a room is
 * merged with what another has kept (lib/client/room_merge.ts).
 *
 * A row of an entry that was altered is taken as not there, as the server has that entry, too. With one of a room, of
 * what waits, or of a setting, something would be lost that nobody else has: that is told.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type {
  KeptEntry,
  KeptRange,
  KeptRoom,
  LocalStore,
  LocalStoreKeeper,
  Queued,
} from "../client/keepers.ts";
import { mergedRoom } from "../client/room_merge.ts";
import type { Entropy, Provider } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, concat, equal, u64, utf8, utf8Text } from "../wire/bytes.ts";
import type { FaultCode } from "../wire/message.ts";
import { accountFolder, type ServerFolder } from "./account_folder.ts";
import { DatabaseFile, type DatabaseForm } from "./database_file.ts";
import { isMissing } from "./file_failure.ts";
import { loadOrMakeLocalKey, LOCAL_KEY_FILE } from "./local_key_file.ts";
import {
  decodeKeptEntry,
  decodeQueued,
  decodeRoom,
  encodeKeptEntry,
  encodeQueued,
  encodeRoom,
} from "./local_rows.ts";
import { prepared } from "./prepared.ts";
import { type RowSeal, rowSeal } from "./row_seal.ts";

/** The database's name in the account's folder. */
export const LOCAL_FILE = "local.db";

/** What it is made with. */
export interface LocalStoreParts {
  /** The primitives. */
  readonly provider: Provider;
  /** For the key, and for sealing. */
  readonly entropy: Entropy;
}

/** The local stores of the accounts on one server. */
export function localStoreKeeper(parts: LocalStoreParts, server: ServerFolder): LocalStoreKeeper {
  return { open: (handle) => LocalDatabase.open(parts, accountFolder(server, handle)) };
}

const FORM: DatabaseForm = {
  what: "what is kept of your rooms",
  // "SoLo"
  applicationId: 0x536f4c6f,
  migrations: [
    `
  CREATE TABLE key_check (only INTEGER PRIMARY KEY CHECK (only = 1), sealed BLOB NOT NULL) STRICT;
  CREATE TABLE rooms (number INTEGER PRIMARY KEY, tag BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE entries (
    room INTEGER NOT NULL REFERENCES rooms (number),
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,
    edits INTEGER,
    sealed BLOB NOT NULL,
    PRIMARY KEY (room, sequence)
  ) STRICT;
  CREATE INDEX entries_by_id ON entries (room, id);
  CREATE INDEX entries_by_edited ON entries (room, edits) WHERE edits IS NOT NULL;
  CREATE TABLE queue (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
  ) STRICT;
  CREATE TABLE settings (name BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
`,
  ],
  grows: true,
  elsewhere: "by SOTTO_CONFIG_DIR",
  orElse: "move it away: your rooms are read anew then, and what was not sent yet is lost",
};

const BlobSchema = v.pipe(v.instance(Uint8Array), v.transform((bytes): Bytes => new Uint8Array(bytes)));
const SealedSchema = v.object({ sealed: BlobSchema });
const RoomRowSchema = v.object({ number: v.number(), tag: BlobSchema, sealed: BlobSchema });
const EntryRowSchema = v.object({ sequence: v.number(), sealed: BlobSchema });
const QueueRowSchema = v.object({ number: v.number(), id: BlobSchema, sealed: BlobSchema });

const CHECK = { table: "key_check", place: utf8("key"), text: utf8("sotto") } as const;

/** A room as it is in its row. */
interface RoomRow {
  readonly number: number;
  readonly room: KeptRoom;
}

class LocalDatabase implements LocalStore {
  readonly #database: DatabaseFile;
  readonly #seal: RowSeal;
  /** Of rooms, by their ids in hexadecimal. */
  readonly #numbers = new Map<string, number>();

  private constructor(database: DatabaseFile, seal: RowSeal) {
    this.#database = database;
    this.#seal = seal;
  }

  static async open({ provider, entropy }: LocalStoreParts, folder: string): Promise<LocalDatabase> {
    const path = `${folder}/${LOCAL_FILE}`;
    const keyPath = `${folder}/${LOCAL_KEY_FILE}`;
    const key = await loadOrMakeLocalKey(keyPath, { entropy, isNew: () => hasNothing(path) });
    const seal = await rowSeal(provider, entropy, key);
    const database = await DatabaseFile.open(path, FORM);
    try {
      database.change((opened) => requireKey(opened, seal, keyPath));
    } catch (error) {
      database.close();
      throw error;
    }
    return new LocalDatabase(database, seal);
  }

  close(): void {
    this.#database.close();
  }

  rooms(): Promise<readonly KeptRoom[]> {
    return this.#read((database) =>
      prepared(database, "SELECT number, tag, sealed FROM rooms ORDER BY number").all()
        .map((row) => this.#roomIn(row).room)
    );
  }

  keep(room: KeptRoom, entries: readonly KeptEntry[]): Promise<void> {
    return this.#changeAs("soon", (database) => {
      const row = this.#roomRow(database, room.room);
      const merged = row === undefined
        ? { room, isAsGiven: true }
        : mergedRoom(row.room, room, (sequence) => this.#entry(database, row, sequence)?.hash);
      const kept = this.#setRoom(database, merged.room);
      for (const entry of entries) this.#keepEntry(database, kept, { entry, isAsGiven: merged.isAsGiven });
    });
  }

  entries(room: Bytes, { from, to, limit }: KeptRange): Promise<readonly KeptEntry[]> {
    return this.#read((database) => {
      const number = this.#numberOf(database, room);
      if (number === undefined) return [];
      const rows = prepared(
        database,
        "SELECT sequence, sealed FROM entries WHERE room = ? AND sequence BETWEEN ? AND ? " +
          "ORDER BY sequence DESC LIMIT ?",
      ).all(number, from, to, limit);
      return rows.toReversed().flatMap((row) => this.#entryIn(room, row) ?? []);
    });
  }

  entryById(room: Bytes, id: Bytes): Promise<KeptEntry | undefined> {
    return this.#read((database) => {
      const number = this.#numberOf(database, room);
      if (number === undefined) return undefined;
      const row = prepared(
        database,
        "SELECT sequence, sealed FROM entries WHERE room = ? AND id = ? ORDER BY sequence LIMIT 1",
      ).get(number, this.#seal.tag("entries", id));
      return this.#entryIn(room, row);
    });
  }

  erase(room: Bytes, sequence: number, by: number): Promise<void> {
    return this.#forgetting((database) => {
      const row = this.#roomRow(database, room);
      if (row === undefined) return false;
      const edits = prepared(database, "SELECT sequence FROM entries WHERE room = ? AND edits = ?")
        .all(row.number, sequence).map((edit) => Number(edit["sequence"]));
      const erased = [sequence, ...edits].filter((each) =>
        this.#erase(database, row, { sequence: each, by })
      );
      return erased.length > 0;
    });
  }

  queued(): Promise<readonly Queued[]> {
    return this.#read((database) =>
      prepared(database, "SELECT number, id, sealed FROM queue ORDER BY number").all()
        .map((row) => this.#queuedIn(row).item)
    );
  }

  queue(item: Queued): Promise<void> {
    return this.#changeAs("soon", (database) => {
      const tag = this.#seal.tag("queue", item.draft.id);
      const { lastInsertRowid } = prepared(database, "INSERT INTO queue (id, sealed) VALUES (?, x'')").run(
        tag,
      );
      this.#setQueued(database, { number: Number(lastInsertRowid), tag }, item);
    });
  }

  requeue(item: Queued, instead: Bytes): Promise<Queued | undefined> {
    return this.#changeAs("soon", (database) => {
      const tag = this.#seal.tag("queue", item.draft.id);
      const found = prepared(database, "SELECT number, id, sealed FROM queue WHERE id = ?")
        .get(this.#seal.tag("queue", instead));
      if (found === undefined) return undefined;
      const before = this.#queuedIn(found);
      if (before.item.refused !== undefined) return undefined;
      if (before.item.signed !== undefined) return before.item;
      this.#setQueued(database, { number: before.number, tag }, item);
      return item;
    });
  }

  refuse(id: Bytes, code: FaultCode): Promise<void> {
    return this.#changeAs("soon", (database) => {
      const tag = this.#seal.tag("queue", id);
      const found = prepared(database, "SELECT number, id, sealed FROM queue WHERE id = ?").get(tag);
      if (found === undefined) return;
      const { number, item } = this.#queuedIn(found);
      this.#setQueued(database, { number, tag }, { ...item, refused: code });
    });
  }

  unqueue(id: Bytes): Promise<void> {
    return this.#changeAs("soon", (database) => {
      prepared(database, "DELETE FROM queue WHERE id = ?").run(this.#seal.tag("queue", id));
    });
  }

  flush(): Promise<void> {
    return new Promise((resolve) => resolve(this.#database.flush()));
  }

  setting(name: string): Promise<string | undefined> {
    return this.#read((database) => {
      const tag = this.#seal.tag("settings", utf8(name));
      const row = prepared(database, "SELECT sealed FROM settings WHERE name = ?").get(tag);
      if (row === undefined) return undefined;
      const { sealed } = v.parse(SealedSchema, row);
      const opened = this.#seal.open("settings", tag, sealed);
      const text = opened && utf8Text(opened);
      if (text === undefined) throw this.#database.damaged();
      return text;
    });
  }

  setSetting(name: string, value: string | undefined): Promise<void> {
    return this.#change((database) => {
      const tag = this.#seal.tag("settings", utf8(name));
      if (value === undefined) {
        prepared(database, "DELETE FROM settings WHERE name = ?").run(tag);
        return;
      }
      prepared(database, "INSERT OR REPLACE INTO settings (name, sealed) VALUES (?, ?)")
        .run(tag, this.#seal.seal("settings", tag, utf8(value)));
    });
  }

  #read<Value>(work: (database: DatabaseSync) => Value): Promise<Value> {
    return new Promise((resolve) => resolve(this.#database.snapshot(work)));
  }

  #change<Value>(work: (database: DatabaseSync) => Value): Promise<Value> {
    return this.#changeAs("durable", work);
  }

  /** `soon`: on the disk with the next change that is durable, and before that only where no machine dies. */
  #changeAs<Value>(how: "durable" | "soon", work: (database: DatabaseSync) => Value): Promise<Value> {
    return new Promise((resolve) =>
      resolve(how === "soon" ? this.#database.changeSoon(work) : this.#database.change(work))
    );
  }

  /** As {@linkcode #change}; where something is to be forgotten by it, that is cleared out of the log beside, too. */
  async #forgetting(work: (database: DatabaseSync) => boolean): Promise<void> {
    if (await this.#change(work)) this.#database.forgetOld();
  }

  /** No row of a room is ever deleted, and its number stays what it is. */
  #numberOf(database: DatabaseSync, room: Bytes): number | undefined {
    const known = this.#numbers.get(room.toHex());
    if (known !== undefined) return known;
    const found = prepared(database, "SELECT number FROM rooms WHERE tag = ?")
      .get(this.#seal.tag("rooms", room))?.["number"];
    if (found === undefined) return undefined;
    this.#numbers.set(room.toHex(), Number(found));
    return Number(found);
  }

  #roomRow(database: DatabaseSync, room: Bytes): RoomRow | undefined {
    const row = prepared(database, "SELECT number, tag, sealed FROM rooms WHERE tag = ?")
      .get(this.#seal.tag("rooms", room));
    return row === undefined ? undefined : this.#roomIn(row);
  }

  #roomIn(row: unknown): RoomRow {
    const { number, tag, sealed } = v.parse(RoomRowSchema, row);
    const opened = this.#seal.open("rooms", tag, sealed);
    const room = opened && decodeRoom(opened);
    if (room === undefined) throw this.#database.damaged();
    return { number, room };
  }

  #setRoom(database: DatabaseSync, room: KeptRoom): RoomRow {
    const tag = this.#seal.tag("rooms", room.room);
    prepared(
      database,
      "INSERT INTO rooms (tag, sealed) VALUES (?, ?) ON CONFLICT (tag) DO UPDATE SET sealed = excluded.sealed",
    ).run(tag, this.#seal.seal("rooms", tag, encodeRoom(room)));
    const number = this.#numberOf(database, room.room);
    if (number === undefined) throw new RangeError("No row where one was written");
    return { number, room };
  }

  /** What was judged before is judged, and what was erased is erased, whoever keeps it again. */
  #keepEntry(
    database: DatabaseSync,
    row: RoomRow,
    { entry: given, isAsGiven }: { readonly entry: KeptEntry; readonly isAsGiven: boolean },
  ): void {
    const { sequence } = given.entry;
    const before = this.#entry(database, row, sequence);
    if (before === undefined) return this.#setEntry(database, row, given);
    if (!equal(before.hash, given.hash)) {
      if (isAsGiven) this.#setEntry(database, row, given);
      return;
    }
    const entry = before.entry.content === undefined ? before.entry : given.entry;
    this.#setEntry(database, row, { ...before, doubt: before.doubt ?? given.doubt, entry });
  }

  #setEntry(database: DatabaseSync, { number, room }: RoomRow, kept: KeptEntry): void {
    const { id, sequence, kind, about } = kept.entry;
    const sealed = this.#seal.seal("entries", entryPlace(room.room, sequence), encodeKeptEntry(kept));
    const edits = kind === "edit" ? about?.sequence ?? null : null;
    prepared(
      database,
      "INSERT OR REPLACE INTO entries (room, sequence, id, edits, sealed) VALUES (?, ?, ?, ?, ?)",
    ).run(number, sequence, this.#seal.tag("entries", id), edits, sealed);
  }

  #entry(database: DatabaseSync, { number, room }: RoomRow, sequence: number): KeptEntry | undefined {
    const row = prepared(database, "SELECT sequence, sealed FROM entries WHERE room = ? AND sequence = ?")
      .get(number, sequence);
    return this.#entryIn(room.room, row);
  }

  #entryIn(room: Bytes, row: unknown): KeptEntry | undefined {
    if (row === undefined) return undefined;
    const { sequence, sealed } = v.parse(EntryRowSchema, row);
    const opened = this.#seal.open("entries", entryPlace(room, sequence), sealed);
    return opened && decodeKeptEntry(opened);
  }

  /** Whether there was something to erase. */
  #erase(
    database: DatabaseSync,
    row: RoomRow,
    { sequence, by }: { readonly sequence: number; readonly by: number },
  ): boolean {
    const kept = this.#entry(database, row, sequence);
    if (kept?.entry.content === undefined) return false;
    const { content: _, ...rest } = kept.entry;
    this.#setEntry(database, row, { ...kept, entry: { ...rest, erasedBy: by } });
    return true;
  }

  #queuedIn(row: unknown): { readonly number: number; readonly item: Queued } {
    const { number, id, sealed } = v.parse(QueueRowSchema, row);
    const opened = this.#seal.open("queue", concat(id, u64(number)), sealed);
    const item = opened && decodeQueued(opened);
    if (item === undefined) throw this.#database.damaged();
    return { number, item };
  }

  #setQueued(
    database: DatabaseSync,
    { number, tag }: { readonly number: number; readonly tag: Bytes },
    item: Queued,
  ): void {
    const sealed = this.#seal.seal("queue", concat(tag, u64(number)), encodeQueued(item));
    prepared(database, "UPDATE queue SET id = ?, sealed = ? WHERE number = ?").run(tag, sealed, number);
  }
}

function entryPlace(room: Bytes, sequence: number): Bytes {
  return concat(room, u64(sequence));
}

/** With another key every row would look damaged; which of the two it is must be said before anything is written. */
function requireKey(database: DatabaseSync, seal: RowSeal, keyPath: string): void {
  const row = v.safeParse(SealedSchema, prepared(database, "SELECT sealed FROM key_check").get());
  if (!row.success) {
    prepared(database, "INSERT INTO key_check (only, sealed) VALUES (1, ?)")
      .run(seal.seal(CHECK.table, CHECK.place, CHECK.text));
    return;
  }
  if (seal.open(CHECK.table, CHECK.place, row.output.sealed) !== undefined) return;
  throw new Failure(
    "config",
    `Cannot open what is kept of your rooms: it is sealed under another key than that in ${
      visible(keyPath)
    }; ` +
      "put back your copy of it, or move away local.db beside it: your rooms are read anew then, and what was not " +
      "sent yet is lost.",
  );
}

/** Whether nothing was ever written to the database, nor to the log beside it. */
async function hasNothing(path: string): Promise<boolean> {
  for (const each of [path, `${path}-wal`]) {
    try {
      if ((await Deno.stat(each)).size > 0) return false;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return true;
}
