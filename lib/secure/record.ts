/**
 * Records: one direction of a channel, sealed by its sender and opened by its receiver (PROTOCOL §5). Each
 * direction is a value with one owner, and its calls queue: a sequence number that two calls read before
 * either wrote it back would seal two records under one number.
 *
 * @module
 */

import { AES_BLOCK_BYTES, type Entropy, type Provider } from "../crypto/port.ts";
import type { TraceEvent } from "../text/trace.ts";
import { type Bytes, concat, u16, u32, u64 } from "../wire/bytes.ts";
import { encodeFrame } from "../wire/frame.ts";
import { PADDING_BUCKETS_BYTES } from "../wire/limits.ts";
import { type RecordCipher, recordCipher, TAG_BYTES } from "./aead.ts";
import { type ContentKind, decodeInner, encodeInner, type Inner } from "./inner.ts";
import { nextSecret, recordKey } from "./schedule.ts";
import { ciphertextBytes, type Suite } from "./suite.ts";

/** Records under one key before its direction is rekeyed; far below where random CBC IVs would repeat (2^64 blocks). */
export const REKEY_RECORDS_MAX = 2 ** 20;
/** Octets of ciphertext under one key before its direction is rekeyed: 1 GiB. */
export const REKEY_BYTES_MAX = 2 ** 30;

/** Told what passes, for `--trace`. Never told a key. */
export type Tracer = (event: TraceEvent) => void;

/** Where a direction starts. */
export interface Direction {
  /** The suite its records use. */
  readonly suite: Suite;
  /** Its secret, 64 octets. */
  readonly secret: Bytes;
  /** Its epoch: 0 handshake, 1 application, then one more per rekey. */
  readonly epoch: number;
  /** Told what passes. */
  readonly trace: Tracer;
}

/** One epoch of a direction: its keys, and how far it has come. */
interface Epoch extends Direction {
  readonly cipher: RecordCipher;
  sequence: number;
  bytes: number;
}

async function openEpoch(direction: Direction, provider: Provider): Promise<Epoch> {
  const key = await recordKey(provider, direction.secret, direction.suite);
  return { ...direction, cipher: await recordCipher(provider, direction.suite, key), sequence: 0, bytes: 0 };
}

async function followingEpoch(epoch: Epoch, provider: Provider): Promise<Epoch> {
  const { suite, trace } = epoch;
  const secret = await nextSecret(provider, epoch.secret);
  const next = await openEpoch({ suite, trace, secret, epoch: epoch.epoch + 1 }, provider);
  trace({ kind: "keys", epoch: next.epoch, suite });
  return next;
}

/** A: what the tag covers before IV and ciphertext (RFC 7518 §5.2.2.1, PROTOCOL §5.2). */
function associatedData({ epoch, sequence }: Epoch, bodyBytes: number): Bytes {
  return concat(u32(epoch), u64(sequence), u16(bodyBytes));
}

/** Seals what one end sends. */
export class Sealer {
  readonly #provider: Provider;
  readonly #entropy: Entropy;
  #epoch: Epoch;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(epoch: Epoch, provider: Provider, entropy: Entropy) {
    this.#epoch = epoch;
    this.#provider = provider;
    this.#entropy = entropy;
  }

  /** Starts a direction at sequence 0. */
  static async start(direction: Direction, provider: Provider, entropy: Entropy): Promise<Sealer> {
    return new Sealer(await openEpoch(direction, provider), provider, entropy);
  }

  /** Whether so much has been sealed under these keys that {@linkcode Sealer.rekey} is due. */
  get rekeyDue(): boolean {
    return this.#epoch.sequence >= REKEY_RECORDS_MAX || this.#epoch.bytes >= REKEY_BYTES_MAX;
  }

  /** The frame of one record with `content`; frames are to be written in the order of the calls. */
  seal(kind: ContentKind, content: Bytes): Promise<Bytes> {
    return this.#enqueue(() => this.#sealNow(kind, content));
  }

  /** The frame that ends this epoch; the next record is sealed under new keys. */
  rekey(): Promise<Bytes> {
    return this.#enqueue(async () => {
      const frame = await this.#sealNow("rekey", new Uint8Array(0));
      this.#epoch = await followingEpoch(this.#epoch, this.#provider);
      return frame;
    });
  }

  #enqueue(work: () => Promise<Bytes>): Promise<Bytes> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #sealNow(kind: ContentKind, content: Bytes): Promise<Bytes> {
    const epoch = this.#epoch;
    const inner = encodeInner(kind, content);
    const bodyBytes = AES_BLOCK_BYTES + ciphertextBytes(epoch.suite, inner.length) + TAG_BYTES;
    const iv = this.#entropy(AES_BLOCK_BYTES);
    const { ciphertext, tag } = await epoch.cipher.seal(associatedData(epoch, bodyBytes), iv, inner);
    epoch.trace({
      kind: "record",
      way: "sent",
      epoch: epoch.epoch,
      sequence: epoch.sequence,
      iv,
      ciphertext,
      tag,
    });
    epoch.sequence += 1;
    epoch.bytes += ciphertext.length;
    return encodeFrame(concat(iv, ciphertext, tag));
  }
}

/** Opens what the other end sent. */
export class Opener {
  readonly #provider: Provider;
  #epoch: Epoch;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(epoch: Epoch, provider: Provider) {
    this.#epoch = epoch;
    this.#provider = provider;
  }

  /** Starts a direction at sequence 0. */
  static async start(direction: Direction, provider: Provider): Promise<Opener> {
    return new Opener(await openEpoch(direction, provider), provider);
  }

  /**
   * What the record in a frame's body carries; `undefined` for a wrong size, tag, padding or inner structure, which
   * are the same to whoever sent it. After `undefined` nothing may be opened any more.
   */
  open(body: Bytes): Promise<Inner | undefined> {
    const result = this.#last.then(() => this.#openNow(body));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Goes on to the next epoch: the record opened last was a rekey. */
  async rekey(): Promise<void> {
    this.#epoch = await followingEpoch(this.#epoch, this.#provider);
  }

  async #openNow(body: Bytes): Promise<Inner | undefined> {
    const epoch = this.#epoch;
    if (!isRecordSize(body.length, epoch.suite)) return undefined;
    const iv = body.slice(0, AES_BLOCK_BYTES);
    const ciphertext = body.slice(AES_BLOCK_BYTES, -TAG_BYTES);
    const tag = body.slice(-TAG_BYTES);
    const plaintext = await epoch.cipher.open(associatedData(epoch, body.length), iv, ciphertext, tag);
    const inner = plaintext && decodeInner(plaintext);
    if (inner === undefined) return undefined;
    epoch.trace({
      kind: "record",
      way: "received",
      epoch: epoch.epoch,
      sequence: epoch.sequence,
      iv,
      ciphertext,
      tag,
    });
    epoch.sequence += 1;
    return inner;
  }
}

/** Whether a body of `length` octets can be a record of `suite`: its plaintext must be one of the five buckets. */
function isRecordSize(length: number, suite: Suite): boolean {
  return PADDING_BUCKETS_BYTES.some((bucket) =>
    AES_BLOCK_BYTES + ciphertextBytes(suite, bucket) + TAG_BYTES === length
  );
}
