import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { newCertificateKey, selfSignedCertificate } from "../../lib/crypto/certificate.ts";
import {
  CERTIFICATE_NAME,
  certificateDer,
  certificatePem,
  certificateTrust,
  isServersOwn,
} from "../../lib/identity/certificate.ts";
import { pemBlocks, pemText } from "../../lib/identity/pem.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const own = await made(CERTIFICATE_NAME);
const authority = await made("chat.example.org");

async function made(name: string) {
  return await selfSignedCertificate(await newCertificateKey(), { name, now: 0 }) ??
    assert.fail("a good key");
}

test("a client insists on the server's own name where it was given that certificate, else on the host's", () => {
  const host = "chat.example.org";
  assert.deepEqual(certificateTrust(undefined, host), { name: host, certificates: [] });
  const [ownPem, otherPem] = [certificatePem(own), certificatePem(authority)];
  assert.deepEqual(certificateTrust(ownPem, host), { name: CERTIFICATE_NAME, certificates: [ownPem] });
  assert.deepEqual(certificateTrust(otherPem, host), { name: host, certificates: [otherPem] });
  const both = otherPem + ownPem;
  assert.deepEqual(certificateTrust(both, host), { name: CERTIFICATE_NAME, certificates: [both] });
});

test("a server's own certificate is known by its name", () => {
  assert.equal(isServersOwn(own), true);
  assert.equal(isServersOwn(authority), false);
});

test("a certificate survives PEM, whatever stands around it", async () => {
  await check(fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
    const der = new Uint8Array(bytes);
    const pem = certificatePem(der);
    assert.deepEqual(certificateDer(`a remark\n${pem.replaceAll("\n", "\r\n")}${certificatePem(own)}`), der);
    for (const line of pem.split("\n")) assert.ok(line.length <= 64);
  }));
});

test("what is no certificate in PEM is none", () => {
  const pem = certificatePem(own);
  const cases = [
    "",
    "x",
    pem.slice(0, -26),
    pem.replace("BEGIN", "BEGUN"),
    pem.replace("M", "*"),
    pemText("PRIVATE KEY", own),
  ];
  for (const text of cases) assert.equal(certificateDer(text), undefined, text);
  assert.equal(pemBlocks("CERTIFICATE", `${pem}${pem.replace("M", "*")}`), undefined);
});
