/**
 * What can go wrong when a newcomer starts a server: one clear sentence each, and the right exit code.
 *
 * @module
 */

import { equal, match } from "node:assert/strict";
import { unusedPort } from "./ports.ts";
import { complained } from "./programs.ts";
import { scenario, type Stage } from "./stage.ts";

/** Ways of calling the server that cannot work, with the sentence and the exit code of each. */
const WRONG_CALLS: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly sentence: RegExp;
}[] = [
  {
    name: "an unknown flag gets the nearest one suggested",
    args: ["--prot=8443"],
    code: 64,
    sentence: /^Cannot use --prot: there is no such flag; did you mean --port\?$/,
  },
  {
    name: "a word that is nearly a command gets it suggested",
    args: ["serv", "8443"],
    code: 64,
    sentence: /^Cannot run "serv": there is no such command; write "sotto-server serve"\.$/,
  },
  {
    name: "a word that is no port says what a port is",
    args: ["eight-thousand"],
    code: 64,
    sentence:
      /^Cannot use "eight-thousand" as a port: a port is a number from 0 to 65535; give one of these\.$/,
  },
  {
    name: "a port beyond 65535 says what a port is",
    args: ["--port=70000"],
    code: 64,
    sentence: /^Cannot use "70000" as a port: a port is a number from 0 to 65535; give one of these\.$/,
  },
  {
    name: "a word that nobody may be registered by gets the right ones named",
    args: ["--registration=nobody"],
    code: 64,
    sentence: /^Cannot use "nobody" for --registration: it is invite, open or closed; give one of these\.$/,
  },
  {
    name: "a certificate without its key is refused",
    args: ["--tls-cert=/nowhere/cert.pem"],
    code: 64,
    sentence:
      /^Cannot use --tls-cert alone: a certificate and its key go together; give --tls-key FILE, too\.$/,
  },
  {
    name: "an unknown cipher gets the nearest one suggested",
    args: ["--cipher=a256cbc-hs521"],
    code: 64,
    sentence: /^Cannot use the cipher "a256cbc-hs521": there is no such suite; did you mean a256cbc-hs512\?$/,
  },
  {
    name: "a missing file of the pre-shared key is named",
    args: ["--psk-file=/nowhere/psk", "--data-dir=/nowhere"],
    code: 66,
    sentence: /^Cannot read the pre-shared key from \/nowhere\/psk: there is no such file or folder; /,
  },
  {
    name: "nothing that says where data goes",
    args: [],
    code: 78,
    sentence: /^Cannot choose a data folder: neither XDG_DATA_HOME nor HOME is set; /,
  },
];

for (const { name, args, code, sentence } of WRONG_CALLS) {
  scenario(`sotto-server: ${name}`, async (stage) => {
    complained(await stage.run("sotto-server", { args }), { code, sentence });
  });
}

scenario("sotto-server: a port that is taken says so and ends with 69", async (stage) => {
  const { port } = await stage.server();
  complained(await stage.run("sotto-server", { args: [String(port), `--data-dir=${stage.path("other")}`] }), {
    code: 69,
    sentence: new RegExp(
      `^Cannot listen on 127\\.0\\.0\\.1 port ${port}: another program uses that port; stop it, or give another --port\\.$`,
    ),
  });
});

scenario("sotto-server: a data folder below a file cannot be written, and ends with 73", async (stage) => {
  const file = stage.path("a_file");
  await Deno.writeTextFile(file, "");
  complained(await stage.run("sotto-server", { args: ["0", `--data-dir=${file}/data`] }), {
    code: 73,
    sentence:
      /^Cannot write to the data folder \S+: a part of the path is a file, not a folder; choose another/,
  });
});

scenario("sotto-server: a data folder where no program may write ends with 73", async (stage) => {
  complained(await stage.run("sotto-server", { args: ["0", "--data-dir=/proc/sotto"] }), {
    code: 73,
    sentence: /^Cannot write to the data folder \/proc\/sotto: .+; choose another with --data-dir\.$/,
  });
});

scenario(
  "sotto-server: a host key that others can read is refused with 78, and how to mend it",
  async (stage) => {
    const { dataDir, path } = await stoppedServer(stage);
    await Deno.chmod(path, 0o644);
    complained(await stage.run("sotto-server", { args: ["0", `--data-dir=${dataDir}`] }), {
      code: 78,
      sentence: new RegExp(
        `^Cannot use the host key ${path}: others on this machine can reach it \\(mode 0644\\); run: chmod 600 ${path}$`,
      ),
    });
  },
);

scenario("sotto-server: a host key that is none is refused with 65, and never replaced", async (stage) => {
  const { dataDir, path } = await stoppedServer(stage);
  await Deno.writeTextFile(path, "no key at all\n");
  complained(await stage.run("sotto-server", { args: ["0", `--data-dir=${dataDir}`] }), {
    code: 65,
    sentence: /^Cannot use the host key \S+: it is no Ed25519 key in PKCS #8 PEM; put back your copy of it/,
  });
  equal(await Deno.readTextFile(path), "no key at all\n");
});

scenario(
  "a server that starts again has the same host key, and its file is its owner's alone",
  async (stage) => {
    const { dataDir, path, fingerprint, words } = await stoppedServer(stage);
    equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    const again = await stage.server({ dataDir, port: unusedPort() });
    equal(again.fingerprint, fingerprint);
    equal(again.words, words);
    match(words, /^(?:[a-z]+ ){11}[a-z]+$/);
  },
);

async function stoppedServer(
  stage: Stage,
): Promise<{ dataDir: string; path: string; fingerprint: string; words: string }> {
  const server = await stage.server();
  equal((await server.stop()).code, 0);
  const { dataDir, fingerprint, words } = server;
  return { dataDir, fingerprint, words, path: `${dataDir}/host_key.pem` };
}
