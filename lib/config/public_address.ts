/**
 * Where others reach a server, which is not always where it listens: invitations name it.
 *
 * @module
 */

import type { Endpoint } from "../identity/endpoint.ts";
import { Failure } from "../text/failure.ts";
import { parseAddress } from "./address.ts";
import { quoted } from "./quoted.ts";

/** A server's address as its operator says it; without a port, it is the one that the server listens on. */
export interface PublicAddress {
  /** A host in its one spelling. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number | undefined;
}

/** Addresses that mean all of a machine, and what reaches a server there from the machine itself. */
const ALL_ADDRESSES: ReadonlyMap<string, string> = new Map([["0.0.0.0", "127.0.0.1"], ["::", "::1"]]);

/** The address in `text`, HOST or HOST:PORT. Throws a {@linkcode Failure} of usage where it is none. */
export function publicAddressFrom(text: string): PublicAddress {
  const { host, port } = parseAddress(text);
  if (host !== undefined && !ALL_ADDRESSES.has(host)) return { host, port };
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} as an address: nobody can connect to it from elsewhere; ` +
      "write HOST or HOST:PORT, like chat.example.org:8443.",
  );
}

/**
 * What invitations to a server that listens at `at` name: `address` where it was said. `warning` is a sentence for the
 * operator, where only this machine reaches what they name though the server listens on more.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { invitedEndpoint } from "./public_address.ts";
 * const at = { host: "0.0.0.0", port: 8443 };
 * deepEqual(invitedEndpoint(at, { host: "chat.example.org", port: undefined }).endpoint, {
 *   host: "chat.example.org",
 *   port: 8443,
 * });
 * ```
 */
export function invitedEndpoint(
  at: Endpoint,
  address: PublicAddress | undefined,
): { readonly endpoint: Endpoint; readonly warning: string | undefined } {
  if (address !== undefined) {
    return { endpoint: { host: address.host, port: address.port ?? at.port }, warning: undefined };
  }
  const host = ALL_ADDRESSES.get(at.host);
  if (host === undefined) return { endpoint: at, warning: undefined };
  const warning =
    `Invitations name ${host}, which is this machine only; give --address HOST:PORT as others reach it`;
  return { endpoint: { host, port: at.port }, warning };
}
