import assert from "node:assert/strict";
import { certificatePem, certificateTrust } from "../../lib/identity/certificate.ts";
import { type Invitation, parseInvitation } from "../../lib/identity/invitation.ts";
import { connectTls } from "../../lib/net/tls.ts";
import type { Program } from "../../tools/program.ts";
import { announcement, launches, start } from "../compiled/launch.ts";
import { folderTest, modeOf } from "../store/temporary_folder.ts";

const { server } = launches();

folderTest(
  "an operator administers a server that runs, and one that does not, by the same commands",
  async (folder) => {
    const running = serve(folder, "--registration=invite", "--tls");
    const { address } = await announcement(running);
    await said(running, /^invitation /);
    assert.deepEqual(await command(folder, "user", "list"), {
      code: 0,
      lines: ["There are no accounts yet"],
      errors: [],
    });

    const invited = await command(folder, "user", "add", "ann", "--address=localhost");
    assert.match(
      invited.lines[1] ?? "",
      /^good for 1 registration for ann until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
    );
    const { endpoint, certificate } = invitationIn(invited.lines);
    assert.equal(`127.0.0.1:${endpoint.port}`, address);
    assert.equal(endpoint.host, "localhost");
    const trust = certificateTrust(
      certificatePem(certificate ?? assert.fail("it makes its own")),
      "localhost",
    );
    (await connectTls({ host: "127.0.0.1", port: endpoint.port }, trust)).close();

    const refused = await command(folder, "user", "remove", "eve");
    assert.deepEqual([refused.code, refused.lines], [65, []]);
    assert.match(refused.errors.join("\n"), /^Cannot remove the user eve: [^\n]*$/);
    running.kill("SIGTERM");
    assert.equal(await running.ended, 0);

    const straight = await command(
      folder,
      "invite",
      "--uses=3",
      "--expires=7d",
      "--address=chat.example.org:9000",
    );
    assert.match(straight.lines[1] ?? "", /^good for 3 registrations until /);
    const again = invitationIn(straight.lines);
    assert.deepEqual(again.endpoint, { host: "chat.example.org", port: 9_000 });
    assert.deepEqual(again.certificate, certificate);
  },
);

folderTest(
  "attack 22: all that a server keeps is for its owner only, while it runs and after",
  async (folder) => {
    const running = serve(folder, "--tls");
    await announcement(running);
    const data = `${folder}/data`;
    for (const moment of ["running", "ended"]) {
      const paths = await pathsBelow(data);
      assert.equal(paths.includes(`${data}/admin/socket`), moment === "running");
      for (const name of ["host_key.pem", "tls_key.pem", "tls_cert.pem", "accounts.db", "admin"]) {
        assert.ok(paths.includes(`${data}/${name}`), name);
      }
      for (const path of paths) {
        assert.equal(
          await modeOf(path),
          (await Deno.stat(path)).isDirectory ? 0o700 : 0o600,
          `${path}, ${moment}`,
        );
      }
      running.kill("SIGTERM");
      assert.equal(await running.ended, 0);
    }
  },
);

folderTest(
  "a second server on a data folder is refused, and one after a server that was killed is not",
  async (folder) => {
    const first = serve(folder);
    await announcement(first);
    const second = serve(folder);
    assert.equal(await second.ended, 69);
    assert.match(
      second.errors.lines.join("\n"),
      /^Cannot listen on [^\n]*: another server runs on this data folder; [^\n]*$/,
    );
    assert.deepEqual(second.output.lines, []);
    first.kill("SIGKILL");
    await first.ended;
    const third = serve(folder);
    await announcement(third);
    assert.equal((await command(folder, "user", "list")).code, 0);
    third.kill("SIGTERM");
    assert.equal(await third.ended, 0);
  },
);

folderTest("an operator talks by the console, and quit() there ends the server", async (folder) => {
  const running = serve(folder, "--console");
  await announcement(running);
  await running.write("hello");
  await said(running, /^\d\d:\d\d:\d\d #lobby <console> hello$/);
  await running.write("/users");
  await said(running, /^#lobby \* nobody is here$/);
  await running.write("quit()");
  assert.equal(await running.ended, 0);
});

folderTest("a console whose input ends goes on to tell, and does not end the server", async (folder) => {
  const running = serve(folder, "--console");
  await announcement(running);
  await running.write("hello");
  await running.endInput();
  await said(running, /<console> hello$/);
  assert.equal((await command(folder, "user", "list")).code, 0);
  running.kill("SIGTERM");
  assert.equal(await running.ended, 0);
});

function serve(folder: string, ...flags: readonly string[]): Program {
  return sottoServer(["--port=0", `--data-dir=${folder}/data`, ...flags]);
}

async function command(
  folder: string,
  ...words: readonly string[]
): Promise<{ code: number; lines: readonly string[]; errors: readonly string[] }> {
  const program = sottoServer([...words, `--data-dir=${folder}/data`]);
  const code = await program.ended;
  return { code, lines: program.output.lines, errors: program.errors.lines };
}

function sottoServer(args: readonly string[]): Program {
  return start("the server", server, { args });
}

async function said(program: Program, pattern: RegExp): Promise<void> {
  await program.output.until(`it said ${pattern}`, (line) => pattern.test(line) || undefined);
}

function invitationIn(lines: readonly string[]): Invitation {
  const url = /^invitation (\S+)$/.exec(lines[0] ?? "")?.[1] ??
    assert.fail(`no invitation in ${lines.join(" | ")}`);
  const parsed = parseInvitation(url);
  return parsed.kind === "invitation" ? parsed.invitation : assert.fail(parsed.sentence);
}

async function pathsBelow(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    paths.push(`${folder}/${name}`);
    if (isDirectory) paths.push(...await pathsBelow(`${folder}/${name}`));
  }
  return paths;
}
