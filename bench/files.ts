/**
 * How fast a file goes to a server and comes back, over loopback: sealed by the channel, hashed at both ends, and sealed on
 * the disk. Beside it a pipe of openssl, which encrypts and does nothing else.
 *
 * @module
 */

import { CERTIFICATE_FILES } from "../lib/store/certificate_file.ts";
import { openSotto } from "./contestant.ts";
import { freePort, makeCertificate, untilListening } from "./peer_server.ts";
import type { Row, Stage } from "./scenario.ts";
import { median } from "./statistics.ts";

const MEBIBYTE = 1_048_576;

const PLANS = {
  full: { rounds: 3, bytes: 64 * MEBIBYTE },
  quick: { rounds: 1, bytes: MEBIBYTE },
} as const;

/** Issue 6: of what a pipe that encrypts carries. */
const SHARE_MIN = 0.5;

/** Octets that are written into the pipe at once. */
const WRITE_BYTES = 65_536;

const SECOND_MS = 1_000;

/** Measures both ways. */
export async function files(stage: Stage): Promise<readonly Row[]> {
  const { rounds, bytes } = PLANS[stage.scale];
  const sotto = await openSotto(stage, "files", {
    accounts: 1,
    furnish: async (house) => (await house.furnish([{ from: 0, to: 1 }]))[0] ?? "",
  });
  const load = sotto.load();
  const [puts, gets, pipes]: [number[], number[], number[]] = [[], [], []];
  const rate = (ms: number): number => bytes / MEBIBYTE / ms * SECOND_MS;
  try {
    const room = sotto.furniture;
    await load.order({ order: "come", from: 0, to: 1, atOnce: 1 });
    for (let round = 0; round < rounds; round++) {
      const { put_ms = NaN, get_ms = NaN } = await load.order({ order: "carry", member: 0, room, bytes });
      puts.push(rate(put_ms));
      gets.push(rate(get_ms));
      const pipe_ms = stage.peers ? await pipeTime(stage, bytes) : undefined;
      if (pipe_ms !== undefined) pipes.push(rate(pipe_ms));
    }
  } finally {
    await load.kill();
    await sotto.server.kill();
  }
  const pipe = pipes.length === 0 ? undefined : median(pipes);
  const beside = pipe === undefined ? {} : {
    goal: { atLeast: SHARE_MIN * pipe },
    peers: [{ name: "openssl, a pipe", figure: pipe }],
  };
  const what = `a file of ${bytes / MEBIBYTE} MiB`;
  return [
    { what: `${what}: put`, figure: median(puts), unit: "MiB a second", ...beside },
    { what: `${what}: fetched`, figure: median(gets), unit: "MiB a second", ...beside },
  ];
}

/** How long a pipe of openssl takes for so many octets, in milliseconds; `undefined` where there is none. */
async function pipeTime(stage: Stage, bytes: number): Promise<number | undefined> {
  const folder = `${stage.folder}/openssl`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const { path } = await makeCertificate(folder);
  const port = freePort();
  const key = `${folder}/${CERTIFICATE_FILES.key}`;
  const accept = `127.0.0.1:${port}`;
  const server = openssl(["s_server", "-quiet", "-accept", accept, "-cert", path, "-key", key]);
  if (server === undefined) {
    stage.note("openssl is not installed, and left out");
    return undefined;
  }
  try {
    await untilListening(port);
    const client = openssl(["s_client", "-quiet", "-no_ign_eof", "-connect", accept]);
    if (client === undefined) return undefined;
    const began = performance.now();
    await Promise.all([fill(client.stdin, bytes), drain(server.stdout, bytes)]);
    const elapsed_ms = performance.now() - began;
    await Promise.all([client.stdout.cancel(), client.status]);
    return elapsed_ms;
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
}

function openssl(args: readonly string[]): Deno.ChildProcess | undefined {
  try {
    // An input that ends would end it.
    const options = { stdin: "piped", stdout: "piped", stderr: "null" } as const;
    return new Deno.Command("openssl", { args: [...args], ...options }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

async function fill(stream: WritableStream<Uint8Array<ArrayBufferLike>>, bytes: number): Promise<void> {
  const piece = crypto.getRandomValues(new Uint8Array(WRITE_BYTES));
  const input = stream.getWriter();
  for (let written = 0; written < bytes; written += WRITE_BYTES) {
    await input.write(piece.subarray(0, Math.min(WRITE_BYTES, bytes - written)));
  }
  await input.close();
}

async function drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>, bytes: number): Promise<void> {
  let read = 0;
  for await (const piece of stream) {
    read += piece.length;
    if (read >= bytes) return;
  }
  throw new Error(`${read} of ${bytes} octets came through openssl`);
}
