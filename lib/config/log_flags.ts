/**
 * What a server is told about the logs of rooms: under which key they are kept, and for how long.
 *
 * @module
 */

import type { FlagParametersForType } from "@stricli/core";
import { Failure } from "../text/failure.ts";
import { RETENTION_DAYS_MAX } from "../wire/limits.ts";
import { asTyped, flagTable, type ProgramContext } from "./command_line.ts";
import { numberFrom } from "./file_flags.ts";
import { quoted } from "./quoted.ts";

/** How logs are kept. */
export interface LogConfig {
  /** The file with the key that they are sealed under; `undefined` for the one in the data folder. */
  readonly keyFile: string | undefined;
  /** Days after which entries of new rooms are dropped; 0: never. */
  readonly retention: number;
  /** Whether entries are encrypted once for all who hear them, or for each. */
  readonly fanout: (typeof FANOUTS)[number];
}

/** The ways of `--fanout`, the default first. */
const FANOUTS = ["shared", "individual"] as const;

/** The flags, parsed. */
export interface LogFlags {
  /** `--key-file`. */
  readonly keyFile: string | undefined;
  /** `--retention`. */
  readonly retention: number | undefined;
  /** `--fanout`. */
  readonly fanout: LogConfig["fanout"] | undefined;
}

/** `--key-file` for stricli. */
export const KEY_FILE_FLAG = {
  kind: "parsed",
  parse: asTyped,
  optional: true,
  placeholder: "FILE",
  brief: "file with the key of rooms and files (rest.key in the data folder)",
} as const;

/** The flags of {@linkcode LogFlags} for stricli. */
export function logFlags(): FlagParametersForType<LogFlags, ProgramContext> {
  return flagTable<FlagParametersForType<LogFlags, ProgramContext>>({
    keyFile: KEY_FILE_FLAG,
    retention: {
      kind: "parsed",
      parse: (text) => numberFrom(text, "--retention", RETENTION_DAYS_MAX),
      optional: true,
      placeholder: "DAYS",
      brief: "days after which new rooms drop what was said (0: never)",
    },
    fanout: {
      kind: "parsed",
      parse: fanoutFrom,
      optional: true,
      placeholder: "HOW",
      brief: "shared: messages encrypted once for their room; or individual",
    },
  });
}

/** What the flags come to. */
export function logConfig({ keyFile, retention, fanout = "shared" }: LogFlags): LogConfig {
  return { keyFile, retention: retention ?? 0, fanout };
}

function fanoutFrom(text: string): LogConfig["fanout"] {
  const found = FANOUTS.find((fanout) => fanout === text);
  if (found !== undefined) return found;
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} for --fanout: it is ${FANOUTS.join(" or ")}; give one of these.`,
  );
}
