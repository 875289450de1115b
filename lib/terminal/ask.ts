/**
 * Questions to the person at the terminal, one line each.
 *
 * @module
 */

import { visible, visibleLines } from "../text/visible.ts";
import { fittedText } from "./layout.ts";
import { type TerminalIo, type Typed, TypedLine } from "./typed_line.ts";

/** What becomes of an answer. */
export interface AskOptions {
  /** Whether it stays on the screen; a secret is seen while it is typed, and no longer. */
  readonly keep?: boolean;
}

/** How a yes-or-no question may be answered. */
export interface YesNoOptions {
  /** Whether "y" and "n" do not count: for what a finger must not decide by itself. */
  readonly inFull?: boolean;
}

/**
 * The line that is typed after `question`, without white space around it; `undefined` where the person ends
 * with Ctrl-C or Ctrl-D. The question may be of several lines, of which the last is the prompt. It and the
 * answer stay on the screen, unless `keep` says otherwise; the keyboard is not let go of. Throws what the screen's
 * writer throws.
 */
export async function ask(
  question: string,
  io: TerminalIo,
  { keep = true }: AskOptions = {},
): Promise<string | undefined> {
  const lines = visibleLines(question);
  const prompt = lines.pop() ?? "";
  const typed = Promise.withResolvers<Typed>();
  const typedLine = new TypedLine(prompt, io, {
    onTyped(answer) {
      typed.resolve(answer);
      // At once, since the next line that is typed answers the next question.
      void typedLine.close().catch(() => {});
    },
  });
  try {
    if (lines.length > 0) await typedLine.print(fittedText(lines, io.columns()));
    const answer = await typed.promise;
    await typedLine.close();
    if (answer.kind !== "line") {
      await typedLine.print([prompt]);
      return undefined;
    }
    const text = answer.text.trim();
    await typedLine.print([keep ? `${prompt}${visible(text)}` : prompt]);
    return text;
  } finally {
    await typedLine.close();
  }
}

/**
 * Asks until the answer is yes (`true`) or no (`false`); `undefined` as with {@linkcode ask}. Capitals count
 * as small letters.
 */
export async function askYesNo(
  question: string,
  io: TerminalIo,
  { inFull = false }: YesNoOptions = {},
): Promise<boolean | undefined> {
  const yes = inFull ? ["yes"] : ["yes", "y"];
  const no = inFull ? ["no"] : ["no", "n"];
  let asked = question;
  while (true) {
    const answer = (await ask(asked, io))?.toLowerCase();
    if (answer === undefined) return undefined;
    if (yes.includes(answer)) return true;
    if (no.includes(answer)) return false;
    asked = inFull ? 'Please type "yes" or "no" in full: ' : 'Please type "yes" or "no": ';
  }
}
