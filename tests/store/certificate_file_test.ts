import assert from "node:assert/strict";
import { newCertificateKey, selfSignedCertificate } from "../../lib/crypto/certificate.ts";
import { CERTIFICATE_NAME, certificateDer, certificatePem } from "../../lib/identity/certificate.ts";
import { pemText } from "../../lib/identity/pem.ts";
import {
  CERTIFICATE_FILE_BYTES_MAX,
  CERTIFICATE_FILES,
  type CertificateMaker,
  loadOrMakeCertificate,
  readCertificates,
  readServerCertificate,
} from "../../lib/store/certificate_file.ts";
import { Failure } from "../../lib/text/failure.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const NOW = Date.UTC(2026, 10, 21);

const maker: CertificateMaker = { newKey: newCertificateKey, certify: selfSignedCertificate };

folderTest(
  "attack 22: at the first start certificate and key are made, for their owner only, and kept",
  async (above) => {
    const folder = `${above}/data`;
    const made = await loadOrMakeCertificate(folder, { maker, now: NOW });
    assert.deepEqual(await namesIn(folder), [CERTIFICATE_FILES.certificate, CERTIFICATE_FILES.key]);
    for (const name of Object.values(CERTIFICATE_FILES)) {
      assert.equal(
        await modeOf(`${folder}/${name}`),
        0o600,
      );
    }
    assert.equal(await modeOf(folder), 0o700);
    assert.match(
      made.certificate,
      /^-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n$/,
    );
    assert.match(made.key, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.deepEqual(made.invited, certificateDer(made.certificate));
    assert.equal(made.warning, undefined);
    assert.deepEqual(await loadOrMakeCertificate(folder, { maker: unused(), now: NOW }), made);
  },
);

folderTest("servers that start at once all get the same certificate, and its key", async (folder) => {
  const found = await Promise.all([1, 2, 3, 4].map(() => loadOrMakeCertificate(folder, { maker, now: NOW })));
  for (const each of found) assert.deepEqual(each, found[0]);
  // Together they serve: listening checks that they belong together.
  const { certificate, key } = found[0] ?? assert.fail("there are some");
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: certificate, key }).close();
});

folderTest(
  "after a crash between the two, the certificate is made for the key that is there",
  async (folder) => {
    const key = pemText("PRIVATE KEY", await newCertificateKey());
    await Deno.writeTextFile(`${folder}/${CERTIFICATE_FILES.key}`, key, { mode: 0o600 });
    const made = await loadOrMakeCertificate(folder, {
      maker: { ...maker, newKey: unused().newKey },
      now: NOW,
    });
    assert.equal(made.key, key);
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: made.certificate, key }).close();
  },
);

folderTest(
  "what is damaged, missing alone or open to others is told in a sentence, and stays as it is",
  async (folder) => {
    const paths = pathsIn(folder);
    const { certificate, key } = await loadOrMakeCertificate(folder, { maker, now: NOW });
    const load = () => loadOrMakeCertificate(folder, { maker: unused(), now: NOW });

    await Deno.chmod(paths.key, 0o640);
    await assert.rejects(
      load(),
      failure("config", /^Cannot use the TLS key .*\(mode 0640\); run: chmod 600 /),
    );
    await Deno.remove(paths.key);
    await assert.rejects(
      load(),
      failure("data", /^Cannot use the TLS certificate .*tls_key\.pem is missing; put back /),
    );

    await Deno.writeTextFile(paths.key, key, { mode: 0o600 });
    for (const damaged of ["", "nothing", certificate.replace("\n", "\n!"), certificate.slice(0, -30)]) {
      await Deno.writeTextFile(paths.certificate, damaged);
      await assert.rejects(
        load(),
        failure("data", /^Cannot use the TLS certificate .*: it holds no certificate in PEM/),
      );
      assert.equal(await Deno.readTextFile(paths.certificate), damaged);
    }

    await Deno.remove(paths.certificate);
    for (const damaged of ["", "nothing", pemText("PRIVATE KEY", Uint8Array.of(1, 2, 3))]) {
      await Deno.writeTextFile(paths.key, damaged);
      const loading = loadOrMakeCertificate(folder, { maker, now: NOW });
      await assert.rejects(
        loading,
        failure("data", /^Cannot use the TLS key .*: it is no P-256 key in PKCS #8 PEM/),
      );
    }
    assert.deepEqual(await namesIn(folder), [CERTIFICATE_FILES.key]);
  },
);

folderTest("a data folder that cannot be written is told in a sentence", async (folder) => {
  await Deno.writeTextFile(`${folder}/data`, "");
  await assert.rejects(
    loadOrMakeCertificate(`${folder}/data`, { maker, now: NOW }),
    failure("noInput", /^Cannot read the TLS certificate .*data\/tls_cert\.pem: /),
  );
});

folderTest(
  "an operator's own certificate and key are used as they are, and not invited by unless need be",
  async (folder) => {
    const paths = { certificate: `${folder}/c.pem`, key: `${folder}/k.pem` };
    const key = await newCertificateKey();
    for (const [name, isInvited] of [["chat.example.org", false], [CERTIFICATE_NAME, true]] as const) {
      const der = await selfSignedCertificate(key, { name, now: NOW }) ??
        assert.fail("the key is a good one");
      await Deno.writeTextFile(
        paths.certificate,
        `a remark\n${certificatePem(der)}${certificatePem(Uint8Array.of(5))}`,
      );
      await Deno.writeTextFile(paths.key, pemText("PRIVATE KEY", key), { mode: 0o600 });
      await Deno.chmod(paths.key, 0o600);
      const found = await readServerCertificate(paths);
      assert.equal(found.certificate, await Deno.readTextFile(paths.certificate));
      assert.deepEqual(found.invited, isInvited ? der : undefined);
      assert.equal(found.warning, undefined);
    }
    await Deno.writeTextFile(
      paths.certificate,
      certificatePem(new Uint8Array([...utf8(CERTIFICATE_NAME), ...new Uint8Array(4_096)])),
    );
    await assert.rejects(
      readServerCertificate(paths),
      failure("data", /: it is longer than 4096 octets, so no invitation /),
    );
    await Deno.writeTextFile(paths.certificate, certificatePem(Uint8Array.of(5)));
    await Deno.chmod(paths.key, 0o644);
    const { warning } = await readServerCertificate(paths);
    assert.match(
      warning ?? "",
      /^Others on this machine can reach the TLS key in .* \(mode 0644\); run: chmod 600 /,
    );
    await assert.rejects(
      readServerCertificate({ ...paths, key: `${folder}/none` }),
      failure("noInput", /^Cannot read the TLS key .*none: there is no such file or folder; name a file /),
    );
  },
);

folderTest(
  "certificates to trust are read whole; a file without one, or that is none, is told",
  async (folder) => {
    const path = `${folder}/ca.pem`;
    const pem = certificatePem(Uint8Array.of(1, 2, 3));
    await Deno.writeTextFile(path, pem + pem);
    assert.equal(await readCertificates(path), pem + pem);
    await Deno.writeTextFile(path, "hello");
    await assert.rejects(readCertificates(path), failure("data", /: it holds no certificate in PEM/));
    for (const octets of [Uint8Array.of(0xff), new Uint8Array(CERTIFICATE_FILE_BYTES_MAX + 1)]) {
      await Deno.writeFile(path, octets);
      await assert.rejects(readCertificates(path), failure("data", /: it is no text of PEM; /));
    }
  },
);

function pathsIn(folder: string): { certificate: string; key: string } {
  return {
    certificate: `${folder}/${CERTIFICATE_FILES.certificate}`,
    key: `${folder}/${CERTIFICATE_FILES.key}`,
  };
}

/** A maker that nobody may use. */
function unused(): CertificateMaker {
  const refuse = () => Promise.reject(new Error("made anew"));
  return { newKey: refuse, certify: refuse };
}

function failure(exit: Failure["exit"], sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exit, exit);
    assert.match(error.message, sentence);
    return true;
  };
}
