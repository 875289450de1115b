/**
 * `deno task build`: both executables into dist/, by the release that $DENO_COMPILE names or by this one.
 *
 * @module
 */

import { run } from "./child.ts";
import { PROGRAMS } from "./permissions.ts";

const FOLDER = "dist";
const compiler = Deno.env.get("DENO_COMPILE") || Deno.execPath();

const options = await compileOptions();
for (const { executable, root, permissions } of PROGRAMS) {
  const file = `${FOLDER}/${executable}`;
  const ending = await run(compiler, ["compile", ...options, ...permissions, `--output=${file}`, root]);
  if (ending.code !== 0) refuse(file, ending.output);
  await tryOut(file);
  const { size } = await Deno.stat(Deno.build.os === "windows" ? `${file}.exe` : file);
  console.log(`${file}  ${(size / 1_000_000).toFixed(1)} MB, run it with ./${file} --help`);
}

/** No code cache: it would be written beside the executable at first start. */
async function compileOptions(): Promise<readonly string[]> {
  const { output } = await run(compiler, ["compile", "--help"]);
  const everywhere = ["--quiet", "--frozen", "--no-code-cache"];
  return output.includes("--exclude-unused-npm") ? [...everywhere, "--exclude-unused-npm"] : everywhere;
}

/** deno joins a program to any runtime image; where the two do not fit, the executable never starts. */
async function tryOut(file: string): Promise<void> {
  const { code, output } = await run(file, ["--version"]);
  if (code === 0) return;
  console.error(output.trimEnd());
  console.error(
    `Cannot build ${file}: what was made does not start; where DENORT_BIN is set, it must be of the ` +
      "release that compiles, which DENO_COMPILE names",
  );
  Deno.exit(1);
}

function refuse(file: string, output: string): never {
  console.error(output.trimEnd());
  const why = /denort|download/i.test(output)
    ? "deno could not download its runtime image (denort); try again where its download host is reachable, " +
      "or name an image of the same release in DENORT_BIN"
    : "deno compile failed; see above";
  console.error(`Cannot build ${file}: ${why}`);
  Deno.exit(1);
}
