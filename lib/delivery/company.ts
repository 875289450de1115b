/**
 * Who is at hand for whom: everybody hears of those with whom they share a room, and of nobody else.
 *
 * @module
 */

import type { RoomState } from "../chat/room.ts";
import type { Handle } from "../text/handle.ts";
import { equal } from "../wire/bytes.ts";
import { PEOPLE_MAX } from "../wire/limits.ts";
import { encodeMessage, type Presence } from "../wire/message.ts";
import type { Guest } from "./guest.ts";
import type { Hall } from "./hall.ts";
import { packed } from "./packed.ts";
import type { AtHand, Status } from "./presence_book.ts";

type Parts = Pick<Hall, "parts" | "rooms" | "guests" | "presence">;

/** The people of one server. */
export class Company {
  readonly #hall: Parts;

  /** Nobody is at hand. */
  constructor(hall: Parts) {
    this.#hall = hall;
  }

  /** A device was told its rooms: it is told who is at hand, itself included; the others, where it is the first. */
  come(guest: Guest): void {
    const { presence } = this.#hall;
    const news = presence.set(guest.handle, guest.peer.id, { state: "online" });
    const around = [guest.handle, ...this.#around(guest.handle)].map((handle) => presence.of(handle));
    this.#tell([guest], around.filter(({ state }) => state !== "offline"));
    if (news !== undefined) this.#tellOthers(news, guest);
  }

  /** Its person says something else. */
  say(guest: Guest, status: Status): void {
    const news = this.#hall.presence.set(guest.handle, guest.peer.id, status);
    if (news !== undefined) this.#tellOthers(news, undefined);
  }

  /** A device is gone: the others are told where it was the last, or the others say something else. */
  go(guest: Guest): void {
    const news = this.#hall.presence.remove(guest.handle, guest.peer.id);
    if (news !== undefined) this.#tellOthers(news, undefined);
  }

  /** Somebody has come into a room: they and its people are told of each other, unless they share another one. */
  meet(room: RoomState, handle: Handle): void {
    const { presence, guests } = this.#hall;
    const own = presence.of(handle);
    if (own.state === "offline") return;
    const strangers = Array.from(room.members.keys()).filter((other) =>
      other !== handle && presence.of(other).state !== "offline" && !this.#shareAnother(room, handle, other)
    );
    this.#tell(guests.readyOf(handle), strangers.map((other) => presence.of(other)));
    this.#tell(strangers.flatMap((other) => guests.readyOf(other)), [own]);
  }

  #tellOthers(news: AtHand, except: Guest | undefined): void {
    const { guests } = this.#hall;
    const handles = [news.handle, ...this.#around(news.handle)];
    this.#tell(handles.flatMap((handle) => guests.readyOf(handle)).filter((guest) => guest !== except), [
      news,
    ]);
  }

  #tell(guests: readonly Guest[], people: readonly AtHand[]): void {
    if (guests.length === 0) return;
    const time = this.#hall.parts.wallClock();
    for (const group of packed(people, PEOPLE_MAX)) {
      const presence: Presence = { type: "presence", people: Array.from(group), time };
      const message = encodeMessage(presence);
      for (const guest of guests) guest.peer.send(message);
    }
  }

  /** With whom somebody shares a room. */
  #around(handle: Handle): readonly Handle[] {
    const others = new Set<Handle>();
    for (const { members } of this.#hall.rooms.of(handle)) {
      if (members.has(handle)) { for (const other of members.keys()) others.add(other); }
    }
    others.delete(handle);
    return Array.from(others);
  }

  #shareAnother(room: RoomState, one: Handle, other: Handle): boolean {
    return this.#hall.rooms.of(one).some(({ id, members }) =>
      !equal(id, room.id) && members.has(one) && members.has(other)
    );
  }
}
