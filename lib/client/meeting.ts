/**
 * A connection that only learns the host key: files and signatures depend on it, so it is known before all else.
 *
 * @module
 */

import type { Link, LinkEnd } from "../secure/link.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Connection } from "./connection.ts";

/** How a meeting came out. */
export type Met =
  /** The server proved the key that was expected of it. */
  | { readonly kind: "met"; readonly hostKey: Bytes }
  /** It did not; a key that was proved and not expected is in `end`. */
  | { readonly kind: "ended"; readonly end: LinkEnd };

/** Agrees on keys, says goodbye and nothing else. */
export class Meeting implements Connection {
  /** Settles when the host key is known, or will not be. */
  readonly met: Promise<Met>;
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;

  readonly #link: Link;
  readonly #settle: (met: Met) => void;

  /** A meeting over `link`, whose handshake has just begun. */
  constructor(link: Link) {
    const { promise, resolve } = Promise.withResolvers<Met>();
    this.met = promise;
    this.#settle = resolve;
    this.#link = link;
    this.ended = link.ended.then((end) => {
      resolve({ kind: "ended", end });
      return end;
    });
  }

  /** Takes bytes. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    for (const event of await this.#link.receive(bytes, now)) {
      if (event.kind === "established") this.#settle({ kind: "met", hostKey: event.hostKey });
      this.#link.close("done", now);
    }
  }

  /** The server will send nothing more. */
  receiveEnd(): void {
    this.#link.receiveEnd();
  }

  /** The connection is gone. */
  lost(): void {
    this.#link.lost();
  }

  /** Looks at the deadlines. */
  tick(now: number): void {
    this.#link.tick(now);
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }
}
