import { deepEqual, doesNotMatch, equal, match, notEqual, ok } from "node:assert/strict";
import * as v from "valibot";
import { ADMINISTRATION_SOCKET as USED } from "../../lib/admin/administration_socket.ts";
import {
  ADMINISTRATION_SOCKET,
  benchPermissions,
  clientPermissions,
  confined,
  serverPermissions,
  testArguments,
} from "../../tools/permissions.ts";
import { test } from "../sanitized.ts";

const Configuration = v.object({
  tasks: v.record(v.string(), v.object({ description: v.string(), command: v.string() })),
});
const { tasks } = v.parse(
  Configuration,
  JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url))),
);

/** How a task names the deno that runs it. */
const ITSELF = `$(deno eval 'console.log(Deno.execPath())')`;

/** A task's command as words: spaces divide them, but not within quotes, and the double ones fall away. */
function words(task: string): readonly string[] {
  const command = tasks[task]?.command ?? "";
  return [...command.matchAll(/(?:"(?:\\"|[^"])*"|'[^']*'|\$\([^)]*\)+|[^\s"'])+/g)].map(([word]) =>
    word.replace(/^"(.*)"$/, "$1")
  );
}

function permissions(task: string): readonly string[] {
  return words(task).filter((word) => /^--(allow|deny|no-prompt|v8-flags)/.test(word));
}

test("the task serve has the server's permissions", () => {
  deepEqual(permissions("serve"), serverPermissions());
});

test("the task chat has the client's permissions", () => {
  deepEqual(permissions("chat"), clientPermissions());
});

test("the task test runs what the gate runs", () => {
  deepEqual(words("test"), ["deno", ...testArguments(ITSELF, ["tests/"])]);
});

test("the task bench has the bench's permissions", () => {
  const compiler = `$(deno eval 'console.log(Deno.env.get("DENO_COMPILE") || Deno.execPath())')`;
  deepEqual(permissions("bench"), benchPermissions(ITSELF, compiler));
});

test("run is start", () => {
  equal(tasks["run"]?.command, tasks["start"]?.command);
});

test("every task is described, names its permissions and asks for none while it runs", () => {
  for (const [name, { description, command }] of Object.entries(tasks)) {
    notEqual(description, "", name);
    match(command, / --no-prompt /, name);
    doesNotMatch(command, / (-A|--allow-all|--allow-(run|env|sys|ffi))(\s|$)/, name);
    doesNotMatch(command, /--allow-(sys|ffi)/, name);
  }
});

test("neither program may start another, load a library or read the system", () => {
  for (const flag of [...serverPermissions(), ...clientPermissions()]) {
    doesNotMatch(flag, /^(-A|--allow-(all|run|ffi|sys|import)|--allow-env$)/);
  }
});

test("a program that a tool starts reaches loopback and its own socket, and writes to its folder", () => {
  const flags = confined(serverPermissions(), "data");
  const socket = new URL(`../../data/${ADMINISTRATION_SOCKET}`, import.meta.url).pathname;
  const net = flags.filter((flag) => flag.startsWith("--allow-net"));
  // Deno 2.6 needs no rule for a Unix socket, and refuses one.
  match(net.join(" "), new RegExp(`^--allow-net=127\\.0\\.0\\.1(,unix:${RegExp.escape(socket)})?$`));
  ok(flags.includes("--allow-write=data"));
  ok(!flags.includes("--allow-net"));
});

test("the socket that tools allow is the one that the server makes", () => {
  equal(ADMINISTRATION_SOCKET, USED);
});
