/**
 * Recovery codes: 160 random bits on paper, by which the owner of an account gets the identity key back when no device
 * is left. The server keeps the key's seed, sealed under the code:
 *
 *     key  = HKDF(code, "sotto/1 recovery" 00 | L(host key) | L(handle))
 *     blob = box of the seed under that key, its associated data as the info above; 96 octets
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, concat, lengthPrefixed, utf8 } from "../wire/bytes.ts";
import { isSeedOf } from "./account_key.ts";
import { derivedKey } from "./derived_key.ts";
import { openBox, sealBox } from "./secret_box.ts";

/** Octets of a code: as hard to guess as a key, so that the blob needs no memory-hard work. */
export const RECOVERY_CODE_BYTES = 20;

/** Crockford's base32: no letter in it is taken for another or for a digit. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP_CHARS = 4;
const BITS_PER_CHAR = 5;
const CODE_CHARS = RECOVERY_CODE_BYTES * 8 / BITS_PER_CHAR;
/** Longest text read for a code: each character between blanks and a dash. */
const CODE_TEXT_CHARS_MAX = 4 * CODE_CHARS;

const LABEL = utf8("sotto/1 recovery\0");

/** Whose seed a blob holds. */
export interface RecoveryContext {
  /** {@linkcode RECOVERY_CODE_BYTES} octets. */
  readonly code: Bytes;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The account. */
  readonly handle: Handle;
}

/** A fresh code. */
export function newRecoveryCode(entropy: Entropy): Bytes {
  return entropy(RECOVERY_CODE_BYTES);
}

/**
 * A code as it is written down: 8 groups of 4 characters. Throws a `RangeError` where it has another length.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { recoveryCodeText } from "./recovery_code.ts";
 * equal(recoveryCodeText(new Uint8Array(20)), "0000-0000-0000-0000-0000-0000-0000-0000");
 * ```
 */
export function recoveryCodeText(code: Bytes): string {
  if (code.length !== RECOVERY_CODE_BYTES) {
    throw new RangeError(
      `Cannot write a recovery code: it has ${code.length} octets, not ${RECOVERY_CODE_BYTES}`,
    );
  }
  const value = BigInt(`0x${code.toHex()}`);
  const characters = Array.from(
    { length: CODE_CHARS },
    (_, at) => ALPHABET.charAt(Number(value >> BigInt(BITS_PER_CHAR * (CODE_CHARS - 1 - at)) & 31n)),
  ).join("");
  return characters.match(new RegExp(`.{${GROUP_CHARS}}`, "g"))?.join("-") ?? "";
}

/**
 * The code that a person typed, or `undefined` where it is none. Case, blanks and dashes do not matter, and letters that
 * the alphabet leaves out are read as the digits they look like: I and L as 1, O as 0.
 *
 * ```ts
 * import { deepEqual, equal } from "node:assert/strict";
 * import { parseRecoveryCode } from "./recovery_code.ts";
 * deepEqual(parseRecoveryCode("oooo 0000 0000 0000 0000 0000 0000 000l")?.at(-1), 1);
 * equal(parseRecoveryCode("0000"), undefined);
 * ```
 */
export function parseRecoveryCode(text: string): Bytes | undefined {
  if (text.length > CODE_TEXT_CHARS_MAX) return undefined;
  const characters = text.replace(/[\s\-–—]/g, "");
  if (characters.length !== CODE_CHARS || !/^[0-9a-z]+$/i.test(characters)) return undefined;
  let value = 0n;
  for (const character of characters.toUpperCase().replace(/[IL]/g, "1").replaceAll("O", "0")) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = value << BigInt(BITS_PER_CHAR) | BigInt(digit);
  }
  return Uint8Array.fromHex(value.toString(16).padStart(2 * RECOVERY_CODE_BYTES, "0"));
}

/** The blob for the server: `seed`, the identity key's, sealed under the code. */
export async function sealRecovery(
  provider: Provider,
  entropy: Entropy,
  { seed, ...context }: RecoveryContext & { readonly seed: Bytes },
): Promise<Bytes> {
  const associated = infoOf(context);
  const key = await derivedKey(provider, context.code, associated);
  return sealBox(provider, entropy, { key, associated, secret: seed });
}

/**
 * The seed in a blob, where it is that of `identity`, the account's identity key as it is published. `undefined` where
 * the code is another one, or the server's blob was altered or is of another identity.
 */
export async function openRecovery(
  provider: Provider,
  { identity, blob, ...context }: RecoveryContext & { readonly identity: Bytes; readonly blob: Bytes },
): Promise<Bytes | undefined> {
  const associated = infoOf(context);
  const key = await derivedKey(provider, context.code, associated);
  const seed = await openBox(provider, { key, associated, box: blob });
  return seed !== undefined && await isSeedOf(provider, seed, identity) ? seed : undefined;
}

function infoOf({ hostKey, handle }: RecoveryContext): Bytes {
  return concat(LABEL, lengthPrefixed(hostKey), lengthPrefixed(utf8(handle)));
}
