/**
 * What waits to be said, as a value: what may be sent when, so that the entries of a room get their places in the order
 * in which they were said. It is kept by `LocalStore.queue` before it is added here.
 *
 *     waiting ▸ sent ▸ settled or refused, or waiting again
 *
 * @module
 */

import { entryTime } from "../identity/entry_id.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { Draft, FaultCode } from "../wire/message.ts";
import { ENTRY_TIME_OFF_MS_MAX } from "./entry_judge.ts";
import type { Queued } from "./keepers.ts";

/** Entries that may be sent and not answered yet: hides the way there and back, and is soon said again after a cut. */
export const OUTBOX_WINDOW = 256;

/** How often an entry is sent that the server cannot store, before its person hears of it: its disk may be full for long. */
export const NOT_STORED_TRIES = 5;

/** Pause before what could not be stored is sent again, in milliseconds; times the number of tries. */
export const NOT_STORED_PAUSE_MS = 2_000;

/** What waits, or was sent and has no answer. */
interface Item {
  readonly queued: Queued;
  readonly isSent: boolean;
  /** How often the server could not store it. */
  readonly tries: number;
}

/** All that waits to be said. */
export interface Outbox {
  /** In the order in which it was queued. */
  readonly items: readonly Item[];
  /** Until when nothing is sent to a room, by its id in hex, in milliseconds since 1970. */
  readonly pauses: ReadonlyMap<string, number>;
  /**
   * Rooms, by their ids in hex, in which something is sent again: the first of it goes alone, and until it has its place
   * nothing else does. By then all that the server had to say of what was sent before has come.
   */
  readonly careful: ReadonlySet<string>;
}

/** When and where something may be sent. */
export interface Opening {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether one may speak in that room now. */
  readonly isOpen: (room: Bytes) => boolean;
  /** Whether a room takes one's messages one by one only: of two, it could refuse the first and take the second. */
  readonly isSlow: (room: Bytes) => boolean;
}

/** What becomes of what the server has refused. */
export type Refusal =
  /** It waits, and what was sent after it to that room, and is sent again. */
  | { readonly kind: "again"; readonly outbox: Outbox; readonly item: Queued }
  /** It is out of the outbox: its person is to hear why. */
  | { readonly kind: "refused"; readonly outbox: Outbox; readonly item: Queued }
  /** Nothing of that id was waiting. */
  | { readonly kind: "unknown" };

/** The outbox as it was kept. */
export function outboxOf(queued: readonly Queued[]): Outbox {
  return { items: queued.map(waitingItem), pauses: new Map(), careful: new Set() };
}

/** With one more at the end. */
export function added(outbox: Outbox, queued: Queued): Outbox {
  return { ...outbox, items: [...outbox.items, waitingItem(queued)] };
}

/** What may be sent next; `undefined` where nothing may now. */
export function nextToSend(
  { items, pauses, careful }: Outbox,
  { now, isOpen, isSlow }: Opening,
): Queued | undefined {
  if (items.reduce((count, { isSent }) => count + (isSent ? 1 : 0), 0) >= OUTBOX_WINDOW) return undefined;
  // Of hundreds that wait, most are for one room: each is asked about once.
  const asked = new Set<string>();
  for (const { queued, isSent } of items) {
    const name = isSent ? undefined : queued.room.toHex();
    if (name === undefined || asked.has(name)) continue;
    asked.add(name);
    const { room } = queued;
    const isBusy = (isSlow(room) || careful.has(name)) &&
      items.some((item) => item.isSent && equal(item.queued.room, room));
    if (!isBusy && (pauses.get(name) ?? 0) <= now && isOpen(room)) return queued;
  }
  return undefined;
}

/** Notes that one was sent, as it was signed. */
export function sent(outbox: Outbox, id: Bytes, signed: Draft): Outbox {
  return changed(outbox, id, (item) => ({ ...item, queued: { ...item.queued, signed }, isSent: true }));
}

/** Notes that one has its place; gives what it was, where it was waiting for that here. */
export function settled(
  outbox: Outbox,
  id: Bytes,
): { readonly outbox: Outbox; readonly item: Queued | undefined } {
  const item = outbox.items.find(({ queued }) => equal(queued.draft.id, id));
  if (item === undefined) return { outbox, item: undefined };
  return {
    outbox: {
      ...outbox,
      items: outbox.items.filter((each) => each !== item),
      careful: new Set(Array.from(outbox.careful).filter((room) => room !== item.queued.room.toHex())),
    },
    item: item.queued,
  };
}

/** What the server says of one that it does not take. */
export interface OutboxFault {
  /** Why. */
  readonly code: FaultCode;
  /** Milliseconds after which it may be tried again, where the server has said so. */
  readonly wait: number | undefined;
}

/** Notes that the server has refused one, at `now`, in milliseconds since 1970. */
export function refused(outbox: Outbox, id: Bytes, { code, wait }: OutboxFault, now: number): Refusal {
  const item = outbox.items.find(({ queued }) => equal(queued.draft.id, id));
  if (item === undefined) return { kind: "unknown" };
  const { queued } = item;
  // One that waits was refused together with an earlier one, and counts no more than that.
  if (!item.isSent && isPassing(code)) return { kind: "again", outbox, item: queued };
  const tries = item.tries + (code === "notStored" ? 1 : 0);
  if (!isPassing(code) || tries >= NOT_STORED_TRIES) {
    return { kind: "refused", outbox: settled(outbox, id).outbox, item: queued };
  }
  const until = now + (wait ?? (code === "notStored" ? NOT_STORED_PAUSE_MS * tries : 0));
  const again = changed(outbox, id, (each) => ({ ...each, tries }));
  return { kind: "again", outbox: waitingFrom(again, queued, until), item: queued };
}

/** Notes that the connection is gone: nobody knows what was sent and has no answer. */
export function disconnected({ items }: Outbox): Outbox {
  return { items: items.map((item) => ({ ...item, isSent: false })), pauses: new Map(), careful: new Set() };
}

/** Notes that slow mode is over in a room: what waits there waits for no time any more. */
export function released(outbox: Outbox, room: Bytes): Outbox {
  const pauses = new Map(outbox.pauses);
  pauses.delete(room.toHex());
  return { ...outbox, pauses };
}

/** When a pause ends, the next one, in milliseconds since 1970; `undefined` where there is none. */
export function wakeAt({ items, pauses }: Outbox, now: number): number | undefined {
  if (pauses.size === 0) return undefined;
  const rooms = new Set(items.filter(({ isSent }) => !isSent).map(({ queued: { room } }) => room.toHex()));
  const ends = Array.from(pauses).filter(([room, end]) => end > now && rooms.has(room)).map(([, end]) => end);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** Whether so much waits that its person is to be kept waiting, too. */
export function isFull({ items }: Outbox): boolean {
  return items.length >= OUTBOX_WINDOW;
}

/** All that has no place yet, in the order in which it was said. */
export function waiting({ items }: Outbox): readonly Queued[] {
  return items.map(({ queued }) => queued);
}

/**
 * Whether one has waited so long that nobody would believe its id any more: it is to be queued anew under another one.
 * Half of what is believed, so that it may be on its way for a while. What was signed may have its place: it never is.
 */
export function isStale({ draft: { id }, signed }: Queued, now: number): boolean {
  return signed === undefined && Math.abs(now - entryTime(id)) > ENTRY_TIME_OFF_MS_MAX / 2;
}

/** In its place, under another id. */
export function renamed(outbox: Outbox, id: Bytes, queued: Queued): Outbox {
  return changed(outbox, id, () => waitingItem(queued));
}

function waitingItem(queued: Queued): Item {
  return { queued, isSent: false, tries: 0 };
}

/** Whether what was refused so is taken later. */
function isPassing(code: FaultCode): boolean {
  return code === "tooFast" || code === "slowMode" || code === "notStored";
}

function changed(outbox: Outbox, id: Bytes, change: (item: Item) => Item): Outbox {
  const items = outbox.items.map((item) => equal(item.queued.draft.id, id) ? change(item) : item);
  return { ...outbox, items };
}

/** With that one, and all after it to its room, waiting until a time. */
function waitingFrom({ items, pauses, careful }: Outbox, first: Queued, until: number): Outbox {
  const at = items.findIndex(({ queued }) => equal(queued.draft.id, first.draft.id));
  return {
    items: items.map((item, place) =>
      place >= at && equal(item.queued.room, first.room) ? { ...item, isSent: false } : item
    ),
    pauses: new Map(pauses).set(first.room.toHex(), until),
    careful: new Set(careful).add(first.room.toHex()),
  };
}
