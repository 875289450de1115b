import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { run } from "../../tools/child.ts";
import { folderTest, namesIn } from "../store/temporary_folder.ts";
import { test } from "../sanitized.ts";

const LINES_MAX = 140;
const COLUMNS_MAX = 80;

test("the demo tells its story from the first line to the last, and leaves nothing behind", async () => {
  const { code, output, elapsed_ms } = await run(Deno.execPath(), ["task", "--quiet", "demo"]);
  equal(code, 0, output);
  const page = output.split("\n").filter((line) => !line.startsWith("Download "));
  ok(page.length < LINES_MAX, `${page.length} lines`);
  // The safety words are of any length, and for nobody's eyes in a demo.
  for (const line of page) ok(line.length <= COLUMNS_MAX || line.startsWith("  words "), line);
  deepEqual(page.filter((line) => /^\d\. /.test(line)).map((line) => line[0]), [
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
  ]);
  deepEqual(
    page.map((line) => /^(?:sent|received) (\w+), \d+ octets: /.exec(line)?.[1]).filter(Boolean),
    [
      ...["Hello", "Reply", "HostKey", "Signature", "Finished", "Done"],
      ...["RegisterStart", "RegisterReply", "RegisterFinish", "LoginStart", "LoginReply", "LoginFinish"],
      "DeviceLogin",
    ],
  );
  match(output, /^ {2}IV {10}[0-9a-f]{32}\n {2}ciphertext {2}[0-9a-f]{64}\n/m);
  match(output, /^ {2}tag {9}[0-9a-f]{64}$/m);
  deepEqual(sightOf(page, "ann"), sightOf(page, "ben"));
  equal(sightOf(page, "ann").length, 5);
  for (const line of sightOf(page, "ann")) ok(line.endsWith(" ☒"), line);
  equal(output.match(/ gone: closed by the client \(done\)$/gm)?.length, 4);
  equal(page.at(-2), "Done. To talk yourself: deno task start");
  console.log(`the demo took ${(elapsed_ms / 1000).toFixed(1)} s`);
});

folderTest("a demo that cannot go on says so in a sentence and ends with a code", async (folder) => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      `--config=${Deno.cwd()}/deno.json`,
      "--no-prompt",
      "--allow-read",
      "--allow-write=.sotto",
      `--allow-run=${Deno.execPath()}`,
      `${Deno.cwd()}/tools/demo.ts`,
    ],
    // A folder without the programs that it starts.
    cwd: folder,
  });
  const { code, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  equal(code, 70, said);
  match(
    said,
    /^Cannot finish the demo: the server ended before it said where it listens; see above, or try again$/m,
  );
  doesNotMatch(said, /^ {4}at /m);
  deepEqual(await namesIn(`${folder}/.sotto`), []);
});

function sightOf(page: readonly string[], name: string): readonly string[] {
  const from = page.indexOf(`${name} sees`) + 1;
  const length = page.slice(from).findIndex((line) => !/^ {2}\d\d:\d\d:\d\d #lobby </.test(line));
  return page.slice(from, from + length);
}
