/**
 * Up to where people have received and read rooms: kept in memory once it was asked for, and stored with what is stored
 * next.
 *
 * @module
 */

import type { LogChange, LogStore, Marks } from "../chat/log_port.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";

type MarkChange = LogChange & { readonly kind: "marks" };

/** The marks of those who were asked for so far. */
export class MarkBook {
  readonly #logs: Pick<LogStore, "marks">;
  readonly #known = new Map<Handle, Map<string, Marks>>();
  readonly #waiting = new Map<string, MarkChange>();
  /** What others may see of them, by room: in memory only, since whether they may is said anew with each mark. */
  readonly #shown = new Map<string, Map<Handle, Marks>>();

  /** A book that reads `logs`. */
  constructor(logs: Pick<LogStore, "marks">) {
    this.#logs = logs;
  }

  /** Settles when the marks of an account in a room are known. */
  async load(room: Bytes, handle: Handle): Promise<void> {
    if (this.find(room, handle) !== undefined) return;
    const marks = await this.#logs.marks(room, handle);
    if (this.find(room, handle) === undefined) this.#set(room, handle, marks);
  }

  /** Known marks. */
  find(room: Bytes, handle: Handle): Marks | undefined {
    return this.#known.get(handle)?.get(room.toHex());
  }

  /** Moves known marks on; they never go back. Gives the new ones where they are others. */
  advance(room: Bytes, handle: Handle, { delivered, read }: Marks): Marks | undefined {
    const before = this.find(room, handle);
    if (before === undefined) return undefined;
    const next = {
      delivered: Math.max(before.delivered, delivered, read),
      read: Math.max(before.read, read),
    };
    if (next.delivered === before.delivered && next.read === before.read) return undefined;
    this.#set(room, handle, next);
    this.#waiting.set(waitingKey(room, handle), { kind: "marks", room, handle, ...next });
    return next;
  }

  /** Others may see these marks; gives whether they are others than those shown before. */
  show(room: Bytes, handle: Handle, marks: Marks): boolean {
    const key = room.toHex();
    const before = this.#shown.get(key)?.get(handle);
    this.#shown.set(key, (this.#shown.get(key) ?? new Map()).set(handle, marks));
    return before?.delivered !== marks.delivered || before.read !== marks.read;
  }

  /** What was shown in a room, by account. */
  shownIn(room: Bytes): ReadonlyMap<Handle, Marks> {
    return this.#shown.get(room.toHex()) ?? new Map();
  }

  /** What is to be stored. */
  waiting(): readonly LogChange[] {
    return Array.from(this.#waiting.values());
  }

  /** These are stored; what moved on meanwhile waits on. */
  kept(changes: readonly LogChange[]): void {
    for (const change of changes) {
      if (change.kind !== "marks") continue;
      const key = waitingKey(change.room, change.handle);
      if (this.#waiting.get(key) === change) this.#waiting.delete(key);
    }
  }

  /** Somebody is in a room no more: nobody is shown their marks there. */
  hide(room: Bytes, handle: Handle): void {
    this.#shown.get(room.toHex())?.delete(handle);
  }

  /** Keeps nothing in memory of an account that is not at hand, but for what waits to be stored. */
  rest(handle: Handle): void {
    const rooms = this.#known.get(handle);
    for (const key of rooms?.keys() ?? []) if (!this.#waiting.has(`${key} ${handle}`)) rooms?.delete(key);
    if (rooms?.size === 0) this.#known.delete(handle);
  }

  /** The account is no more. */
  forget(handle: Handle): void {
    for (const key of this.#known.get(handle)?.keys() ?? []) this.#waiting.delete(`${key} ${handle}`);
    this.#known.delete(handle);
    for (const shown of this.#shown.values()) shown.delete(handle);
  }

  #set(room: Bytes, handle: Handle, marks: Marks): void {
    this.#known.set(handle, (this.#known.get(handle) ?? new Map()).set(room.toHex(), marks));
  }
}

function waitingKey(room: Bytes, handle: Handle): string {
  return `${room.toHex()} ${handle}`;
}
