/**
 * Tells a device that has come in its rooms and who is at hand; whoever is in no room is put into the lobby first.
 *
 * @module
 */

import type { Account } from "../chat/port.ts";
import { Turns } from "../session/turns.ts";
import type { Handle } from "../text/handle.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { RoomMessage } from "../wire/message.ts";
import type { Company } from "./company.ts";
import type { Guest } from "./guest.ts";
import { noteTrouble } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";
import type { HostVoice } from "./host_voice.ts";
import type { LobbyEars } from "./lobby_ears.ts";

interface Parts extends Pick<Hall, "parts" | "rooms" | "cards" | "blocks" | "views"> {
  readonly lobby: Bytes;
  readonly voice: HostVoice;
  readonly company: Company;
  readonly ears: LobbyEars;
}

/** The arrivals of one server. */
export class Arrivals {
  readonly #hall: Parts;
  /** Two devices of an account that come at once are put into the lobby once. */
  readonly #turns = new Turns<Handle>();

  /** Nobody has come yet. */
  constructor(hall: Parts) {
    this.#hall = hall;
  }

  /** Settles when all is told, or the device is gone, or put off since the disk cannot be read. */
  async arrive(guest: Guest, account: Account): Promise<void> {
    try {
      await this.#turns.take(account.handle, () => this.#putIntoLobby(account));
      await this.#hall.blocks.load([guest.handle]);
      const rooms = await this.#roomsFor(guest);
      // Who is lost is told to have left only once this is over: nobody is to be told meanwhile that they are at hand.
      if (guest.stage === "entered" && guest.peer.isHere()) this.#welcome(guest, rooms);
    } catch (error) {
      noteTrouble(this.#hall.parts, error);
      guest.peer.close("reconnect");
    }
  }

  /** Where that cannot be stored, or is not allowed, they come in all the same. */
  async #putIntoLobby({ handle, role }: Account): Promise<void> {
    const { rooms, lobby, voice, cards } = this.#hall;
    if (rooms.of(handle).some(({ members }) => members.has(handle))) return;
    const join: EntryBody = {
      kind: "membership",
      body: { change: "join", handle, role: role === "owner" ? "owner" : "member" },
    };
    const card = cards.find(handle);
    const keys = card && voice.keysOf(card);
    await voice.write(lobby, keys === undefined ? [join] : [join, keys]);
  }

  /** All rooms as they are at the moment at which this settles. */
  async #roomsFor({ handle }: Guest): Promise<readonly RoomMessage[]> {
    const { rooms, views, parts } = this.#hall;
    for (;;) {
      const now = parts.wallClock();
      const of = rooms.of(handle);
      const messages = of.flatMap((room) => views.message(room, handle, now) ?? []);
      if (messages.length === of.length) return messages;
      for (const room of of) await views.load(room, handle);
    }
  }

  #welcome(guest: Guest, rooms: readonly RoomMessage[]): void {
    const { blocks, cards, company, ears } = this.#hall;
    const blocked = blocks.of(guest.handle);
    if (blocked.length > 0) guest.tell({ type: "blocks", handles: Array.from(blocked) });
    for (const room of rooms) {
      if (room.standing === "requested" && room.with !== undefined) guest.introduce([room.with], cards);
      guest.tell(room);
    }
    guest.tell({ type: "ready" });
    guest.stage = "ready";
    company.come(guest);
    ears.look(guest.handle);
  }
}
