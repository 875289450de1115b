/**
 * What the server has told several connections of one process: decoded for the first of them, compared octet by octet for
 * all others. Decoding is what a load would spend most on, and what it spends is missing elsewhere on the machine.
 *
 * @module
 */

import { type Bytes, equal } from "../lib/wire/bytes.ts";
import { decodeServerMessage, type ServerMessage } from "../lib/wire/message.ts";

/** Messages that are remembered: some hundred entries are under way, and presence beside them. */
const KNOWN_MAX = 4_096;

/** FNV-1a's beginning and factor for 32 bits; whoever meets a collision decodes once more. */
const [HASH_BASIS, HASH_PRIME] = [0x811c9dc5, 0x01000193] as const;

/** The messages of one process. */
export class KnownMessages {
  readonly #known = new Map<number, { readonly bytes: Bytes; readonly message: ServerMessage }>();

  /** The message that `bytes` are: the same object for the same octets. Throws where they are none. */
  read(bytes: Bytes): ServerMessage {
    const key = hashOf(bytes);
    const known = this.#known.get(key);
    if (known !== undefined && equal(known.bytes, bytes)) return known.message;
    const message = decodeServerMessage(bytes);
    if (message === undefined) throw new Error(`Cannot read what the server says: ${bytes.toHex()}`);
    // Pieces of a file are each one's own, and big.
    if (message.type === "fileData") return message;
    this.#known.set(key, { bytes: new Uint8Array(bytes), message });
    if (this.#known.size > KNOWN_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    return message;
  }
}

function hashOf(bytes: Bytes): number {
  let hash: number = HASH_BASIS;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), HASH_PRIME);
  return hash;
}
