/**
 * How to come in, decided from what is known: by the device's key or by password, to a new account or an old one; and
 * what follows from how that came out. No decision here touches a socket or asks anybody.
 *
 * @module
 */

import type { RefusalCode } from "../login/message.ts";
import { Failure } from "../text/failure.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { OwnKeys } from "./keepers.ts";
import type { Attempt, LoginOutcome } from "./password_connection.ts";

/** What is known before the first byte. */
export interface Situation {
  /** `--register`: the account is to be made. */
  readonly register: boolean;
  /** The code of an invitation. */
  readonly code: Bytes | undefined;
  /** Whether the server is this very machine, where whoever comes first has a name. */
  readonly loopback: boolean;
  /** Whether a person can be asked. */
  readonly terminal: boolean;
}

/**
 * By which of the two kinds of login to come in. Keys that were published are used, unless an invitation is to be used
 * up: with `--register` it gives an account whose password was taken away a new one.
 */
export function loginKind(
  { register, code }: Pick<Situation, "register" | "code">,
  own: OwnKeys | undefined,
): "device" | "password" {
  if (own === undefined || !own.published) return "password";
  return register && code !== undefined ? "password" : "device";
}

/** Whether an account is wanted to be new: no failed login ever makes one. */
export type Wanted =
  /** It was said, so nothing else will do. */
  | "new"
  /** On this very machine: new where the name is free. */
  | "newIfFree"
  /** It is there already. */
  | "existing"
  /** Nobody said; a person is asked. */
  | "ask";

/** What kind of account is wanted. */
export function wantedAccount({ register, code, loopback, terminal }: Situation): Wanted {
  if (register || code !== undefined) return "new";
  if (loopback) return "newIfFree";
  return terminal ? "ask" : "existing";
}

/** What to try. `passwordAgain`: the password was typed twice, or nobody types it. */
export function attemptFor(
  wanted: Exclude<Wanted, "ask">,
  { code, terminal, passwordAgain }: {
    readonly code: Bytes | undefined;
    readonly terminal: boolean;
    readonly passwordAgain: boolean;
  },
): Attempt {
  if (wanted === "existing") return { kind: "login" };
  return {
    kind: "register",
    code,
    whenFree: terminal && !passwordAgain ? "stop" : "finish",
    whenRefused: wanted === "new" ? "stop" : "login",
  };
}

/** What to do after an attempt that did not log in. */
export type AfterAttempt =
  /** Have the password typed once more and try again: it makes a new account. */
  | { readonly kind: "passwordAgain" }
  /** Ask for another name, or the same one to log in to its account. */
  | { readonly kind: "anotherName"; readonly sentence: string }
  /** Ask for the password again. */
  | { readonly kind: "anotherPassword"; readonly sentence: string }
  /** Give up. */
  | { readonly kind: "fail"; readonly failure: Failure };

/** Decides on an attempt that did not log in; what came of a connection's end is its caller's. */
export function afterAttempt(
  outcome: Exclude<LoginOutcome, { kind: "entered" | "ended" }>,
  { handle, server, terminal, triesLeft }: {
    readonly handle: string;
    readonly server: string;
    readonly terminal: boolean;
    /** How many more passwords may be asked for. */
    readonly triesLeft: number;
  },
): AfterAttempt {
  switch (outcome.kind) {
    case "nameFree":
      return { kind: "passwordAgain" };
    case "wrongPassword":
      return terminal && triesLeft > 0
        ? { kind: "anotherPassword", sentence: wrongPassword(handle, "try again") }
        : { kind: "fail", failure: new Failure("noPermission", `${wrongPassword(handle, WRONG_REMEDY)}.`) };
    case "refused":
      if (terminal && outcome.code === "nameTaken") return { kind: "anotherName", sentence: taken(handle) };
      return {
        kind: "fail",
        failure: new Failure("noPermission", REFUSALS[outcome.code]({ handle, server })),
      };
  }
}

/** The failure of a device that may no longer log in. */
export function deviceRefused(handle: string, server: string): Failure {
  return new Failure(
    "noPermission",
    `Cannot log in as ${handle} with this device at ${server}: the account was disabled, banned or removed, or this ` +
      "device revoked; ask the server's operator, or log in by password in a terminal to make it a new device.",
  );
}

const WRONG_REMEDY = "correct them, or give --register for a new account";

function wrongPassword(handle: string, remedy: string): string {
  return `Cannot log in as ${handle}: the name or the password is wrong; ${remedy}`;
}

function taken(handle: string): string {
  return `The name ${handle}, or one that looks like it, is taken here; choose another, or give the same to log in as ${handle}`;
}

type Names = { readonly handle: string; readonly server: string };

const REFUSALS: Readonly<Record<RefusalCode, (names: Names) => string>> = {
  badLogin: ({ handle, server }) =>
    `Cannot log in as ${handle} at ${server}: the server refuses; ask its operator.`,
  tooManyTries: ({ handle, server }) =>
    `Cannot come in as ${handle} at ${server}: too much was tried for that name or from this address; ` +
    "wait some minutes and try again.",
  registrationClosed: ({ handle, server }) =>
    `Cannot register ${handle} at ${server}: it takes no new accounts, or none without an invitation; ` +
    "ask its operator for one.",
  badInvitation: ({ handle, server }) =>
    `Cannot register ${handle} at ${server}: the invitation is missing, used up, too old or for another name; ` +
    `ask its operator for another one, or leave it out if ${handle} has registered already.`,
  nameTaken: ({ handle, server }) =>
    `Cannot register ${handle} at ${server}: the name, or one that looks like it, is taken; ` +
    "choose another with --user, or log in without --register and without an invitation.",
};
