/**
 * All rooms of a server as they are stored, found by id, by name and by who has to do with them.
 *
 * @module
 */

import type { RoomState } from "../chat/room.ts";
import { standingOf } from "../chat/room_state.ts";
import type { Handle } from "../text/handle.ts";
import { skeleton } from "../text/skeleton.ts";
import type { Bytes } from "../wire/bytes.ts";

/** The rooms of one server; {@linkcode RoomIndex.put} alone changes what it gives. */
export class RoomIndex {
  readonly #rooms = new Map<string, RoomState>();
  readonly #ofHandle = new Map<Handle, Set<string>>();
  readonly #named = new Map<string, string>();

  /** The rooms given, each of an id and a name of its own. */
  constructor(rooms: Iterable<RoomState>) {
    for (const room of rooms) this.put(room);
  }

  /** The room of that id. */
  get(id: Bytes): RoomState | undefined {
    return this.#rooms.get(id.toHex());
  }

  /** All of them, oldest first. */
  all(): readonly RoomState[] {
    return Array.from(this.#rooms.values());
  }

  /** Those in which somebody is, or was asked into, or asks to be let into. */
  of(handle: Handle): readonly RoomState[] {
    return Array.from(this.#ofHandle.get(handle) ?? []).flatMap((key) => this.#rooms.get(key) ?? []);
  }

  /** The room whose name is, or looks like, that one. */
  lookingLike(name: string): RoomState | undefined {
    const key = this.#named.get(skeleton(name));
    return key === undefined ? undefined : this.#rooms.get(key);
  }

  /** The room of that id from now on. */
  put(room: RoomState): void {
    const key = room.id.toHex();
    const before = this.#rooms.get(key);
    this.#rooms.set(key, room);
    this.#name(key, before, room);
    for (const handle of touched(before, room)) {
      const keys = this.#ofHandle.get(handle) ?? new Set();
      if (standingOf(room, handle) === undefined) keys.delete(key);
      else keys.add(key);
      if (keys.size > 0) this.#ofHandle.set(handle, keys);
      else this.#ofHandle.delete(handle);
    }
  }

  #name(key: string, before: RoomState | undefined, room: RoomState): void {
    if (before?.form === room.form) return;
    if (before?.form.kind === "open") this.#named.delete(skeleton(before.form.name));
    if (room.form.kind === "open") this.#named.set(skeleton(room.form.name), key);
  }
}

/** Whose standing may be another; none where nothing that it rests on has changed. */
export function touched(before: RoomState | undefined, room: RoomState): ReadonlySet<Handle> {
  if (
    before !== undefined && before.members === room.members && before.invited === room.invited &&
    before.knocking === room.knocking && before.form === room.form
  ) return NOBODY;
  return new Set([...handlesIn(before), ...handlesIn(room)]);
}

const NOBODY: ReadonlySet<Handle> = new Set();

function handlesIn(room: RoomState | undefined): readonly Handle[] {
  if (room === undefined) return [];
  const people = room.form.kind === "direct" ? room.form.people : [];
  return [...room.members.keys(), ...room.invited.keys(), ...room.knocking, ...people];
}
