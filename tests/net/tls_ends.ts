/**
 * Certificates for tests of TLS, and both ends of a connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import { newCertificateKey, selfSignedCertificate } from "../../lib/crypto/certificate.ts";
import { CERTIFICATE_NAME, certificatePem } from "../../lib/identity/certificate.ts";
import { pemText } from "../../lib/identity/pem.ts";
import type { Socket } from "../../lib/net/pump.ts";
import type { Accepted, Listening } from "../../lib/net/tcp.ts";
import { connectTls, listenTls, type TlsTrust } from "../../lib/net/tls.ts";
import type { TlsIdentity } from "../../lib/net/tls_relay.ts";

/** Where all of it happens. */
export const HOST = "127.0.0.1";

/** A self-signed certificate for `name`, and its key. */
export async function identityFor(name: string = CERTIFICATE_NAME, now = Date.now()): Promise<TlsIdentity> {
  const key = await newCertificateKey();
  const der = await selfSignedCertificate(key, { name, now }) ?? assert.fail("the key is a good one");
  return { certificate: certificatePem(der), key: pemText("PRIVATE KEY", key) };
}

/** Trust in that one certificate. */
export function trustIn({ certificate }: TlsIdentity): TlsTrust {
  return { name: CERTIFICATE_NAME, certificates: [certificate] };
}

/** The identity that most tests use. */
export const identity = await identityFor();

/** A listener with {@linkcode identity}, and the next connection that it accepts. */
export function listenHere(): { listening: Listening; next: () => Promise<Accepted> } {
  const listening = listenTls({ host: HOST, port: 0 }, identity);
  const connections = listening.connections[Symbol.asyncIterator]();
  const next = async () => (await connections.next()).value ?? assert.fail("a connection came");
  return { listening, next };
}

/** Both ends of a connection. */
export async function tlsPair(): Promise<{ client: Socket; server: Accepted }> {
  const { listening, next } = listenHere();
  const connecting = connectTls(listening.at, trustIn(identity));
  const server = await next();
  // The handshake is driven by whoever reads.
  const first = new Uint8Array(1);
  const [client] = await Promise.all([
    connecting.then(async (socket) => {
      await socket.write(Uint8Array.of(7));
      return socket;
    }),
    server.socket.read(first),
  ]);
  assert.deepEqual(first, Uint8Array.of(7));
  listening.close();
  return { client, server };
}

/** All that `socket` gives until its end. */
export async function readAll(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
    parts.push(buffer.slice(0, count));
  }
  return new Uint8Array(await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer());
}

/** Writes all of `bytes`. */
export async function writeAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await socket.write(bytes.subarray(written));
}
