/**
 * The gate of a server: whoever connects from an address that is banned does not come in, and whoever is in is sent out
 * when the address is banned.
 *
 * @module
 */

import { addressGroup } from "../chat/address_group.ts";
import type { AccountStore } from "../chat/port.ts";

/** How often bans are looked at whose time may be over, in milliseconds: they are told in minutes. */
export const BANS_MS = 60_000;

/** What a gate needs. */
export interface GateParts {
  /** Keeps the bans. */
  readonly store: Pick<AccountStore, "bans" | "liftExpiredBans">;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Is told why bans could not be looked at, when nobody waits for that. */
  readonly onFault: (fault: unknown) => void;
}

/** The gate of one server. */
export class Gate {
  readonly #parts: GateParts;
  /** What ends each connection that is in, by its address group. */
  readonly #inside = new Map<string, Set<() => void>>();
  #banned: ReadonlySet<string> = new Set();
  #last: number;
  #looking: Promise<void> = Promise.resolve();

  private constructor(parts: GateParts) {
    this.#parts = parts;
    this.#last = parts.wallClock();
  }

  /** A gate that knows who is banned; bans that are over are lifted. Rejects as the store does. */
  static async open(parts: GateParts): Promise<Gate> {
    const gate = new Gate(parts);
    await gate.look();
    return gate;
  }

  /** Whether somebody from `address` may come in. */
  lets(address: string): boolean {
    return !this.#banned.has(addressGroup(address));
  }

  /** Somebody from `address` is in, and sent out by `end` where that is banned, until the function given back is called. */
  enter(address: string, end: () => void): () => void {
    const group = addressGroup(address);
    const ends = this.#inside.get(group) ?? new Set();
    this.#inside.set(group, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0 && this.#inside.get(group) === ends) this.#inside.delete(group);
    };
  }

  /**
   * Lifts the bans that are over, and keeps to what is banned now; settles when whoever is to be sent out is. To be called
   * once a ban was set or lifted. Rejects as the store does.
   */
  look(): Promise<void> {
    // One after the other, so that the last to ask hears of the last change.
    const looked = this.#looking.then(() => this.#look());
    this.#looking = looked.catch(() => {});
    return looked;
  }

  /** Looks about once a minute; to be called about once a second. */
  tick(): void {
    const now = this.#parts.wallClock();
    // A clock that was set back must not put it off.
    if (now - this.#last < BANS_MS && now >= this.#last) return;
    this.#last = now;
    this.look().catch(this.#parts.onFault);
  }

  async #look(): Promise<void> {
    const { store, wallClock } = this.#parts;
    await store.liftExpiredBans(wallClock());
    const bans = await store.bans();
    this.#banned = new Set(bans.flatMap(({ subject }) => subject.kind === "address" ? subject.group : []));
    for (const group of this.#banned) {
      for (const end of Array.from(this.#inside.get(group) ?? [])) end();
    }
  }
}
