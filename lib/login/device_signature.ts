/**
 * What a device signs to log in (PROTOCOL §4). The exporter is known to the two ends of one channel alone, so a
 * signature made for one connection, or for one server, is worth nothing on another.
 *
 * @module
 */

import { ED25519_KEY_BYTES, SHA512_BYTES } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, concat, lengthPrefixed, utf8 } from "../wire/bytes.ts";

const LABEL: Bytes = utf8("sotto/1 device login\0");

/**
 * The octets that the device `deviceKey` signs as `handle` in the channel of `exporter` (64 octets, of epoch 1).
 * Throws a `RangeError` where exporter or key have a wrong length.
 */
export function deviceLoginContent(exporter: Bytes, handle: Handle, deviceKey: Bytes): Bytes {
  if (exporter.length !== SHA512_BYTES || deviceKey.length !== ED25519_KEY_BYTES) {
    throw new RangeError(
      `Cannot log in a device: exporter and key have ${exporter.length} and ${deviceKey.length} octets`,
    );
  }
  return concat(LABEL, exporter, lengthPrefixed(utf8(handle)), deviceKey);
}
