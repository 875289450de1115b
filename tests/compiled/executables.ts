/**
 * Tests of the executables, which are left out where there are none.
 *
 * @module
 */

import type { Program } from "../../tools/program.ts";
import { skipped } from "../sanitized.ts";
import { folderTest } from "../store/temporary_folder.ts";
import { builtExecutables, type Launches } from "./launch.ts";
import { hasTmux, Tmux } from "./tmux.ts";

/** Why a test of the executables is left out. */
export const NOT_BUILT = "the executables are not built; run deno task build";

/** Why a test in a terminal is left out. */
export const MISSING_TMUX = "tmux is missing";

/** What a test in a terminal gets. */
export interface Stage {
  readonly executables: Launches;
  readonly tmux: Tmux;
  /** An empty folder, but for tmux's own. */
  readonly folder: string;
  /** Programs without a terminal, which are ended with the test. */
  readonly companions: Program[];
}

const built = await builtExecutables();
const canShow = await hasTmux();

/** Declares a test that gets the executables and an empty folder. */
export function executablesTest(
  name: string,
  body: (executables: Launches, folder: string) => Promise<void>,
): void {
  if (built === undefined) skipped(name, NOT_BUILT);
  else folderTest(name, (folder) => body(built, folder));
}

/** Declares a test that gets the executables and terminals to run them in. */
export function terminalTest(name: string, body: (stage: Stage) => Promise<void>): void {
  if (built !== undefined && !canShow) return skipped(name, MISSING_TMUX);
  executablesTest(name, async (executables, folder) => {
    const tmux = await Tmux.open(folder);
    const companions: Program[] = [];
    try {
      await body({ executables, tmux, folder, companions });
    } finally {
      await tmux.close();
      for (const program of companions) program.kill("SIGTERM");
      for (const program of companions) await program.ended;
    }
  });
}
