/**
 * The commands of `sotto-server` that see to its data folder: `backup`, `restore` and `doctor`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import type { Exit } from "../text/failure.ts";
import { asTyped, flagTable, type ProgramContext, type Writer } from "./command_line.ts";
import { type FolderFlags, folderFlags } from "./folder_flags.ts";
import { type Environment, serverDataFolder } from "./folders.ts";
import { KEY_FILE_FLAG } from "./log_flags.ts";

/** What is to be done with a data folder. */
export type UpkeepCommand =
  /** Copies it into the folder `other`, whether a server runs on it or not. */
  | { readonly type: "backup"; readonly other: string; readonly dataDir: string }
  /** Makes it from the backup in the folder `other`. */
  | { readonly type: "restore"; readonly other: string; readonly dataDir: string }
  /** Looks for what is at fault in it; `keyFile` is where the key of the rooms is, where it is not in there. */
  | { readonly type: "doctor"; readonly dataDir: string; readonly keyFile: string | undefined };

/** What these commands need of their program. */
export interface UpkeepOptions {
  /** For what came of a command. */
  readonly stdout: Writer;
  /** Asked for XDG_DATA_HOME and HOME. */
  readonly environment: Environment;
  /** Does it, and gives each line to print when it is known; settles with how it ended, and may throw a `Failure`. */
  readonly seeTo: (command: UpkeepCommand, print: (line: string) => void) => Promise<Exit>;
}

interface DoctorFlags extends FolderFlags {
  readonly keyFile: string | undefined;
}

/** The commands by name, for {@linkcode runProgram}. */
export function upkeepCommands(options: UpkeepOptions): Readonly<Record<string, Command<ProgramContext>>> {
  return {
    backup: folderCommand("backup", "copy the data folder, while a server runs on it or not", options),
    restore: folderCommand("restore", "make a data folder from a backup", options),
    doctor: buildCommand<DoctorFlags, [], ProgramContext>({
      async func({ dataDir, keyFile }) {
        const command = { type: "doctor", dataDir: dataDirOf(dataDir, options), keyFile } as const;
        this.end(await carryOut(command, options));
      },
      parameters: {
        flags: flagTable<FlagParametersForType<DoctorFlags, ProgramContext>>({
          ...folderFlags(),
          keyFile: KEY_FILE_FLAG,
        }),
      },
      docs: { brief: "look for what is at fault in the data folder" },
    }),
  };
}

function folderCommand(
  type: "backup" | "restore",
  brief: string,
  options: UpkeepOptions,
): Command<ProgramContext> {
  const what = type === "backup" ? "an empty folder to put it into" : "the folder of the backup";
  return buildCommand<FolderFlags, [string], ProgramContext>({
    async func({ dataDir }, other) {
      this.end(await carryOut({ type, other, dataDir: dataDirOf(dataDir, options) }, options));
    },
    parameters: {
      flags: folderFlags(),
      positional: { kind: "tuple", parameters: [{ brief: what, placeholder: "FOLDER", parse: asTyped }] },
    },
    docs: { brief },
  });
}

function carryOut(command: UpkeepCommand, { stdout, seeTo }: UpkeepOptions): Promise<Exit> {
  return seeTo(command, (line) => stdout.write(`${line}\n`));
}

function dataDirOf(given: string | undefined, { environment }: UpkeepOptions): string {
  return given ?? serverDataFolder(environment);
}
