/**
 * The database of rooms and files, `rooms.db` in the data folder, opened together with the key that its rows are sealed
 * under. In the clear are only ids of entries and files, and numbers: sequences, times, sizes, which entries edit which,
 * and which rows are of one room or one person, by a tag that is the same in all tables; not which room, and not who.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { Entropy, Provider } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8 } from "../wire/bytes.ts";
import { DatabaseFile } from "./database_file.ts";
import { isMissing } from "./file_failure.ts";
import { loadOrMakeRestKey, restKeyPath, type RestKeyPlace } from "./rest_key_file.ts";
import { type RowSeal, rowSeal } from "./row_seal.ts";
import { secretSlotsTable } from "./secret_slots.ts";

/** The database's name in the data folder. */
export const ROOMS_FILE = "rooms.db";

/** The tables of secret slots. */
export const SLOTS = { entries: "entry_secrets", files: "file_secrets" } as const;

/** An open database of rooms and files. */
export interface RoomsFile {
  /** The database. */
  readonly database: DatabaseFile;
  /** What its rows are sealed by. */
  readonly seal: RowSeal;
}

/** Octets as SQLite gives them. */
export const BlobSchema = v.pipe(
  v.instance(Uint8Array),
  v.transform((bytes): Bytes => new Uint8Array(bytes)),
);

/**
 * Opens it; database, key and folder are made where there are none yet. How long that takes does not depend on how long
 * the logs are.
 *
 * Throws a {@linkcode Failure}: as {@linkcode DatabaseFile.open} and {@linkcode loadOrMakeRestKey}, and `config` where
 * the rows are sealed under another key.
 */
export async function openRoomsFile(
  place: RestKeyPlace,
  { provider, entropy }: { readonly provider: Provider; readonly entropy: Entropy },
): Promise<RoomsFile> {
  const path = `${place.dataDir}/${ROOMS_FILE}`;
  const key = await loadOrMakeRestKey(place, { entropy, isNew: () => hasNothing(path) });
  const seal = await rowSeal(provider, entropy, key);
  const database = await DatabaseFile.open(path, ROOMS_FORM);
  try {
    database.change((opened) => requireKey(opened, seal, place));
  } catch (error) {
    database.close();
    throw error;
  }
  return { database, seal };
}

/** The form of the database. */
export const ROOMS_FORM = {
  what: "the rooms",
  // "SoRo"
  applicationId: 0x536f526f,
  migrations: [
    `
  CREATE TABLE key_check (only INTEGER PRIMARY KEY CHECK (only = 1), sealed BLOB NOT NULL) STRICT;
  CREATE TABLE rooms (
    number INTEGER PRIMARY KEY,
    tag BLOB NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    state BLOB NOT NULL,
    place BLOB NOT NULL,
    restored INTEGER
  ) STRICT;
  CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES rooms (number),
    sequence INTEGER NOT NULL,
    time INTEGER NOT NULL,
    edits INTEGER,
    sealed BLOB NOT NULL,
    UNIQUE (room, sequence)
  ) STRICT;
  CREATE INDEX entries_by_time ON entries (room, time, sequence);
  CREATE INDEX entries_by_edited ON entries (room, edits) WHERE edits IS NOT NULL;
  CREATE TABLE entry_ids (
    id BLOB PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES rooms (number),
    sequence INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ${secretSlotsTable(SLOTS.entries)}
  CREATE TABLE marks (
    room INTEGER NOT NULL REFERENCES rooms (number),
    person BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (room, person)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX marks_by_person ON marks (person);
  CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    other BLOB NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (person, other)
  ) STRICT;
  CREATE INDEX blocks_by_other ON blocks (other);
  CREATE TABLE files (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    room BLOB NOT NULL,
    owner BLOB NOT NULL,
    size INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    have INTEGER NOT NULL,
    done INTEGER NOT NULL,
    sealed BLOB NOT NULL
  ) STRICT;
  CREATE INDEX files_by_room ON files (room);
  CREATE INDEX files_by_owner ON files (owner);
  ${secretSlotsTable(SLOTS.files)}
`,
    "CREATE TABLE told_keys (person BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;",
  ],
  grows: true,
} as const;

const CheckRowSchema = v.object({ sealed: BlobSchema });
const CHECK = { table: "key_check", place: utf8("key"), text: utf8("sotto") } as const;

/** With another key every row would look damaged; which of the two it is must be said before anything is written. */
function requireKey(database: DatabaseSync, seal: RowSeal, place: RestKeyPlace): void {
  const row = v.safeParse(CheckRowSchema, database.prepare("SELECT sealed FROM key_check").get());
  if (!row.success) {
    database.prepare("INSERT INTO key_check (only, sealed) VALUES (1, ?)")
      .run(seal.seal(CHECK.table, CHECK.place, CHECK.text));
    return;
  }
  if (seal.open(CHECK.table, CHECK.place, row.output.sealed) !== undefined) return;
  throw new Failure(
    "config",
    `Cannot open the rooms in ${visible(place.dataDir)}: they are sealed under another key than that in ` +
      `${visible(restKeyPath(place))}; put back your copy of it, or name it by --key-file.`,
  );
}

/** Whether nothing was ever written to the database, nor to the log beside it. */
async function hasNothing(path: string): Promise<boolean> {
  const sizes = await Promise.all([path, `${path}-wal`].map(sizeOf));
  return sizes.every((size) => size === 0);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
