/**
 * What is lost with a stolen disk, or a stolen key: no session of before, no password, and nothing that should not have
 * been there.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { parseRecoveryCode } from "../../lib/identity/recovery_code.ts";
import { Channel } from "../../lib/secure/channel.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { loadOrMakeHostKey } from "../../lib/store/host_key_file.ts";
import { OwnKeysFiles } from "../../lib/store/own_keys_file.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { modeOf } from "../store/temporary_folder.ts";
import { handleOf } from "./enrolled.ts";
import { Relay } from "./relay.ts";
import { type Client, PASSWORD, scenario, type Server } from "./stage.ts";
import { opens } from "./thief.ts";

/** 64 digits, which are the key itself. */
const PSK = "0123456789abcdef".repeat(4);

for (const psk of [undefined, PSK]) {
  const withPsk = psk === undefined ? "" : ", the pre-shared key among them";
  scenario(
    `attack 24: what was recorded stays closed to whoever has every long-term secret later${withPsk}`,
    async (stage) => {
      const env: Record<string, string> = psk === undefined ? {} : { SOTTO_PSK: psk };
      const server = await stage.server({ env });
      const relay = new Relay(stage, server.port);
      const ann = await stage.joined(server, { user: "ann", address: relay.address, newcomer: true, env });
      await ann.say("for your ears only");
      await ann.shows("ann: for your ears only");
      const code = await ann.program.found("err", /^recovery code (\S+) /);
      await ann.quit();
      equal((await ann.ending()).code, 0);
      const all = await stage.until("the end of all connections", () => {
        return relay.connections.every(({ over }) => over) ? relay.connections : undefined;
      });
      equal(all.length, 2, "a registration with its login, and the login of the device");
      equal((await server.stop()).code, 0);

      const secrets = [...await serversSecrets(server), ...await clientsSecrets(ann, server)];
      for (const text of [PASSWORD, code]) {
        secrets.push(await provider.sha256(utf8(text)), await provider.sha512(utf8(text)));
      }
      secrets.push(concat(parseRecoveryCode(code) ?? new Uint8Array(0), new Uint8Array(12)));
      const key = psk === undefined ? undefined : Uint8Array.fromHex(psk);
      for (const carried of all) {
        const recording = { toServer: carried.bytes("toServer"), toClient: carried.bytes("toClient") };
        equal(await opens(recording, { secrets, psk: key }), false);
      }
    },
  );
}

test("the thief of these tests opens a session by its ephemeral secrets, and not without one of them", async () => {
  const given: Bytes[] = [];
  const remembered = (length: number): Bytes => {
    const octets = systemEntropy(length);
    given.push(octets);
    return octets;
  };
  const parts = { provider, trace: () => {} };
  const hostKey = await provider.ed25519SigningKey(systemEntropy(32));
  const { channel: client, opening } = await Channel.client(
    { suites: SUITES, psk: undefined, pin: { kind: "key", publicKey: hostKey.publicKey } },
    { ...parts, entropy: remembered },
  );
  const server = Channel.server({ suites: SUITES, psk: undefined, hostKey }, {
    ...parts,
    entropy: systemEntropy,
  });
  const flight = await server.receive(opening);
  const { reply: done } = await client.receive(flight.reply);
  const recording = { toServer: concat(opening, done), toClient: flight.reply };

  const seeds = given.filter(({ length }) => length >= 32);
  ok(await opens(recording, { secrets: seeds, psk: undefined }), "with all of them");
  for (const length of [32, 64]) {
    const some = seeds.filter((seed) => seed.length !== length);
    ok(some.length < seeds.length, `there are secrets of ${length} octets`);
    equal(
      await opens(recording, { secrets: some, psk: undefined }),
      false,
      `without those of ${length} octets`,
    );
  }
});

scenario(
  "attack 22: no file, log, output or argument has a secret that does not belong there, and files are their owner's",
  async (stage) => {
    const server = await stage.server({ args: ["--registration=invite", "--trace"] });
    const announced = await server.program.found("out", /^invitation (\S+)$/);
    const passwordFile = stage.path("password");
    await Deno.writeTextFile(passwordFile, PASSWORD, { mode: 0o600 });
    const run = { pinned: false, newcomer: true, args: ["--trace"] };
    const ann = await stage.joined(server, {
      ...run,
      user: "ann",
      address: announced,
      password: null,
      args: ["--trace", `--password-file=${passwordFile}`],
    });
    await ann.say("a word that the server does not keep");
    await ann.shows("ann: a word that the server does not keep");
    const recovery = await ann.program.found("err", /^recovery code (\S+) /);
    const phone = await stage.joined(server, {
      user: "ann",
      newcomer: true,
      args: ["--device=phone", "--trace"],
      env: { SOTTO_RECOVERY_CODE: recovery },
    });
    await phone.quit();
    await phone.ending();
    const ending = await stage.visit(server, {
      ...run,
      user: "ann",
      address: server.address,
      password: "a wrong one",
    });
    equal(ending.code, 77);
    const changing = stage.path("new_password");
    await Deno.writeTextFile(changing, "a new password", { mode: 0o600 });
    const configDir = stage.path("changing");
    const changed = await stage.run("sotto", {
      args: [
        "password",
        server.address,
        "--user=ann",
        `--host-key=${server.hostKey}`,
        `--new-password-file=${changing}`,
        "--trace",
      ],
      env: { SOTTO_CONFIG_DIR: configDir, SOTTO_PASSWORD: PASSWORD },
    });
    equal(changed.code, 0, changed.err.join("|"));

    // While they run: what any user of this machine sees of a program.
    for (const { program } of [server, ann]) {
      const { out } = await stage.launchFile("cat", { args: [`/proc/${program.pid}/cmdline`] }).ending();
      const shown = out.join("\n");
      ok(shown.includes("data-dir") || shown.includes("chat"), "the arguments are seen");
      for (const secret of [PASSWORD, recovery]) ok(!shown.includes(secret), shown);
    }
    const ownKeys = await ownKeysOf(ann, server);
    await ann.quit();
    equal((await ann.ending()).code, 0);
    const { err: journal } = await server.stop();

    const code = new URL(announced).searchParams.get("code") ?? "";
    const seeds = { device: ownKeys.deviceSeed, identity: ownKeys.identitySeed };
    const anywhere = await filesBelow(stage.folder);
    for (const { path } of anywhere) {
      if (path === passwordFile || path === changing) continue;
      equal(await modeOf(path), 0o600, path);
    }
    const secrets: readonly (readonly [string, readonly Bytes[]])[] = [
      ["a password", [utf8(PASSWORD), utf8("a new password"), utf8("a wrong one")]],
      ["the recovery code", codeForms(recovery)],
      ["an invitation's code", [utf8(code), Uint8Array.fromBase64(code, { alphabet: "base64url" })]],
      ["what was said", [utf8("a word that the server does not keep")]],
    ];
    for (const { path, octets } of anywhere) {
      if (path === passwordFile || path === changing) continue;
      for (const [what, forms] of secrets) {
        for (const form of forms) ok(!octets.includes(Buffer.from(form)), `${what} in ${path}`);
      }
      const isKeys = path.endsWith("/keys");
      const mayHave = { device: isKeys && path.startsWith(ann.configDir), identity: isKeys };
      for (const what of ["device", "identity"] as const) {
        ok(!octets.includes(Buffer.from(seeds[what])), `the ${what} seed in ${path}`);
        equal(octets.includes(seeds[what].toBase64()), mayHave[what], `the ${what} seed in ${path}`);
      }
    }
    const hostSeed = await loadOrMakeHostKey(server.dataDir, systemEntropy);
    const outputs = [
      ...journal,
      ...ann.program.err,
      ...ann.program.out,
      ...phone.program.err,
      ...ending.err,
      ...changed.err,
    ]
      .filter((line) => !line.startsWith("recovery code ") && !line.includes("<ann>"))
      .join("\n");
    ok(outputs.includes("trace"), "there is a trace to be searched");
    for (const [what, forms] of secrets) {
      for (const form of forms) {
        for (const text of textsOf(form)) ok(!outputs.includes(text), `${what} in an output`);
      }
    }
    for (const seed of [hostSeed, ...Object.values(seeds)]) {
      for (const text of textsOf(seed)) ok(!outputs.includes(text), "a seed in an output");
    }
  },
);

/** All that a server keeps secret, its database's included. */
async function serversSecrets({ dataDir }: Server): Promise<Bytes[]> {
  const accounts = await openAccountDatabase(dataDir);
  try {
    const setup = await accounts.opaqueSetup(() => Promise.reject(new Error("there is one")));
    const all = await accounts.list();
    deepEqual(all.map(({ handle }) => handle), ["ann"]);
    const kept = all.flatMap(({ passwordRecord, recovery }) => [passwordRecord, recovery].filter(isThere));
    equal(kept.length, 2);
    return [await loadOrMakeHostKey(dataDir, systemEntropy), setup, ...kept];
  } finally {
    accounts.close();
  }
}

async function clientsSecrets(client: Client, server: Server): Promise<Bytes[]> {
  const { deviceSeed, identitySeed } = await ownKeysOf(client, server);
  return [deviceSeed, identitySeed];
}

async function ownKeysOf({ configDir, user }: Client, { hostKey }: Server) {
  const hostKeySha256 = await provider.sha256(Uint8Array.fromBase64(hostKey));
  const own = await new OwnKeysFiles({ configDir, hostKeySha256 }).load(handleOf(user));
  if (own === undefined) throw new Error(`${user} has no keys`);
  return own;
}

/** Every file with something in it, at any depth, as it is on the disk. */
async function filesBelow(folder: string): Promise<{ readonly path: string; readonly octets: Buffer }[]> {
  const files: { readonly path: string; readonly octets: Buffer }[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...await filesBelow(path));
    if (isFile) files.push({ path, octets: Buffer.from(await Deno.readFile(path)) });
  }
  return files;
}

function codeForms(recovery: string): readonly Bytes[] {
  const octets = parseRecoveryCode(recovery);
  return [utf8(recovery), utf8(recovery.replaceAll("-", "")), ...(octets === undefined ? [] : [octets])];
}

/** How a program would print octets. */
function textsOf(octets: Bytes): readonly string[] {
  const text = new TextDecoder().decode(octets);
  return [
    octets.toHex(),
    octets.toBase64(),
    octets.toBase64({ alphabet: "base64url", omitPadding: true }),
    text,
  ];
}

function isThere<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
