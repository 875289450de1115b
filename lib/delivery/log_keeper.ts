/**
 * What the server does in logs by itself: at the start, every hour, and when an account is no more or has other keys. One
 * thing after the other; what the disk refuses is done at the next hour.
 *
 * @module
 */

import { departure, LOBBY_CREATION, succession } from "../chat/host_entry.ts";
import { retentionEnd } from "../chat/retention.ts";
import type { RoomState } from "../chat/room.ts";
import { decodeDeviceList } from "../identity/device_list.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import { noteTrouble } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";
import type { HostVoice } from "./host_voice.ts";
import type { Writer } from "./writer.ts";

/** How often it is looked at what is to be dropped, in milliseconds: retention is told in days. */
export const KEEPING_MS = 3_600_000;

/** The number of an account's first list, which no room need be told anew: who comes into the lobby is told with it. */
const FIRST_LIST_NUMBER = 1;

/** Entries dropped in one step, so that nobody waits for long. */
const DROPPED_AT_ONCE_MAX = 10_000;

/** Entries looked at at once for the files that they name. */
const LOOKED_AT_MAX = 500;

/** A room that came out of a backup: entries behind that number may have been lost. */
export interface RestoredRoom {
  /** Its id, 16 octets. */
  readonly room: Bytes;
  /** The last entry that the backup has. */
  readonly sequence: number;
}

interface Parts extends Pick<Hall, "parts" | "rooms" | "cards" | "marks" | "blocks" | "places" | "desk"> {
  readonly lobby: Bytes;
  readonly voice: HostVoice;
  readonly writer: Pick<Writer, "add">;
}

/** The keeper of one server. */
export class LogKeeper {
  readonly #hall: Parts;
  /** Rooms that have not been told an account's keys yet. */
  readonly #keysDue = new Map<Handle, readonly Bytes[]>();
  #last: number;
  #doing: Promise<void> = Promise.resolve();

  /** A keeper that begins at `now`. */
  constructor(hall: Parts, now: number) {
    this.#hall = hall;
    this.#last = now;
  }

  /** Before anybody comes: tells what was restored, makes the lobby, and keeps. Rejects where that is not stored. */
  async begin(restored: readonly RestoredRoom[]): Promise<void> {
    const { rooms, lobby } = this.#hall;
    for (const { room, sequence } of restored) await this.#writeAll(room, [restoredNotice(sequence)]);
    if (rooms.get(lobby) === undefined) await this.#writeAll(lobby, [LOBBY_CREATION]);
    await this.#findKeysDue();
    await this.#keep();
  }

  /** Keeps every hour. */
  tick(now: number): void {
    // A clock that was set back must not put it off.
    if (now - this.#last < KEEPING_MS && now >= this.#last) return;
    this.#last = now;
    this.#do(() => this.#keep());
  }

  /** Its rooms are told an account's keys. */
  tellKeys(handle: Handle): void {
    const isDue = this.#keysDue.has(handle);
    this.#keysDue.set(handle, this.#roomsOf(handle).map(({ id }) => id));
    if (!isDue) this.#do(() => this.#tellKeys(handle));
  }

  /** An account is no more: it leaves its rooms. */
  removeAccount(handle: Handle): void {
    this.#do(() => this.#remove(handle));
  }

  /** Settles when nothing is being done. */
  async settled(): Promise<void> {
    await this.#doing;
  }

  #do(work: () => Promise<void>): void {
    this.#doing = this.#doing.then(work).catch((error) => noteTrouble(this.#hall.parts, error));
  }

  async #keep(): Promise<void> {
    const { parts, rooms, desk } = this.#hall;
    for (const handle of Array.from(this.#keysDue.keys())) await this.#tellKeys(handle);
    const accounts = new Set((await parts.accounts.list()).map(({ handle }) => handle));
    // Those whom somebody removed while the server did not run.
    const gone = new Set(rooms.all().flatMap(handlesIn).filter((handle) => !accounts.has(handle)));
    for (const handle of gone) await this.#remove(handle);
    for (const room of rooms.all()) {
      await this.#giveOwner(room.id);
      await this.#drop(rooms.get(room.id) ?? room);
    }
    await desk.expire();
  }

  /** A server that dies, or whose disk is full until then, has published keys that the logs do not have. */
  async #findKeysDue(): Promise<void> {
    const { parts, cards } = this.#hall;
    const told = await parts.logs.toldKeys();
    for (const { handle, keys } of await parts.accounts.list()) {
      const number = keys && decodeDeviceList(keys.list)?.number;
      if (number === undefined || number === (told.get(handle) ?? FIRST_LIST_NUMBER)) continue;
      await cards.load([handle]);
      this.#keysDue.set(handle, this.#roomsOf(handle).map(({ id }) => id));
    }
  }

  async #tellKeys(handle: Handle): Promise<void> {
    const { cards, rooms, voice, parts } = this.#hall;
    const due = this.#keysDue.get(handle) ?? [];
    this.#keysDue.delete(handle);
    const card = cards.find(handle);
    const keys = card && voice.keysOf(card);
    if (card === undefined || keys === undefined) return;
    const refused: Bytes[] = [];
    for (const id of due) {
      if (rooms.get(id)?.members.has(handle) !== true) continue;
      const [verdict] = await voice.write(id, [keys]);
      if (verdict?.kind === "refused" && verdict.code === "notStored") refused.push(id);
    }
    if (refused.length > 0) this.#keysDue.set(handle, [...refused, ...this.#keysDue.get(handle) ?? []]);
    const number = decodeDeviceList(card.list)?.number;
    const isTold = refused.length === 0 && due.length > 0 && number !== undefined;
    if (isTold) await parts.logs.noteToldKeys(handle, number);
  }

  async #remove(handle: Handle): Promise<void> {
    const { cards, marks, blocks, parts, rooms, voice } = this.#hall;
    cards.forget(handle);
    marks.forget(handle);
    blocks.forget(handle);
    this.#keysDue.delete(handle);
    for (const { id } of rooms.of(handle)) {
      const room = rooms.get(id);
      if (room !== undefined) await voice.write(id, departure(room, handle));
      await this.#giveOwner(id);
    }
    await parts.logs.forget(handle);
  }

  /** The heir may have left before the server's word had its place, or the disk may have refused that. */
  async #giveOwner(id: Bytes): Promise<void> {
    const { rooms, voice } = this.#hall;
    for (;;) {
      const room = rooms.get(id);
      const heir = room && succession(room);
      if (heir === undefined) return;
      const [verdict] = await voice.write(id, [heir]);
      if (verdict?.kind === "refused" && verdict.code === "notStored") return;
    }
  }

  async #drop(room: RoomState): Promise<void> {
    const { parts, places, rooms } = this.#hall;
    const end = retentionEnd(room, parts.wallClock());
    if (end === undefined || room.form.kind === "direct") return;
    const last = await parts.logs.firstSince(room.id, end) - 1;
    if (last <= room.base.sequence) return;
    for (let from = room.base.sequence + 1; from <= last; from += DROPPED_AT_ONCE_MAX) {
      const to = Math.min(from + DROPPED_AT_ONCE_MAX - 1, last);
      const place = await places.at(rooms.get(room.id) ?? room, to);
      const files = await this.#filesIn(room.id, from, to);
      const isDone = await new Promise<boolean>((resolve) =>
        this.#hall.writer.add({ kind: "trim", room: room.id, last: place, files, settle: resolve })
      );
      if (!isDone) return;
      await this.#hall.desk.entriesGone(files);
    }
    parts.note({ kind: "dropped", room: room.form.name, upTo: last });
  }

  async #filesIn(room: Bytes, first: number, last: number): Promise<readonly Logged[]> {
    const files: Logged[] = [];
    for (let from = first; from <= last; from += LOOKED_AT_MAX) {
      const to = Math.min(from + LOOKED_AT_MAX - 1, last);
      const entries = await this.#hall.parts.logs.entries(room, { from, to });
      files.push(...entries.filter(({ kind }) => kind === "file"));
    }
    return files;
  }

  #roomsOf(handle: Handle): readonly RoomState[] {
    return this.#hall.rooms.of(handle).filter(({ form, members }) =>
      form.kind === "open" && members.has(handle)
    );
  }

  async #writeAll(room: Bytes, all: readonly EntryBody[]): Promise<void> {
    for (const verdict of await this.#hall.voice.write(room, all)) {
      if (verdict.kind === "refused") {
        throw new Failure(
          "temporary",
          `Cannot write the server's own entries into the logs (${verdict.code}): see that the disk has room, then start it again.`,
        );
      }
    }
  }
}

function restoredNotice(sequence: number): EntryBody {
  return { kind: "notice", body: { source: "server", name: "server", text: `restored from #${sequence}` } };
}

function handlesIn({ members, invited, knocking }: RoomState): readonly Handle[] {
  return [...members.keys(), ...invited.keys(), ...knocking];
}
