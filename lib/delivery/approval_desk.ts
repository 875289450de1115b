/**
 * New devices that wait for an old one of their account to approve them.
 *
 * @module
 */

import { type Approvals, askApproval, findWaiting, waitingFor, withdraw } from "../chat/approvals.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Approve, AskApproval } from "../wire/message.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";

/** The desk of one server. */
export class ApprovalDesk {
  readonly #guests: Guests;
  #approvals: Approvals = [];

  /** A desk at which nobody waits. */
  constructor(guests: Guests) {
    this.#guests = guests;
  }

  /** Has it wait, and tells the devices of its account. */
  ask(guest: Guest, request: AskApproval): void {
    const { handle, peer } = guest;
    this.#approvals = askApproval(this.#approvals, { peer: peer.id, handle, request });
    for (const other of this.#guests.of(handle)) {
      const isTold = other.stage === "entered" || other.stage === "ready";
      if (isTold && other.login.kind === "device") other.tell({ ...request, type: "approval" });
    }
  }

  /** Tells a device what waits for its approval. */
  tellWaiting(guest: Guest): void {
    for (const { request } of waitingFor(this.#approvals, guest.handle)) {
      guest.tell({ ...request, type: "approval" });
    }
  }

  /** Whether a device of the account waits for approval. */
  isWaiting(handle: Handle, device: Bytes): boolean {
    return findWaiting(this.#approvals, handle, device) !== undefined;
  }

  /** Tells the device that waited that it was approved. */
  tellApproved(handle: Handle, { device, keys, share, sealed }: Approve): void {
    const waiting = findWaiting(this.#approvals, handle, device);
    if (waiting === undefined) return;
    this.#approvals = withdraw(this.#approvals, waiting.peer);
    const guest = this.#guests.of(handle).find(({ peer }) => peer.id === waiting.peer);
    guest?.tell({ type: "approved", keys, share, sealed });
  }

  /** The connection is over. */
  leave(guest: Guest): void {
    this.#approvals = withdraw(this.#approvals, guest.peer.id);
  }
}
