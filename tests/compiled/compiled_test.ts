/**
 * Both executables on an empty environment: no runtime beside them, no variable but those that a test names.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import denoJson from "../../deno.json" with { type: "json" };
import type { Program } from "../../tools/program.ts";
import { modeOf, namesIn } from "../store/temporary_folder.ts";
import { executablesTest } from "./executables.ts";
import { announcement, type Launch, type Launches, start } from "./launch.ts";

/** The password of everybody. */
const PASSWORD = "a password that nobody guesses";

/** How a client is started. */
interface ClientStart {
  readonly folder: string;
  readonly address: string;
  readonly user: string;
  readonly hostKey: string;
  /** The password in its environment; `null`: none. */
  readonly password?: string | null;
}

/** What a program did that ended by itself. */
interface Ending {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

executablesTest("the executables tell their version and their help", async ({ server, client }) => {
  for (const [name, launch] of [["sotto-server", server], ["sotto", client]] as const) {
    const bare = { env: {}, cwd: "/" };
    deepEqual(await ending(launch, { args: ["--version"], ...bare }), {
      code: 0,
      output: `${name} ${denoJson.version}`,
      errors: "",
    });
    const { code, output, errors } = await ending(launch, { args: ["--help"], ...bare });
    deepEqual({ code, errors }, { code: 0, errors: "" });
    match(output, new RegExp(`^USAGE\n {2}${name} \\[`));
    match(output, /^EXIT CODES$/m);
    const { size } = await Deno.stat(launch.file);
    console.log(`${name}: ${(size / 1_000_000).toFixed(1)} MB`);
  }
});

executablesTest("two clients talk through the server, and all end with 0", async (executables, folder) => {
  const { program: server, elapsed_ms } = await startServer(executables, folder);
  console.log(`the server listened after ${elapsed_ms.toFixed(0)} ms`);
  const { address, fingerprint } = await announcement(server);

  const started_ms = performance.now();
  const ann = startClient(executables, { folder, address, user: "ann", hostKey: fingerprint });
  await ann.write('{"type":"send","text":"hello"}');
  await acknowledgement(ann);
  const taken_ms = performance.now() - started_ms;
  console.log(`a client started, registered, enrolled and was acknowledged in ${taken_ms.toFixed(0)} ms`);
  const told = ann.output.lines.filter((line) => line.startsWith('{"type":"recoveryCode"'));
  match(told.join("\n"), /^\{"type":"recoveryCode","code":"(?:[0-9A-Z]{4}-){7}[0-9A-Z]{4}"\}$/);

  const ben = startClient(executables, { folder, address, user: "ben", hostKey: fingerprint });
  await ben.output.until("it was in", (line) => line.includes('"names":["ben","ann"]') ? line : undefined);
  await ben.write('{"type":"send","text":"Grüße, 你好 👋"}');
  match(
    await ann.output.until("ben's message", messageFrom("ben")),
    /"verified":true,.*"text":"Grüße, 你好 👋"/,
  );
  await ann.write('{"type":"send","text":"and back"}');
  match(await ben.output.until("ann's message", messageFrom("ann")), /"verified":true,.*"text":"and back"/);

  await ann.write('{"type":"quit"}');
  await ben.endInput();
  deepEqual(await Promise.all([ann.ended, ben.ended]), [0, 0]);
  server.kill("SIGTERM");
  equal(await server.ended, 0);
  for (const { errors } of [ann, ben]) equal(errors.lines.join("\n"), "");
  // For each: one to learn the key of the fingerprint, one by password, one to talk.
  equal(server.errors.lines.filter((line) => / gone: closed by the client \(done\)$/.test(line)).length, 6);
});

executablesTest("a device that is known comes in without a password", async (executables, folder) => {
  const { program: server } = await startServer(executables, folder);
  const { address, fingerprint } = await announcement(server);
  const once = startClient(executables, { folder, address, user: "ann", hostKey: fingerprint });
  await once.endInput();
  equal(await once.ended, 0);

  const started_ms = performance.now();
  const again = startClient(executables, {
    folder,
    address,
    user: "ann",
    hostKey: fingerprint,
    password: null,
  });
  await again.write('{"type":"send","text":"hello"}');
  await acknowledgement(again);
  const taken_ms = performance.now() - started_ms;
  console.log(`a client started, logged in by its device and was acknowledged in ${taken_ms.toFixed(0)} ms`);
  await again.endInput();
  equal(await again.ended, 0);

  const none = startClient(executables, {
    folder,
    address,
    user: "ben",
    hostKey: fingerprint,
    password: null,
  });
  equal(await none.ended, 64);
  match(none.errors.lines.join("\n"), /^Cannot log in as ben: there is no password; .+\.$/);
  server.kill("SIGTERM");
  equal(await server.ended, 0);
});

executablesTest("a server that is killed is told as a cut, with 75", async (executables, folder) => {
  const { program: server } = await startServer(executables, folder);
  const { address, fingerprint } = await announcement(server);
  const ann = startClient(executables, { folder, address, user: "ann", hostKey: fingerprint });
  await ann.write('{"type":"send","text":"hello"}');
  await acknowledgement(ann);
  server.kill("SIGKILL");
  equal(await ann.ended, 75);
  match(ann.output.lines.at(-1) ?? "", /^\{"type":"state","state":"cut"/);
  match(ann.errors.lines.join("\n"), /^Connection cut: 127\.0\.0\.1:\d+ went away without a goodbye; /);
  await server.ended;

  // What was acknowledged to have been published is on the disk.
  const again = await startServer(executables, folder);
  const there = await announcement(again.program);
  const back = startClient(executables, {
    folder,
    address: there.address,
    user: "ann",
    hostKey: fingerprint,
    password: null,
  });
  await back.write('{"type":"send","text":"hello again"}');
  await acknowledgement(back);
  await back.endInput();
  equal(await back.ended, 0);
  again.program.kill("SIGTERM");
  equal(await again.program.ended, 0);
});

executablesTest("nothing is written but keys, accounts and rooms, for the owner's eyes", async (
  executables,
  folder,
) => {
  const [home, work, temporary] = [`${folder}/home`, `${folder}/work`, `${folder}/tmp`];
  for (const each of [home, work, temporary]) await Deno.mkdir(each);
  const dist = executables.client.file.replace(/\/[^/]*$/, "");
  const before = await namesIn(dist);
  const surroundings = { bare: true, env: { HOME: home, TMPDIR: temporary }, cwd: work };

  const server = start("the server", executables.server, { args: ["--port=0"], ...surroundings });
  const { address } = await announcement(server);
  const ann = start("ann", executables.client, {
    args: [address, "--user=ann", "--json"],
    ...surroundings,
    env: { ...surroundings.env, SOTTO_PASSWORD: PASSWORD },
  });
  await ann.write('{"type":"send","text":"hello"}');
  await ann.endInput();
  equal(await ann.ended, 0);
  server.kill("SIGTERM");
  equal(await server.ended, 0);

  const [data, known] = [`${home}/.local/share/sotto-server`, `${home}/.config/sotto`];
  const [fingerprint = ""] = await namesIn(`${known}/servers`);
  match(fingerprint, /^[0-9a-f]{32}$/);
  const own = `${known}/servers/${fingerprint}/ann`;
  deepEqual(await filesBelow(folder), [
    `${known}/known_hosts`,
    `${known}/known_hosts.lock`,
    `${own}/keys`,
    `${own}/keys.lock`,
    `${own}/local.db`,
    `${own}/local.db.lock`,
    `${own}/local.key`,
    `${own}/local.key.lock`,
    `${data}/accounts.db`,
    `${data}/accounts.db.lock`,
    `${data}/admin/socket.lock`,
    `${data}/host_key.pem`,
    `${data}/rest.key`,
    `${data}/rooms.db`,
    `${data}/rooms.db.lock`,
  ]);
  for (const file of await filesBelow(folder)) equal(await modeOf(file), 0o600, file);
  for (const each of [data, `${data}/admin`, known, own]) equal(await modeOf(each), 0o700, each);
  match(
    await Deno.readTextFile(`${known}/known_hosts`),
    new RegExp(`^${address.replaceAll(".", "\\.")} sotto-ed25519 [A-Za-z0-9+/]{43}=\n$`),
  );
  deepEqual(await namesIn(dist), before);
});

executablesTest("a server keeps its host key, and a client stops where it meets another", async (
  executables,
  folder,
) => {
  const { program: first } = await startServer(executables, folder);
  const { address, fingerprint } = await announcement(first);
  first.kill("SIGTERM");
  equal(await first.ended, 0);
  const port = address.replace(/.*:/, "");
  const again = start("the server", executables.server, {
    args: [port, `--data-dir=${folder}/server`],
    bare: true,
    env: {},
  });
  const announced = await announcement(again);
  deepEqual(announced, { address, fingerprint });

  const other = `SHA256:${"A".repeat(43)}`;
  const ann = startClient(executables, { folder, address, user: "ann", hostKey: other });
  equal(await ann.ended, 76);
  match(
    ann.errors.lines.join("\n"),
    /^Cannot trust 127\.0\.0\.1:\d+: its host key is SHA256:\S+ and not SHA256:A+, /,
  );
  again.kill("SIGINT");
  equal(await again.ended, 0);
});

executablesTest("what cannot be done is told in one sentence, with its exit code", async (
  { server, client },
  folder,
) => {
  const { program: running } = await startServer({ server, client }, folder);
  const { address } = await announcement(running);
  const port = address.replace(/.*:/, "");
  await Deno.writeTextFile(`${folder}/file`, "");
  const env = { SOTTO_CONFIG_DIR: `${folder}/client` };
  const faults: readonly (readonly [Launch, readonly string[], Record<string, string>, number, RegExp])[] = [
    [server, [], {}, 78, /^Cannot choose a data folder: neither XDG_DATA_HOME nor HOME is set; .+\.$/],
    [
      client,
      ["--user=ann"],
      {},
      78,
      /^Cannot choose a folder for keys: .* HOME are not set; set one of them\.$/,
    ],
    [server, ["--prot=1"], {}, 64, /--port/],
    [client, [], env, 64, /^Cannot chat without a name: .+\.$/],
    [client, ["--psk-file", `${folder}/none`], env, 66, /^Cannot read the pre-shared key.+\.$/],
    [server, ["--port=0", `--data-dir=${folder}/file`], {}, 73, /^Cannot .+\.$/],
    [
      server,
      [port, `--data-dir=${folder}/other`],
      {},
      69,
      /^Cannot listen on 127\.0\.0\.1 port \d+: another program .+\.$/,
    ],
    [
      client,
      ["127.0.0.1:1", "--user=ann"],
      env,
      69,
      /^Cannot reach 127\.0\.0\.1 port 1: no server answers there; .+\.$/,
    ],
  ];
  for (const [launch, args, given, code, sentence] of faults) {
    const end = await ending(launch, { args, env: given, cwd: "/" });
    equal(end.code, code, `${args.join(" ")}: ${end.errors}`);
    match(end.errors, sentence);
    ok(!end.errors.includes("\n"), end.errors);
    equal(end.output, "");
  }
  running.kill("SIGTERM");
  equal(await running.ended, 0);
});

async function startServer(
  { server }: Launches,
  folder: string,
): Promise<{ program: Program; elapsed_ms: number }> {
  const started_ms = performance.now();
  const args = ["--port=0", `--data-dir=${folder}/server`];
  const program = start("the server", server, { args, bare: true });
  // What comes before it would be taken for the address by a script that reads one line.
  const first = await program.output.until("its first line", (line) => line);
  match(first, /^sotto-server listening on 127\.0\.0\.1:\d+$/);
  return { program, elapsed_ms: performance.now() - started_ms };
}

function startClient(
  { client }: Launches,
  { folder, address, user, hostKey, password = PASSWORD }: ClientStart,
): Program {
  return start(user, client, {
    args: ["chat", address, `--user=${user}`, `--host-key=${hostKey}`, "--json"],
    bare: true,
    env: {
      SOTTO_CONFIG_DIR: `${folder}/${user}`,
      ...(password === null ? {} : { SOTTO_PASSWORD: password }),
    },
  });
}

async function acknowledgement({ output }: Program): Promise<void> {
  await output.until("its acknowledgement", (line) => line.startsWith('{"type":"ack"') ? line : undefined);
}

function messageFrom(name: string): (line: string) => string | undefined {
  const pattern = new RegExp(`^\\{"type":"message",.*"from":"${name}",.*"own":false,.*"history":false,`);
  return (line) => pattern.test(line) ? line : undefined;
}

/** Runs a program that ends by itself, on nothing but `env`. */
async function ending(
  launch: Launch,
  { args, env, cwd }: { args: readonly string[]; env: Record<string, string>; cwd: string },
): Promise<Ending> {
  const program = start("it", launch, { args, env, cwd, bare: true });
  const code = await program.ended;
  return { code, output: program.output.lines.join("\n"), errors: program.errors.lines.join("\n") };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    files.push(...isDirectory ? await filesBelow(path) : [path]);
  }
  return files.sort();
}
