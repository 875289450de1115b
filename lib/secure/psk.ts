/**
 * Pre-shared keys, as a person keeps them: 64 hexadecimal digits, or a passphrase (PROTOCOL §4).
 *
 * @module
 */

import type { Provider, ScryptCost } from "../crypto/port.ts";
import { type Bytes, utf8 } from "../wire/bytes.ts";
import { PSK_BYTES } from "./schedule.ts";

/**
 * What a guess at a passphrase costs: 128 MiB and some tenths of a second. All who share the passphrase must
 * come to the same key, so it is fixed, as is the salt.
 */
export const PSK_SCRYPT_COST: ScryptCost = { cost: 2 ** 17, blockSize: 8, parallelization: 1 };

/** The salt of every passphrase; a table of guesses made once fits all servers, so choose a long one. */
const PSK_SALT: Bytes = utf8("sotto psk v1");

/** There is no pre-shared key in the text. */
export class EmptyPskError extends RangeError {
  /** The error's name. */
  override readonly name = "EmptyPskError";

  /** The message never holds what was read. */
  constructor() {
    super("Cannot use a pre-shared key: it is empty");
  }
}

/**
 * The 32-octet key in `text`, of which one newline at the end (LF or CRLF) is dropped: 64 hexadecimal digits
 * are the key itself; anything else is a passphrase, whose UTF-8 goes through scrypt. Throws an
 * {@linkcode EmptyPskError} where nothing is left.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { chosenMlKem } from "../crypto/ml_kem_choice.ts";
 * import { webCryptoProvider } from "../crypto/webcrypto.ts";
 * import { pskFromText } from "./psk.ts";
 * const provider = webCryptoProvider(await chosenMlKem());
 * equal((await pskFromText(`${"ab".repeat(32)}\n`, provider)).toHex(), "ab".repeat(32));
 * ```
 */
export async function pskFromText(text: string, provider: Provider): Promise<Bytes> {
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new EmptyPskError();
  if (/^[0-9a-fA-F]{64}$/.test(secret)) return Uint8Array.fromHex(secret);
  return await provider.scrypt(utf8(secret), PSK_SALT, PSK_SCRYPT_COST, PSK_BYTES);
}
