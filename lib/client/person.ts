/**
 * What entering a server asks of whoever sits there, as an interface: a terminal asks in words, a script answers from
 * its environment or not at all.
 *
 * @module
 */

/** How a new device of an existing account becomes one of its devices. */
export type EnrolmentWay =
  /** Another device approves it, by words compared. */
  | "approval"
  /** By the recovery code of the account. */
  | "recovery"
  /** Neither is at hand: a new identity, which everybody is told of. */
  | "newIdentity";

/** Whoever sits there. Questions give `undefined` where nobody answers. */
export interface Person {
  /** The password; `sentence` says what was wrong with the last one. A script has one answer, whatever is asked. */
  password(sentence: string | undefined): Promise<string | undefined>;
  /** A new password in place of the old one, typed twice; a script's first answer counts. */
  newPassword(): Promise<string | undefined>;
  /** Yes or no to a question of one line or more, without what may be answered; no where nobody answers. */
  confirm(question: string): Promise<boolean>;
  /** The password typed once more, for a new account; a script's first answer counts. */
  passwordAgain(first: string): Promise<string | undefined>;
  /** Another name, where the one wanted is taken; the sentence says so. */
  anotherName(sentence: string): Promise<string | undefined>;
  /** How this device is to be enrolled; `hasRecovery` tells whether the account has a recovery code. */
  enrolmentWay(choice: { readonly hasRecovery: boolean }): Promise<EnrolmentWay | undefined>;
  /** The recovery code as typed; `sentence` says what was wrong with the last one. */
  recoveryCode(sentence: string | undefined): Promise<string | undefined>;
  /** Shows the recovery code of a new identity, once: to be written down. */
  showRecoveryCode(code: string): Promise<void>;
  /** Shows the words that the approving device shows, too. */
  showApprovalWords(words: readonly string[]): Promise<void>;
  /** Tells one sentence. */
  tell(sentence: string): Promise<void>;
}
