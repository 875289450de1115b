/**
 * Why an end closes a connection: the two octets inside an authenticated close (PROTOCOL §5.5).
 *
 * @module
 */

import { type Bytes, u16 } from "./bytes.ts";

/** The reason of a close, as programs name it. */
export type CloseReason = keyof typeof CLOSE_CODES;

const CLOSE_CODES = {
  /** Whoever sent it has finished; nothing went wrong. */
  done: 0,
  /** The server ends; connect again later. */
  shuttingDown: 1,
  /** The connection is a day old; connect again now. */
  reconnect: 2,
  /** The peer reads more slowly than its messages come, and its queue is full. */
  tooSlow: 3,
  /** The peer sent something that this protocol does not allow where it came. */
  protocolFault: 4,
  /** The peer did not say who it is in time. */
  loginTimeout: 5,
  /** The device was revoked by its owner. */
  deviceRevoked: 6,
  /** The account was disabled or removed. */
  accountClosed: 7,
} as const;

/** All reasons, in the order of their codes. */
export const CLOSE_REASONS: readonly CloseReason[] = [
  "done",
  "shuttingDown",
  "reconnect",
  "tooSlow",
  "protocolFault",
  "loginTimeout",
  "deviceRevoked",
  "accountClosed",
];

/** The content of a close record. */
export function encodeClose(reason: CloseReason): Bytes {
  return u16(CLOSE_CODES[reason]);
}

/** The reason in a close record; `undefined` where it is not two octets with a code of the table. */
export function decodeClose(content: Bytes): CloseReason | undefined {
  const [high, low] = content;
  if (content.length !== 2 || high === undefined || low === undefined) return undefined;
  return CLOSE_REASONS.find((reason) => CLOSE_CODES[reason] === high * 256 + low);
}
