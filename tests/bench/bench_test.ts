import { deepEqual, equal, match, ok } from "node:assert/strict";
import { run } from "../../tools/child.ts";
import { skipped, test, type TestBody } from "../sanitized.ts";

/** Those that bring all of a load's checks into play, and take seconds; and how many figures each gives. */
const SCENARIOS = { latency: 2, disturbance: 8, storm: 2, soak: 7 } as const;

const QUICK = "a quick bench measures what it is asked to, and says in which unit";

if (Deno.build.os === "linux") benchTest(QUICK, measureQuickly);
else skipped(QUICK, "only Linux has /proc");

async function measureQuickly(): Promise<void> {
  const { code, output } = await run(Deno.execPath(), [
    ...["task", "--quiet", "bench", ...Object.keys(SCENARIOS), "--quick", "--alone"],
  ]);
  equal(code, 0, output);
  const lines = output.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  deepEqual(
    lines.map((line) => line.split(" | ")[0]?.slice(2)),
    Object.entries(SCENARIOS).flatMap(([name, rows]) => Array.from({ length: rows }, () => name)),
  );
  for (const line of lines) {
    match(line, /^\| [a-z]+ \| [^|]+ \| [\d,.]+ (ms( CPU)?|MB|times|connections) \| /);
  }
  ok(output.includes("A quick run"), output);
}

benchTest("a bench that is asked for what there is not says what there is", async () => {
  const { code, output } = await run(Deno.execPath(), ["task", "--quiet", "bench", "speed"]);
  equal(code, 64, output);
  match(output, /^Cannot measure speed: there are fan-out, latency, .*\.$/m);
});

/** Declares a test of the bench, which Deno 2.6 has no permissions for: it writes beside a program that it may run. */
function benchTest(name: string, body: TestBody): void {
  if (Deno.version.deno.startsWith("2.6.")) skipped(name, "the bench needs Deno 2.9");
  else test(name, body);
}
