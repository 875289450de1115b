/**
 * One's own account as this device knows it: what it signs with, and the newest list of devices that it believes. The
 * server shows lists, too; it is believed only what follows from the one known here.
 *
 * @module
 */

import type { Provider, SigningKey } from "../crypto/port.ts";
import { findDevice, type OpenedKeys, openKeys } from "../identity/device_list.ts";
import { meet, type PeerNews } from "../identity/peer_trust.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { Keys } from "../wire/message.ts";
import type { OwnKeys, OwnKeysKeeper } from "./keepers.ts";

/** An account from one of its devices. */
export interface OwnAccount {
  /** Whose it is. */
  readonly handle: Handle;
  /** Signs what is said here. */
  readonly device: SigningKey;
  /** Signs lists of devices. */
  readonly identity: SigningKey;
  /** What is kept of it. */
  readonly own: OwnKeys;
  /** The newest list believed. */
  readonly opened: OpenedKeys;
}

/** What signatures of lists are checked with. */
export interface ListParts {
  /** The primitives. */
  readonly provider: Provider;
  /** The server's host key, 32 octets, which every list is signed for. */
  readonly hostKey: Bytes;
}

/** The account of kept keys; `undefined` where they do not fit together or are for another server. */
export async function openAccount(
  handle: Handle,
  own: OwnKeys,
  { provider, hostKey }: ListParts,
): Promise<OwnAccount | undefined> {
  const opened = await openKeys(provider, hostKey, handle, own.keys);
  const device = await provider.ed25519SigningKey(own.deviceSeed);
  const identity = await provider.ed25519SigningKey(own.identitySeed);
  if (opened === undefined || !equal(identity.publicKey, own.keys.identity)) return undefined;
  return { handle, device, identity, own, opened };
}

/** The failure of keys that do not fit together. */
export function damagedKeys(handle: Handle): Failure {
  return new Failure(
    "data",
    `Cannot log in as ${handle}: the keys kept for that name are damaged or of another server; ` +
      "move their folder away to make this a new device.",
  );
}

/** What keys that the server shows are, beside those known. */
export type OwnNews =
  /** Those known, or such as follow from them: another device has published them. `news` is what differs. */
  | { readonly kind: "believed"; readonly account: OwnAccount; readonly news: readonly PeerNews[] }
  /** Another identity's. */
  | { readonly kind: "foreign" }
  /** Older than those known, beside them, or not signed. */
  | { readonly kind: "refused" };

/** Judges keys that the server shows as the account's. */
export async function judgeOwn(account: OwnAccount, keys: Keys, parts: ListParts): Promise<OwnNews> {
  const { handle, own, opened: { list } } = account;
  const opened = await openKeys(parts.provider, parts.hostKey, handle, keys);
  if (!equal(keys.identity, own.keys.identity)) return { kind: "foreign" };
  const known = { keys: own.keys, list };
  const { book, news } = meet(
    new Map([[handle, { known, verified: true, changed: undefined }]]),
    { handle, ...keys },
    opened,
  );
  const believed = book.get(handle)?.known.keys;
  if (opened === undefined || believed === undefined || !equal(believed.list, keys.list)) {
    return { kind: "refused" };
  }
  return { kind: "believed", account: { ...account, own: { ...own, published: true, keys }, opened }, news };
}

/** Whether the device in use is an active one. */
export function isActive({ device, opened }: OwnAccount): boolean {
  const found = findDevice(opened.devices, device.publicKey);
  return found !== undefined && found.revoked === undefined;
}

/** Whether two accounts' keys are the same octets. */
export function sameKeys(a: Keys, b: Keys): boolean {
  return equal(a.identity, b.identity) && equal(a.list, b.list) && equal(a.signature, b.signature);
}

/**
 * Keeps own keys. Two programs of one device may do so at the same moment; where the other was first and its keys are
 * as new, that is as good. Rejects with the keeper's `Failure` where they cannot be kept.
 */
export async function keepAccount(
  { handle, own, opened }: OwnAccount,
  keeper: OwnKeysKeeper,
  parts: ListParts,
): Promise<void> {
  try {
    await keeper.save(handle, own);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    const there = await keeper.load(handle);
    const other = there?.published ? await openAccount(handle, there, parts) : undefined;
    if (other === undefined || !equal(other.own.deviceSeed, own.deviceSeed)) throw failure;
    if (!equal(other.own.keys.identity, own.keys.identity)) throw failure;
    if (other.opened.list.number < opened.list.number) await keeper.save(handle, own);
  }
}
