/**
 * Pages of a room's log: which entries a question means, and the messages that carry them.
 *
 * @module
 */

import type { EntryRange } from "../chat/log_port.ts";
import { PAGE_ENTRIES_MAX } from "../wire/limits.ts";
import type { Logged, Page, Read, ServerMessage } from "../wire/message.ts";
import { packedAnswer } from "./packed.ts";

/** What a question leaves open. */
export interface Extent {
  /** The last entry that the asker may not read. */
  readonly base: number;
  /** The last entry. */
  readonly head: number;
  /** The first entry not before the time asked for, where a time is. */
  readonly since: number;
}

/** The entries that are asked for, of those that may be read; none where `from` is beyond `to`. */
export function pageRange({ where, limit }: Pick<Read, "where" | "limit">, extent: Extent): EntryRange {
  const from = Math.max(firstOf(where, limit, extent), extent.base + 1);
  // What is before a place ends there, however little of it may be read.
  const end = where.from === "before" ? Math.min(where.sequence - 1, extent.head) : extent.head;
  return { from, to: Math.min(from + limit - 1, end) };
}

function firstOf(where: Read["where"], limit: number, { head, since }: Extent): number {
  switch (where.from) {
    case "after":
      return where.sequence + 1;
    case "before":
      return Math.min(where.sequence, head + 1) - limit;
    case "around":
      return where.sequence - Math.floor(limit / 2);
    case "since":
      return since;
    case "newest":
      return head - limit + 1;
  }
}

/** The messages that carry a page; its end is in the last of them. */
export function pageMessages(
  { room, ask }: Pick<Page, "room" | "ask">,
  entries: readonly Logged[],
  end: NonNullable<Page["end"]>,
): readonly ServerMessage[] {
  return packedAnswer(entries, PAGE_ENTRIES_MAX).map(({ items, isLast }) => {
    const page: Page = { type: "page", room, ask, entries: Array.from(items) };
    return isLast ? { ...page, end } : page;
  });
}
