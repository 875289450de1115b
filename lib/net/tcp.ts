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

/** Listens on `endpoint`. Throws a {@linkcode Failure} that says why it cannot. */
export function listen({ host, port }: Endpoint): Listening {
  const listener = openListener({ host, port });
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
function sendAtOnce(socket: Deno.TcpConn): void {
  try {
    socket.setNoDelay(true);
  } catch {
    // The peer has gone already, which the first read will tell.
  }
}

function openListener({ host, port }: Endpoint): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    throw listenFailure(error, { host, port });
  }
}

function listenFailure(error: unknown, { host, port }: Endpoint): Failure {
  const where = `Cannot listen on ${host} port ${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return new Failure(
      "unavailable",
      `${where}: another program uses that port; stop it, or give another --port.`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return new Failure("noPermission", `${where}: the system does not allow it; give a --port above 1023.`);
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new Failure("unavailable", `${where}: this machine has no such address; give another --host.`);
  }
  return new Failure("unavailable", `${where}: ${reason(error)}; give another --host or --port.`);
}

/** Connects to `endpoint`. Throws a {@linkcode Failure} that says why it cannot. */
export async function connect({ host, port }: Endpoint): Promise<Socket> {
  try {
    const socket = await Deno.connect({ hostname: host, port });
    sendAtOnce(socket);
    return socket;
  } catch (error) {
    throw connectFailure(error, { host, port });
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
function reason(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.replace(/ \(os error \d+\)$/, "").replace(/\.$/, "");
}
