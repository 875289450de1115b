/**
 * The command line of `sotto`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import { type HostKeyReference, parseHostKeyReference } from "../identity/host_key.ts";
import { type Exit, Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import { type Address, DEFAULT_ENDPOINT, hostFrom, parseAddress, portFrom } from "./address.ts";
import { suitesFrom } from "./cipher_list.ts";
import {
  asTyped,
  flagTable,
  type ProgramContext,
  refuseCommand,
  runProgram,
  type Streams,
} from "./command_line.ts";
import { clientConfigFolder, type Environment, type OperatingSystem } from "./folders.ts";
import { pskText, type ReadSecret } from "./psk_text.ts";
import { quoted } from "./quoted.ts";

/** What a client is to do. */
export interface ChatConfig<Suite extends string> {
  /** The server, as far as it was said. */
  readonly address: Address;
  /** The name to go by, where it was said. */
  readonly user: Handle | undefined;
  /** The host key that the server must have, where one was given. */
  readonly hostKey: HostKeyReference | undefined;
  /** The suites to offer; at least one. */
  readonly suites: readonly Suite[];
  /** The text of the pre-shared key, where one is set; never empty. */
  readonly pskText: string | undefined;
  /** Lines for people, or JSON for programs. */
  readonly mode: "plain" | "json";
  /** Whether to tell on standard error what happens on the channel. */
  readonly trace: boolean;
  /** The folder of known hosts, and later of keys. */
  readonly configDir: string;
}

/** What the command line needs of its program. */
export interface ClientCommandOptions<Suite extends string> extends Streams {
  /** The release, for `--version`. */
  readonly version: string;
  /** All suites, the default first. */
  readonly suites: readonly Suite[];
  /**
   * Asked for SOTTO_PSK, SOTTO_CONFIG_DIR, XDG_CONFIG_HOME and HOME, or APPDATA, each only where it counts.
   */
  readonly environment: Environment;
  /** Which system's folders to use. */
  readonly os: OperatingSystem;
  /** How `--psk-file` is read. */
  readonly readSecret: ReadSecret;
  /** Chats until the person or the server ends it, and says how it ended; may throw a {@linkcode Failure}. */
  readonly chat: (config: ChatConfig<Suite>) => Promise<Exit>;
}

interface ChatFlags {
  readonly user: Handle | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly hostKey: HostKeyReference | undefined;
  readonly pskFile: string | undefined;
  readonly cipher: string | undefined;
  readonly plain: boolean | undefined;
  readonly json: boolean | undefined;
  readonly trace: boolean | undefined;
}

const NAME = "sotto";

/**
 * Answers the command line `args`: chats, prints help or version, or says in one sentence what is wrong.
 * Gives the exit code, and does not throw.
 */
export function runClientCommand<Suite extends string>(
  args: readonly string[],
  options: ClientCommandOptions<Suite>,
): Promise<number> {
  const program = {
    name: NAME,
    version: options.version,
    commands: { chat: chatCommand(options) },
    defaultCommand: "chat",
    environment: [
      ["SOTTO_PSK", "a pre-shared key, as in a --psk-file"],
      ["SOTTO_CONFIG_DIR", "folder for known hosts (~/.config/sotto)"],
    ],
    wordMeans: "a host of that name",
  } as const;
  return runProgram(program, args, options);
}

function chatCommand<Suite extends string>(options: ClientCommandOptions<Suite>): Command<ProgramContext> {
  return buildCommand<ChatFlags, [Address | undefined], ProgramContext>({
    async func(flags, address) {
      this.end(await options.chat(await chatConfig(flags, address, options)));
    },
    parameters: {
      flags: chatFlags(options.suites),
      positional: { kind: "tuple", parameters: [{ ...ADDRESS_ARGUMENT, optional: true }] },
    },
    docs: {
      brief: "chat",
      customUsage: [
        "[chat] [ADDRESS] [--user NAME] [--host HOST] [--port PORT]\n" +
        `${" ".repeat(NAME.length + 3)}[--host-key KEY] [--psk-file FILE] [--cipher LIST]\n` +
        `${" ".repeat(NAME.length + 3)}[--plain | --json] [--trace]`,
      ],
      fullDescription: "Chats in #lobby of a Sotto server, encrypted all the way.",
    },
  });
}

const ADDRESS_ARGUMENT = {
  brief: `HOST, HOST:PORT, [IPv6]:PORT or a port (${DEFAULT_ENDPOINT.host}:${DEFAULT_ENDPOINT.port})`,
  placeholder: "ADDRESS",
  parse: addressArgument,
} as const;

function addressArgument(text: string): Address {
  refuseCommand(text, "chat", NAME);
  return parseAddress(text);
}

function chatFlags(suites: readonly string[]): FlagParametersForType<ChatFlags, ProgramContext> {
  return flagTable<FlagParametersForType<ChatFlags, ProgramContext>>({
    user: {
      kind: "parsed",
      parse: userFrom,
      optional: true,
      placeholder: "NAME",
      brief: "the name you go by",
    },
    host: {
      kind: "parsed",
      parse: hostFrom,
      optional: true,
      placeholder: "HOST",
      brief: "the server's host, instead of ADDRESS",
    },
    port: {
      kind: "parsed",
      parse: (text) => portFrom(text, 1),
      optional: true,
      placeholder: "PORT",
      brief: "the server's port",
    },
    hostKey: {
      kind: "parsed",
      parse: hostKeyFrom,
      optional: true,
      placeholder: "KEY",
      brief: "accept this host key only: SHA256:… as the server prints it, or the key",
    },
    pskFile: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "pre-shared key: 64 hexadecimal digits, or a passphrase",
    },
    cipher: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "LIST",
      brief: `suites to offer (${suites.join(",")})`,
    },
    plain: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "lines of text in and out (the default)",
    },
    json: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "lines of JSON in and out, for programs",
    },
    trace: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "explain the handshake and each record on standard error",
    },
  });
}

async function chatConfig<Suite extends string>(
  flags: ChatFlags,
  address: Address | undefined,
  { suites, environment, os, readSecret }: ClientCommandOptions<Suite>,
): Promise<ChatConfig<Suite>> {
  if (flags.plain === true && flags.json === true) {
    throw new Failure("usage", "Cannot use both --plain and --json: they are two ways of output; drop one.");
  }
  return {
    address: {
      host: oneOf("host", address?.host, flags.host),
      port: oneOf("port", address?.port, flags.port),
    },
    user: flags.user,
    hostKey: flags.hostKey,
    suites: suitesFrom(flags.cipher, suites),
    pskText: await pskText({ file: flags.pskFile, environment, readSecret }),
    mode: flags.json === true ? "json" : "plain",
    trace: flags.trace === true,
    configDir: clientConfigFolder(environment, os),
  };
}

function oneOf<Part>(name: string, inAddress: Part | undefined, inFlag: Part | undefined): Part | undefined {
  if (inAddress === undefined || inFlag === undefined) return inAddress ?? inFlag;
  throw new Failure("usage", `Cannot use --${name}: the address has a ${name} already; drop one of them.`);
}

function userFrom(text: string): Handle {
  const handle = parseHandle(text);
  if (handle !== undefined) return handle;
  throw new Failure("usage", `${handleFault(text) ?? `Cannot use ${quoted(text)} as a name`}.`);
}

function hostKeyFrom(text: string): HostKeyReference {
  const reference = parseHostKeyReference(text);
  if (reference !== undefined) return reference;
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} as a host key: it is neither a fingerprint (SHA256:…) nor a key in base64; ` +
      "copy the fingerprint that the server prints when it starts.",
  );
}
