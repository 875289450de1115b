/**
 * What was not done, as a program's exit code tells it: what was said and is not heard may be tried again; what was
 * asked for and refused was wrong.
 *
 * @module
 */

import type { ClientEvent, ClientRequest } from "../client/event.ts";

/** What became of something: it was said and is not stored, or it was asked for and cannot be done. */
export type Loss = "undelivered" | "badInput";

/** What it is where `request` is not taken. */
export function lossOfRequest(request: ClientRequest): Loss {
  return saidText(request) === undefined ? "badInput" : "undelivered";
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
