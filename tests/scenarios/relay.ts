/**
 * Somebody between a client and a server: a relay that sees every octet, keeps it, and may change or cut it.
 *
 * @module
 */

import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import type { Stage } from "./stage.ts";

/** Which way octets go. */
export type Way = "toServer" | "toClient";

/** Where an octet stands. */
export interface Place {
  /** In its direction's stream. */
  readonly offset: number;
  /** Whether it is one of the two that tell a frame's length. */
  readonly inLength: boolean;
}

/** What the relay does to octets on their way. */
export interface Meddling {
  /** Gives another octet for `octet`, or that itself. */
  readonly change?: (way: Way, octet: number, place: Place) => number;
  /** Ends the connection in both directions when so many octets have passed one way. */
  readonly cut?: { readonly way: Way; readonly offset: number };
  /** How many connections that befalls: all, unless it is said. */
  readonly cuts?: number;
}

/** What one connection through the relay has carried, as it was sent. */
export class Carried {
  readonly #chunks: Record<Way, Bytes[]> = { toServer: [], toClient: [] };
  #over = false;
  #meddled = false;

  /** All octets of one way. */
  bytes(way: Way): Bytes {
    return concat(...this.#chunks[way]);
  }

  /** How many octets went one way. */
  count(way: Way): number {
    return this.#chunks[way].reduce((sum, { length }) => sum + length, 0);
  }

  /** Whether both directions have ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether an octet was changed or the connection cut. */
  get meddled(): boolean {
    return this.#meddled;
  }

  /** Notes octets; to be called by the relay. */
  note(way: Way, bytes: Bytes): void {
    this.#chunks[way].push(bytes);
  }

  /** Notes that something was done to it; to be called by the relay. */
  noteMeddling(): void {
    this.#meddled = true;
  }

  /** Notes the end; to be called by the relay. */
  end(): void {
    this.#over = true;
  }
}

/** A relay on loopback. */
export class Relay {
  /** Where it listens. */
  readonly address: string;
  /** What each connection has carried, in the order of coming. */
  readonly connections: Carried[] = [];

  readonly #stage: Stage;
  readonly #port: number;
  readonly #meddling: Meddling;

  /** Opens a relay to `port`, which ends with the stage. */
  constructor(stage: Stage, port: number, meddling: Meddling = {}) {
    this.#stage = stage;
    this.#port = port;
    this.#meddling = meddling;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = `127.0.0.1:${listener.addr.port}`;
    const serving = this.#serve(listener);
    stage.atEnd(async () => {
      listener.close();
      await serving;
    });
  }

  /** What the first connection has carried, once it is over. */
  firstOver(): Promise<Carried> {
    return this.#stage.until("the end of a connection through the relay", () => {
      const [first] = this.connections;
      return first?.over === true ? first : undefined;
    });
  }

  /** What its only connection carries. */
  one(): Carried {
    const [first] = this.connections;
    if (first === undefined || this.connections.length > 1) throw new Error("not one connection");
    return first;
  }

  async #serve(listener: Deno.TcpListener): Promise<void> {
    const carrying: Promise<void>[] = [];
    for await (const client of listener) carrying.push(this.#join(client));
    await Promise.all(carrying);
  }

  async #join(client: Deno.TcpConn): Promise<void> {
    const carried = new Carried();
    this.connections.push(carried);
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
      client.setNoDelay(true);
      server.setNoDelay(true);
      await Promise.all([
        this.#carry("toServer", { from: client, to: server, carried }),
        this.#carry("toClient", { from: server, to: client, carried }),
      ]);
      closed(server);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    closed(client);
    carried.end();
    this.#stage.changes.tell();
  }

  async #carry(
    way: Way,
    { from, to, carried }: { from: Deno.TcpConn; to: Deno.TcpConn; carried: Carried },
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const lengths = new FrameLengths();
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        const offset = carried.count(way);
        const bytes = buffer.slice(0, count);
        carried.note(way, bytes);
        const { passed, cut } = this.#meddle(way, bytes, { offset, lengths });
        if (cut || passed.some((octet, at) => octet !== bytes[at])) carried.noteMeddling();
        for (let at = 0; at < passed.length;) at += await to.write(passed.subarray(at));
        this.#stage.changes.tell();
        if (cut) throw new Deno.errors.ConnectionAborted();
      }
      await to.closeWrite();
    } catch {
      // Whatever befell one end, the other is told by an end of its own.
      closed(from);
      closed(to);
    }
  }

  #meddle(
    way: Way,
    bytes: Bytes,
    { offset, lengths }: { readonly offset: number; readonly lengths: FrameLengths },
  ): { readonly passed: Bytes; readonly cut: boolean } {
    const { change, cut, cuts = Infinity } = this.#meddling;
    const changed = change === undefined
      ? bytes
      : bytes.map((octet, at) => change(way, octet, { offset: offset + at, inLength: lengths.takes(octet) }));
    const isSpared = this.connections.filter(({ meddled }) => meddled).length >= cuts;
    if (cut?.way !== way || isSpared || offset + bytes.length < cut.offset) {
      return { passed: changed, cut: false };
    }
    return { passed: changed.subarray(0, cut.offset - offset), cut: true };
  }
}

/** Tells the octets of lengths from those of bodies in a stream of frames. */
class FrameLengths {
  #length = 0;
  #lengthOctets = 0;
  #bodyLeft = 0;

  /** Takes the next octet; tells whether it is one of a length. */
  takes(octet: number): boolean {
    if (this.#bodyLeft > 0) {
      this.#bodyLeft -= 1;
      return false;
    }
    this.#length = this.#length * 256 + octet;
    this.#lengthOctets += 1;
    if (this.#lengthOctets === 2) {
      this.#bodyLeft = this.#length;
      this.#length = 0;
      this.#lengthOctets = 0;
    }
    return true;
  }
}

/** The bodies of the frames in `bytes`, and how many octets are left at the end. */
export function framesIn(bytes: Bytes): { readonly bodies: readonly Bytes[]; readonly rest: number } {
  const bodies: Bytes[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) break;
    bodies.push(bytes.slice(at + 2, end));
    at = end;
  }
  return { bodies, rest: bytes.length - at };
}

function closed(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
