/**
 * Records: one direction of a channel, sealed by its sender and opened by its receiver (PROTOCOL §5). Each
 * direction is a value with one owner, and its calls queue: a sequence number that two calls read before
 * either wrote it back would seal two records under one number.
 *
 * @module
 */

import { AES_BLOCK_BYTES, type Entropy, type Mac, type MacNow, type Provider } from "../crypto/port.ts";
import type { TraceEvent } from "../text/trace.ts";
import { type Bytes, ByteWriter, concat } from "../wire/bytes.ts";
import { encodeFrame } from "../wire/frame.ts";
import { PADDING_BUCKETS_BYTES } from "../wire/limits.ts";
import { type RecordCipher, recordCipher, TAG_BYTES } from "./aead.ts";
import { type ContentKind, decodeInner, encodeInner, type Inner } from "./inner.ts";
import { nextSecret, recordKey, sharedTagKey } from "./schedule.ts";
import {
  decodeRoomKey,
  encodeRoomKey,
  isSharedBody,
  KnownRoomKeys,
  openShared,
  receiveShared,
  type RoomKey,
  sharedBodyBytes,
  sharedFrames,
  type SharedRecord,
  taggedHeader,
} from "./shared_record.ts";
import { ciphertextBytes, type Suite } from "./suite.ts";

/** Records under one key before its direction is rekeyed; far below where random CBC IVs would repeat (2^64 blocks). */
export const REKEY_RECORDS_MAX = 2 ** 20;
/** Octets of ciphertext under one key before its direction is rekeyed: 1 GiB. */
export const REKEY_BYTES_MAX = 2 ** 30;

/** Told what passes, for `--trace`. Never told a key. */
export type Tracer = (event: TraceEvent) => void;

/** Tells nobody: what is to be told by it need not be taken apart first. */
export const NO_TRACE: Tracer = (): void => {};

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
  const cipher = await recordCipher(provider, direction.suite, key);
  return { ...direction, cipher, sequence: 0, bytes: 0 };
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
  return new ByteWriter(14).integer(epoch, 4).integer(sequence, 8).integer(bodyBytes, 2).bytes;
}

/** Seals what one end sends. */
export class Sealer {
  readonly #provider: Provider;
  readonly #entropy: Entropy;
  readonly #roomKeys = new KnownRoomKeys();
  #epoch: Epoch;
  #last: Promise<unknown> = Promise.resolve();
  /** How many calls have not done their work. */
  #calls = 0;
  /** Tags the shared records of this epoch; made when the first of them passes. */
  #sharedTags: MacNow | undefined;

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

  /** The frames of shared records, each behind one that tells its room's key where the other end was not told that yet. */
  share(records: readonly SharedRecord[]): Promise<Bytes> {
    return this.#enqueue(async () => {
      const frames: Bytes[] = [];
      for (const record of records) {
        if (!this.#roomKeys.has(record.key)) {
          this.#roomKeys.put(record.key);
          frames.push(await this.#sealNow("roomKey", encodeRoomKey(record.key)));
        }
        const tagKey = await sharedTagKey(this.#provider, this.#epoch.secret);
        this.#sharedTags ??= this.#provider.hmacSha256Now(tagKey);
        frames.push(this.#tagged([record], this.#sharedTags));
      }
      return concat(...frames);
    });
  }

  /**
   * As {@linkcode Sealer.share}, at once: what is said to a room is computed for each who hears it, and promises would cost
   * more than that. `undefined` where it has to wait, for another call or because a key is to be told or made before it.
   */
  shareNow(records: readonly SharedRecord[]): Bytes | undefined {
    if (this.#calls > 0 || this.#sharedTags === undefined) return undefined;
    let known: RoomKey | undefined;
    for (const { key } of records) {
      if (key !== known && !this.#roomKeys.has(key)) return undefined;
      known = key;
    }
    return this.#tagged(records, this.#sharedTags);
  }

  /** The frame that ends this epoch; the next record is sealed under new keys. */
  rekey(): Promise<Bytes> {
    return this.#enqueue(async () => {
      const frame = await this.#sealNow("rekey", new Uint8Array(0));
      this.#epoch = await followingEpoch(this.#epoch, this.#provider);
      this.#sharedTags = undefined;
      return frame;
    });
  }

  #enqueue(work: () => Promise<Bytes>): Promise<Bytes> {
    this.#calls += 1;
    const result = this.#last.then(work).finally(() => {
      this.#calls -= 1;
    });
    this.#last = result.catch(() => {});
    return result;
  }

  #tagged(records: readonly SharedRecord[], tags: MacNow): Bytes {
    const epoch = this.#epoch;
    return sharedFrames(records, (into, record) => {
      tags.tag(into, taggedHeader(epoch, record), record.digest);
      traceShared(epoch, "sent", { bytes: record.bytes, tag: into });
      epoch.sequence += 1;
      epoch.bytes += sharedBodyBytes(record);
    });
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

/** What a record carried, and whose key it was under where it was a shared one. */
export interface Opened extends Inner {
  /** The id of the room; `undefined` for a record of the direction's own. */
  readonly room: Bytes | undefined;
}

/** Opens what the other end sent. */
export class Opener {
  readonly #provider: Provider;
  readonly #roomKeys = new KnownRoomKeys();
  #epoch: Epoch;
  #last: Promise<unknown> = Promise.resolve();
  /** Verifies the shared records of this epoch; made when the first of them comes. */
  #sharedTags: Mac | undefined;

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
  open(body: Bytes): Promise<Opened | undefined> {
    const result = this.#last.then(() => this.#openNow(body));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Takes a room's key from the content of a record; false where it is none. */
  learn(content: Bytes): boolean {
    const key: RoomKey | undefined = decodeRoomKey(content);
    if (key !== undefined) this.#roomKeys.put(key);
    return key !== undefined;
  }

  /** Goes on to the next epoch: the record opened last was a rekey. */
  async rekey(): Promise<void> {
    this.#epoch = await followingEpoch(this.#epoch, this.#provider);
    this.#sharedTags = undefined;
  }

  async #openNow(body: Bytes): Promise<Opened | undefined> {
    return isSharedBody(body) ? await this.#openShared(body) : await this.#openOwn(body);
  }

  async #openShared(body: Bytes): Promise<Opened | undefined> {
    const epoch = this.#epoch;
    const record = await receiveShared(this.#provider, body);
    this.#sharedTags ??= await this.#provider.hmacSha256(await sharedTagKey(this.#provider, epoch.secret));
    const tag = await this.#sharedTags.sign(concat(taggedHeader(epoch, record), record.digest));
    // Before the room's key is looked for: what is not this direction's next record is looked into no further.
    if (!this.#provider.equalInConstantTime(tag, record.tag)) return undefined;
    const key = this.#roomKeys.find(record.room, record.keyId);
    const content = key && await openShared(this.#provider, record, key);
    if (content === undefined) return undefined;
    traceShared(epoch, "received", record);
    epoch.sequence += 1;
    return { kind: "message", content, room: record.room };
  }

  async #openOwn(body: Bytes): Promise<Opened | undefined> {
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
    return { ...inner, room: undefined };
  }
}

function traceShared(
  { epoch, sequence, trace }: Epoch,
  way: "sent" | "received",
  { bytes, tag }: { readonly bytes: Bytes; readonly tag: Bytes },
): void {
  if (trace !== NO_TRACE) trace({ kind: "shared", way, epoch, sequence, bytes, tag });
}

/** Whether a body of `length` octets can be a record of `suite`: its plaintext must be one of the five buckets. */
function isRecordSize(length: number, suite: Suite): boolean {
  return PADDING_BUCKETS_BYTES.some((bucket) =>
    AES_BLOCK_BYTES + ciphertextBytes(suite, bucket) + TAG_BYTES === length
  );
}
