/**
 * Known hosts: which host key a client has met where, one line each, as a person can read and edit it:
 *
 *     # met in the office
 *     chat.example.org:8443 sotto-ed25519 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
 *
 * A blank line, and one that begins with `#`, says nothing and is kept.
 *
 * @module
 */

import { visible } from "../text/visible.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { type Endpoint, endpointText, parseEndpointText } from "./endpoint.ts";
import { HOST_KEY_TYPE, parseHostKey } from "./host_key.ts";

/** One line of known hosts. */
export interface KnownHost {
  /** Where the server answered. */
  readonly endpoint: Endpoint;
  /** The key it proved there, 32 octets. */
  readonly publicKey: Bytes;
}

/** Known hosts as read; no endpoint is there with two keys. */
export interface KnownHosts {
  /** Told from a fault by this. */
  readonly kind: "knownHosts";
  /** In the order of their lines. */
  readonly hosts: readonly KnownHost[];
}

/** Why a text is no known hosts: to skip a line would be to forget a key that someone trusted. */
export interface KnownHostsFault {
  /** Told from known hosts by this. */
  readonly kind: "fault";
  /** The line at fault, counted from 1. */
  readonly line: number;
  /** What is wrong with it, to follow "line N"; safe for a terminal. */
  readonly why: string;
}

/**
 * Reads known hosts; lines end in LF or CRLF.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parseKnownHosts } from "./known_hosts.ts";
 * equal(parseKnownHosts("# nothing yet\n").kind, "knownHosts");
 * equal(parseKnownHosts("localhost:8443 ssh-rsa AAAA\n").kind, "fault");
 * ```
 */
export function parseKnownHosts(text: string): KnownHosts | KnownHostsFault {
  const hosts: KnownHost[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const host = parseLine(line);
    if (host === undefined) {
      return { kind: "fault", line: at + 1, why: `is not HOST:PORT ${HOST_KEY_TYPE} BASE64` };
    }
    const known = keyAt(hosts, host.endpoint);
    if (known !== undefined && !equal(known, host.publicKey)) {
      const where = visible(endpointText(host.endpoint));
      return { kind: "fault", line: at + 1, why: `gives ${where} another key than a line above it` };
    }
    hosts.push(host);
  }
  return { kind: "knownHosts", hosts };
}

/** The host key known for `endpoint`, 32 octets, or `undefined` where none is. */
export function knownHostKey(known: KnownHosts, endpoint: Endpoint): Bytes | undefined {
  return keyAt(known.hosts, endpoint);
}

/**
 * `text` with a line more, all else kept as it was; or `text` itself where it says so already. Throws a
 * `RangeError` where `text` is at fault, or gives `endpoint` another key: a key that someone trusted is
 * replaced by a person only.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { withKnownHost } from "./known_hosts.ts";
 * equal(
 *   withKnownHost("# mine", { host: "::1", port: 8443 }, new Uint8Array(32)),
 *   `# mine\n[::1]:8443 sotto-ed25519 ${"A".repeat(43)}=\n`,
 * );
 * ```
 */
export function withKnownHost(text: string, endpoint: Endpoint, publicKey: Bytes): string {
  const known = parseKnownHosts(text);
  if (known.kind === "fault") {
    throw new RangeError(`Cannot add a known host: line ${known.line} ${known.why}`);
  }
  const key = knownHostKey(known, endpoint);
  if (key !== undefined) {
    if (equal(key, publicKey)) return text;
    throw new RangeError(`Cannot add a known host: ${endpointText(endpoint)} is known by another key`);
  }
  const kept = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${kept}${endpointText(endpoint)} ${HOST_KEY_TYPE} ${publicKey.toBase64()}\n`;
}

function parseLine(line: string): KnownHost | undefined {
  const [where = "", type, key = "", ...rest] = line.trim().split(/[ \t]+/);
  const endpoint = parseEndpointText(where);
  const publicKey = parseHostKey(key);
  if (endpoint === undefined || publicKey === undefined) return undefined;
  return type === HOST_KEY_TYPE && rest.length === 0 ? { endpoint, publicKey } : undefined;
}

function keyAt(hosts: readonly KnownHost[], { host, port }: Endpoint): Bytes | undefined {
  return hosts.find(({ endpoint }) => endpoint.host === host && endpoint.port === port)?.publicKey;
}
