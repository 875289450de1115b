/**
 * The command line of `sotto-server`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import { Failure } from "../text/failure.ts";
import { DEFAULT_ENDPOINT, hostFrom, isLoopback, portFrom } from "./address.ts";
import { suitesFrom } from "./cipher_list.ts";
import {
  asTyped,
  flagTable,
  type ProgramContext,
  refuseCommand,
  runProgram,
  type Streams,
} from "./command_line.ts";
import { type Environment, serverDataFolder } from "./folders.ts";
import { pskText, type ReadSecret } from "./psk_text.ts";
import { quoted } from "./quoted.ts";

/** What a server is to do. */
export interface ServerConfig<Suite extends string> {
  /** A loopback host in its one spelling. */
  readonly host: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  /** Where its host key is, and later its data. */
  readonly dataDir: string;
  /** The suites it takes, best first; at least one. */
  readonly suites: readonly Suite[];
  /** The text of the pre-shared key, where one is set; never empty. */
  readonly pskText: string | undefined;
  /** Whether to tell on standard error what happens on each channel. */
  readonly trace: boolean;
}

/** What the command line needs of its program. */
export interface ServerCommandOptions<Suite extends string> extends Streams {
  /** The release, for `--version`. */
  readonly version: string;
  /** All suites, the default first. */
  readonly suites: readonly Suite[];
  /** Asked for SOTTO_PSK, XDG_DATA_HOME and HOME, each only where it counts. */
  readonly environment: Environment;
  /** How `--psk-file` is read. */
  readonly readSecret: ReadSecret;
  /** Serves until the server ends; throws a {@linkcode Failure} where it cannot. */
  readonly serve: (config: ServerConfig<Suite>) => Promise<void>;
}

interface ServerFlags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly dataDir: string | undefined;
  readonly cipher: string | undefined;
  readonly pskFile: string | undefined;
  readonly trace: boolean | undefined;
}

const NAME = "sotto-server";

/**
 * Answers the command line `args`: serves, prints help or version, or says in one sentence what is wrong.
 * Gives the exit code, and does not throw.
 */
export function runServerCommand<Suite extends string>(
  args: readonly string[],
  options: ServerCommandOptions<Suite>,
): Promise<number> {
  const program = {
    name: NAME,
    version: options.version,
    commands: { serve: serveCommand(options) },
    defaultCommand: "serve",
    environment: [
      ["SOTTO_PSK", "a pre-shared key, as in a --psk-file"],
      ["XDG_DATA_HOME", "where the data folder is, unless --data-dir says"],
    ],
  } as const;
  return runProgram(program, args, options);
}

function serveCommand<Suite extends string>(options: ServerCommandOptions<Suite>): Command<ProgramContext> {
  return buildCommand<ServerFlags, [number | undefined], ProgramContext>({
    func: async (flags, port) => await options.serve(await serverConfig(flags, port, options)),
    parameters: {
      flags: serverFlags(options.suites),
      positional: { kind: "tuple", parameters: [{ ...PORT_ARGUMENT, optional: true }] },
    },
    docs: {
      brief: "run a server",
      customUsage: [
        "[serve] [PORT] [--host HOST] [--port PORT] [--data-dir DIR]\n" +
        `${" ".repeat(NAME.length + 3)}[--cipher LIST] [--psk-file FILE] [--trace]`,
      ],
      fullDescription: "Runs a Sotto server: a chat for a small group, encrypted all the way.",
    },
  });
}

const PORT_ARGUMENT = {
  brief: "the same as --port",
  placeholder: "PORT",
  parse: portArgument,
} as const;

function portArgument(text: string): number {
  refuseCommand(text, "serve", NAME);
  return portFrom(text, 0);
}

function serverFlags(suites: readonly string[]): FlagParametersForType<ServerFlags, ProgramContext> {
  return flagTable<FlagParametersForType<ServerFlags, ProgramContext>>({
    host: {
      kind: "parsed",
      parse: hostFrom,
      optional: true,
      placeholder: "HOST",
      brief: `loopback address to listen on (${DEFAULT_ENDPOINT.host})`,
    },
    port: {
      kind: "parsed",
      parse: (text) => portFrom(text, 0),
      optional: true,
      placeholder: "PORT",
      brief: `port to listen on (${DEFAULT_ENDPOINT.port}); 0 takes a free one`,
    },
    dataDir: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "DIR",
      brief: "folder for the host key (~/.local/share/sotto-server)",
    },
    cipher: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "LIST",
      brief: `suites to accept, best first (${suites.join(",")})`,
    },
    pskFile: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "pre-shared key: 64 hexadecimal digits, or a passphrase",
    },
    trace: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "explain each handshake and record on standard error",
    },
  });
}

async function serverConfig<Suite extends string>(
  flags: ServerFlags,
  portArgument: number | undefined,
  { suites, environment, readSecret }: ServerCommandOptions<Suite>,
): Promise<ServerConfig<Suite>> {
  if (flags.port !== undefined && portArgument !== undefined) {
    throw new Failure("usage", "Cannot use both PORT and --port: which one counts is unclear; drop one.");
  }
  return {
    host: loopback(flags.host ?? DEFAULT_ENDPOINT.host),
    port: flags.port ?? portArgument ?? DEFAULT_ENDPOINT.port,
    suites: suitesFrom(flags.cipher, suites),
    dataDir: flags.dataDir ?? serverDataFolder(environment),
    pskText: await pskText({ file: flags.pskFile, environment, readSecret }),
    trace: flags.trace === true,
  };
}

/** Who connects is not asked for a password yet, so nobody from elsewhere may. */
function loopback(host: string): string {
  if (isLoopback(host)) return host;
  throw new Failure(
    "usage",
    `Cannot listen on ${quoted(host)}: until there are accounts, the server answers on loopback only; ` +
      "use 127.0.0.1, ::1 or localhost.",
  );
}
