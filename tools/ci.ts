/**
 * What CI runs once a machine is prepared (.ci/run): every step even after one has failed, then the sums.
 *
 * @module
 */

import { run } from "./child.ts";
import { gates } from "./ok.ts";
import { testArguments } from "./permissions.ts";
import { mayBeSkipped, parseTestReport, readReasons } from "./test_report.ts";

/** What tests of the executables say before there are any; not allowed once they are built. */
const NOT_BUILT = "the executables are not built; run deno task build";

/** What tests of WebCrypto's ML-KEM say on the oldest release; not allowed on the newest. */
const NO_ML_KEM = "this runtime has no ML-KEM";

/** What tests of a Deno that is too old say in the steps that have none; there is a step that has one. */
const NO_OLD_DENO = "no old Deno at hand";

/** One step: a program that exits 0, and that prints a test report where it runs tests. */
interface Step {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** Whether it runs tests, and by which reasons it may leave some out besides those listed. */
  readonly tests?: { readonly alsoSkips: readonly string[] };
}

/** What a step came to. */
interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  /** Tests that were left out for no reason on the list. */
  readonly refused: readonly string[];
}

const newest = Deno.execPath();
const oldest = Deno.env.get("SOTTO_CI_OLDEST") ?? "";
const tooOld = Deno.env.get("SOTTO_CI_TOO_OLD") ?? "";
// What takes long and asks for nothing of a release: once, on the newest, is enough.
// The bench is for the newest alone: 2.6 lets nothing be written beside a program that may be run.
const long = "tests/bench,tests/compiled,tests/crowd,tests/simulation,tests/scale";
// What asks a release for nothing but to compute is the same on both.
const pure =
  "tests/chat,tests/client,tests/delivery,tests/documents,tests/identity,tests/protocol,tests/session,tests/text,tests/tools,tests/wire";
// Where the executables are of the oldest release, their tests play all scenarios on it.
const ignoredByOldest = Deno.env.get("DENO_COMPILE") === oldest
  ? `${long},${pure},tests/scenarios`
  : `${long},${pure}`;
const allowed = readReasons(await Deno.readTextFile(".ci/allowed_skips"));

const results: Result[] = [];
for (const step of await steps()) results.push(await take(step));
report();

async function steps(): Promise<readonly Step[]> {
  const before = { alsoSkips: [NOT_BUILT, NO_OLD_DENO] };
  return [
    ...(await gates(Deno.version.deno)).map(({ name, args }) => ({
      name,
      program: newest,
      args,
      ...(name === "examples" ? { tests: { alsoSkips: [] } } : {}),
    })),
    { name: "README's tests", program: "npx", args: ["-y", "deno@2.9.6", "task", "test"], tests: before },
    { name: "oldest release: lint", program: oldest, args: ["lint", "--quiet"] },
    {
      name: "oldest release: types",
      program: oldest,
      args: ["check", "--quiet", "--lock=tests/deno.lock", "--frozen", "."],
    },
    {
      name: "oldest release: tests",
      program: oldest,
      args: ["task", "test", `--ignore=${ignoredByOldest}`],
      tests: { alsoSkips: [NOT_BUILT, NO_OLD_DENO, NO_ML_KEM] },
    },
    { name: "build", program: newest, args: ["task", "build"] },
    {
      name: "executables' tests",
      program: newest,
      args: testArguments(newest, ["tests/compiled", "tests/scenarios"]),
      env: { SOTTO_DIST: "dist" },
      tests: { alsoSkips: [NO_OLD_DENO] },
    },
    {
      name: "a release that is too old",
      program: newest,
      args: testArguments(`${newest},${tooOld}`, ["tests/scenarios/old_runtime_test.ts"]),
      env: { SOTTO_OLD_DENO: tooOld },
      tests: { alsoSkips: [] },
    },
  ];
}

async function take(step: Step): Promise<Result> {
  console.log(`\n--- ${step.name}`);
  const { code, output, elapsed_ms } = await run(step.program, step.args, {
    shown: true,
    ...(step.env === undefined ? {} : { env: step.env }),
  });
  const result = judge(step, code, output);
  const verdict = result.failed + result.refused.length === 0 ? "ok" : "FAILED";
  console.log(`--- ${step.name}: ${verdict} (${(elapsed_ms / 1000).toFixed(1)} s)`);
  return result;
}

function judge(step: Step, code: number, output: string): Result {
  const { name, tests } = step;
  const told = tests === undefined ? undefined : parseTestReport(output);
  if (tests === undefined || told === undefined) {
    const isGood = code === 0 && tests === undefined;
    return { name, passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: [], refused: [] };
  }
  const reasons = [...allowed, ...tests.alsoSkips];
  const refused = told.skipped.filter((each) => !mayBeSkipped(each, reasons));
  // A run can fail although every test passed: by an error outside of them, or for want of any.
  const failed = code !== 0 ? Math.max(1, told.failed) : told.failed;
  return { name, passed: told.passed, failed, skipped: told.skipped, refused };
}

function report(): void {
  console.log("\n--- sums");
  for (const { name, passed, failed } of results) console.log(`${name}: ${passed} passed, ${failed} failed`);
  const skips = results.flatMap(({ name, skipped, refused }) =>
    skipped.map((test) => `${refused.includes(test) ? "NOT ALLOWED" : "allowed"}: ${name}: ${test}`)
  );
  console.log(`\n--- tests left out: ${skips.length}`);
  for (const skip of skips) console.log(skip);
  const passed = results.reduce((sum, each) => sum + each.passed, 0);
  const failed = results.reduce((sum, each) => sum + each.failed + each.refused.length, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  Deno.exit(failed === 0 ? 0 : 1);
}
