/**
 * Acts that wait for their place: what changes a room is done while its person waits, or not at all.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import type { Draft, Fault } from "../wire/message.ts";
import type { Placed } from "./log_reader.ts";

/** How an act came out. */
export type Acted =
  /** It has its place. */
  | { readonly kind: "placed"; readonly placed: Placed }
  /** The server refused it. */
  | { readonly kind: "refused"; readonly fault: Fault }
  /** The connection ended, or no answer came, before that was known. */
  | { readonly kind: "unknown" };

/** An act that waits. */
export interface Acting {
  /** Which room it is for. */
  readonly room: Bytes;
  /** What its person calls that. */
  readonly label: string;
  /** As it was sent. */
  readonly draft: Draft;
  /** Until when it waits, by the clock of the connection. */
  readonly deadline: number;
  /** Told how it came out. */
  readonly settle: (acted: Acted) => void;
}

/** The acts of one connection. */
export class Acts {
  readonly #waiting = new Map<string, Acting>();

  /** Waits for the answer to an act that is sent now. */
  wait(sent: Omit<Acting, "settle">): Promise<Acted> {
    const { promise, resolve: settle } = Promise.withResolvers<Acted>();
    this.#waiting.set(sent.draft.id.toHex(), { ...sent, settle });
    return promise;
  }

  /** The act of that id, which waits no more; `undefined` where there is none. */
  take(id: Bytes): Acting | undefined {
    const key = id.toHex();
    const acting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return acting;
  }

  /** Waits no longer for those whose time is over; one that gets its place later is known all the same. */
  tick(now: number): void {
    for (const { deadline, settle } of this.#waiting.values()) {
      if (now >= deadline) settle({ kind: "unknown" });
    }
  }

  /** No answer comes any more. */
  end(): void {
    for (const { settle } of this.#waiting.values()) settle({ kind: "unknown" });
    this.#waiting.clear();
  }
}
