/**
 * One room as a client has it: what the server says of it, its log as far as it was verified, and what was told of it.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { directId, lobbyId } from "../identity/room_id.ts";
import { type Handle, parseHandle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { LOBBY, type RoomMessage } from "../wire/message.ts";
import type { RoomFacts } from "./event.ts";
import { Fold } from "./fold.ts";
import type { KeptEntry } from "./keepers.ts";
import type { RoomLog } from "./room_log.ts";

/** How far this connection has come with a room. */
export type Following =
  /** It is not told of what is said there. */
  | { readonly kind: "no" }
  /** Entries come that were asked for by question number `ask`. */
  | { readonly kind: "reading"; readonly ask: number }
  /** It is told of everything. */
  | { readonly kind: "live" };

/** Up to where somebody has received and read it. */
export interface Marks {
  /** The last entry that they have received. */
  readonly delivered: number;
  /** The last entry that they have read. */
  readonly read: number;
}

/** One room. What changes is changed by those who own it, one at a time. */
export class Room {
  /** Its id. */
  readonly id: Bytes;
  /** What became of its messages. */
  readonly fold = new Fold();
  /** What was shown last, by sequence: not all of it is kept. */
  readonly shownLast = new Map<number, KeptEntry>();
  /** The marks of the others. */
  readonly marks = new Map<Handle, Marks>();
  /** What the server said of it last. */
  facts: RoomMessage;
  /** Its log. */
  log: RoomLog;
  /** Up to where its person has read. */
  read: number;
  /** The last entry that `facts.members` has counted. */
  counted: number;
  /** Messages of others after that. */
  unread = 0;
  /** The number of the last entry of one's own. */
  lastOwn = 0;
  /** How far this connection has come with it. */
  following: Following = { kind: "no" };
  /** The marks that were sent last. */
  sent: Marks = { delivered: 0, read: 0 };
  /** How far its person was told that others have come. */
  told: Marks = { delivered: 0, read: 0 };

  /** One of which the server has told, and nothing was read yet. */
  constructor(facts: RoomMessage, log: RoomLog, read: number) {
    this.id = facts.room;
    this.facts = facts;
    this.counted = facts.head.sequence;
    this.log = log;
    this.read = read;
  }

  /** What it is called: `#name`, or `@handle` of the other. */
  get label(): string {
    return labelOf(this.facts);
  }

  /** Whether one is in it. */
  get isMember(): boolean {
    return this.facts.standing === "member";
  }

  /** As a front end is told it. */
  get shown(): RoomFacts {
    const { kind, standing, role, settings, members, head } = this.facts;
    return {
      room: this.label,
      kind,
      standing,
      role,
      settings,
      members,
      unread: this.unread,
      last: Math.max(head.sequence, this.log.head.sequence),
    };
  }

  /** How far all others have come, where that of all is known: everybody's least. */
  get others(): Marks {
    const count = this.facts.members - 1;
    // Somebody may be among the marks who is counted no more: that is seen when the log has come that far.
    const isBehind = this.log.head.sequence < this.counted;
    if (isBehind || count <= 0 || this.marks.size < count) return { delivered: 0, read: 0 };
    const all = Array.from(this.marks.values());
    return {
      delivered: Math.min(...all.map(({ delivered }) => delivered)),
      read: Math.min(...all.map(({ read }) => read)),
    };
  }
}

/** What a room is called. */
export function labelOf({ kind, name, with: other }: RoomMessage): string {
  return kind === "direct" ? `@${other ?? "?"}` : name ?? "#?";
}

/** By whom a room is named to whom, as far as its id depends on that. */
export interface RoomNaming {
  /** For the ids. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** Who is told of it. */
  readonly self: Handle;
}

/**
 * Whether a room can be called that: the ids of direct conversations and the lobby follow from who is in them, and under
 * another label one would say to many what is meant for one. The names of other rooms are the server's word.
 */
export function isRightlyNamed({ room, kind, name, with: other }: RoomMessage, naming: RoomNaming): boolean {
  const { provider, hostKey, self } = naming;
  if (kind === "open") return (name === LOBBY) === equal(room, lobbyId(provider, hostKey));
  return other !== undefined && other !== self && equal(room, directId(provider, hostKey, [self, other]));
}

/** The other of a direct conversation by its label; `undefined` where it is none. */
export function otherIn(label: string): Handle | undefined {
  return label.startsWith("@") ? parseHandle(label.slice(1)) : undefined;
}
