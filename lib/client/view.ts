/**
 * The lobby as one client sees it, as a value: what the server's messages mean, and whether they may come.
 *
 *     entering ▸ joining ▸ inside
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import {
  type Acknowledgement,
  type Entry,
  type Fault,
  LOBBY,
  type Notice,
  type Presence,
} from "../wire/message.ts";
import type { AuthorTrust, ClientEvent } from "./event.ts";

/** Why a message gets ☐, as a person reads it. */
export type Doubt =
  /** The signature is not that device's over what was shown. */
  | "bad signature"
  /** The list of that person's devices has no such one, or there is no list. */
  | "unknown device"
  /** The device is in the list as revoked. */
  | "revoked device"
  /** The person has another identity than the one first seen, and it was not accepted. */
  | "identity changed"
  /** The server shows a list of that person's devices that cannot be right. */
  | "device list refused"
  /** The same entry came before. */
  | "repeated message"
  /** The entry says that it was made long ago, or is yet to be: it may have been said on another day. */
  | "wrong time"
  /** The entry says that it saw what comes after it. */
  | "out of order"
  /** It came over the bridge, and nobody signed it. */
  | "bridged";

/** What was found out about a message before it is shown. */
export interface Mark {
  /** Why it is doubtful; `undefined` where it is verified. */
  readonly doubt: Doubt | undefined;
  /** What its author calls the device that it comes from, where that is known. */
  readonly device: string | undefined;
  /** The author's display name, where there is one. */
  readonly display: string | undefined;
  /** How far the author is known, where the message is verified. */
  readonly trust: AuthorTrust | undefined;
}

/** A message of the server about a room, with what was found out. */
export type RoomMessage =
  | Presence
  | Fault
  | Notice
  | Entry & { readonly mark: Mark }
  | Acknowledgement & { readonly mark: Mark };

/** What was sent and waits for its place in the order. */
export interface Unacknowledged {
  /** The room it is for. */
  readonly room: string;
  /** What it says. */
  readonly text: string;
}

/** Where a client stands. */
export type View =
  /** It logs in, and nothing about a room may come. */
  | { readonly kind: "entering"; readonly name: Handle }
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

/** What a notice of the operator is said by; the server gives nobody that name. */
const CONSOLE_NAME = "console";

const BROKEN: Viewed = { kind: "broken" };

/** Takes a message of the server. */
export function take(view: View, message: RoomMessage): Viewed {
  if (view.kind === "entering") return BROKEN;
  // Signatures are over the lobby's id, so what is said elsewhere was not signed for there.
  if (message.type !== "fault" && message.room !== LOBBY) return BROKEN;
  switch (message.type) {
    case "presence":
      return takePresence(view, message);
    case "fault":
      return takeFault(view, message);
    case "entry":
      return view.kind === "inside" ? takeEntry(view, message) : BROKEN;
    case "notice":
      return view.kind === "inside" ? takeNotice(view, message) : BROKEN;
    case "ack":
      return view.kind === "inside" ? takeAcknowledgement(view, message) : BROKEN;
  }
}

/** Notes that the login is over and the room was asked for. */
export function joining({ name }: View): View {
  return { kind: "joining", name };
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

function takePresence(
  view: View & { kind: "joining" | "inside" },
  { room, change, names, time }: Presence,
): Viewed {
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

function takeEntry(view: View & { kind: "inside" }, entry: Entry & { readonly mark: Mark }): Viewed {
  const id = entry.id.toHex();
  // One's own are acknowledged, never told.
  if (!follows(view.lastSequence, entry.sequence) || view.unacknowledged.has(id)) return BROKEN;
  const { room, sequence, from, time, text, mark } = entry;
  return {
    kind: "viewed",
    view: { ...view, lastSequence: sequence },
    events: [{
      type: "message",
      room,
      sequence,
      id,
      from,
      source: "member",
      own: false,
      time,
      text,
      ...marked(mark),
    }],
  };
}

function takeNotice(view: View & { kind: "inside" }, notice: Notice): Viewed {
  if (!follows(view.lastSequence, notice.sequence)) return BROKEN;
  const { room, sequence, source, time, text } = notice;
  return {
    kind: "viewed",
    view: { ...view, lastSequence: sequence },
    events: [{
      type: "message",
      room,
      sequence,
      id: notice.id.toHex(),
      from: source === "console" ? CONSOLE_NAME : notice.name,
      display: undefined,
      trust: undefined,
      source,
      device: undefined,
      own: false,
      time,
      text,
      verified: false,
      reason: source === "console" ? undefined : "bridged" satisfies Doubt,
    }],
  };
}

function takeAcknowledgement(
  view: View & { kind: "inside" },
  ack: Acknowledgement & { readonly mark: Mark },
): Viewed {
  const id = ack.id.toHex();
  const sent = view.unacknowledged.get(id);
  if (sent === undefined || sent.room !== ack.room || !follows(view.lastSequence, ack.sequence)) {
    return BROKEN;
  }
  const { room, sequence, time, mark } = ack;
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
        source: "member",
        own: true,
        time,
        text: sent.text,
        ...marked(mark),
      },
      { type: "ack", room, id, sequence, time },
    ],
  };
}

function marked({ doubt, device, display, trust }: Mark) {
  return { display, trust, device, verified: doubt === undefined, reason: doubt };
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
