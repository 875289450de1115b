import { deepEqual, equal, match, ok } from "node:assert/strict";
import { runServerCommand } from "../../lib/config/server_command.ts";
import type { UpkeepCommand } from "../../lib/config/upkeep_command.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { type Exit, Failure } from "../../lib/text/failure.ts";
import { test } from "../sanitized.ts";
import { type Answer, environmentOf, Page } from "./answer.ts";

const FOLDER = "/home/ann/.local/share/sotto-server";

test("each command is heard with its flags in any order, and what it finds is printed line by line", async () => {
  const cases: Readonly<Record<string, UpkeepCommand>> = {
    "backup b": { type: "backup", other: "b", dataDir: FOLDER },
    "backup --data-dir=d b": { type: "backup", other: "b", dataDir: "d" },
    "restore b --data-dir d": { type: "restore", other: "b", dataDir: "d" },
    "doctor": { type: "doctor", dataDir: FOLDER, keyFile: undefined },
    "doctor --key-file k --data-dir d": { type: "doctor", dataDir: "d", keyFile: "k" },
  };
  for (const [line, command] of Object.entries(cases)) {
    deepEqual(await answer(line), { code: 0, stdout: "one\ntwo\n", stderr: "", configs: [command] }, line);
  }
});

test("where something is at fault the program ends with 65, and what could not be done is its sentence", async () => {
  deepEqual((await answer("doctor", () => Promise.resolve("data"))).code, 65);
  const failed = await answer(
    "backup b",
    () => Promise.reject(new Failure("cannotCreate", "Cannot make a backup in b: it is not empty; x.")),
  );
  equal(failed.code, 73);
  match(failed.stderr, /^Cannot make a backup in b: .*\n$/);
});

test("every wrong command is one sentence, exit 64, and nothing is done", async () => {
  const elsewhere = "here: other commands have it; see this one's --help.";
  const cases: Readonly<Record<string, string>> = {
    "backup": 'Cannot run "backup" alone: FOLDER is missing; write "sotto-server backup FOLDER".',
    "restore": 'Cannot run "restore" alone: FOLDER is missing; write "sotto-server restore FOLDER".',
    "backup b c": 'Cannot use "c": there is an argument too many; see sotto-server --help.',
    "doctor d": 'Cannot use "d": there is an argument too many; see sotto-server --help.',
    "bakcup b": 'Cannot run "bakcup": there is no such command; write "sotto-server backup".',
    "docter": 'Cannot run "docter": there is no such command; write "sotto-server doctor".',
    "backup b --key-file k": `Cannot use --key-file ${elsewhere}`,
    "doctor --port 1": `Cannot use --port ${elsewhere}`,
  };
  for (const [line, sentence] of Object.entries(cases)) {
    deepEqual(await answer(line), { code: 64, stdout: "", stderr: `${sentence}\n`, configs: [] }, line);
  }
});

test("each command has a help of its own, and the server's names them", async () => {
  const helps = {
    "--help": "sotto-server backup | restore | doctor …",
    "backup --help": "sotto-server backup [--data-dir DIR] <FOLDER>",
    "restore --help": "sotto-server restore [--data-dir DIR] <FOLDER>",
    "doctor --help": "sotto-server doctor [--data-dir DIR] [--key-file FILE]",
  };
  for (const [line, words] of Object.entries(helps)) {
    const help = await answer(line);
    equal(help.code, 0);
    ok(help.stdout.includes(words), line);
    for (const printed of help.stdout.split("\n")) ok(printed.length <= 100, printed);
  }
});

async function answer(
  line: string,
  end: () => Promise<Exit> = () => Promise.resolve("ok"),
): Promise<Answer<UpkeepCommand>> {
  const [stdout, stderr] = [new Page(), new Page()];
  const configs: UpkeepCommand[] = [];
  const code = await runServerCommand(line.split(" "), {
    version: "1.2.3",
    suites: SUITES,
    environment: environmentOf({}),
    readSecret: (path) => Promise.reject(new RangeError(`${path} was read`)),
    serve: () => Promise.reject(new RangeError("a server was started")),
    administer: () => Promise.reject(new RangeError("nothing was to be administered")),
    seeTo: async (command, print) => {
      const exit = await end();
      configs.push(command);
      for (const found of ["one", "two"]) print(found);
      return exit;
    },
    stdout,
    stderr,
  });
  return { code, stdout: stdout.text, stderr: stderr.text, configs };
}
