/**
 * The secret that a server's rooms and files are sealed under on disk: `rest.key` in its data folder, or a file
 * elsewhere, so that a copy of the folder alone opens nothing. It is 64 hexadecimal digits and a newline.
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8 } from "../wire/bytes.ts";
import { orFailure } from "./file_failure.ts";
import { folderOf, makePrivateFolder, placePrivateFile } from "./private_file.ts";
import { REST_SECRET_BYTES } from "./row_seal.ts";
import { loadSealSecret } from "./seal_secret_file.ts";

/** The key's name in the data folder. */
export const REST_KEY_FILE = "rest.key";

/** Where the key of a data folder is. */
export interface RestKeyPlace {
  /** The data folder. */
  readonly dataDir: string;
  /** The file that `--key-file` names; `undefined` for the one in the data folder. */
  readonly keyFile: string | undefined;
}

/** The path of the key. */
export function restKeyPath({ dataDir, keyFile }: RestKeyPlace): string {
  return keyFile ?? `${dataDir}/${REST_KEY_FILE}`;
}

/**
 * The key, 32 octets. It is made of `entropy` where it is missing and `isNew` gives that nothing is sealed yet: a new
 * one in place of one that is lost would open nothing, and hide why.
 *
 * Throws a {@linkcode Failure}: `cannotCreate` where it cannot be made, `noInput` where it cannot be read or is missing,
 * `config` where others can read it, `data` where the file holds no such key.
 */
export async function loadOrMakeRestKey(
  place: RestKeyPlace,
  { entropy, isNew }: { readonly entropy: Entropy; readonly isNew: () => Promise<boolean> },
): Promise<Bytes> {
  const path = restKeyPath(place);
  const found = await loadRestKey(path);
  if (found !== undefined) return found;
  if (!await isNew()) {
    throw new Failure(
      "noInput",
      `Cannot open the rooms in ${visible(place.dataDir)}: their key ${visible(path)} is missing; ` +
        "put back your copy of it, or name it by --key-file.",
    );
  }
  await orFailure(() => make(path, entropy), {
    exit: "cannotCreate",
    cannot: `Cannot keep the key of the rooms in ${visible(path)}`,
    remedy: "choose another place with --key-file or --data-dir",
  });
  // Read again: where several started at once, the key is that of whoever was first.
  const made = await loadRestKey(path);
  if (made !== undefined) return made;
  throw new Failure(
    "cannotCreate",
    `Cannot keep the key of the rooms in ${visible(path)}: it vanished once written; start again.`,
  );
}

/** The key in the file `path`; `undefined` where there is none. Throws as {@linkcode loadOrMakeRestKey}. */
export async function loadRestKey(path: string): Promise<Bytes | undefined> {
  return await loadSealSecret(path, {
    whose: "the key of the rooms",
    remedy: "make it readable, or name another by --key-file",
  });
}

async function make(path: string, entropy: Entropy): Promise<void> {
  await makePrivateFolder(folderOf(path));
  await placePrivateFile(path, utf8(`${entropy(REST_SECRET_BYTES).toHex()}\n`));
}
