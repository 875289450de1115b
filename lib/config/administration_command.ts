/**
 * The commands of `sotto-server` that an operator gives to a server, running or not: `user …` and `invite`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import { Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import { asTyped, flagTable, type ProgramContext, type Writer } from "./command_line.ts";
import { type Environment, serverDataFolder } from "./folders.ts";
import { type PublicAddress, publicAddressFrom } from "./public_address.ts";
import { quoted } from "./quoted.ts";

/** What is asked for; lib/chat/administration.ts, which this folder does not know, has the same form of it. */
export type AdministrationRequest =
  | { readonly type: "userList" }
  | { readonly type: UserChange; readonly handle: Handle }
  | { readonly type: "invite"; readonly uses?: number; readonly lifetimeMs?: number };

type UserChange = "userAdd" | "userDisable" | "userEnable" | "userRemove" | "userReset";

/** One command of an operator. */
export interface AdministrationCommand {
  /** What is to be done. */
  readonly request: AdministrationRequest;
  /** The data folder of the server that it is for. */
  readonly dataDir: string;
  /** What an invitation is to say, where it was said. */
  readonly address: PublicAddress | undefined;
  /** Whether an invitation is to be shown as a picture, too. */
  readonly qr: boolean;
}

/** What these commands need of their program. */
export interface AdministrationOptions {
  /** For what came of a command. */
  readonly stdout: Writer;
  /** Asked for XDG_DATA_HOME and HOME. */
  readonly environment: Environment;
  /** Does it, and gives what to print; throws a {@linkcode Failure} where it cannot. */
  readonly administer: (command: AdministrationCommand) => Promise<readonly string[]>;
}

/** Most uses of an invitation and its longest life; a test compares them with lib/chat/administration.ts. */
export const INVITATION_LIMITS = { uses: 10_000, days: 365 } as const;

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const CHANGES: Readonly<Record<string, readonly [UserChange, brief: string]>> = {
  "user add": ["userAdd", "invite somebody under a name that nobody else can take by it"],
  "user disable": ["userDisable", "end somebody's connections, and let them in no more"],
  "user enable": ["userEnable", "let somebody in again"],
  "user remove": ["userRemove", "remove an account; its name stays taken"],
  "user reset": ["userReset", "forget a password, and invite its owner to set a new one"],
};

/** The commands by name, for {@linkcode runProgram}. */
export function administrationCommands(
  options: AdministrationOptions,
): Readonly<Record<string, Command<ProgramContext>>> {
  const changes = Object.entries(CHANGES).map(([name, [type, brief]]) =>
    [name, changeCommand(type, brief, options)] as const
  );
  return {
    "user list": listCommand(options),
    ...Object.fromEntries(changes),
    "invite": inviteCommand(options),
  };
}

/** The flags that all commands have, and those of invitations. */
interface FolderFlags {
  readonly dataDir: string | undefined;
}

interface InvitingFlags extends FolderFlags {
  readonly address: PublicAddress | undefined;
  readonly qr: boolean | undefined;
}

interface InviteFlags extends InvitingFlags {
  readonly uses: number | undefined;
  readonly expires: number | undefined;
}

function listCommand(options: AdministrationOptions): Command<ProgramContext> {
  return buildCommand<FolderFlags, [], ProgramContext>({
    func: (flags) => carryOut({ type: "userList" }, flags, options),
    parameters: { flags: folderFlags() },
    docs: { brief: "list all accounts" },
  });
}

function changeCommand(
  type: UserChange,
  brief: string,
  options: AdministrationOptions,
): Command<ProgramContext> {
  const positional = {
    kind: "tuple",
    parameters: [{ brief: "the account's name", placeholder: "NAME", parse: handleFrom }],
  } as const;
  const docs = { brief };
  if (type === "userAdd" || type === "userReset") {
    return buildCommand<InvitingFlags, [Handle], ProgramContext>({
      func: (flags, handle) => carryOut({ type, handle }, flags, options),
      parameters: { flags: invitingFlags(), positional },
      docs,
    });
  }
  return buildCommand<FolderFlags, [Handle], ProgramContext>({
    func: (flags, handle) => carryOut({ type, handle }, flags, options),
    parameters: { flags: folderFlags(), positional },
    docs,
  });
}

function inviteCommand(options: AdministrationOptions): Command<ProgramContext> {
  return buildCommand<InviteFlags, [], ProgramContext>({
    func: (flags) => {
      const { uses, expires } = flags;
      const request = {
        type: "invite",
        ...(uses === undefined ? {} : { uses }),
        ...(expires === undefined ? {} : { lifetimeMs: expires }),
      } as const;
      return carryOut(request, flags, options);
    },
    parameters: {
      flags: flagTable<FlagParametersForType<InviteFlags, ProgramContext>>({
        uses: {
          kind: "parsed",
          parse: usesFrom,
          optional: true,
          placeholder: "N",
          brief: `how many may register by it (1; at most ${INVITATION_LIMITS.uses})`,
        },
        expires: {
          kind: "parsed",
          parse: lifetimeFrom,
          optional: true,
          placeholder: "TIME",
          brief: `how long it is good for, like 30m, 24h or 7d (24h; at most ${INVITATION_LIMITS.days}d)`,
        },
        ...invitingFlags(),
      }),
    },
    docs: { brief: "make an invitation" },
  });
}

async function carryOut(
  request: AdministrationRequest,
  flags: FolderFlags & Partial<InvitingFlags>,
  { stdout, environment, administer }: AdministrationOptions,
): Promise<void> {
  const lines = await administer({
    request,
    dataDir: flags.dataDir ?? serverDataFolder(environment),
    address: flags.address,
    qr: flags.qr === true,
  });
  stdout.write(lines.map((line) => `${line}\n`).join(""));
}

function folderFlags(): FlagParametersForType<FolderFlags, ProgramContext> {
  return flagTable<FlagParametersForType<FolderFlags, ProgramContext>>({
    dataDir: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "DIR",
      brief: "the server's data folder (~/.local/share/sotto-server)",
    },
  });
}

function invitingFlags(): FlagParametersForType<InvitingFlags, ProgramContext> {
  return flagTable<FlagParametersForType<InvitingFlags, ProgramContext>>({
    ...folderFlags(),
    address: {
      kind: "parsed",
      parse: publicAddressFrom,
      optional: true,
      placeholder: "HOST:PORT",
      brief: "where others reach the server (what the running one says)",
    },
    qr: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "show the invitation as a QR code, too",
    },
  });
}

function handleFrom(text: string): Handle {
  const handle = parseHandle(text);
  if (handle !== undefined) return handle;
  throw new Failure("usage", `${handleFault(text) ?? `Cannot use ${quoted(text)} as a name`}.`);
}

function usesFrom(text: string): number {
  const uses = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined;
  if (uses !== undefined && uses <= INVITATION_LIMITS.uses) return uses;
  const rule = `it is a number from 1 to ${INVITATION_LIMITS.uses}`;
  throw new Failure("usage", `Cannot use ${quoted(text)} as a number of uses: ${rule}; give one of these.`);
}

function lifetimeFrom(text: string): number {
  const [, number = "", unit] = /^([1-9][0-9]{0,8})([mhd])$/.exec(text) ?? [];
  const ms = unit === "m" || unit === "h" || unit === "d" ? Number(number) * UNIT_MS[unit] : undefined;
  if (ms !== undefined && ms <= INVITATION_LIMITS.days * UNIT_MS.d) return ms;
  const rule = `it is minutes, hours or days, at most ${INVITATION_LIMITS.days} of these`;
  throw new Failure("usage", `Cannot use ${quoted(text)} as a time: ${rule}; write it like 30m, 24h or 7d.`);
}
