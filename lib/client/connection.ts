/**
 * A connection as its owner sees it and as a pump carries it.
 *
 * @module
 */

import type { Link, LinkEnd } from "../secure/link.ts";
import type { Bytes } from "../wire/bytes.ts";

/** What a pump feeds; `lib/net/pump.ts` says the same of it. Moments are milliseconds that never go back. */
export interface Connection {
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;
  /** Bytes came; settles when more may come. */
  receive(bytes: Bytes, now: number): Promise<void>;
  /** The other end will send nothing more. */
  receiveEnd(): void;
  /** The connection is gone. */
  lost(): void;
  /** About a second has passed. */
  tick(now: number): void;
  /** What to write next; asked for again once that is written. `undefined`: nothing more, ever. */
  nextWrite(now: () => number): Promise<Bytes | undefined>;
}

/**
 * Connects to the server, pins its host key, has `carry` make a connection over the link and begins to pump. Rejects
 * with a `Failure` where the server cannot be reached.
 */
export type Dial = <Carried extends Connection>(carry: (link: Link) => Carried) => Promise<Carried>;
