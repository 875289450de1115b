/**
 * What a server is told about the files that people put into rooms: how much they may keep, and for how long.
 *
 * @module
 */

import type { FlagParametersForType } from "@stricli/core";
import { Failure } from "../text/failure.ts";
import { flagTable, type ProgramContext } from "./command_line.ts";
import { quoted } from "./quoted.ts";

/** MiB that one account may keep unless something else is said: a few big files. */
export const FILE_QUOTA_MIB = 4_096;

/** Most MiB that can be asked for: a terabyte, the largest file there may be. */
export const FILE_QUOTA_MIB_MAX = 1_048_576;

/** Days that a file is kept unless something else is said: a year. */
export const FILE_DAYS = 365;

/** Most days that can be asked for: a hundred years; for ever is 0. */
export const FILE_DAYS_MAX = 36_500;

/** How much is kept for how long. */
export interface FileConfig {
  /** Octets that one account may keep. */
  readonly quotaBytes: number;
  /** Days after which a file is taken away; 0: never. */
  readonly days: number;
}

/** The flags, parsed. */
export interface FileFlags {
  /** `--file-quota`, in MiB. */
  readonly fileQuota: number | undefined;
  /** `--file-days`. */
  readonly fileDays: number | undefined;
}

/** The flags of {@linkcode FileFlags} for stricli. */
export function fileFlags(): FlagParametersForType<FileFlags, ProgramContext> {
  return flagTable<FlagParametersForType<FileFlags, ProgramContext>>({
    fileQuota: {
      kind: "parsed",
      parse: (text) => numberFrom(text, "--file-quota", FILE_QUOTA_MIB_MAX),
      optional: true,
      placeholder: "MIB",
      brief: `MiB of files that each account may keep (${FILE_QUOTA_MIB}); 0: nobody puts any`,
    },
    fileDays: {
      kind: "parsed",
      parse: (text) => numberFrom(text, "--file-days", FILE_DAYS_MAX),
      optional: true,
      placeholder: "DAYS",
      brief: `days after which a file is taken away (${FILE_DAYS}); 0: never`,
    },
  });
}

/** What the flags come to. */
export function fileConfig({ fileQuota, fileDays }: FileFlags): FileConfig {
  return { quotaBytes: (fileQuota ?? FILE_QUOTA_MIB) * 1_048_576, days: fileDays ?? FILE_DAYS };
}

/** A whole number from 0 to `most`. Throws a {@linkcode Failure} where `text`, given for `flag`, is none. */
export function numberFrom(text: string, flag: string, most: number): number {
  const number = /^[0-9]{1,7}$/.test(text) ? Number(text) : undefined;
  if (number !== undefined && number <= most) return number;
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} for ${flag}: it is a number from 0 to ${most}; give one of these.`,
  );
}
