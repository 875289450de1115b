/**
 * Who is connected, found by connection and by account.
 *
 * @module
 */

import type { PeerId } from "../chat/peer_id.ts";
import type { Handle } from "../text/handle.ts";
import { Guest } from "./guest.ts";
import type { Login, Peer } from "../session/port.ts";

/** The connections of a server that have logged in, in the order of coming. */
export class Guests {
  readonly #all = new Map<PeerId, Guest>();
  readonly #ofHandle = new Map<Handle, Set<Guest>>();

  /** A login verified. */
  add(peer: Peer, login: Login): void {
    const guest = new Guest(peer, login);
    this.#all.set(peer.id, guest);
    this.#ofHandle.set(login.handle, (this.#ofHandle.get(login.handle) ?? new Set()).add(guest));
  }

  /** That connection, where it has logged in. */
  get({ id }: Peer): Guest | undefined {
    return this.#all.get(id);
  }

  /** All of them. */
  all(): readonly Guest[] {
    return Array.from(this.#all.values());
  }

  /** Those of an account, in whatever stage. */
  of(handle: Handle): readonly Guest[] {
    return Array.from(this.#ofHandle.get(handle) ?? []);
  }

  /** Those of an account that are told what happens in its rooms. */
  readyOf(handle: Handle): readonly Guest[] {
    return this.of(handle).filter(({ stage }) => stage === "ready");
  }

  /** Forgets a connection. */
  remove(guest: Guest): void {
    this.#all.delete(guest.peer.id);
    const others = this.#ofHandle.get(guest.handle);
    others?.delete(guest);
    if (others?.size === 0) this.#ofHandle.delete(guest.handle);
  }
}
