/**
 * What the server tells its operator while it runs: a line for each thing that happens, on standard error.
 * Writing never holds the server up: where nobody reads, lines wait up to a bound and are then dropped.
 *
 * @module
 */

import { configure, dispose, getLogger, getStreamSink, type LogRecord } from "@logtape/logtape";
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
  return dispose();
}

/** Somebody has connected from `address`. */
export function noteConnected(address: string): void {
  getLogger("sotto").info("{address} connected", { address });
}

/** Somebody was let in. */
export function noteJoined(address: string, name: string): void {
  getLogger("sotto").info("{address} joined as {name}", { address, name });
}

/** A connection is over; `why` is a phrase. */
export function noteEnded(address: string, why: string): void {
  getLogger("sotto").info("{address} gone: {why}", { address, why });
}

/** A fault of this program ended a connection; `what` is for whoever mends it. */
export function noteFault(address: string, what: string): void {
  getLogger("sotto").error("{address} gone: a fault of this server, please report it: {what}", {
    address,
    what,
  });
}

/** A line of `--trace` about the connection from `address`. */
export function noteTrace(address: string, line: string): void {
  getLogger("sotto").info("{address} {line}", { address, line });
}

/** One event stays one line, whatever its fields hold. */
function formatLine({ message, timestamp }: LogRecord): string {
  const time = new Date(timestamp).toTimeString().slice(0, 8);
  return `${time} ${message.map((part) => visible(String(part))).join("")}\n`;
}
