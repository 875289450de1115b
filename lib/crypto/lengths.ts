/**
 * The check behind every fixed length of port.ts. It comes before the runtime sees the octets:
 * Deno 2.6.10 imports Ed25519 and X25519 keys of any length, and its process aborts on using the latter.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

/**
 * Refuses octets of our own that have a wrong length, with a `RangeError` that names `what` they are.
 *
 * ```ts
 * import { requireLength } from "./lengths.ts";
 * requireLength("an AES-256 key", new Uint8Array(32), 32);
 * ```
 */
export function requireLength(what: string, bytes: Bytes, length: number): void {
  if (bytes.length !== length) {
    throw new RangeError(`Cannot use ${what}: it has ${bytes.length} octets, not ${length}`);
  }
}
