/**
 * What an operator does with accounts, while the server runs and without it, as the people concerned see it.
 *
 * @module
 */

import { deepEqual, equal, match } from "node:assert/strict";
import { complained } from "./programs.ts";
import { type ClientRun, PASSWORD, scenario, type Server, type Stage } from "./stage.ts";

const CLOSED =
  /^Cannot go on with \S+: the account was disabled, banned or removed; ask the server's operator\.$/;
const NOT_BY_DEVICE =
  /^Cannot log in as \w+ with this device at \S+: the account was disabled, banned or removed, or this device revoked; ask the server's operator, or log in by password /;
const WRONG = /^Cannot log in as \w+: the name or the password is wrong; /;

/** Whether the server runs while its operator is at work. */
const RUNNING = [true, false] as const;

for (const running of RUNNING) {
  const how = running ? "while the server runs" : "without a server";
  scenario(`an account is disabled, enabled, reset and removed ${how}`, async (stage) => {
    let server = await stage.server({ args: ["--registration=invite"] });
    const ben = await stage.joined(server, { user: "ben" });
    const url = await stage.invitation(server, "user", "add", "ann");
    const ann = await stage.joined(server, { ...invited(url), user: "ann" });
    const { configDir } = ann;
    const operate = async (...args: readonly string[]): Promise<readonly string[]> => {
      if (!running) await server.stop();
      const { code, out, err } = await stage.operate(server, "user", ...args);
      equal(code, 0, err.join("|"));
      const { dataDir, port } = server;
      if (!running) server = await stage.server({ dataDir, port, args: ["--registration=invite"] });
      return out;
    };
    const accounts = await operate("list");
    deepEqual(accounts.map((line) => line.split(/ {2,}/).filter((_, at) => at !== 3)), [
      ["NAME", "ROLE", "STANDING", "PASSWORD", "DEVICES"],
      ["ann", "member", "active", "set", "published"],
      ["ben", "owner", "active", "none", "published"],
    ]);

    deepEqual(await operate("disable", "ann"), ["disabled ann"]);
    const { code, err } = await ann.ending();
    if (running) {
      equal(code, 77);
      match(err.at(-1) ?? "", CLOSED);
      await ben.program.line("out", /^\S+ \* ann is offline$/);
    }
    complained(await stage.visit(server, { user: "ann", configDir }), { code: 77, sentence: NOT_BY_DEVICE });
    complained(await stage.visit(server, { user: "ann", newcomer: true }), { code: 77, sentence: WRONG });
    deepEqual(await operate("enable", "ann"), ["enabled ann"]);
    equal((await stage.visit(server, { user: "ann", configDir }, "I am back\n")).code, 0);

    const [line = ""] = await operate("reset", "ann", `--address=${server.address}`);
    const renewal = /^invitation (\S+)$/.exec(line)?.[1] ?? "";
    complained(await stage.visit(server, { user: "ann", newcomer: true }), { code: 77, sentence: WRONG });
    complained(await stage.visit(server, { ...invited(renewal), user: "bob" }), {
      code: 77,
      sentence:
        /^Cannot register bob at \S+: the invitation is missing, used up, too old or for another name; /,
    });
    const renewed = { user: "ann", configDir, args: ["--register"], password: "another password" };
    equal((await stage.visit(server, { ...renewed, address: renewal, pinned: false })).code, 0);
    equal(await guessed(stage, server, PASSWORD), "wrong");
    equal(await guessed(stage, server, "another password"), "right");

    deepEqual(await operate("remove", "ann"), ["removed ann"]);
    if (running) await ben.program.line("out", / #lobby \* ann is gone: the account was removed$/);
    complained(await stage.visit(server, { user: "ann", configDir }), { code: 77, sentence: NOT_BY_DEVICE });
    complained(await stage.visit(server, { ...invited(await stage.invitation(server)), user: "ann" }), {
      code: 77,
      sentence: /^Cannot register ann at \S+: the name, or one that looks like it, is taken; /,
    });
    complained(await stage.operate(server, "user", "add", "ann"), {
      code: 65,
      sentence:
        /^Cannot add the user ann: the name is or was another's, or looks like one; choose another\.$/,
    });
  });
}

scenario("an operator who names nobody, or forbidden things, is told so", async (stage) => {
  const server = await stage.server();
  complained(await stage.operate(server, "user", "disable", "nobody"), {
    code: 65,
    sentence:
      /^Cannot disable the user nobody: there is none of that name; to see all run: sotto-server user list$/,
  });
  complained(await stage.operate(server, "user", "add", "Ann"), {
    code: 64,
    sentence: /^Cannot use "Ann" as a name: "A" is a capital letter; use "ann"\.$/,
  });
  complained(await stage.operate(server, "invite", "--expires=forever"), {
    code: 64,
    sentence: /^Cannot use "forever" as a time: .*; write it like 30m, 24h or 7d\.$/,
  });
});

scenario("a second server on one data folder is refused, and the first goes on", async (stage) => {
  const server = await stage.server();
  complained(await stage.run("sotto-server", { args: ["0", `--data-dir=${server.dataDir}`] }), {
    code: 69,
    sentence:
      /^Cannot listen on \S+: another server runs on this data folder; stop it, or give another --data-dir\.$/,
  });
  equal((await stage.visit(server, { user: "ann" }, "still here\n")).code, 0);
});

function invited(address: string): Omit<ClientRun, "user"> {
  return { address, pinned: false, newcomer: true };
}

/** Whether a password of ann's is right, without becoming a device of hers. */
async function guessed(stage: Stage, server: Server, password: string): Promise<"right" | "wrong"> {
  const env = { SOTTO_RECOVERY_CODE: "none" };
  const { err } = await stage.visit(server, { user: "ann", newcomer: true, password, env });
  if (err[0]?.startsWith("Cannot recover ann: ") === true) return "right";
  match(err[0] ?? "", WRONG);
  return "wrong";
}
