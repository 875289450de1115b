import { deepEqual, equal, rejects } from "node:assert/strict";
import { loadOrMakeRestKey, REST_KEY_FILE } from "../../lib/store/rest_key_file.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { octets } from "./spoken_room.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

folderTest("the key is made once, for its owner alone, and is the same from then on", async (folder) => {
  const dataDir = `${folder}/data`;
  deepEqual(await loaded({ dataDir, keyFile: undefined }, 1), octets(32, 1));
  deepEqual(await loaded({ dataDir, keyFile: undefined }, 2), octets(32, 1));
  deepEqual(await namesIn(dataDir), [REST_KEY_FILE]);
  equal(await modeOf(`${dataDir}/${REST_KEY_FILE}`), 0o600);
  equal(await Deno.readTextFile(`${dataDir}/${REST_KEY_FILE}`), `${"01".repeat(32)}\n`);
});

folderTest("a key that is named lies there, and nothing of it in the data folder", async (folder) => {
  const [dataDir, keyFile] = [`${folder}/data`, `${folder}/elsewhere/key`];
  deepEqual(await loaded({ dataDir, keyFile }, 1), octets(32, 1));
  deepEqual(await namesIn(folder), ["elsewhere"]);
});

folderTest("of programs that make the key at once all have the same", async (folder) => {
  const keys = await Promise.all(
    [1, 2, 3, 4].map((value) => loaded({ dataDir: folder, keyFile: undefined }, value)),
  );
  for (const key of keys) deepEqual(key, keys[0]);
});

folderTest("no key is made in place of one that is lost", async (folder) => {
  await rejects(
    loadOrMakeRestKey({ dataDir: folder, keyFile: undefined }, {
      entropy: (length) => octets(length, 1),
      isNew: () => Promise.resolve(false),
    }),
    {
      name: "Failure",
      exit: "noInput",
      message: `Cannot open the rooms in ${folder}: their key ${folder}/rest.key is missing; ` +
        "put back your copy of it, or name it by --key-file.",
    },
  );
  deepEqual(await namesIn(folder), []);
});

folderTest("attack 22: a key that others can read is not used", async (folder) => {
  await loaded({ dataDir: folder, keyFile: undefined }, 1);
  await Deno.chmod(`${folder}/rest.key`, 0o640);
  await rejects(loaded({ dataDir: folder, keyFile: undefined }, 1), {
    exit: "config",
    message: `Cannot use the key of the rooms in ${folder}/rest.key: others on this machine can reach it ` +
      `(mode 0640); run: chmod 600 ${folder}/rest.key`,
  });
});

folderTest("what is no key is not taken for one, and not told", async (folder) => {
  for (const text of ["", "01".repeat(31), "01".repeat(33), "xy".repeat(32), "01".repeat(5_000)]) {
    await Deno.writeTextFile(`${folder}/rest.key`, text, { mode: 0o600 });
    await rejects(loaded({ dataDir: folder, keyFile: undefined }, 1), {
      exit: "data",
      message: `Cannot use the key of the rooms in ${folder}/rest.key: it is not 64 hexadecimal digits; ` +
        "put back your copy of it.",
    });
  }
});

function loaded(
  place: { readonly dataDir: string; readonly keyFile: string | undefined },
  value: number,
): Promise<Bytes> {
  return loadOrMakeRestKey(place, {
    entropy: (length) => octets(length, value),
    isNew: () => Promise.resolve(true),
  });
}
