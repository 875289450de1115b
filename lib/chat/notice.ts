/**
 * Lines that no account wrote: made and signed by the host key before they have a place in the order.
 *
 * @module
 */

import type { Entropy, Provider, SigningKey } from "../crypto/port.ts";
import { entryId } from "../identity/entry_id.ts";
import { lobbyId } from "../identity/entry_signature.ts";
import { signNotice } from "../identity/notice_signature.ts";
import { utf8 } from "../wire/bytes.ts";
import { DISPLAY_NAME_BYTES_MAX, TEXT_BYTES_MAX } from "../wire/limits.ts";
import type { Line } from "./lobby.ts";
import type { Saying } from "./overheard.ts";

/** What a server signs its lines with. */
export interface NoticeParts {
  /** Hashes the room's id. */
  readonly provider: Provider;
  /** For the lines' ids. */
  readonly entropy: Entropy;
  /** The server's host key. */
  readonly hostKey: SigningKey;
}

/** Whether name and text are as long as a notice's may be. */
export function isSayable({ name, text }: Saying): boolean {
  return isWithin(name, DISPLAY_NAME_BYTES_MAX) && isWithin(text, TEXT_BYTES_MAX);
}

/** The line of `saying`, with an id of the moment `now` (milliseconds since 1970). Throws where it is not sayable. */
export async function signedLine(
  saying: Saying,
  { provider, entropy, hostKey }: NoticeParts,
  now: number,
): Promise<Line> {
  if (!isSayable(saying)) throw new RangeError("Cannot say a line: name or text is empty or too long");
  const { source, name, text } = saying;
  const id = entryId(now, entropy);
  const room = await lobbyId(provider, hostKey.publicKey);
  return { source, name, text, id, signature: await signNotice(hostKey, { room, id, source, name, text }) };
}

function isWithin(text: string, octetsMax: number): boolean {
  const { length } = utf8(text);
  return length > 0 && length <= octetsMax;
}
