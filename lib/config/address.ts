/**
 * Addresses as a person types them.
 *
 * @module
 */

import { type Endpoint, parseHost, parsePort, PORT_MAX } from "../identity/endpoint.ts";
import { Failure } from "../text/failure.ts";
import { quoted } from "./quoted.ts";

/** Where a server answers and a client looks when nobody says otherwise. */
export const DEFAULT_ENDPOINT: Endpoint = { host: "127.0.0.1", port: 8_443 };

/** What was said of an endpoint; the rest is asked for, or the default. */
export interface Address {
  /** The host in its one spelling. */
  readonly host: string | undefined;
  /** 1 to 65535. */
  readonly port: number | undefined;
}

/**
 * The parts of HOST, HOST:PORT, [V6], [V6]:PORT, a bare V6, or a port in digits. Throws a {@linkcode Failure}
 * of usage where `text` is none of them, or the port is 0, at which nobody answers.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { parseAddress } from "./address.ts";
 * deepEqual(parseAddress("[::1]:9000"), { host: "::1", port: 9000 });
 * deepEqual(parseAddress("9000"), { host: undefined, port: 9000 });
 * ```
 */
export function parseAddress(text: string): Address {
  if (/^[0-9]+$/.test(text)) return { host: undefined, port: peerPort(text) };
  const whole = parseHost(text);
  if (whole !== undefined) return { host: whole, port: undefined };
  const [, hostText = "", portText = ""] = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text) ?? [];
  const host = parseHost(hostText);
  if (host !== undefined && /^[0-9]+$/.test(portText)) return { host, port: peerPort(portText) };
  throw new Failure("usage", `Cannot understand the address ${quoted(text)}: ${whyNot(text)}.`);
}

/**
 * As {@linkcode parseAddress}, what is not said being taken from `defaults`.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { DEFAULT_ENDPOINT, parseEndpoint } from "./address.ts";
 * deepEqual(parseEndpoint("chat.example.org", DEFAULT_ENDPOINT), { host: "chat.example.org", port: 8443 });
 * ```
 */
export function parseEndpoint(text: string, defaults: Endpoint): Endpoint {
  const { host = defaults.host, port = defaults.port } = parseAddress(text);
  return { host, port };
}

/** The host in `text`, in its one spelling. Throws a {@linkcode Failure} of usage where it is none. */
export function hostFrom(text: string): string {
  const host = parseHost(text);
  if (host !== undefined) return host;
  const rule = "a host is a name or an IP address, without a port";
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} as a host: ${rule}; write it like chat.example.org.`,
  );
}

/** The port in `text`, `least` to 65535. Throws a {@linkcode Failure} of usage where it is none. */
export function portFrom(text: string, least: 0 | 1): number {
  const port = parsePort(text);
  if (port !== undefined && port >= least) return port;
  const rule = `a port is a number from ${least} to ${PORT_MAX}`;
  throw new Failure("usage", `Cannot use ${quoted(text)} as a port: ${rule}; give one of these.`);
}

/**
 * Whether `host`, as {@linkcode parseHost} gives it, is this machine itself: 127.0.0.0/8, ::1 or localhost.
 * Any other spelling or name is none, wherever it may lead.
 *
 * ```ts
 * import { isLoopback } from "./address.ts";
 * console.assert(isLoopback("127.0.0.1"));
 * console.assert(!isLoopback("127.example.org"));
 * ```
 */
export function isLoopback(host: string): boolean {
  const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  return host === "localhost" || host === "::1" || new RegExp(`^127(?:\\.${octet}){3}$`).test(host);
}

/** A port at which someone may answer. */
function peerPort(text: string): number {
  return portFrom(text, 1);
}

function whyNot(text: string): string {
  const scheme = /^[a-z][a-z0-9+.\-]*:\/\//i.exec(text)?.[0];
  const forms = "HOST, HOST:PORT, [IPv6]:PORT or a port";
  if (scheme !== undefined) return `an address is ${forms}; write it without ${quoted(scheme)}`;
  return `it is not ${forms}; write it like chat.example.org:${DEFAULT_ENDPOINT.port}`;
}
