/**
 * A database of SQLite in a file that only its owner may read: opened, checked and brought to the newest format, and
 * every refusal told in a sentence.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { orFailure } from "./file_failure.ts";
import { folderOf, lockBeside, placePrivateFile, sharedModeOf } from "./private_file.ts";

/**
 * How long a change waits for another program's. The thread stands still meanwhile, and so does the server; whoever
 * changes something holds the lock for the milliseconds that a disk takes.
 */
export const LOCKED_MS_MAX = 2_000;

/** What a program expects of its database file. */
export interface DatabaseForm {
  /** What it holds, to follow "Cannot use": "the accounts". */
  readonly what: string;
  /** Tells our file from another program's: a 32-bit number in its header. */
  readonly applicationId: number;
  /** The steps of SQL from an empty file to the newest format; the format's number is how many were taken. */
  readonly migrations: readonly string[];
  /**
   * That it grows as long as it is used: opening it does not read all of it then, and damage shows where it is met, or
   * when the whole is examined (lib/store/doctor.ts).
   */
  readonly grows?: true;
  /** How a person chooses another folder, to follow that; without it, a server's: "with --data-dir". */
  readonly elsewhere?: string;
  /** What can be done about a damaged file besides putting back a copy of it, to follow that. */
  readonly orElse?: string;
}

/** Why a damaged file cannot be used, and what to do. */
const DAMAGED = "the file is damaged; put back your copy of it";

/** Stands in a sentence for {@linkcode DatabaseForm.elsewhere}. */
const ELSEWHERE = "ELSEWHERE";

/** An open database. Its methods throw a {@linkcode Failure} where the file or another program is in the way. */
export class DatabaseFile {
  readonly #cannot: string;
  readonly #form: DatabaseForm;
  readonly #database: DatabaseSync;
  /** Whether something that is to be forgotten may still be in the log beside the file. */
  #mustForget = false;

  private constructor(path: string, cannot: string, form: DatabaseForm) {
    this.#cannot = cannot;
    this.#form = form;
    try {
      this.#database = new DatabaseSync(path);
    } catch (error) {
      throw explained(error, cannot, form);
    }
  }

  /**
   * Opens the database in `path`, and makes it where there is none: mode 0600, as SQLite's own files beside it are, in
   * a folder of mode 0700. Of programs that open it at once one brings it to the newest format.
   *
   * Throws a {@linkcode Failure}: `cannotCreate` where file or folder cannot be made or written, `config` where others
   * can reach the file or a newer release has written it, `data` where it is damaged or another program's, `temporary`
   * where another program keeps it locked.
   */
  static async open(path: string, form: DatabaseForm): Promise<DatabaseFile> {
    using _lock = await orFailure(() => openingLock(path), {
      exit: "cannotCreate",
      cannot: `Cannot write to the data folder ${visible(folderOf(path))}`,
      remedy: `choose another ${elsewhereIn(form)}`,
    });
    const cannot = `Cannot use ${form.what} in ${visible(path)}`;
    await refuseShared(path, cannot);
    const file = new DatabaseFile(path, cannot, form);
    try {
      file.#prepare(form);
      // Whoever had it open may have died after a change, and before what that took away was cleared.
      file.forgetOld();
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  }

  /** What `work` gives; each of its statements finds the database as it is at one moment. */
  read<Value>(work: (database: DatabaseSync) => Value): Value {
    try {
      return work(this.#database);
    } catch (error) {
      throw explained(error, this.#cannot, this.#form);
    }
  }

  /** As {@linkcode DatabaseFile.read}, of the database as it is at one moment, however much `work` reads. */
  snapshot<Value>(work: (database: DatabaseSync) => Value): Value {
    return this.read((database) => {
      database.exec("BEGIN");
      try {
        return work(database);
      } finally {
        database.exec("COMMIT");
      }
    });
  }

  /**
   * As {@linkcode DatabaseFile.change}, but on the disk only with the next one: a program that dies loses none of it, a
   * machine that does may. For what is read or sent anew where it is lost.
   */
  changeSoon<Value>(work: (database: DatabaseSync) => Value): Value {
    this.read((database) => database.exec("PRAGMA synchronous = NORMAL"));
    try {
      return this.change(work);
    } finally {
      this.read((database) => database.exec("PRAGMA synchronous = FULL"));
    }
  }

  /**
   * What `work` gives, all its changes done and on the disk, or none of them. Nobody else changes anything from its
   * first reading on.
   */
  change<Value>(work: (database: DatabaseSync) => Value): Value {
    const value = this.read((database) => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const value = work(database);
        database.exec("COMMIT");
        return value;
      } catch (error) {
        // A full disk makes SQLite roll back by itself.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
    if (this.#mustForget) this.#forget();
    return value;
  }

  /** Has all that was done soon on the disk: SQLite syncs its log before it writes from that into the file. */
  flush(): void {
    this.read((database) => database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get());
  }

  /**
   * Clears what was deleted or replaced out of the log beside the file, too. Where another program reads at that moment,
   * or the disk is at fault, that is not waited for: it is tried again with every change, and done at the latest when the
   * last program closes.
   */
  forgetOld(): void {
    this.#mustForget = true;
    this.#forget();
  }

  /** The Failure of a row that this program would not have written. */
  damaged(): Failure {
    return new Failure("data", `${this.#cannot}: ${damageIn(this.#form)}.`);
  }

  /** Ends its use. */
  close(): void {
    this.#database.close();
  }

  #forget(): void {
    const database = this.#database;
    try {
      database.exec("PRAGMA busy_timeout = 0");
      this.#mustForget = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] !== 0;
    } catch {
      // What was changed is changed, and whoever asked for it must not hear otherwise.
    } finally {
      database.exec(`PRAGMA busy_timeout = ${LOCKED_MS_MAX}`);
    }
  }

  #prepare({ applicationId, migrations, grows }: DatabaseForm): void {
    const format = this.read((database) => {
      database.exec(`PRAGMA busy_timeout = ${LOCKED_MS_MAX}`);
      // Asked before anything is changed: another program's file stays as it is.
      this.#refuseForeign(database, applicationId);
      const format = integerOf(database, "user_version");
      if (format > migrations.length) throw this.#newer(format);
      for (const setting of SETTINGS) database.exec(`PRAGMA ${setting}`);
      const isWhole = grows === true ||
        database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] === "ok";
      if (!isWhole) throw this.damaged();
      return format;
    });
    if (format === migrations.length) return;
    this.change((database) => {
      for (const step of migrations.slice(format)) database.exec(step);
      database.exec(`PRAGMA application_id = ${applicationId}`);
      database.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  }

  #refuseForeign(database: DatabaseSync, applicationId: number): void {
    const isNew = integerOf(database, "schema_version") === 0;
    if (isNew || integerOf(database, "application_id") === applicationId) return;
    throw new Failure(
      "data",
      `${this.#cannot}: the file is another program's; move it away, or choose another folder ` +
        `${elsewhereIn(this.#form)}.`,
    );
  }

  #newer(format: number): Failure {
    return new Failure(
      "config",
      `${this.#cannot}: a newer release wrote it (format ${format}); run that one.`,
    );
  }
}

/** How every database is kept, whatever the defaults of this SQLite are. */
const SETTINGS = [
  // Readers go on while somebody writes, and a crash loses nothing that was told to be done.
  "journal_mode = WAL",
  "synchronous = FULL",
  // What is deleted is overwritten in the file.
  "secure_delete = ON",
  "temp_store = MEMORY",
  "foreign_keys = ON",
  "trusted_schema = OFF",
] as const;

/** What SQLite says, by the beginning of its message (errors of `exec` carry no number), and what it means. */
const REFUSALS: readonly (readonly [RegExp, Failure["exit"], string])[] = [
  [/locked/, "temporary", "another program keeps it locked; end that one, or try again"],
  [/not a database|malformed|corrupt/, "data", DAMAGED],
  [/full/, "cannotCreate", "the disk is full; make room"],
  [
    /readonly|unable to open|I\/O error/,
    "cannotCreate",
    `it cannot be written; make the file and its folder writable, or choose another folder ${ELSEWHERE}`,
  ],
];

/**
 * The lock under which programs open the file: each finds a whole database or none, and what it reads of the format is
 * still true when it acts on it. Besides, SQLite does not wait for others where the log is introduced.
 */
async function openingLock(path: string): Promise<Deno.FsFile> {
  const lock = await lockBeside(path);
  // Before SQLite opens it: that would make it with whatever mode the process's umask leaves.
  await placePrivateFile(path, new Uint8Array(0));
  return lock;
}

/** SQLite gives its own files the mode of the database; after a crash and a `chmod` they may have another. */
async function refuseShared(path: string, cannot: string): Promise<void> {
  for (const each of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = await sharedModeOf(each);
    if (mode === undefined) continue;
    const told = `others on this machine can reach it (mode ${mode.toString(8).padStart(4, "0")})`;
    throw new Failure("config", `${cannot}: ${told}; run: chmod 600 ${visible(each)}`);
  }
}

/** The sentence for what SQLite threw; what it does not explain is a fault of this program, and passes. */
function explained(error: unknown, cannot: string, form: DatabaseForm): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return error;
  const [, exit, why] = REFUSALS.find(([pattern]) => pattern.test(error.message)) ?? [];
  if (exit === undefined) return error;
  const told = why === DAMAGED ? damageIn(form) : why?.replace(ELSEWHERE, elsewhereIn(form));
  return new Failure(exit, `${cannot}: ${told}.`, { cause: error });
}

function elsewhereIn({ elsewhere = "with --data-dir" }: DatabaseForm): string {
  return elsewhere;
}

function damageIn({ orElse }: DatabaseForm): string {
  return orElse === undefined ? DAMAGED : `${DAMAGED}, or ${orElse}`;
}

function integerOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
