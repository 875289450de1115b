/**
 * The rules of publishing an account's keys: who may replace them by what, judged on the account as it is stored at that
 * moment. Every client judges again what it is told, by the identity it knows; the server keeps honest clients from
 * stepping on each other, and takes nothing that is not signed.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import {
  activeDevices,
  decodeDeviceList,
  type Device,
  findDevice,
  openKeys,
  successorFault,
} from "../identity/device_list.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { FaultCode, Keys } from "../wire/message.ts";
import type { Account } from "./port.ts";

/** An account whose keys are published. */
export interface Publication {
  /** The account, as it is with these keys. */
  readonly account: Account;
  /** Its keys. */
  readonly keys: Keys;
  /** Its active devices; at least one. */
  readonly devices: readonly Device[];
}

/** What is asked for, and by whom. */
export interface Proposal {
  /** The keys to publish. */
  readonly keys: Keys;
  /** The identity's seed under its recovery code; `undefined` leaves the stored one. */
  readonly recovery: Bytes | undefined;
  /** Whether who asks logged in by password or by a device, which then has to be an active one. */
  readonly by: "password" | "device";
}

/** Whether keys may be published. */
export type Judgement =
  /** They may, in place of those that the account had. */
  | { readonly kind: "accepted"; readonly publication: Publication }
  | { readonly kind: "refused"; readonly code: FaultCode & ("badList" | "staleList") };

/** What the lists are signed for. */
export interface ServerIdentity {
  /** Verifies signatures. */
  readonly provider: Provider;
  /** This server's host key, 32 octets. */
  readonly hostKey: Bytes;
}

/**
 * Judges keys for an account. The same identity goes on with the next number, its devices kept; the very same keys may
 * come again, from a client that does not know whether they arrived, or with another recovery blob. Another identity
 * takes a password login, begins with number 1, and where it replaces one brings a recovery blob: the stored one would
 * open to the seed of the identity that is no more. A list that another came before is stale.
 *
 * A blob is not signed: it replaces another only where a device or a list that was not there before shows that who
 * brings it has more than the password, whose thief would take recovery away without anybody being shown it.
 */
export async function judge(
  account: Account,
  { keys, recovery, by }: Proposal,
  { provider, hostKey }: ServerIdentity,
): Promise<Judgement> {
  const opened = await openKeys(provider, hostKey, account.handle, keys);
  if (opened === undefined) return refused("badList");
  const stored = account.keys;
  if (stored === undefined || !equal(stored.identity, keys.identity)) {
    if (by !== "password" || opened.list.number !== 1) return refused("badList");
    if (stored !== undefined && recovery === undefined) return refused("badList");
  } else if (!equal(stored.list, keys.list)) {
    const before = await openKeys(provider, hostKey, account.handle, stored);
    if (before === undefined) {
      throw new Error(`Cannot judge a list: the stored one of ${account.handle} is damaged`);
    }
    if (opened.list.number <= before.list.number) return refused("staleList");
    if (successorFault(before.list, opened.list) !== undefined) return refused("badList");
  } else if (by === "password" && isReplaced(account.recovery, recovery)) return refused("badList");
  const next: Account = { ...account, keys, recovery: recovery ?? account.recovery };
  return {
    kind: "accepted",
    publication: { account: next, keys, devices: activeDevices(opened.list.devices) },
  };
}

function isReplaced(stored: Bytes | undefined, recovery: Bytes | undefined): boolean {
  return stored !== undefined && recovery !== undefined && !equal(stored, recovery);
}

function refused(code: "badList" | "staleList"): Judgement {
  return { kind: "refused", code };
}

/** The active device with that key (32 octets) among those of a list; `undefined` where there is no list, or none such. */
export function activeDevice(keys: Keys | undefined, key: Bytes): Device | undefined {
  const list = keys && decodeDeviceList(keys.list);
  return list && findDevice(activeDevices(list.devices), key);
}
