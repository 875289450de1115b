import { deepEqual, equal, rejects } from "node:assert/strict";
import { keepKnownTls, KNOWN_TLS_FILE_BYTES_MAX, readKnownTls } from "../../lib/store/known_tls_file.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const ONE = new Uint8Array(40).fill(1);
const TWO = new Uint8Array(41).fill(2);
const HERE = { host: "127.0.0.1", port: 8_443 } as const;
const THERE = { host: "::1", port: 8_443 } as const;

folderTest("a missing file, and one without the server, remember no TLS", async (folder) => {
  equal(await readKnownTls(`${folder}/none/known_tls`, HERE), undefined);
  const path = `${folder}/known_tls`;
  await keepKnownTls(path, THERE, [ONE]);
  equal(await readKnownTls(path, HERE), undefined);
  equal(await readKnownTls(path, { ...THERE, port: 8_444 }), undefined);
});

folderTest("attack 22: what is remembered is for its owner only, as is its folder", async (folder) => {
  const path = `${folder}/a/known_tls`;
  await keepKnownTls(path, HERE, [ONE]);
  equal(await modeOf(`${folder}/a`), 0o700);
  equal(await modeOf(path), 0o600);
  deepEqual(await namesIn(`${folder}/a`), ["known_tls", "known_tls.lock"]);
});

folderTest(
  "certificates come back as they were kept, none of them too; the last ones said count",
  async (folder) => {
    const path = `${folder}/known_tls`;
    for (const certificates of [[], [ONE], [ONE, TWO], []]) {
      await keepKnownTls(path, HERE, certificates);
      deepEqual(await readKnownTls(path, HERE), certificates);
    }
    equal(await Deno.readTextFile(path), "127.0.0.1:8443 tls\n");
  },
);

folderTest("what a person wrote stays, and so do the other servers", async (folder) => {
  const path = `${folder}/known_tls`;
  await Deno.writeTextFile(path, `# mine\r\n\n[::1]:8443\ttls  ${ONE.toBase64()}\n127.0.0.1:8443 tls`);
  await keepKnownTls(path, HERE, [TWO]);
  equal(
    await Deno.readTextFile(path),
    `# mine\r\n\n[::1]:8443\ttls  ${ONE.toBase64()}\n127.0.0.1:8443 tls ${TWO.toBase64()}\n`,
  );
  deepEqual(await readKnownTls(path, THERE), [ONE]);
});

folderTest("of several clients that write at once each line stays", async (folder) => {
  const path = `${folder}/known_tls`;
  const ports = Array.from({ length: 20 }, (_, at) => at + 1);
  await Promise.all(ports.map((port) => keepKnownTls(path, { host: "::1", port }, [ONE])));
  for (const port of ports) deepEqual(await readKnownTls(path, { host: "::1", port }), [ONE]);
});

folderTest("a damaged line is never skipped: it could be the one that asks for TLS", async (folder) => {
  const path = `${folder}/known_tls`;
  const cannot = `Cannot read the TLS certificates of known hosts in ${path}`;
  const malformed = "line 2 is not HOST:PORT tls and certificates in base64";
  const cases = [
    ["127.0.0.1:8443 tsl", malformed],
    ["127.0.0.1 tls", malformed],
    ["127.0.0.1:8443 tls AQ=", malformed],
    ["127.0.0.1:8443 tls AR==", malformed],
    ["127.0.0.1:8443 tls \u001b[2J", malformed],
    ["[::1]:8443 tls AQ==", "line 2 is of the same server as a line above it"],
  ] as const;
  for (const [line, why] of cases) {
    const text = `[::1]:8443 tls\n${line}\n`;
    await Deno.writeTextFile(path, text);
    const expected = {
      name: "Failure",
      exit: "data",
      message: `${cannot}: ${why}; correct or remove that line.`,
    };
    await rejects(readKnownTls(path, HERE), expected, line);
    await rejects(keepKnownTls(path, HERE, [ONE]), expected, line);
    equal(await Deno.readTextFile(path), text);
  }
});

folderTest("what is no text, or too long, is refused, and never written", async (folder) => {
  const path = `${folder}/known_tls`;
  await Deno.writeFile(path, Uint8Array.of(0xff));
  await rejects(readKnownTls(path, HERE), { exit: "data", message: /: it is not UTF-8; correct it\.$/ });
  const full = "\n".repeat(KNOWN_TLS_FILE_BYTES_MAX);
  await Deno.writeTextFile(path, full);
  equal(await readKnownTls(path, HERE), undefined);
  await rejects(keepKnownTls(path, HERE, [ONE]), {
    exit: "cannotCreate",
    message:
      `Cannot remember the TLS certificate in ${path}: the file would be longer than 1048576 octets; ` +
      "remove lines from it.",
  });
  await Deno.writeTextFile(path, `${full}\n`);
  await rejects(readKnownTls(path, HERE), {
    exit: "data",
    message: /: it is longer than 1048576 octets; move it away\.$/,
  });
});

folderTest("a file that cannot be read or written is told in one sentence", async (folder) => {
  await rejects(readKnownTls(folder, HERE), {
    exit: "noInput",
    message:
      `Cannot read the TLS certificates of known hosts in ${folder}: it is a folder; make it readable, or choose ` +
      "another folder by SOTTO_CONFIG_DIR.",
  });
  await Deno.writeTextFile(`${folder}/file`, "");
  await rejects(keepKnownTls(`${folder}/file/known_tls`, HERE, [ONE]), {
    exit: "cannotCreate",
    message:
      `Cannot remember the TLS certificate in ${folder}/file/known_tls: a file is in the way; make it writable, or ` +
      "choose another folder by SOTTO_CONFIG_DIR.",
  });
});
