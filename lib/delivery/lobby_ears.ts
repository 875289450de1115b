/**
 * What the operator's console and the bridge hear of the lobby: what is said there, and who of its members is at hand.
 *
 * @module
 */

import type { Overheard } from "../chat/overheard.ts";
import type { RoomState } from "../chat/room.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { decodeBody } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import type { ExchangeParts } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";
import type { EventOf } from "./teller.ts";

/** What the ears work with. */
interface EarsParts extends Pick<Hall, "rooms" | "guests"> {
  readonly parts: Pick<ExchangeParts, "wallClock">;
}

/** The ears of one server's lobby. */
export class LobbyEars {
  readonly #hall: EarsParts;
  readonly #lobby: Bytes;
  readonly #listeners = new Set<(event: Overheard) => void>();
  /** Members of the lobby who are at hand, in the order of coming. */
  readonly #present = new Set<Handle>();

  /** Ears in the room with the id `lobby`, in which nobody is at hand. */
  constructor(hall: EarsParts, lobby: Bytes) {
    this.#hall = hall;
    this.#lobby = lobby;
  }

  /** Calls `listener` until the function given back is called. */
  add(listener: (event: Overheard) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Members of the lobby who are at hand, in the order of coming. */
  present(): readonly Handle[] {
    return Array.from(this.#present);
  }

  /** An entry is told. */
  hear({ id }: RoomState, entry: Logged, as: EventOf | undefined): void {
    if (this.#listeners.size === 0 || !equal(id, this.#lobby)) return;
    const event = as?.(entry.time) ?? said(entry);
    if (event !== undefined) this.#tell(event);
  }

  /** Somebody may have come to be at hand in the lobby, or no longer be. */
  look(handle: Handle): void {
    const [guest] = this.#hall.guests.readyOf(handle);
    const isHere = guest !== undefined && this.#hall.rooms.get(this.#lobby)?.members.has(handle) === true;
    if (isHere === this.#present.has(handle)) return;
    const time = this.#hall.parts.wallClock();
    if (isHere) {
      this.#present.add(handle);
      this.#tell({ kind: "came", time, name: handle, address: guest.peer.address });
    } else {
      this.#present.delete(handle);
      this.#tell({ kind: "went", time, name: handle });
    }
  }

  #tell(event: Overheard): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** What an entry says aloud. */
function said({ kind, content, from, time }: Logged): Overheard | undefined {
  const what = content === undefined ? undefined : decodeBody(kind, content.body);
  switch (what?.kind) {
    case "text":
    case "reply":
      return from && { kind: "said", time, source: "member", name: from, text: what.body.text };
    case "notice": {
      const { source, name, text } = what.body;
      return { kind: "said", time, source, name, text };
    }
    default:
      return undefined;
  }
}
