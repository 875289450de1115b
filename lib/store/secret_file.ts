/**
 * Secrets that a person keeps in a file of their own, such as a pre-shared key.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { utf8Text } from "../wire/bytes.ts";
import { orFailure } from "./file_failure.ts";
import { readPrivateFile } from "./private_file.ts";

/** Longest secret read: longer than any passphrase, so whoever meets it has named the wrong file. */
export const SECRET_FILE_BYTES_MAX = 4_096;

/**
 * The text of the file `path`, newline and all; `what` says in sentences what it is: "the pre-shared key".
 * Throws a {@linkcode Failure}: `noInput` where it is missing or cannot be read, `data` where it is longer
 * than {@linkcode SECRET_FILE_BYTES_MAX} or not UTF-8. No sentence repeats anything of the content.
 */
export async function readSecretFile(path: string, what: string): Promise<string> {
  const cannot = `Cannot read ${what} from ${visible(path)}`;
  const { octets } = await orFailure(() => readPrivateFile(path, SECRET_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot,
    remedy: "name a file that you can read",
  });
  if (octets.length > SECRET_FILE_BYTES_MAX) {
    const limit = `it is longer than ${SECRET_FILE_BYTES_MAX} octets`;
    throw new Failure("data", `${cannot}: ${limit}; name the file that holds nothing else.`);
  }
  const text = utf8Text(octets);
  if (text !== undefined) return text;
  throw new Failure("data", `${cannot}: it is not UTF-8; write it as text, a key as 64 hexadecimal digits.`);
}
