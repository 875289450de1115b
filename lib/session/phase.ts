/**
 * One peer of the server after its handshake, as a value: what it may send when, and what follows.
 *
 *     awaitingJoin ▸ ready ▸ leaving
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import { BEFORE_LOGIN_BYTES_MAX, LOGIN_MS_MAX } from "../wire/limits.ts";
import { type ClientMessage, decodeClientMessage, type Join, type Send } from "../wire/message.ts";

/** Where a peer stands. */
export type Phase =
  /** It has not been let in; `since` is when it was accepted, in milliseconds, `bytes` all that it has sent. */
  | { readonly kind: "awaitingJoin"; readonly since: number; readonly bytes: number }
  /** It is in the lobby. */
  | { readonly kind: "ready" }
  /** One of the two has closed; requests are no longer taken. */
  | { readonly kind: "leaving" };

/** What a session has to do next. */
export type Action =
  /** Ask the rules. */
  | { readonly kind: "submit"; readonly request: Join | Send }
  /** Close with a reason. */
  | { readonly kind: "close"; readonly reason: CloseReason }
  /** End without a word: a stranger gets none. */
  | { readonly kind: "drop" }
  /** Nothing. */
  | { readonly kind: "none" };

/** Counts bytes of a peer that is not in, and drops it where they are too many for an honest client. */
export function receiveBytes(
  phase: Phase,
  count: number,
): { readonly phase: Phase; readonly action: Action } {
  if (phase.kind !== "awaitingJoin") return { phase, action: { kind: "none" } };
  const bytes = phase.bytes + count;
  if (bytes > BEFORE_LOGIN_BYTES_MAX) return { phase: { kind: "leaving" }, action: { kind: "drop" } };
  return { phase: { ...phase, bytes }, action: { kind: "none" } };
}

/** What an application message of a peer leads to. */
export function receiveMessage(
  phase: Phase,
  bytes: Bytes,
): { readonly phase: Phase; readonly action: Action } {
  if (phase.kind === "leaving") return { phase, action: { kind: "none" } };
  const message = decodeClientMessage(bytes);
  if (message === undefined || !mayCome(phase, message)) {
    return { phase: { kind: "leaving" }, action: { kind: "close", reason: "protocolFault" } };
  }
  return { phase, action: { kind: "submit", request: message } };
}

/** Before it is let in, a peer may ask for that and nothing else; what comes unexpected closes (PROTOCOL §7). */
function mayCome(phase: Phase, message: ClientMessage): boolean {
  return phase.kind === "ready" || message.type === "join";
}

/** What the passing of time leads to. */
export function tick(phase: Phase, now: number): { readonly phase: Phase; readonly action: Action } {
  if (phase.kind !== "awaitingJoin" || now - phase.since < LOGIN_MS_MAX) {
    return { phase, action: { kind: "none" } };
  }
  return { phase: { kind: "leaving" }, action: { kind: "close", reason: "loginTimeout" } };
}
