/**
 * Other programs at a port: none at all, or one that is no Sotto server.
 *
 * @module
 */

import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Stage } from "./stage.ts";

/** `port`, as people are used to it; or, where another program listens there, one at which nobody does. */
export function habitualPort(port: number): number {
  try {
    using _listener = Deno.listen({ hostname: "127.0.0.1", port });
    return port;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return unusedPort();
  }
}

/** A port of loopback at which nobody listens. */
export function unusedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * The address of something that sends `greeting` on every connection and closes it: with `reads`, once something
 * came; without, at once, so that the system answers what comes with a reset.
 */
export function impostor(stage: Stage, greeting: Bytes, { reads = false }: { reads?: boolean } = {}): string {
  return answering(stage, (connection) => answer(connection, greeting, reads));
}

/** The address of something that says `greeting` on every connection and then nothing, until the other end goes. */
export function silence(stage: Stage, greeting: Bytes = new Uint8Array(0)): string {
  return answering(stage, (connection) => listenOn(connection, greeting));
}

function answering(stage: Stage, answer: (connection: Deno.TcpConn) => Promise<void>): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const answers: Promise<void>[] = [];
    for await (const connection of listener) answers.push(answer(connection));
    await Promise.all(answers);
  })();
  stage.atEnd(async () => {
    listener.close();
    await serving;
  });
  return `127.0.0.1:${listener.addr.port}`;
}

async function answer(connection: Deno.TcpConn, greeting: Bytes, reads: boolean): Promise<void> {
  using _closed = connection;
  await untilGone(async () => {
    await say(connection, greeting);
    if (reads) await connection.read(new Uint8Array(65_536));
  });
}

async function listenOn(connection: Deno.TcpConn, greeting: Bytes): Promise<void> {
  using _closed = connection;
  await untilGone(async () => {
    await say(connection, greeting);
    const buffer = new Uint8Array(65_536);
    while (await connection.read(buffer) !== null);
  });
}

async function say(connection: Deno.TcpConn, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Does `work` as long as the other end is there. */
async function untilGone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)) {
      throw error;
    }
  }
}
