/**
 * Examines the logs in a database of rooms: every row is opened, and every chain worked out anew.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import type { RoomState } from "../chat/room.ts";
import type { Provider } from "../crypto/port.ts";
import { contentDigest, placeOf } from "../identity/log_entry.ts";
import { equal } from "../wire/bytes.ts";
import type { Logged, Place } from "../wire/message.ts";
import type { EntryRow, LogRows, RoomKey } from "./log_rows.ts";

/** What may be amiss with an entry. */
export type EntryFault =
  /** It is not there. */
  | "missing"
  /** It does not open: it was altered, or put in another's place. */
  | "closed"
  /** It does not follow on the entry before it: one of the two is another than it was. */
  | "unchained"
  /** What it says is not what its author signed. */
  | "content"
  /** It says nothing, and no entry of the log has asked for that. */
  | "withheld"
  /** It still says what an entry of the log has had erased. */
  | "notErased"
  /** Its time is before that of the entry before it, or beside the row is another. */
  | "time"
  /** It is not found by its id. */
  | "id"
  /** The room has another in mind as its last. */
  | "head";

/** What is amiss with a log. */
export type LogFinding =
  /** Entries from one to another, both included. */
  | {
    readonly kind: "entries";
    readonly room: RoomState;
    readonly from: number;
    readonly to: number;
    readonly fault: EntryFault;
  }
  /** The row of a room does not open, so that its log cannot be read. `number` is the row's. */
  | { readonly kind: "room"; readonly number: number };

/** Entries opened at once: memory does not grow with the log. */
const PAGE_ENTRIES = 500;

/** What is amiss with all logs, room after room, in the order of their entries. */
export function examinedLogs(
  database: DatabaseSync,
  rows: LogRows,
  provider: Pick<Provider, "sha256Now">,
): readonly LogFinding[] {
  return rows.rooms(database).flatMap(({ number, room }): readonly LogFinding[] =>
    room === undefined
      ? [{ kind: "room", number }]
      : new LogExamination({ database, rows, provider, number, room }).findings()
  );
}

interface Examined {
  readonly database: DatabaseSync;
  readonly rows: LogRows;
  readonly provider: Pick<Provider, "sha256Now">;
  readonly number: number;
  readonly room: RoomState;
}

/** The examination of one log, once. */
class LogExamination {
  readonly #on: Examined;
  readonly #key: RoomKey;
  readonly #found: { readonly fault: EntryFault; readonly from: number; to: number }[] = [];
  /** The entry before the next one; `undefined` where it could not be read. */
  #last: Place | undefined;
  #lastSequence: number;
  #lastTime = 0;

  constructor(on: Examined) {
    this.#on = on;
    this.#key = { number: on.number, id: on.room.id };
    this.#last = on.room.base;
    this.#lastSequence = on.room.base.sequence;
  }

  findings(): readonly LogFinding[] {
    const { room, rows, database } = this.#on;
    for (let from = room.base.sequence + 1; from <= room.head.sequence; from += PAGE_ENTRIES) {
      const to = Math.min(from + PAGE_ENTRIES - 1, room.head.sequence);
      for (const row of rows.entries(database, this.#key, { from, to })) this.#examine(row);
    }
    this.#note("missing", this.#lastSequence + 1, room.head.sequence);
    if (this.#last !== undefined && this.#last.sequence === room.head.sequence) {
      if (!equal(this.#last.hash, room.head.hash)) this.#note("head", room.head.sequence);
    }
    return this.#found.map((found) => ({ kind: "entries", room, ...found }));
  }

  #examine({ sequence, time, entry }: EntryRow): void {
    if (sequence > this.#lastSequence + 1) {
      this.#note("missing", this.#lastSequence + 1, sequence - 1);
      this.#last = undefined;
    }
    this.#lastSequence = sequence;
    if (entry === undefined) {
      this.#note("closed", sequence);
      this.#last = undefined;
      return;
    }
    if (this.#last !== undefined && !equal(entry.previous, this.#last.hash)) {
      this.#note("unchained", sequence);
    }
    if (entry.time < this.#lastTime || String(entry.time) !== time) this.#note("time", sequence);
    if (!this.#isFoundById(entry)) this.#note("id", sequence);
    this.#examineContent(entry);
    this.#last = placeOf(this.#on.provider, this.#on.room.id, entry);
    this.#lastTime = Math.max(entry.time, this.#lastTime);
  }

  #examineContent(entry: Logged): void {
    const { content, digest, kind, about, sequence } = entry;
    if (content === undefined) {
      if (!this.#wasAskedFor(entry)) this.#note("withheld", sequence);
    } else if (!equal(contentDigest(this.#on.provider, content), digest)) {
      this.#note("content", sequence);
    }
    if (kind !== "delete" || about === undefined) return;
    const erased = [about.sequence, ...this.#on.rows.editsOf(this.#on.database, this.#key, about.sequence)];
    for (const each of erased) {
      if (this.#entry(each)?.content !== undefined) this.#note("notErased", each);
    }
  }

  /** An edit goes with the entry that it is about. */
  #wasAskedFor({ sequence, erasedBy, kind, about }: Logged): boolean {
    const by = erasedBy === undefined ? undefined : this.#entry(erasedBy);
    if (by?.kind !== "delete" || by.about === undefined) return false;
    return by.about.sequence === sequence || (kind === "edit" && by.about.sequence === about?.sequence);
  }

  #entry(sequence: number): Logged | undefined {
    const { rows, database } = this.#on;
    return rows.entries(database, this.#key, { from: sequence, to: sequence })[0]?.entry;
  }

  #isFoundById({ id, sequence }: Logged): boolean {
    const { database, number } = this.#on;
    const found = database.prepare("SELECT 1 FROM entry_ids WHERE id = ? AND room = ? AND sequence = ?")
      .get(id, number, sequence);
    return found !== undefined;
  }

  #note(fault: EntryFault, from: number, to = from): void {
    if (to < from) return;
    const before = this.#found.findLast((found) => found.fault === fault);
    if (before !== undefined && before.to === from - 1) before.to = to;
    else this.#found.push({ fault, from, to });
  }
}
