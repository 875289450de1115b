/**
 * Names of files that peers give: which are taken, and what a file is called here. A name is one part of a path on
 * every system, whatever a peer writes (ATTACKS.md 27).
 *
 * @module
 */

import { FILE_NAME_BYTES_MAX } from "../wire/limits.ts";
import { visible } from "./visible.ts";

/** Octets that a kept name leaves free of those that file systems take: for " (999)", and the end of a part's name. */
const RESERVED_BYTES = 40;
/** Longest ending that is kept where a name is cut: `.tar.zst` and the like, and no name disguised as an ending. */
const ENDING_BYTES_MAX = 16;

/** What separates folders, or means something to a file system of Windows. */
const SPECIAL = String.raw`\/\\<>:"\|\?\*`;
/** Controls, and what turns or hides text: the code points are listed, so that every release refuses the same names. */
const HIDDEN = String.raw`\u{0}-\u{1F}\u{7F}-\u{9F}\u{61C}\u{200B}\u{200E}\u{200F}\u{2028}-\u{202E}` +
  String.raw`\u{2060}-\u{206F}\u{D800}-\u{DFFF}\u{FEFF}\u{FFF9}-\u{FFFB}`;
const FORBIDDEN = new RegExp(`[${SPECIAL}${HIDDEN}]`, "gv");
/** A dot hides a file or leads upwards, a dash makes it an option, a tilde somebody's folder. */
const BAD_START = /^[.\-~ ]+/v;
/** Windows drops these, and two names become one. */
const BAD_END = /[. ]+$/v;
/** What Windows takes for a device, whatever ending follows. */
const DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))/iv;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const encoder = new TextEncoder();

/**
 * Whether a peer may call a file so: one part of a path that every system takes, and no device, hidden name, control or
 * character that turns text around.
 *
 * ```ts
 * import { isFileName } from "./file_name.ts";
 * console.assert(isFileName("Grüße 2.txt"));
 * console.assert(!isFileName("../x") && !isFileName("nul.txt") && !isFileName(".profile"));
 * ```
 */
export function isFileName(name: string): boolean {
  return name.length > 0 && encoder.encode(name).length <= FILE_NAME_BYTES_MAX &&
    name.search(FORBIDDEN) < 0 && ![BAD_START, BAD_END, DEVICE].some((bad) => bad.test(name));
}

/**
 * What a file that somebody calls `name` is called here: always an {@linkcode isFileName}, as it is shown on a screen,
 * and short enough for what is put behind it. Idempotent.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { safeFileName } from "./file_name.ts";
 * equal(safeFileName("../../.profile"), "_profile");
 * equal(safeFileName("C:\\Windows\\nul.txt"), "_nul.txt");
 * equal(safeFileName("gnp.\u202Egpj.exe"), "gnp._gpj.exe");
 * ```
 */
export function safeFileName(name: string): string {
  const part = name.split(/[\/\\]/v).findLast((each) => each.trim() !== "") ?? "";
  // Spells out what is left of invisible characters.
  const shown = visible(part.replace(FORBIDDEN, "_"));
  const tidy = shown.replace(BAD_START, (start) => start.trim() === "" ? "" : "_").replace(BAD_END, "");
  const named = tidy === "" ? "file" : DEVICE.test(tidy) ? `_${tidy}` : tidy;
  return cut(named);
}

/** Shortened before its ending. */
function cut(name: string): string {
  const bytesMax = FILE_NAME_BYTES_MAX - RESERVED_BYTES;
  if (encoder.encode(name).length <= bytesMax) return name;
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 && encoder.encode(name.slice(dot)).length <= ENDING_BYTES_MAX ? name.slice(dot) : "";
  const stem = ending === "" ? name : name.slice(0, dot);
  let left = bytesMax - encoder.encode(ending).length;
  let kept = "";
  for (const { segment } of graphemes.segment(stem)) {
    left -= encoder.encode(segment).length;
    if (left < 0) break;
    kept += segment;
  }
  return kept.replace(BAD_END, "") + ending;
}
