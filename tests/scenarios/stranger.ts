/**
 * A socket at the server's port, and nobody's client.
 *
 * @module
 */

import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import type { Stage } from "./stage.ts";

/** A stranger: sends what it likes, and listens to the end. */
export class Stranger {
  readonly #stage: Stage;
  readonly #socket: Deno.TcpConn;
  readonly #listening: Promise<Bytes>;
  #heard = 0;
  #endedAt_ms: number | undefined;

  private constructor(stage: Stage, socket: Deno.TcpConn) {
    this.#stage = stage;
    this.#socket = socket;
    this.#listening = this.#listen();
  }

  /** One who has connected to `port` of loopback. */
  static async at(stage: Stage, port: number): Promise<Stranger> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    return new Stranger(stage, socket);
  }

  /** How many octets came. */
  get heard(): number {
    return this.#heard;
  }

  /** Whether the other end has ended the connection. */
  get ended(): boolean {
    return this.#endedAt_ms !== undefined;
  }

  /** When it did, by the clock of `performance.now()`; infinitely late where it has not. */
  get endedAt_ms(): number {
    return this.#endedAt_ms ?? Infinity;
  }

  /** Sends `bytes`, as far as the other end takes them. */
  async send(bytes: Bytes): Promise<void> {
    try {
      for (let at = 0; at < bytes.length && !this.ended;) at += await this.#socket.write(bytes.subarray(at));
    } catch (error) {
      if (!isEnd(error)) throw error;
    }
  }

  /** All that came, once the other end has ended the connection. */
  untilEnd(): Promise<Bytes> {
    return this.#listening;
  }

  async #listen(): Promise<Bytes> {
    const chunks: Bytes[] = [];
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await this.#socket.read(buffer);
        if (count === null) break;
        this.#heard += count;
        chunks.push(buffer.slice(0, count));
        this.#stage.changes.tell();
      }
    } catch (error) {
      if (!isEnd(error)) throw error;
    }
    this.#endedAt_ms = performance.now();
    this.#socket.close();
    return concat(...chunks);
  }
}

/** An end by reset is an end, too: what was sent after it met nobody. */
function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
