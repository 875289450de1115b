/**
 * The rooms that one client is in or was asked into: what the server tells of them, and up to where each is known.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { NOWHERE } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import { PAGE_ENTRIES_MAX } from "../wire/limits.ts";
import type { ClientMessage, Logged, Place, RoomMessage, ServerMessage } from "../wire/message.ts";
import type { ClientEvent } from "./event.ts";
import { said } from "./fold.ts";
import type { LogReader } from "./log_reader.ts";
import type { OwnDevices } from "./own_devices.ts";
import type { People } from "./people.ts";
import type { Answer, Questions } from "./questions.ts";
import { isRightlyNamed, Room } from "./room.ts";
import type { Sender, SendingRooms } from "./sender.ts";

/** Entries of a room's end that are read where nothing of it is known yet: a screen or two. */
const FIRST_ENTRIES = 50;

/** Entries that are looked at for what took the place of others: a page. */
const REPLACED_MAX = PAGE_ENTRIES_MAX;

/** Milliseconds between two marks of one room. */
const MARK_MS = 1_000;

/** Rooms of which the server is told at once how far one has come: of more than ten in a second it would hear none. */
const MARKS_AT_ONCE = 8;

/** What rooms are kept with. */
export interface RoomsParts {
  /** Reads their logs. */
  readonly reader: LogReader;
  /** Has what waits to be said there. */
  readonly sender: Sender;
  /** Who the others are. */
  readonly people: People;
  /** Who one is oneself. */
  readonly own: OwnDevices;
  /** For the ids of rooms. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** What is asked on this connection. */
  readonly questions: Questions;
  /** Sends to the server. */
  readonly tell: (message: ClientMessage) => void;
  /** Tells the front end. */
  readonly show: (events: readonly ClientEvent[]) => void;
  /** Something may be sent that could not before. */
  readonly opened: () => Promise<void>;
  /** Whether others are to be told what was read. */
  readonly showsReceipts: () => boolean;
}

/** What the server tells of rooms and who is in them. */
export type RoomNews = Extract<
  ServerMessage,
  { type: "room" | "gone" | "entry" | "page" | "presence" | "typing" | "marks" }
>;

/** Whether somebody is at hand, as they say. */
export type State = "online" | "away" | "offline";

/** Something that was done in a room. */
export interface Deed {
  /** The number of its entry. */
  readonly sequence: number;
  /** By whom; `undefined`: by the server. */
  readonly from: Handle | undefined;
  /** What it was, where that can be read. */
  readonly what: EntryBody | undefined;
}

/** The rooms of one account. */
export class Rooms implements SendingRooms {
  readonly #parts: RoomsParts;
  readonly #rooms = new Map<string, Room>();
  /** Rooms that one was in and is not any more. */
  readonly #left = new Set<string>();
  readonly #states = new Map<Handle, State>();
  /** Those that the server has told of on this connection. */
  readonly #told = new Set<string>();
  #isReady = false;
  /** Whether those at hand are being told, all of them, as at the beginning. */
  #isMeeting = false;
  #marked = 0;

  /** None yet. */
  constructor(parts: RoomsParts) {
    this.#parts = parts;
  }

  /** All of them, in the order in which the server told of them. */
  get all(): readonly Room[] {
    return Array.from(this.#rooms.values());
  }

  /** The room of that label; `undefined` where one is not in it and was not asked into it. */
  named(label: string): Room | undefined {
    return this.all.find((room) => room.label === label);
  }

  /** The room of that id. */
  of(id: Bytes): Room | undefined {
    return this.#rooms.get(id.toHex());
  }

  /** Whether somebody is at hand, as far as that was told. */
  stateOf(handle: Handle): State {
    return this.#states.get(handle) ?? "offline";
  }

  /**
   * The last entry that was seen of a room that is followed. To one that one is not in any more something may be sent, too:
   * the server says what is to be said of that.
   */
  seen(id: Bytes): Place | undefined {
    const room = this.of(id);
    if (this.#isReady && room?.isMember !== true) return NOWHERE;
    return room?.following.kind === "live" ? room.log.head : undefined;
  }

  /** Whether its members wait between two messages, oneself among them. */
  isSlow(id: Bytes): boolean {
    const facts = this.of(id)?.facts;
    return facts !== undefined && facts.settings.slow > 0 && facts.role === "member";
  }

  /** All rooms were told: what comes from now on is news, and they are read. Those that were not told are gone. */
  async ready(): Promise<void> {
    this.#isReady = true;
    this.#isMeeting = true;
    for (const room of this.all) {
      if (this.#told.has(room.id.toHex())) this.#follow(room);
      else await this.#leave(room, "meanwhile");
    }
  }

  /** The connection is gone: nothing is followed any more, and nobody known to be at hand. */
  disconnected(): void {
    this.#isReady = false;
    this.#told.clear();
    this.#states.clear();
    for (const room of this.#rooms.values()) {
      room.following = { kind: "no" };
      room.sent = { delivered: 0, read: 0 };
    }
  }

  /** One is about to come into a room, or to do something in it: that one has left it before counts no more. */
  expect(id: Bytes): void {
    this.#left.delete(id.toHex());
  }

  /** Whether one has left a room, or was put out, since that was expected. */
  isLeft(id: Bytes): boolean {
    return this.#left.has(id.toHex());
  }

  /** Takes news. False where no honest server sends it. */
  async take(news: RoomNews): Promise<boolean> {
    this.#isMeeting &&= news.type === "presence";
    switch (news.type) {
      case "room":
        return await this.#takeRoom(news);
      case "gone":
        return await this.#takeGone(news);
      case "entry":
        return await this.#takeEntry(news);
      case "page":
        return await this.#parts.questions.answer(news.ask, news, news.end !== undefined);
      case "presence":
        this.#takePresence(news);
        return true;
      case "typing":
        this.#takeTyping(news);
        return true;
      case "marks":
        await this.#takeMarks(news);
        return true;
    }
  }

  /** Counts who comes and goes by what was done just now, and not before the server's last word on the room. */
  count(room: Room, deeds: readonly Deed[]): void {
    for (const deed of deeds) {
      // Marks of who has left must not stand for whoever came instead.
      const leaver = leaverOf(deed);
      if (leaver !== undefined) room.marks.delete(leaver);
      if (deed.sequence <= room.counted) continue;
      room.counted = deed.sequence;
      const members = Math.max(0, room.facts.members + comingOf(deed.what));
      room.facts = { ...room.facts, members };
    }
  }

  /** One has read a room up to what is known of it. */
  async read(room: Room): Promise<void> {
    room.read = Math.max(room.read, room.log.head.sequence);
    room.unread = 0;
    await this.#parts.reader.keep(room);
  }

  /** Tells the server how far one has come, once in a while. */
  tick(now: number): void {
    if (now - this.#marked < MARK_MS) return;
    this.#marked = now;
    // What the server would not give a moment ago is asked for again.
    if (this.#isReady) { for (const room of this.#rooms.values()) this.#follow(room); }
    this.tellMarks();
  }

  /** Reads a room on from where it is known, as if nothing had been told of it since. */
  readAnew(room: Room): void {
    room.following = { kind: "no" };
    this.#follow(room);
  }

  /** Tells the server how far one has come. */
  tellMarks(): void {
    for (const room of this.all.filter(isUnmarked).slice(0, MARKS_AT_ONCE)) this.#mark(room);
  }

  async #takeRoom(facts: RoomMessage): Promise<boolean> {
    const { provider, hostKey, own } = this.#parts;
    const before = this.of(facts.room);
    const isOther = before !== undefined && before.facts.kind !== facts.kind;
    if (isOther || !isRightlyNamed(facts, { provider, hostKey, self: own.account.handle })) return false;
    const wasMember = before?.isMember === true;
    const knocking = before?.facts.knocking ?? [];
    const room = before ?? await this.#begin(facts);
    this.#told.add(facts.room.toHex());
    const isReleased = room.facts.settings.slow > 0 && facts.settings.slow === 0;
    room.facts = facts;
    room.counted = facts.head.sequence;
    if (!this.#isReady) room.sent = { delivered: facts.delivered, read: facts.read };
    await this.#readElsewhere(room, facts.read);
    const news = !this.#isReady ? "here" : room.isMember && !wasMember ? "joined" : "changed";
    this.#parts.show([
      { type: "room", news, ...room.shown },
      ...await this.#requests(room, before, knocking),
    ]);
    if (this.#isReady) this.#follow(room);
    if (isReleased) {
      this.#parts.sender.release(room.id);
      await this.#parts.opened();
    }
    return true;
  }

  async #begin(facts: RoomMessage): Promise<Room> {
    const { log, read } = await this.#parts.reader.begin(facts.room);
    const room = new Room(facts, log, read);
    this.#rooms.set(facts.room.toHex(), room);
    await this.#parts.reader.recall(room);
    return room;
  }

  async #requests(
    room: Room,
    before: Room | undefined,
    knockedBefore: readonly Handle[],
  ): Promise<readonly ClientEvent[]> {
    const { standing, with: other, knocking } = room.facts;
    const events: ClientEvent[] = knocking.filter((handle) => !knockedBefore.includes(handle)).map(
      (handle) => {
        return { type: "request", asks: "knocking", room: room.label, handle, words: [] };
      },
    );
    const isNew = before === undefined || before.facts.standing !== standing;
    if (isNew && standing === "invited") {
      events.push({ type: "request", asks: "invited", room: room.label, handle: undefined, words: [] });
    }
    if (isNew && standing === "requested" && other !== undefined) {
      const words = await this.#wordsWith(other);
      events.push({ type: "request", asks: "requested", room: room.label, handle: other, words });
    }
    return events;
  }

  async #wordsWith(handle: Handle): Promise<readonly string[]> {
    const { people, own } = this.#parts;
    const told = await people.tell(handle, own.account);
    return "type" in told && told.type === "person" ? told.words : [];
  }

  async #takeGone({ room: id, why }: RoomNews & { type: "gone" }): Promise<boolean> {
    const room = this.of(id);
    if (room === undefined) return true;
    await this.#leave(room, why);
    // What waited for it to be read is sent now, and comes back.
    await this.#parts.opened();
    return true;
  }

  /** What is kept of it stays: else a server had only to say that one is out to have its flaws forgotten. */
  async #leave(room: Room, why: (ClientEvent & { type: "gone" })["why"]): Promise<void> {
    this.#rooms.delete(room.id.toHex());
    this.#left.add(room.id.toHex());
    await this.#parts.reader.leave(room);
    this.#parts.show([{ type: "gone", room: room.label, why }]);
  }

  async #takeEntry({ room: id, entry }: RoomNews & { type: "entry" }): Promise<boolean> {
    const room = this.of(id);
    if (room?.following.kind !== "live") return false;
    const events = await this.#parts.reader.entry(room, entry);
    this.count(room, [deedOf(entry)]);
    await this.#settleOwn(room, [entry], events);
    return true;
  }

  /** Entries of one's own that come as others' are stored, where they are what one has said: they need not be sent any more. */
  async #settleOwn(
    room: Room,
    entries: readonly Logged[],
    events: readonly ClientEvent[],
  ): Promise<void> {
    const { sender, reader } = this.#parts;
    const shown = [...events];
    for (const entry of entries) {
      const { id, sequence, time } = entry;
      if (!sender.has(id) || !await reader.hasOwn(room, entry)) continue;
      await sender.settle(id);
      shown.push({ type: "ack", room: room.label, id: id.toHex(), sequence, time });
    }
    this.#parts.show(shown);
  }

  /** Reads a room on from where it is known, and follows it from its end. */
  #follow(room: Room): void {
    if (!room.isMember || room.following.kind !== "no") return;
    const { begun, head } = room.log;
    const asked = begun ? head.sequence : undefined;
    const ask = this.#parts.questions.ask((answer) => this.#takeFollowed(room, answer, asked));
    room.following = { kind: "reading", ask };
    this.#parts.tell({
      type: "read",
      room: room.id,
      ask,
      where: begun ? { from: "after", sequence: head.sequence } : { from: "newest" },
      limit: begun ? PAGE_ENTRIES_MAX : FIRST_ENTRIES,
      follow: true,
    });
  }

  async #takeFollowed(room: Room, answer: Answer, asked: number | undefined): Promise<void> {
    if (this.of(room.id) !== room) return;
    const pages = answer.kind === "answered"
      ? answer.parts.flatMap((part) => part.type === "page" ? [part] : [])
      : [];
    const end = pages.at(-1)?.end;
    if (end === undefined) {
      room.following = { kind: "no" };
      return;
    }
    const entries = pages.flatMap((page) => page.entries);
    const { base } = room.log;
    const events = await this.#parts.reader.page(room, entries, { end, asked });
    this.count(room, entries.map(deedOf));
    // Only now: whoever asked again from the old head would take the same page for a gap.
    room.following = end.live ? { kind: "live" } : { kind: "no" };
    await this.#settleOwn(room, entries, events);
    if (asked !== undefined && room.log.base !== base && events.some(tellsOfAnother)) {
      this.#readReplaced(room);
    }
    if (!end.live) return this.#follow(room);
    await this.#parts.opened();
  }

  /** The log goes on from a place that was not reached from what is known: what is before it now may say why. */
  #readReplaced(room: Room): void {
    const asked = { before: room.log.base.sequence + 1, limit: REPLACED_MAX };
    const ask = this.#parts.questions.ask((answer) => this.#takeReplaced(room, answer, asked));
    const where = { from: "before", sequence: asked.before } as const;
    this.#parts.tell({ type: "read", room: room.id, ask, where, limit: asked.limit, follow: false });
  }

  async #takeReplaced(
    room: Room,
    answer: Answer,
    asked: { readonly before: number; readonly limit: number },
  ): Promise<void> {
    if (this.of(room.id) !== room || answer.kind !== "answered") return;
    const pages = answer.parts.flatMap((part) => part.type === "page" ? [part] : []);
    const end = pages.at(-1)?.end;
    if (end === undefined) return;
    const entries = pages.flatMap((page) => page.entries);
    this.#parts.show(await this.#parts.reader.replaced(room, entries, { end, asked }));
  }

  #takePresence({ people, time }: RoomNews & { type: "presence" }): void {
    for (const { handle, state } of people) {
      if (state === "offline") this.#states.delete(handle);
      else this.#states.set(handle, state);
    }
    const names = people.map(({ handle }) => handle);
    const changed = this.#isMeeting ? people.filter(({ state }) => state === "away") : people;
    this.#parts.show([
      ...this.#isMeeting ? [{ type: "presence", change: "here", names, text: undefined, time } as const] : [],
      ...changed.map(({ handle, state, text }) => {
        return { type: "presence", change: state, names: [handle], text, time } as const;
      }),
    ]);
  }

  #takeTyping({ room: id, handle, on }: RoomNews & { type: "typing" }): void {
    const room = this.of(id);
    if (room !== undefined) this.#parts.show([{ type: "typing", room: room.label, handle, on }]);
  }

  async #takeMarks({ room: id, handle, delivered, read }: RoomNews & { type: "marks" }): Promise<void> {
    const room = this.of(id);
    if (room === undefined) return;
    if (handle === this.#parts.own.account.handle) {
      if (read <= room.read) return;
      await this.#readElsewhere(room, read);
      return this.#parts.show([{ type: "room", news: "changed", ...room.shown }]);
    }
    room.marks.set(handle, { delivered, read });
    this.#parts.show(deliveries(room));
  }

  /** Its person has read it up to there on another device. */
  async #readElsewhere(room: Room, read: number): Promise<void> {
    if (read <= room.read) return;
    room.read = read;
    await this.#parts.reader.countUnread(room);
  }

  #mark(room: Room): void {
    const { read, log: { head: { sequence: delivered } } } = room;
    room.sent = { delivered, read };
    this.#parts.tell({ type: "mark", room: room.id, delivered, read, shown: this.#parts.showsReceipts() });
  }
}

/** Whether one has come further than the server was told on this connection. */
function isUnmarked({ following, log, read, sent }: Room): boolean {
  return following.kind === "live" && (log.head.sequence !== sent.delivered || read !== sent.read);
}

/** Whether what was given before is not in the log any more. */
function tellsOfAnother(event: ClientEvent): boolean {
  return event.type === "integrity" &&
    event.flaws.some(({ kind }) => kind === "cutBack" || kind === "rewritten");
}

function deedOf(entry: Logged): Deed {
  return { sequence: entry.sequence, from: entry.from, what: said(entry) };
}

/** Who is out of a room by what was done. */
function leaverOf({ what, from }: Deed): Handle | undefined {
  if (what?.kind === "moderation") {
    return what.body.act === "kick" || what.body.act === "ban" ? what.body.handle : undefined;
  }
  if (what?.kind !== "membership" || what.body.change !== "part") return undefined;
  return what.body.handle ?? from;
}

/** How many are more in a room after that was done. */
function comingOf(what: EntryBody | undefined): number {
  if (what?.kind === "moderation") return what.body.act === "kick" ? -1 : 0;
  if (what?.kind !== "membership") return 0;
  const { change } = what.body;
  return change === "join" || change === "allow" ? 1 : change === "part" ? -1 : 0;
}

/** What has become known of how far the others have come with what one has said. */
function deliveries(room: Room): readonly ClientEvent[] {
  const { delivered, read } = room.others;
  const upTo = { delivered: Math.min(delivered, room.lastOwn), read: Math.min(read, room.lastOwn) };
  const events: ClientEvent[] = [];
  for (const state of ["delivered", "read"] as const) {
    if (upTo[state] <= room.told[state]) continue;
    room.told = { ...room.told, [state]: upTo[state] };
    events.push({ type: "delivery", room: room.label, sequence: upTo[state], state });
  }
  return events;
}
