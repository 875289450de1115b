/**
 * The servers beside which a measurement is set: relays of our own, and those that people would take instead, where they
 * are installed. None of these stores or signs anything.
 *
 * @module
 */

import { newCertificateKey, selfSignedCertificate } from "../lib/crypto/certificate.ts";
import { CERTIFICATE_NAME } from "../lib/identity/certificate.ts";
import { CERTIFICATE_FILES, loadOrMakeCertificate } from "../lib/store/certificate_file.ts";
import { Program } from "../tools/program.ts";

/** How long a server that says nothing may take to listen, and how often that is tried, in milliseconds. */
const LISTENING_MS_MAX = 10_000;
const TRY_MS = 50;

/** A peer. */
export interface Peer {
  /** What tables call it. */
  readonly name: string;
  /** How its load talks to it. */
  readonly dialect: "relay" | "irc" | "nats";
  /** Whether it is talked to through TLS. */
  readonly tls: boolean;
  /** Starts it in `folder`, where the certificate is; `undefined` where it is not installed. */
  readonly start: (folder: string) => Promise<RunningPeer | undefined>;
}

/** A peer that runs. */
export interface RunningPeer {
  /** Where it listens on loopback. */
  readonly port: number;
  /** The system's number of its process. */
  readonly pid: number;
  /** Ends it. */
  readonly kill: () => Promise<void>;
}

/** All there are, the nearest first. */
export const PEERS: readonly Peer[] = [
  relay("relay, TCP, coalescing", "tcp", "together"),
  relay("relay, TCP", "tcp", "apart"),
  relay("relay, TLS, coalescing", "tls", "together"),
  relay("relay, TLS", "tls", "apart"),
  { name: "ngircd, TLS", dialect: "irc", tls: true, start: startNgircd },
  { name: "nats-server", dialect: "nats", tls: false, start: startNats },
];

/** A certificate, and the name that it is for. */
export interface PeerCertificate {
  /** Its file. */
  readonly path: string;
  /** Whose it is. */
  readonly name: string;
}

/** Makes the certificate that peers with TLS take. */
export async function makeCertificate(folder: string): Promise<PeerCertificate> {
  const maker = { newKey: newCertificateKey, certify: selfSignedCertificate };
  await loadOrMakeCertificate(folder, { maker, now: Date.now() });
  return { path: `${folder}/${CERTIFICATE_FILES.certificate}`, name: CERTIFICATE_NAME };
}

function relay(name: string, transport: "tcp" | "tls", manner: "together" | "apart"): Peer {
  return {
    name,
    dialect: "relay",
    tls: transport === "tls",
    start: async (folder) => {
      const program = new Program(name, Deno.execPath(), {
        args: [
          ...["run", "--frozen", "--no-prompt", "--allow-net=127.0.0.1", `--allow-read=${folder}`],
          ...["bench/relay.ts", transport, manner, folder],
        ],
      });
      const port = await program.output.until(
        "it listened",
        (line) => /^listening on (\d+)$/.exec(line)?.[1],
      );
      return running(program, Number(port));
    },
  };
}

async function startNgircd(folder: string): Promise<RunningPeer | undefined> {
  const port = freePort();
  const file = `${folder}/ngircd.conf`;
  await Deno.writeTextFile(
    file,
    [
      "[Global]",
      "Name = bench.localhost",
      "Info = bench",
      "Listen = 127.0.0.1",
      "Ports = 0",
      "[Limits]",
      "MaxConnections = 0",
      "MaxConnectionsIP = 0",
      "MaxPenaltyTime = 0",
      "[Options]",
      "DNS = no",
      "Ident = no",
      "PAM = no",
      "[SSL]",
      `CertFile = ${folder}/${CERTIFICATE_FILES.certificate}`,
      `KeyFile = ${folder}/${CERTIFICATE_FILES.key}`,
      `Ports = ${port}`,
      "",
    ].join("\n"),
  );
  return await startInstalled("ngircd", ["-n", "-f", file], port);
}

async function startNats(): Promise<RunningPeer | undefined> {
  const port = freePort();
  return await startInstalled("nats-server", ["-a", "127.0.0.1", "-p", String(port)], port);
}

async function startInstalled(
  file: string,
  args: readonly string[],
  port: number,
): Promise<RunningPeer | undefined> {
  try {
    const program = new Program(file, file, { args });
    const isOver = program.ended.then(() => false);
    if (await Promise.race([untilListening(port).then(() => true), isOver])) return running(program, port);
    throw new Error(
      `${file} does not listen: ${[...program.errors.lines, ...program.output.lines].join(" | ")}`,
    );
  } catch (error) {
    // Of what is not there, Deno allows nothing.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Settles when somebody listens on `port` of loopback. */
export async function untilListening(port: number): Promise<void> {
  const began = performance.now();
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      const isLate = performance.now() - began > LISTENING_MS_MAX;
      if (!(error instanceof Deno.errors.ConnectionRefused) || isLate) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
}

/** A port of loopback that was free a moment ago, for programs that take no 0. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function running(program: Program, port: number): RunningPeer {
  return {
    port,
    pid: program.pid,
    kill: async () => {
      program.kill("SIGKILL");
      await program.ended;
    },
  };
}
