/**
 * Sends what one says: kept first, signed once, sent in order as far as the server keeps up, and kept until it has its
 * place or was refused.
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import { entryId } from "../identity/entry_id.ts";
import { draftClaim, signEntry } from "../identity/log_entry.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { encodeBody, type EntryBody } from "../wire/entry_body.ts";
import { type Draft, type Place, SALT_BYTES } from "../wire/message.ts";
import type { DeviceConnection } from "./device_connection.ts";
import type { LocalStore, Queued } from "./keepers.ts";
import {
  added,
  disconnected,
  isFull,
  isStale,
  nextToSend,
  type Outbox,
  type OutboxFault,
  outboxOf,
  type Refusal,
  refused,
  released,
  renamed,
  sent,
  settled,
  waiting,
  wakeAt,
} from "./outbox.ts";
import type { OwnDevices } from "./own_devices.ts";

/** What things are sent with. */
export interface SenderParts {
  /** The primitives. */
  readonly provider: Provider;
  /** For ids and salts. */
  readonly entropy: Entropy;
  /** Milliseconds since 1970, for ids. */
  readonly wallClock: () => number;
  /** Milliseconds that never go back, for pauses. */
  readonly clock: () => number;
  /** Where all is kept until it has its place. */
  readonly store: LocalStore;
  /** The device that signs. */
  readonly own: OwnDevices;
}

/** How rooms stand, as far as sending goes. */
export interface SendingRooms {
  /** The last entry that was seen of a room that is followed; `undefined` of any other. */
  readonly seen: (room: Bytes) => Place | undefined;
  /** Whether its members wait between two messages. */
  readonly isSlow: (room: Bytes) => boolean;
}

/** What the server has refused for good. */
export interface Refused {
  /** What it was. */
  readonly item: Queued;
  /** What the server has said of it. */
  readonly fault: OutboxFault;
}

/** Sends for one account. */
export class Sender {
  readonly #parts: SenderParts;
  #outbox: Outbox;
  #untold: readonly Refused[];

  private constructor(parts: SenderParts, kept: readonly Queued[]) {
    this.#parts = parts;
    this.#outbox = outboxOf(kept.filter(({ refused }) => refused === undefined));
    this.#untold = kept.flatMap((item) =>
      item.refused === undefined ? [] : [{ item, fault: { code: item.refused, wait: undefined } }]
    );
  }

  /** One with what was left unsent. Rejects with a `Failure` where that cannot be read. */
  static async open(parts: SenderParts): Promise<Sender> {
    return new Sender(parts, await parts.store.queued());
  }

  /** Whether more is to wait. */
  get isFull(): boolean {
    return isFull(this.#outbox);
  }

  /** All that has no place yet, in order. */
  get waiting(): readonly Queued[] {
    return waiting(this.#outbox);
  }

  /** An entry that nobody has signed yet. */
  draft(what: EntryBody, about: Place | undefined): Queued["draft"] {
    const { entropy, wallClock } = this.#parts;
    const content = { salt: entropy(SALT_BYTES), body: encodeBody(what) };
    const id = entryId(wallClock(), entropy);
    return { id, kind: what.kind, ...(about === undefined ? {} : { about }), content };
  }

  /** When something may be sent by time alone, by the clock that never goes back; `undefined`: never. */
  get wakeAt(): number | undefined {
    return wakeAt(this.#outbox, this.#parts.clock());
  }

  /** Keeps an entry at the end of what waits; settles once it is kept. */
  async queue(room: Bytes, draft: Queued["draft"]): Promise<void> {
    const item: Queued = { room, draft, signed: undefined, refused: undefined };
    await this.#parts.store.queue(item);
    this.#outbox = added(this.#outbox, item);
  }

  /** Signs an entry as one who has seen that much. */
  async sign(room: Bytes, draft: Queued["draft"], seen: Place): Promise<Draft> {
    const { provider, own } = this.#parts;
    const { device, handle } = own.account;
    const unsigned = { ...draft, seen, signature: new Uint8Array(0) };
    const claim = draftClaim(provider, { room, from: handle }, unsigned);
    return { ...unsigned, signature: await signEntry(device, claim) };
  }

  /** Sends all that may be sent now. */
  async flush(connection: DeviceConnection, rooms: SendingRooms): Promise<void> {
    for (;;) {
      const next = nextToSend(this.#outbox, {
        now: this.#parts.clock(),
        isOpen: (room) => rooms.seen(room) !== undefined,
        isSlow: (room) => rooms.isSlow(room),
      });
      const seen = next === undefined ? undefined : rooms.seen(next.room);
      if (next === undefined || seen === undefined) return;
      const item = await this.#renewed(next);
      const signed = item && await this.#signed(item, seen);
      if (item === undefined || signed === undefined) {
        // Another program of this account has had it stored or refused, or sends it under another id.
        this.#outbox = settled(this.#outbox, next.draft.id).outbox;
        continue;
      }
      // The end may have come meanwhile: nothing is noted as sent that is not.
      if (!connection.open) return;
      this.#outbox = sent(this.#outbox, signed.id, signed);
      connection.send({ type: "send", room: item.room, entry: signed });
    }
  }

  /** Whether an entry of that id waits for its place. */
  has(id: Bytes): boolean {
    return this.waiting.some(({ draft }) => equal(draft.id, id));
  }

  /** Notes that an entry has its place; gives it where it was waited for. */
  async settle(id: Bytes): Promise<Queued | undefined> {
    const { outbox, item } = settled(this.#outbox, id);
    if (item === undefined) return undefined;
    this.#outbox = outbox;
    await this.#parts.store.unqueue(id);
    return item;
  }

  /** Takes the server's refusal of an entry; one that is not sent again is to be told of, see {@linkcode Sender.untold}. */
  async refuse(id: Bytes, fault: OutboxFault): Promise<Refusal> {
    const refusal = refused(this.#outbox, id, fault, this.#parts.clock());
    if (refusal.kind === "unknown") return refusal;
    this.#outbox = refusal.outbox;
    if (refusal.kind === "refused") {
      // Durable before anybody hears of it: what counts as refused must not be sent by the next run after all.
      await this.#parts.store.refuse(id, fault.code);
      await this.#parts.store.flush();
      this.#untold = [...this.#untold, { item: refusal.item, fault }];
    }
    return refusal;
  }

  /** What was refused, in this run or at the end of the last one, and nobody was told of. */
  get untold(): readonly Refused[] {
    return this.#untold;
  }

  /** Slow mode is over in a room: what waits there may be sent at once. */
  release(room: Bytes): void {
    this.#outbox = released(this.#outbox, room);
  }

  /** Keeps what was refused no longer: its person was told. */
  async told(id: Bytes): Promise<void> {
    this.#untold = this.#untold.filter(({ item }) => !equal(item.draft.id, id));
    await this.#parts.store.unqueue(id);
  }

  /** The connection is gone: what has no place yet is sent again. */
  disconnected(): void {
    this.#outbox = disconnected(this.#outbox);
  }

  /** As it is to be sent; `undefined` where it waits no more. */
  async #signed(item: Queued, seen: Place): Promise<Draft | undefined> {
    if (item.signed !== undefined) return item.signed;
    const signed = await this.sign(item.room, item.draft, seen);
    // Another program of this account may have signed it first: what was signed stays the same octets.
    const kept = await this.#parts.store.requeue({ ...item, signed }, item.draft.id);
    return kept?.signed;
  }

  /** What waited so long that nobody would believe its id gets another; `undefined` where it waits no more. */
  async #renewed(item: Queued): Promise<Queued | undefined> {
    const { entropy, wallClock, store } = this.#parts;
    if (!isStale(item, wallClock())) return item;
    const another = { ...item, draft: { ...item.draft, id: entryId(wallClock(), entropy) } };
    const renewed = await store.requeue(another, item.draft.id);
    if (renewed === undefined) return undefined;
    this.#outbox = renamed(this.#outbox, item.draft.id, renewed);
    return renewed;
  }
}
