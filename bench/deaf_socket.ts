/**
 * A socket that is left unread for a while: whoever writes to it has to keep what the system no longer takes.
 *
 * @module
 */

import type { Socket } from "../lib/net/pump.ts";
import type { Bytes } from "../lib/wire/bytes.ts";

/** One socket; it is read until it is deafened. */
export class DeafSocket implements Socket {
  readonly #socket: Socket;
  #hearing: PromiseWithResolvers<void> | undefined;

  /** Stands before `socket`. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Nothing is read any more, but for a read that waits already. */
  deafen(): void {
    this.#hearing ??= Promise.withResolvers();
  }

  /** It is read again. */
  hear(): void {
    this.#hearing?.resolve();
    this.#hearing = undefined;
  }

  /** Reads, as soon as it may. */
  async read(buffer: Uint8Array): Promise<number | null> {
    await this.#hearing?.promise;
    return await this.#socket.read(buffer);
  }

  /** Writes, deaf or not. */
  write(bytes: Bytes): Promise<number> {
    return this.#socket.write(bytes);
  }

  /** Ends both directions. */
  close(): void {
    this.#socket.close();
    this.hear();
  }
}
