/**
 * What the rules need kept on disk, as an interface: `lib/store` implements it on a database. Every method that
 * changes something settles once that is durable. Times are milliseconds since 1970.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Keys } from "../wire/message.ts";

/** What an account may do: the first account of a server is its owner. */
export type Role = "owner" | "member";

/** Whether an account may log in: not where it is disabled, or banned. */
export type Standing = "active" | "disabled";

/** One person's account. */
export interface Account {
  /** Its name for ever. */
  readonly handle: Handle;
  /** What it may do on this server. */
  readonly role: Role;
  /** Whether it may log in. */
  readonly standing: Standing;
  /** When it registered. */
  readonly registered: number;
  /** OPAQUE's record, 192 octets; `undefined` after `user reset`, when no password fits until a new one is set by invitation. */
  readonly passwordRecord: Bytes | undefined;
  /** Its published keys; `undefined` until the first device has published them. */
  readonly keys: Keys | undefined;
  /** Its identity seed under the recovery code, where it has one. */
  readonly recovery: Bytes | undefined;
}

/** What an invitation allows. The code itself is not kept, its SHA-256 is. */
export interface Invitation {
  /** SHA-256 of the code, 32 octets. */
  readonly codeHash: Bytes;
  /** When it ends. */
  readonly expires: number;
  /** How many more may register by it; 1 or more. */
  readonly usesLeft: number;
  /**
   * Whom it is for, where it is for one person: only that name may register by it. Where an account of that name has no
   * password record (`sotto-server user reset`), it gives that account a new one instead.
   */
  readonly handle: Handle | undefined;
}

/** Who is kept out of the whole server. */
export type BanSubject =
  /** An account: it counts as disabled as long as the ban lasts, and is afterwards what it was. */
  | { readonly kind: "account"; readonly handle: Handle }
  /** Whoever connects from an address group (lib/chat/address_group.ts). */
  | { readonly kind: "address"; readonly group: string };

/** A ban from the whole server. */
export interface ServerBan {
  /** Who. */
  readonly subject: BanSubject;
  /** Since when. */
  readonly since: number;
  /** Until when; `undefined`: until it is lifted. */
  readonly until: number | undefined;
  /** Why, where the operator said so. */
  readonly reason: string | undefined;
}

/** How a registration came out. */
export type Registered =
  | { readonly kind: "registered"; readonly account: Account }
  /** Another took the name, or one that looks like it, meanwhile. */
  | { readonly kind: "nameTaken" }
  /** The invitation has been used up or has expired meanwhile. */
  | { readonly kind: "badInvitation" };

/** The accounts of a server. Names that look alike ({@linkcode skeleton} of lib/text) count as taken. */
export interface AccountStore {
  /** The account of that very handle. */
  find(handle: Handle): Promise<Account | undefined>;
  /**
   * The published keys of the active account of that very handle, where the octets of `key` come in their list, whatever
   * they stand for there. One question, of which an account that is there without that key is answered like none at all:
   * a stranger who measures the time learns no names.
   */
  keysNaming(handle: Handle, key: Bytes): Promise<Keys | undefined>;
  /** Whether the handle, or one that looks like it, is an account's. */
  isTaken(handle: Handle): Promise<boolean>;
  /** All accounts, by handle. */
  list(): Promise<readonly Account[]>;
  /** How many there are. */
  count(): Promise<number>;
  /**
   * Makes an account, in one step with using up the invitation where `codeHash` is given. The first is the owner. By an
   * invitation for the name of an account without password record, it gives that account the record, and nothing else.
   */
  register(
    account: { readonly handle: Handle; readonly passwordRecord: Bytes; readonly now: number },
    codeHash: Bytes | undefined,
  ): Promise<Registered>;
  /**
   * Replaces the password's record, where `only` is given only while the stored one is still `expected`: what an operator
   * does counts whatever is stored. False where it was not replaced, the account being gone or the record another.
   */
  setPasswordRecord(
    handle: Handle,
    record: Bytes | undefined,
    only?: { readonly expected: Bytes | undefined },
  ): Promise<boolean>;
  /** Replaces the published keys where the stored ones are still `expected`, and the blob where one is given. */
  setKeys(
    handle: Handle,
    { keys, expected, recovery }: {
      readonly keys: Keys;
      readonly expected: Keys | undefined;
      readonly recovery: Bytes | undefined;
    },
  ): Promise<boolean>;
  /** Lets an account log in, which ends its ban, or not; false where it is gone. */
  setStanding(handle: Handle, standing: Standing): Promise<boolean>;
  /** Keeps somebody out, in place of an earlier ban of the same; false where there is no such account. */
  setBan(ban: ServerBan): Promise<boolean>;
  /** Lets somebody in again; false where there was no ban. */
  liftBan(subject: BanSubject): Promise<boolean>;
  /** All bans, oldest first. */
  bans(): Promise<readonly ServerBan[]>;
  /** Lifts those whose time is over at `now`. */
  liftExpiredBans(now: number): Promise<void>;
  /** Removes an account with all that is kept of it; its name stays taken. False where it is gone. */
  remove(handle: Handle): Promise<boolean>;
  /** Keeps an invitation. */
  addInvitation(invitation: Invitation): Promise<void>;
  /** The invitation of a code; `undefined` where there is none, none is left of it, or `now` is past its end. */
  findInvitation(codeHash: Bytes, now: number): Promise<Invitation | undefined>;
  /** The server's OPAQUE setup; `make` is called where there is none yet, and its result kept. */
  opaqueSetup(make: () => Promise<Bytes>): Promise<Bytes>;
}
