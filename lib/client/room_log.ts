/**
 * A room's log as one client knows it: which part of it hangs together, what was found at fault, and what is needed to
 * judge what comes next. Values only; lib/client/log_forward.ts takes what is new, lib/client/log_history.ts what is old.
 *
 *     0 … base ] base + 1 … head ]      the chain is whole from base to head
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { NOWHERE } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Logged, Place } from "../wire/message.ts";
import type { Flaw, KeptEntry, KeptRoom, LocalStore, LogKnowledge } from "./keepers.ts";
import { NO_ROLES } from "./known_roles.ts";

/** What a client knows of a room's log. */
export interface RoomLog {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** Whose client it is. */
  readonly self: Handle;
  /** Whether anything of it was taken yet: where not, `base` and `head` mean nothing. */
  readonly begun: boolean;
  /** The last entry before the ones verified without a gap. */
  readonly base: Place;
  /** The last entry verified. */
  readonly head: Place;
  /** What was found at fault; it stays. */
  readonly flaws: readonly Flaw[];
  /** What else is known. */
  readonly knowledge: LogKnowledge;
}

/** What is kept of a log, as far as it is needed now. */
export interface Known {
  /** Entries, by their sequence. */
  readonly entries: ReadonlyMap<number, KeptEntry>;
  /** The sequences of entries, by their ids in hex. */
  readonly ids: ReadonlyMap<string, number>;
}

/** What every taking needs. */
export interface LogContext {
  /** For the hashes. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What {@linkcode lookUp} has found for what is taken. */
  readonly known: Known;
}

/** What the server says of the ends of a log: `end` of `page` in PROTOCOL §6. */
export interface Ends {
  /** The last entry. */
  readonly head: Place;
  /** The last one that it does not give, or has dropped. */
  readonly base: Place;
  /** Whether what was given reaches the head, and all that is said from then on is told. */
  readonly live: boolean;
}

/** What came of taking entries. */
export interface Taken {
  /** The log as it is known now. */
  readonly log: RoomLog;
  /** What is to be shown, with what was found out, in the order of the log. */
  readonly shown: readonly KeptEntry[];
  /** What is to be kept of it. */
  readonly keep: readonly KeptEntry[];
  /** What was erased by who may: it is to be erased here, too, before the rest is kept. */
  readonly erased: readonly { readonly sequence: number; readonly by: number }[];
  /** What was found at fault just now. */
  readonly flaws: readonly Flaw[];
}

/** The log of a room of which nothing is kept: it begins with the first page that is taken. */
export function newRoomLog(room: Bytes, self: Handle): RoomLog {
  return {
    room,
    self,
    begun: false,
    base: NOWHERE,
    head: NOWHERE,
    flaws: [],
    knowledge: {
      headTime: 0,
      served: 0,
      gap: undefined,
      left: false,
      retention: undefined,
      ...NO_ROLES,
      awaited: [],
      claims: [],
    },
  };
}

/** The log of a room as it was kept. */
export function keptRoomLog({ room, base, head, flaws, knowledge }: KeptRoom, self: Handle): RoomLog {
  return { room, self, begun: true, base, head, flaws, knowledge };
}

/** The log of a room that one is out of, as its server says. */
export function leftRoomLog(log: RoomLog): RoomLog {
  return { ...log, knowledge: { ...log.knowledge, left: true } };
}

/** What is to be kept of a log, which must have begun. Throws a `RangeError` where it has not. */
export function keptRoom(
  { room, begun, base, head, flaws, knowledge }: RoomLog,
  { label, read }: { readonly label: string; readonly read: number },
): KeptRoom {
  if (!begun) throw new RangeError("Cannot keep a room: nothing of its log was taken yet");
  return { room, label, base, head, read, flaws, knowledge };
}

/** What is to be taken: as {@linkcode lookUp} must know it. */
export interface Wanted {
  /** The entries. */
  readonly entries: readonly Logged[];
  /** What came with them, where they are a page. */
  readonly end?: Ends | undefined;
  /** What was asked for, where they are those before one. */
  readonly asked?: { readonly before: number } | undefined;
}

/** Looks up what is needed to take entries. What was taken before must be kept by then. */
export async function lookUp(
  store: Pick<LocalStore, "entries" | "entryById">,
  log: RoomLog,
  { entries, end, asked }: Wanted,
): Promise<Known> {
  const found = new Map<number, KeptEntry>();
  const find = async (sequences: Iterable<number>): Promise<void> => {
    for (const sequence of sequences) {
      if (sequence < 1 || sequence > log.head.sequence || found.has(sequence)) continue;
      const [kept] = await store.entries(log.room, { from: sequence, to: sequence, limit: 1 });
      if (kept !== undefined) found.set(sequence, kept);
    }
  };
  await find(wantedOf(log, { entries, end, asked }));
  const ids = new Map<string, number>();
  for (const { id } of entries) {
    const kept = await store.entryById(log.room, id);
    if (kept !== undefined) ids.set(id.toHex(), kept.entry.sequence);
  }
  return { entries: found, ids };
}

/** The sequences of all that is said to be somewhere, and of what may be told to be otherwise than it was. */
function wantedOf(log: RoomLog, { entries, end, asked }: Wanted): readonly number[] {
  const last = entries.at(-1)?.sequence ?? 0;
  const told = end?.head.sequence ?? Infinity;
  const awaited = log.knowledge.awaited.filter(({ by }) => by <= last || by > told);
  return [
    ...entries.flatMap(({ sequence, seen, about, erasedBy }) => [
      sequence,
      seen.sequence,
      about?.sequence ?? 0,
      erasedBy ?? 0,
    ]),
    last + 1,
    ...asked === undefined ? [] : [asked.before],
    ...awaited.map(({ sequence }) => sequence),
    ...end === undefined ? [] : [end.head.sequence, end.base.sequence],
  ];
}
