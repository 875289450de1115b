/**
 * The secret that a client's rooms are sealed under on its disk: the file `local.key` in the account's folder, 64
 * hexadecimal digits and a newline.
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8 } from "../wire/bytes.ts";
import { orFailure } from "./file_failure.ts";
import { lockBeside, placePrivateFile } from "./private_file.ts";
import { REST_SECRET_BYTES } from "./row_seal.ts";
import { loadSealSecret } from "./seal_secret_file.ts";

/** The file's name in the account's folder. */
export const LOCAL_KEY_FILE = "local.key";

/**
 * The secret in the file `path`, 32 octets. It is made of `entropy`, mode 0600, where it is missing and `isNew` gives
 * that nothing is sealed yet: a new one in place of one that is lost would open nothing, and hide why.
 *
 * Throws a {@linkcode Failure}: `cannotCreate` where it cannot be made, `noInput` where it cannot be read or is missing,
 * `config` where others can read it, `data` where the file holds no such secret.
 */
export async function loadOrMakeLocalKey(
  path: string,
  { entropy, isNew }: { readonly entropy: Entropy; readonly isNew: () => Promise<boolean> },
): Promise<Bytes> {
  const shown = visible(path);
  // Of two programs that start at once, the second finds what the first has made.
  using _lock = await orFailure(() => lockBeside(path), {
    exit: "cannotCreate",
    cannot: `Cannot keep the key of your rooms in ${shown}`,
    remedy: "make the folder writable, or choose another by SOTTO_CONFIG_DIR",
  });
  const found = await load(path);
  if (found !== undefined) return found;
  if (!await isNew()) {
    throw new Failure(
      "noInput",
      `Cannot open what is kept of your rooms: their key ${shown} is missing; put back your copy of it, or move away ` +
        "local.db beside it: your rooms are read anew then, and what was not sent yet is lost.",
    );
  }
  const secret = entropy(REST_SECRET_BYTES);
  await orFailure(() => placePrivateFile(path, utf8(`${secret.toHex()}\n`)), {
    exit: "cannotCreate",
    cannot: `Cannot keep the key of your rooms in ${shown}`,
    remedy: "make the folder writable, or choose another by SOTTO_CONFIG_DIR",
  });
  return secret;
}

async function load(path: string): Promise<Bytes | undefined> {
  return await loadSealSecret(path, {
    whose: "the key of your rooms",
    remedy: "make it readable, or choose another folder by SOTTO_CONFIG_DIR",
  });
}
