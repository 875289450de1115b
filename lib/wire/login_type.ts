/**
 * The types of a login's messages, which both the channel and the login itself go by (PROTOCOL §4.7).
 *
 * @module
 */

/**
 * By name; they go on from those of the handshake. The server sends those that end in Reply, and Refused; the client the
 * others.
 */
export const LOGIN_TYPES = {
  RegisterStart: 7,
  RegisterReply: 8,
  RegisterFinish: 9,
  LoginStart: 10,
  LoginReply: 11,
  LoginFinish: 12,
  DeviceLogin: 13,
  Refused: 14,
} as const;

/** A message's name. */
export type LoginName = keyof typeof LOGIN_TYPES;
