/**
 * Ids of rooms. None is anybody's choice, so that nobody can make a room in the place of another: the lobby's and those
 * of direct conversations are known to all, so who chose could be there before them.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, concat, lengthPrefixed, utf8 } from "../wire/bytes.ts";
import { ROOM_ID_BYTES } from "../wire/message.ts";

const LOBBY_LABEL = utf8("sotto/1 lobby\0");
const OPEN_LABEL = utf8("sotto/1 room\0");
const DIRECT_LABEL = utf8("sotto/1 direct\0");

/** The id of the lobby of the server with that host key: the first 16 octets of SHA-256("sotto/1 lobby" 00 | host key). */
export function lobbyId(provider: Pick<Provider, "sha256Now">, hostKey: Bytes): Bytes {
  return provider.sha256Now(concat(LOBBY_LABEL, hostKey)).slice(0, ROOM_ID_BYTES);
}

/** The id of the open room made by the entry of that id: the first 16 octets of SHA-256("sotto/1 room" 00 | host key | entry id). */
export function openId(provider: Pick<Provider, "sha256Now">, hostKey: Bytes, id: Bytes): Bytes {
  return provider.sha256Now(concat(OPEN_LABEL, hostKey, id)).slice(0, ROOM_ID_BYTES);
}

/**
 * The id of the direct conversation of two accounts: the first 16 octets of SHA-256("sotto/1 direct" 00 | host key
 * | L(handle) | L(other handle)), the handles in the order of their octets. Throws a `RangeError` where they are the same.
 */
export function directId(
  provider: Pick<Provider, "sha256Now">,
  hostKey: Bytes,
  [one, other]: readonly [Handle, Handle],
): Bytes {
  if (one === other) throw new RangeError("Cannot name a conversation of one person");
  const [first, second] = one < other ? [one, other] : [other, one];
  const named = concat(DIRECT_LABEL, hostKey, lengthPrefixed(utf8(first)), lengthPrefixed(utf8(second)));
  return provider.sha256Now(named).slice(0, ROOM_ID_BYTES);
}
