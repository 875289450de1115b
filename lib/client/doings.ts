/**
 * What a person does to rooms, makes or comes into: at once, or not at all.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { NOWHERE } from "../identity/log_entry.ts";
import { directId, openId } from "../identity/room_id.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Fault, Place } from "../wire/message.ts";
import { type Act, actBody } from "./act_body.ts";
import type { Acted, Acts } from "./acting.ts";
import type { Carriage } from "./carriage.ts";
import type { ClientEvent, ClientRequest } from "./event.ts";
import type { Inquiries } from "./inquiries.ts";
import type { OwnDevices } from "./own_devices.ts";
import { ANSWER_MS_MAX } from "./password_connection.ts";
import { otherIn, type Room } from "./room.ts";
import { NOT_CONNECTED, notThere, openNameFault, refusedToOwner } from "./room_sentences.ts";
import type { Rooms } from "./rooms.ts";
import type { Sender } from "./sender.ts";
import type { Turns } from "./turns.ts";

/** What things are done with. */
export interface DoingsParts {
  /** What carries them. */
  readonly carriage: Carriage;
  /** In which they are signed and sent. */
  readonly turns: Turns;
  /** Those that wait for their place. */
  readonly acts: Acts;
  /** The rooms that one is in. */
  readonly rooms: Rooms;
  /** Signs what is done. */
  readonly sender: Sender;
  /** Finds rooms by their names. */
  readonly inquiries: Inquiries;
  /** Who one is oneself. */
  readonly own: OwnDevices;
  /** For the ids of rooms. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** Milliseconds that never go back, for deadlines. */
  readonly clock: () => number;
  /** Milliseconds since 1970, for what lasts. */
  readonly wallClock: () => number;
  /** Tells the front end. */
  readonly show: (events: readonly ClientEvent[]) => void;
}

/** Something that is done to a room. */
interface Doing {
  readonly what: EntryBody;
  /** What the room is called. */
  readonly label: string;
  /** The last entry that one has seen there, where that is not the one that is known. */
  readonly seen: Place | undefined;
  /** Its entry, where that is made already. */
  readonly draft?: ReturnType<Sender["draft"]>;
  /** What is to be seen before it counts as done. */
  readonly until?: (room: Room | undefined) => boolean;
  /** What is told once it has its place, where nothing else shows that. */
  readonly told?: string;
  /** The sentence of a refusal; `undefined` where that is told as a fault. */
  readonly refused?: (fault: Fault) => string | undefined;
}

/** Whether there is a conversation to say something in. */
export type Begun =
  | { readonly kind: "begun" }
  /** There is none; why. */
  | { readonly kind: "not"; readonly sentence: string }
  /** The server refused to begin one. */
  | { readonly kind: "refused"; readonly fault: Fault };

const BEGUN: Begun = { kind: "begun" };

/** One conversation's. */
export class Doings {
  readonly #parts: DoingsParts;
  /** Direct conversations that are being begun. */
  readonly #beginning = new Map<Handle, Promise<Begun>>();

  /** Nothing is done yet. */
  constructor(parts: DoingsParts) {
    this.#parts = parts;
  }

  /** Changes a room, or who is in it. */
  async act(request: Act): Promise<string | undefined> {
    const what = actBody(request, this.#parts.wallClock());
    if (typeof what === "string") return what;
    const label = request.room;
    const other = otherIn(label);
    if (
      (request.type === "allow" || request.type === "deny") && other !== undefined && request.handle !== other
    ) {
      return `Cannot ${request.type} ${request.handle} in ${label}: only ${other} can have asked there; name them.`;
    }
    const room = this.#parts.rooms.named(label);
    const id = room?.id ?? this.#refusedBefore(request);
    if (id === undefined) return notThere(label);
    return await this.#do(id, {
      what,
      label,
      seen: room?.isMember === true ? undefined : NOWHERE,
      refused: ({ code }) =>
        code === "notAllowed" && room?.facts.role === "owner"
          ? refusedToOwner(request, this.#self)
          : undefined,
      ...request.type === "part"
        ? { until: (after) => after === undefined }
        : request.type === "allow" && otherIn(label) !== undefined
        ? { until: isLive }
        : {},
    });
  }

  /** Makes a room. */
  async create({ room: label, visibility }: ClientRequest & { type: "create" }): Promise<string | undefined> {
    const fault = openNameFault(label);
    if (fault !== undefined) return `${fault}.`;
    const { provider, hostKey, sender } = this.#parts;
    const what: EntryBody = { kind: "room", body: { act: "create", kind: "open", name: label, visibility } };
    const draft = sender.draft(what, undefined);
    const id = openId(provider, hostKey, draft.id);
    return await this.#do(id, { what, label, draft, seen: NOWHERE, until: isLive });
  }

  /** Comes into a room, or asks to be let in. */
  async enter(
    { type, room: label }: Extract<ClientRequest, { type: "join" | "knock" }>,
  ): Promise<string | undefined> {
    const known = this.#parts.rooms.named(label);
    if (known?.isMember === true) {
      if (type === "knock") return `Cannot knock at ${label}: you are in that room already; go on.`;
      this.#parts.show([{ type: "room", news: "here", ...known.shown }]);
      return undefined;
    }
    const fault = openNameFault(label);
    if (fault !== undefined) return `${fault}.`;
    const id = known?.id ?? await this.#idOf(label);
    if (typeof id === "string") return id;
    const what: EntryBody = { kind: "membership", body: { change: type } };
    return await this.#do(id, {
      what,
      label,
      seen: NOWHERE,
      ...type === "join" ? { until: isLive } : { told: `You knocked at ${label}; wait to be let in` },
    });
  }

  /** A direct conversation begins by itself with the first thing that is said in it; what is said next waits for that. */
  begun(label: string): Promise<Begun> | Begun {
    const other = otherIn(label);
    if (other === undefined || this.#parts.rooms.named(label) !== undefined) return BEGUN;
    if (other === this.#self) return { kind: "not", sentence: TO_ONESELF };
    const begun = this.#beginning.get(other) ?? this.#begin(other, label);
    this.#beginning.set(other, begun);
    return begun;
  }

  async #begin(other: Handle, label: string): Promise<Begun> {
    const what: EntryBody = { kind: "room", body: { act: "create", kind: "direct", with: other } };
    try {
      let fault: Fault | undefined;
      const sentence = await this.#do(this.#directId(other), {
        what,
        label,
        seen: NOWHERE,
        until: isLive,
        told: `${other} is asked whether to take it up`,
        refused: (refusal) => {
          fault = refusal;
          return refusal.code;
        },
      });
      if (fault !== undefined) return { kind: "refused", fault };
      return sentence === undefined ? BEGUN : { kind: "not", sentence };
    } finally {
      this.#beginning.delete(other);
    }
  }

  /** Does something to a room, and waits until the server has said what came of it. */
  async #do(
    id: Bytes,
    { what, label, seen, draft: made, until, told, refused }: Doing,
  ): Promise<string | undefined> {
    const { carriage, turns, acts, rooms, sender, clock } = this.#parts;
    const begun = await turns.take(async () => {
      if (carriage.connection === undefined) return NOT_CONNECTED;
      const last = seen ?? rooms.of(id)?.log.head ?? NOWHERE;
      const draft = await sender.sign(id, made ?? sender.draft(what, undefined), last);
      const acted = acts.wait({ room: id, label, draft, deadline: clock() + ANSWER_MS_MAX });
      rooms.expect(id);
      carriage.tell({ type: "send", room: id, entry: draft });
      return { acted };
    });
    if (typeof begun === "string") return begun;
    const acted = await begun.acted;
    const sentence = acted.kind === "refused" ? refused?.(acted.fault) : undefined;
    if (sentence !== undefined) return sentence;
    if (acted.kind !== "placed") return this.#told(acted, label);
    if (told !== undefined) this.#parts.show([{ type: "done", what: told }]);
    if (until === undefined) return undefined;
    const deadline = clock() + ANSWER_MS_MAX;
    // Whoever is put out at once waits no longer for what was said before.
    while (
      carriage.connection !== undefined && !until(rooms.of(id)) && !rooms.isLeft(id) && clock() < deadline
    ) {
      await carriage.change();
    }
    return undefined;
  }

  #told(acted: Exclude<Acted, { kind: "placed" }>, label: string): string | undefined {
    if (acted.kind === "unknown") {
      return `Cannot say whether that was done in ${label}: the connection ended, or no answer came; look at it again.`;
    }
    const { code, wait } = acted.fault;
    this.#parts.show([{ type: "fault", code, room: label, about: undefined, text: undefined, wait }]);
    return undefined;
  }

  /** A direct conversation that one did not take up is not told any more, and can be taken up all the same. */
  #refusedBefore({ type, room: label }: Act): Bytes | undefined {
    const other = otherIn(label);
    return type !== "allow" || other === undefined || other === this.#self
      ? undefined
      : this.#directId(other);
  }

  async #idOf(name: string): Promise<Bytes | string> {
    const answer = await this.#parts.inquiries.ask((ask) => ({ type: "list", ask, name }));
    if (answer.kind === "ended") return NOT_CONNECTED;
    if (answer.kind === "refused") {
      return `Cannot look for ${name}: the server answers ${answer.fault.code}; try again in a moment.`;
    }
    const rooms = answer.parts.flatMap((part) => part.type === "directory" ? part.rooms : []);
    return rooms.find((room) => room.name === name)?.room ??
      `Cannot find ${name}: there is no such room; see /list, or make it by /create ${name}.`;
  }

  #directId(other: Handle): Bytes {
    const { provider, hostKey } = this.#parts;
    return directId(provider, hostKey, [this.#self, other]);
  }

  get #self(): Handle {
    return this.#parts.own.account.handle;
  }
}

const TO_ONESELF = "Cannot send to yourself: nobody else is there; name another person.";

function isLive(room: Room | undefined): boolean {
  return room?.following.kind === "live";
}
