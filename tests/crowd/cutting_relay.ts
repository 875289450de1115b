/**
 * What lies between a crowd and its server where lines are bad: one port that stays, whichever server is behind it, and
 * connections that are cut whenever somebody wants.
 *
 * @module
 */

/** A relay on loopback. */
export class CuttingRelay {
  /** Where clients connect to. */
  readonly address: string;
  /** The port of the server behind it; `undefined` while there is none. */
  port: number | undefined;

  readonly #listener: Deno.TcpListener;
  readonly #serving: Promise<void>;
  readonly #pairs = new Set<readonly [Deno.TcpConn, Deno.TcpConn]>();
  #cuts = 0;
  #untilCut: { octets: number; readonly settle: () => void } | undefined;

  /** A relay with no server behind it. */
  constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = `127.0.0.1:${this.#listener.addr.port}`;
    this.#serving = this.#serve();
  }

  /** How many connections were cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts the connection of which `pick` gives the place among so many, where there are any. */
  cutOne(pick: (count: number) => number): void {
    if (this.#pairs.size === 0) return;
    const pair = Array.from(this.#pairs)[pick(this.#pairs.size)];
    if (pair === undefined) return;
    this.#cuts += 1;
    for (const end of pair) closed(end);
  }

  /** Cuts all connections when so many more octets have gone either way; settles then. */
  cutAfter(octets: number): Promise<void> {
    return new Promise((settle) => this.#untilCut = { octets, settle });
  }

  /** Ends it with all connections. */
  async close(): Promise<void> {
    this.#listener.close();
    for (const pair of this.#pairs) for (const end of pair) closed(end);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const carrying = new Set<Promise<void>>();
    for await (const client of this.#listener) {
      const carried = this.#join(client).finally(() => carrying.delete(carried));
      carrying.add(carried);
    }
    await Promise.all(carrying);
  }

  async #join(client: Deno.TcpConn): Promise<void> {
    const server = await reached(this.port);
    if (server === undefined) return closed(client);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const count = (octets: number) => this.#count(octets);
    await Promise.all([carry(client, server, count), carry(server, client, count)]);
    this.#pairs.delete(pair);
    for (const end of pair) closed(end);
  }

  #count(octets: number): void {
    if (this.#untilCut === undefined) return;
    this.#untilCut.octets -= octets;
    if (this.#untilCut.octets > 0) return;
    this.#cuts += this.#pairs.size;
    for (const pair of this.#pairs) for (const end of pair) closed(end);
    this.#untilCut.settle();
    this.#untilCut = undefined;
  }
}

async function reached(port: number | undefined): Promise<Deno.TcpConn | undefined> {
  if (port === undefined) return undefined;
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset) {
      return undefined;
    }
    throw error;
  }
}

async function carry(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  count: (octets: number) => void,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let length = await from.read(buffer); length !== null; length = await from.read(buffer)) {
      count(length);
      for (let at = 0; at < length;) at += await to.write(buffer.subarray(at, length));
    }
    await to.closeWrite();
  } catch {
    // Whatever befell one end, the other is told by an end of its own.
    closed(from);
    closed(to);
  }
}

function closed(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
