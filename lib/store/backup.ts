/**
 * Copies of a data folder, made while a server runs on it, and put back where there is none. A backup is a data folder
 * itself, whose rooms know that they came out of one; `backup.json` comes last, so that a backup that was cut is known.
 *
 * Rooms are copied first, then accounts: whoever has signed an entry has an account in the copy. Files come last, and
 * what was taken away meanwhile is taken out of the copy, too. What was not acknowledged before, and files that are not
 * whole, are in none.
 *
 * @module
 */

import { backup, type DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { utf8, utf8Text } from "../wire/bytes.ts";
import { ACCOUNTS_FILE, ACCOUNTS_FORM } from "./account_database.ts";
import { CERTIFICATE_FILE_BYTES_MAX, CERTIFICATE_FILES } from "./certificate_file.ts";
import { DatabaseFile } from "./database_file.ts";
import { FILES_FOLDER } from "./file_folder.ts";
import { isMissing, orFailure } from "./file_failure.ts";
import { HOST_KEY_FILE } from "./host_key_file.ts";
import {
  isThere,
  makePrivateFolder,
  namesIn,
  placePrivateFile,
  readPrivateFileIfThere,
  syncFolder,
} from "./private_file.ts";
import { REST_KEY_FILE } from "./rest_key_file.ts";
import { BlobSchema, ROOMS_FILE, ROOMS_FORM } from "./rooms_file.ts";

/** What tells a whole backup: its name in the folder. */
export const BACKUP_FILE = "backup.json";

/** In here things are put back before they have their names: it is there only while that is going on. */
export const RESTORING_FOLDER = "restoring";

/** Longest {@linkcode BACKUP_FILE} read. */
const BACKUP_FILE_BYTES_MAX = 4_096;

/** What a backup holds. */
export interface Backup {
  /** When it was made, in milliseconds since 1970. */
  readonly made: number;
  /** Whether the key that opens its rooms is in it; otherwise whoever restores it needs that, too. */
  readonly restKey: "inside" | "elsewhere";
  /** How many accounts. */
  readonly accounts: number;
  /** How many rooms. */
  readonly rooms: number;
  /** How many files that people put into rooms. */
  readonly files: number;
}

const BackupSchema = v.object({
  format: v.literal(1),
  made: v.number(),
  restKey: v.picklist(["inside", "elsewhere"]),
  accounts: v.number(),
  rooms: v.number(),
  files: v.number(),
});

/** What was put back. */
export interface Restored extends Backup {
  /** The names of what the backup once held and does not hold any more. `files` counts what is there. */
  readonly missing: readonly string[];
}

/** Small files of a data folder. What is not there is not copied. */
const SECRETS = [HOST_KEY_FILE, REST_KEY_FILE, CERTIFICATE_FILES.key, CERTIFICATE_FILES.certificate] as const;

/**
 * Copies the data folder `dataDir` to the folder `to`, which is made where it is missing. A server may run on it.
 *
 * Throws a {@linkcode Failure}: `noInput` where there is no server's data, `cannotCreate` where `to` holds something or
 * cannot be written; as {@linkcode DatabaseFile.open} for what is to be copied. Nothing is left in `to` then.
 */
export async function makeBackup(
  { dataDir, to, now }: { readonly dataDir: string; readonly to: string; readonly now: number },
): Promise<Backup> {
  const cannot = `Cannot make a backup in ${visible(to)}`;
  for (const name of [HOST_KEY_FILE, ACCOUNTS_FILE, ROOMS_FILE]) {
    if (await isThere(`${dataDir}/${name}`)) continue;
    throw new Failure(
      "noInput",
      `Cannot back up ${visible(dataDir)}: it has no ${name}; start a server there once, or give --data-dir.`,
    );
  }
  return await intoEmpty(to, cannot, async () => {
    const { rooms, files } = await copyRooms(dataDir, to);
    const accounts = await copyAccounts(dataDir, to);
    await copySecrets(dataDir, to);
    const restKey = await isThere(`${to}/${REST_KEY_FILE}`) ? "inside" : "elsewhere";
    const backup: Backup = { made: now, restKey, accounts, rooms, files };
    const text = `${JSON.stringify({ format: 1, ...backup }, undefined, 2)}\n`;
    await placePrivateFile(`${to}/${BACKUP_FILE}`, utf8(text));
    return backup;
  });
}

/**
 * Puts the backup in the folder `from` into the data folder `dataDir`, which is made where it is missing. The server that
 * starts there tells all rooms (see `restored` of room_store.ts).
 *
 * What a server can do without for a while, the key of the rooms and files that people have put there, is told where it is
 * missing. Throws a {@linkcode Failure}: `noInput` where `from` is no whole backup, `data` where it is damaged, `cannotCreate`
 * where `dataDir` holds something or cannot be written. Nothing is left in `dataDir` then.
 */
export async function restoreBackup(
  { from, dataDir }: { readonly from: string; readonly dataDir: string },
): Promise<Restored> {
  const backup = await readBackup(from);
  if (!await isThere(`${from}/${HOST_KEY_FILE}`)) throw notWhole(from, `has no ${HOST_KEY_FILE}`);
  return await intoEmpty(dataDir, `Cannot restore to ${visible(dataDir)}`, async () => {
    const staged = `${dataDir}/${RESTORING_FOLDER}`;
    await makePrivateFolder(`${staged}/${FILES_FOLDER}`);
    for (const name of [ROOMS_FILE, ACCOUNTS_FILE]) await copyFile(`${from}/${name}`, `${staged}/${name}`);
    await requireWhole(staged);
    const { files, missing } = await copyBackFiles(from, staged);
    await copySecrets(from, staged);
    if (backup.restKey === "inside" && !await isThere(`${staged}/${REST_KEY_FILE}`)) {
      missing.unshift(REST_KEY_FILE);
    }
    await syncFolder(`${staged}/${FILES_FOLDER}`);
    await syncFolder(staged);
    for (const name of await namesIn(staged)) await Deno.rename(`${staged}/${name}`, `${dataDir}/${name}`);
    await Deno.remove(staged);
    await syncFolder(dataDir);
    return { ...backup, files, missing };
  });
}

/** Throws a {@linkcode Failure} where a restore into the data folder was cut. */
export async function refuseHalfRestored(dataDir: string): Promise<void> {
  if (!await isThere(`${dataDir}/${RESTORING_FOLDER}`)) return;
  throw new Failure(
    "data",
    `Cannot use the data folder ${visible(dataDir)}: a restore into it was cut; empty it and restore again.`,
  );
}

async function readBackup(from: string): Promise<Backup> {
  const path = `${from}/${BACKUP_FILE}`;
  const found = await orFailure(() => readPrivateFileIfThere(path, BACKUP_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot: `Cannot read the backup ${visible(from)}`,
    remedy: "name a folder that you can read",
  });
  const parsed = v.safeParse(BackupSchema, parsedJson(utf8Text(found?.octets ?? utf8("")) ?? ""));
  if (parsed.success) {
    const { format: _, ...backup } = parsed.output;
    return backup;
  }
  const why = found === undefined ? `has no ${BACKUP_FILE}` : `has a ${BACKUP_FILE} of another kind`;
  throw notWhole(from, why);
}

function notWhole(from: string, why: string): Failure {
  return new Failure(
    "noInput",
    `Cannot restore ${visible(from)}: it is no whole backup, since it ${why}; name the folder of another.`,
  );
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lets `work` fill a folder that is empty; where it fails, the folder is so again. */
async function intoEmpty<Value>(folder: string, cannot: string, work: () => Promise<Value>): Promise<Value> {
  const refusal = { exit: "cannotCreate", cannot, remedy: "name another folder" } as const;
  const names = await orFailure(async () => {
    await makePrivateFolder(folder);
    return await namesIn(folder);
  }, refusal);
  if (names.length > 0) {
    throw new Failure("cannotCreate", `${cannot}: the folder is not empty; name an empty one, or a new one.`);
  }
  try {
    return await orFailure(work, refusal);
  } catch (error) {
    for (const name of await namesIn(folder)) await Deno.remove(`${folder}/${name}`, { recursive: true });
    throw error;
  }
}

async function copyAccounts(dataDir: string, to: string): Promise<number> {
  await copyDatabase(
    await DatabaseFile.open(`${dataDir}/${ACCOUNTS_FILE}`, ACCOUNTS_FORM),
    `${to}/${ACCOUNTS_FILE}`,
  );
  const accounts = await DatabaseFile.open(`${to}/${ACCOUNTS_FILE}`, ACCOUNTS_FORM);
  try {
    return accounts.read((database) => count(database, "accounts"));
  } finally {
    await closed(accounts, `${to}/${ACCOUNTS_FILE}`);
  }
}

async function copyRooms(
  dataDir: string,
  to: string,
): Promise<{ readonly rooms: number; readonly files: number }> {
  await copyDatabase(await DatabaseFile.open(`${dataDir}/${ROOMS_FILE}`, ROOMS_FORM), `${to}/${ROOMS_FILE}`);
  const rooms = await DatabaseFile.open(`${to}/${ROOMS_FILE}`, ROOMS_FORM);
  try {
    rooms.change((database) => {
      database.exec("UPDATE rooms SET restored = coalesce(restored, head)");
      database.exec("DELETE FROM files WHERE done = 0");
    });
    await copyFiles(rooms, { from: `${dataDir}/${FILES_FOLDER}`, to: `${to}/${FILES_FOLDER}` });
    return rooms.read((database) => ({ rooms: count(database, "rooms"), files: count(database, "files") }));
  } finally {
    await closed(rooms, `${to}/${ROOMS_FILE}`);
  }
}

/** The octets of the files in a copied database; those that are no longer there are taken out of it. */
async function copyFiles(
  rooms: DatabaseFile,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await makePrivateFolder(to);
  const rows = rooms.read((database) => database.prepare("SELECT number, id FROM files").all());
  for (const row of rows) {
    const { number, id } = v.parse(FileRowSchema, row);
    const isCopied = await copyFileIfThere(`${from}/${id.toHex()}`, `${to}/${id.toHex()}`);
    if (!isCopied) {
      rooms.change((database) => database.prepare("DELETE FROM files WHERE number = ?").run(number));
    }
  }
  await syncFolder(to);
}

/** The files that the rooms in `to` know of, and the names of those that `from` does not have. */
async function copyBackFiles(
  from: string,
  to: string,
): Promise<{ readonly files: number; readonly missing: string[] }> {
  const { grows: _, ...whole } = ROOMS_FORM;
  const path = `${to}/${ROOMS_FILE}`;
  const rooms = await DatabaseFile.open(path, whole);
  const missing: string[] = [];
  let files = 0;
  try {
    for (const row of rooms.read((database) => database.prepare("SELECT number, id FROM files").all())) {
      const name = `${FILES_FOLDER}/${v.parse(FileRowSchema, row).id.toHex()}`;
      if (await copyFileIfThere(`${from}/${name}`, `${to}/${name}`)) files++;
      else missing.push(name);
    }
  } finally {
    await closed(rooms, path);
  }
  return { files, missing };
}

const FileRowSchema = v.object({ number: v.number(), id: BlobSchema });

/**
 * All pages in one step, which is one reading: in several it would begin anew whenever somebody has written meanwhile.
 * `VACUUM INTO`, which would leave out what is unused, is closed to programs whose permissions have limits.
 */
const ALL_PAGES = 2_147_483_647;

/** As it is at one moment, whoever writes meanwhile; what was deleted is overwritten in the copy as it is in the file. */
async function copyDatabase(database: DatabaseFile, to: string): Promise<void> {
  try {
    // SQLite would make it with whatever mode the process's umask leaves.
    await placePrivateFile(to, new Uint8Array(0));
    await database.read((opened) => backup(opened, to, { rate: ALL_PAGES }));
  } finally {
    database.close();
  }
  await sync(to);
}

/** Closes a copy, all of it on the disk, and takes away what only programs that open it at once need. */
async function closed(database: DatabaseFile, path: string): Promise<void> {
  database.close();
  await sync(path);
  await Deno.remove(`${path}.lock`);
}

async function copySecrets(from: string, to: string): Promise<void> {
  for (const name of SECRETS) {
    const file = await readPrivateFileIfThere(`${from}/${name}`, CERTIFICATE_FILE_BYTES_MAX);
    if (file !== undefined) await placePrivateFile(`${to}/${name}`, file.octets);
  }
}

async function copyFileIfThere(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function copyFile(from: string, to: string): Promise<void> {
  await Deno.copyFile(from, to);
  // The backup may have lain on a disk without modes.
  if (Deno.build.os !== "windows") await Deno.chmod(to, 0o600);
  await sync(to);
}

async function sync(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.sync();
}

/** Opens the databases that were put back, which checks all of them, before anything has its name. */
async function requireWhole(folder: string): Promise<void> {
  const { grows: _, ...whole } = ROOMS_FORM;
  for (const [name, form] of [[ROOMS_FILE, whole], [ACCOUNTS_FILE, ACCOUNTS_FORM]] as const) {
    const path = `${folder}/${name}`;
    await closed(await DatabaseFile.open(path, form), path);
  }
}

function count(database: DatabaseSync, table: "accounts" | "rooms" | "files"): number {
  return Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"]);
}
