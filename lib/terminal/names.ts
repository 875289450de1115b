/**
 * Names that people gave themselves and their devices, as a terminal shows them: never in a place where a handle could
 * be meant.
 *
 * @module
 */

import { displayNameFault } from "../text/display_name.ts";
import { visible } from "../text/visible.ts";

/** A handle, which nobody else has, and behind it the display name, where there is one that may be shown. */
export function personName(handle: string, display: string | undefined): string {
  const name = shownDisplay(display);
  return name === undefined ? visible(handle) : `${visible(handle)} (${name})`;
}

/**
 * A display name that may be shown: one by the rules of lib/text/display_name.ts, which whoever signed it was held to.
 * Any other is not shown at all, since a name made visible can be made to look like another's.
 */
export function shownDisplay(display: string | undefined): string | undefined {
  return display === undefined || displayNameFault(display) !== undefined ? undefined : display;
}

/** A name in quotation marks, which it cannot close itself; whatever else is wrong with it is made visible. */
export function quotedName(name: string): string {
  return `"${visible(name).replaceAll('"', "'")}"`;
}
