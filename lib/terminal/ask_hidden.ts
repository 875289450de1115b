/**
 * A question whose answer is a secret: nothing of it is ever written anywhere.
 *
 * @module
 */

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { visibleLines } from "../text/visible.ts";
import { fittedText } from "./layout.ts";
import { type InputSource, standardInput } from "./standard_input.ts";
import type { TerminalIo } from "./typed_line.ts";

/**
 * The line that is typed after `question`, exactly; `undefined` where the person ends with Ctrl-C or Ctrl-D. It is
 * edited as any line, but not shown, not even its length, and no key brings back an earlier one. The question may be of
 * several lines, of which the last is the prompt; the keyboard is not let go of. Throws what the screen's writer throws.
 */
export async function askHidden(question: string, io: TerminalIo): Promise<string | undefined> {
  // Before the question is shown: from now on no terminal echoes what is typed in answer to it.
  const line = new HiddenLine(io.keys);
  try {
    await io.write(fittedText(visibleLines(question), io.columns()).join("\r\n"));
    return await line.typed;
  } finally {
    line.close();
    await io.write("\r\n");
  }
}

class HiddenLine {
  readonly typed: Promise<string | undefined>;
  readonly close: () => void;

  constructor(source: InputSource) {
    const keys = standardInput(source);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const gone = (): void => resolve(undefined);
    // Before readline hears of it, which takes what was typed until then for a line: an answer ends with Enter.
    keys.once("end", gone);
    const readline = createInterface({
      input: keys,
      output: new Writable({ write: (_chunk, _encoding, done) => done() }),
      terminal: true,
      historySize: 0,
    });
    this.typed = promise;
    this.close = () => readline.close();
    // Both tell of a keyboard that fails, and an error that nobody hears of would end the process.
    keys.once("error", this.close);
    readline.on("error", this.close);
    readline.on("line", (text) => {
      resolve(text);
      // At once, since the next line that is typed answers the next question.
      readline.close();
    });
    readline.on("SIGINT", this.close);
    // Else readline sends this process a signal, which takes a permission that it does not have.
    readline.on("SIGTSTP", () => {});
    readline.once("close", () => {
      keys.off("error", this.close).off("end", gone);
      gone();
    });
    // What has ended before tells of it no more.
    if (keys.gone) readline.close();
  }
}
