import { deepEqual, equal } from "node:assert/strict";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { lines } from "../../tools/lines.ts";
import { folderTest } from "./temporary_folder.ts";

/** Invitations that both programs want to use. */
const COUNT = 100;

folderTest(
  "of two programs that use an invitation at once one has the account, and one of all is the owner",
  async (folder) => {
    const racers = ["red", "blue"].map((name) => racer(folder, name));
    // Neither waits for the other to open: both may find that there is no database yet.
    for (const { output } of racers) equal((await output.next()).value, "ready");
    const accounts = await openAccountDatabase(folder);
    for (let at = 0; at < COUNT; at++) {
      const codeHash = new Uint8Array(32).fill(at);
      await accounts.addInvitation({ codeHash, expires: 1, usesLeft: 1, handle: undefined });
    }
    for (const { child } of racers) await start(child);
    const outcomes: string[][] = [];
    for (const { output, child } of racers) {
      outcomes.push(String((await output.next()).value).split(" "));
      deepEqual(await output.next(), { done: true, value: undefined });
      equal((await child.status).code, 0);
    }
    const [red = [], blue = []] = outcomes;
    for (let at = 0; at < COUNT; at++) {
      deepEqual([red[at], blue[at]].sort(), ["badInvitation", "registered"], `invitation ${at}`);
    }
    const made = await accounts.list();
    equal(made.length, COUNT);
    equal(made.filter(({ role }) => role === "owner").length, 1);
    accounts.close();
  },
);

function racer(folder: string, name: string) {
  const program = new URL("./racer.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--lock=tests/deno.lock", "--frozen", "--no-prompt"],
      ...[`--allow-read=${folder}`, `--allow-write=${folder}`, program, folder, name, String(COUNT)],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  return { child, output: lines(child.stdout)[Symbol.asyncIterator]() };
}

async function start(child: Deno.ChildProcess): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(Uint8Array.of(10));
  await writer.close();
}
