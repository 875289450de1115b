/**
 * What a record carries once it is open: `u8 content | u16 length | content | zeros to the bucket`
 * (PROTOCOL §5.3).
 *
 * @module
 */

import { ByteReader, type Bytes, ByteWriter } from "../wire/bytes.ts";
import { INNER_BYTES_MAX, PADDING_BUCKETS_BYTES } from "../wire/limits.ts";

/** What kind of content an inner plaintext has. */
export type ContentKind = keyof typeof CONTENT_CODES;

const CONTENT_CODES = { handshake: 1, message: 2, rekey: 3, ping: 4, close: 5, roomKey: 6 } as const;
const CONTENT_KINDS: readonly ContentKind[] = ["handshake", "message", "rekey", "ping", "close", "roomKey"];

/** Octets before the content: its kind and its length. */
export const INNER_HEADER_BYTES = 3;

/** Longest content of one record. */
export const CONTENT_BYTES_MAX = INNER_BYTES_MAX - INNER_HEADER_BYTES;

/** An inner plaintext, parsed. */
export interface Inner {
  /** Its kind. */
  readonly kind: ContentKind;
  /** Its content, without padding. */
  readonly content: Bytes;
}

/** Pads `content` to the smallest bucket that holds it. Throws beyond {@linkcode CONTENT_BYTES_MAX}. */
export function encodeInner(kind: ContentKind, content: Bytes): Bytes {
  const used = INNER_HEADER_BYTES + content.length;
  const bucket = PADDING_BUCKETS_BYTES.find((bytes) => bytes >= used);
  if (bucket === undefined) {
    throw new RangeError(
      `Cannot pad ${content.length} octets: a record carries ${CONTENT_BYTES_MAX} at most`,
    );
  }
  return new ByteWriter(bucket).integer(CONTENT_CODES[kind], 1).integer(content.length, 2).put(content).bytes;
}

/**
 * Parses an inner plaintext; `undefined` where its size is no bucket, its kind is unknown, its length does not
 * fit, its padding is not zero, or a smaller bucket would have held it. There is thus one encoding for each content.
 */
export function decodeInner(plaintext: Bytes): Inner | undefined {
  const reader = new ByteReader(plaintext);
  const code = reader.u8();
  const content = reader.take(reader.u16());
  const padding = reader.take(reader.remaining);
  const kind = CONTENT_KINDS.find((candidate) => CONTENT_CODES[candidate] === code);
  if (kind === undefined || !reader.finished) return undefined;
  const bucket = PADDING_BUCKETS_BYTES.find((bytes) => bytes >= INNER_HEADER_BYTES + content.length);
  if (bucket !== plaintext.length || !hasOnlyZeros(padding)) return undefined;
  return { kind, content };
}

/** A loop: every record is looked through, and a call for each octet takes longer than to decrypt it. */
function hasOnlyZeros(octets: Bytes): boolean {
  for (let at = 0; at < octets.length; at++) if (octets[at] !== 0) return false;
  return true;
}
