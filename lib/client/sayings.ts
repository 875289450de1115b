/**
 * What a person says: kept before it counts as said, sent in order as rooms are live, and kept until the server has
 * stored or refused it.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Acknowledgement, Fault, Place } from "../wire/message.ts";
import { type Saying, sayingBody } from "./act_body.ts";
import type { Acts } from "./acting.ts";
import type { Carriage } from "./carriage.ts";
import type { Doings } from "./doings.ts";
import type { ClientEvent } from "./event.ts";
import { said } from "./fold.ts";
import type { LocalStore } from "./keepers.ts";
import type { LogReader } from "./log_reader.ts";
import type { OwnDevices } from "./own_devices.ts";
import type { Room } from "./room.ts";
import { notIn } from "./room_sentences.ts";
import type { Rooms } from "./rooms.ts";
import type { Sender } from "./sender.ts";
import type { Turns } from "./turns.ts";

/** What things are said with. */
export interface SayingsParts {
  /** What carries them. */
  readonly carriage: Carriage;
  /** In which they are kept and sent. */
  readonly turns: Turns;
  /** The rooms that one is in. */
  readonly rooms: Rooms;
  /** Reads what was said. */
  readonly reader: LogReader;
  /** Keeps, signs and sends. */
  readonly sender: Sender;
  /** Who one is oneself. */
  readonly own: OwnDevices;
  /** Acts that wait for their place, which comes in the same way. */
  readonly acts: Acts;
  /** Begins direct conversations. */
  readonly doings: Doings;
  /** Where all is kept. */
  readonly store: Pick<LocalStore, "flush">;
  /** Tells the front end. */
  readonly show: (events: readonly ClientEvent[]) => void;
}

/** One conversation's. */
export class Sayings {
  readonly #parts: SayingsParts;
  #wake: number | undefined;

  /** What was left unsent waits in the sender. */
  constructor(parts: SayingsParts) {
    this.#parts = parts;
  }

  /** How much waits to be stored. */
  get unsent(): number {
    return this.#parts.sender.waiting.length;
  }

  /** What waits to be stored, as events for when it has ended. */
  get unacknowledged(): readonly ClientEvent[] {
    const { sender, rooms } = this.#parts;
    return sender.waiting.map(({ room, draft }) => ({
      type: "unacknowledged",
      room: rooms.of(room)?.label ?? "#?",
      id: draft.id.toHex(),
      text: textOf(draft),
    }));
  }

  /** Settles when all is stored, or its person is not in any more. */
  async stored(): Promise<void> {
    const { carriage } = this.#parts;
    while (carriage.connection !== undefined && this.unsent > 0) await carriage.change();
  }

  /** Says something; settles once that is kept. */
  async say(request: Saying): Promise<string | undefined> {
    const { carriage, sender, doings, turns, rooms } = this.#parts;
    const what = sayingBody(request);
    if (typeof what === "string") return what;
    while (sender.isFull && !carriage.isOver) await carriage.change();
    if (carriage.isOver) return OVER;
    const begun = await doings.begun(request.room);
    if (begun.kind === "not") return begun.sentence;
    if (begun.kind === "refused") {
      const { code, wait } = begun.fault;
      const text = "text" in request ? request.text : undefined;
      this.#parts.show([{ type: "fault", code, room: request.room, about: undefined, text, wait }]);
      return undefined;
    }
    return await turns.take(async () => {
      const room = rooms.named(request.room);
      if (room === undefined || !room.isMember) return notIn(room, request.room);
      const about = "sequence" in request ? await this.#placeOf(room, request.sequence) : undefined;
      if (typeof about === "string") return about;
      await this.queue(room.id, what, about);
      return undefined;
    });
  }

  /** Keeps an entry, and sends it as soon as that can be; for who has the turn. */
  async queue(room: Bytes, what: EntryBody, about: Place | undefined): Promise<void> {
    const { carriage, sender, store, rooms, show } = this.#parts;
    const draft = sender.draft(what, about);
    await sender.queue(room, draft);
    if (carriage.connection === undefined) {
      // Told that it is kept, its person may pull the plug.
      await store.flush();
      const label = rooms.of(room)?.label ?? "#?";
      show([{ type: "queued", room: label, id: draft.id.toHex(), text: textOf(draft), wait: undefined }]);
    }
    await this.flush();
  }

  /** Sends what may be sent now; for who has the turn. */
  async flush(): Promise<void> {
    const { carriage: { connection }, sender, rooms } = this.#parts;
    if (connection !== undefined) await sender.flush(connection, rooms);
    this.#wake = sender.wakeAt;
  }

  /** Whether something may be sent now that had to wait; told once. */
  isDue(now: number): boolean {
    if (this.#wake === undefined || this.#wake > now) return false;
    this.#wake = undefined;
    return true;
  }

  /** An entry of one's own has its place. */
  async takeAcknowledgement(
    { room: id, id: entry, sequence, time, previous }: Acknowledgement,
  ): Promise<void> {
    const { acts, sender, rooms, reader, own, show } = this.#parts;
    const acting = acts.take(entry);
    const room = rooms.of(id);
    // What was sent again had its place long before, and came with what was read.
    const isNext = room?.following.kind === "live" && sequence > room.log.head.sequence;
    // Of what is before that one may not read: one was put out, and came back to less than all.
    const isHidden = room !== undefined && sequence <= room.log.base.sequence;
    // Else the server's word is not enough: one that has it stored gives it, or has given it.
    const isStored = isNext || isHidden || room?.isMember !== true ||
      await reader.hasOwn(room, { id: entry, sequence });
    const item = acting === undefined && isStored ? await sender.settle(entry) : undefined;
    const draft = acting?.draft ?? item?.signed;
    // Whose it was is forgotten: what stands there is read as others' entries are.
    if (isNext && draft === undefined) rooms.readAnew(room);
    const placed = { sequence, time, previous };
    const events = isNext && draft !== undefined ? await reader.own(room, draft, placed) : [];
    if (room !== undefined && draft !== undefined) {
      rooms.count(room, [{ sequence, from: own.account.handle, what: said(draft) }]);
    }
    const label = room?.label ?? acting?.label;
    // Of what nobody said nothing is told, whatever the server says; nor of a room that one has left meanwhile.
    if (draft !== undefined && label !== undefined) {
      show([...events, { type: "ack", room: label, id: entry.toHex(), sequence, time }]);
    }
    acting?.settle({ kind: "placed", placed });
    await this.flush();
  }

  /** An entry of one's own was refused. */
  async takeFault(fault: Fault & { readonly about: Bytes }): Promise<void> {
    const { acts, sender, rooms, show } = this.#parts;
    const { code, about, wait } = fault;
    const acting = acts.take(about);
    if (acting !== undefined) return acting.settle({ kind: "refused", fault });
    const refusal = await sender.refuse(about, { code, wait });
    await this.tellRefused();
    if (refusal.kind === "again" && code === "slowMode") {
      const { room, draft } = refusal.item;
      const label = rooms.of(room)?.label ?? "#?";
      show([{ type: "queued", room: label, id: about.toHex(), text: textOf(draft), wait: wait ?? 0 }]);
    }
    await this.flush();
  }

  /** Tells of what was refused, also of what the last run could not tell any more; for who has the turn. */
  async tellRefused(): Promise<void> {
    const { sender, rooms, show } = this.#parts;
    for (const { item: { room, draft }, fault: { code, wait } } of sender.untold) {
      const [label, about] = [rooms.of(room)?.label, draft.id.toHex()];
      show([{ type: "fault", code, room: label, about, text: textOf(draft), wait }]);
      // Told first: whoever is killed in between hears of it twice, and not never.
      await sender.told(draft.id);
    }
  }

  async #placeOf(room: Room, sequence: number): Promise<Place | string> {
    const kept = await this.#parts.reader.entryAt(room, sequence);
    if (kept !== undefined) return { sequence, hash: kept.hash };
    return `Cannot find #${sequence} in ${room.label}: nothing of that number is known here; see /history.`;
  }
}

const OVER = "Cannot send the message: the client has ended; start again.";

function textOf(draft: ReturnType<Sender["draft"]>): string {
  const what = said(draft);
  if (what === undefined || !("text" in what.body)) {
    return what?.kind === "file" ? what.body.name : what?.kind ?? "";
  }
  return what.body.text;
}
