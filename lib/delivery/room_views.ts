/**
 * A room as one account is told it.
 *
 * @module
 */

import type { Marks } from "../chat/log_port.ts";
import type { RoomState } from "../chat/room.ts";
import { isOperator, otherOf, roleOf, standingOf } from "../chat/room_state.ts";
import { NOWHERE } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { PEOPLE_MAX } from "../wire/limits.ts";
import type { Place, RoomMessage, RoomSettings } from "../wire/message.ts";
import type { MarkBook } from "./mark_book.ts";
import type { Places } from "./places.ts";

/** Rooms of accounts whose first readable places are kept in memory; each about 200 octets, 13 MiB. */
const BASES_MAX = 65_536;

/** What is told of a room to who is not in it yet: nothing that its people have settled. */
const NOTHING_SETTLED: RoomSettings = {
  visibility: "private",
  topic: "",
  history: 0,
  retention: 0,
  slow: 0,
  lockdown: false,
};

/** The last entry that somebody may not read: dropped, or from before they came. */
export function unreadable({ base, members, head }: RoomState, handle: Handle): number {
  return Math.max(base.sequence, members.get(handle)?.base ?? head.sequence);
}

/** Rooms as accounts see them. */
export class RoomViews {
  readonly #marks: MarkBook;
  readonly #places: Places;
  readonly #bases = new Map<string, Bytes>();

  /** Views that rest on these. */
  constructor({ marks, places }: { readonly marks: MarkBook; readonly places: Places }) {
    this.#marks = marks;
    this.#places = places;
  }

  /** Settles when {@linkcode RoomViews.message} can tell that room to that account, as it is at this moment. */
  async load(room: RoomState, handle: Handle): Promise<void> {
    if (!room.members.has(handle)) return;
    await this.#marks.load(room.id, handle);
    await this.base(room, handle);
  }

  /** The last place that a member may not read, with its hash. */
  async base(room: RoomState, handle: Handle): Promise<Place> {
    const known = this.#base(room, handle);
    if (known !== undefined) return known;
    const place = await this.#places.at(room, unreadable(room, handle));
    this.#bases.set(baseKey(room.id, place.sequence), place.hash);
    const [oldest] = this.#bases.keys();
    if (this.#bases.size > BASES_MAX && oldest !== undefined) this.#bases.delete(oldest);
    return place;
  }

  /** `undefined` where the account has nothing to do with the room, or it was not loaded. */
  message(room: RoomState, handle: Handle, now: number): RoomMessage | undefined {
    switch (standingOf(room, handle)) {
      case undefined:
        return undefined;
      case "member":
        return this.#ofMember(room, handle, now);
      case "invited":
        return {
          ...outline(room, handle),
          standing: "invited",
          settings: room.settings,
          members: room.members.size,
        };
      case "knocking":
        return { ...outline(room, handle), standing: "knocking" };
      case "requested":
        return { ...outline(room, handle), standing: "requested" };
    }
  }

  #ofMember(room: RoomState, handle: Handle, now: number): RoomMessage | undefined {
    const role = roleOf(room, handle, now);
    const marks: Marks | undefined = this.#marks.find(room.id, handle);
    const base = this.#base(room, handle);
    if (role === undefined || marks === undefined || base === undefined) return undefined;
    return {
      ...outline(room, handle),
      standing: "member",
      role,
      settings: room.settings,
      members: room.members.size,
      knocking: isOperator(role) ? room.knocking.slice(0, PEOPLE_MAX) : [],
      head: room.head,
      base,
      ...marks,
    };
  }

  #base(room: RoomState, handle: Handle): Place | undefined {
    const sequence = unreadable(room, handle);
    if (sequence === 0) return NOWHERE;
    if (sequence === room.base.sequence) return room.base;
    const hash = this.#bases.get(baseKey(room.id, sequence));
    return hash && { sequence, hash };
  }
}

/** Who is told a room anew that has changed, and may see a difference. */
export function concerned(before: RoomState | undefined, room: RoomState): ReadonlySet<Handle> {
  const isSettledAnew = before === undefined || before.settings !== room.settings ||
    before.form !== room.form;
  if (isSettledAnew) return new Set([...room.members.keys(), ...room.invited.keys(), ...peopleOf(room)]);
  const handles = new Set<Handle>();
  if (before.members !== room.members) {
    for (const [handle, member] of room.members) {
      if (before.members.get(handle) !== member) handles.add(handle);
    }
  }
  if (before.invited !== room.invited) {
    for (const handle of room.invited.keys()) if (!before.invited.has(handle)) handles.add(handle);
  }
  if (before.knocking !== room.knocking && !isSame(before.knocking, room.knocking)) {
    for (const handle of room.knocking) if (!before.knocking.includes(handle)) handles.add(handle);
    for (const [handle, { role }] of room.members) if (isOperator(role)) handles.add(handle);
  }
  return handles;
}

function outline(room: RoomState, handle: Handle): Omit<RoomMessage, "standing"> {
  const other = otherOf(room, handle);
  return {
    type: "room",
    room: room.id,
    kind: room.form.kind,
    ...(room.form.kind === "open" ? { name: room.form.name } : {}),
    ...(other === undefined ? {} : { with: other }),
    settings: NOTHING_SETTLED,
    members: 0,
    knocking: [],
    head: NOWHERE,
    base: NOWHERE,
    delivered: 0,
    read: 0,
  };
}

function peopleOf({ form }: RoomState): readonly Handle[] {
  return form.kind === "direct" ? form.people : [];
}

function isSame(one: readonly Handle[], other: readonly Handle[]): boolean {
  return one.length === other.length && one.every((handle, at) => handle === other[at]);
}

function baseKey(room: Bytes, sequence: number): string {
  return `${room.toHex()} ${sequence}`;
}

/** Whether somebody is not to know that the room is there. */
export function isHidden(room: RoomState, handle: Handle): boolean {
  return standingOf(room, handle) === undefined &&
    (room.form.kind === "direct" || room.settings.visibility === "private");
}
