/**
 * A Fernet key as people give it.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import type { Bytes } from "../wire/bytes.ts";
import { parseFernetKey } from "./fernet.ts";

/**
 * The octets of the key in `text`, which a file or a variable holds. Throws a {@linkcode Failure} of configuration where
 * it is none; no sentence repeats anything of it.
 */
export function fernetKeyFrom(text: string): Bytes {
  const key = parseFernetKey(text);
  if (key !== undefined) return key;
  const rule = "it is not 32 octets in base64url, 43 letters and a =";
  throw new Failure(
    "config",
    `Cannot use the Fernet key: ${rule}; make one by "openssl rand -base64 32 | tr +/ -_".`,
  );
}
