import { deepEqual, equal, rejects } from "node:assert/strict";
import { knownHostKey } from "../../lib/identity/known_hosts.ts";
import {
  appendKnownHost,
  KNOWN_HOSTS_FILE_BYTES_MAX,
  readKnownHosts,
} from "../../lib/store/known_hosts_file.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const HERE = { host: "127.0.0.1", port: 8_443 } as const;
const LINE = `127.0.0.1:8443 sotto-ed25519 ${KEY.toBase64()}\n`;

folderTest("a missing file is no known hosts", async (folder) => {
  deepEqual((await readKnownHosts(`${folder}/none/known_hosts`)).hosts, []);
});

folderTest("attack 22: known hosts are readable by their owner only, as is their folder", async (folder) => {
  const path = `${folder}/a/b/known_hosts`;
  await appendKnownHost(path, HERE, KEY);
  equal(await Deno.readTextFile(path), LINE);
  equal(await modeOf(`${folder}/a`), 0o700);
  equal(await modeOf(`${folder}/a/b`), 0o700);
  equal(await modeOf(path), 0o600);
  deepEqual(await namesIn(`${folder}/a/b`), ["known_hosts", "known_hosts.lock"]);
});

folderTest("a host is added after what is there, and added once", async (folder) => {
  const path = `${folder}/known_hosts`;
  await Deno.writeTextFile(path, "# mine");
  await appendKnownHost(path, HERE, KEY);
  await appendKnownHost(path, HERE, KEY);
  equal(await Deno.readTextFile(path), `# mine\n${LINE}`);
  deepEqual(knownHostKey(await readKnownHosts(path), HERE), KEY);
});

folderTest("of several clients that add at once each line stays", async (folder) => {
  const path = `${folder}/known_hosts`;
  const ports = Array.from({ length: 20 }, (_, at) => at + 1);
  await Promise.all(ports.map((port) => appendKnownHost(path, { host: "::1", port }, KEY)));
  const { hosts } = await readKnownHosts(path);
  deepEqual(hosts.map(({ endpoint }) => endpoint.port).sort((a, b) => a - b), ports);
});

folderTest("attack 30: a host known by another key is not added over it", async (folder) => {
  const path = `${folder}/known_hosts`;
  await appendKnownHost(path, HERE, KEY);
  await rejects(appendKnownHost(path, HERE, OTHER), {
    name: "Failure",
    exit: "protocol",
    message: `Cannot trust 127.0.0.1:8443: meanwhile ${path} has another host key for it; ` +
      "find out from its operator which one is right.",
  });
  equal(await Deno.readTextFile(path), LINE);
});

folderTest("a malformed line is told by its number, and the file stays as it is", async (folder) => {
  const path = `${folder}/known_hosts`;
  const text = `${LINE}localhost:1 \u001b[2J\n`;
  await Deno.writeTextFile(path, text);
  const expected = {
    name: "Failure",
    exit: "data",
    message: `Cannot read the known hosts in ${path}: line 2 is not HOST:PORT sotto-ed25519 BASE64; ` +
      "correct or remove that line.",
  };
  await rejects(readKnownHosts(path), expected);
  await rejects(appendKnownHost(path, HERE, KEY), expected);
  equal(await Deno.readTextFile(path), text);
});

folderTest("what is no text, or too long, is refused", async (folder) => {
  const path = `${folder}/known_hosts`;
  await Deno.writeFile(path, Uint8Array.of(0xff));
  await rejects(readKnownHosts(path), { exit: "data", message: /: it is not UTF-8; correct it\.$/ });
  await Deno.writeTextFile(path, "\n".repeat(KNOWN_HOSTS_FILE_BYTES_MAX));
  deepEqual((await readKnownHosts(path)).hosts, []);
  await Deno.writeTextFile(path, "\n".repeat(KNOWN_HOSTS_FILE_BYTES_MAX + 1));
  await rejects(readKnownHosts(path), {
    exit: "data",
    message: /: it is longer than 1048576 octets; move it away\.$/,
  });
});

folderTest("a file that cannot be read or written is told in one sentence", async (folder) => {
  await rejects(readKnownHosts(folder), {
    exit: "noInput",
    message:
      `Cannot read the known hosts in ${folder}: it is a folder; make it readable, or choose another ` +
      "folder by SOTTO_CONFIG_DIR.",
  });
  await Deno.writeTextFile(`${folder}/file`, "");
  await rejects(appendKnownHost(`${folder}/file/known_hosts`, HERE, KEY), {
    name: "Failure",
    exit: "cannotCreate",
    message:
      `Cannot remember the host key in ${folder}/file/known_hosts: a file is in the way; make it writable, ` +
      "or choose another folder by SOTTO_CONFIG_DIR.",
  });
});
