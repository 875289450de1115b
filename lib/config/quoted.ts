/**
 * What a person typed, repeated to them.
 *
 * @module
 */

import { visible } from "../text/visible.ts";

/** Characters repeated: enough to know a text again by, and the sentence still fits a line or two. */
const QUOTED_CHARS_MAX = 60;

/**
 * `text` in quotation marks, cut where it is long, safe for a terminal.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { quoted } from "./quoted.ts";
 * equal(quoted("a\tb"), '"a␉b"');
 * ```
 */
export function quoted(text: string): string {
  return `"${visible(text.slice(0, QUOTED_CHARS_MAX))}${text.length > QUOTED_CHARS_MAX ? "…" : ""}"`;
}
