/**
 * What a person sees when a program cannot do what it was asked: one sentence, and the code it ends with.
 *
 * @module
 */

/** The exit codes of both programs, after BSD's sysexits. */
export const EXIT_CODES = {
  /** Done, and delivered where that was asked. */
  ok: 0,
  /** The command line is wrong. */
  usage: 64,
  /** What was read is not what it should be. */
  data: 65,
  /** A file that was named is not there. */
  noInput: 66,
  /** The other end cannot be reached. */
  unavailable: 69,
  /** A fault of this program. */
  software: 70,
  /** A file or folder cannot be made or written. */
  cannotCreate: 73,
  /** Timed out or cut: trying again may help. */
  temporary: 75,
  /** The other end broke the protocol, or its host key is not the one expected. */
  protocol: 76,
  /** Not allowed. */
  noPermission: 77,
  /** The machine or the configuration does not fit. */
  config: 78,
} as const;

/** The name of an exit code. */
export type Exit = keyof typeof EXIT_CODES;

/**
 * Something that could not be done, told in one sentence: what could not be done, why, and what to do about it.
 *
 * ```ts
 * import { Failure } from "./failure.ts";
 * const failure = new Failure("usage", "Cannot use port 99999: ports go up to 65535; give another.");
 * console.assert(failure.exit === "usage");
 * ```
 */
export class Failure extends Error {
  /** The error's name. */
  override readonly name = "Failure";
  /** What the program ends with. */
  readonly exit: Exit;

  /** `sentence` is all that the person sees; it never holds a secret. */
  constructor(exit: Exit, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.exit = exit;
  }
}
