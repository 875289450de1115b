/**
 * What the parts of delivery share: who is connected, what the rooms are, what everybody was told.
 *
 * @module
 */

import { FileDesk } from "../session/file_desk.ts";
import { Allowances } from "./allowances.ts";
import { BlockBook } from "./block_book.ts";
import { CardBook } from "./card_book.ts";
import { type ExchangeParts, noteTrouble } from "./exchange_parts.ts";
import { fileRooms } from "./file_rooms.ts";
import { Follows } from "./follows.ts";
import { Guests } from "./guests.ts";
import { MarkBook } from "./mark_book.ts";
import { Places } from "./places.ts";
import { RoomKeys } from "./room_keys.ts";
import { PresenceBook } from "./presence_book.ts";
import type { RoomIndex } from "./room_index.ts";
import { RoomViews } from "./room_views.ts";

/** What the parts share. */
export interface Hall {
  /** What delivery is given. */
  readonly parts: ExchangeParts;
  /** Rooms as they are stored. */
  readonly rooms: RoomIndex;
  /** Who is connected. */
  readonly guests: Guests;
  /** Whose keys are which. */
  readonly cards: CardBook;
  /** Who blocks whom. */
  readonly blocks: BlockBook;
  /** Who has read how far. */
  readonly marks: MarkBook;
  /** Which hash is where. */
  readonly places: Places;
  /** Rooms as accounts see them. */
  readonly views: RoomViews;
  /** Who hears what comes in which room. */
  readonly follows: Follows;
  /** Under which keys what they hear is encrypted. */
  readonly keys: RoomKeys;
  /** Who is at hand. */
  readonly presence: PresenceBook;
  /** What is left to whom of what they may do. */
  readonly allowances: Allowances;
  /** Where files are put and fetched. */
  readonly desk: FileDesk;
}

/** All of it, where nobody is connected yet. */
export function openHall(parts: ExchangeParts, rooms: RoomIndex): Hall {
  const { logs, provider, wallClock, files, fileLimits } = parts;
  const [cards, blocks, marks] = [new CardBook(parts.accounts), new BlockBook(logs), new MarkBook(logs)];
  const places = new Places({ logs, provider });
  const desk = new FileDesk({
    store: files,
    rooms: fileRooms({ rooms, cards, blocks, wallClock }),
    limits: fileLimits,
    wallClock,
    trouble: (error) => noteTrouble(parts, error),
  });
  return {
    parts,
    rooms,
    guests: new Guests(),
    cards,
    blocks,
    marks,
    places,
    views: new RoomViews({ marks, places }),
    follows: new Follows(cards),
    keys: new RoomKeys(parts),
    presence: new PresenceBook(),
    allowances: new Allowances(),
    desk,
  };
}
