/**
 * What a client keeps, in memory, for tests of those who use it: a test may have any method wait or fail, before it looks
 * or before it tells what it did, as a slow or full disk would.
 *
 * @module
 */

import type { KeptEntry, KeptRange, KeptRoom, LocalStore, Queued } from "../../lib/client/keepers.ts";
import { type Bytes, equal } from "../../lib/wire/bytes.ts";
import type { FaultCode } from "../../lib/wire/message.ts";

interface Kept {
  readonly room: KeptRoom;
  /** By sequence, in that order. */
  readonly entries: readonly KeptEntry[];
}

interface Shelf {
  room: KeptRoom;
  /** By sequence, in that order. */
  readonly entries: KeptEntry[];
  /** The sequences by id in hex. */
  readonly ids: Map<string, number>;
}

/** One account's local store, which ends with the test. */
export class MemoryLocal implements LocalStore {
  /** Waited for before a method looks; where it rejects, the method does, and nothing was changed. */
  before: (method: keyof LocalStore) => Promise<void> | void = () => {};
  /** Waited for before a method tells what it saw or did. */
  after: (method: keyof LocalStore) => Promise<void> | void = () => {};

  readonly #rooms = new Map<string, Shelf>();
  readonly #settings = new Map<string, string>();
  #queue: readonly Queued[] = [];

  /** What is kept, looked at by the test. */
  get kept(): readonly Kept[] {
    return Array.from(this.#rooms.values());
  }

  /** What waits to be sent, looked at by the test. */
  get waiting(): readonly Queued[] {
    return this.#queue;
  }

  /** See {@linkcode LocalStore}. */
  rooms(): Promise<readonly KeptRoom[]> {
    return this.#do("rooms", () => Array.from(this.#rooms.values(), ({ room }) => room));
  }

  /** See {@linkcode LocalStore}. */
  keep(room: KeptRoom, entries: readonly KeptEntry[]): Promise<void> {
    return this.#do("keep", () => {
      const name = room.room.toHex();
      const shelf = this.#rooms.get(name) ?? { room, entries: [], ids: new Map() };
      this.#rooms.set(name, shelf);
      shelf.room = room;
      for (const each of entries) put(shelf, each);
    });
  }

  /** See {@linkcode LocalStore}. */
  entries(room: Bytes, { from, to, limit }: KeptRange): Promise<readonly KeptEntry[]> {
    return this.#do("entries", () => {
      const all = this.#rooms.get(room.toHex())?.entries ?? [];
      const end = placeOf(all, to + 1);
      return all.slice(Math.max(placeOf(all, from), end - limit), end);
    });
  }

  /** See {@linkcode LocalStore}. */
  entryById(room: Bytes, id: Bytes): Promise<KeptEntry | undefined> {
    return this.#do("entryById", () => {
      const shelf = this.#rooms.get(room.toHex());
      const sequence = shelf?.ids.get(id.toHex());
      return sequence === undefined ? undefined : shelf?.entries[placeOf(shelf.entries, sequence)];
    });
  }

  /** See {@linkcode LocalStore}. */
  erase(room: Bytes, sequence: number, by: number): Promise<void> {
    return this.#do("erase", () => {
      const kept = this.#rooms.get(room.toHex());
      if (kept === undefined) return;
      kept.entries.forEach((each, at) => {
        const { content: _, ...rest } = each.entry;
        const isEditOfIt = rest.kind === "edit" && rest.about?.sequence === sequence;
        if (rest.sequence !== sequence && !isEditOfIt) return;
        kept.entries[at] = { ...each, entry: { ...rest, erasedBy: by } };
      });
    });
  }

  /** See {@linkcode LocalStore}. */
  queued(): Promise<readonly Queued[]> {
    return this.#do("queued", () => this.#queue);
  }

  /** See {@linkcode LocalStore}. */
  queue(item: Queued): Promise<void> {
    return this.#do("queue", () => {
      this.#queue = [...this.#queue, item];
    });
  }

  /** See {@linkcode LocalStore}. */
  requeue(item: Queued, instead: Bytes): Promise<Queued | undefined> {
    return this.#do("requeue", () => {
      const there = this.#queue.find(({ draft }) => equal(draft.id, instead));
      if (there === undefined || there.refused !== undefined) return undefined;
      const kept = there.signed === undefined ? item : there;
      this.#queue = this.#queue.map((each) => each === there ? kept : each);
      return kept;
    });
  }

  /** See {@linkcode LocalStore}. */
  flush(): Promise<void> {
    return this.#do("flush", () => {});
  }

  /** See {@linkcode LocalStore}. */
  refuse(id: Bytes, code: FaultCode): Promise<void> {
    return this.#do("refuse", () => {
      this.#queue = this.#queue.map((each) => equal(each.draft.id, id) ? { ...each, refused: code } : each);
    });
  }

  /** See {@linkcode LocalStore}. */
  unqueue(id: Bytes): Promise<void> {
    return this.#do("unqueue", () => {
      this.#queue = this.#queue.filter(({ draft }) => !equal(draft.id, id));
    });
  }

  /** See {@linkcode LocalStore}. */
  setting(name: string): Promise<string | undefined> {
    return this.#do("setting", () => this.#settings.get(name));
  }

  /** See {@linkcode LocalStore}. */
  setSetting(name: string, value: string | undefined): Promise<void> {
    return this.#do("setSetting", () => {
      if (value === undefined) this.#settings.delete(name);
      else this.#settings.set(name, value);
    });
  }

  async #do<Result>(method: keyof LocalStore, act: () => Result): Promise<Result> {
    await this.before(method);
    const result = act();
    await this.after(method);
    return result;
  }
}

function put({ entries, ids }: Shelf, kept: KeptEntry): void {
  const { id, sequence } = kept.entry;
  const at = placeOf(entries, sequence);
  const before = entries[at];
  const isThere = before?.entry.sequence === sequence;
  if (isThere) ids.delete(before.entry.id.toHex());
  entries.splice(at, isThere ? 1 : 0, kept);
  ids.set(id.toHex(), sequence);
}

/** Where the first entry stands that is not before `sequence`. */
function placeOf(entries: readonly KeptEntry[], sequence: number): number {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((entries[middle]?.entry.sequence ?? sequence) < sequence) from = middle + 1;
    else to = middle;
  }
  return from;
}
