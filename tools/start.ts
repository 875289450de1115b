/**
 * `deno task start`: a server in the background and a client in this terminal; both end together. Arguments
 * go to the client, except `--port`, which the server takes.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { lines } from "./lines.ts";
import { clientPermissions, confined, serverPermissions } from "./permissions.ts";

const SERVER_FOLDER = ".sotto/server";
const CLIENT_FOLDER = ".sotto/client";
const SERVER_LOG = ".sotto/server.log";
/** A server listens within a second; a slow machine that fetches packages first needs longer. */
const LISTEN_MS_MAX = 60_000;

/** Where a server listens and the key it answers with. */
interface Announcement {
  readonly address: string;
  readonly fingerprint: string;
}

/** A server that this tool started. */
interface Server {
  readonly child: Deno.ChildProcess;
  /** Where it listens; or, where it ended before it did, what it said on standard error. */
  readonly start: Promise<Announcement | { readonly complaints: readonly string[] }>;
  /** Its exit code, when all it printed is in the log. */
  readonly ended: Promise<number>;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const { port, rest } = portAndRest(args);
  await Deno.mkdir(SERVER_FOLDER, { recursive: true, mode: 0o700 });
  const children: Deno.ChildProcess[] = [];
  endWithUs(children);

  const server = await startServer(port);
  children.push(server.child);
  const start = await server.start;
  if ("complaints" in start) {
    for (const line of start.complaints) console.error(line);
    console.error(
      `Cannot start the server: it ended before it listened; its words are above and in ${SERVER_LOG}`,
    );
    end(server.child);
    return await server.ended || 69;
  }
  console.log(invitation(start));
  const client = startClient(start, rest);
  children.push(client);
  const { code } = await client.status;
  end(server.child);
  await server.ended;
  return code;
}

/**
 * Passes an end that is meant for this tool to the child started last; the other follows. Ctrl-C reaches a
 * client by itself, since it has this terminal, and is for it to answer.
 */
function endWithUs(children: readonly Deno.ChildProcess[]): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      const last = children.at(-1);
      const isClient = children.length > 1;
      if (last !== undefined && !(isClient && signal === "SIGINT")) end(last);
    });
  }
}

/** Takes `--port N` out of `args`: it is the server's. Port 0 is a free one. */
export function portAndRest(args: readonly string[]): { port: string; rest: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: { port: { type: "string" } },
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const token = tokens.find((each) => each.kind === "option" && each.name === "port");
  if (token?.kind !== "option" || token.value === undefined) return { port: "0", rest: args };
  const width = token.inlineValue ? 1 : 2;
  return { port: token.value, rest: args.filter((_, at) => at < token.index || at >= token.index + width) };
}

async function startServer(port: string): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      ...confined(serverPermissions(), SERVER_FOLDER),
      "server.ts",
      "serve",
      `--port=${port}`,
      `--data-dir=${SERVER_FOLDER}`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const log = await Deno.open(SERVER_LOG, { create: true, append: true, mode: 0o600 });
  const note = (line: string) => log.write(new TextEncoder().encode(`${line}\n`));
  const complaints: string[] = [];
  const start = Promise.withResolvers<Announcement | { complaints: readonly string[] }>();
  const timer = setTimeout(() => start.resolve({ complaints }), LISTEN_MS_MAX);
  let isStarting = true;
  const started = start.promise.finally(() => {
    isStarting = false;
    clearTimeout(timer);
  });

  const readOutput = async () => {
    let address: string | undefined;
    for await (const line of lines(child.stdout)) {
      address ??= /^sotto-server listening on (\S+)$/.exec(line)?.[1];
      const fingerprint = /^fingerprint (\S+)$/.exec(line)?.[1];
      if (address !== undefined && fingerprint !== undefined) start.resolve({ address, fingerprint });
      await note(line);
    }
  };
  const readErrors = async () => {
    for await (const line of lines(child.stderr)) {
      if (isStarting) complaints.push(line);
      await note(line);
    }
  };
  const ended = Promise.all([child.status, readOutput(), readErrors()]).then(([{ code }]) => {
    start.resolve({ complaints });
    log.close();
    return code;
  });
  return { child, start: started, ended };
}

function startClient(server: Announcement, args: readonly string[]): Deno.ChildProcess {
  const folder = Deno.env.get("SOTTO_CONFIG_DIR") || CLIENT_FOLDER;
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      ...confined(clientPermissions(), folder),
      "client.ts",
      "chat",
      server.address,
      `--host-key=${server.fingerprint}`,
      ...args,
    ],
    env: { SOTTO_CONFIG_DIR: folder },
  }).spawn();
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    // It has ended by itself already.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** The line a second person types, with the program that this one was started with. */
function invitation({ address }: Announcement): string {
  const deno = Deno.execPath().includes("/_npx/") ? `npx -y deno@${Deno.version.deno}` : "deno";
  return `A second person joins from another terminal with: ${deno} task chat ${address}`;
}
