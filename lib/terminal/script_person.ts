/**
 * A script in the place of a person: it has its answers beforehand, or none.
 *
 * @module
 */

import type { EnrolmentWay, Person } from "../client/person.ts";
import { visible } from "../text/visible.ts";

/** What a script is told, beside the conversation. */
export type Told =
  /** The recovery code of a new identity, this once. */
  | { readonly kind: "recoveryCode"; readonly code: string }
  /** One sentence. */
  | { readonly kind: "told"; readonly sentence: string };

/** What a script that reads lines is told. */
export function toldLine(told: Told): string {
  switch (told.kind) {
    case "recoveryCode":
      return `recovery code ${told.code} (keep it safe: it is shown this once, and gives the account back)`;
    case "told":
      return visible(told.sentence);
  }
}

/** What a script has to say. */
export interface ScriptAnswers {
  /** The password. */
  readonly password: string | undefined;
  /** The password that is to take its place. */
  readonly newPassword: string | undefined;
  /** Told what concerns the account. */
  readonly tell: (told: Told) => Promise<void>;
}

/** A script. A second question gets no other answer, so what was wrong stays wrong. */
export class ScriptPerson implements Person {
  readonly #answers: ScriptAnswers;

  /** Has `answers` and no others. */
  constructor(answers: ScriptAnswers) {
    this.#answers = answers;
  }

  /** The one password there is. */
  password(): Promise<string | undefined> {
    return Promise.resolve(this.#answers.password);
  }

  /** The first answer counts: a script does not mistype. */
  passwordAgain(first: string): Promise<string | undefined> {
    return Promise.resolve(first);
  }

  /** The one new password there is. */
  newPassword(): Promise<string | undefined> {
    return Promise.resolve(this.#answers.newPassword);
  }

  /** Nobody says yes. */
  confirm(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** There is no other name. */
  anotherName(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Nobody chooses. */
  enrolmentWay(): Promise<EnrolmentWay | undefined> {
    return Promise.resolve(undefined);
  }

  /** There is none beside the one of the environment, which is tried before anybody is asked. */
  recoveryCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Tells the code. */
  showRecoveryCode(code: string): Promise<void> {
    return this.#answers.tell({ kind: "recoveryCode", code });
  }

  /** Tells the words. */
  showApprovalWords(words: readonly string[]): Promise<void> {
    return this.tell(`The approving device must show these words, too: ${words.join(" ")}`);
  }

  /** Tells a sentence. */
  tell(sentence: string): Promise<void> {
    return this.#answers.tell({ kind: "told", sentence });
  }
}
