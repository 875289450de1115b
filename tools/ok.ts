/**
 * `deno task ok`: the one gate. Each step is a line with its time; the first that fails shows its output.
 *
 * @module
 */

import { run } from "./child.ts";
import { testArguments } from "./permissions.ts";
import { sourceFiles } from "./source_files.ts";

/** One step of the gate: what it proves, and deno's arguments. */
export interface Gate {
  /** A word or two. */
  readonly name: string;
  /** Of `deno`. */
  readonly args: readonly string[];
}

/** How the tools are run that read the tree and ask deno about it. */
const READER = ["run", "--no-prompt", "--allow-read", `--allow-run=${Deno.execPath()}`];

if (import.meta.main) await main();

async function main(): Promise<void> {
  const deno = Deno.execPath();
  const tests = { name: "tests", args: testArguments(deno, ["tests/"]) };
  for (const { name, args } of [...await gates(Deno.version.deno), tests]) {
    const { code, output, elapsed_ms } = await run(deno, args);
    console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${(elapsed_ms / 1000).toFixed(1)} s)`);
    if (code !== 0) {
      console.error(output);
      Deno.exit(1);
    }
  }
}

/** Every step but the tests, for Deno `version`. */
export async function gates(version: string): Promise<readonly Gate[]> {
  const lib = await sourceFiles(["lib"]);
  const modules = [...await sourceFiles(["server.ts", "client.ts", "tools"]), ...lib];
  const check = ["check", "--quiet", "--lock=tests/deno.lock", "--frozen"];
  const everywhere = [
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint", "--quiet"] },
    { name: "types", args: [...check, "."] },
    {
      name: "circular imports",
      args: [...READER, "tools/circular_imports.ts", ...modules],
    },
    { name: "documentation", args: [...READER, "tools/documentation.ts", ...lib] },
  ];
  // 2.6 imports a module's exported types into its examples as values, which verbatimModuleSyntax refuses.
  if (version.startsWith("2.6.")) return everywhere;
  return [
    ...everywhere,
    { name: "types of examples", args: [...check, "--doc", "."] },
    { name: "examples", args: ["test", "--quiet", "--doc", "--frozen", "--no-prompt", "lib/"] },
  ];
}
