/**
 * Lists cut into messages: as many items in each as fit.
 *
 * @module
 */

import { encodeCbor } from "../wire/cbor.ts";
import { MESSAGE_BYTES_MAX } from "../wire/limits.ts";

/** Octets left for the fields around a list: the longest are the two places at the end of a page, and a room's id. */
const FRAME_BYTES = 256;

/** `items` in their order, in as few groups as each fits in one message and has no more than `countMax`. */
export function packed<Item extends object>(
  items: readonly Item[],
  countMax: number,
): readonly (readonly Item[])[] {
  const groups: Item[][] = [];
  let free = 0;
  for (const item of items) {
    const { length } = encodeCbor(item);
    const last = groups.at(-1);
    if (last === undefined || length > free || last.length === countMax) {
      groups.push([item]);
      free = MESSAGE_BYTES_MAX - FRAME_BYTES - length;
    } else {
      last.push(item);
      free -= length;
    }
  }
  return groups;
}

/** The same for an answer that has to come, though nothing is in it. */
export function packedAnswer<Item extends object>(
  items: readonly Item[],
  countMax: number,
): readonly { readonly items: readonly Item[]; readonly isLast: boolean }[] {
  const groups = items.length === 0 ? [[]] : packed(items, countMax);
  return groups.map((group, at) => ({ items: group, isLast: at === groups.length - 1 }));
}
