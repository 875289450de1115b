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
  let length = 0;
  for (const part of parts) length += part.length;
  const writer = new ByteWriter(length);
  for (const part of parts) writer.put(part);
  return writer.bytes;
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

function bigEndian(value: number, length: IntegerLength): Bytes {
  return new ByteWriter(length).integer(value, length).bytes;
}

/** Octets that an integer may have. */
type IntegerLength = 1 | 2 | 4 | 8;

/** The first integer that does not fit into so many octets, or is none that a number holds exactly. */
const TOO_BIG: Readonly<Record<IntegerLength, number>> = {
  1: 2 ** 8,
  2: 2 ** 16,
  4: 2 ** 32,
  8: Number.MAX_SAFE_INTEGER + 1,
};

/**
 * Writes a structure from its first octet to its last into as many octets as it has: one allocation, where joining its
 * fields would take one for each.
 */
export class ByteWriter {
  /** What is written, all of it once it is whole. */
  readonly bytes: Bytes;
  #at = 0;

  /** Starts at the first of `length` octets. */
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  /** Writes octets. Throws a `RangeError` where they do not fit. */
  put(part: Bytes): this {
    this.bytes.set(part, this.#at);
    this.#at += part.length;
    return this;
  }

  /** Writes a big-endian integer. Throws a `RangeError` where it does not fit into `length` octets. */
  integer(value: number, length: IntegerLength): this {
    if (!Number.isSafeInteger(value) || value < 0 || value >= TOO_BIG[length]) {
      throw new RangeError(`Cannot write ${value} in ${length} octets: it does not fit`);
    }
    // Shifts take 32 bits.
    const low = value >>> 0;
    const high = length === 8 ? (value - low) / 2 ** 32 : 0;
    const end = this.#at + length;
    for (let at = end - 1, shift = 0; at >= this.#at; at--, shift += 8) {
      this.bytes[at] = shift < 32 ? low >>> shift : high >>> (shift - 32);
    }
    this.#at = end;
    return this;
  }
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
