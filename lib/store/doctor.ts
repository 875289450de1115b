/**
 * Examines a data folder, whether a server runs on it or not, and mends nothing: what is amiss comes as values, each with
 * its place.
 *
 * @module
 */

import * as v from "valibot";
import type { KeptFile } from "../chat/file_port.ts";
import type { RoomState } from "../chat/room.ts";
import type { Entropy, Provider } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, concat, equal } from "../wire/bytes.ts";
import { ACCOUNTS_FILE, ACCOUNTS_FORM } from "./account_database.ts";
import { CERTIFICATE_FILES } from "./certificate_file.ts";
import { DatabaseFile } from "./database_file.ts";
import { FileFolder, FILES_FOLDER, sealedBytes } from "./file_folder.ts";
import { HOST_KEY_FILE } from "./host_key_file.ts";
import { type EntryFault, examinedLogs, type LogFinding } from "./log_examination.ts";
import { LogRows, type RoomRow } from "./log_rows.ts";
import { isThere, sharedModeOf } from "./private_file.ts";
import type { RestKeyPlace } from "./rest_key_file.ts";
import { BlobSchema, openRoomsFile, ROOMS_FILE, type RoomsFile } from "./rooms_file.ts";

/** What may be amiss with a file that somebody put into a room. */
export type FileFault =
  /** What is known of it does not open. */
  | "closed"
  /** Its octets are not there. */
  | "missing"
  /** They are more or fewer. */
  | "size"
  /** They are others. */
  | "content";

/** Something that is amiss. */
export type Finding =
  | LogFinding
  /** A part cannot be used at all, for the reason that the sentence tells. */
  | { readonly kind: "unusable"; readonly sentence: string }
  /** A file of the data folder is not there. */
  | { readonly kind: "absent"; readonly path: string }
  /** Others than its owner can reach a file. */
  | { readonly kind: "mode"; readonly path: string; readonly mode: number }
  /** What SQLite's own examination tells of a database. */
  | { readonly kind: "database"; readonly path: string; readonly told: string }
  /** Rows beside the logs that do not open. */
  | { readonly kind: "rows"; readonly table: "marks" | "blocks"; readonly count: number }
  /** A file that somebody put into a room; `room` where that is known. */
  | {
    readonly kind: "file";
    readonly id: Bytes;
    readonly room: RoomState | undefined;
    readonly fault: FileFault;
  };

/** What an examination needs. */
export interface DoctorParts {
  /** Opens, and hashes. */
  readonly provider: Provider;
  /** Is asked for nothing but the key's check of a database that has none yet. */
  readonly entropy: Entropy;
}

/** All that is amiss with the data folder of `place`, as it is found. Rejects where the disk is at fault. */
export async function* examine(place: RestKeyPlace, parts: DoctorParts): AsyncGenerator<Finding> {
  const { dataDir } = place;
  for (const name of [HOST_KEY_FILE, ACCOUNTS_FILE, ROOMS_FILE]) {
    if (!await isThere(`${dataDir}/${name}`)) yield { kind: "absent", path: `${dataDir}/${name}` };
  }
  for (const name of [HOST_KEY_FILE, CERTIFICATE_FILES.key]) yield* examineMode(`${dataDir}/${name}`);
  // To open one makes it where it is not there.
  if (await isThere(`${dataDir}/${ACCOUNTS_FILE}`)) yield* examineAccounts(`${dataDir}/${ACCOUNTS_FILE}`);
  if (await isThere(`${dataDir}/${ROOMS_FILE}`)) yield* examineRooms(place, parts);
}

/** One sentence of what is amiss, safe for a terminal. */
export function findingSentence(finding: Finding): string {
  switch (finding.kind) {
    case "unusable":
      return finding.sentence;
    case "absent":
      return `${visible(finding.path)} is not there.`;
    case "mode":
      return `Others on this machine can reach ${visible(finding.path)} (mode ${octal(finding.mode)}).`;
    case "database":
      return `${visible(finding.path)} is damaged: ${visible(finding.told)}.`;
    case "rows":
      return `${finding.count} rows of ${finding.table} do not open.`;
    case "room":
      return `A room does not open, so that its log cannot be read: row ${finding.number} of ${ROOMS_FILE}.`;
    case "entries":
      return entriesSentence(finding);
    case "file":
      return `File ${finding.id.toHex()} of ${roomWords(finding.room)} ${FILE_FAULTS[finding.fault]}.`;
  }
}

const ENTRY_FAULTS: Readonly<Record<EntryFault, readonly [one: string, many: string]>> = {
  missing: ["is missing", "are missing"],
  closed: ["was altered or put in another's place", "were altered or put in others' places"],
  unchained: ["does not follow on the one before it", "do not follow on the ones before them"],
  content: ["does not say what its author signed", "do not say what their authors signed"],
  withheld: ["says nothing, though nobody had that erased", "say nothing, though nobody had that erased"],
  notErased: ["still says what was to be erased", "still say what was to be erased"],
  time: ["has a time that cannot be right", "have times that cannot be right"],
  id: ["is not found by its id", "are not found by their ids"],
  head: ["is not the last entry that the room knows of", "are not the last entries that the room knows of"],
};

const FILE_FAULTS: Readonly<Record<FileFault, string>> = {
  closed: "is not known any more: its row was altered",
  missing: "is not there",
  size: "has too many octets or too few",
  content: "has other octets than were put there",
};

function entriesSentence({ room, from, to, fault }: Extract<Finding, { readonly kind: "entries" }>): string {
  const [one, many] = ENTRY_FAULTS[fault];
  const where = roomWords(room);
  return from === to
    ? `Entry #${from} of ${where} ${one}.`
    : `Entries #${from} to #${to} of ${where} ${many}.`;
}

function roomWords(room: RoomState | undefined): string {
  if (room === undefined) return "a room that is not known";
  const { form } = room;
  return visible(form.kind === "open" ? form.name : `the conversation of ${form.people.join(" and ")}`);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

async function* examineMode(path: string): AsyncGenerator<Finding> {
  const mode = await sharedModeOf(path);
  if (mode !== undefined) yield { kind: "mode", path, mode };
}

async function* examineAccounts(path: string): AsyncGenerator<Finding> {
  yield* orUnusable(async function* () {
    const database = await DatabaseFile.open(path, ACCOUNTS_FORM);
    try {
      yield* integrity(database, path);
    } finally {
      database.close();
    }
  });
}

async function* examineRooms(place: RestKeyPlace, parts: DoctorParts): AsyncGenerator<Finding> {
  yield* orUnusable(async function* () {
    const file = await openRoomsFile(place, parts);
    try {
      yield* integrity(file.database, `${place.dataDir}/${ROOMS_FILE}`);
      const rows = new LogRows(file.seal, parts.entropy);
      yield* file.database.snapshot((database) => examinedLogs(database, rows, parts.provider));
      const rooms = file.database.read((database) => rows.rooms(database));
      yield* examineMarks(file, rooms);
      yield* examineBlocks(file);
      const folder = `${place.dataDir}/${FILES_FOLDER}`;
      yield* examineFiles(folder, new FileFolder(folder, file, parts), rooms);
    } finally {
      file.database.close();
    }
  });
}

/** What SQLite finds, at most its first hundred faults. Where it meets one that ends its search, the others count still. */
function integrity(database: DatabaseFile, path: string): readonly Finding[] {
  const found: Finding[] = [];
  try {
    database.read((opened) => {
      for (const row of opened.prepare("PRAGMA integrity_check").iterate()) {
        const told = String(row["integrity_check"]).split("\n").filter((line) => !line.startsWith("*** "));
        found.push(
          ...told.flatMap((line): readonly Finding[] =>
            line === "ok" ? [] : [{ kind: "database", path, told: line }]
          ),
        );
      }
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (found.length === 0) found.push({ kind: "unusable", sentence: error.message });
  }
  return found;
}

const MarksRowSchema = v.object({ room: v.number(), person: BlobSchema, sealed: BlobSchema });
const BlocksRowSchema = v.object({ person: BlobSchema, other: BlobSchema, sealed: BlobSchema });

function examineMarks({ database, seal }: RoomsFile, rooms: readonly RoomRow[]): readonly Finding[] {
  const ids = new Map(rooms.map(({ number, room }) => [number, room?.id]));
  const closed = database.read((opened) => opened.prepare("SELECT room, person, sealed FROM marks").all())
    .filter((row) => {
      const { room, person, sealed } = v.parse(MarksRowSchema, row);
      const id = ids.get(room);
      // Of a room that does not open nothing else can be opened, and that was told.
      return id !== undefined && seal.open("marks", concat(id, person), sealed) === undefined;
    });
  return closed.length === 0 ? [] : [{ kind: "rows", table: "marks", count: closed.length }];
}

function examineBlocks({ database, seal }: RoomsFile): readonly Finding[] {
  const closed = database.read((opened) => opened.prepare("SELECT person, other, sealed FROM blocks").all())
    .filter((row) => {
      const { person, other, sealed } = v.parse(BlocksRowSchema, row);
      return seal.open("blocks", concat(person, other), sealed) === undefined;
    });
  return closed.length === 0 ? [] : [{ kind: "rows", table: "blocks", count: closed.length }];
}

async function* examineFiles(
  folder: string,
  files: FileFolder,
  rooms: readonly RoomRow[],
): AsyncGenerator<Finding> {
  const byId = new Map(rooms.flatMap(({ room }) => room === undefined ? [] : [[room.id.toHex(), room]]));
  for (const { id, file } of files.rows()) {
    const fault = file === undefined ? "closed" : await fileFault(files, file);
    // A server that runs may have taken it away meanwhile.
    if (fault !== undefined && files.rows().some((row) => equal(row.id, id))) {
      yield { kind: "file", id, room: file && byId.get(file.room.toHex()), fault };
    }
    yield* examineMode(`${folder}/${id.toHex()}`);
  }
}

/** Of a file that is not whole yet only what was promised of it can be examined. */
async function fileFault(files: FileFolder, file: KeptFile): Promise<FileFault | undefined> {
  const size = await files.sizeOnDisk(file.id);
  if (size === undefined) return "missing";
  if (!file.done) return size < sealedBytes(file.have) ? "size" : undefined;
  if (size !== sealedBytes(file.size)) return "size";
  return await files.isRight(file.id) ? undefined : "content";
}

/** What `work` finds; where a part cannot be used at all, that is what was found. */
async function* orUnusable(work: () => AsyncGenerator<Finding>): AsyncGenerator<Finding> {
  try {
    yield* work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    yield { kind: "unusable", sentence: error.message };
  }
}
