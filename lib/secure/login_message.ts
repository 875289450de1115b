/**
 * The messages of a login as the channel sees them: `u8 type | u16 length | fields`, one alone in a record
 * (PROTOCOL §4.7). What the fields mean is the business of lib/login; here they have a type and a way.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { type HandshakeMessage, splitMessages } from "./handshake_message.ts";
import { LOGIN_TYPES, type LoginName } from "../wire/login_type.ts";

/** Which end of a channel. */
export type Role = "client" | "server";

const SENT_BY: Readonly<Record<Role, readonly LoginName[]>> = {
  client: ["RegisterStart", "RegisterFinish", "LoginStart", "LoginFinish", "DeviceLogin"],
  server: ["RegisterReply", "LoginReply", "Refused"],
};

/** A login message with its name. */
export interface NamedLoginMessage {
  /** What it is. */
  readonly name: LoginName;
  /** The message itself. */
  readonly message: HandshakeMessage;
}

/** The one login message that `content` is; `undefined` where it is none, more than one, or not for `sender` to send. */
export function parseLoginMessage(content: Bytes, sender: Role): NamedLoginMessage | undefined {
  const [message, ...rest] = splitMessages(content) ?? [];
  const name = SENT_BY[sender].find((candidate) => LOGIN_TYPES[candidate] === message?.type);
  return message === undefined || name === undefined || rest.length > 0 ? undefined : { name, message };
}
