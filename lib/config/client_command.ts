/**
 * The command line of `sotto`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import { displayNameFault } from "../text/display_name.ts";
import { type Exit, Failure } from "../text/failure.ts";
import { roomLabelFault } from "../text/room_label.ts";
import { LOBBY } from "../wire/message.ts";
import { asTyped, flagTable, type ProgramContext, runProgram, type Streams } from "./command_line.ts";
import {
  addressArgument,
  type ConnectionConfig,
  connectionConfig,
  type ConnectionFlags,
  connectionFlags,
  type ConnectionSources,
  type Destination,
} from "./connection_flags.ts";
import { fernetCommand, type FernetCommandOptions } from "./fernet_command.ts";
import { quoted } from "./quoted.ts";
import { newPasswordText, recoveryCodeText } from "./secret_text.ts";

/** What a client is to do. */
export interface ChatConfig<Suite extends string> extends ConnectionConfig<Suite> {
  /** Whether a new account was asked for; without it, an invitation's code asks for one, too. */
  readonly register: boolean;
  /** What this device is to be called, once it is one of the account's. */
  readonly device: string;
  /** The recovery code of the account, where it was said; never empty. */
  readonly recoveryCode: string | undefined;
  /** Lines for people, or JSON for programs. */
  readonly mode: Mode;
  /** The room to speak in at the beginning: `#name`, or `@handle` for a direct conversation. */
  readonly room: string;
  /**
   * For how many seconds a lost connection is tried anew, 0 for never; `undefined` where it was not said. At most
   * {@linkcode RECONNECT_SECONDS_MAX}.
   */
  readonly reconnect: number | undefined;
}

/** Longest time for which a lost connection may be tried anew, in seconds: a week, after which somebody should look. */
export const RECONNECT_SECONDS_MAX = 604_800;

/** A change of password. */
export interface PasswordConfig<Suite extends string> extends ConnectionConfig<Suite> {
  /** The new password, where it was said; never empty. */
  readonly newPassword: string | undefined;
}

/** What a client speaks by its standard input and output. */
export type Mode = "plain" | "json";

/** What the command line needs of its program. */
export interface ClientCommandOptions<Suite extends string>
  extends Streams, FernetCommandOptions, Omit<ConnectionSources<Suite>, "readInvitation"> {
  /** The release, for `--version`. */
  readonly version: string;
  /** A line with an invitation, of standard input or, where a person can be asked, typed; `undefined`: there is none. */
  readonly readInvitation: (mode: Mode) => Promise<string | undefined>;
  /** Chats until the person or the server ends it, and says how it ended; may throw a {@linkcode Failure}. */
  readonly chat: (config: ChatConfig<Suite>) => Promise<Exit>;
  /** Changes a password; throws a {@linkcode Failure} where it cannot. */
  readonly changePassword: (config: PasswordConfig<Suite>) => Promise<void>;
}

interface ChatFlags extends ConnectionFlags {
  readonly register: boolean | undefined;
  readonly device: string | undefined;
  readonly plain: boolean | undefined;
  readonly json: boolean | undefined;
  readonly room: string | undefined;
  readonly reconnect: number | undefined;
}

interface PasswordFlags extends ConnectionFlags {
  readonly newPasswordFile: string | undefined;
}

const NAME = "sotto";

const ADDRESS = addressArgument(["chat", "password", "fernet"], NAME);

/**
 * Answers the command line `args`: does what it asks, prints help or version, or says in one sentence what is wrong.
 * Gives the exit code, and does not throw.
 */
export function runClientCommand<Suite extends string>(
  args: readonly string[],
  options: ClientCommandOptions<Suite>,
): Promise<number> {
  const program = {
    name: NAME,
    version: options.version,
    commands: {
      chat: chatCommand(options),
      password: passwordCommand(options),
      fernet: fernetCommand(options, NAME),
    },
    defaultCommand: "chat",
    environment: [
      ["SOTTO_PASSWORD", "a password, as in a --password-file"],
      ["SOTTO_RECOVERY_CODE", "a recovery code, which makes this device one of the account's"],
      ["SOTTO_PSK", "a pre-shared key, as in a --psk-file"],
      ["SOTTO_FERNET_KEY", "the key of a Fernet bridge, for sotto fernet"],
      ["SOTTO_CONFIG_DIR", "folder for known hosts and keys (~/.config/sotto)"],
    ],
    wordMeans: "a host of that name",
  } as const;
  return runProgram(program, args, options);
}

function chatCommand<Suite extends string>(options: ClientCommandOptions<Suite>): Command<ProgramContext> {
  return buildCommand<ChatFlags, [Destination | undefined], ProgramContext>({
    async func(flags, destination) {
      this.end(await options.chat(await chatConfig(flags, destination, options)));
    },
    parameters: {
      flags: flagTable<FlagParametersForType<ChatFlags, ProgramContext>>({
        register: {
          kind: "boolean",
          optional: true,
          withNegated: false,
          brief: "make a new account; an invitation asks for one by itself",
        },
        ...connectionFlags(options.suites),
        device: {
          kind: "parsed",
          parse: deviceFrom,
          optional: true,
          placeholder: "NAME",
          brief: `what to call this device where it is new (${options.os})`,
        },
        room: {
          kind: "parsed",
          parse: roomFrom,
          optional: true,
          placeholder: "ROOM",
          brief: `where you speak at the beginning: #ROOM or @NAME (${LOBBY})`,
        },
        reconnect: {
          kind: "parsed",
          parse: reconnectFrom,
          optional: true,
          placeholder: "SECONDS",
          brief: "seconds to try a lost connection anew (for ever; 60 without a terminal)",
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
      }),
      positional: { kind: "tuple", parameters: [ADDRESS] },
    },
    docs: {
      brief: "chat",
      customUsage: [
        [
          "[chat] [ADDRESS] [--user NAME] [--password-file FILE] [--register]",
          "[--host HOST] [--port PORT] [--host-key KEY] [--tls [--tls-ca FILE]]",
          "[--psk-file FILE] [--cipher LIST] [--device NAME] [--room ROOM]",
          "[--reconnect SECONDS] [--plain | --json] [--trace]",
        ].join(`\n${" ".repeat(NAME.length + 3)}`),
        "password [ADDRESS] …",
        "fernet [ADDRESS] …",
      ],
      fullDescription: "Chats in the rooms of a Sotto server, encrypted all the way.",
    },
  });
}

function passwordCommand<Suite extends string>(
  options: ClientCommandOptions<Suite>,
): Command<ProgramContext> {
  return buildCommand<PasswordFlags, [Destination | undefined], ProgramContext>({
    func: async (flags, destination) =>
      await options.changePassword(await passwordConfig(flags, destination, options)),
    parameters: {
      flags: flagTable<FlagParametersForType<PasswordFlags, ProgramContext>>({
        ...connectionFlags(options.suites),
        newPasswordFile: {
          kind: "parsed",
          parse: asTyped,
          optional: true,
          placeholder: "FILE",
          brief: "the password that takes its place, where nobody can be asked",
        },
      }),
      positional: { kind: "tuple", parameters: [ADDRESS] },
    },
    docs: {
      brief: "change the password of an account",
      customUsage: [
        [
          "[ADDRESS] [--user NAME] [--password-file FILE]",
          "[--new-password-file FILE] [--host HOST] [--port PORT]",
          "[--host-key KEY] [--tls [--tls-ca FILE]] [--psk-file FILE]",
          "[--cipher LIST] [--trace]",
        ].join(`\n${" ".repeat(NAME.length + "password".length + 4)}`),
      ],
      fullDescription: "Changes the password of an account; its devices go on as before.",
    },
  });
}

async function chatConfig<Suite extends string>(
  flags: ChatFlags,
  destination: Destination | undefined,
  options: ClientCommandOptions<Suite>,
): Promise<ChatConfig<Suite>> {
  if (flags.plain === true && flags.json === true) {
    throw new Failure("usage", "Cannot use both --plain and --json: they are two ways of output; drop one.");
  }
  const mode = flags.json === true ? "json" : "plain";
  const recoveryCode = await recoveryCodeText(options);
  const sources = { ...options, readInvitation: () => options.readInvitation(mode) };
  return {
    ...await connectionConfig(flags, destination, sources),
    register: flags.register === true,
    device: flags.device ?? options.os,
    recoveryCode,
    mode,
    room: flags.room ?? LOBBY,
    reconnect: flags.reconnect,
  };
}

async function passwordConfig<Suite extends string>(
  flags: PasswordFlags,
  destination: Destination | undefined,
  options: ClientCommandOptions<Suite>,
): Promise<PasswordConfig<Suite>> {
  const { environment, readSecret } = options;
  const newPassword = await newPasswordText({ file: flags.newPasswordFile, environment, readSecret });
  const sources = { ...options, readInvitation: () => options.readInvitation("plain") };
  return { ...await connectionConfig(flags, destination, sources), newPassword };
}

function deviceFrom(text: string): string {
  const fault = displayNameFault(text);
  if (fault === undefined) return text;
  throw new Failure("usage", `${fault}.`);
}

function roomFrom(text: string): string {
  const fault = roomLabelFault(text);
  if (fault === undefined) return text;
  throw new Failure("usage", `${fault}.`);
}

function reconnectFrom(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,9}$/.test(text) && seconds <= RECONNECT_SECONDS_MAX) return seconds;
  throw new Failure(
    "usage",
    `Cannot use ${
      quoted(text)
    } for --reconnect: it is no whole number of seconds from 0 to ${RECONNECT_SECONDS_MAX}; ` +
      "give one of these.",
  );
}
