/**
 * A relay that only relays: every line of a client goes to all others. It keeps nothing, signs nothing and knows nobody;
 * what it costs is the least that Deno can do. `relay.ts tcp|tls together|apart [FOLDER]`: `together` writes all that
 * waits for a client at once, `apart` each line by itself; `FOLDER` has the certificate.
 *
 * @module
 */

import { CERTIFICATE_FILES } from "../lib/store/certificate_file.ts";

/** Smallest and largest read buffer in octets, as the server's own pump has them. */
const READ_BYTES_MIN = 512;
const READ_BYTES_MAX = 65_536;

const LINE_END = 10;

/** One client. */
interface Client {
  /** Has it told something. */
  readonly tell: (bytes: Uint8Array<ArrayBuffer>) => void;
}

async function main(): Promise<void> {
  const [transport = "tcp", manner = "together", folder = "."] = Deno.args;
  const listener = transport === "tls"
    ? Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: await Deno.readTextFile(`${folder}/${CERTIFICATE_FILES.certificate}`),
      key: await Deno.readTextFile(`${folder}/${CERTIFICATE_FILES.key}`),
    })
    : Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(`listening on ${listener.addr.port}`);
  const clients = new Set<Client>();
  for (;;) {
    const connection = await listener.accept();
    if ("setNoDelay" in connection) connection.setNoDelay(true);
    const client = { tell: manner === "apart" ? apart(connection) : together(connection) };
    clients.add(client);
    void serve(connection, (lines) => {
      for (const other of clients) if (other !== client) other.tell(lines);
    }).finally(() => clients.delete(client));
  }
}

/** Hands on whole lines, as many as came together, until the client is gone. */
async function serve(
  connection: Deno.Conn,
  relay: (lines: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  let buffer = new Uint8Array(READ_BYTES_MIN);
  let have = 0;
  try {
    for (;;) {
      const count = await connection.read(buffer.subarray(have));
      if (count === null) return;
      have += count;
      const end = buffer.lastIndexOf(LINE_END, have - 1) + 1;
      if (end > 0) relay(buffer.slice(0, end));
      const rest = buffer.slice(end, have);
      if (have === buffer.length && have < READ_BYTES_MAX) buffer = new Uint8Array(2 * have);
      buffer.set(rest);
      have = rest.length;
    }
  } catch {
    // A client that is gone is gone, however it went.
  }
}

/** Each line in a write of its own. */
function apart(connection: Deno.Conn): Client["tell"] {
  let last: Promise<unknown> = Promise.resolve();
  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      const line = bytes.subarray(at, bytes.indexOf(LINE_END, at) + 1);
      at += line.length;
      last = last.then(() => writeAll(connection, line));
    }
  };
}

/** All that waits in one write. */
function together(connection: Deno.Conn): Client["tell"] {
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let isWriting = false;
  const flush = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) {
      const [first] = waiting;
      const bytes = first !== undefined && waiting.length === 1 ? first : joined(waiting);
      waiting = [];
      await writeAll(connection, bytes);
    }
    isWriting = false;
  };
  return (bytes) => {
    waiting.push(bytes);
    if (!isWriting) void flush();
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // As above.
  }
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

if (import.meta.main) await main();
