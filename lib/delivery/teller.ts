/**
 * Tells what was stored: acknowledgements and entries in one order, then who is out of a room, then how rooms are now.
 *
 * @module
 */

import type { Overheard } from "../chat/overheard.ts";
import type { Departed } from "../chat/proposal.ts";
import type { RoomState } from "../chat/room.ts";
import { standingOf } from "../chat/room_state.ts";
import type { Handle } from "../text/handle.ts";
import { shareMessages } from "../secure/shared_record.ts";
import type { Bytes } from "../wire/bytes.ts";
import { encodeEntryMessage } from "../wire/entry_octets.ts";
import { type Acknowledgement, encodeMessage, type Logged } from "../wire/message.ts";
import type { Accepted } from "./batch.ts";
import type { Guest } from "./guest.ts";
import { noteTrouble } from "./exchange_parts.ts";
import type { Share, Stored } from "./follows.ts";
import type { Hall } from "./hall.ts";
import { namedIn } from "./named.ts";
import { concerned } from "./room_views.ts";
import type { Changed } from "./writer.ts";

/** Who else hears of what is told. */
export interface Ears {
  /** An entry is told now; `as` gives what it stands for, where that is not what it says. */
  readonly hear: (room: RoomState, entry: Logged, as: EventOf | undefined) => void;
  /** Those are in a room who were not in it before. */
  readonly meet: (room: RoomState, newcomers: readonly Handle[]) => void;
  /** Somebody is out of a room. */
  readonly part: (handle: Handle) => void;
}

/** What the operator hears in place of an entry, at its time. */
export type EventOf = (time: number) => Overheard;

/** The teller of one server. */
export class Teller {
  readonly #hall: Hall;
  readonly #ears: Ears;
  /** What was stored and is not told yet, by room. */
  readonly #stored = new Map<string, { readonly room: Bytes; readonly entries: Stored[] }>();

  /** A teller that `ears` listen to. */
  constructor(
    hall: Hall,
    ears: Ears,
  ) {
    this.#hall = hall;
    this.#ears = ears;
  }

  /**
   * An entry is stored: its author's connection is told, and all others that follow the room, together with what else was
   * stored in this turn ({@linkcode Teller.tellChanges}); then who is out by it.
   */
  tellEntry({ room, entry, gone, erased }: Accepted, author: Guest | undefined, as?: EventOf): void {
    if (author !== undefined || this.#hall.follows.isHeard(room.id)) this.#store(room, entry, author);
    this.#ears.hear(room, entry, as);
    if (gone.length > 0) this.#tellStored();
    for (const departed of gone) this.#tellGone(room, departed);
    if (erased.length > 0) void this.#hall.desk.entriesGone(erased);
  }

  #store(room: RoomState, entry: Logged, author: Guest | undefined): void {
    const message = encodeEntryMessage(room.id, entry);
    const acknowledgement = encodeMessage(acknowledgementOf(room.id, entry));
    const stored = { author, acknowledgement, entry: { message, named: namedIn(entry) } };
    const name = room.id.toHex();
    const there = this.#stored.get(name);
    if (there === undefined) this.#stored.set(name, { room: room.id, entries: [stored] });
    else there.entries.push(stored);
  }

  #tellStored(): void {
    const { follows, keys, parts } = this.#hall;
    const stored = Array.from(this.#stored.values());
    this.#stored.clear();
    for (const { room, entries } of stored) {
      const share: Share = (messages) => shareMessages(keys.take(room, messages.length), messages, parts);
      try {
        follows.tell(room, entries, parts.fanout === "shared" ? share : undefined);
      } catch (fault) {
        noteTrouble(parts, fault);
      }
    }
  }

  /** Tells a connection that its entry was stored before. */
  acknowledge(room: Bytes, entry: Logged, author: Guest): void {
    // It may have been stored in this very turn, behind what is not told yet.
    this.#tellStored();
    this.#hall.follows.acknowledge(room, author, encodeMessage(acknowledgementOf(room, entry)));
  }

  /** All of a turn is stored: tells it, and how rooms are now to those who may see a difference. */
  tellChanges(changes: readonly Changed[]): void {
    this.#tellStored();
    for (const { before, room } of changes) {
      // Whoever may not read what was said gets no key that it is under.
      if (room.settings.history !== "all" && newcomers(before, room).length > 0) {
        this.#hall.keys.renew(room.id);
      }
      if (before !== undefined) this.#tellRefused(before, room);
      for (const handle of concerned(before, room)) this.tellRoom(room, handle);
      this.#ears.meet(room, newcomers(before, room));
    }
  }

  /** Tells an account's connections a room; where something has to be looked up first, as the room is then. */
  tellRoom(room: RoomState, handle: Handle): void {
    const { guests, views, cards, parts } = this.#hall;
    if (guests.readyOf(handle).length === 0) return;
    const message = views.message(room, handle, parts.wallClock());
    if (message === undefined) return void this.#tellRoomLater(room, handle);
    for (const guest of guests.readyOf(handle)) {
      if (message.standing === "requested" && message.with !== undefined) {
        guest.introduce([message.with], cards);
      }
      guest.tell(message);
    }
  }

  async #tellRoomLater({ id }: RoomState, handle: Handle): Promise<void> {
    const { guests, rooms, views, parts } = this.#hall;
    try {
      while (guests.readyOf(handle).length > 0) {
        const room = rooms.get(id);
        if (room === undefined || standingOf(room, handle) === undefined) return;
        if (views.message(room, handle, parts.wallClock()) !== undefined) return this.tellRoom(room, handle);
        await views.load(room, handle);
      }
    } catch (error) {
      noteTrouble(parts, error);
    }
  }

  #tellGone(room: RoomState, { handle, why }: Departed): void {
    const { guests, follows, marks, keys } = this.#hall;
    marks.hide(room.id, handle);
    keys.renew(room.id);
    for (const guest of guests.of(handle)) {
      follows.drop(room.id, guest);
      if (guest.stage === "ready") guest.tell({ type: "gone", room: room.id, why });
    }
    this.#ears.part(handle);
  }

  /** Who has refused a request for a conversation is asked no more; nobody else is out by an entry of their own kind. */
  #tellRefused(before: RoomState, room: RoomState): void {
    if (before.form.kind === "open" || before.form === room.form) return;
    for (const handle of before.form.people) {
      const wasAsked = standingOf(before, handle) === "requested";
      if (wasAsked && standingOf(room, handle) === undefined) {
        this.#tellGone(room, { handle, why: "denied" });
      }
    }
  }
}

function acknowledgementOf(room: Bytes, { id, sequence, time, previous }: Logged): Acknowledgement {
  return { type: "ack", room, id, sequence, time, previous };
}

function newcomers(before: RoomState | undefined, room: RoomState): readonly Handle[] {
  if (before?.members === room.members) return [];
  return Array.from(room.members.keys()).filter((handle) => before?.members.has(handle) !== true);
}
