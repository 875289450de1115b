import { deepEqual, equal, rejects } from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { HOST_KEY_FILE_BYTES_MAX, loadOrMakeHostKey } from "../../lib/store/host_key_file.ts";
import { provider } from "../crypto/test_provider.ts";
import { skipped } from "../sanitized.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

/** The example of RFC 8410 §10.3, as openssl writes such keys, and its public half after §10.1. */
const OPENSSL_PEM = [
  "-----BEGIN PRIVATE KEY-----",
  "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
  "-----END PRIVATE KEY-----",
  "",
].join("\n");
const OPENSSL_PUBLIC = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

folderTest("attack 22: a new host key is readable by its owner only, as is its folder", async (folder) => {
  const seed = await loadOrMakeHostKey(`${folder}/above/data`, systemEntropy);
  equal(seed.length, 32);
  equal(await modeOf(`${folder}/above`), 0o700);
  equal(await modeOf(`${folder}/above/data`), 0o700);
  equal(await modeOf(`${folder}/above/data/host_key.pem`), 0o600);
  deepEqual(await namesIn(`${folder}/above/data`), ["host_key.pem"]);
});

folderTest("a host key is made once and then loaded", async (folder) => {
  const made = await loadOrMakeHostKey(folder, () => new Uint8Array(32).fill(7));
  deepEqual(made, new Uint8Array(32).fill(7));
  deepEqual(await loadOrMakeHostKey(folder, unwanted), made);
});

folderTest("servers that start at once agree on one host key", async (folder) => {
  const starts = Array.from({ length: 20 }, () => loadOrMakeHostKey(`${folder}/data`, systemEntropy));
  const seeds = new Set((await Promise.all(starts)).map((seed) => seed.toHex()));
  equal(seeds.size, 1);
  deepEqual(await namesIn(`${folder}/data`), ["host_key.pem"]);
});

folderTest("a server that finds a host key made since it looked takes that one", async (folder) => {
  const first = await loadOrMakeHostKey(`${folder}/first`, systemEntropy);
  await Deno.mkdir(`${folder}/data`);
  const found = await loadOrMakeHostKey(`${folder}/data`, (length) => {
    Deno.copyFileSync(`${folder}/first/host_key.pem`, `${folder}/data/host_key.pem`);
    return systemEntropy(length);
  });
  deepEqual(found, first);
  deepEqual(await namesIn(`${folder}/data`), ["host_key.pem"]);
});

folderTest("what a crash left half-written is no host key", async (folder) => {
  await Deno.writeTextFile(`${folder}/.new-1234`, "-----BEGIN PRI", { mode: 0o600 });
  const seed = await loadOrMakeHostKey(folder, systemEntropy);
  deepEqual(await loadOrMakeHostKey(folder, unwanted), seed);
});

folderTest("a host key made by openssl is taken", async (folder) => {
  await Deno.writeTextFile(`${folder}/host_key.pem`, OPENSSL_PEM, { mode: 0o600 });
  const key = await provider.ed25519SigningKey(await loadOrMakeHostKey(folder, unwanted));
  equal(key.publicKey.toHex(), OPENSSL_PUBLIC);
});

opensslTest("openssl reads the host key and finds the same public half", async (folder) => {
  const key = await provider.ed25519SigningKey(await loadOrMakeHostKey(folder, systemEntropy));
  const args = ["pkey", "-in", `${folder}/host_key.pem`, "-pubout", "-outform", "DER"];
  const { success, stdout } = await new Deno.Command("openssl", { args }).output();
  equal(success, true);
  // The last 32 octets of the SubjectPublicKeyInfo (RFC 8410 §4).
  equal(Uint8Array.from(stdout).slice(-32).toHex(), key.publicKey.toHex());
});

folderTest("attack 22: a host key that others can reach is refused", async (folder) => {
  await loadOrMakeHostKey(folder, systemEntropy);
  const path = `${folder}/host_key.pem`;
  for (const mode of [0o640, 0o604, 0o660, 0o622, 0o644, 0o777]) {
    await Deno.chmod(path, mode);
    await rejects(loadOrMakeHostKey(folder, unwanted), {
      name: "Failure",
      exit: "config",
      message:
        `Cannot use the host key ${path}: others on this machine can reach it (mode 0${mode.toString(8)}); ` +
        `run: chmod 600 ${path}`,
    });
  }
  await Deno.chmod(path, 0o400);
  equal((await loadOrMakeHostKey(folder, unwanted)).length, 32);
});

folderTest("a file that is no Ed25519 key in PKCS #8 is refused and kept", async (folder) => {
  const path = `${folder}/host_key.pem`;
  const pem = (der: string) =>
    `-----BEGIN PRIVATE KEY-----\n${Uint8Array.fromHex(der).toBase64()}\n-----END PRIVATE KEY-----\n`;
  const seed = "11".repeat(32);
  const cases = [
    "",
    "hello",
    OPENSSL_PEM.slice(0, 100),
    OPENSSL_PEM.replaceAll("PRIVATE KEY", "PUBLIC KEY"),
    OPENSSL_PEM.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    pem(`302e020100300506032b656e04220420${seed}`),
    pem(`302e020100300506032b657004220420${seed}00`),
    pem(`302e020100300506032b657004220420${seed.slice(2)}`),
    " ".repeat(HOST_KEY_FILE_BYTES_MAX) + OPENSSL_PEM,
    OPENSSL_PEM + " ".repeat(HOST_KEY_FILE_BYTES_MAX),
  ];
  for (const text of cases) {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    await rejects(loadOrMakeHostKey(folder, unwanted), {
      name: "Failure",
      exit: "data",
      message:
        `Cannot use the host key ${path}: it is no Ed25519 key in PKCS #8 PEM; put back your copy of it, ` +
        "or move it away to have a new key made, which every client will ask about.",
    }, text.slice(0, 80));
    equal(await Deno.readTextFile(path), text);
  }
});

folderTest("a data folder that cannot be made is told in one sentence", async (folder) => {
  await Deno.writeTextFile(`${folder}/file`, "");
  await rejects(loadOrMakeHostKey(`${folder}/file/data`, systemEntropy), {
    name: "Failure",
    exit: "cannotCreate",
    message:
      `Cannot write to the data folder ${folder}/file/data: a part of the path is a file, not a folder; ` +
      "choose another with --data-dir.",
  });
  await rejects(loadOrMakeHostKey(`${folder}/file`, systemEntropy), {
    exit: "cannotCreate",
    message:
      `Cannot write to the data folder ${folder}/file: a file is in the way; choose another with --data-dir.`,
  });
});

folderTest("a data folder that cannot be written is told in one sentence", async (folder) => {
  const data = `${folder}/data`;
  await Deno.mkdir(data, { mode: 0o500 });
  // Root writes anywhere but where the system itself has no files to give.
  const given = await canWriteTo(data) ? "/sys" : data;
  await rejects(loadOrMakeHostKey(given, systemEntropy), {
    name: "Failure",
    exit: "cannotCreate",
    message: new RegExp(`^Cannot write to the data folder ${given}: .*; choose another with --data-dir\\.$`),
  });
});

folderTest("a host key that cannot be read is told in one sentence", async (folder) => {
  await Deno.mkdir(`${folder}/host_key.pem`, { mode: 0o700 });
  await rejects(loadOrMakeHostKey(folder, unwanted), {
    name: "Failure",
    exit: "noInput",
    message: /^Cannot read the host key .*host_key\.pem: it is a folder; make it readable, or choose .*\.$/,
  });
});

function unwanted(): never {
  throw new Error("a key is made where one is there");
}

async function canWriteTo(folder: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(`${folder}/x`, "");
    return true;
  } catch {
    return false;
  }
}

function opensslTest(name: string, body: (folder: string) => Promise<void>): void {
  if (hasOpenssl()) folderTest(name, body);
  else skipped(name, "openssl is missing or may not be run");
}

function hasOpenssl(): boolean {
  if (Deno.permissions.querySync({ name: "run", command: "openssl" }).state !== "granted") return false;
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
