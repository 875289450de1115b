/**
 * TCP: listening and connecting, and the sentences for what can go wrong with either.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import type { Socket } from "./pump.ts";

/** A host name or address, and a port. */
export interface Endpoint {
  /** A name, an IPv4 or an IPv6 address without brackets. */
  readonly host: string;
  /** 0 to 65,535; 0 asks a listener for a free one. */
  readonly port: number;
}

/** A connection that came in. */
export interface Accepted {
  /** Its socket. */
  readonly socket: Socket;
  /** Where it came from. */
  readonly from: Endpoint;
}

/** A listening socket. */
export interface Listening {
  /** Where it listens. */
  readonly at: Endpoint;
  /** The connections, as they come; ends when the listener is closed. */
  readonly connections: AsyncIterable<Accepted>;
  /** Takes no more connections. */
  close(): void;
}

/** How long a listener rests when the system has no more files to give, before it accepts again. */
const ACCEPT_RETRY_MS = 100;

/** Which flags say where to listen, for the sentences about it. */
export interface ListenFlags {
  /** "--host". */
  readonly host: string;
  /** "--port". */
  readonly port: string;
  /** "--host or --port". */
  readonly either: string;
}

const HOST_AND_PORT: ListenFlags = { host: "--host", port: "--port", either: "--host or --port" };

/** Listens on `endpoint`. Throws a {@linkcode Failure} that says why it cannot. */
export function listen({ host, port }: Endpoint, flags = HOST_AND_PORT): Listening {
  const listener = openListener({ host, port }, flags);
  const at = { host: listener.addr.hostname, port: listener.addr.port };
  let closed = false;

  async function* connections(): AsyncGenerator<Accepted> {
    while (!closed) {
      try {
        const socket = await listener.accept();
        // It came in the very moment of closing: whoever closed has said goodbye to all that it knows of.
        if (closed) return socket.close();
        sendAtOnce(socket);
        yield { socket, from: { host: socket.remoteAddr.hostname, port: socket.remoteAddr.port } };
      } catch {
        // Too many open files, or a connection that was gone before it was accepted: neither ends a server.
        if (!closed) await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  return {
    at,
    connections: connections(),
    close: () => {
      closed = true;
      listener.close();
    },
  };
}

/** Nagle's algorithm would hold back a short message until the last one is acknowledged. */
export function sendAtOnce(socket: Deno.TcpConn): void {
  try {
    socket.setNoDelay(true);
  } catch {
    // The peer has gone already, which the first read will tell.
  }
}

function openListener({ host, port }: Endpoint, flags: ListenFlags): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    throw listenFailure(error, { host, port }, flags);
  }
}

function listenFailure(error: unknown, { host, port }: Endpoint, flags: ListenFlags): Failure {
  const where = `Cannot listen on ${host} port ${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return new Failure(
      "unavailable",
      `${where}: another program uses that port; stop it, or give another ${flags.port}.`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    const remedy = `give a ${flags.port} above 1023`;
    return new Failure("noPermission", `${where}: the system does not allow it; ${remedy}.`);
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    const remedy = `give another ${flags.host}`;
    return new Failure("unavailable", `${where}: this machine has no such address; ${remedy}.`);
  }
  return new Failure("unavailable", `${where}: ${reason(error)}; give another ${flags.either}.`);
}

/** A connection without TLS, as a client opens it. */
export interface PlainSocket extends Socket {
  /** Whether the other end has sent a single octet. */
  answered(): boolean;
  /** Whether the other end began with a TLS alert, which is how a server that expects TLS refuses all else. */
  answeredInTls(): boolean;
}

/** Connects to `endpoint`. Throws a {@linkcode Failure} that says why it cannot. */
export async function connect(endpoint: Endpoint): Promise<PlainSocket> {
  return new WatchedSocket(await openTcp(endpoint));
}

/** The failure of a client without TLS at a server that expects it, see {@linkcode PlainSocket.answeredInTls}. */
export function tlsExpected({ host, port }: Endpoint): Failure {
  return new Failure(
    "protocol",
    `Cannot talk with ${host} port ${port}: the server there expects TLS; add --tls with --tls-ca FILE, or use ` +
      "an invitation of its operator.",
  );
}

/** As {@linkcode connect}, without looking at what comes. */
export async function openTcp({ host, port }: Endpoint): Promise<Deno.TcpConn> {
  try {
    const socket = await Deno.connect({ hostname: host, port });
    sendAtOnce(socket);
    return socket;
  } catch (error) {
    throw connectFailure(error, { host, port });
  }
}

/** What a TLS record that carries an alert begins with, whatever the version (RFC 8446 §5.1); no frame of ours does. */
const TLS_ALERT = [21, 3] as const;

class WatchedSocket implements PlainSocket {
  readonly #socket: Socket;
  #first: number[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const count = await this.#socket.read(buffer);
    if (this.#first.length < TLS_ALERT.length && count !== null) {
      this.#first = [...this.#first, ...buffer.subarray(0, count)].slice(0, TLS_ALERT.length);
    }
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.close();
  }

  answered(): boolean {
    return this.#first.length > 0;
  }

  answeredInTls(): boolean {
    return TLS_ALERT.every((octet, at) => this.#first[at] === octet);
  }
}

function connectFailure(error: unknown, { host, port }: Endpoint): Failure {
  const where = `Cannot reach ${host} port ${port}`;
  if (error instanceof Deno.errors.ConnectionRefused) {
    return new Failure(
      "unavailable",
      `${where}: no server answers there; start one, or check host and port.`,
    );
  }
  if (error instanceof Deno.errors.ConnectionReset) {
    return new Failure(
      "unavailable",
      `${where}: the connection was reset; check that a Sotto server answers there.`,
    );
  }
  if (error instanceof Deno.errors.TimedOut) {
    return new Failure("temporary", `${where}: no answer came in time; check the network and try again.`);
  }
  if (error instanceof Deno.errors.Interrupted) {
    return new Failure("temporary", `${where}: it was interrupted; try again.`);
  }
  return new Failure("unavailable", `${where}: ${reason(error)}; check host and port.`);
}

/** The system's own words, without the error number behind them. */
export function reason(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.replace(/ \(os error \d+\)$/, "").replace(/\.$/, "");
}
