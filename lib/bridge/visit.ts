/**
 * What `sotto fernet` does with lines: each that is typed is said, and what comes is printed.
 *
 * @module
 */

import { visibleLines } from "../text/visible.ts";
import { utf8 } from "../wire/bytes.ts";
import { TEXT_BYTES_MAX } from "../wire/limits.ts";
import { LEAVING_TEXTS } from "./phrases.ts";
import type { VisitEnd, Visitor } from "./visitor.ts";

/** One line that was typed, or why it is none: as lib/terminal/lines.ts gives them. */
export type VisitLine =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "fault"; readonly fault: string };

/** What a visit reads from, and complains to. */
export interface VisitIo {
  /** The lines that are typed, and a way to stop waiting for the next one. */
  readonly input: AsyncIterable<VisitLine> & { cancel(): Promise<void> };
  /** Writes to standard error. */
  readonly writeError: (text: string) => Promise<void>;
}

/** How a visit went. */
export interface VisitOutcome {
  /** How the connection ended. */
  readonly end: VisitEnd;
  /** Lines that were typed and not said: here or by the server refused. */
  readonly refusals: number;
}

/**
 * Says what is typed until the input ends or asks for the end; settles when the visit is over, and has let go of the
 * input. Throws what the input throws.
 */
export async function runVisit(visitor: Visitor, { input, writeError }: VisitIo): Promise<VisitOutcome> {
  let refusals = 0;

  async function sayAll(): Promise<void> {
    for await (const line of input) {
      const text = line.kind === "line" ? line.text : undefined;
      if (text !== undefined && LEAVING_TEXTS.includes(text.trim())) return;
      if (text !== undefined && utf8(text).length <= TEXT_BYTES_MAX) {
        await visitor.say(text);
      } else {
        refusals += 1;
        await writeError(`${UNSAYABLE}\n`);
      }
    }
  }

  const over = visitor.ended.then(async (end) => {
    await input.cancel();
    return end;
  });
  const [end] = await Promise.all([over, sayAll().finally(() => visitor.leave())]);
  return { end, refusals: refusals + visitor.refusals };
}

const UNSAYABLE =
  `Cannot say a line: it is not UTF-8, or longer than ${TEXT_BYTES_MAX} octets; say it in parts.`;

/** A text from the bridge as safe lines; who said what is the server's to tell, and it lets nobody look like another. */
export function shownText(text: string): string {
  return visibleLines(text).map((line) => `${line}\n`).join("");
}
