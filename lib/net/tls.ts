/**
 * TLS below the channel: listening and connecting, and the sentences for what can go wrong with either. It adds a
 * second layer and takes nothing from the first: the channel within it is the same.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { HANDSHAKE_MS_MAX } from "../wire/limits.ts";
import type { Socket } from "./pump.ts";
import { type Accepted, type Endpoint, listen, type Listening, openTcp, reason } from "./tcp.ts";
import { listenInside, quietly, RelayedTls, type TlsIdentity } from "./tls_relay.ts";

/** Whom a client takes for its server. */
export interface TlsTrust {
  /** The name that the server's certificate must be for. */
  readonly name: string;
  /** Certificates trusted beside the system's, in PEM. */
  readonly certificates: readonly string[];
  /** What to do where the server is another, or without TLS; what follows ";" in a sentence. */
  readonly remedy?: string;
}

/**
 * Listens on `endpoint` for TLS. Connections are handed on before their handshake, which the first read drives: whose
 * deadline is over, closes them, and no file is left. Throws a {@linkcode Failure} that says why it cannot.
 */
export function listenTls(endpoint: Endpoint, identity: TlsIdentity): Listening {
  tryOut(identity);
  const outside = listen(endpoint);
  return {
    at: outside.at,
    connections: relayed(outside.connections, identity),
    close: () => outside.close(),
  };
}

async function* relayed(
  connections: AsyncIterable<Accepted>,
  identity: TlsIdentity,
): AsyncGenerator<Accepted> {
  for await (const { socket, from } of connections) {
    yield { socket: new RelayedTls(socket, identity), from };
  }
}

/** What is wrong with a certificate shall show at the start, not at the first connection. */
function tryOut(identity: TlsIdentity): void {
  try {
    listenInside(identity).close();
  } catch (error) {
    const told = reason(error);
    const why = IDENTITY_FAULTS.find(([words]) => words.test(told))?.[1] ?? visible(told);
    const remedy = "give a certificate and its own key, both in PEM";
    throw new Failure("config", `Cannot use the TLS certificate and key: ${why}; ${remedy}.`);
  }
}

/** rustls tells by its words alone what it found. */
const IDENTITY_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/KeyMismatch/, "they do not belong together"],
  [/No certificates/, "there is no certificate"],
  [/No keys/, "there is no key"],
  [/BadEncoding/, "the certificate is damaged"],
];

/**
 * Connects to `endpoint` and agrees on TLS with it; no octet of the channel is sent before its certificate is found to
 * be one that `trust` allows. Throws a {@linkcode Failure} that says why it cannot.
 */
export async function connectTls(
  endpoint: Endpoint,
  { name, certificates, remedy }: TlsTrust,
): Promise<Socket> {
  const tcp = await openTcp(endpoint);
  const tls = await startTls(tcp, { hostname: name, caCerts: [...certificates] });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    tls.close();
  }, HANDSHAKE_MS_MAX);
  try {
    await tls.handshake();
    return tls;
  } catch (error) {
    quietly(() => tls.close());
    throw late ? silence(endpoint) : handshakeFailure(error, endpoint, remedy);
  } finally {
    clearTimeout(timer);
  }
}

async function startTls(tcp: Deno.TcpConn, options: Deno.StartTlsOptions): Promise<Deno.TlsConn> {
  try {
    return await Deno.startTls(tcp, options);
  } catch (error) {
    quietly(() => tcp.close());
    const told = visible(reason(error));
    throw new Failure(
      "data",
      `Cannot use the certificates given for TLS: ${told}; give them in PEM, as the operator sent them.`,
    );
  }
}

function silence({ host, port }: Endpoint): Failure {
  return new Failure(
    "temporary",
    `Cannot begin TLS with ${host} port ${port}: it did not answer in time; check that a Sotto server answers there.`,
  );
}

function handshakeFailure(error: unknown, { host, port }: Endpoint, remedy: string | undefined): Failure {
  const told = reason(error);
  const known = HANDSHAKE_FAULTS.find(([words]) => words.test(told));
  const [why, usual] = known?.[1] ?? [visible(told), "check host and port"];
  return new Failure("protocol", `Cannot begin TLS with ${host} port ${port}: ${why}; ${remedy ?? usual}.`);
}

const HANDSHAKE_FAULTS: readonly (readonly [RegExp, readonly [why: string, remedy: string]])[] = [
  [/UnknownIssuer|BadSignature/, [
    "its certificate is none that you trust",
    "give the one that its operator sent you by --tls-ca, or use an invitation of the operator",
  ]],
  [/not valid for name|NotValidForName/, [
    "its certificate is for another name",
    "check the host, and --tls-ca",
  ]],
  [/expired|not valid yet|NotValidYet/i, [
    "its certificate has expired, or is not valid yet",
    "check the clock here, and ask the operator for a new one",
  ]],
  [/CaUsedAsEndEntity/, [
    "its certificate is one of an authority, not of a server",
    "ask the operator for one with CA:FALSE",
  ]],
  [/unexpected end|reset|broken pipe/i, [
    "it closed without an answer",
    "its server may go without TLS: leave --tls away, or check host and port",
  ]],
  [/corrupt message|InvalidContentType/, [
    "what answers there is not TLS",
    "leave --tls away, or check host and port",
  ]],
];
