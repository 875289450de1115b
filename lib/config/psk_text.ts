/**
 * Where a pre-shared key comes from: a file, or the environment; never the command line, which every user of
 * the machine can read.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import type { Environment } from "./folders.ts";
import { quoted } from "./quoted.ts";

/** Reads a secret's file; throws a {@linkcode Failure} where it cannot. `what` names it in sentences. */
export type ReadSecret = (path: string, what: string) => Promise<string>;

/** Where to look. */
export interface PskSources {
  /** What `--psk-file` says. */
  readonly file: string | undefined;
  /** Has `SOTTO_PSK`. */
  readonly environment: Environment;
  /** How a file is read. */
  readonly readSecret: ReadSecret;
}

/**
 * The text of the pre-shared key, or `undefined` where none is set. Throws a {@linkcode Failure} where it is
 * said twice (usage), or is there but empty (usage, or data in a file): whoever sets one does not mean none.
 */
export async function pskText({ file, environment, readSecret }: PskSources): Promise<string | undefined> {
  const variable = environment("SOTTO_PSK");
  if (file === undefined) {
    if (variable !== undefined && isEmpty(variable)) {
      throw new Failure("usage", "Cannot use SOTTO_PSK: it is empty; put a passphrase into it, or unset it.");
    }
    return variable;
  }
  if (variable !== undefined) {
    throw new Failure(
      "usage",
      "Cannot use both --psk-file and SOTTO_PSK: which one counts is unclear; drop one.",
    );
  }
  const text = await readSecret(file, "the pre-shared key");
  if (!isEmpty(text)) return text;
  throw new Failure(
    "data",
    `Cannot use the pre-shared key in ${quoted(file)}: the file is empty; write one.`,
  );
}

/** One newline is an editor's, not the key's (PROTOCOL §4). */
function isEmpty(text: string): boolean {
  return text.replace(/\r?\n$/, "") === "";
}
