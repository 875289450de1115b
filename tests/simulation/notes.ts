/**
 * What is noted of one simulated client: all that it was given to say, and all that it told, life by life.
 *
 * @module
 */

import type { Flaw } from "../../lib/client/keepers.ts";
import type { ClientEvent } from "../../lib/client/event.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Heard, Placed, Said } from "./checker.ts";

/** Something that a client was given to say. */
interface Saying {
  readonly room: string;
  readonly text: string;
  /** What was told of it: nothing yet, that it is kept, or that it was not taken. */
  told: "nothing" | "kept" | "notTaken";
}

/** What notes are compared with at once. */
export interface Truth {
  /** Whether the server has an entry of that id on its disk. */
  readonly isStored: (id: string) => boolean;
  /** Whether a client of everybody else in that room has it up to that entry on its disk. */
  readonly isDelivered: (room: string, sequence: number) => boolean;
}

/** Of one client. Rooms are called as it calls them. */
export class Notes {
  /** Whose they are. */
  readonly name: Handle;
  /** Which rooms it is in, as it was told. */
  readonly rooms = new Set<string>();
  /** Entries that it may do something about, newest last. */
  readonly entries: { readonly room: string; readonly sequence: number; readonly own: boolean }[] = [];
  /** The last answer to each question. */
  readonly answers = new Map<ClientEvent["type"], ClientEvent>();

  readonly #truth: Truth;
  readonly #sayings: Saying[] = [];
  readonly #refused = new Set<string>();
  readonly #acknowledged: Placed[] = [];
  readonly #heard: Heard[][] = [];
  readonly #doubts: string[] = [];
  readonly #found: { readonly room: string; readonly flaw: Flaw }[] = [];

  /** Empty ones. */
  constructor(name: Handle, truth: Truth) {
    this.name = name;
    this.#truth = truth;
  }

  /** Another life begins. */
  beginLife(): void {
    this.#heard.push([]);
    this.rooms.clear();
  }

  /** It is given something to say; what is told of that is to be noted by what this gives. */
  saying(room: string, text: string): (told: "kept" | "notTaken") => void {
    const saying: Saying = { room, text, told: "nothing" };
    this.#sayings.push(saying);
    return (told) => saying.told = told;
  }

  /** It told something. */
  take(event: ClientEvent): void {
    this.answers.set(event.type, event);
    switch (event.type) {
      case "message":
      case "log":
        return this.#takeEntry(event);
      case "ack":
        this.#acknowledged.push({ room: event.room, sequence: event.sequence, id: event.id });
        if (!this.#truth.isStored(event.id)) {
          this.#doubt(`told ${event.room} #${event.sequence} to be stored`);
        }
        break;
      case "delivery":
        if (!this.#truth.isDelivered(event.room, event.sequence)) {
          this.#doubt(`told ${event.room} #${event.sequence} to be ${event.state}`);
        }
        break;
      case "room":
        if (event.standing === "member") this.rooms.add(event.room);
        if (event.news === "joined") this.#outside(event.room);
        break;
      case "gone":
        this.rooms.delete(event.room);
        this.#outside(event.room);
        break;
      case "integrity":
        for (const flaw of event.flaws) this.#found.push({ room: event.room, flaw });
        break;
      case "fault":
        if (event.text !== undefined) this.#refused.add(event.text);
        break;
      case "keys":
        if (event.news !== "deviceAdded") this.#doubt(`was told ${event.news} of ${event.handle}`);
    }
  }

  /** What it was given to say, those not taken left out. */
  get said(): readonly Said[] {
    return this.#sayings.flatMap(({ room, text, told }) =>
      told === "notTaken" ? [] : [{ room, text, sure: told === "kept" }]
    );
  }

  /** Texts that were not taken, at once or later. */
  get refused(): ReadonlySet<string> {
    const atOnce = this.#sayings.filter(({ told }) => told === "notTaken").map(({ text }) => text);
    return new Set([...atOnce, ...this.#refused]);
  }

  /** Entries of its own that it was told to be stored. */
  get acknowledged(): readonly Placed[] {
    return this.#acknowledged;
  }

  /** What it heard, by its lives. */
  get heard(): readonly (readonly Heard[])[] {
    return this.#heard;
  }

  /** What it found at fault in logs. */
  get found(): readonly { readonly room: string; readonly flaw: Flaw }[] {
    return this.#found;
  }

  /** What it doubted, or told and was not so. */
  get doubts(): readonly string[] {
    return this.#doubts;
  }

  #takeEntry(event: ClientEvent & { readonly type: "message" | "log" }): void {
    const { room, sequence, id, own, history, verified, source, reason } = event;
    if (source === "member" && !verified) this.#doubt(`doubts ${room} #${sequence}: ${reason}`);
    if (event.type === "message" && event.deletedBy === undefined) this.entries.push({ room, sequence, own });
    if (!history) this.#heard.at(-1)?.push({ kind: "entry", entry: { room, sequence, id } });
  }

  #outside(room: string): void {
    this.#heard.at(-1)?.push({ kind: "outside", room });
  }

  #doubt(doubt: string): void {
    this.#doubts.push(doubt);
  }
}
