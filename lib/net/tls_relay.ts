/**
 * The server's end of one TLS connection, with a relay between the client's socket and the one that TLS is spoken on.
 *
 * A TLS connection that Deno closes in the middle of its handshake keeps its socket until the other end goes, on 2.6
 * and 2.9 alike: strangers that begin and then fall silent would hold our files for as long as they like, whatever the
 * deadline. So the socket that Deno's TLS has is one whose other end is ours, on loopback: once that goes, TLS lets go,
 * and the client's socket is a plain one, which closes at once. What a stranger costs before it has sent the first
 * octets of TLS is one file, as without TLS.
 *
 * @module
 */

import type { Socket } from "./pump.ts";
import { sendAtOnce } from "./tcp.ts";

/** What a server shows and proves itself by. */
export interface TlsIdentity {
  /** Its certificate, and those between it and an authority, in PEM. */
  readonly certificate: string;
  /** The certificate's private key, in PEM. */
  readonly key: string;
}

/** Octets carried at once: two such buffers a connection are its price in memory. */
const RELAY_BYTES = 4_096;

/**
 * How long what was written before a close may take to reach the client; as long as a channel waits for the other
 * end's close.
 */
export const LINGER_MS_MAX = 5_000;

/** Where the two ends of the inner connection meet. */
const LOOPBACK = "127.0.0.1";

/** What each TLS handshake begins with: a record of that content (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 22;

/** A fatal alert, unexpected_message (RFC 8446 §6): what a client that does not speak TLS is told. */
const UNEXPECTED_MESSAGE = Uint8Array.of(21, 3, 3, 0, 2, 2, 10);

/** Opens the listener of an inner connection; throws what Deno says of the identity. */
export function listenInside({ certificate, key }: TlsIdentity): Deno.TlsListener {
  return Deno.listenTls({ hostname: LOOPBACK, port: 0, cert: certificate, key });
}

/** Speaks TLS, as `identity`, with whoever is at the other end of `outer`; reads and writes what is within it. */
export class RelayedTls implements Socket {
  readonly #outer: Socket;
  readonly #opened: Promise<Deno.TlsConn>;
  #ends: { readonly inner: Deno.TcpConn; readonly tls: Deno.TlsConn } | undefined;
  /** Whether the handshake is over, and so whether TLS says goodbye when it is closed. */
  #agreed = false;
  #state: "open" | "closed" | "cut" = "open";
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** Waits for the first octets at once. */
  constructor(outer: Socket, identity: TlsIdentity) {
    this.#outer = outer;
    this.#opened = this.#open(identity);
    // Told to whoever reads or writes.
    this.#opened.catch(() => {});
  }

  /** As {@linkcode Socket.read}; rejects where the other end does not speak TLS. */
  async read(buffer: Uint8Array): Promise<number | null> {
    const tls = await this.#opened;
    const count = await tls.read(buffer);
    this.#agreed = true;
    return count;
  }

  /** As {@linkcode Socket.write}. */
  async write(bytes: Uint8Array): Promise<number> {
    const tls = await this.#opened;
    return await tls.write(bytes);
  }

  /** As {@linkcode Socket.close}; what was written is still carried to the client, {@linkcode LINGER_MS_MAX} at most. */
  close(): void {
    if (this.#state === "closed") return;
    const wasCut = this.#state === "cut";
    this.#state = "closed";
    if (this.#ends !== undefined) quietly(() => this.#ends?.tls.close());
    if (wasCut) return;
    if (this.#agreed) this.#linger = setTimeout(() => this.#cut(), LINGER_MS_MAX);
    else this.#cut();
  }

  async #open(identity: TlsIdentity): Promise<Deno.TlsConn> {
    const buffer = new Uint8Array(RELAY_BYTES);
    const count = await this.#outer.read(buffer);
    if (count === null) throw new Deno.errors.UnexpectedEof("the other end left before it sent anything");
    if (buffer[0] !== TLS_HANDSHAKE) {
      await writeAll(this.#outer, UNEXPECTED_MESSAGE);
      throw new Deno.errors.InvalidData("the other end does not speak TLS");
    }
    const ends = await pair(identity);
    this.#ends = ends;
    if (this.#state !== "open") {
      quietly(() => ends.tls.close());
      this.#cut();
      throw new Deno.errors.Interrupted("closed before TLS began");
    }
    this.#carry(ends.inner, buffer, count);
    return ends.tls;
  }

  /** Carries both ways, beginning with the `count` octets in `buffer`. */
  #carry(inner: Deno.TcpConn, buffer: Uint8Array, count: number): void {
    const inwards = async () => {
      await writeAll(inner, buffer.subarray(0, count));
      await carryAll(this.#outer, inner, buffer);
      await inner.closeWrite();
    };
    const outwards = async () => {
      await carryAll(inner, this.#outer, new Uint8Array(RELAY_BYTES));
      this.#cut();
    };
    inwards().catch(() => this.#cut());
    outwards().catch(() => this.#cut());
  }

  #cut(): void {
    clearTimeout(this.#linger);
    if (this.#state === "open") this.#state = "cut";
    quietly(() => this.#outer.close());
    quietly(() => this.#ends?.inner.close());
  }
}

/**
 * Both ends of a connection of our own. Its listener is closed before anybody else finds it; should somebody on this
 * machine be quicker, the connection is given up.
 */
async function pair(
  identity: TlsIdentity,
): Promise<{ readonly inner: Deno.TcpConn; readonly tls: Deno.TlsConn }> {
  using listener = listenInside(identity);
  const inner = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
  try {
    sendAtOnce(inner);
    const tls = await listener.accept();
    if (tls.remoteAddr.port === inner.localAddr.port) return { inner, tls };
    tls.close();
    throw new Deno.errors.ConnectionAborted("another program took the inner connection");
  } catch (error) {
    inner.close();
    throw error;
  }
}

async function carryAll(from: Socket, to: Socket, buffer: Uint8Array): Promise<void> {
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await writeAll(to, buffer.subarray(0, count));
  }
}

async function writeAll(to: Socket, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await to.write(bytes.subarray(written));
}

/** Runs `close`; a socket that is closed already needs no more. */
export function quietly(close: () => void): void {
  try {
    close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
