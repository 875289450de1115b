/**
 * What is decided before it is stored, as a value of one turn: each proposal on the rooms as those before it would leave
 * them. Nothing of it counts until all of it is stored.
 *
 * @module
 */

import { decide } from "../chat/decide.ts";
import { filesOf } from "../chat/file_rule.ts";
import type { LogChange } from "../chat/log_port.ts";
import type { Departed, Facts, Proposal } from "../chat/proposal.ts";
import { trimmed } from "../chat/retention.ts";
import type { RoomState } from "../chat/room.ts";
import { standingOf } from "../chat/room_state.ts";
import type { Provider } from "../crypto/port.ts";
import { contentDigest } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import { skeleton } from "../text/skeleton.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { EntryKind } from "../wire/entry_body.ts";
import type { FaultCode, Logged, Place } from "../wire/message.ts";
import type { BlockBook } from "./block_book.ts";
import type { CardBook } from "./card_book.ts";
import type { Evidence } from "./evidence.ts";
import type { RoomIndex } from "./room_index.ts";

/** What slow mode counts. */
const SPOKEN: readonly EntryKind[] = ["text", "reply", "file"];

/** What a batch rests on; none of it changes while the batch is decided. */
export interface BatchParts {
  /** Hashes. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** The host key, 32 octets. */
  readonly hostKey: Bytes;
  /** Days for new rooms. */
  readonly retention: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The rooms as they are stored. */
  readonly rooms: RoomIndex;
  /** Who has an account. */
  readonly cards: CardBook;
  /** Who blocks whom. */
  readonly blocks: BlockBook;
  /** When somebody last spoke in a room of slow mode, by {@linkcode speakerKey}. */
  readonly spoken: ReadonlyMap<string, number>;
}

/** What comes of a proposal, once its batch is stored. */
export type Verdict =
  | Accepted
  /** It was stored before: somebody does not know whether it arrived. */
  | { readonly kind: "again"; readonly entry: Logged }
  | { readonly kind: "refused"; readonly code: FaultCode; readonly wait?: number };

/** An entry that gets its place. */
export interface Accepted {
  /** It has its place. */
  readonly kind: "accepted";
  /** The entry. */
  readonly entry: Logged;
  /** The room after it. */
  readonly room: RoomState;
  /** Who is out by it. */
  readonly gone: readonly Departed[];
  /** What it erases, as it was. */
  readonly erased: readonly Logged[];
}

/** One turn's decisions. */
export class Batch {
  /** What is to be stored, in this order. */
  readonly changes: LogChange[] = [];
  /** When who spoke by this batch. */
  readonly spoken = new Map<string, number>();

  readonly #parts: BatchParts;
  readonly #rooms = new Map<string, RoomState>();
  /** The entries of this batch, by their ids. */
  readonly #entries = new Map<string, { readonly room: Bytes; readonly entry: Logged }>();
  /** How many edits of the entry at a place it has. */
  readonly #edits = new Map<string, number>();
  /** Places whose content this batch erases. */
  readonly #erased = new Set<string>();

  /** A batch in which nothing is decided. */
  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  /** The rooms that it changes, as they are after it. */
  get rooms(): readonly RoomState[] {
    return Array.from(this.#rooms.values());
  }

  /** Decides on a proposal. */
  decide(proposal: Proposal, evidence: Evidence): Verdict {
    const again = this.#again(proposal, evidence);
    if (again !== undefined) return again;
    if (!evidence.isSound) return { kind: "refused", code: "badEntry" };
    const facts = this.#facts(proposal, evidence);
    const decision = decide(this.#room(proposal.room), proposal, facts);
    if (decision.kind === "refused") return decision;
    const { entry, room, changes, gone } = decision;
    this.changes.push(...changes);
    this.#take(room, entry);
    const erases = changes.some(({ kind }) => kind === "erase");
    const erased = erases && facts.target !== undefined ? [facts.target] : [];
    for (const { sequence } of erased) this.#erased.add(placeKey(room.id, sequence));
    this.#dropFiles(room.id, erased);
    return {
      kind: "accepted",
      entry,
      room,
      gone,
      erased,
    };
  }

  /**
   * Drops the entries of a room up to `last`, with the files of `entries`, which are among them; gives the room then, or
   * `undefined` where that is done already.
   */
  trim(id: Bytes, last: Place, entries: readonly Logged[]): RoomState | undefined {
    const room = this.#room(id);
    if (room === undefined || room.base.sequence >= last.sequence) return undefined;
    const next = trimmed(room, last);
    this.#rooms.set(id.toHex(), next);
    this.changes.push({ kind: "trim", room: next });
    this.#dropFiles(id, entries);
    return next;
  }

  /** By the same change as their entries: what was only to be done afterwards nobody would do after a crash. */
  #dropFiles(room: Bytes, entries: readonly Logged[]): void {
    const gone = filesOf(entries);
    if (gone.length > 0) this.changes.push({ kind: "files", room, gone });
  }

  #again({ room, from, device, draft }: Proposal, { known }: Evidence): Verdict | undefined {
    const here = this.#entries.get(draft.id.toHex());
    if (here === undefined && known.kind === "nothing") return undefined;
    const entry = here === undefined
      ? known.kind === "entry" ? known.entry : undefined
      : equal(here.room, room)
      ? here.entry
      : undefined;
    const isSame = entry !== undefined && entry.from === from && entry.kind === draft.kind &&
      equal(entry.device, device) && equal(entry.signature, draft.signature) &&
      equal(entry.digest, contentDigest(this.#parts.provider, draft.content)) &&
      isSamePlace(entry.seen, draft.seen) && isSamePlace(entry.about, draft.about);
    return isSame ? { kind: "again", entry } : { kind: "refused", code: "idTaken" };
  }

  #facts({ room: id, from, draft }: Proposal, { target, edits, file }: Evidence): Facts {
    const { now, provider, hostKey, cards, blocks, spoken, retention } = this.#parts;
    const speaker = from === undefined ? undefined : speakerKey(id, from);
    return {
      now,
      provider,
      hostKey,
      target: target && this.#asItIs(id, target),
      edits: edits + (draft.about === undefined ? 0 : this.#editsOf(id, draft.about.sequence)),
      file,
      lastSpoke: speaker === undefined ? undefined : this.spoken.get(speaker) ?? spoken.get(speaker),
      defaults: { retention },
      isAccount: (handle) => cards.isAccount(handle),
      nameTaken: (name) => this.#isTaken(name, id),
      roomsOf: (handle) => this.#count(handle, (standing) => standing === "member"),
      asksOf: (handle) =>
        this.#count(handle, (standing) => standing === "invited" || standing === "requested"),
      blocks: (whom, by) => blocks.blocks(whom, by),
    };
  }

  #room(id: Bytes): RoomState | undefined {
    return this.#rooms.get(id.toHex()) ?? this.#parts.rooms.get(id);
  }

  #take(room: RoomState, entry: Logged): void {
    this.#rooms.set(room.id.toHex(), room);
    this.#entries.set(entry.id.toHex(), { room: room.id, entry });
    if (entry.kind === "edit" && entry.about !== undefined) {
      const { sequence } = entry.about;
      this.#edits.set(placeKey(room.id, sequence), this.#editsOf(room.id, sequence) + 1);
    }
    if (room.settings.slow > 0 && entry.from !== undefined && SPOKEN.includes(entry.kind)) {
      this.spoken.set(speakerKey(room.id, entry.from), entry.time);
    }
  }

  #editsOf(room: Bytes, sequence: number): number {
    return this.#edits.get(placeKey(room, sequence)) ?? 0;
  }

  /** Without its content where this batch has erased that, or what it edits. */
  #asItIs(room: Bytes, target: Logged): Logged {
    const edited = target.kind === "edit" ? target.about?.sequence : undefined;
    const isErased = [target.sequence, edited].some((sequence) =>
      sequence !== undefined && this.#erased.has(placeKey(room, sequence))
    );
    if (!isErased) return target;
    const { content: _, ...rest } = target;
    return rest;
  }

  /** Whether another room than that one has the name, or one that looks like it. */
  #isTaken(name: string, id: Bytes): boolean {
    const stored = this.#parts.rooms.lookingLike(name);
    const others = stored === undefined ? this.rooms : [this.#room(stored.id) ?? stored, ...this.rooms];
    return others.some((room) =>
      room.form.kind === "open" && !equal(room.id, id) && skeleton(room.form.name) === skeleton(name)
    );
  }

  /** How many rooms somebody is that to. */
  #count(handle: Handle, isCounted: (standing: ReturnType<typeof standingOf>) => boolean): number {
    const stored = this.#parts.rooms.of(handle).filter(({ id }) => !this.#rooms.has(id.toHex()));
    return [...stored, ...this.rooms].filter((room) => isCounted(standingOf(room, handle))).length;
  }
}

/** Somebody in a room, as a key of a map. */
export function speakerKey(room: Bytes, handle: Handle): string {
  return `${room.toHex()} ${handle}`;
}

function placeKey(room: Bytes, sequence: number): string {
  return `${room.toHex()} ${sequence}`;
}

function isSamePlace(one: Place | undefined, other: Place | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.sequence === other.sequence && equal(one.hash, other.hash);
}
