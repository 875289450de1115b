/**
 * Logs in memory, for tests of those who use them: a test may have any method wait or fail, before it looks or before it
 * tells what it did, as a slow or full disk would. As strict about places as a database: what it takes is a log.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { EntryRange, LogChange, LogStore, Marks } from "../../lib/chat/log_port.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Logged } from "../../lib/wire/message.ts";

const NO_MARKS: Marks = { delivered: 0, read: 0 };

/** A room with what is kept of it; entries by their sequences, in order. */
interface KeptLog {
  readonly state: RoomState;
  readonly entries: ReadonlyMap<number, Logged>;
  readonly marks: ReadonlyMap<Handle, Marks>;
}

/** Logs that end with the test. */
export class MemoryLog implements LogStore {
  /** Waited for before a method looks; where it rejects, the method does, and nothing was changed. */
  before: (method: keyof LogStore) => Promise<void> | void = () => {};
  /** Waited for before a method tells what it saw or did. */
  after: (method: keyof LogStore) => Promise<void> | void = () => {};
  /** Every change that was done, a batch each. */
  readonly batches: (readonly LogChange[])[] = [];

  readonly #takesDoubles: boolean;
  readonly #logs = new Map<string, KeptLog>();
  readonly #places = new Map<string, { readonly room: Bytes; readonly sequence: number }>();
  readonly #blocks = new Map<Handle, readonly Handle[]>();
  readonly #toldKeys = new Map<Handle, number>();

  /** Empty ones. As a database refuses to, they store an id twice only where a test wants to see what becomes of that. */
  constructor({ takesDoubles = false }: { readonly takesDoubles?: boolean } = {}) {
    this.#takesDoubles = takesDoubles;
  }

  /** Whether an entry of that id, in hex, is kept or was; looked at by the test. */
  hasId(id: string): boolean {
    return this.#places.has(id);
  }

  /** All rooms, looked at by the test. */
  get states(): readonly RoomState[] {
    return Array.from(this.#logs.values(), ({ state }) => state);
  }

  /** What is kept of a room's log, looked at by the test. */
  log(room: Bytes): readonly Logged[] {
    return Array.from(this.#logs.get(room.toHex())?.entries.values() ?? []);
  }

  /** See {@linkcode LogStore}. */
  rooms(): Promise<readonly RoomState[]> {
    return this.#do("rooms", () => this.states);
  }

  /** See {@linkcode LogStore}. */
  change(changes: readonly LogChange[]): Promise<void> {
    return this.#do("change", () => {
      const logs = new Map<string, KeptLog>();
      const places = new Map<string, { readonly room: Bytes; readonly sequence: number }>();
      for (const change of changes) {
        const name = roomOf(change).toHex();
        const kept = logs.get(name) ?? this.#logs.get(name);
        if (change.kind === "append") {
          const id = change.entry.id.toHex();
          const isThere = this.#places.has(id) || places.has(id);
          assert.ok(this.#takesDoubles || !isThere, "an id is stored once");
          places.set(id, { room: change.room.id, sequence: change.entry.sequence });
        }
        logs.set(name, changed(kept, change));
      }
      for (const [name, log] of logs) this.#logs.set(name, log);
      for (const [id, place] of places) this.#places.set(id, place);
      this.batches.push(changes);
    });
  }

  /** See {@linkcode LogStore}. */
  entries(room: Bytes, { from, to }: EntryRange): Promise<readonly Logged[]> {
    return this.#do("entries", () => {
      const all = Array.from(this.#log(room).entries.values());
      return all.filter(({ sequence }) => sequence >= from && sequence <= to);
    });
  }

  /** See {@linkcode LogStore}. */
  edits(room: Bytes, sequence: number): Promise<number> {
    return this.#do(
      "edits",
      () =>
        this.log(room).filter(({ kind, about }) => kind === "edit" && about?.sequence === sequence).length,
    );
  }

  /** See {@linkcode LogStore}. */
  placeOfId(id: Bytes): Promise<{ readonly room: Bytes; readonly sequence: number } | undefined> {
    return this.#do("placeOfId", () => this.#places.get(id.toHex()));
  }

  /** See {@linkcode LogStore}. */
  firstSince(room: Bytes, time: number): Promise<number> {
    return this.#do("firstSince", () => {
      const { entries, state } = this.#log(room);
      for (const entry of entries.values()) if (entry.time >= time) return entry.sequence;
      return state.head.sequence + 1;
    });
  }

  /** See {@linkcode LogStore}. */
  marks(room: Bytes, handle: Handle): Promise<Marks> {
    return this.#do("marks", () => this.#logs.get(room.toHex())?.marks.get(handle) ?? NO_MARKS);
  }

  /** See {@linkcode LogStore}. */
  marksOf(room: Bytes): Promise<ReadonlyMap<Handle, Marks>> {
    return this.#do("marksOf", () => this.#logs.get(room.toHex())?.marks ?? new Map());
  }

  /** See {@linkcode LogStore}. */
  blocks(handle: Handle): Promise<readonly Handle[]> {
    return this.#do("blocks", () => this.#blocks.get(handle) ?? []);
  }

  /** See {@linkcode LogStore}. */
  setBlock(handle: Handle, other: Handle, on: boolean): Promise<void> {
    return this.#do("setBlock", () => {
      const others = (this.#blocks.get(handle) ?? []).filter((each) => each !== other);
      this.#blocks.set(handle, on ? [...others, other] : others);
    });
  }

  /** See {@linkcode LogStore}. */
  toldKeys(): Promise<ReadonlyMap<Handle, number>> {
    return this.#do("toldKeys", () => new Map(this.#toldKeys));
  }

  /** See {@linkcode LogStore}. */
  noteToldKeys(handle: Handle, number: number): Promise<void> {
    return this.#do("noteToldKeys", () => void this.#toldKeys.set(handle, number));
  }

  /** See {@linkcode LogStore}. */
  forget(handle: Handle): Promise<void> {
    return this.#do("forget", () => {
      this.#blocks.delete(handle);
      this.#toldKeys.delete(handle);
      for (const [name, log] of this.#logs) {
        const marks = new Map(log.marks);
        marks.delete(handle);
        this.#logs.set(name, { ...log, marks });
      }
    });
  }

  async #do<Result>(method: keyof LogStore, act: () => Result): Promise<Result> {
    await this.before(method);
    const result = act();
    await this.after(method);
    return result;
  }

  #log(room: Bytes): KeptLog {
    return this.#logs.get(room.toHex()) ?? assert.fail(`room ${room.toHex()} is kept`);
  }
}

function roomOf(change: LogChange): Bytes {
  return change.kind === "append" || change.kind === "trim" ? change.room.id : change.room;
}

function changed(kept: KeptLog | undefined, change: LogChange): KeptLog {
  switch (change.kind) {
    case "append": {
      const { room, entry } = change;
      assert.equal(entry.sequence, (kept?.state.head.sequence ?? 0) + 1, "an entry follows on the last");
      assert.equal(room.head.sequence, entry.sequence, "a room ends with its last entry");
      const entries = new Map(kept?.entries).set(entry.sequence, entry);
      return { state: room, entries, marks: kept?.marks ?? new Map() };
    }
    case "erase": {
      const log = kept ?? assert.fail("what is erased is in a room");
      const entries = new Map(log.entries);
      for (const [sequence, entry] of log.entries) {
        const isEditOfIt = entry.kind === "edit" && entry.about?.sequence === change.sequence;
        if (sequence !== change.sequence && !isEditOfIt) continue;
        const { content: _, ...rest } = entry;
        entries.set(sequence, { ...rest, erasedBy: change.by });
      }
      return { ...log, entries };
    }
    case "files":
      // They are kept elsewhere.
      return kept ?? assert.fail("files are of a room");
    case "trim": {
      const log = kept ?? assert.fail("what is trimmed is a room");
      const { sequence } = change.room.base;
      assert.ok(sequence >= log.state.base.sequence, "the base of a room does not go back");
      const rest = Array.from(log.entries).filter(([each]) => each > sequence);
      return { ...log, state: change.room, entries: new Map(rest) };
    }
    case "marks": {
      const log = kept ?? assert.fail("marks are of a room");
      const { delivered, read } = change;
      return { ...log, marks: new Map(log.marks).set(change.handle, { delivered, read }) };
    }
  }
}
