/**
 * The rules of the lobby: who is in it, what order messages have, who hears what. Values in, values out:
 * {@linkcode decide} sends nothing, and reads no clock. Who somebody is was settled at the login, before anything
 * comes here.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { PRESENCE_NAMES_MAX } from "../wire/limits.ts";
import {
  type Card,
  type Fault,
  type FaultCode,
  LOBBY,
  type Notice,
  type Presence,
  type Send,
  type ServerMessage,
} from "../wire/message.ts";
import { cardMessages } from "./cards.ts";

/** One connection, as the rules know it. */
export type PeerId = number;

/** A connection that is in the lobby. */
export interface Member {
  /** Whose it is. */
  readonly handle: Handle;
  /** The key of the device that logged in, 32 octets. */
  readonly device: Bytes;
}

/** The lobby at a moment. */
export interface Lobby {
  /** Who is in it, by connections, in the order of coming. */
  readonly members: ReadonlyMap<PeerId, Member>;
  /** The accounts that are in it by at least one device, in the order of coming, with their keys as last published. */
  readonly present: ReadonlyMap<Handle, Card>;
  /** The place in the order of the last message; 0 before the first. */
  readonly lastSequence: number;
  /** The latest time given out, in milliseconds since 1970: times never go back, whatever the clock does. */
  readonly lastTime: number;
}

/** A line that no account wrote, with its signature: what a {@linkcode Notice} has before it has its place. */
export type Line = Pick<Notice, "source" | "name" | "text" | "id" | "signature">;

/** What may happen to the lobby. */
export type Request =
  /** A device asks to be let in; `card` has its account's keys as they are stored at that moment. */
  | {
    readonly type: "join";
    readonly peer: PeerId;
    readonly room: string;
    readonly device: Bytes;
    readonly card: Card;
  }
  /** A device says something. */
  | { readonly type: "send"; readonly peer: PeerId; readonly message: Send }
  /** A connection is over; it need not have joined. */
  | { readonly type: "leave"; readonly peer: PeerId }
  /** An account has published its keys anew. */
  | { readonly type: "publish"; readonly card: Card }
  /** The operator, or the bridge, says something. */
  | { readonly type: "say"; readonly line: Line };

/** A message for everybody in the lobby, or for all but one. */
export interface Delivery {
  /** Who already knows. */
  readonly except: PeerId | undefined;
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
export const EMPTY_LOBBY: Lobby = { members: new Map(), present: new Map(), lastSequence: 0, lastTime: 0 };

/** Decides what `request` leads to at the moment `now` (milliseconds since 1970). */
export function decide(before: Lobby, request: Request, now: number): Outcome {
  const lobby = { ...before, lastTime: Math.max(now, before.lastTime) };
  switch (request.type) {
    case "join":
      return join(lobby, request);
    case "send":
      return send(lobby, request.message, request.peer);
    case "leave":
      return leave(lobby, request.peer);
    case "publish":
      return publish(lobby, request.card);
    case "say":
      return say(lobby, request.line);
  }
}

function join(lobby: Lobby, { peer, room, device, card }: Request & { type: "join" }): Outcome {
  if (room !== LOBBY) return refuse(lobby, "noSuchRoom");
  if (lobby.members.has(peer)) return refuse(lobby, "alreadyJoined");
  const { handle } = card;
  const others = Array.from(lobby.present.values()).filter((other) => other.handle !== handle);
  const names = [handle, ...others.map((other) => other.handle)];
  const isFirst = !lobby.present.has(handle);
  return {
    lobby: {
      ...lobby,
      members: new Map(lobby.members).set(peer, { handle, device }),
      present: new Map(lobby.present).set(handle, card),
    },
    reply: [...presenceList(names, lobby.lastTime), ...cardMessages([card, ...others])],
    // The card first: nobody is to meet a name whose keys they were not told.
    deliveries: isFirst
      ? [...cardDeliveries(card, peer), tellOthers(peer, presence("joined", [handle], lobby.lastTime))]
      : [],
  };
}

function send(lobby: Lobby, message: Send, peer: PeerId): Outcome {
  const { room, id, text, salt, seen, signature } = message;
  if (room !== LOBBY) return refuse(lobby, "noSuchRoom", id);
  const member = lobby.members.get(peer);
  if (member === undefined) return refuse(lobby, "notJoined", id);
  const sequence = lobby.lastSequence + 1;
  const time = lobby.lastTime;
  const { handle: from, device } = member;
  return {
    lobby: { ...lobby, lastSequence: sequence },
    reply: [{ type: "ack", room, id, sequence, time }],
    deliveries: [
      tellOthers(peer, {
        type: "entry",
        room,
        sequence,
        id,
        from,
        device,
        time,
        text,
        salt,
        seen,
        signature,
      }),
    ],
  };
}

function leave(lobby: Lobby, peer: PeerId): Outcome {
  const member = lobby.members.get(peer);
  if (member === undefined) return { lobby, reply: [], deliveries: [] };
  const members = new Map(lobby.members);
  members.delete(peer);
  const stays = Array.from(members.values()).some(({ handle }) => handle === member.handle);
  if (stays) return { lobby: { ...lobby, members }, reply: [], deliveries: [] };
  const present = new Map(lobby.present);
  present.delete(member.handle);
  return {
    lobby: { ...lobby, members, present },
    reply: [],
    deliveries: [tellOthers(peer, presence("left", [member.handle], lobby.lastTime))],
  };
}

/** Told to all, whether the account is present or not: a device that was revoked may have spoken a moment ago. */
function publish(lobby: Lobby, card: Card): Outcome {
  const present = lobby.present.has(card.handle)
    ? new Map(lobby.present).set(card.handle, card)
    : lobby.present;
  return { lobby: { ...lobby, present }, reply: [], deliveries: cardDeliveries(card, undefined) };
}

function say(lobby: Lobby, line: Line): Outcome {
  const sequence = lobby.lastSequence + 1;
  const notice: Notice = { type: "notice", room: LOBBY, sequence, time: lobby.lastTime, ...line };
  return {
    lobby: { ...lobby, lastSequence: sequence },
    reply: [],
    deliveries: [tellOthers(undefined, notice)],
  };
}

function refuse(lobby: Lobby, code: FaultCode, about?: Fault["about"]): Outcome {
  const fault: Fault = about === undefined ? { type: "fault", code } : { type: "fault", code, about };
  return { lobby, reply: [fault], deliveries: [] };
}

function tellOthers(except: PeerId | undefined, notice: ServerMessage): Delivery {
  return { except, notice };
}

function cardDeliveries(card: Card, except: PeerId | undefined): readonly Delivery[] {
  return cardMessages([card]).map((notice) => tellOthers(except, notice));
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
