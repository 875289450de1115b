/**
 * The server's host key on disk: `host_key.pem` in its data folder, PKCS #8 in PEM, as openssl writes and
 * reads an Ed25519 key.
 *
 * @module
 */

import { ED25519_KEY_BYTES, type Entropy } from "../crypto/port.ts";
import { base64Octets } from "../identity/base64.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, concat, equal, utf8, utf8Text } from "../wire/bytes.ts";
import { isMissing, orFailure } from "./file_failure.ts";
import { makePrivateFolder, placePrivateFile, type ReadFile, readPrivateFile } from "./private_file.ts";

/** The key's name in the data folder. */
export const HOST_KEY_FILE = "host_key.pem";

/** Longest key file read: ours has 119 octets, and some tools write remarks around the key. */
export const HOST_KEY_FILE_BYTES_MAX = 4_096;

/** What precedes the seed of an Ed25519 key in PKCS #8 (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/** One block of PEM (RFC 7468 §10), whatever stands around it. */
const PEM = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END PRIVATE KEY-----/;

/**
 * The 32-octet seed of the host key in the data folder `folder`. At the first start it is made of `entropy`,
 * and the folder too, for the owner only; of servers that start at once all get the same, and after a crash
 * there is a whole key or none.
 *
 * Throws a {@linkcode Failure}: `cannotCreate` where folder or file cannot be made, `noInput` where the file
 * cannot be read, `config` where others than its owner can read it, `data` where it holds no such key.
 */
export async function loadOrMakeHostKey(folder: string, entropy: Entropy): Promise<Bytes> {
  const path = `${folder}/${HOST_KEY_FILE}`;
  const found = await load(path);
  if (found !== undefined) return found;
  await orFailure(() => make(folder, path, entropy), {
    exit: "cannotCreate",
    cannot: `Cannot write to the data folder ${visible(folder)}`,
    remedy: "choose another with --data-dir",
  });
  // Read again: where several started at once, the key is that of whoever was first.
  const made = await load(path);
  if (made !== undefined) return made;
  throw new Failure(
    "cannotCreate",
    `Cannot keep the host key ${visible(path)}: it vanished once written; start again.`,
  );
}

async function make(folder: string, path: string, entropy: Entropy): Promise<void> {
  await makePrivateFolder(folder);
  await placePrivateFile(path, utf8(encodePem(entropy(ED25519_KEY_BYTES))));
}

/** The seed in a key file, or `undefined` where there is no such file. */
async function load(path: string): Promise<Bytes | undefined> {
  const shown = visible(path);
  const file = await orFailure(() => unlessMissing(path), {
    exit: "noInput",
    cannot: `Cannot read the host key ${shown}`,
    remedy: "make it readable, or choose another data folder with --data-dir",
  });
  if (file === undefined) return undefined;
  if (file.sharedMode !== undefined) {
    const mode = file.sharedMode.toString(8).padStart(4, "0");
    throw new Failure(
      "config",
      `Cannot use the host key ${shown}: others on this machine can reach it (mode ${mode}); ` +
        `run: chmod 600 ${shown}`,
    );
  }
  const seed = file.octets.length > HOST_KEY_FILE_BYTES_MAX ? undefined : decodePem(file.octets);
  if (seed !== undefined) return seed;
  throw new Failure(
    "data",
    `Cannot use the host key ${shown}: it is no Ed25519 key in PKCS #8 PEM; put back your copy of it, or ` +
      "move it away to have a new key made, which every client will ask about.",
  );
}

async function unlessMissing(path: string): Promise<ReadFile | undefined> {
  try {
    return await readPrivateFile(path, HOST_KEY_FILE_BYTES_MAX);
  } catch (error) {
    // Where there can be no such folder, the attempt to make it has the better sentence.
    const hopeless = error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.NotCapable;
    if (isMissing(error) || hopeless) return undefined;
    throw error;
  }
}

function encodePem(seed: Bytes): string {
  const base64 = concat(PKCS8_PREFIX, seed).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}

function decodePem(octets: Bytes): Bytes | undefined {
  const base64 = PEM.exec(utf8Text(octets) ?? "")?.[1]?.replaceAll(/\s/g, "") ?? "";
  const der = base64Octets(base64, PKCS8_PREFIX.length + ED25519_KEY_BYTES);
  if (der === undefined || !equal(der.slice(0, PKCS8_PREFIX.length), PKCS8_PREFIX)) return undefined;
  return der.slice(PKCS8_PREFIX.length);
}
