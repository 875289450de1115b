/**
 * What a person has seen in the line mode, which what is typed next may refer to: the room one is in, the numbers of the
 * messages there, and who has asked for something.
 *
 * @module
 */

import type { Scene } from "../client/command_argument.ts";
import type { ClientEvent, RoomFacts } from "../client/event.ts";

/** Messages of a room that can be referred to by counting back: as far as anybody counts. */
const SHOWN_MAX = 9;

/** Requests that are remembered: whoever has more unanswered ones names the room. */
const ASKED_MAX = 100;

/** What a server says in each room when it was started on a backup (PROTOCOL §6.52). */
const RESTORED = /^restored from #(\d{1,15})$/;

/** A message that was shown. */
type Shown = Scene["shown"][number];

/** What was seen so far. */
export class LineScene {
  #room: string;
  readonly #rooms = new Map<string, RoomFacts>();
  readonly #shown = new Map<string, readonly Shown[]>();
  readonly #firstOfPage = new Map<string, number>();
  /** Rooms of which the oldest entry that there is was asked for. */
  readonly #begun = new Set<string>();
  /** Who asked, as the key, and where. The newest comes last. */
  readonly #asked = new Map<string, string>();
  readonly #unread = new Set<string>();
  /** From which number on the server says that a room was restored from a backup. */
  readonly #restored = new Map<string, number>();

  /** Begins in `room`. */
  constructor(room: string) {
    this.#room = room;
  }

  /** The room that one is in. */
  get room(): string {
    return this.#room;
  }

  /** What is known of the room that one is in. */
  get facts(): RoomFacts | undefined {
    return this.#rooms.get(this.#room);
  }

  /** From which number on the server says that the room was restored from a backup. */
  restoredFrom(room: string): number | undefined {
    return this.#restored.get(room);
  }

  /** Whether nobody comes into that room without a word of its operators, as far as it was told of. */
  isPrivate(room: string): boolean {
    return this.#rooms.get(room)?.settings.visibility === "private";
  }

  /** The oldest entry of the room that was asked for last. */
  get firstOfPage(): number | undefined {
    return this.#firstOfPage.get(this.#room);
  }

  /** Whether nothing comes before that. */
  get isFirst(): boolean {
    return this.#begun.has(this.#room);
  }

  /** Goes to another room. */
  goTo(room: string): void {
    this.#room = room;
  }

  /** What a line is typed into at the time `now`. */
  at(now: number): Scene {
    return {
      room: this.#room,
      now,
      shown: this.#shown.get(this.#room) ?? [],
      askedAt: (handle) => this.askedAt(handle),
    };
  }

  /** Where that person has asked for something that was not answered yet. */
  askedAt(handle: string): string | undefined {
    return this.#asked.get(handle);
  }

  /** Whether something was shown in the room that one is in since that was asked last. */
  takeUnread(): boolean {
    return this.#unread.delete(this.#room);
  }

  /** Notes what an event tells. */
  note(event: ClientEvent): void {
    switch (event.type) {
      case "message":
        this.#noteMessage(event);
        return;
      case "room":
        this.#rooms.set(event.room, event);
        if (event.standing === "member") {
          this.#forgetAsked((_, at) => at === event.room && at.startsWith("@"));
        }
        return;
      case "gone":
        this.#rooms.delete(event.room);
        this.#forgetAsked((_, at) => at === event.room);
        return;
      case "request":
        if (event.handle === undefined || event.asks === "invited") return;
        this.#noteAsked(event.handle, event.room);
        return;
      case "log":
        this.#noteAnswer(event);
        return;
      case "page":
        if (event.first === undefined) return;
        this.#firstOfPage.set(event.room, event.first);
        if (event.more) this.#begun.delete(event.room);
        else this.#begun.add(event.room);
        return;
    }
  }

  #noteMessage(event: Extract<ClientEvent, { type: "message" }>): void {
    const { room, sequence, own, history } = event;
    const restored = restoredBy(event);
    if (restored !== undefined) this.#restored.set(room, restored);
    const others = (this.#shown.get(room) ?? []).filter((message) => message.sequence !== sequence);
    const all = [...others, { sequence, own }].sort((one, other) => one.sequence - other.sequence);
    this.#shown.set(room, all.slice(-SHOWN_MAX));
    if (!own && !history) this.#unread.add(room);
  }

  #noteAsked(handle: string, room: string): void {
    this.#asked.delete(handle);
    this.#asked.set(handle, room);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > ASKED_MAX && oldest !== undefined) this.#asked.delete(oldest);
  }

  /** Whoever was let in or turned away asks no more, whoever has answered. */
  #noteAnswer({ what, room, from }: Extract<ClientEvent, { type: "log" }>): void {
    if (what?.kind !== "membership") return;
    const { body } = what;
    const handle = "handle" in body ? body.handle : from;
    if (body.change === "knock" || body.change === "invite" || body.change === "uninvite") return;
    this.#forgetAsked((who, at) => who === handle && at === room);
  }

  #forgetAsked(answers: (handle: string, room: string) => boolean): void {
    for (const [handle, room] of this.#asked) if (answers(handle, room)) this.#asked.delete(handle);
  }
}

/** From which number on a message of the server says that its room was restored; `undefined` of any other message. */
export function restoredBy({ source, text }: Extract<ClientEvent, { type: "message" }>): number | undefined {
  const number = source === "server" ? RESTORED.exec(text)?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}
