/**
 * The rules of the lobby: who may come in, what order messages have, who hears what. Values in, values out:
 * {@linkcode decide} sends nothing, and reads no clock.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import {
  type ClientMessage,
  type Fault,
  type FaultCode,
  type Join,
  LOBBY,
  type Presence,
  type Send,
  type ServerMessage,
} from "../wire/message.ts";
import { PRESENCE_NAMES_MAX } from "../wire/limits.ts";

/** One connection, as the rules know it. */
export type PeerId = number;

/** The lobby at a moment. */
export interface Lobby {
  /** Who is in it, in the order of coming. */
  readonly members: ReadonlyMap<PeerId, Handle>;
  /** The place in the order of the last message; 0 before the first. */
  readonly lastSequence: number;
  /** The latest time given out, in milliseconds since 1970: times never go back, whatever the clock does. */
  readonly lastTime: number;
}

/** What may happen to the lobby: a message from a peer, or its departure. */
export type Request = ClientMessage | { readonly type: "leave" };

/** A message for everybody in the lobby but one. */
export interface Delivery {
  /** Who already knows. */
  readonly except: PeerId;
  /** What the others are told. */
  readonly notice: ServerMessage;
}

/** What a request leads to. One place delivers it: replies and deliveries are sent in this order. */
export interface Outcome {
  /** The lobby from now on. */
  readonly lobby: Lobby;
  /** For the peer that asked. */
  readonly reply: readonly ServerMessage[];
  /** For the others. */
  readonly deliveries: readonly Delivery[];
}

/** A lobby in which nobody is and nothing was said. */
export const EMPTY_LOBBY: Lobby = { members: new Map(), lastSequence: 0, lastTime: 0 };

/** Decides what `request` of `peer` leads to at the moment `now` (milliseconds since 1970). */
export function decide(
  lobby: Lobby,
  request: Request,
  { peer, now }: { peer: PeerId; now: number },
): Outcome {
  const time = Math.max(now, lobby.lastTime);
  switch (request.type) {
    case "join":
      return join({ ...lobby, lastTime: time }, request, peer);
    case "send":
      return send({ ...lobby, lastTime: time }, request, peer);
    case "leave":
      return leave({ ...lobby, lastTime: time }, peer);
  }
}

function join(lobby: Lobby, { room, name }: Join, peer: PeerId): Outcome {
  if (room !== LOBBY) return refuse(lobby, "noSuchRoom");
  if (lobby.members.has(peer)) return refuse(lobby, "alreadyJoined");
  const present = Array.from(lobby.members.values());
  if (present.includes(name)) return refuse(lobby, "nameTaken");
  return {
    lobby: { ...lobby, members: new Map(lobby.members).set(peer, name) },
    reply: presenceList([name, ...present], lobby.lastTime),
    deliveries: [{ except: peer, notice: presence("joined", [name], lobby.lastTime) }],
  };
}

function send(lobby: Lobby, { room, id, text }: Send, peer: PeerId): Outcome {
  if (room !== LOBBY) return refuse(lobby, "noSuchRoom", id);
  const from = lobby.members.get(peer);
  if (from === undefined) return refuse(lobby, "notJoined", id);
  const sequence = lobby.lastSequence + 1;
  const time = lobby.lastTime;
  return {
    lobby: { ...lobby, lastSequence: sequence },
    reply: [{ type: "ack", room, id, sequence, time }],
    deliveries: [{ except: peer, notice: { type: "entry", room, sequence, id, from, time, text } }],
  };
}

function leave(lobby: Lobby, peer: PeerId): Outcome {
  const name = lobby.members.get(peer);
  if (name === undefined) return { lobby, reply: [], deliveries: [] };
  const members = new Map(lobby.members);
  members.delete(peer);
  return {
    lobby: { ...lobby, members },
    reply: [],
    deliveries: [{ except: peer, notice: presence("left", [name], lobby.lastTime) }],
  };
}

function refuse(lobby: Lobby, code: FaultCode, about?: Fault["about"]): Outcome {
  const fault: Fault = about === undefined ? { type: "fault", code } : { type: "fault", code, about };
  return { lobby, reply: [fault], deliveries: [] };
}

function presence(change: Presence["change"], names: readonly Handle[], time: number): Presence {
  return { type: "presence", room: LOBBY, change, names: Array.from(names), time };
}

/** The newcomer's own name comes first, so that the first message tells that it is in. */
function presenceList(names: readonly Handle[], time: number): readonly Presence[] {
  const lists: Presence[] = [];
  for (let at = 0; at < names.length; at += PRESENCE_NAMES_MAX) {
    lists.push(presence("here", names.slice(at, at + PRESENCE_NAMES_MAX), time));
  }
  return lists;
}
