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

/** A secret as it was found. */
export interface SecretFile {
  /** What the file holds, newline and all. */
  readonly text: string;
  /**
   * The sentence that warns whoever uses the file, where others than its owner have any rights to it; safe for a
   * terminal. It is no reason to stop: the file is a person's own, and some are shared on purpose.
   */
  readonly sharedMode: string | undefined;
}

/**
 * The secret in the file `path`; `what` says in sentences what it is: "the pre-shared key". Throws a {@linkcode Failure}: `noInput` where it is missing or cannot be read, `data` where it is longer
 * than {@linkcode SECRET_FILE_BYTES_MAX} or not UTF-8. No sentence repeats anything of the content.
 */
export async function readSecretFile(path: string, what: string): Promise<SecretFile> {
  const cannot = `Cannot read ${what} from ${visible(path)}`;
  const { octets, sharedMode } = await orFailure(() => readPrivateFile(path, SECRET_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot,
    remedy: "name a file that you can read",
  });
  if (octets.length > SECRET_FILE_BYTES_MAX) {
    const limit = `it is longer than ${SECRET_FILE_BYTES_MAX} octets`;
    throw new Failure("data", `${cannot}: ${limit}; name the file that holds nothing else.`);
  }
  const text = utf8Text(octets);
  if (text === undefined) {
    throw new Failure(
      "data",
      `${cannot}: it is not UTF-8; write it as text, a key as 64 hexadecimal digits.`,
    );
  }
  return { text, sharedMode: sharedMode === undefined ? undefined : warning(path, what, sharedMode) };
}

function warning(path: string, what: string, mode: number): string {
  const shown = visible(path);
  const octal = mode.toString(8).padStart(4, "0");
  return `Others on this machine can reach ${what} in ${shown} (mode ${octal}); run: chmod 600 ${shown}`;
}
