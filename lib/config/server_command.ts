/**
 * The command line of `sotto-server`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import { Failure } from "../text/failure.ts";
import { DEFAULT_ENDPOINT, hostFrom, isLoopback, portFrom } from "./address.ts";
import { administrationCommands, type AdministrationOptions } from "./administration_command.ts";
import { suitesFrom } from "./cipher_list.ts";
import {
  asTyped,
  flagTable,
  type ProgramContext,
  refuseCommand,
  runProgram,
  type Streams,
  type Writer,
} from "./command_line.ts";
import { type FileConfig, fileConfig, type FileFlags, fileFlags } from "./file_flags.ts";
import { type LogConfig, logConfig, type LogFlags, logFlags } from "./log_flags.ts";
import { type BridgeConfig, bridgeConfig, type BridgeFlags, bridgeFlags } from "./fernet_flags.ts";
import { type Environment, serverDataFolder } from "./folders.ts";
import { upkeepCommands, type UpkeepOptions } from "./upkeep_command.ts";
import { pskText, type ReadSecret } from "./secret_text.ts";
import { type PublicAddress, publicAddressFrom } from "./public_address.ts";
import { quoted } from "./quoted.ts";

/** Who may register: whoever has an invitation, anybody, or nobody but those whom the operator adds by name. */
export const REGISTRATIONS = ["invite", "open", "closed"] as const;

/** One of {@linkcode REGISTRATIONS}. */
export type Registration = typeof REGISTRATIONS[number];

/** Which certificate a server has in TLS. */
export type TlsConfig =
  /** One that it makes for itself and keeps in its data folder. */
  | { readonly kind: "selfSigned" }
  /** One in files that the operator names, and its key. */
  | { readonly kind: "files"; readonly certificate: string; readonly key: string };

/** What a server is to do. */
export interface ServerConfig<Suite extends string> {
  /** The host to listen on, in its one spelling. */
  readonly host: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  /** Where others reach it, for invitations, where that is not where it listens. */
  readonly address: PublicAddress | undefined;
  /** Who may register. */
  readonly registration: Registration;
  /** TLS below the channel, where it is wanted. */
  readonly tls: TlsConfig | undefined;
  /** Whether the operator talks and listens by standard input and output. */
  readonly console: boolean;
  /** The Fernet bridge, where one is wanted. */
  readonly bridge: BridgeConfig | undefined;
  /** Where its host key, accounts and rooms are. */
  readonly dataDir: string;
  /** How the logs of rooms are kept. */
  readonly logs: LogConfig;
  /** How much of files is kept for how long. */
  readonly files: FileConfig;
  /** The suites it takes, best first; at least one. */
  readonly suites: readonly Suite[];
  /** The text of the pre-shared key, where one is set; never empty. */
  readonly pskText: string | undefined;
  /** Whether to tell on standard error what happens on each channel. */
  readonly trace: boolean;
}

/** What the command line needs of its program. */
export interface ServerCommandOptions<Suite extends string>
  extends Streams, AdministrationOptions, UpkeepOptions {
  /** The release, for `--version`. */
  readonly version: string;
  /** All suites, the default first. */
  readonly suites: readonly Suite[];
  /** Asked for SOTTO_PSK, XDG_DATA_HOME and HOME, each only where it counts. */
  readonly environment: Environment;
  /** For what was asked for. */
  readonly stdout: Writer;
  /** How `--psk-file` and `--fernet-key-file` are read. */
  readonly readSecret: ReadSecret;
  /** Serves until the server ends; throws a {@linkcode Failure} where it cannot. */
  readonly serve: (config: ServerConfig<Suite>) => Promise<void>;
}

interface ServerFlags extends BridgeFlags, FileFlags, LogFlags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly address: PublicAddress | undefined;
  readonly registration: Registration | undefined;
  readonly dataDir: string | undefined;
  readonly tls: boolean | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly console: boolean | undefined;
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
    commands: {
      serve: serveCommand(options),
      ...administrationCommands(options),
      ...upkeepCommands(options),
    },
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
        [
          "[serve] [PORT] [--host HOST] [--port PORT] [--address HOST:PORT]",
          "[--registration invite|open|closed] [--data-dir DIR] [--console]",
          "[--key-file FILE] [--retention DAYS] [--file-quota MIB] [--file-days DAYS]",
          "[--tls [--tls-cert FILE --tls-key FILE]]",
          "[--fernet-listen HOST:PORT --fernet-key-file FILE]",
          "[--cipher LIST] [--psk-file FILE] [--trace]",
        ].join(`\n${" ".repeat(NAME.length + 3)}`),
        "user list | add | disable | enable | remove | reset …",
        "invite [--uses N] [--expires TIME] [--qr] …",
        "ban [--expires TIME] [--reason TEXT] … | unban | bans …",
        "room list …",
        "backup | restore | doctor …",
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
      brief: `address to listen on (${DEFAULT_ENDPOINT.host}); 0.0.0.0 and :: are all of this machine`,
    },
    port: {
      kind: "parsed",
      parse: (text) => portFrom(text, 0),
      optional: true,
      placeholder: "PORT",
      brief: `port to listen on (${DEFAULT_ENDPOINT.port}); 0 takes a free one`,
    },
    address: {
      kind: "parsed",
      parse: publicAddressFrom,
      optional: true,
      placeholder: "HOST:PORT",
      brief: "where others reach this server, for invitations (where it listens)",
    },
    registration: {
      kind: "parsed",
      parse: registrationFrom,
      optional: true,
      placeholder: "WHO",
      brief: `who may register: ${REGISTRATIONS.join(", ")} (open on loopback, else invite)`,
    },
    dataDir: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "DIR",
      brief: "folder for host key, accounts and rooms (~/.local/share/sotto-server)",
    },
    console: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "talk and listen in #lobby as the operator; /quit ends the server",
    },
    tls: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "TLS below the channel, by a certificate made at the first start",
    },
    tlsCert: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "a certificate of your own for --tls, in PEM",
    },
    tlsKey: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "its private key, in PEM",
    },
    ...logFlags(),
    ...fileFlags(),
    ...bridgeFlags(),
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
  const host = flags.host ?? DEFAULT_ENDPOINT.host;
  return {
    host,
    port: flags.port ?? portArgument ?? DEFAULT_ENDPOINT.port,
    address: flags.address,
    registration: flags.registration ?? (isLoopback(host) ? "open" : "invite"),
    tls: tlsConfig(flags),
    console: flags.console === true,
    bridge: await bridgeConfig(flags, readSecret),
    logs: logConfig(flags),
    files: fileConfig(flags),
    suites: suitesFrom(flags.cipher, suites),
    dataDir: flags.dataDir ?? serverDataFolder(environment),
    pskText: await pskText({ file: flags.pskFile, environment, readSecret }),
    trace: flags.trace === true,
  };
}

/** Naming a certificate is asking for TLS. */
function tlsConfig({ tls, tlsCert, tlsKey }: ServerFlags): TlsConfig | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { kind: "files", certificate: tlsCert, key: tlsKey };
  }
  if (tlsCert !== undefined || tlsKey !== undefined) {
    const [given, missing] = tlsKey === undefined ? ["--tls-cert", "--tls-key"] : ["--tls-key", "--tls-cert"];
    throw new Failure(
      "usage",
      `Cannot use ${given} alone: a certificate and its key go together; give ${missing} FILE, too.`,
    );
  }
  return tls === true ? { kind: "selfSigned" } : undefined;
}

function registrationFrom(text: string): Registration {
  const found = REGISTRATIONS.find((registration) => registration === text);
  if (found !== undefined) return found;
  const rule = `it is ${REGISTRATIONS.slice(0, -1).join(", ")} or ${REGISTRATIONS.at(-1)}`;
  throw new Failure("usage", `Cannot use ${quoted(text)} for --registration: ${rule}; give one of these.`);
}
