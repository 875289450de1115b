/**
 * The codec of application messages: CBOR in its deterministic encoding (RFC 8949 §4.2), strictly. A message
 * has one encoding, and whatever does not re-encode to the same octets is refused.
 *
 * @module
 */

import { decode, encode } from "cborg";
import { type Bytes, equal } from "./bytes.ts";
import { isDeterministic } from "./cbor_form.ts";

/** `value` in deterministic CBOR. Throws where it holds something that CBOR has no plain type for. */
export function encodeCbor(value: unknown): Bytes {
  return new Uint8Array(encode(value));
}

/**
 * The value encoded in `bytes`, or `undefined` where they are malformed or not the deterministic encoding:
 * indefinite lengths, duplicate or unsorted keys, longer integers than needed, bad UTF-8, trailing octets.
 */
export function decodeCbor(bytes: Bytes): unknown {
  try {
    const value: unknown = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      rejectDuplicateMapKeys: true,
    });
    return isDeterministic(bytes) || equal(encodeCbor(value), bytes) ? value : undefined;
  } catch {
    // The library tells malformed input by throwing, and deep nesting by the exhausted stack.
    return undefined;
  }
}
