/**
 * Reads rooms' logs: judges what comes, keeps what was found out, and tells it.
 *
 * @module
 */

import type { Provider, VerifyingKey } from "../crypto/port.ts";
import { contentDigest } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import { equal } from "../wire/bytes.ts";
import type { Draft, Logged } from "../wire/message.ts";
import type { Doubt } from "./doubt.ts";
import { countsAsUnread, entryEvent } from "./entry_event.ts";
import { type Judged, judgeEntry } from "./entry_judge.ts";
import type { ClientEvent } from "./event.ts";
import { said } from "./fold.ts";
import type { Flaw, KeptEntry, LocalStore } from "./keepers.ts";
import { takeEntry, takePage } from "./log_forward.ts";
import { takeHistory } from "./log_history.ts";
import type { OwnDevices } from "./own_devices.ts";
import type { People } from "./people.ts";
import type { Room } from "./room.ts";
import {
  type Ends,
  keptRoom,
  keptRoomLog,
  leftRoomLog,
  type LogContext,
  lookUp,
  newRoomLog,
  type RoomLog,
  type Taken,
  type Wanted,
} from "./room_log.ts";

/** Entries that are looked at to count what was not read: of more, nobody wants to know how many. */
const COUNTED_MAX = 1_000;

/** Entries shown last that are remembered though they are not kept: two pages, at most 2 MiB. */
const SHOWN_LAST_MAX = 200;

/** Kept entries of a room that are folded at the start. */
const FOLDED_AT_START = 500;

/** What logs are read with. */
export interface LogReaderParts {
  /** The primitives. */
  readonly provider: Provider;
  /** The server's host key. */
  readonly host: VerifyingKey;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** What is kept. */
  readonly store: LocalStore;
  /** Who the others are. */
  readonly people: People;
  /** Who one is oneself. */
  readonly own: OwnDevices;
  /** Whose messages are not shown. */
  readonly ignores: (handle: Handle) => boolean;
}

/** What has its place. */
export interface Placed {
  /** Its number in the log. */
  readonly sequence: number;
  /** When the server took it, in milliseconds since 1970. */
  readonly time: number;
  /** The hash of the entry before it. */
  readonly previous: Logged["previous"];
}

/** Reads for one account. */
export class LogReader {
  readonly #parts: LogReaderParts;

  /** One that has read nothing. */
  constructor(parts: LogReaderParts) {
    this.#parts = parts;
  }

  /** The log of a room as it was left: kept, or new. */
  async begin(id: Room["id"]): Promise<{ readonly log: Room["log"]; readonly read: number }> {
    const kept = (await this.#parts.store.rooms()).find(({ room }) => room.toHex() === id.toHex());
    const self = this.#self;
    return kept === undefined
      ? { log: newRoomLog(id, self), read: 0 }
      : { log: keptRoomLog(kept, self), read: kept.read };
  }

  /** Folds and counts what is kept of a room. */
  async recall(room: Room): Promise<void> {
    const { sequence: to } = room.log.head;
    const limit = FOLDED_AT_START;
    const kept = await this.#parts.store.entries(room.id, { from: 1, to, limit });
    for (const each of kept) this.#note(room, each, { isNew: true });
  }

  /** Counts anew what its person has not read, of what is kept. */
  async countUnread(room: Room): Promise<void> {
    const range = { from: room.read + 1, to: room.log.head.sequence, limit: COUNTED_MAX };
    const kept = await this.#parts.store.entries(room.id, range);
    room.unread = kept.filter((each) => countsAsUnread(each, this.#self)).length;
  }

  /** Takes a live entry; gives what is to be told. */
  async entry(room: Room, entry: Logged): Promise<readonly ClientEvent[]> {
    return await this.#taken(
      room,
      await this.#context(room, { entries: [entry] }),
      await this.#judge(room, entry),
    );
  }

  /** Takes one's own entry, which has got its place. */
  async own(room: Room, draft: Draft, placed: Placed): Promise<readonly ClientEvent[]> {
    const { account, deviceName } = this.#parts.own;
    const { id, kind, seen, about, signature, content } = draft;
    const entry: Logged = {
      ...placed,
      id,
      kind,
      from: this.#self,
      device: account.device.publicKey,
      seen,
      ...(about === undefined ? {} : { about }),
      digest: contentDigest(this.#parts.provider, content),
      signature,
      content,
    };
    const judged: Judged = { entry, doubt: undefined, deviceName };
    return await this.#taken(room, await this.#context(room, { entries: [entry] }), judged);
  }

  /** Takes what was read on after the `asked` entry, or, where nothing is known yet, of the end; gives what is to be told. */
  async page(
    room: Room,
    entries: readonly Logged[],
    { end, asked }: { readonly end: Ends; readonly asked: number | undefined },
  ): Promise<readonly ClientEvent[]> {
    const context = await this.#context(room, { entries, end });
    const judged = await this.#judgeAll(room, entries);
    const { retention } = room.facts.settings;
    const taken = takePage(context, room.log, { entries: judged, end, retention, asked });
    return await this.#tell(room, taken, asked === undefined);
  }

  /** Takes what was read of old; gives what is to be told. */
  async history(
    room: Room,
    entries: readonly Logged[],
    { end, asked }: {
      readonly end: Ends;
      readonly asked: { readonly before: number; readonly limit: number } | undefined;
    },
  ): Promise<readonly ClientEvent[]> {
    const context = await this.#context(room, { entries, end, asked });
    const judged = await this.#judgeAll(room, entries);
    return await this.#tell(room, takeHistory(context, room.log, { entries: judged, end, asked }), true);
  }

  /**
   * Takes what the server has now before the place from which a log goes on that was cut back or rewritten; gives what is
   * to be told of that which it had not given before.
   */
  async replaced(
    room: Room,
    entries: readonly Logged[],
    { end, asked }: {
      readonly end: Ends;
      readonly asked: { readonly before: number; readonly limit: number };
    },
  ): Promise<readonly ClientEvent[]> {
    const context = await this.#context(room, { entries, end, asked });
    const judged = await this.#judgeAll(room, entries);
    const taken = takeHistory(context, room.log, { entries: judged, end, asked });
    const isNew = ({ entry, hash }: KeptEntry): boolean => {
      const known = context.known.entries.get(entry.sequence);
      return known === undefined || !equal(known.hash, hash);
    };
    return await this.#tell(room, { ...taken, shown: taken.shown.filter(isNew) }, true);
  }

  /** The entry of that number, as far as it is kept or was shown just now. */
  async entryAt(room: Room, sequence: number): Promise<KeptEntry | undefined> {
    const [kept] = await this.#parts.store.entries(room.id, { from: sequence, to: sequence, limit: 1 });
    return kept ?? room.shownLast.get(sequence);
  }

  /**
   * Whether one's own entry of that id is known to stand there, as one has signed it. One's own clock may be wrong, and
   * with it the time that one's entries say.
   */
  async hasOwn(room: Room, { id, sequence }: Pick<Logged, "id" | "sequence">): Promise<boolean> {
    const [kept] = await this.#parts.store.entries(room.id, { from: sequence, to: sequence, limit: 1 });
    if (kept === undefined || kept.entry.from !== this.#self || !equal(kept.entry.id, id)) return false;
    return kept.doubt === undefined || kept.doubt === "wrong time" satisfies Doubt;
  }

  /** Tells what is kept of a room's newest entries before a place. */
  async recent(
    room: Room,
    range: { readonly to: number; readonly limit: number },
  ): Promise<readonly ClientEvent[]> {
    const kept = await this.#parts.store.entries(room.id, { from: 1, ...range });
    return await Promise.all(kept.map((each) => this.#event(room, each, true)));
  }

  /** What is known of a room's log. */
  integrity(room: Room, flaws: readonly Flaw[], asked: boolean): ClientEvent {
    const { base, head } = room.log;
    return {
      type: "integrity",
      room: room.label,
      from: Math.min(base.sequence + 1, head.sequence),
      upTo: head.sequence,
      flaws,
      asked,
    };
  }

  /** Keeps that one is out of a room. */
  async leave(room: Room): Promise<void> {
    room.log = leftRoomLog(room.log);
    await this.keep(room);
  }

  /** Keeps a room as it is. */
  async keep(room: Room): Promise<void> {
    await this.#keep(room, room.log, []);
  }

  async #keep(room: Room, log: RoomLog, entries: readonly KeptEntry[]): Promise<void> {
    if (log.begun) await this.#parts.store.keep(keptRoom(log, room), entries);
  }

  get #self(): Handle {
    return this.#parts.own.account.handle;
  }

  async #context(room: Room, wanted: Wanted): Promise<LogContext> {
    const { provider, wallClock, store } = this.#parts;
    return { provider, now: wallClock(), known: await lookUp(store, room.log, wanted) };
  }

  async #taken(room: Room, context: LogContext, judged: Judged): Promise<readonly ClientEvent[]> {
    return await this.#tell(room, takeEntry(context, room.log, judged), false);
  }

  async #judgeAll(room: Room, entries: readonly Logged[]): Promise<readonly Judged[]> {
    return await Promise.all(entries.map((entry) => this.#judge(room, entry)));
  }

  async #judge({ id }: Room, entry: Logged): Promise<Judged> {
    const { provider, host, people, own } = this.#parts;
    const author = entry.from === undefined ? undefined : await people.author(entry.from, own.account);
    return await judgeEntry({ provider, room: id, host }, entry, author);
  }

  /** Kept before it is told, to this one's person or the server: what was seen must be known at the next start, too. */
  async #tell(room: Room, taken: Taken, history: boolean): Promise<readonly ClientEvent[]> {
    for (const { sequence, by } of taken.erased) {
      await this.#parts.store.erase(room.id, sequence, by);
      room.fold.forget(sequence);
    }
    if (taken.keep.length > 0 || taken.flaws.length > 0) await this.#keep(room, taken.log, taken.keep);
    const last = room.log.begun ? room.log.head.sequence : 0;
    room.log = taken.log;
    for (const kept of taken.shown) this.#note(room, kept, { isNew: kept.entry.sequence > last });
    if (history) remember(room, taken.shown);
    const events: ClientEvent[] = [];
    for (const kept of taken.shown) {
      const { from } = kept.entry;
      if (from === undefined || !this.#parts.ignores(from)) {
        events.push(await this.#event(room, kept, history));
      }
      const what = said(kept.entry);
      if (what?.kind === "keys" && kept.doubt === undefined) {
        events.push(...await this.#parts.people.compare(what.body));
      }
    }
    if (taken.flaws.length > 0) events.push(this.integrity(room, taken.flaws, false));
    return events;
  }

  /** What is shown again, or of old, was counted when it came. */
  #note(room: Room, kept: KeptEntry, { isNew }: { readonly isNew: boolean }): void {
    room.fold.take(kept);
    const { sequence, from } = kept.entry;
    if (from === this.#self) room.lastOwn = Math.max(room.lastOwn, sequence);
    if (isNew && sequence > room.read && countsAsUnread(kept, this.#self)) room.unread += 1;
  }

  async #event(room: Room, kept: KeptEntry, history: boolean): Promise<ClientEvent> {
    const { people, own, store } = this.#parts;
    const { about } = kept.entry;
    const [target] = about === undefined
      ? []
      : await store.entries(room.id, { from: about.sequence, to: about.sequence, limit: 1 });
    return entryEvent(kept, {
      label: room.label,
      self: this.#self,
      fold: room.fold,
      about: target?.entry,
      history,
      displayOf: (handle) => people.displayOf(handle, own.account),
      trustIn: (handle) => people.trustIn(handle, own.account),
    });
  }
}

function remember({ shownLast }: Room, shown: readonly KeptEntry[]): void {
  for (const kept of shown) shownLast.set(kept.entry.sequence, kept);
  for (const oldest of shownLast.keys()) {
    if (shownLast.size <= SHOWN_LAST_MAX) break;
    shownLast.delete(oldest);
  }
}
