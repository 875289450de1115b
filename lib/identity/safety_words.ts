/**
 * Safety words: what two people compare aloud, once, to know that each has the other's identity key and not one that
 * the server put in its place.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { words } from "../text/words.ts";
import { type Bytes, concat, utf8 } from "../wire/bytes.ts";

/** Words between two people: 132 bits, beyond what anyone can search for a look-alike pair of keys. */
export const SAFETY_WORDS = 12;

const LABEL = utf8("sotto/1 safety words\0");

/**
 * The {@linkcode SAFETY_WORDS} words between two identities on one server, the same in either order: the first 132 bits
 * of SHA-512("sotto/1 safety words" 00 | host key | smaller identity key | larger one).
 */
export async function safetyWords(
  provider: Provider,
  hostKey: Bytes,
  identities: readonly [Bytes, Bytes],
): Promise<readonly string[]> {
  // Hexadecimal digits sort as the octets do.
  const sorted = identities.toSorted((a, b) => a.toHex() < b.toHex() ? -1 : 1);
  return words(await provider.sha512(concat(LABEL, hostKey, ...sorted)), SAFETY_WORDS);
}
