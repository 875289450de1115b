/**
 * What `--trace` is told of the messages of handshake and login.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { HANDSHAKE_TYPES, type HandshakeName, splitMessages } from "./handshake_message.ts";
import type { NamedLoginMessage } from "./login_message.ts";
import { NO_TRACE, type Tracer } from "./record.ts";

/** Tells of the handshake's messages that `bytes` are. */
export function traceMessages(trace: Tracer, way: "sent" | "received", bytes: Bytes): void {
  if (trace === NO_TRACE) return;
  for (const { type, bytes: message } of splitMessages(bytes) ?? []) {
    const name = HANDSHAKE_NAMES.find((candidate) => HANDSHAKE_TYPES[candidate] === type);
    if (name !== undefined) trace({ kind: "handshake", way, message: name, bytes: message });
  }
}

/** Tells of a message of the login; of those with a secret in them, the length alone. */
export function traceLogin(
  trace: Tracer,
  way: "sent" | "received",
  { name, message }: NamedLoginMessage,
): void {
  if (name === "RegisterStart" || name === "RegisterFinish") {
    trace({ kind: "secretMessage", way, message: name, octets: message.bytes.length });
  } else {
    trace({ kind: "handshake", way, message: name, bytes: message.bytes });
  }
}

const HANDSHAKE_NAMES: readonly HandshakeName[] = [
  "Hello",
  "Reply",
  "HostKey",
  "Signature",
  "Finished",
  "Done",
];
