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
import type { Bytes } from "../wire/bytes.ts";
import { type Acknowledgement, encodeMessage, type Logged } from "../wire/message.ts";
import type { Accepted } from "./batch.ts";
import type { Guest } from "./guest.ts";
import { noteTrouble } from "./exchange_parts.ts";
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

  /** A teller that `ears` listen to. */
  constructor(
    hall: Hall,
    ears: Ears,
  ) {
    this.#hall = hall;
    this.#ears = ears;
  }

  /** An entry is stored: tells its author's connection, and all others that follow the room; then who is out by it. */
  tellEntry({ room, entry, gone, erased }: Accepted, author: Guest | undefined, as?: EventOf): void {
    const { follows, desk } = this.#hall;
    if (author !== undefined) this.acknowledge(room.id, entry, author);
    if (follows.isHeard(room.id)) {
      const message = encodeMessage({ type: "entry", room: room.id, entry });
      follows.tell(room.id, { message, named: namedIn(entry) }, author);
    }
    this.#ears.hear(room, entry, as);
    for (const departed of gone) this.#tellGone(room, departed);
    if (erased.length > 0) void desk.entriesGone(erased);
  }

  /** Tells a connection that its entry is stored. */
  acknowledge(room: Bytes, { id, sequence, time, previous }: Logged, author: Guest): void {
    const message: Acknowledgement = { type: "ack", room, id, sequence, time, previous };
    this.#hall.follows.acknowledge(room, author, encodeMessage(message));
  }

  /** Rooms have changed: tells each to those who may see a difference. */
  tellChanges(changes: readonly Changed[]): void {
    for (const { before, room } of changes) {
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
    const { guests, follows, marks } = this.#hall;
    marks.hide(room.id, handle);
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

function newcomers(before: RoomState | undefined, room: RoomState): readonly Handle[] {
  if (before?.members === room.members) return [];
  return Array.from(room.members.keys()).filter((handle) => before?.members.has(handle) !== true);
}
