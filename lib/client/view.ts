/**
 * The lobby as one client sees it, as a value: what the server's messages mean, and whether they may come.
 *
 *     joining ▸ inside
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Acknowledgement, Entry, Fault, Presence, ServerMessage } from "../wire/message.ts";
import type { ClientEvent } from "./event.ts";

/** Why no message of this release carries a proof: names are said, not proved, until accounts exist. */
export const UNVERIFIED_NAME = "unverified name";

/** What was sent and waits for its place in the order. */
export interface Unacknowledged {
  /** The room it is for. */
  readonly room: string;
  /** What it says. */
  readonly text: string;
}

/** Where a client stands. */
export type View =
  /** It has asked to be let in. */
  | { readonly kind: "joining"; readonly name: Handle }
  /** It is in. */
  | {
    readonly kind: "inside";
    readonly name: Handle;
    /** The last place in the order that it was told; `undefined` before the first. */
    readonly lastSequence: number | undefined;
    /** By entry id in hex, in the order of sending. */
    readonly unacknowledged: ReadonlyMap<string, Unacknowledged>;
  };

/** What a message leads to. `broken`: no honest server sends it here. */
export type Viewed =
  | { readonly kind: "viewed"; readonly view: View; readonly events: readonly ClientEvent[] }
  | { readonly kind: "broken" };

const BROKEN: Viewed = { kind: "broken" };

/** Takes a message of the server. */
export function take(view: View, message: ServerMessage): Viewed {
  switch (message.type) {
    case "presence":
      return takePresence(view, message);
    case "fault":
      return takeFault(view, message);
    case "entry":
      return view.kind === "inside" ? takeEntry(view, message) : BROKEN;
    case "ack":
      return view.kind === "inside" ? takeAcknowledgement(view, message) : BROKEN;
  }
}

/** Notes that a message was sent. Throws a `RangeError` before being let in. */
export function noteSent(view: View, id: string, message: Unacknowledged): View {
  if (view.kind !== "inside") {
    throw new RangeError("Cannot note a message as sent: the client is not in the room");
  }
  return { ...view, unacknowledged: new Map(view.unacknowledged).set(id, message) };
}

/** What was sent and never acknowledged, as events for when the connection has ended. */
export function unacknowledged(view: View): readonly ClientEvent[] {
  if (view.kind !== "inside") return [];
  return Array.from(
    view.unacknowledged,
    ([id, { room, text }]) => ({ type: "unacknowledged", id, room, text }),
  );
}

function takePresence(view: View, { room, change, names, time }: Presence): Viewed {
  const event: ClientEvent = { type: "presence", room, change, names, time };
  if (view.kind === "inside") return { kind: "viewed", view, events: [event] };
  // The answer to a join begins with the name that was let in (PROTOCOL §6.2).
  if (change !== "here" || names[0] !== view.name) return BROKEN;
  return {
    kind: "viewed",
    view: { kind: "inside", name: view.name, lastSequence: undefined, unacknowledged: new Map() },
    events: [{ type: "state", state: "ready", detail: undefined }, event],
  };
}

function takeFault(view: View, { code, about }: Fault): Viewed {
  const id = about?.toHex();
  const event: ClientEvent = { type: "fault", code, about: id };
  if (view.kind !== "inside" || id === undefined) return { kind: "viewed", view, events: [event] };
  return {
    kind: "viewed",
    view: { ...view, unacknowledged: without(view.unacknowledged, id) },
    events: [event],
  };
}

function takeEntry(view: View & { kind: "inside" }, entry: Entry): Viewed {
  if (!follows(view.lastSequence, entry.sequence)) return BROKEN;
  const { room, sequence, from, time, text } = entry;
  return {
    kind: "viewed",
    view: { ...view, lastSequence: sequence },
    events: [{
      type: "message",
      room,
      sequence,
      id: entry.id.toHex(),
      from,
      own: false,
      time,
      text,
      verified: false,
      reason: UNVERIFIED_NAME,
    }],
  };
}

function takeAcknowledgement(view: View & { kind: "inside" }, ack: Acknowledgement): Viewed {
  const id = ack.id.toHex();
  const sent = view.unacknowledged.get(id);
  if (sent === undefined || sent.room !== ack.room || !follows(view.lastSequence, ack.sequence)) {
    return BROKEN;
  }
  const { room, sequence, time } = ack;
  return {
    kind: "viewed",
    view: { ...view, lastSequence: sequence, unacknowledged: without(view.unacknowledged, id) },
    events: [
      {
        type: "message",
        room,
        sequence,
        id,
        from: view.name,
        own: true,
        time,
        text: sent.text,
        verified: false,
        reason: UNVERIFIED_NAME,
      },
      { type: "ack", room, id, sequence, time },
    ],
  };
}

/** Places in the order are given out without a gap, and each member is told all of them. */
function follows(last: number | undefined, sequence: number): boolean {
  return last === undefined || sequence === last + 1;
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
