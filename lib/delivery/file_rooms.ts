/**
 * What the desk for files asks about rooms.
 *
 * @module
 */

import { refusalToPut } from "../chat/put_rule.ts";
import type { FileRooms } from "../session/file_desk.ts";
import type { BlockBook } from "./block_book.ts";
import type { CardBook } from "./card_book.ts";
import type { RoomIndex } from "./room_index.ts";
import { isHidden } from "./room_views.ts";

/** The rooms of a server, as somebody who puts or fetches files meets them; of their people the books know already. */
export function fileRooms(
  { rooms, cards, blocks, wallClock }: {
    readonly rooms: RoomIndex;
    readonly cards: CardBook;
    readonly blocks: BlockBook;
    readonly wallClock: () => number;
  },
): FileRooms {
  const facts = {
    isAccount: cards.isAccount.bind(cards),
    blocks: blocks.blocks.bind(blocks),
  };
  return {
    refusalToPut: (id, handle) => {
      const room = rooms.get(id);
      if (room === undefined || isHidden(room, handle)) return "noSuchRoom";
      return refusalToPut(room, handle, { facts, time: wallClock() });
    },
    mayRead: (id, handle) => rooms.get(id)?.members.has(handle) === true,
  };
}
