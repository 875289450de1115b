/**
 * Randomness that can be repeated: the stream of the golden sessions, which other implementations can make too.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Entropy } from "../../lib/crypto/port.ts";
import { type Bytes, concat, u32, utf8 } from "../../lib/wire/bytes.ts";

/** Reads on in SHA-512(seed | u32 0) | SHA-512(seed | u32 1) | …, from where the last call ended. */
export function seededEntropy(seed: string): Entropy {
  let counter = 0;
  let unread: Bytes = new Uint8Array(0);
  return (length) => {
    while (unread.length < length) {
      const block = createHash("sha512").update(concat(utf8(seed), u32(counter))).digest();
      unread = concat(unread, new Uint8Array(block));
      counter += 1;
    }
    const taken = unread.slice(0, length);
    unread = unread.subarray(length);
    return taken;
  };
}

/** As {@linkcode seededEntropy}, and keeps what it gave. */
export function recordedEntropy(seed: string): { readonly entropy: Entropy; readonly drawn: Bytes[] } {
  const drawn: Bytes[] = [];
  const source = seededEntropy(seed);
  function entropy(length: number): Bytes {
    const bytes = source(length);
    drawn.push(bytes);
    return bytes.slice();
  }
  return { entropy, drawn };
}
