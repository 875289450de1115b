/**
 * What waits to be said to the other end of the bridge: texts that become tokens when they are written.
 *
 * @module
 */

import { type Bytes, utf8 } from "../wire/bytes.ts";
import type { Fernet } from "./fernet.ts";

/** Octets of text that wait for one end; who is further behind is cut. */
export const OUTBOX_BYTES_MAX = 1_048_576;

/** What tokens are made with. */
export interface TokenParts {
  /** The key that both ends share. */
  readonly fernet: Fernet;
  /** A fresh IV (lib/bridge/token_iv.ts). */
  readonly iv: () => Bytes;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** A queue of texts. */
export class Outbox {
  readonly #parts: TokenParts;
  #texts: string[] = [];
  #octets = 0;
  #state: "open" | "ending" | "ended" = "open";
  #changed: () => void = () => {};
  #emptied = Promise.withResolvers<void>();

  /** An empty one. */
  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** Queues a text; false where too much waits already, or nothing is taken any more. */
  push(text: string): boolean {
    const octets = utf8(text).length;
    if (this.#state !== "open" || this.#octets + octets > OUTBOX_BYTES_MAX) return false;
    this.#texts.push(text);
    this.#octets += octets;
    this.#changed();
    return true;
  }

  /** Settles when all that waits is being written, or never will be. */
  async emptied(): Promise<void> {
    if (this.#texts.length > 0) await this.#emptied.promise;
  }

  /** Takes nothing more; what waits is still written. */
  end(): void {
    if (this.#state === "open") this.#state = "ending";
    this.#changed();
  }

  /** Writes nothing more. */
  drop(): void {
    this.#state = "ended";
    this.#takeAll();
    this.#changed();
  }

  /** All that waits, as lines of tokens; waits while there is nothing; `undefined` when there never will be. */
  async nextWrite(): Promise<Bytes | undefined> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#changed = resolve;
      if (this.#texts.length > 0) return await this.#tokens(this.#takeAll());
      if (this.#state !== "open") return undefined;
      await promise;
    }
  }

  #takeAll(): readonly string[] {
    const texts = this.#texts;
    this.#texts = [];
    this.#octets = 0;
    this.#emptied.resolve();
    this.#emptied = Promise.withResolvers();
    return texts;
  }

  async #tokens(texts: readonly string[]): Promise<Bytes> {
    const { fernet, iv, wallClock } = this.#parts;
    const lines: string[] = [];
    for (const text of texts) {
      const seconds = Math.floor(wallClock() / 1_000);
      lines.push(`${await fernet.seal(utf8(text), { seconds, iv: iv() })}\n`);
    }
    return utf8(lines.join(""));
  }
}
