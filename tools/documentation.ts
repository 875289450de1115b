/**
 * Finds exported declarations without a docstring among the files given, by `deno doc --lint`.
 *
 * @module
 */

import { run } from "./child.ts";

if (import.meta.main) await main(Deno.args);

async function main(files: readonly string[]): Promise<void> {
  const { code, output } = await run(Deno.execPath(), ["doc", "--lint", "--quiet", ...files]);
  const complaints = documentationFaults(output);
  for (const complaint of complaints) console.log(complaint);
  const isBroken = code !== 0 && !output.includes("error[");
  if (isBroken) console.log(output);
  if (isBroken || complaints.length > 0) Deno.exit(1);
}

/**
 * The missing docstrings in what `deno doc --lint` printed. Its other kinds are for packages whose types are
 * derived without a compiler: they refuse `keyof typeof CODES` and a schema as the source of its type.
 */
export function documentationFaults(output: string): readonly string[] {
  return output
    .replace(/^error: Found .*$[^]*/m, "")
    .split(/^(?=error\[)/m)
    .map((complaint) => complaint.trimEnd())
    .filter((complaint) => complaint.startsWith("error[missing-jsdoc]"));
}
