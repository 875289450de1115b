import { deepEqual, equal, rejects } from "node:assert/strict";
import { type OwnKeys, OwnKeysFiles } from "../../lib/store/own_keys_file.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { DEVICE_LIST_BYTES_MAX } from "../../lib/wire/limits.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const ANN = handle("ann");
const HOST = octets(32, 0xab);
const SERVER = `servers/${"ab".repeat(16)}`;

folderTest("own keys are kept as they are, for each account and server by itself", async (configDir) => {
  const files = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  const other = new OwnKeysFiles({ configDir, hostKeySha256: octets(32, 1) });
  equal(await files.load(ANN), undefined);
  await files.save(ANN, own(1));
  await files.save(handle("ben"), own(2));
  await other.save(ANN, own(3));
  const again = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  deepEqual(await again.load(ANN), own(1));
  deepEqual(await again.load(handle("ben")), own(2));
  deepEqual(await new OwnKeysFiles({ configDir, hostKeySha256: octets(32, 1) }).load(ANN), own(3));
});

folderTest("the longest device list fits", async (configDir) => {
  const files = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  const longest = own(1, DEVICE_LIST_BYTES_MAX);
  await files.save(ANN, longest);
  deepEqual(await files.load(ANN), longest);
});

folderTest("attack 22: own keys are readable by their owner only, as are their folders", async (folder) => {
  const files = new OwnKeysFiles({ configDir: `${folder}/config`, hostKeySha256: HOST });
  await files.save(ANN, own(1));
  for (const part of ["", "/servers", `/${SERVER}`, `/${SERVER}/ann`]) {
    equal(await modeOf(`${folder}/config${part}`), 0o700, part);
  }
  deepEqual(await namesIn(`${folder}/config/${SERVER}/ann`), ["keys", "keys.lock"]);
  equal(await modeOf(`${folder}/config/${SERVER}/ann/keys`), 0o600);
});

folderTest("attack 22: own keys that others can reach are refused", async (configDir) => {
  const files = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  await files.save(ANN, own(1));
  const path = `${configDir}/${SERVER}/ann/keys`;
  for (const mode of [0o640, 0o604, 0o622]) {
    await Deno.chmod(path, mode);
    await rejects(files.load(ANN), {
      name: "Failure",
      exit: "config",
      message: `Cannot use your keys in ${path}: others on this machine can reach them (mode 0${
        mode.toString(8)
      }); run: chmod 600 ${path}`,
    });
  }
  await Deno.chmod(path, 0o400);
  deepEqual(await files.load(ANN), own(1));
});

folderTest("keys that another client has kept meanwhile are never replaced", async (configDir) => {
  const one = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  const two = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  equal(await one.load(ANN), undefined);
  equal(await two.load(ANN), undefined);
  await one.save(ANN, own(1));
  const path = `${configDir}/${SERVER}/ann/keys`;
  await rejects(two.save(ANN, own(2)), {
    name: "Failure",
    exit: "temporary",
    message: `Cannot keep your keys in ${path}: another client of yours has changed them meanwhile; ` +
      "start this one again.",
  });
  deepEqual(await two.load(ANN), own(1));
  await two.save(ANN, own(3));
  await rejects(one.save(ANN, own(4)), { exit: "temporary" });
  await rejects(new OwnKeysFiles({ configDir, hostKeySha256: HOST }).save(ANN, own(5)), {
    exit: "temporary",
  });
  deepEqual(await one.load(ANN), own(3));
});

folderTest(
  "of clients that keep their first keys at once one does, and the others are told",
  async (configDir) => {
    const saves = Array.from({ length: 10 }, async (_, at) => {
      const files = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
      await files.load(ANN);
      await files.save(ANN, own(at));
    });
    const outcomes = await Promise.allSettled(saves);
    equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  },
);

folderTest("one object keeps one version after the other", async (configDir) => {
  const files = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  for (const fill of [1, 2, 3]) await files.save(ANN, own(fill));
  deepEqual(await files.load(ANN), own(3));
});

folderTest("what is no file of own keys is refused without a word of it, and kept", async (configDir) => {
  const files = new OwnKeysFiles({ configDir, hostKeySha256: HOST });
  await files.save(ANN, own(1));
  const path = `${configDir}/${SERVER}/ann/keys`;
  const whole = await Deno.readTextFile(path);
  const seed = octets(32, 1).toBase64();
  const cases = [
    "",
    "hello",
    "null",
    whole.slice(0, -10),
    whole.replace("keys 1", "keys 2"),
    whole.replace("true", "1"),
    whole.replace(seed, seed.slice(4)),
    whole.replace(seed, seed.replace("=", "")),
    whole.replace(seed, seed.replace("E=", "F=")),
    whole.replace('"published": true,', '"published": false,\n  "published": true,'),
    whole.replace('"published"', '"more": 1,\n  "published"'),
    whole + " ".repeat(20_000),
  ];
  for (const text of cases) {
    await Deno.writeTextFile(path, text);
    await rejects(files.load(ANN), {
      name: "Failure",
      exit: "data",
      message: `Cannot use your keys in ${path}: the file is damaged; put back your copy of it, or move it ` +
        "away and enrol this device anew.",
    }, text);
    equal(await Deno.readTextFile(path), text);
  }
});

folderTest("a file of own keys that cannot be read or written is told in one sentence", async (folder) => {
  await Deno.mkdir(`${folder}/${SERVER}/ann/keys`, { recursive: true });
  const files = new OwnKeysFiles({ configDir: folder, hostKeySha256: HOST });
  await rejects(files.load(ANN), {
    exit: "noInput",
    message: /^Cannot read your keys in .*\/ann\/keys: it is a folder; make it readable, or choose another/,
  });
  await Deno.writeTextFile(`${folder}/file`, "");
  await rejects(new OwnKeysFiles({ configDir: `${folder}/file`, hostKeySha256: HOST }).save(ANN, own(1)), {
    exit: "cannotCreate",
    message:
      /^Cannot keep your keys in .*: a part of .*; make the folder writable, or choose another by SOTTO_CONFIG_DIR\.$/,
  });
});

function own(fill: number, listBytes = 120): OwnKeys {
  return {
    published: true,
    deviceSeed: octets(32, fill),
    identitySeed: octets(32, fill + 100),
    keys: { identity: octets(32, fill + 50), list: octets(listBytes, fill), signature: octets(64, fill) },
  };
}

function octets(length: number, fill: number): Bytes {
  return new Uint8Array(length).fill(fill);
}

function handle(text: string): Handle {
  const parsed = parseHandle(text);
  if (parsed === undefined) throw new Error(`${text} is no handle`);
  return parsed;
}
