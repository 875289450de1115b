/**
 * Cards, cut into messages: as many in each as fit.
 *
 * @module
 */

import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from "../crypto/port.ts";
import { encodeCbor } from "../wire/cbor.ts";
import { CARDS_MAX, MESSAGE_BYTES_MAX } from "../wire/limits.ts";
import type { Card, ServerMessage } from "../wire/message.ts";

/** A `cards` message without its cards, and a second octet for the number of them. */
const FRAME_BYTES = encodeCbor({ type: "cards", cards: [] }).length + 1;

/** A card without its name and its list. */
const CARD_FRAME_BYTES = encodeCbor({
  handle: "",
  identity: new Uint8Array(ED25519_KEY_BYTES),
  list: new Uint8Array(0),
  signature: new Uint8Array(ED25519_SIGNATURE_BYTES),
}).length - 2 * stringBytes(0);

/** Octets that the fields of an answer add to a `cards` message at the most. */
const ANSWER_BYTES = encodeCbor({ ask: 2 ** 32 - 1, end: true }).length;

/** As few messages as carry `cards` in their order; none where there are no cards. */
export function cardMessages(cards: readonly Card[]): readonly ServerMessage[] {
  return grouped(cards, MESSAGE_BYTES_MAX - FRAME_BYTES).map((group) => ({ type: "cards", cards: group }));
}

/** The answer to the question `ask`: one message at least, of which the last is told to be. */
export function cardAnswers(cards: readonly Card[], ask: number): readonly ServerMessage[] {
  const groups = cards.length === 0 ? [[]] : grouped(cards, MESSAGE_BYTES_MAX - FRAME_BYTES - ANSWER_BYTES);
  return groups.map((group, at) => ({ type: "cards", cards: group, ask, end: at === groups.length - 1 }));
}

function grouped(cards: readonly Card[], bytesMax: number): Card[][] {
  const groups: Card[][] = [];
  let free = 0;
  for (const card of cards) {
    const bytes = cardBytes(card);
    const last = groups.at(-1);
    if (last === undefined || bytes > free || last.length === CARDS_MAX) {
      groups.push([card]);
      free = bytesMax - bytes;
    } else {
      last.push(card);
      free -= bytes;
    }
  }
  return groups;
}

/** Worked out and not encoded to be measured: everybody who comes gets the cards of all who are told of. */
function cardBytes({ handle, list }: Card): number {
  // Handles are ASCII.
  return CARD_FRAME_BYTES + stringBytes(handle.length) + stringBytes(list.length);
}

/** How many octets a string of `length` octets has in CBOR, up to 2^16 - 1. */
function stringBytes(length: number): number {
  return length + (length < 24 ? 1 : length < 256 ? 2 : 3);
}
