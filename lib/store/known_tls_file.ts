/**
 * The servers that a client has talked to through TLS, on its disk, one line each beside the known hosts: the
 * certificates that it trusts there beside the system's, as a person can see and remove them.
 *
 *     chat.example.org:8443 tls
 *     localhost:8443 tls MIIBpDCC…
 *
 * A blank line, and one that begins with `#`, says nothing and is kept.
 *
 * @module
 */

import { type Endpoint, endpointText, parseEndpointText } from "../identity/endpoint.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8, utf8Text } from "../wire/bytes.ts";
import { orFailure } from "./file_failure.ts";
import { lockBeside, readPrivateFileIfThere, replacePrivateFile } from "./private_file.ts";

/** Longest file: a thousand servers with a certificate of their own, or ten with the longest `--tls-ca` file. */
export const KNOWN_TLS_FILE_BYTES_MAX = 1_048_576;

/** One server. */
export interface KnownTls {
  /** Where it answered. */
  readonly endpoint: Endpoint;
  /** The certificates trusted there beside the system's, in DER. */
  readonly certificates: readonly Bytes[];
}

/** What follows HOST:PORT. */
const TYPE = "tls";

/**
 * What is remembered of `endpoint` in the file `path`: its certificates, or `undefined` where it, or the file, is not
 * there. Throws a {@linkcode Failure}: `noInput` where the file cannot be read, `data` where it is damaged: to skip a
 * line could be to talk without TLS.
 */
export async function readKnownTls(path: string, endpoint: Endpoint): Promise<readonly Bytes[] | undefined> {
  const { servers } = await read(path);
  return servers.find((server) => isAt(server, endpoint))?.certificates;
}

/**
 * Remembers that `endpoint` is talked to through TLS, and trusting `certificates`; in the place of others, since a person
 * has said so. The file is made where it is missing, mode 0600, as is its folder, mode 0700; it is replaced in one step,
 * and of several clients that write at once each line stays. Throws a {@linkcode Failure}: those of
 * {@linkcode readKnownTls}, `cannotCreate` where the file cannot be written or would be too long.
 */
export async function keepKnownTls(
  path: string,
  endpoint: Endpoint,
  certificates: readonly Bytes[],
): Promise<void> {
  await orFailure(() => replace(path, { endpoint, certificates }), {
    exit: "cannotCreate",
    cannot: `Cannot remember the TLS certificate in ${visible(path)}`,
    remedy: "make it writable, or choose another folder by SOTTO_CONFIG_DIR",
  });
}

async function replace(path: string, server: KnownTls): Promise<void> {
  using _lock = await lockBeside(path);
  const { text } = await read(path);
  const others = text.split("\n").filter((line) => {
    const there = parseLine(line);
    return there === undefined || !isAt(there, server.endpoint);
  }).join("\n");
  const kept = others === "" || others.endsWith("\n") ? others : `${others}\n`;
  const octets = utf8(`${kept}${lineOf(server)}\n`);
  if (octets.length > KNOWN_TLS_FILE_BYTES_MAX) {
    const why = `the file would be longer than ${KNOWN_TLS_FILE_BYTES_MAX} octets; remove lines from it`;
    throw new Failure("cannotCreate", `Cannot remember the TLS certificate in ${visible(path)}: ${why}.`);
  }
  await replacePrivateFile(path, octets);
}

function lineOf({ endpoint, certificates }: KnownTls): string {
  return [endpointText(endpoint), TYPE, ...certificates.map((der) => der.toBase64())].join(" ");
}

function isAt({ endpoint }: KnownTls, { host, port }: Endpoint): boolean {
  return endpoint.host === host && endpoint.port === port;
}

async function read(path: string): Promise<{ readonly text: string; readonly servers: readonly KnownTls[] }> {
  const cannot = `Cannot read the TLS certificates of known hosts in ${visible(path)}`;
  const file = await orFailure(() => readPrivateFileIfThere(path, KNOWN_TLS_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot,
    remedy: "make it readable, or choose another folder by SOTTO_CONFIG_DIR",
  });
  const octets = file?.octets ?? new Uint8Array(0);
  if (octets.length > KNOWN_TLS_FILE_BYTES_MAX) {
    const limit = `it is longer than ${KNOWN_TLS_FILE_BYTES_MAX} octets`;
    throw new Failure("data", `${cannot}: ${limit}; move it away.`);
  }
  const text = utf8Text(octets);
  if (text === undefined) throw new Failure("data", `${cannot}: it is not UTF-8; correct it.`);
  const servers: KnownTls[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const server = parseLine(line);
    const why = server === undefined
      ? `is not HOST:PORT ${TYPE} and certificates in base64`
      : servers.some((above) => isAt(above, server.endpoint))
      ? "is of the same server as a line above it"
      : undefined;
    if (server !== undefined && why === undefined) servers.push(server);
    else throw new Failure("data", `${cannot}: line ${at + 1} ${why}; correct or remove that line.`);
  }
  return { text, servers };
}

function parseLine(line: string): KnownTls | undefined {
  const [where = "", type, ...base64] = line.trim().split(/[ \t]+/);
  const endpoint = parseEndpointText(where);
  const certificates = base64.map(octetsOf).filter((der) => der !== undefined);
  const isWhole = type === TYPE && certificates.length === base64.length;
  return endpoint === undefined || !isWhole ? undefined : { endpoint, certificates };
}

function octetsOf(base64: string): Bytes | undefined {
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
