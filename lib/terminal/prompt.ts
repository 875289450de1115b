/**
 * What stands before the line that is being typed: who speaks, and where it is heard.
 *
 * @module
 */

import { visible } from "../text/visible.ts";
import { columnsOf } from "./layout.ts";

/** The prompt takes one part in so many of the screen, and leaves the others to what is typed. */
const SHARE = 3;

/** Columns that it may take of the narrowest screen. */
const COLUMNS_MIN = 10;

/**
 * The prompt for a screen of `columns`, safe and of one line: where it is narrow, what matters most is the room.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { promptOf } from "./prompt.ts";
 * deepEqual(
 *   [80, 24, 20].map((columns) => promptOf("ann", columns === 20 ? "#gardening" : "#lobby", columns)),
 *   ["ann #lobby> ", "#lobby> ", "#garden…> "],
 * );
 * ```
 */
export function promptOf(name: string, room: string, columns: number): string {
  const widest = Math.max(Math.floor(columns / SHARE), COLUMNS_MIN);
  const shown = visible(room);
  const prompts = [`${visible(name)} ${shown}> `, `${shown}> `];
  const fitting = prompts.find((prompt) => columnsOf(prompt) <= widest);
  return fitting ?? `${shown.slice(0, widest - 3)}…> `;
}
