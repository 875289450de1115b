/**
 * The screens that README shows: captures of real terminals, kept in docs/screens and compared with what the
 * programs show today.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import { variable } from "./variable.ts";

const FOLDER = "docs/screens";

/** Whether this run writes the screens anew instead of comparing them. */
export const WRITES_SCREENS = variable("SOTTO_WRITE_SCREENS") === "1";

/** Writes a screen, or compares it with the one that is kept, but for what no two runs have in common. */
export async function keepScreen(name: string, rows: readonly string[]): Promise<void> {
  const file = `${FOLDER}/${name}.txt`;
  if (WRITES_SCREENS) return await Deno.writeTextFile(file, `${rows.join("\n")}\n`);
  const kept = (await Deno.readTextFile(file)).trimEnd().split("\n");
  deepEqual(
    byConnection(rows).map(masked),
    byConnection(kept).map(masked),
    `${file} is not what is seen; SOTTO_WRITE_SCREENS=1 writes it anew:\n${rows.join("\n")}`,
  );
}

/**
 * A journal with the rows of each connection together, in the order of their first ones: whether one is noted to have gone
 * before the next one comes is a matter of chance.
 */
function byConnection(rows: readonly string[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const [at, row] of rows.entries()) {
    const name = /^\d\d:\d\d:\d\d (127\.0\.0\.1:\d+) /.exec(row)?.[1] ?? `row ${at}`;
    groups.set(name, [...groups.get(name) ?? [], row]);
  }
  return [...groups.values()].flat();
}

/** A row without times, ports and what is drawn at random. */
function masked(row: string): string {
  return row
    .replace(/^\d\d:\d\d:\d\d /, "HH:MM:SS ")
    .replace(/ by device "(?:linux|darwin|windows)"$/, " by device OS")
    .replace(/127\.0\.0\.1:\d+/, "127.0.0.1:PORT")
    // The screens that are kept are of the usual port, which a test may find taken.
    .replace(/^\$ sotto-server --port 0$/, "$ sotto-server")
    .replace(/^Server's port \[8443\]:.*/, "Server's port [8443]: PORT")
    .replace(/SHA256:[A-Za-z0-9+/]{43}/, "SHA256:FINGERPRINT")
    .replace(/\b(?:[0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/, "RECOVERY-CODE")
    .replace(/^(words )?( *)(?:[a-z]{3,8} ){5,11}[a-z]{3,8}$/, "$1$2WORDS");
}
