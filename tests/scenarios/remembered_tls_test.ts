/**
 * A server that was met through TLS is met through TLS from then on, by the programs as they are.
 *
 * @module
 */

import { deepEqual, equal, match } from "node:assert/strict";
import { complained } from "./programs.ts";
import { PASSWORD, scenario, type Server, type Stage } from "./stage.ts";

/** A machine on which nobody has chatted yet; gives its folder, and runs Ann's client there. */
function machine(stage: Stage) {
  const folder = stage.path("ann");
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    stage.run("sotto", {
      as: "ann",
      args: ["chat", "--user=ann", ...args],
      env: { SOTTO_CONFIG_DIR: folder, ...env },
    });
  return { folder, run };
}

/** How Ann, who has used an invitation, comes in to a server of which that told the certificate. */
async function invited(stage: Stage): Promise<
  { readonly server: Server; readonly invitation: string } & ReturnType<typeof machine>
> {
  const server = await stage.server({ args: ["--registration=invite", "--tls"] });
  const invitation = await stage.invitation(server);
  const { folder, run } = machine(stage);
  const { code, err } = await run([invitation], { SOTTO_PASSWORD: PASSWORD });
  equal(code, 0, err.join("\n"));
  return { server, invitation, folder, run };
}

scenario("who came by an invitation with a certificate comes again by HOST:PORT alone", async (stage) => {
  const { server, folder, run } = await invited(stage);
  match(
    await Deno.readTextFile(`${folder}/known_tls`),
    new RegExp(`^127\\.0\\.0\\.1:${server.port} tls [A-Za-z0-9+/=]+\n$`),
  );
  deepEqual((await run([server.address])).code, 0);
  deepEqual((await run([server.address, "--tls"])).code, 0);
});

scenario(
  "a certificate given by --tls-ca is remembered together with the host key",
  async (stage) => {
    const server = await stage.server({ args: ["--tls"] });
    const { run } = machine(stage);
    const env = { SOTTO_PASSWORD: PASSWORD };
    const pin = `--host-key=${server.fingerprint}`;
    const file = `--tls-ca=${server.dataDir}/tls_cert.pem`;
    complained(await run([server.address, pin], env), {
      code: 76,
      sentence: /^Cannot talk with \S+ port \d+: the server there expects TLS; /,
    });
    deepEqual((await run([server.address, pin, file], env)).code, 0);
    deepEqual((await run([server.address])).code, 0);
  },
);

scenario(
  "attack 30: a server remembered by TLS that goes without it, or has another certificate, is not talked to",
  async (stage) => {
    const { server, invitation, folder, run } = await invited(stage);
    const { dataDir, port } = server;
    const known = await Deno.readTextFile(`${folder}/known_tls`);
    const sentence = (why: string) =>
      new RegExp(
        `^Cannot begin TLS with 127\\.0\\.0\\.1 port ${port}: ${why}; ask its operator, and only if its TLS was ` +
          `really changed remove the line of 127\\.0\\.0\\.1:${port} from \\S+/known_tls\\.$`,
      );
    await server.stop();

    const plain = await stage.server({ dataDir, port });
    complained(await run([plain.address]), { code: 76, sentence: sentence("it closed without an answer") });
    const { err } = await plain.stop();
    // Not let in: it was not tried without TLS.
    equal(err.some((line) => line.includes(" joined as ")), false);

    // With the same key, another certificate would be as good.
    for (const name of ["tls_cert.pem", "tls_key.pem"]) await Deno.remove(`${dataDir}/${name}`);
    const other = await stage.server({ dataDir, port, args: ["--tls"] });
    complained(await run([other.address]), {
      code: 76,
      sentence: sentence("its certificate is none that you trust"),
    });
    complained(await run([await stage.invitation(other)]), {
      code: 76,
      sentence:
        /^Cannot trust the invitation: its TLS certificate is not the one by which \S+ is known here; ask its operator/,
    });
    complained(await run([invitation]), {
      code: 76,
      sentence: sentence("its certificate is none that you trust"),
    });
    equal(await Deno.readTextFile(`${folder}/known_tls`), known);
    deepEqual((await run([other.address, `--tls-ca=${dataDir}/tls_cert.pem`])).code, 0);
    deepEqual((await run([other.address])).code, 0);
  },
);

scenario(
  "an invitation that is used up still tells whom to trust, to whoever has registered already",
  async (stage) => {
    const { server, invitation } = await invited(stage);
    const { run } = machine(stage);
    const env = { SOTTO_PASSWORD: PASSWORD };
    complained(await run([invitation], env), {
      code: 77,
      sentence: /; ask its operator for another one, or leave it out if ann has registered already\.$/,
    });
    // Host key and certificate are known now: what is wrong is the password, which somebody else has.
    complained(await run([server.address], { SOTTO_PASSWORD: "another" }), {
      code: 77,
      sentence: /^Cannot log in as ann: the name or the password is wrong; /,
    });
  },
);
