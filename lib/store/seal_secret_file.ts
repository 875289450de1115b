/**
 * A secret that things on a disk are sealed under, in a file of its own: 64 hexadecimal digits and a newline.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8Text } from "../wire/bytes.ts";
import { orFailure } from "./file_failure.ts";
import { readPrivateFileIfThere } from "./private_file.ts";

/** Longest file read, in octets: the digits, with the white space that editors leave. */
export const SEAL_SECRET_FILE_BYTES_MAX = 128;

const DIGITS = /^[0-9a-f]{64}$/;

/**
 * The 32 octets in the file `path`; `undefined` where there is none. `whose` names the key in sentences, `remedy` says
 * what to do where it cannot be read. Throws a {@linkcode Failure}: `noInput` where it cannot be read, `config` where
 * others can read it, `data` where it holds no such secret.
 */
export async function loadSealSecret(
  path: string,
  { whose, remedy }: { readonly whose: string; readonly remedy: string },
): Promise<Bytes | undefined> {
  const shown = visible(path);
  const file = await orFailure(() => readPrivateFileIfThere(path, SEAL_SECRET_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot: `Cannot read ${whose} in ${shown}`,
    remedy,
  });
  if (file === undefined) return undefined;
  if (file.sharedMode !== undefined) {
    const mode = file.sharedMode.toString(8).padStart(4, "0");
    throw new Failure(
      "config",
      `Cannot use ${whose} in ${shown}: others on this machine can reach it (mode ${mode}); run: chmod 600 ${shown}`,
    );
  }
  const text = file.octets.length > SEAL_SECRET_FILE_BYTES_MAX ? undefined : utf8Text(file.octets)?.trim();
  if (text !== undefined && DIGITS.test(text)) return Uint8Array.fromHex(text);
  throw new Failure(
    "data",
    `Cannot use ${whose} in ${shown}: it is not 64 hexadecimal digits; put back your copy of it.`,
  );
}
