/**
 * Signatures of notices: what the host key signs, because no account said it (PROTOCOL §6).
 *
 *     "sotto/1 notice" 00 | room id 16 | notice id 16 | L(source) | L(name) | u16 length of text | text
 *
 * @module
 */

import type { SigningKey, VerifyingKey } from "../crypto/port.ts";
import { type Bytes, concat, lengthPrefixed, u16, utf8 } from "../wire/bytes.ts";
import type { Notice } from "../wire/message.ts";
import { requireIds } from "./entry_signature.ts";

const LABEL = utf8("sotto/1 notice\0");

/** What the host key vouches for: that this server let it be said, and no more. */
export interface NoticeClaim {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** The notice's id, 16 octets. */
  readonly id: Bytes;
  /** Who of those without an account said it. */
  readonly source: Notice["source"];
  /** Under which name; up to 255 octets. */
  readonly name: string;
  /** What was said; up to 65,535 octets. */
  readonly text: string;
}

/** The host key's signature, 64 octets. Throws a `RangeError` where an id or text of ours has no length that fits. */
export function signNotice(hostKey: SigningKey, claim: NoticeClaim): Promise<Bytes> {
  return hostKey.sign(signedOctets(claim));
}

/** Whether `signature` is the host key's for the notice. Throws as {@linkcode signNotice}. */
export function verifyNotice(hostKey: VerifyingKey, claim: NoticeClaim, signature: Bytes): Promise<boolean> {
  return hostKey.verify(signedOctets(claim), signature);
}

function signedOctets({ room, id, source, name, text }: NoticeClaim): Bytes {
  requireIds(room, id);
  const said = utf8(text);
  return concat(
    LABEL,
    room,
    id,
    lengthPrefixed(utf8(source)),
    lengthPrefixed(utf8(name)),
    u16(said.length),
    said,
  );
}
