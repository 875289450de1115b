/**
 * The pump: carries bytes between a socket and whatever understands them, and knows nothing else. It alone reads
 * from and writes to sockets.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import type { Ticker } from "./ticker.ts";

/** What a pump feeds: one end of a conversation, as bytes and moments (milliseconds that never go back). */
export interface Pumped {
  /** Bytes came; settles when more may come. */
  receive(bytes: Bytes, now: number): Promise<void>;
  /** The other end will send nothing more. */
  receiveEnd(): void;
  /** The socket failed; nothing can be read or written. */
  lost(): void;
  /** About a second has passed. */
  tick(now: number): void;
  /** What to write next; asked for again once that is written. `undefined`: nothing more, ever. */
  nextWrite(now: () => number): Promise<Bytes | undefined>;
  /** Settles when nothing more will be read or written; the socket is closed then, whatever it is doing. */
  readonly ended: Promise<unknown>;
}

/** A socket, as far as the pump uses it. */
export interface Socket {
  /** Reads some bytes; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. */
  close(): void;
}

/**
 * Smallest and largest read buffer in octets: an idle connection costs little, a busy one gets whole records. It grows
 * while reads fill it, and is the smallest again after one that left most of it empty.
 */
const READ_BYTES_MIN = 512;
const READ_BYTES_MAX = 65_536;

/**
 * Carries bytes until `pumped` has ended; then the socket is closed. Never rejects for what a peer or network does, only
 * with what `pumped` throws, which is a fault of ours and ends this one conversation.
 */
export async function pump(
  socket: Socket,
  pumped: Pumped,
  { clock, ticker }: { clock: () => number; ticker: Ticker },
): Promise<void> {
  const stopTicking = ticker.add((now) => pumped.tick(now));
  const reading = readAll(socket, pumped, clock);
  const both = Promise.all([reading, writeAll(socket, pumped, clock)]);
  try {
    await Promise.race([pumped.ended, both.then(() => pumped.ended)]);
  } catch (fault) {
    pumped.lost();
    throw fault;
  } finally {
    stopTicking();
    socket.close();
  }
  await reading;
  // Nobody waits for a write: one that the other end does not take is given up by closing on Deno 2.9, but on 2.6 it
  // and the socket stay until the other end goes, and a peer that never reads must not keep a server from ending.
}

async function readAll(socket: Socket, pumped: Pumped, clock: () => number): Promise<void> {
  let buffer = new Uint8Array(READ_BYTES_MIN);
  for (;;) {
    const count = await attempt(() => socket.read(buffer), pumped);
    if (count === undefined) return;
    if (count === null) return pumped.receiveEnd();
    await pumped.receive(buffer.slice(0, count), clock());
    if (count === buffer.length && count < READ_BYTES_MAX) buffer = new Uint8Array(2 * count);
    else if (8 * count < buffer.length) buffer = new Uint8Array(READ_BYTES_MIN);
  }
}

async function writeAll(socket: Socket, pumped: Pumped, clock: () => number): Promise<void> {
  for (;;) {
    let bytes = await pumped.nextWrite(clock);
    if (bytes === undefined) return;
    try {
      // Mostly a socket takes all of it.
      for (;;) {
        const count = await socket.write(bytes);
        if (count === bytes.length) break;
        bytes = bytes.subarray(count);
      }
    } catch {
      return pumped.lost();
    }
  }
}

/** A socket's errors all mean the same to a conversation: it is cut. */
async function attempt<Result>(work: () => Promise<Result>, pumped: Pumped): Promise<Result | undefined> {
  try {
    return await work();
  } catch {
    pumped.lost();
    return undefined;
  }
}
