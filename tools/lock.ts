/**
 * `deno task --frozen=false lock`: writes both lock files anew. Without that flag `deno task` itself refuses a lock that
 * a changed pin has outdated. deno.lock holds the product's packages alone, because every package that it names ends up
 * in the executables; tests/deno.lock holds those and what tests import inline.
 *
 * @module
 */

import { run } from "./child.ts";
import { sourceFiles } from "./source_files.ts";

const ROOT_LOCK = "deno.lock";
const TEST_LOCK = "tests/deno.lock";

await removeIfThere(ROOT_LOCK);
await step(["install", "--quiet", `--lock=${ROOT_LOCK}`, "--frozen=false"]);
await Deno.copyFile(ROOT_LOCK, TEST_LOCK);
await step(["cache", "--quiet", `--lock=${TEST_LOCK}`, "--frozen=false", ...await sourceFiles(["tests"])]);
console.log(`wrote ${ROOT_LOCK} and ${TEST_LOCK}`);

async function step(args: readonly string[]): Promise<void> {
  const { code, output } = await run(Deno.execPath(), args);
  if (code !== 0) {
    console.error(`${output}Cannot write the lock files: deno ${args[0]} failed; see above`);
    Deno.exit(1);
  }
}

async function removeIfThere(file: string): Promise<void> {
  try {
    await Deno.remove(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
