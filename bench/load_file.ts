/**
 * One file on its way to the server and back, from memory: what a client does, without its disk.
 *
 * @module
 */

import type { Entropy, Provider } from "../lib/crypto/port.ts";
import { getAsked, getBeginning, getData, getReady, nextAsk } from "../lib/client/get_progress.ts";
import { nextPiece, PUT_BEGINNING, putAsked, putSent, putState } from "../lib/client/put_progress.ts";
import { type Bytes, equal } from "../lib/wire/bytes.ts";
import { ENTRY_ID_BYTES } from "../lib/wire/message.ts";
import type { FileMessage, LoadConnection } from "./load_connection.ts";

/** Octets that wait to be sent beyond which the next piece is held back, as clients do. */
const AHEAD_BYTES = 131_072;

/** What a file is made of: one piece again and again, since randomness would cost more than sending it. */
const PIECE_BYTES = 65_536;

/** Carries files, one at a time. */
export class FileCarrier {
  readonly #connection: LoadConnection;
  readonly #parts: { readonly provider: Provider; readonly entropy: Entropy };
  #take: (message: FileMessage) => void = () => {};

  /** One over `connection`, which hands on to {@linkcode FileCarrier.take} what is said of files. */
  constructor(
    connection: LoadConnection,
    parts: { readonly provider: Provider; readonly entropy: Entropy },
  ) {
    this.#connection = connection;
    this.#parts = parts;
  }

  /** The server says something of the file. */
  take(message: FileMessage): void {
    this.#take(message);
  }

  /** Puts a file of `size` octets into `room` and says it there, then fetches it; gives how long each way took. */
  async carry(
    room: Bytes,
    size: number,
  ): Promise<{ readonly put_ms: number; readonly get_ms: number }> {
    const content = new Uint8Array(size);
    const piece = this.#parts.entropy(PIECE_BYTES);
    for (let at = 0; at < size; at += PIECE_BYTES) {
      content.set(piece.subarray(0, Math.min(PIECE_BYTES, size - at)), at);
    }
    const file = this.#parts.entropy(ENTRY_ID_BYTES);
    const hash = this.#parts.provider.runningSha256();
    hash.update(content);
    const sha256 = hash.digest();
    const began = performance.now();
    await this.#put({ room, file, content, sha256 });
    const put = performance.now();
    await this.#connection.say(room.toHex(), {
      kind: "file",
      body: { file, name: "bench.bin", size, sha256 },
    });
    const said = performance.now();
    await this.#get({ file, size, sha256 });
    return { put_ms: put - began, get_ms: performance.now() - said };
  }

  async #put({ room, file, content, sha256 }: {
    readonly room: Bytes;
    readonly file: Bytes;
    readonly content: Bytes;
    readonly sha256: Bytes;
  }): Promise<void> {
    const stored = Promise.withResolvers<void>();
    let progress = putAsked(PUT_BEGINNING);
    let isSending = false;
    const fill = async (): Promise<void> => {
      if (isSending) return;
      isSending = true;
      for (let next = nextPiece(progress, content.length); next !== undefined;) {
        const { offset, length } = next;
        progress = putSent(progress, length);
        const bytes = content.subarray(offset, offset + length);
        this.#connection.send({ type: "fileChunk", file, offset, bytes });
        await this.#connection.drained(AHEAD_BYTES);
        next = nextPiece(progress, content.length);
      }
      isSending = false;
    };
    this.#take = (message) => {
      if (message.type !== "fileState") return;
      progress = putState(progress, message, content.length);
      if (progress.kind === "stored") stored.resolve();
      else fill().catch(stored.reject);
    };
    this.#connection.send({ type: "fileBegin", file, room, size: content.length, sha256 });
    await stored.promise;
  }

  async #get({ file, size, sha256 }: {
    readonly file: Bytes;
    readonly size: number;
    readonly sha256: Bytes;
  }): Promise<void> {
    const whole = Promise.withResolvers<void>();
    const hash = this.#parts.provider.runningSha256();
    let progress = getReady(getBeginning(0, size));
    let have = 0;
    const ask = (): void => {
      const next = nextAsk(progress, size, have);
      if (next === undefined) return;
      this.#connection.send({ type: "fileGet", file, ...next });
      progress = getAsked(progress, next.chunks, size);
    };
    this.#take = (message) => {
      if (message.type !== "fileData") return;
      const { offset, size: told, bytes } = message;
      progress = getData(progress, { offset, size: told, length: bytes.length }, size);
      if (offset !== have || progress.kind === "wrong") return whole.reject(new Error("a wrong piece came"));
      hash.update(bytes);
      have += bytes.length;
      if (progress.kind === "whole") whole.resolve();
      else ask();
    };
    ask();
    await whole.promise;
    if (!equal(hash.digest(), sha256)) throw new Error("what came back is another file");
  }
}
