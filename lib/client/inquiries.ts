/**
 * What a person asks about rooms: which there are, who is in them, what was said there.
 *
 * @module
 */

import type { ClientMessage, ServerMessage } from "../wire/message.ts";
import type { Carriage } from "./carriage.ts";
import type { ClientEvent, ClientRequest } from "./event.ts";
import type { LogReader } from "./log_reader.ts";
import type { Answer, Questions } from "./questions.ts";
import type { Room } from "./room.ts";
import { NOT_CONNECTED, notThere } from "./room_sentences.ts";
import type { Rooms } from "./rooms.ts";
import type { Turns } from "./turns.ts";

/** What questions are asked with. */
export interface InquiriesParts {
  /** What carries them. */
  readonly carriage: Carriage;
  /** Tells their answers apart. */
  readonly questions: Questions;
  /** In which answers are dealt with. */
  readonly turns: Turns;
  /** The rooms that one is in. */
  readonly rooms: Rooms;
  /** Reads their logs. */
  readonly reader: LogReader;
  /** Tells the front end. */
  readonly show: (events: readonly ClientEvent[]) => void;
}

/** One conversation's. */
export class Inquiries {
  readonly #parts: InquiriesParts;

  /** Nothing is asked yet. */
  constructor(parts: InquiriesParts) {
    this.#parts = parts;
  }

  /** Asks the server, and waits for the answer; `taken` deals with it before anything that came after it is taken. */
  async ask(
    question: (ask: number) => ClientMessage,
    taken: (answer: Answer) => Promise<void> = () => Promise.resolve(),
  ): Promise<Answer> {
    const { carriage, questions } = this.#parts;
    if (carriage.connection === undefined) return { kind: "ended" };
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const ask = questions.ask(async (answer) => {
      await taken(answer);
      resolve(answer);
    });
    carriage.tell(question(ask));
    return await promise;
  }

  /** Tells which rooms anybody may join. */
  async list(): Promise<string | undefined> {
    const answer = await this.ask((ask) => ({ type: "list", ask }));
    if (answer.kind !== "answered") return this.#unanswered(answer, undefined);
    const rooms = answer.parts.flatMap((part) => part.type === "directory" ? part.rooms : [])
      .map(({ name, topic, members }) => ({ room: name, topic, members }));
    return this.#show({ type: "directory", rooms });
  }

  /** Tells who is in a room. */
  async members({ room: label }: ClientRequest & { type: "members" }): Promise<string | undefined> {
    const { rooms } = this.#parts;
    const room = rooms.named(label);
    if (room === undefined) return notThere(label);
    const answer = await this.ask((ask) => ({ type: "askMembers", room: room.id, ask }));
    if (answer.kind !== "answered") return this.#unanswered(answer, label);
    const members = answer.parts.flatMap((part) => part.type === "members" ? part.members : [])
      .map(({ handle, role }) => ({ handle, role, state: rooms.stateOf(handle) }));
    return this.#show({ type: "members", room: label, members });
  }

  /** Tells what was said in a room: without a connection, what is kept of it. */
  async history(
    { room: label, where, limit }: ClientRequest & { type: "history" },
  ): Promise<string | undefined> {
    const { carriage, rooms, turns } = this.#parts;
    const room = rooms.named(label);
    if (room === undefined) return notThere(label);
    // What comes meanwhile need not be in the answer.
    const next = room.log.head.sequence + 1;
    const before = where.from === "before" ? Math.min(where.sequence ?? next, next) : undefined;
    if (carriage.connection === undefined) return await turns.take(() => this.#recent(room, before, limit));
    const asked = before === undefined ? undefined : { before, limit };
    const answer = await this.ask(
      (ask) => ({ type: "read", room: room.id, ask, where: readFrom(where, before), limit, follow: false }),
      async (came) => {
        if (came.kind === "answered") await this.#takeHistory(room, came.parts, asked);
      },
    );
    return answer.kind === "answered" ? undefined : this.#unanswered(answer, label);
  }

  async #takeHistory(
    room: Room,
    parts: readonly ServerMessage[],
    asked: { readonly before: number; readonly limit: number } | undefined,
  ): Promise<void> {
    const pages = parts.flatMap((part) => part.type === "page" ? [part] : []);
    const end = pages.at(-1)?.end;
    if (end === undefined || !room.log.begun) return;
    const entries = pages.flatMap((page) => page.entries);
    this.#parts.show(await this.#parts.reader.history(room, entries, { end, asked }));
    const first = entries[0]?.sequence;
    this.#show({
      type: "page",
      room: room.label,
      first,
      last: entries.at(-1)?.sequence,
      more: first !== undefined && first > end.base.sequence + 1,
    });
  }

  async #recent(room: Room, before: number | undefined, limit: number): Promise<string | undefined> {
    if (before === undefined) return NOT_CONNECTED;
    const events = await this.#parts.reader.recent(room, { to: before - 1, limit });
    const sequences = events.flatMap((event) => "sequence" in event ? [event.sequence] : []);
    this.#parts.show(events);
    const first = sequences[0];
    const more = first !== undefined && first > 1;
    return this.#show({ type: "page", room: room.label, first, last: sequences.at(-1), more });
  }

  #unanswered(
    answer: Exclude<Answer, { kind: "answered" }>,
    room: string | undefined,
  ): string | undefined {
    if (answer.kind === "ended") return NOT_CONNECTED;
    const { code, wait } = answer.fault;
    return this.#show({ type: "fault", code, room, about: undefined, text: undefined, wait });
  }

  #show(event: ClientEvent): undefined {
    this.#parts.show([event]);
  }
}

function readFrom(
  where: (ClientRequest & { type: "history" })["where"],
  before: number | undefined,
): (ClientMessage & { type: "read" })["where"] {
  if (where.from !== "before") return where;
  return { from: "before", sequence: Math.max(1, before ?? 1) };
}
