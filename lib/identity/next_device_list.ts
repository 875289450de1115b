/**
 * The lists that an account's own devices make: the first, and each next one. They are signed and published by whoever
 * asks for them.
 *
 * @module
 */

import { displayNameFault } from "../text/display_name.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { DEVICES_MAX } from "../wire/limits.ts";
import { activeDevices, type Device, type DeviceList, findDevice } from "./device_list.ts";

/** A device to be added. */
export type NewDevice = Omit<Device, "revoked">;

/** The first list of a new identity, with the device that made it. */
export function firstDeviceList(handle: Handle, device: NewDevice): DeviceList {
  return { handle, number: 1, display: "", devices: [{ ...device, revoked: undefined }] };
}

/**
 * The next list, with a device more; in a full list the first revoked one goes. Where the name is taken, it gets a
 * number. `undefined` where the key is listed already, revoked ones included, or all {@linkcode DEVICES_MAX} are active.
 */
export function withDevice(list: DeviceList, device: NewDevice): DeviceList | undefined {
  if (findDevice(list.devices, device.key) !== undefined) return undefined;
  const kept = list.devices.length < DEVICES_MAX ? list.devices : withoutFirstRevoked(list.devices);
  if (kept === undefined) return undefined;
  const name = freeName(device.name, kept);
  return { ...list, number: list.number + 1, devices: [...kept, { ...device, name, revoked: undefined }] };
}

/**
 * The next list, with a device revoked at the moment `revoked` (milliseconds since 1970). `undefined` where no active
 * device has that key, or no other is active: an account without devices could not even say so.
 */
export function withRevoked(list: DeviceList, key: Bytes, revoked: number): DeviceList | undefined {
  const active = activeDevices(list.devices);
  const device = findDevice(active, key);
  if (device === undefined || active.length === 1) return undefined;
  // A clock at its very start must not make it active again.
  const changed: Device = { ...device, revoked: Math.max(revoked, 1) };
  const devices = list.devices.map((listed) => listed === device ? changed : listed);
  return { ...list, number: list.number + 1, devices };
}

/** The next list, with another display name, which has no `displayNameFault`; the empty one takes it away. */
export function withDisplay(list: DeviceList, display: string): DeviceList {
  return { ...list, number: list.number + 1, display };
}

function withoutFirstRevoked(devices: readonly Device[]): readonly Device[] | undefined {
  const first = devices.find(({ revoked }) => revoked !== undefined);
  return first === undefined ? undefined : devices.filter((device) => device !== first);
}

/** A command names a device by its name alone, so no two of a list have the same. */
function freeName(name: string, devices: readonly Device[]): string {
  const taken = new Set(devices.map((device) => device.name));
  // One more than there are devices: so many names cannot all be taken.
  const numbers = Array.from(devices, (_, at) => at + 2);
  const names = [name, ...numbers.map((at) => `${name} ${at}`), ...numbers.map((at) => `device ${at}`)];
  return names.find((free) => !taken.has(free) && displayNameFault(free) === undefined) ?? name;
}
