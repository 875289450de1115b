/**
 * `--cipher`: the suites to use, best first.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { nearest } from "../text/nearest.ts";
import { quoted } from "./quoted.ts";

/**
 * The suites in a comma list, each one of `known`, in the list's order; all of `known` where no list is
 * given. Throws a {@linkcode Failure} of usage where one is unknown, missing or named twice.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { suitesFrom } from "./cipher_list.ts";
 * deepEqual(suitesFrom("b,a", ["a", "b", "c"]), ["b", "a"]);
 * ```
 */
export function suitesFrom<Suite extends string>(
  list: string | undefined,
  known: readonly Suite[],
): readonly Suite[] {
  if (list === undefined) return known;
  const suites = list.split(",").map((name) => suiteOf(name.trim(), known));
  const twice = suites.find((suite, at) => suites.indexOf(suite) !== at);
  if (twice === undefined) return suites;
  throw new Failure("usage", `Cannot use --cipher ${quoted(list)}: ${twice} is there twice; name each once.`);
}

function suiteOf<Suite extends string>(name: string, known: readonly Suite[]): Suite {
  const suite = known.find((candidate) => candidate === name);
  if (suite !== undefined) return suite;
  const near = nearest(name, known);
  const remedy = near === undefined ? `use ${known.join(" or ")}` : `did you mean ${near}?`;
  const end = remedy.endsWith("?") ? "" : ".";
  throw new Failure(
    "usage",
    `Cannot use the cipher ${quoted(name)}: there is no such suite; ${remedy}${end}`,
  );
}
