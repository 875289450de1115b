/**
 * Whether an entry is its author's: signed by a device that was theirs when the entry got its place. How it fits the log
 * is another question (lib/client/room_log.ts).
 *
 * @module
 */

import type { Provider, VerifyingKey } from "../crypto/port.ts";
import { findDevice, type OpenedKeys } from "../identity/device_list.ts";
import { entryTime } from "../identity/entry_id.ts";
import { claimOf, contentDigest, verifyEntry } from "../identity/log_entry.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { decodeBody, type EntryKind } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import type { Doubt } from "./doubt.ts";

/**
 * How far from when the server took it, before or after, an entry may say that it was made and still be believed, by the
 * time in its id: a day, so that a clock set for another time zone is forgiven. In milliseconds. It bounds how long the
 * server can keep a message back.
 */
export const ENTRY_TIME_OFF_MS_MAX = 86_400_000;

/** An entry with what was found out about its author. */
export interface Judged {
  /** As it came. */
  readonly entry: Logged;
  /** Why it is doubtful; `undefined` where it is its author's. */
  readonly doubt: Doubt | undefined;
  /** What its author calls the device, where that is known. */
  readonly deviceName: string | undefined;
}

/** Where an entry stands. */
export interface EntryContext {
  /** The primitives. */
  readonly provider: Provider;
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** The server's host key. */
  readonly host: VerifyingKey;
}

/** Somebody as they are known here. */
export interface Author {
  /** Their keys, as they are believed. */
  readonly keys: OpenedKeys;
  /** Why nothing of theirs is believed, where that is so. */
  readonly doubt: Doubt | undefined;
}

/** Kinds that the host key signs, and nobody else. */
const OF_THE_HOST: ReadonlySet<EntryKind> = new Set(["keys", "notice"]);

/** Kinds that it may sign besides: it makes the lobby, puts people into it, and takes out whose account is gone. */
const ALSO_OF_THE_HOST: ReadonlySet<EntryKind> = new Set(["room", "membership", "moderation"]);

/**
 * Finds out whether an entry is its author's. `author` is who is named in it, `undefined` where nobody of that name is
 * known, or the host key is said to have signed.
 */
export async function judgeEntry(
  context: EntryContext,
  entry: Logged,
  author: Author | undefined,
): Promise<Judged> {
  const device = author && findDevice(author.keys.devices, entry.device);
  const doubt = digestDoubt(context, entry) ??
    (entry.from === undefined ? await hostDoubt(context, entry) : await deviceDoubt(context, entry, author));
  return {
    entry,
    doubt: doubt ?? bodyDoubt(entry),
    deviceName: doubt === undefined ? device?.name : undefined,
  };
}

async function hostDoubt({ room, host }: EntryContext, entry: Logged): Promise<Doubt | undefined> {
  const { kind, device, signature } = entry;
  if (!equal(device, host.publicKey) || !await verifyEntry(host, claimOf(room, entry), signature)) {
    return "bad signature";
  }
  return OF_THE_HOST.has(kind) || ALSO_OF_THE_HOST.has(kind) ? undefined : "not allowed";
}

async function deviceDoubt(
  { room }: EntryContext,
  entry: Logged,
  author: Author | undefined,
): Promise<Doubt | undefined> {
  const { id, kind, time, signature } = entry;
  if (author === undefined) return "unknown person";
  if (author.doubt !== undefined) return author.doubt;
  const device = findDevice(author.keys.devices, entry.device);
  if (device === undefined) return "unknown device";
  if (!await verifyEntry(device.verifyingKey, claimOf(room, entry), signature)) return "bad signature";
  // What a device said while it was its owner's stays theirs: places in a log are not given out backwards.
  if (device.revoked !== undefined && time >= device.revoked) return "revoked device";
  if (OF_THE_HOST.has(kind)) return "not allowed";
  return Math.abs(time - entryTime(id)) > ENTRY_TIME_OFF_MS_MAX ? "wrong time" : undefined;
}

function digestDoubt({ provider }: EntryContext, { content, digest }: Logged): Doubt | undefined {
  if (content === undefined || equal(contentDigest(provider, content), digest)) return undefined;
  return "not what was signed";
}

function bodyDoubt({ kind, content }: Logged): Doubt | undefined {
  if (content === undefined || decodeBody(kind, content.body) !== undefined) return undefined;
  return "not readable";
}
