/**
 * Whether to trust a server's host key: from what is known beforehand to what a client does (PROTOCOL §4.6).
 *
 * @module
 */

import type { HostKeyReference } from "../identity/host_key.ts";
import type { HostKeyPin } from "../secure/client_handshake.ts";
import type { Bytes } from "../wire/bytes.ts";

/** What is known of a server before its key is seen. */
export interface Expectation {
  /** What the person said by `--host-key`. */
  readonly given: HostKeyReference | undefined;
  /** What the known-hosts file has for the address. */
  readonly known: Bytes | undefined;
}

/** The key to accept: the one said, else the one known, else none. */
export function pinOf({ given, known }: Expectation): HostKeyPin {
  if (given !== undefined) return given;
  return known === undefined ? { kind: "unknown" } : { kind: "key", publicKey: known };
}

/** What to do about a key that was proved and not accepted. */
export type Judgement =
  /** It is not the key that was said or known: a hard stop. */
  | "changed"
  /** It is met for the first time and a person can be asked. */
  | "ask"
  /** It is met for the first time, at this very machine: taken and remembered. */
  | "accept"
  /** It is met for the first time and there is nobody to ask. */
  | "stop";

/** Judges an unaccepted key. */
export function judge(
  pin: HostKeyPin,
  { terminal, loopback }: { terminal: boolean; loopback: boolean },
): Judgement {
  if (pin.kind !== "unknown") return "changed";
  if (terminal) return "ask";
  return loopback ? "accept" : "stop";
}
