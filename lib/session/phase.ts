/**
 * One peer of the server as a value: where it stands, what it may send there, and what its first octets and the passing
 * of time lead to.
 *
 *     login ▸ entering ▸ password          ▸ leaving
 *                      ▸ device            ▸ leaving
 *
 * @module
 */

import { BEFORE_LOGIN_BYTES_MAX, LOGIN_MS_MAX } from "../wire/limits.ts";
import type { ClientMessage } from "../wire/message.ts";

/** Where a peer stands. */
export type Phase =
  /** It has not logged in; `since` is when it was accepted, in milliseconds, `bytes` all that it has sent. */
  | { readonly kind: "login"; readonly since: number; readonly bytes: number }
  /** Its login verified; it has not shown yet that it has the keys of that login. */
  | { readonly kind: "entering"; readonly since: number; readonly bytes: number }
  /** It is in by its password: it may see to its account, and to no room. */
  | { readonly kind: "password" }
  /** It is in by its device's key. */
  | { readonly kind: "device" }
  /** One of the two has closed; nothing more is taken. */
  | { readonly kind: "leaving" };

/** An application message's type, as a client sends it. */
export type ClientMessageType = ClientMessage["type"];

/** What the first octets, or the passing of time, lead to. */
export type Verdict =
  /** It goes on. */
  | { readonly kind: "go"; readonly phase: Phase }
  /** End without a word: a stranger gets none. */
  | { readonly kind: "drop" }
  /** Close with `loginTimeout`. */
  | { readonly kind: "late" };

/** What is asked of rooms, people and files, rather than of the account. */
export const ROOM_REQUESTS = [
  "send",
  "read",
  "list",
  "askMembers",
  "askCards",
  "mark",
  "typing",
  "status",
  "block",
  "fileBegin",
  "fileChunk",
  "fileGet",
] as const satisfies readonly ClientMessageType[];

/** A message of one of {@linkcode ROOM_REQUESTS}. */
export type RoomRequest = ClientMessage & { readonly type: typeof ROOM_REQUESTS[number] };

/** Whether a message is one of {@linkcode ROOM_REQUESTS}. */
export function isRoomRequest(message: ClientMessage): message is RoomRequest {
  return ROOM_REQUESTS.some((type) => type === message.type);
}

/**
 * Which messages may come when (PROTOCOL §7); whatever else comes closes. `enter` is the first after every login, and
 * comes once: it shows that the client holds the keys in use from there on.
 */
export const MAY_COME: Readonly<Record<Phase["kind"], readonly ClientMessageType[]>> = {
  login: [],
  entering: ["enter"],
  password: ["publish", "recover", "askApproval", "passwordRequest", "passwordRecord"],
  device: ["publish", "approve", ...ROOM_REQUESTS],
  leaving: [],
};

/** Whether a message of that type may come from a peer in `phase`. */
export function mayCome(phase: Phase, type: ClientMessageType): boolean {
  return MAY_COME[phase.kind].includes(type);
}

/** Whether a peer is still a stranger: it counts as half open, and its octets and its time are bounded. */
export function isStranger(phase: Phase): phase is Phase & { kind: "login" | "entering" } {
  return phase.kind === "login" || phase.kind === "entering";
}

/** Counts octets of a stranger, and drops it where they are too many for an honest client. */
export function receiveBytes(phase: Phase, count: number): Verdict {
  if (!isStranger(phase)) return { kind: "go", phase };
  const bytes = phase.bytes + count;
  return bytes > BEFORE_LOGIN_BYTES_MAX ? { kind: "drop" } : { kind: "go", phase: { ...phase, bytes } };
}

/** Looks at a stranger's deadline, at `now` in milliseconds. */
export function tick(phase: Phase, now: number): Verdict {
  return isStranger(phase) && now - phase.since >= LOGIN_MS_MAX ? { kind: "late" } : { kind: "go", phase };
}
