/**
 * Programs that ask something in JSON, and what comes of it.
 *
 * @module
 */

import type { JsonEvent } from "./json_events.ts";
import { eventsOf } from "./json_events.ts";
import type { Client } from "./stage.ts";

/** What is asked, as README's table has it. */
export type Request = Readonly<Record<string, unknown>> & { readonly type: string };

/** The answers of requests that are no act in a room, whose answer is an `ack`. */
const ANSWERS: Readonly<Record<string, JsonEvent["type"]>> = {
  rooms: "rooms",
  list: "directory",
  members: "members",
  history: "page",
  check: "integrity",
  whois: "person",
  devices: "devices",
  block: "done",
  unblock: "done",
  ignore: "done",
  unignore: "done",
  receipts: "done",
  typingShown: "done",
  away: "done",
  back: "done",
};

/** Asks; gives the sentence of the refusal, or `undefined` where it was done. */
export async function refusalOf(client: Client, request: Request): Promise<string | undefined> {
  const from = client.events.length;
  const answer = ANSWERS[request.type] ?? "ack";
  await client.ask(request);
  return await client.program.until(`what came of ${JSON.stringify(request)}`, () => {
    for (const event of client.events.slice(from)) {
      if (event.type === "error") return { sentence: event.sentence };
      if (event.type === answer) return { sentence: undefined };
    }
    return undefined;
  }).then(({ sentence }) => sentence);
}

/** Asks each, one after the other. Throws where one is refused. */
export async function done(client: Client, ...requests: readonly Request[]): Promise<void> {
  for (const request of requests) {
    const refusal = await refusalOf(client, request);
    if (refusal !== undefined) throw new Error(`${JSON.stringify(request)}: ${refusal}`);
  }
}

/** Asks, and gives the answer of that type. */
export async function answerOf<Type extends JsonEvent["type"]>(
  client: Client,
  request: Request,
  type: Type,
): Promise<Extract<JsonEvent, { type: Type }>> {
  const from = client.events.length;
  await client.ask(request);
  return await client.event(type, () => true, from);
}

/** Says something in `room`; gives its number there. */
export async function said(client: Client, room: string, text: string): Promise<number> {
  await client.ask({ type: "send", room, text });
  const { id, seq } = await client.event(
    "message",
    (event) => event.own && event.room === room && event.text === text,
  );
  // Else it could be taken for the answer to what is asked next.
  await client.event("ack", (event) => event.id === id);
  return seq;
}

/** Settles when `client` has shown the message with that text in `room`; gives it. */
export function heard(
  client: Client,
  room: string,
  text: string,
): Promise<Extract<JsonEvent, { type: "message" }>> {
  return client.event("message", (event) => event.room === room && event.text === text);
}

/** Settles when `client` has shown an entry of `room` of which that is part of what was done. */
export function deed(
  client: Client,
  room: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Extract<JsonEvent, { type: "log" }>> {
  return client.event(
    "log",
    (event) =>
      event.room === room &&
      Object.entries(body).every(([name, value]) => event.what?.body[name] === value),
  );
}

/** The texts of the messages in `room` that a client has shown, in their order, each time that they were shown. */
export function textsIn(client: Client, room: string): readonly string[] {
  return eventsOf(client.events, "message").filter((event) => event.room === room).map(({ text }) => text);
}
