/**
 * The IVs of tokens, by which the server knows its own. Fernet says nothing of who made a token: without a mark, whoever
 * sees the traffic could send the server's words back to it, and would be a guest without having the key.
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";
import { type Bytes, concat, equal, utf8 } from "../wire/bytes.ts";
import { TOKEN_IV_BYTES } from "./fernet.ts";

/**
 * What each IV of the server's ends with. No secret: an IV cannot be changed without the key. Of other programs' tokens
 * one in 2^32 has it by chance, and is refused; the 96 random bits that are left repeat in no lifetime of a key.
 */
const MARK = utf8("Otto");

/** The IV of a token that the server makes. */
export function serverIv(entropy: Entropy): Bytes {
  return concat(entropy(TOKEN_IV_BYTES - MARK.length), MARK);
}

/** The IV of a token that anybody else makes. */
export function visitorIv(entropy: Entropy): Bytes {
  return entropy(TOKEN_IV_BYTES);
}

/** Whether the server made the token with this IV. */
export function isServerIv(iv: Bytes): boolean {
  return equal(iv.slice(-MARK.length), MARK);
}
