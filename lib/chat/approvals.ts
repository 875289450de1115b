/**
 * New devices that wait for an old one's approval, as a value. They wait in memory only, each as long as its connection
 * lasts.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { APPROVALS_WAITING_MAX } from "../wire/limits.ts";
import type { AskApproval } from "../wire/message.ts";
import type { PeerId } from "./peer_id.ts";

/** A device that waits. */
export interface Waiting {
  /** Its connection. */
  readonly peer: PeerId;
  /** Whose device it wants to become. */
  readonly handle: Handle;
  /** What it asks with. */
  readonly request: AskApproval;
}

/** All that wait on a server, the oldest first. */
export type Approvals = readonly Waiting[];

/**
 * Has a device wait. What its connection asked before, and what the account was asked for the same device, is forgotten;
 * and the account's oldest where {@linkcode APPROVALS_WAITING_MAX} wait already.
 */
export function askApproval(approvals: Approvals, asked: Waiting): Approvals {
  const others = approvals.filter((waiting) => !isReplaced(waiting, asked));
  const ofAccount = waitingFor(others, asked.handle);
  const oldest = ofAccount.length >= APPROVALS_WAITING_MAX ? ofAccount[0] : undefined;
  return [...others.filter((waiting) => waiting !== oldest), asked];
}

/** Forgets what a connection asked. */
export function withdraw(approvals: Approvals, peer: PeerId): Approvals {
  return approvals.filter((waiting) => waiting.peer !== peer);
}

/** What waits for one account, the oldest first. */
export function waitingFor(approvals: Approvals, handle: Handle): readonly Waiting[] {
  return approvals.filter((waiting) => waiting.handle === handle);
}

/** The request of one device of an account, where it waits. */
export function findWaiting(approvals: Approvals, handle: Handle, device: Bytes): Waiting | undefined {
  return waitingFor(approvals, handle).find(({ request }) => equal(request.device, device));
}

function isReplaced(waiting: Waiting, { peer, handle, request }: Waiting): boolean {
  return waiting.peer === peer ||
    waiting.handle === handle && equal(waiting.request.device, request.device);
}
