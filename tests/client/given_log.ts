/**
 * A room's log as a server gives it, honest or not, and a client that reads it, keeps it, and starts anew: what tests of
 * its verification play on. Entries count as their authors' unless a test says otherwise.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Doubt } from "../../lib/client/doubt.ts";
import type { Judged } from "../../lib/client/entry_judge.ts";
import type { Flaw, KeptEntry, KeptRange, KeptRoom } from "../../lib/client/keepers.ts";
import { takeEntry, takePage } from "../../lib/client/log_forward.ts";
import { takeHistory } from "../../lib/client/log_history.ts";
import {
  type Ends,
  keptRoom,
  keptRoomLog,
  lookUp,
  newRoomLog,
  type RoomLog,
  type Taken,
  type Wanted,
} from "../../lib/client/room_log.ts";
import { NOWHERE, placeOf } from "../../lib/identity/log_entry.ts";
import { decodeRoom, encodeRoom } from "../../lib/store/local_rows.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { type Bytes, equal } from "../../lib/wire/bytes.ts";
import type { Logged, Place } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { handleOf } from "../identity/people.ts";

/** Who reads, unless a test says otherwise; no author. */
export const READER = handleOf("zoe");

/** A log as it is given. A test changes what it likes. */
export class GivenLog {
  /** The room's id. */
  readonly room: Bytes;
  /** What is given of it. */
  entries: Logged[];
  /** What is told as its beginning. */
  base: Place = NOWHERE;
  /** What is told as its end. */
  head: Place;
  /** What is told of its retention, in days. */
  retention = 0;

  /** One with those entries, all of them. */
  constructor(room: Bytes, entries: readonly Logged[]) {
    this.room = room;
    this.entries = [...entries];
    this.head = endOf(room, entries);
  }

  /** The entry of that number. */
  at(sequence: number): Logged {
    return this.entries.find((entry) => entry.sequence === sequence) ?? assert.fail(`no entry ${sequence}`);
  }

  /** Gives another entry in the place of one. */
  replace(sequence: number, change: (entry: Logged) => Logged): void {
    this.entries = this.entries.map((entry) => entry.sequence === sequence ? change(entry) : entry);
  }

  /** Gives these entries no more. */
  remove(...sequences: readonly number[]): void {
    this.entries = this.entries.filter(({ sequence }) => !sequences.includes(sequence));
  }

  /**
   * Chains all entries from `from` on anew, so that they fit each other, and tells a head that fits. What their authors
   * say to have seen stays as it is, or is what is given there, as if they had been shown that.
   */
  rechain(from: number, { isShown = false } = {}): void {
    const chained: Logged[] = [];
    for (const entry of this.entries) {
      const before = chained.at(-1);
      const place = before && placeOf(provider, this.room, before);
      const seen = isShown ? place : undefined;
      chained.push(
        entry.sequence < from
          ? entry
          : { ...entry, previous: place?.hash ?? entry.previous, seen: seen ?? entry.seen },
      );
    }
    this.entries = chained;
    this.head = endOf(this.room, chained);
  }

  /** Drops entries up to that one. */
  drop(last: number): void {
    this.base = placeOf(provider, this.room, this.at(last));
    this.entries = this.entries.filter(({ sequence }) => sequence > last);
  }

  /** Ends after that entry. */
  cut(last: number): void {
    this.entries = this.entries.filter(({ sequence }) => sequence <= last);
    this.head = endOf(this.room, this.entries);
  }

  /** Another of the same. */
  copy(): GivenLog {
    const copy = new GivenLog(this.room, this.entries);
    copy.base = this.base;
    copy.head = this.head;
    copy.retention = this.retention;
    return copy;
  }
}

/** A client of one room. */
export class Reader {
  /** What it knows. */
  log: RoomLog;
  /** What it keeps, by number. */
  readonly kept = new Map<number, KeptEntry>();
  /** All that it was told to show of what came anew, in that order. */
  readonly shown: KeptEntry[] = [];
  /** All flaws, as they were told. */
  readonly told: Flaw[] = [];
  /** The clock. */
  now = 1_750_000_000_000;
  /** Entries that are not their author's, by number. */
  readonly doubts = new Map<number, Doubt>();

  /** One that knows nothing yet of that room. */
  constructor(room: Bytes, self: Handle = READER) {
    this.log = newRoomLog(room, self);
  }

  /** Reads on until the end of the log, page by page; `isLive`: it follows then. */
  async catchUp(given: GivenLog, { limit = 100, isLive = true } = {}): Promise<void> {
    for (let at = 0; at < 1_000; at++) {
      const taken = await this.page(given, { limit, isLive });
      if (!this.log.begun || taken.log.head.sequence >= given.head.sequence) return;
    }
    assert.fail("it ends");
  }

  /** Reads one page: after the head or the number given, or the newest. */
  async page(
    given: GivenLog,
    { limit = 100, isLive = true, after = this.log.begun ? this.log.head.sequence : -1 } = {},
  ): Promise<Taken> {
    const there = given.entries.filter(({ sequence }) => sequence > after);
    const entries = this.log.begun ? there.slice(0, limit) : there.slice(-limit);
    const reaches = there.length <= limit || !this.log.begun;
    const end: Ends = { head: given.head, base: given.base, live: isLive && reaches };
    const context = await this.#context({ entries, end });
    return this.#take(
      takePage(context, this.log, {
        entries: entries.map((entry) => this.#judged(entry)),
        end,
        retention: given.retention,
        asked: this.log.begun ? after : undefined,
      }),
      true,
    );
  }

  /** Hears a live entry. */
  async hear(entry: Logged): Promise<Taken> {
    return this.#take(
      takeEntry(await this.#context({ entries: [entry] }), this.log, this.#judged(entry)),
      true,
    );
  }

  /** Reads older entries. */
  async before(
    given: GivenLog,
    before: number = this.log.base.sequence + 1,
    limit = 100,
  ): Promise<Taken> {
    const entries = given.entries.filter(({ sequence }) => sequence < before).slice(-limit);
    const end: Ends = { head: given.head, base: given.base, live: false };
    const asked = { before, limit };
    const context = await this.#context({ entries, end, asked });
    const judged = entries.map((entry) => this.#judged(entry));
    return this.#take(takeHistory(context, this.log, { entries: judged, end, asked }), false);
  }

  /** Reads entries somewhere. */
  async somewhere(given: GivenLog, from: number, to: number): Promise<Taken> {
    const entries = given.entries.filter(({ sequence }) => from <= sequence && sequence <= to);
    const end: Ends = { head: given.head, base: given.base, live: false };
    const context = await this.#context({ entries, end });
    const judged = entries.map((entry) => this.#judged(entry));
    return this.#take(takeHistory(context, this.log, { entries: judged, end, asked: undefined }), false);
  }

  /** Starts anew with what is kept, as it is on disk. */
  restart(): void {
    const room: KeptRoom = keptRoom(this.log, { label: "#tea", read: 0 });
    const kept = decodeRoom(encodeRoom(room)) ?? assert.fail("it is kept");
    this.log = keptRoomLog(kept, this.log.self);
  }

  /** What is doubtful of what was shown, by number. */
  get doubtful(): ReadonlyMap<number, string> {
    return new Map(
      this.shown.flatMap(({ entry, doubt }) => doubt === undefined ? [] : [[entry.sequence, doubt]]),
    );
  }

  async #context(wanted: Wanted) {
    const store = {
      entries: (_room: Bytes, { from, to, limit }: KeptRange) =>
        Promise.resolve(
          Array.from(this.kept.values()).filter(({ entry: { sequence } }) =>
            from <= sequence && sequence <= to
          )
            .sort((a, b) => a.entry.sequence - b.entry.sequence).slice(-limit),
        ),
      entryById: (_room: Bytes, id: Bytes) =>
        Promise.resolve(Array.from(this.kept.values()).find(({ entry }) => equal(entry.id, id))),
    };
    return { provider, now: this.now, known: await lookUp(store, this.log, wanted) };
  }

  #judged(entry: Logged): Judged {
    return { entry, doubt: this.doubts.get(entry.sequence), deviceName: undefined };
  }

  #take(taken: Taken, isNew: boolean): Taken {
    this.log = taken.log;
    this.told.push(...taken.flaws);
    for (const { sequence, by } of taken.erased) this.#erase(sequence, by);
    for (const kept of taken.keep) this.kept.set(kept.entry.sequence, kept);
    if (isNew) this.shown.push(...taken.shown);
    return taken;
  }

  #erase(sequence: number, by: number): void {
    for (const [at, kept] of this.kept) {
      const { content: _, ...rest } = kept.entry;
      const isEdit = rest.kind === "edit" && rest.about?.sequence === sequence;
      if (at === sequence || isEdit) this.kept.set(at, { ...kept, entry: { ...rest, erasedBy: by } });
    }
  }
}

/** Flaws as a person reads them: "missing 3-4". */
export function words(flaws: readonly Flaw[]): readonly string[] {
  return flaws.map(({ kind, from, to }) => from === to ? `${kind} ${from}` : `${kind} ${from}-${to}`);
}

function endOf(room: Bytes, entries: readonly Logged[]): Place {
  const last = entries.at(-1);
  return last === undefined ? NOWHERE : placeOf(provider, room, last);
}
