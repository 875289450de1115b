/**
 * Why a request cannot be passed on as it is, whatever is known of rooms and people: a server breaks off with whoever
 * sends it what no message can say.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import { utf8 } from "../wire/bytes.ts";
import { PAGE_ENTRIES_MAX, STATUS_BYTES_MAX } from "../wire/limits.ts";
import type { ClientRequest } from "./event.ts";

/** The sentence that says why `self` cannot ask for that; `undefined` where there is nothing wrong with it by itself. */
export function requestFault(request: ClientRequest, self: Handle): string | undefined {
  switch (request.type) {
    case "history":
      return historyFault(request);
    case "away":
      return awayFault(request.text ?? "");
    case "ignore":
    case "block":
      return request.handle === self
        ? `Cannot ${request.type} ${self}: that is yourself; name somebody else.`
        : undefined;
    case "kick":
    case "ban":
    case "mute":
      return request.handle === self
        ? `Cannot ${request.type} ${self}: you cannot do that to yourself; name somebody else, or leave by /part.`
        : undefined;
    default:
      return undefined;
  }
}

function historyFault({ where, limit }: ClientRequest & { type: "history" }): string | undefined {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > PAGE_ENTRIES_MAX) {
    return `Cannot show ${limit} entries: one page has 1 to ${PAGE_ENTRIES_MAX}; ask for fewer, and then for more.`;
  }
  if (where.from === "since") {
    return isCount(where.time) ? undefined : "Cannot show history since then: that is no time; give another.";
  }
  const { sequence } = where;
  if (sequence === undefined || isCount(sequence) && sequence > 0) return undefined;
  return `Cannot show history at #${sequence}: numbers of entries begin with 1; give another.`;
}

function awayFault(text: string): string | undefined {
  const bytes = utf8(text).length;
  if (bytes <= STATUS_BYTES_MAX) return undefined;
  return `Cannot say that you are away: the text has ${bytes} bytes and ${STATUS_BYTES_MAX} are the limit; shorten it.`;
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}
