/**
 * What channel events look like to tests that only care for their kinds.
 *
 * @module
 */

import type { ChannelEvent } from "../../lib/secure/channel.ts";

/** The kinds of `events`, a fault by its name. */
export function kindsOf(events: readonly ChannelEvent[]): readonly string[] {
  return events.map((event) => event.kind === "failed" ? event.fault : event.kind);
}
