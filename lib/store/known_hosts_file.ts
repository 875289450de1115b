/**
 * The client's known hosts on disk.
 *
 * @module
 */

import { type Endpoint, endpointText } from "../identity/endpoint.ts";
import { knownHostKey, type KnownHosts, parseKnownHosts, withKnownHost } from "../identity/known_hosts.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, equal, utf8, utf8Text } from "../wire/bytes.ts";
import { orFailure } from "./file_failure.ts";
import { lockBeside, readPrivateFileIfThere, replacePrivateFile } from "./private_file.ts";

/** Longest known-hosts file read: some ten thousand servers, more than anyone trusts. */
export const KNOWN_HOSTS_FILE_BYTES_MAX = 1_048_576;

/**
 * The known hosts in the file `path`; none where there is no such file. Throws a {@linkcode Failure}:
 * `noInput` where it cannot be read, `data` where a line of it is malformed or contradicts another.
 */
export async function readKnownHosts(path: string): Promise<KnownHosts> {
  return (await read(path)).known;
}

/**
 * Adds a line for `endpoint` to the file `path`, made where it is missing, mode 0600, as is its folder, mode
 * 0700. The file is replaced in one step, and of several clients that add at once each line stays. Throws a
 * {@linkcode Failure}: those of {@linkcode readKnownHosts}, `protocol` where `endpoint` has got another key
 * there since it was read, `cannotCreate` where the file cannot be written.
 */
export async function appendKnownHost(path: string, endpoint: Endpoint, publicKey: Bytes): Promise<void> {
  await orFailure(() => append(path, endpoint, publicKey), {
    exit: "cannotCreate",
    cannot: `Cannot remember the host key in ${visible(path)}`,
    remedy: "make it writable, or choose another folder by SOTTO_CONFIG_DIR",
  });
}

async function append(path: string, endpoint: Endpoint, publicKey: Bytes): Promise<void> {
  using _lock = await lockBeside(path);
  const { text, known } = await read(path);
  const met = knownHostKey(known, endpoint);
  if (met !== undefined && !equal(met, publicKey)) {
    throw new Failure(
      "protocol",
      `Cannot trust ${visible(endpointText(endpoint))}: meanwhile ${
        visible(path)
      } has another host key for it; ` +
        "find out from its operator which one is right.",
    );
  }
  const longer = withKnownHost(text, endpoint, publicKey);
  if (longer !== text) await replacePrivateFile(path, utf8(longer));
}

async function read(path: string): Promise<{ readonly text: string; readonly known: KnownHosts }> {
  const shown = visible(path);
  const file = await orFailure(() => readPrivateFileIfThere(path, KNOWN_HOSTS_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot: `Cannot read the known hosts in ${shown}`,
    remedy: "make it readable, or choose another folder by SOTTO_CONFIG_DIR",
  });
  const octets = file?.octets ?? new Uint8Array(0);
  if (octets.length > KNOWN_HOSTS_FILE_BYTES_MAX) {
    const limit = `it is longer than ${KNOWN_HOSTS_FILE_BYTES_MAX} octets`;
    throw new Failure("data", `Cannot read the known hosts in ${shown}: ${limit}; move it away.`);
  }
  const text = utf8Text(octets);
  if (text === undefined) {
    throw new Failure("data", `Cannot read the known hosts in ${shown}: it is not UTF-8; correct it.`);
  }
  const known = parseKnownHosts(text);
  if (known.kind === "knownHosts") return { text, known };
  throw new Failure(
    "data",
    `Cannot read the known hosts in ${shown}: line ${known.line} ${known.why}; correct or remove that line.`,
  );
}
