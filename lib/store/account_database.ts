/**
 * The accounts of a server on disk: `accounts.db` in its data folder.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type {
  Account,
  AccountStore,
  BanSubject,
  Invitation,
  Registered,
  ServerBan,
  Standing,
} from "../chat/port.ts";
import { OPAQUE_BYTES } from "../crypto/port.ts";
import { type Handle, HandleSchema } from "../text/handle.ts";
import { skeleton } from "../text/skeleton.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { Keys } from "../wire/message.ts";
import { DatabaseFile, type DatabaseForm } from "./database_file.ts";
import { prepared } from "./prepared.ts";

/** The database's name in the data folder. */
export const ACCOUNTS_FILE = "accounts.db";

/** The store of accounts, on disk. */
export interface AccountDatabase extends AccountStore {
  /** Ends its use; afterwards no other method may be called. */
  close(): void;
}

/**
 * Opens the accounts in the data folder `dataDir`, both made where they are missing. Several programs may have them
 * open at once: each change is one transaction.
 *
 * Throws a {@linkcode Failure}, as each method may, too: `cannotCreate` where folder or file cannot be written, `config`
 * where others can reach the file or a newer release has written it, `data` where it is damaged, `temporary` where
 * another program keeps it locked.
 */
export async function openAccountDatabase(dataDir: string): Promise<AccountDatabase> {
  return new SqliteAccounts(
    await DatabaseFile.open(`${dataDir}/${ACCOUNTS_FILE}`, ACCOUNTS_FORM),
  );
}

/** "SoAc". */
const APPLICATION_ID = 0x536f4163;

/**
 * `names` has every handle that was ever an account's: those of removed accounts stay taken. Skeletons are kept beside
 * handles, so that a later rule of what looks alike can be worked out anew.
 */
const FORMAT_1 = `
  CREATE TABLE names (handle TEXT PRIMARY KEY, skeleton TEXT NOT NULL) STRICT;
  CREATE INDEX names_by_skeleton ON names (skeleton);
  CREATE TABLE accounts (
    handle TEXT PRIMARY KEY REFERENCES names (handle),
    role TEXT NOT NULL,
    standing TEXT NOT NULL,
    registered INTEGER NOT NULL,
    password_record BLOB,
    identity BLOB,
    list BLOB,
    signature BLOB,
    recovery BLOB
  ) STRICT;
  CREATE TABLE invitations (
    code_hash BLOB PRIMARY KEY,
    expires INTEGER NOT NULL,
    uses_left INTEGER NOT NULL CHECK (uses_left > 0),
    handle TEXT
  ) STRICT;
  CREATE TABLE server_secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
`;

/** Bans from the whole server; `kind` is that of a `BanSubject`, `subject` its handle or address group. */
const FORMAT_2 = `
  CREATE TABLE bans (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    reason TEXT,
    PRIMARY KEY (kind, subject)
  ) STRICT;
`;

/** The form of the database. */
export const ACCOUNTS_FORM: DatabaseForm = {
  what: "the accounts",
  applicationId: APPLICATION_ID,
  migrations: [FORMAT_1, FORMAT_2],
};

/** Whether an account is banned: beside its standing, so that a ban that ends enables nobody whom an operator disabled. */
const IS_BANNED = "EXISTS (SELECT 1 FROM bans WHERE kind = 'account' AND subject = accounts.handle)";

const SELECT_ACCOUNTS = `SELECT *, ${IS_BANNED} AS banned FROM accounts`;

const BytesSchema = v.pipe(v.instance(Uint8Array), v.transform((bytes): Bytes => new Uint8Array(bytes)));

const AccountRowSchema = v.object({
  handle: HandleSchema,
  role: v.picklist(["owner", "member"]),
  standing: v.picklist(["active", "disabled"]),
  registered: v.number(),
  password_record: v.nullable(v.pipe(BytesSchema, v.length(OPAQUE_BYTES.registrationRecord))),
  identity: v.nullable(BytesSchema),
  list: v.nullable(BytesSchema),
  signature: v.nullable(BytesSchema),
  recovery: v.nullable(BytesSchema),
  banned: v.number(),
});

const KeysRowSchema = v.object({ identity: BytesSchema, list: BytesSchema, signature: BytesSchema });

const InvitationRowSchema = v.object({
  code_hash: BytesSchema,
  expires: v.number(),
  uses_left: v.number(),
  handle: v.nullable(HandleSchema),
});

const BanRowSchema = v.pipe(
  v.variant("kind", [
    v.object({ kind: v.literal("account"), subject: HandleSchema, ...banColumns() }),
    v.object({ kind: v.literal("address"), subject: v.string(), ...banColumns() }),
  ]),
  v.transform((row): ServerBan => ({
    subject: row.kind === "account"
      ? { kind: "account", handle: row.subject }
      : { kind: "address", group: row.subject },
    since: row.since,
    until: row.until ?? undefined,
    reason: row.reason ?? undefined,
  })),
);

const SecretRowSchema = v.object({ value: BytesSchema });

/** Under this name the OPAQUE setup is kept. */
const OPAQUE_SETUP = "opaque setup";

class SqliteAccounts implements AccountDatabase {
  readonly #file: DatabaseFile;

  constructor(file: DatabaseFile) {
    this.#file = file;
  }

  find(handle: Handle): Promise<Account | undefined> {
    return this.#read((database) => this.#account(database, handle));
  }

  keysNaming(handle: Handle, key: Bytes): Promise<Keys | undefined> {
    return this.#read((database) => {
      const row = prepared(
        database,
        "SELECT identity, list, signature FROM accounts " +
          `WHERE handle = ? AND standing = 'active' AND instr(list, ?) > 0 AND NOT ${IS_BANNED}`,
      ).get(handle, key);
      return row === undefined ? undefined : this.#parsed(KeysRowSchema, row);
    });
  }

  isTaken(handle: Handle): Promise<boolean> {
    return this.#read((database) => isTaken(database, handle));
  }

  list(): Promise<readonly Account[]> {
    return this.#read((database) =>
      prepared(database, `${SELECT_ACCOUNTS} ORDER BY handle`).all().map((row) => this.#accountIn(row))
    );
  }

  count(): Promise<number> {
    return this.#read(countOf);
  }

  async register(
    account: { readonly handle: Handle; readonly passwordRecord: Bytes; readonly now: number },
    codeHash: Bytes | undefined,
  ): Promise<Registered> {
    const { handle, passwordRecord, now } = account;
    return await this.#change((database) => {
      const invitation = codeHash === undefined ? undefined : this.#invitation(database, codeHash, now);
      const isInvited = invitation !== undefined &&
        (invitation.handle === undefined || invitation.handle === handle);
      if (codeHash !== undefined && !isInvited) return { kind: "badInvitation" };
      const old = this.#account(database, handle);
      const isReset = old !== undefined && old.passwordRecord === undefined && invitation?.handle === handle;
      if (!isReset && isTaken(database, handle)) return { kind: "nameTaken" };
      if (invitation !== undefined) useUp(database, invitation);
      prepared(database, "DELETE FROM invitations WHERE expires <= ?").run(now);
      if (isReset) setRecord(database, handle, passwordRecord);
      else insert(database, account);
      const made = this.#account(database, handle);
      if (made === undefined) throw this.#file.damaged();
      return { kind: "registered", account: made };
    });
  }

  async setPasswordRecord(
    handle: Handle,
    record: Bytes | undefined,
    only?: { readonly expected: Bytes | undefined },
  ): Promise<boolean> {
    const isSet = await this.#change((database) => {
      const stored = this.#account(database, handle)?.passwordRecord;
      if (only !== undefined && !areSameOctets(stored, only.expected)) return false;
      return setRecord(database, handle, record);
    });
    if (isSet) this.#file.forgetOld();
    return isSet;
  }

  async setKeys(
    handle: Handle,
    { keys, expected, recovery }: {
      readonly keys: Keys;
      readonly expected: Keys | undefined;
      readonly recovery: Bytes | undefined;
    },
  ): Promise<boolean> {
    const isSet = await this.#change((database) => {
      const account = this.#account(database, handle);
      if (account === undefined || !areSame(account.keys, expected)) return false;
      const { identity, list, signature } = keys;
      prepared(database, "UPDATE accounts SET identity = ?, list = ?, signature = ? WHERE handle = ?")
        .run(identity, list, signature, handle);
      if (recovery === undefined) return true;
      prepared(database, "UPDATE accounts SET recovery = ? WHERE handle = ?").run(recovery, handle);
      return true;
    });
    // A replaced blob holds an identity key under a code that somebody may know.
    if (isSet && recovery !== undefined) this.#file.forgetOld();
    return isSet;
  }

  setStanding(handle: Handle, standing: Standing): Promise<boolean> {
    return this.#change((database) => {
      // An account that is let in again is not banned any more.
      if (standing === "active") liftBan(database, { kind: "account", handle });
      return prepared(database, "UPDATE accounts SET standing = ? WHERE handle = ?").run(standing, handle)
        .changes > 0;
    });
  }

  setBan({ subject, since, until, reason }: ServerBan): Promise<boolean> {
    return this.#change((database) => {
      if (subject.kind === "account" && this.#account(database, subject.handle) === undefined) return false;
      prepared(
        database,
        "INSERT OR REPLACE INTO bans (kind, subject, since, until, reason) VALUES (?, ?, ?, ?, ?)",
      ).run(subject.kind, nameOf(subject), since, until ?? null, reason ?? null);
      return true;
    });
  }

  liftBan(subject: BanSubject): Promise<boolean> {
    return this.#change((database) => liftBan(database, subject));
  }

  bans(): Promise<readonly ServerBan[]> {
    return this.#read((database) => this.#bans(database));
  }

  liftExpiredBans(now: number): Promise<void> {
    return this.#change((database) => {
      for (const { subject, until } of this.#bans(database)) {
        if (until !== undefined && until <= now) liftBan(database, subject);
      }
    });
  }

  async remove(handle: Handle): Promise<boolean> {
    const wasThere = await this.#change((database) => {
      prepared(database, "DELETE FROM bans WHERE kind = 'account' AND subject = ?").run(handle);
      prepared(database, "DELETE FROM invitations WHERE handle = ?").run(handle);
      return prepared(database, "DELETE FROM accounts WHERE handle = ?").run(handle).changes > 0;
    });
    this.#file.forgetOld();
    return wasThere;
  }

  addInvitation({ codeHash, expires, usesLeft, handle }: Invitation): Promise<void> {
    return this.#change((database) => {
      // The last one for a person counts: whoever asks for another has lost the one before, maybe to a stranger.
      if (handle !== undefined) prepared(database, "DELETE FROM invitations WHERE handle = ?").run(handle);
      prepared(
        database,
        "INSERT INTO invitations (code_hash, expires, uses_left, handle) VALUES (?, ?, ?, ?)",
      )
        .run(codeHash, expires, usesLeft, handle ?? null);
    });
  }

  findInvitation(codeHash: Bytes, now: number): Promise<Invitation | undefined> {
    return this.#read((database) => this.#invitation(database, codeHash, now));
  }

  async opaqueSetup(make: () => Promise<Bytes>): Promise<Bytes> {
    const kept = await this.#read((database) => this.#opaqueSetup(database));
    if (kept !== undefined) return kept;
    const made = await make();
    return await this.#change((database) => {
      // Another program may have been faster; all take the one that is there.
      const found = this.#opaqueSetup(database);
      if (found !== undefined) return found;
      prepared(database, "INSERT INTO server_secrets (name, value) VALUES (?, ?)").run(OPAQUE_SETUP, made);
      return made;
    });
  }

  close(): void {
    this.#file.close();
  }

  /** The work is done before this returns: calls take effect in their order. */
  #read<Value>(work: (database: DatabaseSync) => Value): Promise<Value> {
    return new Promise((resolve) => resolve(this.#file.read(work)));
  }

  #change<Value>(work: (database: DatabaseSync) => Value): Promise<Value> {
    return new Promise((resolve) => resolve(this.#file.change(work)));
  }

  #account(database: DatabaseSync, handle: Handle): Account | undefined {
    const row = prepared(database, `${SELECT_ACCOUNTS} WHERE handle = ?`).get(handle);
    return row === undefined ? undefined : this.#accountIn(row);
  }

  #accountIn(row: unknown): Account {
    const parsed = this.#parsed(AccountRowSchema, row);
    const { handle, role, registered, password_record, identity, list, signature, recovery } = parsed;
    return {
      handle,
      role,
      standing: parsed.banned === 1 ? "disabled" : parsed.standing,
      registered,
      passwordRecord: password_record ?? undefined,
      keys: identity === null || list === null || signature === null
        ? undefined
        : { identity, list, signature },
      recovery: recovery ?? undefined,
    };
  }

  #invitation(database: DatabaseSync, codeHash: Bytes, now: number): Invitation | undefined {
    const row = prepared(database, "SELECT * FROM invitations WHERE code_hash = ? AND expires > ?")
      .get(codeHash, now);
    if (row === undefined) return undefined;
    const { code_hash, expires, uses_left, handle } = this.#parsed(InvitationRowSchema, row);
    return { codeHash: code_hash, expires, usesLeft: uses_left, handle: handle ?? undefined };
  }

  #bans(database: DatabaseSync): readonly ServerBan[] {
    return prepared(database, "SELECT * FROM bans ORDER BY since, kind, subject").all()
      .map((row) => this.#parsed(BanRowSchema, row));
  }

  #opaqueSetup(database: DatabaseSync): Bytes | undefined {
    const row = prepared(database, "SELECT value FROM server_secrets WHERE name = ?").get(OPAQUE_SETUP);
    return row === undefined ? undefined : this.#parsed(SecretRowSchema, row).value;
  }

  #parsed<Schema extends v.GenericSchema>(schema: Schema, row: unknown): v.InferOutput<Schema> {
    const parsed = v.safeParse(schema, row);
    if (parsed.success) return parsed.output;
    throw this.#file.damaged();
  }
}

function banColumns() {
  return { since: v.number(), until: v.nullable(v.number()), reason: v.nullable(v.string()) };
}

function nameOf(subject: BanSubject): string {
  return subject.kind === "account" ? subject.handle : subject.group;
}

function liftBan(database: DatabaseSync, subject: BanSubject): boolean {
  return prepared(database, "DELETE FROM bans WHERE kind = ? AND subject = ?")
    .run(subject.kind, nameOf(subject)).changes > 0;
}

function countOf(database: DatabaseSync): number {
  return Number(prepared(database, "SELECT count(*) AS count FROM accounts").get()?.["count"]);
}

function isTaken(database: DatabaseSync, handle: Handle): boolean {
  return prepared(database, "SELECT 1 FROM names WHERE skeleton = ?").get(skeleton(handle)) !== undefined;
}

function insert(
  database: DatabaseSync,
  { handle, passwordRecord, now }: {
    readonly handle: Handle;
    readonly passwordRecord: Bytes;
    readonly now: number;
  },
): void {
  const role = countOf(database) === 0 ? "owner" : "member";
  prepared(database, "INSERT INTO names (handle, skeleton) VALUES (?, ?)").run(handle, skeleton(handle));
  prepared(
    database,
    "INSERT INTO accounts (handle, role, standing, registered, password_record) VALUES (?, ?, 'active', ?, ?)",
  ).run(handle, role, now, passwordRecord);
}

function setRecord(database: DatabaseSync, handle: Handle, record: Bytes | undefined): boolean {
  return prepared(database, "UPDATE accounts SET password_record = ? WHERE handle = ?")
    .run(record ?? null, handle).changes > 0;
}

function useUp(database: DatabaseSync, { codeHash, usesLeft }: Invitation): void {
  if (usesLeft === 1) prepared(database, "DELETE FROM invitations WHERE code_hash = ?").run(codeHash);
  else {prepared(database, "UPDATE invitations SET uses_left = uses_left - 1 WHERE code_hash = ?").run(
      codeHash,
    );}
}

function areSameOctets(stored: Bytes | undefined, expected: Bytes | undefined): boolean {
  return stored === undefined || expected === undefined ? stored === expected : equal(stored, expected);
}

function areSame(stored: Keys | undefined, expected: Keys | undefined): boolean {
  if (stored === undefined || expected === undefined) return stored === expected;
  return equal(stored.identity, expected.identity) && equal(stored.list, expected.list) &&
    equal(stored.signature, expected.signature);
}
