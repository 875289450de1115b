/**
 * HMAC-SHA-256 in JavaScript, by @noble/hashes: for a tag over a few octets, of which a server makes one for each reader
 * of each message, a call of the runtime's own takes three times as long as the three blocks that are to be hashed.
 *
 * @module
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../wire/bytes.ts";
import type { MacNow } from "./port.ts";

/** What each tag is computed in: no two are under way at a time. */
const scratch = hmac.create(sha256, Uint8Array.of(0));

/** HMAC-SHA-256 under `key`, whose blocks are hashed once; throws a `RangeError` where that is empty. */
export function hmacSha256Now(key: Bytes): MacNow {
  if (key.length === 0) throw new RangeError("Cannot use an HMAC key: it is empty");
  const keyed = hmac.create(sha256, key);
  return {
    tag(into, ...parts) {
      keyed._cloneInto(scratch);
      for (const part of parts) scratch.update(part);
      scratch.digestInto(into);
    },
  };
}
