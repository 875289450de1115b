/**
 * Device lists: which devices speak for an account, as its identity key certifies them (PROTOCOL §6).
 *
 *     u8 1 | L(handle) | u32 number | L(display name) | u8 count
 *       | count × ( key 32 | L(name) | u64 added | u64 revoked, 0 while it is active )
 *
 *     signature: by the identity key over "sotto/1 device list" 00 | L(host key) | u16 length of list | list
 *
 * A list has a number; the next one has the next number and keeps what was in it, so that of two lists of one identity
 * everybody knows the newer, and a revoked device never comes back. Lists hold {@linkcode DEVICES_MAX} devices: in a full
 * one, a new device takes the place of the first revoked one. What such a device signed is then of an unknown
 * device instead of a revoked one, which is doubtful, too.
 *
 * @module
 */

import { ED25519_KEY_BYTES, type Provider, type SigningKey, type VerifyingKey } from "../crypto/port.ts";
import { displayNameFault } from "../text/display_name.ts";
import { type Handle, parseHandle } from "../text/handle.ts";
import {
  ByteReader,
  type Bytes,
  concat,
  equal,
  lengthPrefixed,
  u16,
  u32,
  u64,
  u8,
  utf8,
  utf8Text,
} from "../wire/bytes.ts";
import { DEVICES_MAX } from "../wire/limits.ts";
import type { Keys } from "../wire/message.ts";

/** The highest number of a list: more changes than anyone makes. */
export const LIST_NUMBER_MAX = 2 ** 32 - 1;

/** The form of lists that this release knows. */
const FORM = 1;

const LABEL = utf8("sotto/1 device list\0");

/** One device of an account. Times are milliseconds since 1970, by the clock of the device that wrote the list. */
export interface Device {
  /** Its Ed25519 key, 32 octets. */
  readonly key: Bytes;
  /** What its owner calls it; it has no `displayNameFault`. */
  readonly name: string;
  /** When it was added. */
  readonly added: number;
  /** When it was revoked, from 1 on; `undefined` while it is active. */
  readonly revoked: number | undefined;
}

/** The devices of an account: 1 to {@linkcode DEVICES_MAX}, of different keys, at least one of them active. */
export interface DeviceList {
  /** Whose they are. */
  readonly handle: Handle;
  /** Counts the lists of one identity, from 1 to {@linkcode LIST_NUMBER_MAX}. */
  readonly number: number;
  /** The display name of the account; empty where it has none. */
  readonly display: string;
  /** In the order in which they were added. */
  readonly devices: readonly Device[];
}

/** A device whose key is ready to verify. */
export interface OpenedDevice extends Device {
  /** Its key. */
  readonly verifyingKey: VerifyingKey;
}

/** Keys of an account that hold together: signed by their identity, for this server and that handle. */
export interface OpenedKeys {
  /** As they came. */
  readonly keys: Keys;
  /** What the list says. */
  readonly list: DeviceList;
  /** The list's devices, in its order. */
  readonly devices: readonly OpenedDevice[];
}

/** Why a list may not come after another: it is another account's, not the next one, or does not keep the devices. */
export type SuccessorFault = "handle" | "number" | "devices";

/** The octets of a list. Throws a `RangeError` where it is none. */
export function encodeDeviceList(list: DeviceList): Bytes {
  if (!isDeviceList(list)) throw new RangeError("Cannot encode a device list: it breaks the limits of one");
  return concat(
    u8(FORM),
    prefixedText(list.handle),
    u32(list.number),
    prefixedText(list.display),
    u8(list.devices.length),
    ...list.devices.map(encodeDevice),
  );
}

/** The list in `bytes`; `undefined` where {@linkcode encodeDeviceList} would not have written them. */
export function decodeDeviceList(bytes: Bytes): DeviceList | undefined {
  const reader = new ByteReader(bytes);
  const form = reader.u8();
  const handle = parseHandle(takeText(reader) ?? "");
  const number = takeU32(reader);
  const display = takeText(reader);
  const count = reader.u8();
  if (form !== FORM || handle === undefined || display === undefined || count > DEVICES_MAX) return undefined;
  const devices: Device[] = [];
  while (devices.length < count) {
    const device = takeDevice(reader);
    if (device === undefined) return undefined;
    devices.push(device);
  }
  const list: DeviceList = { handle, number, display, devices };
  return reader.finished && isDeviceList(list) ? list : undefined;
}

/** Keys to publish: `list`, signed for the server with that host key. Throws a `RangeError` where it is no list. */
export async function signDeviceList(identity: SigningKey, hostKey: Bytes, list: DeviceList): Promise<Keys> {
  const octets = encodeDeviceList(list);
  const signature = await identity.sign(signedOctets(hostKey, octets));
  return { identity: identity.publicKey, list: octets, signature };
}

/**
 * Keys that somebody says are those of `handle` on the server with that host key. `undefined` where they are not: the
 * identity key or one of a device is none to be trusted (PROTOCOL §4), the signature is not the identity's, or the list
 * is malformed or somebody else's.
 */
export async function openKeys(
  provider: Provider,
  hostKey: Bytes,
  handle: Handle,
  keys: Keys,
): Promise<OpenedKeys | undefined> {
  const { identity, list: octets, signature } = keys;
  const verifyingKey = await provider.ed25519VerifyingKey(identity);
  if (verifyingKey === undefined) return undefined;
  // Before it is decoded: who cannot sign has no say in what is parsed.
  if (!await verifyingKey.verify(signedOctets(hostKey, octets), signature)) return undefined;
  const list = decodeDeviceList(octets);
  if (list === undefined || list.handle !== handle) return undefined;
  const devices: OpenedDevice[] = [];
  for (const device of list.devices) {
    const deviceKey = await provider.ed25519VerifyingKey(device.key);
    if (deviceKey === undefined) return undefined;
    devices.push({ ...device, verifyingKey: deviceKey });
  }
  // Without what else a card has.
  return { keys: { identity, list: octets, signature }, list, devices };
}

/** The device with that key, or `undefined` where none has it. */
export function findDevice<Listed extends Device>(
  devices: readonly Listed[],
  key: Bytes,
): Listed | undefined {
  return devices.find((device) => equal(device.key, key));
}

/** The devices that are not revoked. */
export function activeDevices<Listed extends Device>(devices: readonly Listed[]): readonly Listed[] {
  return devices.filter(({ revoked }) => revoked === undefined);
}

/** Why `after` is not the list next to `before` of the same identity; `undefined` where it is. */
export function successorFault(before: DeviceList, after: DeviceList): SuccessorFault | undefined {
  if (after.handle !== before.handle) return "handle";
  if (after.number !== before.number + 1) return "number";
  const dropped = droppedDevices(before, after);
  if (dropped === undefined) return "devices";
  const mayBeDropped = before.devices.length < DEVICES_MAX
    ? []
    : before.devices.filter(({ revoked }) => revoked !== undefined).slice(0, dropped.length);
  const fits = dropped.length === mayBeDropped.length &&
    dropped.every((device, at) => device === mayBeDropped[at]);
  return fits && !hasShrunk(before, after) ? undefined : "devices";
}

/** Whether `after` can be a list of the same identity some changes after `before`: the lists between were missed. */
export function isLaterList(before: DeviceList, after: DeviceList): boolean {
  if (after.handle !== before.handle || after.number <= before.number) return false;
  if (after.number === before.number + 1) return successorFault(before, after) === undefined;
  // A device that was active may have been revoked, and dropped, in between.
  const dropped = droppedDevices(before, after);
  return dropped !== undefined && (dropped.length === 0 || after.devices.length === DEVICES_MAX);
}

/** What is no longer listed; `undefined` where what is still listed was changed, but for a revocation, or moved. */
function droppedDevices(before: DeviceList, after: DeviceList): readonly Device[] | undefined {
  const dropped = before.devices.filter(({ key }) => findDevice(after.devices, key) === undefined);
  const kept = before.devices.filter((device) => !dropped.includes(device));
  const fits = kept.every((device, at) => {
    const now = after.devices[at];
    return now !== undefined && continues(device, now);
  });
  return fits ? dropped : undefined;
}

function continues(before: Device, after: Device): boolean {
  return equal(before.key, after.key) && before.name === after.name && before.added === after.added &&
    (before.revoked === undefined || before.revoked === after.revoked);
}

function hasShrunk(before: DeviceList, after: DeviceList): boolean {
  return after.devices.length < before.devices.length;
}

function isDeviceList({ number, display, devices }: DeviceList): boolean {
  return Number.isSafeInteger(number) && number >= 1 && number <= LIST_NUMBER_MAX &&
    (display === "" || displayNameFault(display) === undefined) &&
    devices.length <= DEVICES_MAX && activeDevices(devices).length > 0 && devices.every(isDevice) &&
    new Set(devices.map(({ key }) => key.toHex())).size === devices.length;
}

function isDevice({ key, name, added, revoked }: Device): boolean {
  return key.length === ED25519_KEY_BYTES && displayNameFault(name) === undefined && isTime(added) &&
    (revoked === undefined || isTime(revoked) && revoked > 0);
}

function isTime(time: number): boolean {
  return Number.isSafeInteger(time) && time >= 0;
}

function signedOctets(hostKey: Bytes, list: Bytes): Bytes {
  return concat(LABEL, lengthPrefixed(hostKey), u16(list.length), list);
}

function encodeDevice({ key, name, added, revoked }: Device): Bytes {
  return concat(key, prefixedText(name), u64(added), u64(revoked ?? 0));
}

function takeDevice(reader: ByteReader): Device | undefined {
  const key = reader.take(ED25519_KEY_BYTES);
  const name = takeText(reader);
  const added = takeU64(reader);
  const revoked = takeU64(reader);
  return name === undefined ? undefined : { key, name, added, revoked: revoked === 0 ? undefined : revoked };
}

function prefixedText(text: string): Bytes {
  return lengthPrefixed(utf8(text));
}

function takeText(reader: ByteReader): string | undefined {
  return utf8Text(reader.take(reader.u8()));
}

function takeU32(reader: ByteReader): number {
  return reader.u16() * 2 ** 16 + reader.u16();
}

/** Over 2^53, what is read is no safe integer, whatever was rounded. */
function takeU64(reader: ByteReader): number {
  return takeU32(reader) * 2 ** 32 + takeU32(reader);
}
