/**
 * Who is at hand: accounts with a device that was told its rooms, and what their people say of themselves.
 *
 * @module
 */

import type { PeerId } from "../chat/peer_id.ts";
import type { Handle } from "../text/handle.ts";
import type { Presence } from "../wire/message.ts";

/** One account as `presence` tells it. */
export type AtHand = Presence["people"][number];

/** What the person at one device says. */
export type Status = { readonly state: "online" } | {
  readonly state: "away";
  readonly text: string | undefined;
};

/** The devices at hand, by account, in the order of coming. */
export class PresenceBook {
  readonly #devices = new Map<Handle, Map<PeerId, Status>>();

  /** A device is there, or its person says something else; gives what is news of its account. */
  set(handle: Handle, peer: PeerId, status: Status): AtHand | undefined {
    const before = this.of(handle);
    this.#devices.set(handle, (this.#devices.get(handle) ?? new Map()).set(peer, status));
    return news(before, this.of(handle));
  }

  /** A device is gone; gives what is news of its account. */
  remove(handle: Handle, peer: PeerId): AtHand | undefined {
    const before = this.of(handle);
    const devices = this.#devices.get(handle);
    devices?.delete(peer);
    if (devices?.size === 0) this.#devices.delete(handle);
    return news(before, this.of(handle));
  }

  /** How an account is to be told: at hand where one of its devices is, away where all of them are. */
  of(handle: Handle): AtHand {
    const statuses = Array.from(this.#devices.get(handle)?.values() ?? []);
    const last = statuses.at(-1);
    if (last === undefined) return { handle, state: "offline" };
    if (last.state === "online" || statuses.some(({ state }) => state === "online")) {
      return { handle, state: "online" };
    }
    return last.text === undefined ? { handle, state: "away" } : { handle, state: "away", text: last.text };
  }
}

function news(before: AtHand, after: AtHand): AtHand | undefined {
  return before.state === after.state && before.text === after.text ? undefined : after;
}
