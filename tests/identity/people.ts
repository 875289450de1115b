/**
 * People for tests: keys of fixed seeds, and lists and cards made with them.
 *
 * @module
 */

import type { SigningKey } from "../../lib/crypto/port.ts";
import {
  type Device,
  type DeviceList,
  type OpenedKeys,
  openKeys,
  signDeviceList,
} from "../../lib/identity/device_list.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Card } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";

/** 32 octets that tell what they are for: `octet`, counted on. */
export function seedOf(octet: number): Bytes {
  return Uint8Array.from({ length: 32 }, (_, at) => (octet + at) % 256);
}

/** The Ed25519 key of {@linkcode seedOf}. */
export function keyOf(octet: number): Promise<SigningKey> {
  return provider.ed25519SigningKey(seedOf(octet));
}

/** `text` as a handle. */
export function handleOf(text: string): Handle {
  const handle = parseHandle(text);
  if (handle === undefined) throw new RangeError(`Cannot use ${text}: it is no handle`);
  return handle;
}

/** The handle of most tests. */
export const ANN = handleOf("ann");
/** Another. */
export const BOB = handleOf("bob");
/** A server's host key. */
export const HOST_KEY = (await keyOf(1)).publicKey;
/** Ann's identity key. */
export const IDENTITY = await keyOf(2);
/** Another identity key. */
export const OTHER_IDENTITY = await keyOf(3);

/** A device of a fixed key, told by `octet`. */
export async function deviceOf(octet: number, rest: Partial<Device> = {}): Promise<Device> {
  const { publicKey } = await keyOf(octet);
  return {
    key: publicKey,
    name: `device ${octet}`,
    added: 1_700_000_000_000 + octet,
    revoked: undefined,
    ...rest,
  };
}

/** A list of Ann's, with one device unless said otherwise. */
export async function listOf(rest: Partial<DeviceList> = {}): Promise<DeviceList> {
  return { handle: ANN, number: 1, display: "", devices: [await deviceOf(10)], ...rest };
}

/** A card, and what is opened of it. */
export interface Shown {
  /** As a server sends it. */
  readonly card: Card;
  /** As a client opens it. */
  readonly opened: OpenedKeys | undefined;
}

/** `list` as a server shows it. */
export async function shownBy(identity: SigningKey, list: DeviceList): Promise<Shown> {
  const keys = await signDeviceList(identity, HOST_KEY, list);
  return {
    card: { handle: list.handle, ...keys },
    opened: await openKeys(provider, HOST_KEY, list.handle, keys),
  };
}
