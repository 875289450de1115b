/**
 * Octet strings: the one byte type of the program, and a reader and a builder for the fixed binary
 * structures of PROTOCOL.md. Integers are big-endian throughout (PROTOCOL §2).
 *
 * @module
 */

/**
 * Octets backed by an `ArrayBuffer` of their own or a view of one. A bare `Uint8Array` may be backed by
 * shared memory, which WebCrypto refuses; hence one alias, used everywhere.
 */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Joins octet strings into a new one.
 *
 * ```ts
 * import { concat } from "./bytes.ts";
 * console.assert(concat(Uint8Array.of(1), Uint8Array.of(2, 3)).length === 3);
 * ```
 */
export function concat(...parts: readonly Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Joins octet strings as {@linkcode concat} does, but where all but one are empty gives that one itself: for what is
 * handed on and never written to.
 */
export function joined(parts: readonly Bytes[]): Bytes {
  const filled = parts.filter((part) => part.length > 0);
  const [only] = filled;
  return only !== undefined && filled.length === 1 ? only : concat(...filled);
}

/** UTF-8 of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Text of well-formed UTF-8, or `undefined` where `bytes` is not well-formed. */
export function utf8Text(bytes: Bytes): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One octet. Throws a `RangeError` outside 0 to 255. */
export function u8(value: number): Bytes {
  return bigEndian(value, 1);
}

/** Two octets, big-endian. Throws a `RangeError` outside 0 to 2^16 - 1. */
export function u16(value: number): Bytes {
  return bigEndian(value, 2);
}

/** Four octets, big-endian. Throws a `RangeError` outside 0 to 2^32 - 1. */
export function u32(value: number): Bytes {
  return bigEndian(value, 4);
}

/** Eight octets, big-endian. Throws a `RangeError` where `value` is not a safe non-negative integer. */
export function u64(value: number): Bytes {
  return bigEndian(value, 8);
}

function bigEndian(value: number, length: 1 | 2 | 4 | 8): Bytes {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * length)) {
    throw new RangeError(`Cannot write ${value} in ${length} octets: it does not fit`);
  }
  const bytes = new Uint8Array(length);
  for (let rest = value, at = length - 1; at >= 0; at--, rest = Math.floor(rest / 256)) {
    bytes[at] = rest % 256;
  }
  return bytes;
}

/** L(x) of PROTOCOL §2: one octet of length, then x. Throws a `RangeError` beyond 255 octets. */
export function lengthPrefixed(bytes: Bytes): Bytes {
  return concat(u8(bytes.length), bytes);
}

/** Whether two octet strings are equal. Not in constant time: for public values only. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  // Every message that comes is compared: a call for each octet would cost more than all else that is done with it.
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/**
 * Reads a structure from its first octet to its last. A read past the end gives zeros and is
 * remembered, so a decoder may read all fields and ask {@linkcode ByteReader.finished} last.
 */
export class ByteReader {
  readonly #bytes: Bytes;
  #offset = 0;
  #short = false;

  /** Starts at the first octet of `bytes`, which are not copied. */
  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** The next `length` octets, copied; zeros of that length where they are not there. */
  take(length: number): Bytes {
    if (this.#short || this.#offset + length > this.#bytes.length) {
      this.#short = true;
      return new Uint8Array(length);
    }
    const taken = this.#bytes.slice(this.#offset, this.#offset + length);
    this.#offset += length;
    return taken;
  }

  /** The next octet as a number. */
  u8(): number {
    return this.#integer(1);
  }

  /** The next two octets as a number, big-endian. */
  u16(): number {
    return this.#integer(2);
  }

  /** How many octets have not been read. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Whether every read so far was within the structure. */
  get whole(): boolean {
    return !this.#short;
  }

  /** Whether the structure was read to its last octet and not beyond. */
  get finished(): boolean {
    return !this.#short && this.remaining === 0;
  }

  #integer(length: number): number {
    return this.take(length).reduce((value, octet) => value * 256 + octet, 0);
  }
}
