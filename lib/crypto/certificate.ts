/**
 * Self-signed TLS certificates by WebCrypto: ECDSA on P-256, which every TLS 1.3 stack has to know (RFC 8446 §9.1).
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Whether the key pair may be written into a file: that is what it is made for. */
const EXTRACTABLE = true;

/** Octets of a serial number: random ones of up to 20 octets are allowed (RFC 5280 §4.1.2.2), positive ones. */
const SERIAL_BYTES = 16;

/** Milliseconds of a day. */
const DAY_MS = 86_400_000;

/**
 * How long a certificate holds: an invitation carries it, so it cannot be changed without asking everybody; a stolen
 * key gains its thief the outer layer only.
 */
const VALID_DAYS = 3_650;

/** A client's clock may be behind ours by so much. */
const EARLY_DAYS = 2;

/** A new private key for {@linkcode selfSignedCertificate}, as PKCS #8. */
export async function newCertificateKey(): Promise<Bytes> {
  const { privateKey } = await crypto.subtle.generateKey(ALGORITHM, EXTRACTABLE, ["sign", "verify"]);
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
}

/**
 * A certificate in DER for `name` and for the key `pkcs8`, signed by that key itself; `now` is in milliseconds since
 * 1970. `undefined` where `pkcs8` is no such key. It is no authority (CA:FALSE), which rustls insists on for a server.
 */
export async function selfSignedCertificate(
  pkcs8: Bytes,
  { name, now }: { name: string; now: number },
): Promise<Bytes | undefined> {
  const keys = await keyPair(pkcs8);
  if (keys === undefined) return undefined;
  const x509 = await loadX509();
  const serial = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  // Positive, and of a length that stays.
  serial[0] = (serial[0] ?? 0) & 0x7f | 0x40;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toHex(),
    name: `CN=${name}`,
    notBefore: new Date(now - EARLY_DAYS * DAY_MS),
    notAfter: new Date(now + VALID_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** The private key, and the public one that belongs to it. */
async function keyPair(pkcs8: Bytes): Promise<CryptoKeyPair | undefined> {
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, EXTRACTABLE, ["sign"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
    if (kty === undefined || crv === undefined || x === undefined || y === undefined) return undefined;
    const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, ALGORITHM, EXTRACTABLE, [
      "verify",
    ]);
    return { privateKey, publicKey };
  } catch {
    return undefined;
  }
}

/** Loaded by those alone who make a certificate: once in the life of a server. */
async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  // First: the package registers its parts by it while it loads.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(crypto);
  return x509;
}
