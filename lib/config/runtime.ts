/**
 * Whether the runtime is one that the programs were tried on.
 *
 * @module
 */

import { quoted } from "./quoted.ts";

/** The oldest Deno that is supported, as it tells its version. */
export const DENO_VERSION_MIN = "2.6.10";

/**
 * The sentence that says that this runtime is too old, or no Deno where it tells no version; `undefined`
 * where it will do.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { runtimeFault } from "./runtime.ts";
 * equal(runtimeFault("2.9.6"), undefined);
 * equal(
 *   runtimeFault("2.5.0"),
 *   "Cannot run on Deno 2.5.0: Sotto needs 2.6.10 or newer; upgrade Deno with `deno upgrade`.",
 * );
 * ```
 */
export function runtimeFault(denoVersion: string | undefined): string | undefined {
  if (denoVersion === undefined) {
    const need = `Sotto needs Deno ${DENO_VERSION_MIN} or newer`;
    return `Cannot run on this runtime: ${need}; install it from deno.com.`;
  }
  const numbers = versionNumbers(denoVersion);
  if (numbers !== undefined && !isOlder(numbers, versionNumbers(DENO_VERSION_MIN) ?? [])) return undefined;
  const shown = numbers === undefined ? quoted(denoVersion) : denoVersion;
  const remedy = "upgrade Deno with `deno upgrade`";
  return `Cannot run on Deno ${shown}: Sotto needs ${DENO_VERSION_MIN} or newer; ${remedy}.`;
}

/** The three numbers of a version, what follows them (`-rc.1`, `+canary`) set aside. */
function versionNumbers(version: string): readonly number[] | undefined {
  const numbers = /^([0-9]+)\.([0-9]+)\.([0-9]+)(?:[\-+][0-9a-z.\-+]*)?$/i.exec(version);
  return numbers?.slice(1).map(Number);
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const at = than.findIndex((number, index) => version[index] !== number);
  return at >= 0 && (version[at] ?? 0) < (than[at] ?? 0);
}
