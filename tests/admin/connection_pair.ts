/**
 * Two ends of a connection in memory.
 *
 * @module
 */

import type { AdministrationConnection } from "../../lib/admin/administration_socket.ts";

/** Both ends; at most `takes` octets go through at once. */
export function connectionPair(takes = Infinity): readonly [End, End] {
  const [ours, theirs] = [new End(takes), new End(takes)];
  ours.peer = theirs;
  theirs.peer = ours;
  return [ours, theirs];
}

/** One end. */
export class End implements AdministrationConnection {
  /** The other end. */
  peer: End | undefined;
  /** Whether this end was closed. */
  closed = false;
  readonly #takes: number;
  readonly #incoming: Uint8Array[] = [];
  #wake = Promise.withResolvers<void>();

  /** To be made by {@linkcode connectionPair}. */
  constructor(takes: number) {
    this.#takes = takes;
  }

  /** Reads, as a socket does. */
  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.closed) throw new Deno.errors.BadResource("closed");
      const next = this.#incoming.shift();
      if (next !== undefined) {
        const count = Math.min(next.length, buffer.length, this.#takes);
        buffer.set(next.subarray(0, count));
        if (count < next.length) this.#incoming.unshift(next.subarray(count));
        return count;
      }
      if (this.peer?.closed) return null;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  /** Writes, as a socket does. */
  async write(bytes: Uint8Array): Promise<number> {
    await undefined;
    if (this.closed || this.peer === undefined || this.peer.closed) {
      throw new Deno.errors.BrokenPipe("closed");
    }
    const count = Math.min(bytes.length, this.#takes);
    this.peer.#incoming.push(bytes.slice(0, count));
    this.peer.#wake.resolve();
    return count;
  }

  /** Closes both directions. */
  close(): void {
    this.closed = true;
    this.#wake.resolve();
    if (this.peer !== undefined) this.peer.#wake.resolve();
  }
}
