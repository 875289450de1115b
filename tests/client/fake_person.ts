/**
 * A person whose answers a test has written down beforehand.
 *
 * @module
 */

import type { EnrolmentWay, Person } from "../../lib/client/person.ts";

/** What is answered, each list in its order; where it ends, nobody answers. */
export interface Answers {
  /** Passwords. */
  readonly password?: readonly string[];
  /** Passwords typed once more. */
  readonly passwordAgain?: readonly string[];
  /** A new password. */
  readonly newPassword?: readonly string[];
  /** Answers to yes or no. */
  readonly confirm?: readonly boolean[];
  /** Other names. */
  readonly anotherName?: readonly string[];
  /** Ways to enrol. */
  readonly enrolmentWay?: readonly EnrolmentWay[];
  /** Recovery codes. */
  readonly recoveryCode?: readonly string[];
}

/** Such a person, and what they were asked and told. */
export class FakePerson implements Person {
  /** What was asked, in order, by the name of the question. */
  readonly asked: string[] = [];
  /** All sentences that came with questions or alone. */
  readonly sentences: string[] = [];
  /** The recovery codes that were shown. */
  readonly codes: string[] = [];
  /** Settles with the words of the first approval that is asked for. */
  readonly words: Promise<readonly string[]>;

  readonly #answers: { readonly [Question in keyof Answers]: NonNullable<Answers[Question]>[number][] };
  readonly #showWords: (words: readonly string[]) => void;

  /** A person who answers `answers`. */
  constructor(answers: Answers = {}) {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    this.words = promise;
    this.#showWords = resolve;
    this.#answers = {
      password: [...answers.password ?? []],
      passwordAgain: [...answers.passwordAgain ?? []],
      newPassword: [...answers.newPassword ?? []],
      confirm: [...answers.confirm ?? []],
      anotherName: [...answers.anotherName ?? []],
      enrolmentWay: [...answers.enrolmentWay ?? []],
      recoveryCode: [...answers.recoveryCode ?? []],
    };
  }

  /** See {@linkcode Person}. */
  password(sentence: string | undefined): Promise<string | undefined> {
    return this.#answer("password", this.#answers.password, sentence);
  }

  /** See {@linkcode Person}. */
  newPassword(): Promise<string | undefined> {
    return this.#answer("newPassword", this.#answers.newPassword);
  }

  /** See {@linkcode Person}. */
  async confirm(question: string): Promise<boolean> {
    return await this.#answer("confirm", this.#answers.confirm, question) ?? false;
  }

  /** See {@linkcode Person}. */
  passwordAgain(): Promise<string | undefined> {
    return this.#answer("passwordAgain", this.#answers.passwordAgain);
  }

  /** See {@linkcode Person}. */
  anotherName(sentence: string): Promise<string | undefined> {
    return this.#answer("anotherName", this.#answers.anotherName, sentence);
  }

  /** See {@linkcode Person}. */
  enrolmentWay({ hasRecovery }: { readonly hasRecovery: boolean }): Promise<EnrolmentWay | undefined> {
    return this.#answer("enrolmentWay", this.#answers.enrolmentWay, hasRecovery ? "a code" : "no code");
  }

  /** See {@linkcode Person}. */
  recoveryCode(sentence: string | undefined): Promise<string | undefined> {
    return this.#answer("recoveryCode", this.#answers.recoveryCode, sentence);
  }

  /** See {@linkcode Person}. */
  showRecoveryCode(code: string): Promise<void> {
    this.codes.push(code);
    return Promise.resolve();
  }

  /** See {@linkcode Person}. */
  showApprovalWords(words: readonly string[]): Promise<void> {
    this.#showWords(words);
    return Promise.resolve();
  }

  /** See {@linkcode Person}. */
  tell(sentence: string): Promise<void> {
    this.sentences.push(sentence);
    return Promise.resolve();
  }

  #answer<Value>(
    question: string,
    answers: Value[] | undefined,
    sentence?: string,
  ): Promise<Value | undefined> {
    this.asked.push(question);
    if (sentence !== undefined) this.sentences.push(sentence);
    return Promise.resolve(answers?.shift());
  }
}
