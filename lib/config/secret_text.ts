/**
 * Where secrets come from: a file, or the environment; never the command line, which every user of the machine can
 * read.
 *
 * @module
 */

import { PASSWORD_BYTES_MAX } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import { utf8 } from "../wire/bytes.ts";
import type { Environment } from "./folders.ts";
import { quoted } from "./quoted.ts";

/**
 * Reads a secret's file; throws a {@linkcode Failure} where it cannot. `what` names it in sentences: "the pre-shared
 * key".
 */
export type ReadSecret = (path: string, what: string) => Promise<string>;

/** Where to look. */
export interface SecretSources {
  /** The file that the secret's flag names. */
  readonly file: string | undefined;
  /** Has the secret's variable. */
  readonly environment: Environment;
  /** How a file is read. */
  readonly readSecret: ReadSecret;
}

/** A secret as people know it. */
interface Secret {
  readonly what: string;
  readonly flag: string | undefined;
  readonly variable: string | undefined;
  /** What to put there in its place. */
  readonly remedy: string;
}

const PRE_SHARED_KEY: Secret = {
  what: "the pre-shared key",
  flag: "--psk-file",
  variable: "SOTTO_PSK",
  remedy: "a passphrase",
};

const PASSWORD: Secret = {
  what: "the password",
  flag: "--password-file",
  variable: "SOTTO_PASSWORD",
  remedy: "the password",
};

const NEW_PASSWORD: Secret = {
  what: "the new password",
  flag: "--new-password-file",
  variable: undefined,
  remedy: "a new password",
};

const RECOVERY_CODE: Secret = {
  what: "the recovery code",
  flag: undefined,
  variable: "SOTTO_RECOVERY_CODE",
  remedy: "the recovery code",
};

const BRIDGE_KEY: Pick<Secret, "what"> = { what: "the Fernet key" };

const FERNET_KEY: Secret = {
  ...BRIDGE_KEY,
  flag: "--key-file",
  variable: "SOTTO_FERNET_KEY",
  remedy: "the key",
};

/**
 * The text of the pre-shared key as it was found, or `undefined` where none is set. Throws a {@linkcode Failure} where
 * it is said twice (usage), or is there but empty (usage, or data in a file): whoever sets one does not mean none.
 */
export function pskText(sources: SecretSources): Promise<string | undefined> {
  return secretText(PRE_SHARED_KEY, sources);
}

/** The password, without the newline that an editor leaves at its end; otherwise as {@linkcode pskText}. */
export function passwordText(sources: SecretSources): Promise<string | undefined> {
  return wholePassword(PASSWORD, sources);
}

/** The password that is to take another's place, as {@linkcode passwordText}; it has no variable. */
export function newPasswordText(sources: SecretSources): Promise<string | undefined> {
  return wholePassword(NEW_PASSWORD, sources);
}

/** The recovery code as it was typed; it has no file. */
export function recoveryCodeText(
  sources: Pick<SecretSources, "environment" | "readSecret">,
): Promise<string | undefined> {
  return secretText(RECOVERY_CODE, { ...sources, file: undefined });
}

/** The Fernet key of whoever visits a bridge, as {@linkcode pskText}. */
export function fernetKeyText(sources: SecretSources): Promise<string | undefined> {
  return secretText(FERNET_KEY, sources);
}

/** The Fernet key in `file`, of the server that has the bridge; never empty. Throws as {@linkcode pskText}. */
export function bridgeKeyText(file: string, readSecret: ReadSecret): Promise<string> {
  return fileText(BRIDGE_KEY, file, readSecret);
}

async function wholePassword(secret: Secret, sources: SecretSources): Promise<string | undefined> {
  const text = await secretText(secret, sources);
  if (text === undefined || utf8(text).length <= PASSWORD_BYTES_MAX) return text && withoutNewline(text);
  const limit = `it is longer than ${PASSWORD_BYTES_MAX} octets`;
  throw new Failure("data", `Cannot use ${secret.what}: ${limit}; use a shorter one.`);
}

async function secretText(
  secret: Secret,
  { file, environment, readSecret }: SecretSources,
): Promise<string | undefined> {
  const { flag, variable, remedy } = secret;
  const value = variable === undefined ? undefined : environment(variable);
  if (file === undefined) {
    if (value !== undefined && withoutNewline(value) === "") {
      throw new Failure("usage", `Cannot use ${variable}: it is empty; put ${remedy} into it, or unset it.`);
    }
    return value;
  }
  if (value !== undefined) {
    throw new Failure(
      "usage",
      `Cannot use both ${flag} and ${variable}: which one counts is unclear; drop one.`,
    );
  }
  return await fileText(secret, file, readSecret);
}

async function fileText(
  { what }: Pick<Secret, "what">,
  file: string,
  readSecret: ReadSecret,
): Promise<string> {
  const text = await readSecret(file, what);
  if (withoutNewline(text) !== "") return text;
  throw new Failure("data", `Cannot use ${what} in ${quoted(file)}: the file is empty; write one.`);
}

/** One newline is an editor's, not the secret's (PROTOCOL §4). */
function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
