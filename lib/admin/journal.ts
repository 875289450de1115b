/**
 * What the server tells its operator while it runs: a line for each thing that happens, on standard error.
 * Writing never holds the server up: where nobody reads, lines wait up to a bound and are then dropped.
 *
 * @module
 */

import { configure, getLogger, getStreamSink, type LogRecord, reset } from "@logtape/logtape";
import type { DeliveryNews } from "../delivery/exchange_parts.ts";
import type { SessionNews } from "../session/port.ts";
import { visible } from "../text/visible.ts";

/** Lines that wait while nobody reads standard error, before LogTape begins to drop them: seconds of a busy server. */
export const JOURNAL_LINES_MAX = 1_000;

/** How long a line may wait for others to be written with: not noticed by a person, and few wake-ups a second. */
export const JOURNAL_FLUSH_MS = 200;

/** Opens the journal on `stream`. To be called once, before the first line. */
export async function openJournal(stream: WritableStream<Uint8Array>): Promise<void> {
  const sink = getStreamSink(stream, {
    formatter: formatLine,
    nonBlocking: { bufferSize: JOURNAL_LINES_MAX, flushInterval: JOURNAL_FLUSH_MS },
  });
  await configure({
    sinks: { operator: sink },
    loggers: [
      { category: "sotto", sinks: ["operator"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
}

/** Writes what waits, and ends the journal. Settles only when all is written, which may be never where nobody reads. */
export function closeJournal(): Promise<void> {
  return reset();
}

/** Somebody has connected from `address`. */
export function noteConnected(address: string): void {
  getLogger("sotto").info("{address} connected", { address });
}

/** Somebody who has connected from `address` was sent away at once, without a word. */
export function noteBanned(address: string): void {
  getLogger("sotto").info("{address} refused: the address is banned", { address });
}

/** What a session at `address` came to: who registers, logs in, fails at that, and changes keys or password. */
export function noteSession(address: string, news: SessionNews): void {
  getLogger("sotto").info("{address} {news}", { address, news: newsText(news) });
}

/** What happened to what is stored and delivered. */
export function noteDelivery(news: DeliveryNews): void {
  switch (news.kind) {
    case "notStored":
      return getLogger("sotto").error("{count} not stored or read: {why}", news);
    case "dropped":
      return getLogger("sotto").info("{room} dropped what was said up to #{upTo}", news);
    case "refused": {
      const counts = Array.from(news.counts, ([code, count]) => `${code} ${count}`).join(", ");
      return getLogger("sotto").info("{address} was refused as {handle}: {counts}", { ...news, counts });
    }
    case "fault":
      return getLogger("sotto").error("a fault of this server, please report it: {what}", {
        what: quotedField(news.what),
      });
  }
}

/** Somebody has connected to the Fernet bridge from `address`. */
export function noteKnock(address: string): void {
  getLogger("sotto").info("{address} connected to the Fernet bridge", { address });
}

/** Whoever connected to the Fernet bridge from `address` has shown that it has the key, and is called `name`. */
export function noteGuest(address: string, name: string): void {
  getLogger("sotto").info("{address} came in over the Fernet bridge as {name}", { address, name });
}

/** A connection is over; `why` is a phrase. */
export function noteEnded(address: string, why: string): void {
  getLogger("sotto").info("{address} gone: {why}", { address, why });
}

/** A fault of this program ended a connection; `what` is for whoever mends it. */
export function noteFault(address: string, what: string): void {
  getLogger("sotto").error("{address} gone: a fault of this server, please report it: {what}", {
    address,
    what: quotedField(what),
  });
}

/** A line of `--trace` about the connection from `address`. */
export function noteTrace(address: string, line: string): void {
  getLogger("sotto").info("{address} {line}", { address, line });
}

/**
 * A text from outside as part of a line: a JSON string that holds nothing a terminal would act on or hide, so that it ends
 * where its quotes end, and `JSON.parse` gives it back octet for octet.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { quotedField } from "./journal.ts";
 * equal(quotedField("a\n12:00:00 b \u202Ec"), '"a\\n12:00:00 b \\u202ec"');
 * ```
 */
export function quotedField(text: string): string {
  return JSON.stringify(text).replace(
    /./gsu,
    (character) => visible(character) === character ? character : escaped(character),
  );
}

function newsText(news: SessionNews): string {
  switch (news.kind) {
    case "registered":
      return `registered ${news.handle}`;
    case "registrationRefused":
      return `may not register ${news.handle} (${news.code})`;
    case "loginFailed":
      return `failed to log in as ${news.handle} by password (${news.why})`;
    case "deviceRefused":
      return `failed to log in as ${news.handle} by a device (badLogin)`;
    case "entered":
      return `logged in as ${news.handle} by ${
        news.device === undefined ? "password" : `device ${quotedField(news.device)}`
      }`;
    case "closedMeanwhile":
      return `may no longer log in as ${news.handle}`;
    case "published":
      return `published keys of ${news.handle}`;
    case "passwordRenewed":
      return `set another password for ${news.handle}`;
  }
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}

/** One event stays one line, whatever its fields hold. */
function formatLine({ message, timestamp }: LogRecord): string {
  const time = new Date(timestamp).toTimeString().slice(0, 8);
  return `${time} ${message.map((part) => visible(String(part))).join("")}\n`;
}
