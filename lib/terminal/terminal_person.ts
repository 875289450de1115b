/**
 * The person at a terminal, who is asked in words.
 *
 * @module
 */

import type { EnrolmentWay, Person } from "../client/person.ts";
import { Failure } from "../text/failure.ts";
import { handleFault, parseHandle } from "../text/handle.ts";
import { visible } from "../text/visible.ts";
import { ask, askYesNo } from "./ask.ts";
import { askHidden } from "./ask_hidden.ts";
import { fittedText } from "./layout.ts";
import type { TerminalIo } from "./typed_line.ts";
import { wordRows } from "./word_rows.ts";

const INDENT = "  ";

/** What is wrong with an empty answer; whoever wants to end instead, can. */
const EMPTY = "It is empty; type one, or Ctrl-C to end";

/** What a person has said beforehand, in a file or the environment: it is not asked for. */
export interface SaidBefore {
  /** The password. */
  readonly password: string | undefined;
  /** The password that is to take its place. */
  readonly newPassword: string | undefined;
}

/** Whoever sits at the terminal. */
export class TerminalPerson implements Person {
  readonly #io: TerminalIo;
  readonly #said: SaidBefore;

  /** Asks at `io` for all that was not said. */
  constructor(io: TerminalIo, said: SaidBefore) {
    this.#io = io;
    this.#said = said;
  }

  /** Asks for the password, which is not shown; for another one, where the one that was said is wrong. */
  async password(sentence: string | undefined): Promise<string | undefined> {
    if (sentence === undefined && this.#said.password !== undefined) return this.#said.password;
    return await this.#hidden(withBefore(sentence, "Password: "));
  }

  /** Asks for the password once more, where it was typed. */
  async passwordAgain(first: string): Promise<string | undefined> {
    if (first === this.#said.password) return first;
    return await this.#hidden("That name is new here. The same password again, for a new account: ");
  }

  /** Asks for a new password twice, until the two are the same. */
  async newPassword(): Promise<string | undefined> {
    if (this.#said.newPassword !== undefined) return this.#said.newPassword;
    for (let told: string | undefined;; told = "The two are not the same; type a new one") {
      const first = await this.#hidden(withBefore(told, "New password: "));
      if (first === undefined) return undefined;
      const again = await this.#hidden("The same again: ");
      if (again === undefined || again === first) return again;
    }
  }

  /** Asks for yes or no, in full: what is asked so changes whom others take for whom. */
  async confirm(question: string): Promise<boolean> {
    return await askYesNo(`${question}\n(yes/no) `, this.#io, { inFull: true }) ?? false;
  }

  /** Asks for a name that can be one. */
  async anotherName(sentence: string): Promise<string | undefined> {
    let told = sentence;
    while (true) {
      const name = await ask(withBefore(told, "Your name here: "), this.#io);
      if (name === undefined || parseHandle(name) !== undefined) return name;
      told = handleFault(name) ?? EMPTY;
    }
  }

  /** Asks which way this device is to take. */
  async enrolmentWay({ hasRecovery }: { readonly hasRecovery: boolean }): Promise<EnrolmentWay | undefined> {
    const ways = WAYS.filter(({ way }) => hasRecovery || way !== "recovery");
    const lines = [
      "This device is new to your account. How is it to become one of your devices?",
      ...ways.map(({ means }, at) => `${INDENT}${at + 1}  ${means}`),
    ];
    let asked = [...lines, "Number: "].join("\n");
    while (true) {
      const answer = await ask(asked, this.#io);
      if (answer === undefined) return undefined;
      const chosen = /^[1-9]$/.test(answer) ? ways[Number(answer) - 1] : undefined;
      if (chosen !== undefined) return chosen.way;
      asked = `Please type a number from 1 to ${ways.length}: `;
    }
  }

  /** Asks for the recovery code, which does not stay on the screen. */
  recoveryCode(sentence: string | undefined): Promise<string | undefined> {
    return ask(withBefore(sentence, "Recovery code: "), this.#io, { keep: false });
  }

  /** Shows the recovery code, and waits until it is written down. Throws a {@linkcode Failure} where that is broken off. */
  async showRecoveryCode(code: string): Promise<void> {
    const lines = [
      "Your recovery code. It is shown this once, and never again:",
      "",
      `${INDENT}${code}`,
      "",
      "Write it down and keep it safe. When all your devices are lost, it gives you",
      "back your identity, together with your password. Whoever else has both is you.",
      "Press Enter when you have it: ",
    ];
    if (await ask(lines.join("\n"), this.#io) !== undefined) return;
    throw new Failure(
      "usage",
      "Cannot go on: nobody says that the recovery code was written down; start again, and you are shown a new one.",
    );
  }

  /** Shows the words of an approval, and where to compare them. */
  async showApprovalWords(words: readonly string[]): Promise<void> {
    await this.#print([
      "Now look at a device of yours that is chatting here. It shows these words:",
      ...wordRows(words).map((row) => `${INDENT}${row}`),
      "Only if they are the same, type there: /approve and the name of this device. Waiting for that (Ctrl-C ends) …",
    ]);
  }

  /** Tells a sentence. */
  tell(sentence: string): Promise<void> {
    return this.#print([visible(sentence)]);
  }

  /** No empty password: whoever just presses Enter means none. */
  async #hidden(question: string): Promise<string | undefined> {
    for (let asked = question;; asked = withBefore(EMPTY, question.split("\n").at(-1) ?? "")) {
      const answer = await askHidden(asked, this.#io);
      if (answer !== "") return answer;
    }
  }

  async #print(lines: readonly string[]): Promise<void> {
    await this.#io.write(fittedText(lines, this.#io.columns()).map((line) => `${line}\r\n`).join(""));
  }
}

const WAYS: readonly { readonly way: EnrolmentWay; readonly means: string }[] = [
  { way: "approval", means: "another device of yours approves it: you compare six words" },
  { way: "recovery", means: "you type your recovery code" },
  { way: "newIdentity", means: "neither is at hand: a new identity, of which everybody is told" },
];

function withBefore(sentence: string | undefined, prompt: string): string {
  return sentence === undefined ? prompt : `${sentence}\n${prompt}`;
}
