import { deepEqual, rejects } from "node:assert/strict";
import { readSecretFile, SECRET_FILE_BYTES_MAX } from "../../lib/store/secret_file.ts";
import { folderTest } from "./temporary_folder.ts";

const WHAT = "the pre-shared key";

folderTest("a secret is read as it stands", async (folder) => {
  for (const text of ["", "geheim ß\n", "x".repeat(SECRET_FILE_BYTES_MAX)]) {
    await Deno.writeTextFile(`${folder}/psk`, text, { mode: 0o600 });
    deepEqual(await readSecretFile(`${folder}/psk`, WHAT), { text, sharedMode: undefined });
  }
});

folderTest("attack 22: a secret that others can reach is told in one sentence, and read", async (folder) => {
  const path = `${folder}/p\u001bk`;
  await Deno.writeTextFile(path, "geheim");
  for (const mode of [0o640, 0o604, 0o622, 0o777]) {
    await Deno.chmod(path, mode);
    deepEqual(await readSecretFile(path, WHAT), {
      text: "geheim",
      sharedMode: `Others on this machine can reach the pre-shared key in ${folder}/p␛k ` +
        `(mode 0${mode.toString(8)}); run: chmod 600 ${folder}/p␛k`,
    });
  }
});

folderTest("a missing or unreadable secret is told in one sentence", async (folder) => {
  await rejects(readSecretFile(`${folder}/p\u001bk`, WHAT), {
    name: "Failure",
    exit: "noInput",
    message: `Cannot read the pre-shared key from ${folder}/p␛k: there is no such file or folder; ` +
      "name a file that you can read.",
  });
  await rejects(readSecretFile(folder, WHAT), {
    exit: "noInput",
    message: `Cannot read the pre-shared key from ${folder}: it is a folder; name a file that you can read.`,
  });
});

folderTest("a secret that is too long, or no text, is refused without a word of it", async (folder) => {
  const path = `${folder}/psk`;
  await Deno.writeTextFile(path, "x".repeat(SECRET_FILE_BYTES_MAX + 1));
  await rejects(readSecretFile(path, WHAT), {
    exit: "data",
    message: `Cannot read the pre-shared key from ${path}: it is longer than 4096 octets; ` +
      "name the file that holds nothing else.",
  });
  await Deno.writeFile(path, Uint8Array.of(0x61, 0xff));
  await rejects(readSecretFile(path, WHAT), {
    exit: "data",
    message: `Cannot read the pre-shared key from ${path}: it is not UTF-8; ` +
      "write it as text, a key as 64 hexadecimal digits.",
  });
});
