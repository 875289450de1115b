/**
 * Devices as a person sees them.
 *
 * @module
 */

import type { Device } from "../identity/device_list.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { DeviceLine } from "./event.ts";

/** The lines of devices, in the order of their list; `here` is the key of the one in use, where it may be one of them. */
export function deviceLines(devices: readonly Device[], here: Bytes | undefined): readonly DeviceLine[] {
  return devices.map(({ key, name, added, revoked }) => ({
    name,
    added,
    revoked,
    here: here !== undefined && equal(key, here),
  }));
}
