/**
 * Accounts in memory, for tests of those who use them: a test may have any method wait, before it looks or before it
 * tells what it saw, as a slow database would.
 *
 * @module
 */

import type {
  Account,
  AccountStore,
  BanSubject,
  Invitation,
  Registered,
  ServerBan,
  Standing,
} from "../../lib/chat/port.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { skeleton } from "../../lib/text/skeleton.ts";
import { type Bytes, equal } from "../../lib/wire/bytes.ts";
import type { Keys } from "../../lib/wire/message.ts";

/** Accounts that end with the test. */
export class MemoryAccounts implements AccountStore {
  /** Waited for before a method looks. */
  before: (method: keyof AccountStore) => Promise<void> | void = () => {};
  /** Waited for before a method tells what it saw or did. */
  after: (method: keyof AccountStore) => Promise<void> | void = () => {};

  readonly #accounts = new Map<Handle, Account>();
  readonly #taken = new Set<string>();
  readonly #invitations: Invitation[] = [];
  readonly #bans = new Map<string, ServerBan>();
  #setup: Promise<Bytes> | undefined;

  /** See {@linkcode AccountStore}. */
  find(handle: Handle): Promise<Account | undefined> {
    return this.#do("find", () => this.#seen(this.#accounts.get(handle)));
  }

  /** See {@linkcode AccountStore}. */
  keysNaming(handle: Handle, key: Bytes): Promise<Keys | undefined> {
    return this.#do("keysNaming", () => {
      const account = this.#seen(this.#accounts.get(handle));
      return account?.standing === "active" && account.keys?.list.toHex().includes(key.toHex()) === true
        ? account.keys
        : undefined;
    });
  }

  /** See {@linkcode AccountStore}. */
  isTaken(handle: Handle): Promise<boolean> {
    return this.#do("isTaken", () => this.#taken.has(skeleton(handle)));
  }

  /** See {@linkcode AccountStore}. */
  list(): Promise<readonly Account[]> {
    return this.#do(
      "list",
      () => Array.from(this.#accounts.values(), (account) => this.#seen(account) ?? account),
    );
  }

  /** See {@linkcode AccountStore}. */
  count(): Promise<number> {
    return this.#do("count", () => this.#accounts.size);
  }

  /** See {@linkcode AccountStore}. */
  register(
    { handle, passwordRecord, now }: {
      readonly handle: Handle;
      readonly passwordRecord: Bytes;
      readonly now: number;
    },
    codeHash: Bytes | undefined,
  ): Promise<Registered> {
    return this.#do("register", () => {
      const invitation = codeHash && this.#invitation(codeHash, now);
      if (codeHash !== undefined && invitation === undefined) return { kind: "badInvitation" };
      if (this.#taken.has(skeleton(handle))) return { kind: "nameTaken" };
      if (invitation !== undefined) this.#invitations.splice(this.#invitations.indexOf(invitation), 1);
      const account: Account = {
        handle,
        role: this.#accounts.size === 0 ? "owner" : "member",
        standing: "active",
        registered: now,
        passwordRecord,
        keys: undefined,
        recovery: undefined,
      };
      this.#accounts.set(handle, account);
      this.#taken.add(skeleton(handle));
      return { kind: "registered", account };
    });
  }

  /** See {@linkcode AccountStore}. */
  setPasswordRecord(
    handle: Handle,
    record: Bytes | undefined,
    only?: { readonly expected: Bytes | undefined },
  ): Promise<boolean> {
    return this.#do("setPasswordRecord", () => {
      const stored = this.#accounts.get(handle)?.passwordRecord;
      const isExpected = only === undefined ||
        (stored === undefined || only.expected === undefined
          ? stored === only.expected
          : equal(stored, only.expected));
      return isExpected && this.#change(handle, { passwordRecord: record });
    });
  }

  /** See {@linkcode AccountStore}. */
  setKeys(
    handle: Handle,
    { keys, expected, recovery }: {
      readonly keys: Keys;
      readonly expected: Keys | undefined;
      readonly recovery: Bytes | undefined;
    },
  ): Promise<boolean> {
    return this.#do("setKeys", () => {
      const stored = this.#accounts.get(handle)?.keys;
      const isExpected = stored === undefined
        ? expected === undefined
        : expected !== undefined && equal(stored.list, expected.list);
      return isExpected && this.#change(handle, recovery === undefined ? { keys } : { keys, recovery });
    });
  }

  /** See {@linkcode AccountStore}. */
  setStanding(handle: Handle, standing: Standing): Promise<boolean> {
    return this.#do("setStanding", () => {
      if (standing === "active") this.#bans.delete(JSON.stringify({ kind: "account", handle }));
      return this.#change(handle, { standing });
    });
  }

  /** See {@linkcode AccountStore}. */
  setBan(ban: ServerBan): Promise<boolean> {
    return this.#do("setBan", () => {
      const { subject } = ban;
      if (subject.kind === "account" && !this.#accounts.has(subject.handle)) return false;
      this.#bans.set(JSON.stringify(subject), ban);
      return true;
    });
  }

  /** See {@linkcode AccountStore}. */
  liftBan(subject: BanSubject): Promise<boolean> {
    return this.#do("liftBan", () => this.#bans.delete(JSON.stringify(subject)));
  }

  /** See {@linkcode AccountStore}. */
  bans(): Promise<readonly ServerBan[]> {
    return this.#do("bans", () => Array.from(this.#bans.values()));
  }

  /** See {@linkcode AccountStore}. */
  liftExpiredBans(now: number): Promise<void> {
    return this.#do("liftExpiredBans", () => {
      for (const { subject, until } of this.#bans.values()) {
        if (until !== undefined && until <= now) this.#bans.delete(JSON.stringify(subject));
      }
    });
  }

  /** See {@linkcode AccountStore}. */
  remove(handle: Handle): Promise<boolean> {
    return this.#do("remove", () => {
      this.#bans.delete(JSON.stringify({ kind: "account", handle }));
      return this.#accounts.delete(handle);
    });
  }

  /** See {@linkcode AccountStore}. */
  addInvitation(invitation: Invitation): Promise<void> {
    return this.#do("addInvitation", () => {
      this.#invitations.push(invitation);
    });
  }

  /** See {@linkcode AccountStore}. */
  findInvitation(codeHash: Bytes, now: number): Promise<Invitation | undefined> {
    return this.#do("findInvitation", () => this.#invitation(codeHash, now));
  }

  /** See {@linkcode AccountStore}. */
  opaqueSetup(make: () => Promise<Bytes>): Promise<Bytes> {
    this.#setup ??= make();
    return this.#setup;
  }

  async #do<Result>(method: keyof AccountStore, act: () => Result): Promise<Result> {
    await this.before(method);
    const result = act();
    await this.after(method);
    return result;
  }

  /** Whoever is banned counts as disabled. */
  #seen(account: Account | undefined): Account | undefined {
    if (account === undefined) return undefined;
    const isBanned = this.#bans.has(JSON.stringify({ kind: "account", handle: account.handle }));
    return isBanned ? { ...account, standing: "disabled" } : account;
  }

  #change(handle: Handle, changes: Partial<Account>): boolean {
    const account = this.#accounts.get(handle);
    if (account === undefined) return false;
    this.#accounts.set(handle, { ...account, ...changes });
    return true;
  }

  #invitation(codeHash: Bytes, now: number): Invitation | undefined {
    return this.#invitations.find((each) => equal(each.codeHash, codeHash) && each.expires > now);
  }
}
