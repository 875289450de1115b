/**
 * Frames: the units a byte stream is cut into, `u16 length | body` (PROTOCOL §3).
 *
 * @module
 */

import { type Bytes, ByteWriter, concat } from "./bytes.ts";
import { FRAME_HEADER_BYTES } from "./limits.ts";

/** A frame ready to be written. Throws a `RangeError` where the body is longer than 65,535 octets. */
export function encodeFrame(body: Bytes): Bytes {
  return new ByteWriter(FRAME_HEADER_BYTES + body.length).integer(body.length, FRAME_HEADER_BYTES).put(body)
    .bytes;
}

/** What {@linkcode FrameReader.next} finds. */
export type NextFrame =
  | { readonly kind: "frame"; readonly body: Bytes }
  /** Not all of the next frame has arrived. */
  | { readonly kind: "incomplete" }
  /** Its length is zero or over the limit; nothing after it can be understood. */
  | { readonly kind: "refused" };

/**
 * Cuts a byte stream into frames. Any split of the stream gives the same frames, and a length over the limit
 * is refused when its two octets are there, before any of the body is kept.
 *
 * ```ts
 * import { encodeFrame, FrameReader } from "./frame.ts";
 * const reader = new FrameReader();
 * reader.push(encodeFrame(Uint8Array.of(7)));
 * console.assert(reader.next(16).kind === "frame");
 * console.assert(reader.next(16).kind === "incomplete");
 * ```
 */
export class FrameReader {
  #unread: Bytes = new Uint8Array(0);

  /** Adds what has arrived. */
  push(bytes: Bytes): void {
    this.#unread = this.#unread.length === 0 ? bytes : concat(this.#unread, bytes);
  }

  /** The next frame, whose body may have 1 to `limit` octets. */
  next(limit: number): NextFrame {
    const high = this.#unread[0];
    const low = this.#unread[1];
    if (high === undefined || low === undefined) return { kind: "incomplete" };
    const length = high * 256 + low;
    if (length === 0 || length > limit) return { kind: "refused" };
    const end = FRAME_HEADER_BYTES + length;
    if (this.#unread.length < end) return { kind: "incomplete" };
    const body = this.#unread.slice(FRAME_HEADER_BYTES, end);
    this.#unread = this.#unread.subarray(end);
    return { kind: "frame", body };
  }
}
