/**
 * Takes what people tell by the way: how far they have read, that they write, that they are away, whom they block. What
 * is too much of the first three is dropped without a word.
 *
 * @module
 */

import type { RoomState } from "../chat/room.ts";
import { roleOf } from "../chat/room_state.ts";
import type { RoomRequest } from "../session/phase.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { encodeMessage, type ServerMessage } from "../wire/message.ts";
import { BLOCKS_MAX } from "./block_book.ts";
import type { Company } from "./company.ts";
import type { Guest } from "./guest.ts";
import { noteTrouble } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";
import { NEAR_MEMBERS_MAX } from "./reading_desk.ts";

/** What is told at the desk. */
export type Signal = RoomRequest & { readonly type: "mark" | "typing" | "status" | "block" };

interface Parts
  extends Pick<Hall, "parts" | "rooms" | "guests" | "cards" | "blocks" | "marks" | "allowances"> {
  readonly company: Pick<Company, "say">;
}

/** The desk of one server. */
export class SignalDesk {
  readonly #hall: Parts;
  /** In which rooms a connection's person writes. */
  readonly #typing = new Map<Guest, Map<string, Bytes>>();

  /** A desk that was told nothing. */
  constructor(hall: Parts) {
    this.#hall = hall;
  }

  /** Takes a signal; settles when the next message of that connection may be looked at. */
  async take(guest: Guest, signal: Signal): Promise<void> {
    if (signal.type === "block") return await this.#block(guest, signal);
    const { allowances, parts } = this.#hall;
    if (allowances.spend(guest.handle, ["signals"], parts.wallClock()) !== undefined) return;
    switch (signal.type) {
      case "mark":
        return await this.#mark(guest, signal);
      case "typing":
        return this.#type(guest, signal);
      case "status":
        return this.#hall.company.say(
          guest,
          signal.state === "online" ? { state: "online" } : { state: "away", text: signal.text },
        );
    }
  }

  /** The connection is over: its person writes nowhere any more. */
  leave(guest: Guest): void {
    for (const room of this.#typing.get(guest)?.values() ?? []) this.#type(guest, { room, on: false });
    this.#typing.delete(guest);
  }

  async #mark(guest: Guest, { room: id, delivered, read, shown }: Signal & { type: "mark" }): Promise<void> {
    const { marks, parts, rooms } = this.#hall;
    const { handle } = guest;
    if (rooms.get(id)?.members.has(handle) !== true) return;
    try {
      await marks.load(id, handle);
    } catch (error) {
      return noteTrouble(parts, error);
    }
    const room = rooms.get(id);
    if (guest.stage !== "ready" || room === undefined || !room.members.has(handle)) return;
    const head = room.head.sequence;
    const moved = marks.advance(id, handle, {
      delivered: Math.min(delivered, head),
      read: Math.min(read, head),
    });
    if (moved !== undefined) this.#tellOwn(guest, { type: "marks", room: id, handle, ...moved });
    const known = marks.find(id, handle);
    if (!shown || known === undefined || room.members.size > NEAR_MEMBERS_MAX) return;
    if (marks.show(id, handle, known)) {
      this.#tellNear(room, handle, { type: "marks", room: id, handle, ...known });
    }
  }

  #type(guest: Guest, { room: id, on }: { readonly room: Bytes; readonly on: boolean }): void {
    const { parts, rooms } = this.#hall;
    const { handle } = guest;
    const room = rooms.get(id);
    const role = room && roleOf(room, handle, parts.wallClock());
    if (room === undefined || role === undefined || role === "muted") return;
    if (room.members.size > NEAR_MEMBERS_MAX) return;
    const typing = this.#typing.get(guest) ?? new Map<string, Bytes>();
    if (on) typing.set(id.toHex(), id);
    else typing.delete(id.toHex());
    this.#typing.set(guest, typing);
    this.#tellNear(room, handle, { type: "typing", room: id, handle, on });
  }

  async #block(guest: Guest, { handle: other, on }: Signal & { type: "block" }): Promise<void> {
    const { allowances, blocks, cards, guests, parts } = this.#hall;
    const { handle } = guest;
    const wait = allowances.spend(handle, ["acts"], parts.wallClock());
    if (wait !== undefined) return guest.refuse("tooFast", { wait });
    try {
      await cards.load([other]);
      await blocks.load([handle]);
      const isOn = blocks.blocks(other, handle);
      if (isOn === on) return guest.refuse("unchanged");
      if (on && (!cards.isAccount(other) || other === handle)) return guest.refuse("noSuchPerson");
      if (on && blocks.of(handle).length >= BLOCKS_MAX) return guest.refuse("limitReached");
      await blocks.set(handle, other, on);
    } catch (error) {
      noteTrouble(parts, error);
      return guest.refuse("notStored");
    }
    for (const own of guests.readyOf(handle)) {
      own.tell({ type: "blocks", handles: Array.from(blocks.of(handle)) });
    }
  }

  #tellOwn(guest: Guest, message: ServerMessage): void {
    const others = this.#hall.guests.readyOf(guest.handle).filter((other) => other !== guest);
    for (const other of others) other.tell(message);
  }

  /** In a conversation of two, who has blocked the other hears nothing of this kind. */
  #tellNear(room: RoomState, handle: Handle, message: ServerMessage): void {
    const { guests, blocks } = this.#hall;
    const bytes = encodeMessage(message);
    for (const other of room.members.keys()) {
      const isBlocked = room.form.kind === "direct" && blocks.blocks(handle, other);
      if (other === handle || isBlocked) continue;
      for (const guest of guests.readyOf(other)) guest.peer.send(bytes);
    }
  }
}
