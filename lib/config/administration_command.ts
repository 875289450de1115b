/**
 * The commands of `sotto-server` that an operator gives to a server, running or not: `user …`, `room list`, `ban`,
 * `unban`, `bans` and `invite`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import { Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import { flagTable, type ProgramContext, type Writer } from "./command_line.ts";
import { type FolderFlags, folderFlags } from "./folder_flags.ts";
import { type Environment, serverDataFolder } from "./folders.ts";
import { KEY_FILE_FLAG } from "./log_flags.ts";
import { type PublicAddress, publicAddressFrom } from "./public_address.ts";
import { quoted } from "./quoted.ts";

/** What is asked for; lib/chat/administration.ts, which this folder does not know, has the same form of it. */
export type AdministrationRequest =
  | { readonly type: "userList" }
  | { readonly type: UserChange; readonly handle: Handle }
  | {
    readonly type: "ban";
    readonly subject: BanSubject;
    readonly lastingMs?: number;
    readonly reason?: string;
  }
  | { readonly type: "unban"; readonly subject: BanSubject }
  | { readonly type: "bans" }
  | { readonly type: "roomList" }
  | { readonly type: "invite"; readonly uses?: number; readonly lifetimeMs?: number };

/** An account by its name, or an IP address. */
type BanSubject =
  | { readonly kind: "account"; readonly handle: Handle }
  | { readonly kind: "address"; readonly address: string };

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
  /** Where the key of the rooms is, where it is not in the data folder; it counts where no server runs. */
  readonly keyFile: string | undefined;
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

/** Longest ban that ends by itself, and longest reason; a test compares them with lib/chat/administration.ts. */
export const BAN_LIMITS = { days: 3_650, reasonChars: 256 } as const;

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
    "room list": roomListCommand(options),
    ...Object.fromEntries(changes),
    "ban": banCommand(options),
    "unban": unbanCommand(options),
    "bans": bansCommand(options),
    "invite": inviteCommand(options),
  };
}

/** The flags of invitations. */
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

interface RoomListFlags extends FolderFlags {
  readonly keyFile: string | undefined;
}

function roomListCommand(options: AdministrationOptions): Command<ProgramContext> {
  return buildCommand<RoomListFlags, [], ProgramContext>({
    func: (flags) => carryOut({ type: "roomList" }, flags, options),
    parameters: {
      flags: flagTable<FlagParametersForType<RoomListFlags, ProgramContext>>({
        ...folderFlags(),
        keyFile: KEY_FILE_FLAG,
      }),
    },
    docs: { brief: "list all rooms" },
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

interface BanFlags extends FolderFlags {
  readonly expires: number | undefined;
  readonly reason: string | undefined;
}

const SUBJECT = {
  kind: "tuple",
  parameters: [{ brief: "an account's name, or an IP address", placeholder: "WHO", parse: subjectFrom }],
} as const;

function banCommand(options: AdministrationOptions): Command<ProgramContext> {
  return buildCommand<BanFlags, [BanSubject], ProgramContext>({
    func: (flags, subject) => {
      const { expires, reason } = flags;
      const request = {
        type: "ban",
        subject,
        ...(expires === undefined ? {} : { lastingMs: expires }),
        ...(reason === undefined ? {} : { reason }),
      } as const;
      return carryOut(request, flags, options);
    },
    parameters: {
      flags: flagTable<FlagParametersForType<BanFlags, ProgramContext>>({
        expires: {
          kind: "parsed",
          parse: (text) => timeFrom(text, BAN_LIMITS.days),
          optional: true,
          placeholder: "TIME",
          brief: "how long, like 30m, 24h or 7d (until it is lifted)",
        },
        reason: {
          kind: "parsed",
          parse: reasonFrom,
          optional: true,
          placeholder: "TEXT",
          brief: "why, for whoever looks at the list of bans",
        },
        ...folderFlags(),
      }),
      positional: SUBJECT,
    },
    docs: { brief: "keep an account, or an address, out of the whole server" },
  });
}

function unbanCommand(options: AdministrationOptions): Command<ProgramContext> {
  return buildCommand<FolderFlags, [BanSubject], ProgramContext>({
    func: (flags, subject) => carryOut({ type: "unban", subject }, flags, options),
    parameters: { flags: folderFlags(), positional: SUBJECT },
    docs: { brief: "let them in again" },
  });
}

function bansCommand(options: AdministrationOptions): Command<ProgramContext> {
  return buildCommand<FolderFlags, [], ProgramContext>({
    func: (flags) => carryOut({ type: "bans" }, flags, options),
    parameters: { flags: folderFlags() },
    docs: { brief: "list all bans from the whole server" },
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
          parse: (text) => timeFrom(text, INVITATION_LIMITS.days),
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
  flags: FolderFlags & Partial<InvitingFlags & RoomListFlags>,
  { stdout, environment, administer }: AdministrationOptions,
): Promise<void> {
  const lines = await administer({
    request,
    dataDir: flags.dataDir ?? serverDataFolder(environment),
    address: flags.address,
    qr: flags.qr === true,
    keyFile: flags.keyFile,
  });
  stdout.write(lines.map((line) => `${line}\n`).join(""));
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

/** What has a dot or a colon is an address, which no name has. */
function subjectFrom(text: string): BanSubject {
  if (!/[.:]/.test(text)) return { kind: "account", handle: handleFrom(text) };
  // What the list of bans shows of an IPv6 address is its /64, and that is what is meant by any address in it.
  const address = text.includes(":") ? text.replace(/\/64$/, "") : text;
  if (isAddress(address)) return { kind: "address", address };
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} as an address: it is no IP address; write it like 192.0.2.7 or 2001:db8::7.`,
  );
}

function isAddress(text: string): boolean {
  if (/^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}$/.test(text)) return true;
  return text.includes(":") && URL.canParse(`http://[${text}]/`);
}

function reasonFrom(text: string): string {
  if (text !== "" && text.length <= BAN_LIMITS.reasonChars) return text;
  throw new Failure(
    "usage",
    `Cannot use that reason: it has ${text.length} characters, and 1 to ${BAN_LIMITS.reasonChars} fit; write another.`,
  );
}

function timeFrom(text: string, daysMax: number): number {
  const [, number = "", unit] = /^([1-9][0-9]{0,8})([mhd])$/.exec(text) ?? [];
  const ms = unit === "m" || unit === "h" || unit === "d" ? Number(number) * UNIT_MS[unit] : undefined;
  if (ms !== undefined && ms <= daysMax * UNIT_MS.d) return ms;
  const rule = `it is minutes, hours or days, at most ${daysMax} of these`;
  throw new Failure("usage", `Cannot use ${quoted(text)} as a time: ${rule}; write it like 30m, 24h or 7d.`);
}
