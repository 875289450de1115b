/**
 * Counts what strangers leave behind who begin with TLS and then fall silent. A program of its own, since Deno lets
 * only one that may do everything look at its own files: prints how many sockets each way of ending leaves.
 *
 * @module
 */

import { newCertificateKey, selfSignedCertificate } from "../../lib/crypto/certificate.ts";
import { certificatePem } from "../../lib/identity/certificate.ts";
import { pemText } from "../../lib/identity/pem.ts";
import { listen } from "../../lib/net/tcp.ts";
import { listenTls } from "../../lib/net/tls.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";

const HOST = "127.0.0.1";
const STRANGERS = 20;
/** Closing is done in a few turns; how often it is looked for before a socket counts as left. */
const LOOKS = 200;
const LOOK_MS = 10;

const key = await newCertificateKey();
const der = await selfSignedCertificate(key, { name: "sotto.invalid", now: Date.now() });
if (der === undefined) throw new Error("there is a certificate");
const listening = listenTls({ host: HOST, port: 0 }, {
  certificate: certificatePem(der),
  key: pemText("PRIVATE KEY", key),
});
const connections = listening.connections[Symbol.asyncIterator]();
const hello = await clientHello();
console.log(JSON.stringify({
  silent: await left(new Uint8Array(0)),
  begun: await left(hello.slice(0, 100)),
  halfway: await left(hello),
}));
Deno.exit();

/** Sockets of ours that stay when the server's ends of strangers are closed, the strangers' own ends not counted. */
async function left(sent: Bytes): Promise<number> {
  const strangers: Deno.TcpConn[] = [];
  for (let count = 0; count < STRANGERS; count++) {
    const stranger = await Deno.connect({ hostname: HOST, port: listening.at.port });
    strangers.push(stranger);
    const { value: accepted } = await connections.next();
    if (accepted === undefined) throw new Error("a connection came");
    const reading: Promise<unknown> = accepted.socket.read(new Uint8Array(9)).catch(() => {});
    if (sent.length > 0) await stranger.write(sent);
    // The answer to a whole ClientHello shows that TLS is in the middle of its handshake.
    if (sent.length === hello.length) await stranger.read(new Uint8Array(9));
    accepted.socket.close();
    await reading;
  }
  const ports = new Set(strangers.map(({ localAddr }) => localAddr.port));
  // The listener stays.
  const rest = await settled(() => sockets(ports) - 1);
  for (const stranger of strangers) stranger.close();
  return rest;
}

/** What `count` comes down to. */
async function settled(count: () => number): Promise<number> {
  for (let look = 0; look < LOOKS && count() > 0; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return count();
}

/** The TCP sockets among our files, but for those at `ports`; the runtime has some of another kind for its own use. */
function sockets(ports: ReadonlySet<number>): number {
  let count = 0;
  const tcp = tcpSockets();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/self/fd/${name}`))?.[1];
      const port = inode === undefined ? undefined : tcp.get(inode);
      if (port !== undefined && !ports.has(port)) count++;
    } catch {
      // It was the one that this folder is read by.
    }
  }
  return count;
}

/** The local port of each of the system's TCP sockets, by inode. */
function tcpSockets(): ReadonlyMap<string, number> {
  const rows = Deno.readTextFileSync("/proc/self/net/tcp").split("\n").map((row) => row.trim().split(/\s+/));
  return new Map(rows.map((row) => [row[9] ?? "", Number.parseInt(row[1]?.split(":")[1] ?? "", 16)]));
}

/** What a TLS client sends first. */
async function clientHello(): Promise<Bytes> {
  const listening = listen({ host: HOST, port: 0 });
  const accepting = listening.connections[Symbol.asyncIterator]().next();
  const tls = await Deno.startTls(await Deno.connect({ hostname: HOST, port: listening.at.port }));
  const shaking: Promise<unknown> = tls.handshake().catch(() => {});
  const { value: accepted } = await accepting;
  const buffer = new Uint8Array(4_096);
  const count = await accepted?.socket.read(buffer) ?? 0;
  accepted?.socket.close();
  await shaking;
  tls.close();
  listening.close();
  return buffer.slice(0, count);
}
