/**
 * What was not done, as a program's exit code tells it: what was said and is not heard may be tried again; what was
 * asked for and refused was wrong.
 *
 * @module
 */

import type { ClientEvent, ClientRequest, Talk } from "../client/event.ts";

/** What became of something: it was said and is not stored, or it was asked for and cannot be done. */
export type Loss = "undelivered" | "badInput";

/** What it is where `talk` does not take `request`: that a room is the wrong one, no other try mends. */
export function lossOfRequest(request: ClientRequest, talk: Talk): Loss {
  if (saidText(request) === undefined || !("room" in request)) return "badInput";
  return request.room.startsWith("@") || talk.isIn(request.room) ? "undelivered" : "badInput";
}

/** What `request` was to say. */
export function saidText(request: ClientRequest): string | undefined {
  switch (request.type) {
    case "send":
    case "reply":
    case "edit":
      return request.text;
    default:
      return undefined;
  }
}

/** What `event` tells to be lost. */
export function lossOfEvent(event: ClientEvent): Loss | undefined {
  if (event.type === "unacknowledged") return "undelivered";
  if (event.type === "file") return event.failure === undefined ? undefined : "undelivered";
  if (event.type !== "fault") return undefined;
  return event.text === undefined ? "badInput" : "undelivered";
}
