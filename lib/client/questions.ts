/**
 * What was asked of the server on one connection, by number, until it is answered.
 *
 * @module
 */

import type { Fault, ServerMessage } from "../wire/message.ts";

/** What came of a question. */
export type Answer =
  /** All messages of the answer. */
  | { readonly kind: "answered"; readonly parts: readonly ServerMessage[] }
  /** A fault came instead. */
  | { readonly kind: "refused"; readonly fault: Fault }
  /** The connection ended before. */
  | { readonly kind: "ended" };

/** Dealt with in the order of what comes, before what comes next. */
type Taker = (answer: Answer) => Promise<void>;

/** Numbers go round. */
const NUMBERS = 2 ** 32;

/** Open questions. */
export class Questions {
  readonly #open = new Map<number, { readonly parts: ServerMessage[]; readonly take: Taker }>();
  #last = 0;

  /** The number of a new question, whose answer `take` deals with. */
  ask(take: Taker): number {
    this.#last = (this.#last + 1) % NUMBERS;
    this.#open.set(this.#last, { parts: [], take });
    return this.#last;
  }

  /** Takes a part of an answer; `isLast` where none follows. False where nothing was asked by that number. */
  async answer(ask: number, message: ServerMessage, isLast: boolean): Promise<boolean> {
    const question = this.#open.get(ask);
    if (question === undefined) return false;
    question.parts.push(message);
    if (!isLast) return true;
    this.#open.delete(ask);
    await question.take({ kind: "answered", parts: question.parts });
    return true;
  }

  /** Takes a refusal. False where nothing was asked by that number. */
  async refuse(ask: number, fault: Fault): Promise<boolean> {
    const question = this.#open.get(ask);
    if (question === undefined) return false;
    this.#open.delete(ask);
    await question.take({ kind: "refused", fault });
    return true;
  }

  /** No answer comes any more. */
  async end(): Promise<void> {
    const open = Array.from(this.#open.values());
    this.#open.clear();
    for (const { take } of open) await take({ kind: "ended" });
  }
}
