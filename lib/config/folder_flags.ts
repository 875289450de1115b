/**
 * Which data folder a command of `sotto-server` is about.
 *
 * @module
 */

import type { FlagParametersForType } from "@stricli/core";
import { asTyped, flagTable, type ProgramContext } from "./command_line.ts";

/** The flag, parsed. */
export interface FolderFlags {
  /** `--data-dir`. */
  readonly dataDir: string | undefined;
}

/** The flag of {@linkcode FolderFlags} for stricli. */
export function folderFlags(): FlagParametersForType<FolderFlags, ProgramContext> {
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
