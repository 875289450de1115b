/**
 * The keys of this device on the client's disk: the file `keys` in the account's folder.
 *
 * @module
 */

import * as v from "valibot";
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8, utf8Text } from "../wire/bytes.ts";
import { DEVICE_LIST_BYTES_MAX } from "../wire/limits.ts";
import type { Keys } from "../wire/message.ts";
import { accountFolder, type ServerFolder } from "./account_folder.ts";
import { orFailure } from "./file_failure.ts";
import { lockBeside, readPrivateFileIfThere, replacePrivateFile } from "./private_file.ts";

/** The file's name in the account's folder. */
export const OWN_KEYS_FILE = "keys";

/** Longest file read: twice what the longest device list makes of it in base64. */
export const OWN_KEYS_FILE_BYTES_MAX = 16_384;

/** The secrets of this device, and the newest device list that it knows to be its account's. */
export interface OwnKeys {
  /** Whether the server is known to have taken `keys`. */
  readonly published: boolean;
  /** The seed of the device's signing key, 32 octets. */
  readonly deviceSeed: Bytes;
  /** The seed of the account's identity key, 32 octets. */
  readonly identitySeed: Bytes;
  /** The device list with its signature, and the identity key that made it. */
  readonly keys: Keys;
}

/** Says what the file is, and how it is written. */
const FORMAT = "sotto own keys 1";

const FileSchema = v.strictObject({
  format: v.literal(FORMAT),
  published: v.boolean(),
  deviceSeed: octets(ED25519_KEY_BYTES),
  identitySeed: octets(ED25519_KEY_BYTES),
  keys: v.strictObject({
    identity: octets(ED25519_KEY_BYTES),
    list: octets(1, DEVICE_LIST_BYTES_MAX),
    signature: octets(ED25519_SIGNATURE_BYTES),
  }),
});

/**
 * The own keys of all accounts on one server. It remembers what it has read and written: nothing that another program
 * has written meanwhile is ever replaced, since a lost identity is lost for ever.
 */
export class OwnKeysFiles {
  readonly #server: ServerFolder;
  /** By account, the text of the file as it was here last; none where there was no file. */
  readonly #seen = new Map<Handle, string | undefined>();

  /** Touches nothing yet. */
  constructor(server: ServerFolder) {
    this.#server = server;
  }

  /**
   * What is kept of `handle`, or `undefined` where there is no file. Throws a {@linkcode Failure}: `noInput` where it
   * cannot be read, `config` where others can reach it, `data` where it is damaged.
   */
  async load(handle: Handle): Promise<OwnKeys | undefined> {
    const path = this.#path(handle);
    const text = await textIn(path);
    const keys = text === undefined ? undefined : decode(text, path);
    this.#seen.set(handle, text);
    return keys;
  }

  /**
   * Keeps `keys`, mode 0600 in a folder of mode 0700; they are on the disk once this settles. Throws a
   * {@linkcode Failure}: `cannotCreate` where the file cannot be written, `temporary` where it is not as it was loaded
   * or saved last here, and those of {@linkcode load}.
   */
  async save(handle: Handle, keys: OwnKeys): Promise<void> {
    const path = this.#path(handle);
    const text = encode(keys);
    await orFailure(() => this.#replace(path, text, handle), {
      exit: "cannotCreate",
      cannot: `Cannot keep your keys in ${visible(path)}`,
      remedy: "make the folder writable, or choose another by SOTTO_CONFIG_DIR",
    });
  }

  async #replace(path: string, text: string, handle: Handle): Promise<void> {
    using _lock = await lockBeside(path);
    if (await textIn(path) !== this.#seen.get(handle)) {
      throw new Failure(
        "temporary",
        `Cannot keep your keys in ${visible(path)}: another client of yours has changed them meanwhile; ` +
          "start this one again.",
      );
    }
    await replacePrivateFile(path, utf8(text));
    this.#seen.set(handle, text);
  }

  #path(handle: Handle): string {
    return `${accountFolder(this.#server, handle)}/${OWN_KEYS_FILE}`;
  }
}

function encode({ published, deviceSeed, identitySeed, keys }: OwnKeys): string {
  const { identity, list, signature } = keys;
  const file: v.InferInput<typeof FileSchema> = {
    format: FORMAT,
    published,
    deviceSeed: deviceSeed.toBase64(),
    identitySeed: identitySeed.toBase64(),
    keys: { identity: identity.toBase64(), list: list.toBase64(), signature: signature.toBase64() },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function decode(text: string, path: string): OwnKeys {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), FileSchema), text);
  // One spelling: a field given twice, or base64 with loose ends, is no file of ours.
  if (!parsed.success || encode(parsed.output) !== text) throw damage(path);
  const { published, deviceSeed, identitySeed, keys } = parsed.output;
  return { published, deviceSeed, identitySeed, keys };
}

async function textIn(path: string): Promise<string | undefined> {
  const file = await orFailure(() => readPrivateFileIfThere(path, OWN_KEYS_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot: `Cannot read your keys in ${visible(path)}`,
    remedy: "make it readable, or choose another folder by SOTTO_CONFIG_DIR",
  });
  if (file === undefined) return undefined;
  if (file.sharedMode !== undefined) {
    const mode = file.sharedMode.toString(8).padStart(4, "0");
    throw new Failure(
      "config",
      `Cannot use your keys in ${visible(path)}: others on this machine can reach them (mode ${mode}); ` +
        `run: chmod 600 ${visible(path)}`,
    );
  }
  const text = file.octets.length > OWN_KEYS_FILE_BYTES_MAX ? undefined : utf8Text(file.octets);
  if (text === undefined) throw damage(path);
  return text;
}

/** None of the file's content is repeated: all of it is secret. */
function damage(path: string): Failure {
  return new Failure(
    "data",
    `Cannot use your keys in ${visible(path)}: the file is damaged; put back your copy of it, or move it ` +
      "away and enrol this device anew.",
  );
}

/** Octets in base64, `length` of them, or up to `lengthMax`. */
function octets(length: number, lengthMax = length) {
  return v.pipe(
    v.string(),
    v.base64(),
    v.transform((text): Bytes => Uint8Array.fromBase64(text)),
    v.minLength(length),
    v.maxLength(lengthMax),
  );
}
