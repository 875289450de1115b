/**
 * Which strangers are let through to a handshake: connections that have not been let in yet are counted, overall and
 * per address. At a limit the oldest of them gives way to the newest, since an honest client is done within
 * milliseconds and whoever holds a place for long is the one that trickles.
 *
 * @module
 */

import { addressGroup } from "../chat/address_group.ts";
import type { PeerId } from "../chat/peer_id.ts";

/** Half-open connections of one address (one /64 of IPv6): a room of people behind one router, at once. */
export const HALF_OPEN_PER_ADDRESS_MAX = 256;

/** Half-open connections overall: 16 KiB each make 64 MiB at the most. */
export const HALF_OPEN_MAX = 4_096;

/** Those who are not in yet, oldest first. */
export type HalfOpen = ReadonlyMap<PeerId, string>;

/** Counts a new connection; `evicted` has to be ended at once where there is one. */
export function admit(
  halfOpen: HalfOpen,
  peer: PeerId,
  address: string,
): { readonly halfOpen: HalfOpen; readonly evicted: PeerId | undefined } {
  const key = addressGroup(address);
  const sameGroup = Array.from(halfOpen).filter(([, group]) => group === key).map(([id]) => id);
  const evicted = sameGroup.length >= HALF_OPEN_PER_ADDRESS_MAX
    ? sameGroup[0]
    : halfOpen.size >= HALF_OPEN_MAX
    ? halfOpen.keys().next().value
    : undefined;
  const next = new Map(halfOpen);
  if (evicted !== undefined) next.delete(evicted);
  return { halfOpen: next.set(peer, key), evicted };
}

/** Stops counting a connection that was let in or has ended. */
export function settle(halfOpen: HalfOpen, peer: PeerId): HalfOpen {
  if (!halfOpen.has(peer)) return halfOpen;
  const next = new Map(halfOpen);
  next.delete(peer);
  return next;
}
