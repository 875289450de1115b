/**
 * How tests start the two programs: as executables, or from their sources.
 *
 * @module
 */

import { clientPermissions, serverPermissions } from "../../tools/permissions.ts";
import { Program, type ProgramOptions } from "../../tools/program.ts";

/** A file to start and the arguments that come before a program's own. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
}

/** The two programs. */
export interface Launches {
  readonly server: Launch;
  readonly client: Launch;
}

/** Where a server listens, and the key it answers with. */
export interface Announcement {
  readonly address: string;
  readonly fingerprint: string;
}

/** What SOTTO_DIST names: a folder with the executables. */
const GIVEN = Deno.env.get("SOTTO_DIST") || undefined;

/** What tests that suit both run: the executables that SOTTO_DIST names, else the sources. */
export function launches(): Launches {
  if (GIVEN !== undefined) return executables(GIVEN);
  const run = ["run", "--frozen"];
  return {
    server: { file: Deno.execPath(), args: [...run, ...serverPermissions(), "server.ts"] },
    client: { file: Deno.execPath(), args: [...run, ...clientPermissions(), "client.ts"] },
  };
}

/** The executables that SOTTO_DIST names, else those in dist/; `undefined` where they are not built. */
export async function builtExecutables(): Promise<Launches | undefined> {
  const built = executables(GIVEN ?? "dist");
  try {
    await Promise.all([Deno.stat(built.server.file), Deno.stat(built.client.file)]);
    return built;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Starts a program; sentences about it call it `name`. */
export function start(name: string, launch: Launch, options: ProgramOptions): Program {
  return new Program(name, launch.file, { ...options, args: [...launch.args, ...options.args] });
}

/** What a server says when it accepts connections. */
export async function announcement({ output }: Program): Promise<Announcement> {
  const said = (pattern: RegExp) => (line: string) => pattern.exec(line)?.[1];
  return {
    address: await output.until("it listened", said(/^sotto-server listening on (\S+)$/)),
    fingerprint: await output.until("it showed its fingerprint", said(/^fingerprint (\S+)$/)),
  };
}

/** Absolute, since a program may be started in another folder. */
function executables(folder: string): Launches {
  const path = folder.startsWith("/") ? folder : `${Deno.cwd()}/${folder}`;
  return {
    server: { file: `${path}/sotto-server`, args: [] },
    client: { file: `${path}/sotto`, args: [] },
  };
}
