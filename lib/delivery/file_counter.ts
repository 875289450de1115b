/**
 * Where connections ask for files: counts how often they do, and looks up what the desk has to know.
 *
 * @module
 */

import type { FileRequest } from "../session/file_desk.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Guest } from "./guest.ts";
import { noteTrouble } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";

/** The counter of one server. */
export class FileCounter {
  readonly #hall: Pick<Hall, "parts" | "rooms" | "cards" | "blocks" | "allowances" | "desk">;

  /** A counter before the desk. */
  constructor(hall: Pick<Hall, "parts" | "rooms" | "cards" | "blocks" | "allowances" | "desk">) {
    this.#hall = hall;
  }

  /** Serves a connection; settles when its next message may be looked at. */
  async take(guest: Guest, request: FileRequest): Promise<void> {
    const { parts, desk } = this.#hall;
    const about = request.file;
    const wait = this.#spend(guest, request);
    if (wait !== undefined) return guest.refuse("tooFast", { about, wait });
    try {
      if (request.type === "fileBegin") await this.#know(request.room);
      const { peer, handle } = guest;
      await desk.take({ peer, handle, isHere: () => guest.stage === "ready" && peer.isHere() }, request);
    } catch (error) {
      noteTrouble(parts, error);
      guest.refuse("notStored", { about });
    }
  }

  /** Pieces of a file that was begun are bounded by their window. */
  #spend({ handle }: Guest, { type }: FileRequest): number | undefined {
    const { allowances, parts } = this.#hall;
    if (type === "fileChunk") return undefined;
    return allowances.spend(handle, [type === "fileBegin" ? "acts" : "reads"], parts.wallClock());
  }

  /** In a conversation of two, the other may block, or be no more. */
  async #know(id: Bytes): Promise<void> {
    const form = this.#hall.rooms.get(id)?.form;
    if (form?.kind !== "direct") return;
    await this.#hall.cards.load(form.people);
    await this.#hall.blocks.load(form.people);
  }
}
