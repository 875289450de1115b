/**
 * Answers what people ask about rooms and each other: pages of logs, which rooms there are, who is in them, whose keys
 * are which. What was waited for is judged anew before it is told: meanwhile somebody may have left, or been put out.
 *
 * @module
 */

import { cardAnswers } from "../chat/cards.ts";
import type { RoomState } from "../chat/room.ts";
import { roleOf } from "../chat/room_state.ts";
import type { RoomRequest } from "../session/phase.ts";
import type { Bytes } from "../wire/bytes.ts";
import { PEOPLE_MAX } from "../wire/limits.ts";
import type { FaultCode, Logged, Place, Read } from "../wire/message.ts";

import type { GoLive } from "./follows.ts";
import type { Guest } from "./guest.ts";
import { noteTrouble } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";
import { namedIn } from "./named.ts";
import { packedAnswer } from "./packed.ts";
import { pageMessages, pageRange } from "./page.ts";
import { isHidden, unreadable } from "./room_views.ts";

/** What is asked at the desk. */
export type Question = RoomRequest & { readonly type: "read" | "list" | "askMembers" | "askCards" };

/** Members of a room of which those who are in it are told what others have received and read, and that they write. */
export const NEAR_MEMBERS_MAX = 32;

type Parts = Pick<
  Hall,
  "parts" | "rooms" | "cards" | "follows" | "views" | "marks" | "allowances"
>;

/** A page that was read. */
interface Found {
  readonly entries: readonly Logged[];
  readonly head: Place;
  readonly base: Place;
  readonly goLive: GoLive | undefined;
}

/** The desk of one server. */
export class ReadingDesk {
  readonly #hall: Parts;

  /** A desk at which nobody asks. */
  constructor(hall: Parts) {
    this.#hall = hall;
  }

  /** Answers; settles when the answer is queued. */
  async answer(guest: Guest, question: Question): Promise<void> {
    const { allowances, parts } = this.#hall;
    const { ask } = question;
    const wait = allowances.spend(guest.handle, ["reads"], parts.wallClock());
    if (wait !== undefined) return guest.refuse("tooFast", { ask, wait });
    try {
      await this.#answer(guest, question);
    } catch (error) {
      noteTrouble(parts, error);
      guest.refuse("notStored", { ask });
    }
  }

  async #answer(guest: Guest, question: Question): Promise<void> {
    switch (question.type) {
      case "read":
        return await this.#read(guest, question);
      case "list":
        return this.#list(guest, question);
      case "askMembers":
        return this.#tellMembers(guest, question);
      case "askCards":
        return await this.#tellCards(guest, question);
    }
  }

  async #read(guest: Guest, read: Read): Promise<void> {
    const { follows, marks, rooms } = this.#hall;
    const found = await this.#find(guest, read);
    // One turn from here on: the page, and what comes behind it.
    const { room: id, ask } = read;
    const room = this.#readable(id, guest);
    if (typeof room === "string" || typeof found === "string") {
      follows.drop(id, guest);
      return guest.refuse(typeof found === "string" ? found : "notMember", { ask });
    }
    const { base, goLive } = found;
    const catchUp = goLive?.(true);
    // Who follows has heard of what was said meanwhile, and would take an older end for a log that was cut back.
    const head = goLive === undefined ? room.head : found.head;
    // Who has come in anew meanwhile may read less than before.
    const entries = found.entries.filter(({ sequence }) => sequence > unreadable(room, guest.handle));
    guest.introduce(new Set(entries.flatMap(namedIn)), this.#hall.cards);
    const end = { head, base, live: catchUp !== undefined };
    for (const message of pageMessages({ room: id, ask }, entries, end)) guest.tell(message);
    if (catchUp === undefined) return;
    if ((rooms.get(id)?.members.size ?? 0) <= NEAR_MEMBERS_MAX) {
      for (const [handle, shown] of marks.shownIn(id)) {
        if (handle !== guest.handle) guest.tell({ type: "marks", room: id, handle, ...shown });
      }
    }
    catchUp();
  }

  async #find(guest: Guest, read: Read): Promise<Found | FaultCode> {
    const { room: id, where, limit, follow } = read;
    const { parts, follows, views, cards } = this.#hall;
    const before = this.#readable(id, guest);
    if (typeof before === "string") return before;
    const since = where.from === "since" ? await parts.logs.firstSince(id, where.time) : 0;
    const room = this.#readable(id, guest);
    if (typeof room === "string") return room;
    const { head } = room;
    const range = pageRange({ where, limit }, {
      base: unreadable(room, guest.handle),
      head: head.sequence,
      since,
    });
    // In the turn in which the end of the log is looked at: what comes later is held back until the page is told.
    const goLive = follow && range.to >= head.sequence ? follows.begin(id, guest) : undefined;
    try {
      const entries = range.from > range.to ? [] : await parts.logs.entries(id, range);
      if (goLive !== undefined && entries.some(({ erasedBy = 0 }) => erasedBy > head.sequence)) {
        // Deleted while it was read, by an entry that the page does not know of.
        goLive(false);
        return await this.#find(guest, read);
      }
      const base = await views.base(room, guest.handle);
      await cards.load(entries.flatMap(namedIn));
      return { entries, head, base, goLive };
    } catch (error) {
      goLive?.(false);
      throw error;
    }
  }

  #list(guest: Guest, { ask, name }: Question & { type: "list" }): void {
    const { rooms } = this.#hall;
    const named = name === undefined ? undefined : rooms.lookingLike(name);
    const asked = name === undefined ? rooms.all() : named === undefined ? [] : [named];
    const lines = asked.flatMap(({ id, form, settings, members }) => {
      if (form.kind === "direct" || name !== undefined && form.name !== name) return [];
      const line = { room: id, name: form.name, visibility: settings.visibility };
      if (settings.visibility === "public") {
        return [{ ...line, topic: settings.topic, members: members.size }];
      }
      return name === undefined ? [] : [{ ...line, topic: "", members: 0 }];
    });
    for (const { items, isLast } of packedAnswer(lines.sort(byName), PEOPLE_MAX)) {
      guest.tell({ type: "directory", ask, rooms: Array.from(items), end: isLast });
    }
  }

  #tellMembers(guest: Guest, { ask, room: id }: Question & { type: "askMembers" }): void {
    const room = this.#readable(id, guest);
    if (typeof room === "string") return guest.refuse(room, { ask });
    const now = this.#hall.parts.wallClock();
    const members = Array.from(room.members, ([handle, { role }]) => {
      return { handle, role: roleOf(room, handle, now) ?? role };
    });
    for (const { items, isLast } of packedAnswer(members, PEOPLE_MAX)) {
      guest.tell({ type: "members", room: id, ask, members: Array.from(items), end: isLast });
    }
  }

  async #tellCards(guest: Guest, { ask, handles }: Question & { type: "askCards" }): Promise<void> {
    const { cards } = this.#hall;
    await cards.load(handles);
    const found = handles.flatMap((handle) => cards.find(handle) ?? []);
    for (const message of cardAnswers(found, ask)) guest.tell(message);
  }

  /** The room, or why its log is not for that connection. */
  #readable(id: Bytes, { handle, stage }: Guest): RoomState | FaultCode {
    const room = this.#hall.rooms.get(id);
    // Who is gone must not begin to follow anything.
    if (stage === "ready" && room?.members.has(handle) === true) return room;
    return room === undefined || isHidden(room, handle) ? "noSuchRoom" : "notMember";
  }
}

function byName({ name }: { readonly name: string }, { name: other }: { readonly name: string }): number {
  return name < other ? -1 : 1;
}
