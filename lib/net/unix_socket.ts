/**
 * A socket in the file system, by which one program on a machine talks to another of the same user.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import type { Socket } from "./pump.ts";
import { reason } from "./tcp.ts";

/** A socket that others of this user may connect to. */
export interface UnixListening {
  /** The connections, as they come; ends when it is closed. */
  readonly connections: AsyncIterable<Socket>;
  /** Takes no more connections, and removes the socket. */
  close(): Promise<void>;
}

/** Owner only. */
const FOLDER_MODE = 0o700;
const SOCKET_MODE = 0o600;

/** Whoever looks whether the socket is in use, takes it or leaves it, holds this file meanwhile. */
const LOCK_SUFFIX = ".lock";

/** How long a listener rests when the system has no more files to give, before it accepts again. */
const ACCEPT_RETRY_MS = 100;

/**
 * Listens on the socket `path`, mode 0600. Its folder is its own, mode 0700: a socket is made with whatever mode the
 * process's mask leaves, and nobody shall come through it before it has got its own. What a program that was killed
 * has left there is removed. Throws a {@linkcode Failure}: `unavailable` where another program listens there,
 * `cannotCreate` where it cannot be made.
 */
export async function listenUnix(path: string): Promise<UnixListening> {
  const listener = await orFailure(path, async () => {
    await makeFolder(path.slice(0, path.lastIndexOf("/")));
    return await locked(path, () => open(path));
  });
  let closed = false;
  let accepting: Promise<unknown> = Promise.resolve();

  async function* connections(): AsyncGenerator<Socket> {
    while (!closed) {
      try {
        const accepted = listener.accept();
        accepting = accepted;
        const socket = await accepted;
        if (closed) return socket.close();
        yield socket;
      } catch {
        if (!closed) await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  return {
    connections: connections(),
    close: async () => {
      closed = true;
      // Deno removes the file as soon as nothing uses the listener, and that shall not be the file of who comes next.
      await locked(path, async () => {
        listener.close();
        await accepting.catch(() => {});
      });
    },
  };
}

/**
 * Connects to the socket `path`; `undefined` where nobody listens there. Throws a {@linkcode Failure} where somebody
 * may, who cannot be reached.
 */
export async function connectUnix(path: string): Promise<Socket | undefined> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (isNobody(error)) return undefined;
    const remedy = "run this as the user that the server runs as";
    throw new Failure(
      "noPermission",
      `Cannot reach a server by its socket ${visible(path)}: ${whyNot(error)}; ${remedy}.`,
    );
  }
}

async function makeFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  await Deno.chmod(folder, FOLDER_MODE);
}

async function locked<Value>(path: string, work: () => Value | Promise<Value>): Promise<Value> {
  using lock = await Deno.open(`${path}${LOCK_SUFFIX}`, { create: true, write: true, mode: SOCKET_MODE });
  await lock.lock(true);
  return await work();
}

async function open(path: string): Promise<Deno.UnixListener> {
  if (await isAnswered(path)) {
    throw new Failure(
      "unavailable",
      `Cannot listen on ${
        visible(path)
      }: another server runs on this data folder; stop it, or give another --data-dir.`,
    );
  }
  await removeIfThere(path);
  const listener = Deno.listen({ transport: "unix", path });
  try {
    await Deno.chmod(path, SOCKET_MODE);
    return listener;
  } catch (error) {
    listener.close();
    throw error;
  }
}

async function isAnswered(path: string): Promise<boolean> {
  try {
    const socket = await Deno.connect({ transport: "unix", path });
    socket.close();
    return true;
  } catch (error) {
    if (isNobody(error)) return false;
    throw error;
  }
}

/** There is no socket, or one that a program has left behind. */
function isNobody(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused;
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function orFailure<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      "cannotCreate",
      `Cannot make the socket ${visible(path)}: ${whyNot(error)}; choose another folder with --data-dir.`,
      { cause: error },
    );
  }
}

function whyNot(error: unknown): string {
  const told = reason(error);
  // The system's limit of about a hundred octets.
  if (told.includes("SUN_LEN")) return "its path is too long for a socket";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return visible(told);
}
