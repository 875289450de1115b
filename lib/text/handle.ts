/**
 * Handles: the names by which accounts are known. So narrow an alphabet that no two of them look
 * alike by script, direction or case, and that each can be part of a file name or a line of text unquoted.
 *
 * @module
 */

import * as v from "valibot";
import { visible } from "./visible.ts";

/** Characters of a handle: keeps a line of chat on a line, and a per-user file name short. */
export const HANDLE_CHARS_MAX = 32;

/** Characters of a refused text that its sentence repeats: enough to know it again by, and still one line. */
const QUOTED_CHARS_MAX = 40;

const RULE =
  `1 to ${HANDLE_CHARS_MAX} lower-case letters (a to z), digits, - and _, beginning with a letter or digit`;

/** With any extension, these name a device on Windows, and handles become file names (attack 27 of SECURITY.md). */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[0-9])$/;

/**
 * Takes a text that is a handle and gives it its type; an issue's message is {@linkcode handleFault}'s
 * sentence. To be used within the schemas of messages.
 */
export const HandleSchema = v.pipe(
  v.string(),
  v.check(
    (text) => whyNot(text) === undefined,
    ({ input }) => sentence(input, whyNot(input) ?? "it is refused"),
  ),
  v.brand("Handle"),
);

/** A handle: 1 to 32 of `a` to `z`, `0` to `9`, `-` and `_`, the first a letter or digit; no device name. */
export type Handle = v.InferOutput<typeof HandleSchema>;

/**
 * `text` as a handle, or `undefined` where it is none; nothing is trimmed or folded.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parseHandle } from "./handle.ts";
 * equal(parseHandle("ann-2"), "ann-2");
 * equal(parseHandle("Ann"), undefined);
 * ```
 */
export function parseHandle(text: string): Handle | undefined {
  const parsed = v.safeParse(HandleSchema, text);
  return parsed.success ? parsed.output : undefined;
}

/**
 * The sentence, safe for a terminal, that says why `text` is no handle and what to use; `undefined` where
 * it is one.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { handleFault } from "./handle.ts";
 * equal(handleFault("Ann"), 'Cannot use "Ann" as a name: "A" is a capital letter; use "ann"');
 * ```
 */
export function handleFault(text: string): string | undefined {
  const reason = whyNot(text);
  return reason === undefined ? undefined : sentence(text, reason);
}

function whyNot(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (text.length > HANDLE_CHARS_MAX) return `it is longer than ${HANDLE_CHARS_MAX} characters`;
  const stranger = /[^a-z0-9_\-]/u.exec(text)?.[0];
  if (stranger !== undefined) return whyNotCharacter(stranger);
  if (/^[_\-]/.test(text)) return `it begins with ${text.slice(0, 1)}`;
  if (WINDOWS_DEVICE.test(text)) return "Windows takes it for a device";
  return undefined;
}

function whyNotCharacter(character: string): string {
  if (/[A-Z]/.test(character)) return `"${character}" is a capital letter`;
  // A look-alike of an allowed letter is told from it by its number only.
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `"${visible(character)}" (U+${code}) is not allowed`;
}

function sentence(text: string, reason: string): string {
  const quoted = visible(text.slice(0, QUOTED_CHARS_MAX)) + (text.length > QUOTED_CHARS_MAX ? "…" : "");
  const folded = text.toLowerCase();
  const remedy = WINDOWS_DEVICE.test(text)
    ? "use another one"
    : `use ${whyNot(folded) === undefined ? `"${folded}"` : RULE}`;
  return `Cannot use "${quoted}" as a name: ${reason}; ${remedy}`;
}
