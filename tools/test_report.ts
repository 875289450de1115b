/**
 * What a run of `deno test` came to, read from what it prints.
 *
 * @module
 */

/** The sums of a run, and every test that it left out. */
export interface TestReport {
  /** Tests that passed; steps are not counted. */
  readonly passed: number;
  /** Tests that failed. */
  readonly failed: number;
  /** Names of the tests that were not run. */
  readonly skipped: readonly string[];
}

/** Reads `output`, without colours; `undefined` where the run did not get as far as its sums. */
export function parseTestReport(output: string): TestReport | undefined {
  const sums = [...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/gm)].at(-1);
  if (sums === undefined) return undefined;
  const skipped = [...output.matchAll(/^(.+) \.\.\. ignored \(/gm)].map(([, name]) => name ?? "");
  return { passed: Number(sums[1]), failed: Number(sums[2]), skipped };
}

/**
 * The reason in a name that ends with `[skipped: REASON]`; `undefined` where the name gives none.
 *
 * ```ts
 * import { skipReason } from "./test_report.ts";
 * console.assert(skipReason("a thing works [skipped: no tmux]") === "no tmux");
 * ```
 */
export function skipReason(name: string): string | undefined {
  return /\[skipped: (.+)\]$/.exec(name)?.[1];
}

/** Reasons in the text of a list, one a line; `#` begins a remark. One may go on after what is listed. */
export function readReasons(text: string): readonly string[] {
  return text.split("\n").map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
}

/** Whether a test that was left out may be: its reason begins with one that is listed. */
export function mayBeSkipped(name: string, allowed: readonly string[]): boolean {
  const reason = skipReason(name);
  return reason !== undefined && allowed.some((each) => reason.startsWith(each));
}
