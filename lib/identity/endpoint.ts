/**
 * Where a server answers: a host and a port, in the one spelling under which it is known, so that two
 * spellings of an address never count as two servers.
 *
 * @module
 */

/** The highest TCP port (RFC 9293 §3.1: a 16-bit field). */
export const PORT_MAX = 65_535;

/** Longest host name, dots included (RFC 1035 §2.3.4, less the octets that its wire form adds). */
export const HOST_CHARS_MAX = 253;

/** Host and port of a server. */
export interface Endpoint {
  /** A host as {@linkcode parseHost} gives it: an IPv6 address stands without brackets. */
  readonly host: string;
  /** 0 to {@linkcode PORT_MAX}; 0 asks for a free one. */
  readonly port: number;
}

/**
 * A host in its one spelling, or `undefined` where `text` is none: a name in lower case (ASCII; other letters
 * in Punycode), an IPv4 address as four numbers, an IPv6 address after RFC 5952, with or without brackets in
 * `text` and without them in the result. Zones (`%eth0`) are refused.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parseHost } from "./endpoint.ts";
 * equal(parseHost("Chat.Example.org"), "chat.example.org");
 * equal(parseHost("[0:0:0:0:0:0:0:1]"), "::1");
 * equal(parseHost("a b"), undefined);
 * ```
 */
export function parseHost(text: string): string | undefined {
  const address = /^\[([0-9a-f:.]+)\]$|^([0-9a-f:.]*:[0-9a-f:.]*)$/i.exec(text);
  const v6 = address?.[1] ?? address?.[2];
  if (v6 !== undefined) return urlHost(`[${v6}]`)?.slice(1, -1);
  // All that a URL gives a meaning of its own, or silently drops, is refused before one is made.
  if (!/^[\p{L}\p{M}\p{N}._\-]+$/u.test(text)) return undefined;
  const host = urlHost(text);
  return host !== undefined && isName(host) ? host : undefined;
}

/**
 * A port of 1 to 5 decimal digits, 0 to {@linkcode PORT_MAX}, or `undefined` where `text` is none.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parsePort } from "./endpoint.ts";
 * equal(parsePort("8443"), 8443);
 * equal(parsePort("65536"), undefined);
 * ```
 */
export function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= PORT_MAX ? port : undefined;
}

/**
 * An endpoint as a person reads it and {@linkcode parseEndpointText} takes it back.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { endpointText } from "./endpoint.ts";
 * equal(endpointText({ host: "::1", port: 8443 }), "[::1]:8443");
 * ```
 */
export function endpointText({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The endpoint of `HOST:PORT` or `[V6]:PORT`, both parts given, or `undefined` where `text` is none. */
export function parseEndpointText(text: string): Endpoint | undefined {
  const [, hostText, portText] = /^(\[[^\]]*\]|[^:]+):([0-9]+)$/.exec(text) ?? [];
  if (hostText === undefined || portText === undefined) return undefined;
  const host = parseHost(hostText);
  const port = parsePort(portText);
  return host === undefined || port === undefined ? undefined : { host, port };
}

function urlHost(text: string): string | undefined {
  const url = `http://${text}/`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function isName(host: string): boolean {
  return host.length <= HOST_CHARS_MAX && /^[a-z0-9_](?:[a-z0-9_\-]|\.(?=[a-z0-9_]))*\.?$/.test(host);
}
