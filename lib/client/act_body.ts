/**
 * What a person asks to be done in a room, as the entry that does it.
 *
 * @module
 */

import { handleFault, parseHandle } from "../text/handle.ts";
import { utf8 } from "../wire/bytes.ts";
import { encodeCbor } from "../wire/cbor.ts";
import { decodeBody, type EntryBody } from "../wire/entry_body.ts";
import { TEXT_BYTES_MAX } from "../wire/limits.ts";
import type { ClientRequest } from "./event.ts";

/** Requests that say something: they are kept until they are stored, whether there is a connection or not. */
export type Saying = Extract<ClientRequest, { type: "send" | "reply" | "edit" | "delete" | "react" | "pin" }>;

/** Requests that change a room or who is in it: they are done at once, or not at all. */
export type Act = Extract<
  ClientRequest,
  {
    type:
      | "topic"
      | "part"
      | "knock"
      | "join"
      | "invite"
      | "uninvite"
      | "allow"
      | "deny"
      | "rename"
      | "visibility"
      | "newcomers"
      | "retention"
      | "slow"
      | "lockdown"
      | "role"
      | "kick"
      | "ban"
      | "mute"
      | "unban"
      | "unmute";
  }
>;

/** The entry that a saying makes, or the sentence of why there is none. */
export function sayingBody(request: Saying): EntryBody | string {
  switch (request.type) {
    case "send":
      return refusedText(request.text) ?? { kind: "text", body: { text: request.text } };
    case "reply":
      return refusedText(request.text) ?? { kind: "reply", body: { text: request.text } };
    case "edit":
      return refusedText(request.text) ?? { kind: "edit", body: { text: request.text } };
    case "delete":
      return { kind: "delete", body: {} };
    case "react":
      return fitting(
        { kind: "reaction", body: { reaction: request.reaction, on: request.on } },
        "that reaction",
      );
    case "pin":
      return { kind: "pin", body: { on: request.on } };
  }
}

/** The entry that an act makes at `now` (milliseconds since 1970), or the sentence of why there is none. */
export function actBody(request: Act, now: number): EntryBody | string {
  switch (request.type) {
    case "topic":
      return fitting({ kind: "topic", body: { topic: request.topic } }, "that topic");
    case "join":
    case "part":
    case "knock":
      return { kind: "membership", body: { change: request.type } };
    case "invite":
    case "uninvite":
    case "allow":
    case "deny":
      return withHandle(request.handle, (handle) => {
        return { kind: "membership", body: { change: request.type, handle } };
      });
    case "rename":
      return fitting({ kind: "room", body: { act: "rename", name: request.name } }, "that name");
    case "visibility":
      return { kind: "room", body: { act: "visibility", visibility: request.visibility } };
    case "newcomers":
      return fitting({ kind: "room", body: { act: "history", history: request.history } }, "that number");
    case "retention":
      return fitting({ kind: "room", body: { act: "retention", days: request.days } }, "that number of days");
    case "slow":
      return fitting(
        { kind: "room", body: { act: "slow", seconds: request.seconds } },
        "that number of seconds",
      );
    case "lockdown":
      return { kind: "room", body: { act: "lockdown", on: request.on } };
    case "role":
      return withHandle(request.handle, (handle) => {
        return { kind: "moderation", body: { act: "role", handle, role: request.role } };
      });
    case "kick":
      return withHandle(request.handle, (handle) => {
        return { kind: "moderation", body: { act: "kick", handle, ...reasonOf(request.reason) } };
      });
    case "ban":
    case "mute":
      return withHandle(request.handle, (handle) => {
        const until = request.lasting === undefined ? {} : { until: now + request.lasting };
        return {
          kind: "moderation",
          body: { act: request.type, handle, ...until, ...reasonOf(request.reason) },
        };
      });
    case "unban":
    case "unmute":
      return withHandle(request.handle, (handle) => {
        return { kind: "moderation", body: { act: request.type, handle } };
      });
  }
}

/** Why a text cannot be sent. */
export function refusedText(text: string): string | undefined {
  const bytes = utf8(text).length;
  if (bytes === 0) return "Cannot send an empty message: there is nothing in it; write something.";
  if (bytes <= TEXT_BYTES_MAX) return undefined;
  return `Cannot send the message: it has ${bytes} bytes and ${TEXT_BYTES_MAX} are the limit; split it.`;
}

function reasonOf(reason: string | undefined): { readonly reason?: string } {
  return reason === undefined || reason === "" ? {} : { reason };
}

function withHandle(
  text: string,
  make: (handle: NonNullable<ReturnType<typeof parseHandle>>) => EntryBody,
): EntryBody | string {
  const handle = parseHandle(text);
  if (handle === undefined) return `${handleFault(text) ?? "Cannot use that name"}.`;
  return fitting(make(handle), "that reason");
}

/** Anything that no server would take is refused here already. */
function fitting(what: EntryBody, named: string): EntryBody | string {
  const fits = decodeBody(what.kind, encodeCbor(what.body)) !== undefined;
  return fits ? what : `Cannot use ${named}: it is too long, too large or malformed; choose another.`;
}
