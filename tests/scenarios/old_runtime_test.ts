/**
 * Both programs on a release of Deno that is too old. `SOTTO_OLD_DENO` names one: the program itself, since what a
 * package manager links to may need more than an empty environment.
 *
 * @module
 */

import { DENO_VERSION_MIN } from "../../lib/config/runtime.ts";
import { variable } from "../compiled/variable.ts";
import { skipped } from "../sanitized.ts";
import { CACHE_ENV, complained, sourceArguments } from "./programs.ts";
import { scenario } from "./stage.ts";

const OLD_DENO = variable("SOTTO_OLD_DENO");

for (const program of ["sotto-server", "sotto"] as const) {
  const name = `${program}: a Deno that is too old says so, and how to upgrade, with 78`;
  if (OLD_DENO === undefined) {
    skipped(name, "no old Deno at hand");
    continue;
  }
  scenario(name, async (stage) => {
    complained(
      await stage.launchFile(OLD_DENO, { args: sourceArguments(program), env: CACHE_ENV }).ending(),
      {
        code: 78,
        sentence: new RegExp(
          `^Cannot run on Deno [0-9.]+: Sotto needs ${
            DENO_VERSION_MIN.replaceAll(".", "\\.")
          } or newer; upgrade Deno with \`deno upgrade\`\\.$`,
        ),
      },
    );
  });
}
