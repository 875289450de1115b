/**
 * TLS certificates on disk: the server's own in its data folder, made at the first start with `--tls`; those that an
 * operator names; and those that a client is given to trust. All are PEM.
 *
 * @module
 */

import { CERTIFICATE_NAME, certificateDer, certificatePem, isServersOwn } from "../identity/certificate.ts";
import { INVITED_CERTIFICATE_BYTES_MAX } from "../identity/invitation.ts";
import { pemBlocks, pemText } from "../identity/pem.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, utf8, utf8Text } from "../wire/bytes.ts";
import { isMissing, orFailure } from "./file_failure.ts";
import { makePrivateFolder, placePrivateFile, readPrivateFile } from "./private_file.ts";

/** The names in the data folder of what a server made for itself. */
export const CERTIFICATE_FILES = { certificate: "tls_cert.pem", key: "tls_key.pem" } as const;

/** Longest file read: a chain of certificates with the remarks that some tools write has a tenth of that. */
export const CERTIFICATE_FILE_BYTES_MAX = 65_536;

/** What a server shows and proves itself by in TLS. */
export interface ServerCertificate {
  /** Its certificate, and those between it and an authority, in PEM. */
  readonly certificate: string;
  /** The certificate's private key, in PEM. */
  readonly key: string;
  /** DER of the certificate where no authority vouches for it, so that invitations must carry it. */
  readonly invited: Bytes | undefined;
  /** A sentence for the operator, where others can read the key. */
  readonly warning: string | undefined;
}

/** Makes keys and certificates. */
export interface CertificateMaker {
  /** A new private key, as PKCS #8. */
  newKey(): Promise<Bytes>;
  /** A self-signed certificate, as DER, from `now` (milliseconds since 1970) on; `undefined` where the key is unfit. */
  certify(pkcs8: Bytes, options: { readonly name: string; readonly now: number }): Promise<Bytes | undefined>;
}

/**
 * The certificate in the data folder `folder`, and its key. What is missing is made, mode 0600: the key first, and the
 * certificate for the key that is there, so that of servers that start at once, or after a crash, the two fit.
 *
 * Throws a {@linkcode Failure}: `cannotCreate` where a file cannot be made, `noInput` where one cannot be read,
 * `config` where others than its owner can read the key, `data` where one is damaged or the key is missing alone.
 */
export async function loadOrMakeCertificate(
  folder: string,
  { maker, now }: { maker: CertificateMaker; now: number },
): Promise<ServerCertificate> {
  const paths = {
    certificate: `${folder}/${CERTIFICATE_FILES.certificate}`,
    key: `${folder}/${CERTIFICATE_FILES.key}`,
  };
  const found = await unlessMissing(paths.certificate, "TLS certificate");
  const key = await unlessMissing(paths.key, "TLS key") ??
    (found === undefined ? await makeKey(folder, paths.key, maker) : keyGone(paths));
  if (key.sharedMode !== undefined) {
    const shown = visible(paths.key);
    const why = `others on this machine can reach it (mode ${octal(key.sharedMode)})`;
    throw new Failure("config", `Cannot use the TLS key ${shown}: ${why}; run: chmod 600 ${shown}`);
  }
  const certificate = found ?? await makeCertificate(paths, key.text, { maker, now });
  return serverCertificate(certificate.text, key.text, paths);
}

/**
 * The certificate and key in the files that an operator names. Throws a {@linkcode Failure}: `noInput` where one cannot
 * be read, `data` where there is no certificate in it.
 */
export async function readServerCertificate(paths: {
  readonly certificate: string;
  readonly key: string;
}): Promise<ServerCertificate> {
  const certificate = await read(paths.certificate, "TLS certificate");
  const key = await read(paths.key, "TLS key");
  const warning = key.sharedMode === undefined ? undefined : sharedKey(paths.key, key.sharedMode);
  return { ...serverCertificate(certificate.text, key.text, paths), warning };
}

/**
 * The text of the file `path`, with at least one certificate to trust in it (`--tls-ca`). Throws a
 * {@linkcode Failure}: `noInput` where it cannot be read, `data` where there is none.
 */
export async function readCertificates(path: string): Promise<string> {
  const { text } = await read(path, "TLS certificates");
  requireCertificate(text, path);
  return text;
}

interface PemFile {
  readonly text: string;
  readonly sharedMode: number | undefined;
}

interface Paths {
  readonly certificate: string;
  readonly key: string;
}

function serverCertificate(certificate: string, key: string, paths: Paths): ServerCertificate {
  const der = requireCertificate(certificate, paths.certificate);
  if (isServersOwn(der) && der.length > INVITED_CERTIFICATE_BYTES_MAX) {
    const why = `it is longer than ${INVITED_CERTIFICATE_BYTES_MAX} octets, so no invitation can carry it`;
    throw new Failure(
      "data",
      `Cannot use the TLS certificate ${visible(paths.certificate)}: ${why}; make one with a smaller key.`,
    );
  }
  return { certificate, key, invited: isServersOwn(der) ? der : undefined, warning: undefined };
}

/** An operator's own key is no reason to stop: some programs share one on purpose. */
function sharedKey(path: string, mode: number): string {
  const shown = visible(path);
  return `Others on this machine can reach the TLS key in ${shown} (mode ${
    octal(mode)
  }); run: chmod 600 ${shown}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function requireCertificate(pem: string, path: string): Bytes {
  const der = certificateDer(pem);
  if (der !== undefined) return der;
  throw new Failure(
    "data",
    `Cannot use the TLS certificate ${visible(path)}: it holds no certificate in PEM, or a damaged one; ` +
      "put back your copy of it, or name another file.",
  );
}

function keyGone({ certificate, key }: Paths): never {
  throw new Failure(
    "data",
    `Cannot use the TLS certificate ${visible(certificate)}: its key ${
      visible(key)
    } is missing; put back your copy ` +
      "of it, or move the certificate away to have both made anew, and invite everybody again.",
  );
}

async function makeKey(folder: string, path: string, maker: CertificateMaker): Promise<PemFile> {
  const pem = pemText("PRIVATE KEY", await maker.newKey());
  await orFailure(() => makePrivateFolder(folder).then(() => placePrivateFile(path, utf8(pem))), {
    exit: "cannotCreate",
    cannot: `Cannot write to the data folder ${visible(folder)}`,
    remedy: "choose another with --data-dir",
  });
  // Read again: where several started at once, the key is that of whoever was first.
  return await read(path, "TLS key");
}

async function makeCertificate(
  paths: Paths,
  key: string,
  { maker, now }: { maker: CertificateMaker; now: number },
): Promise<PemFile> {
  const pkcs8 = pemBlocks("PRIVATE KEY", key)?.[0];
  const der = pkcs8 && await maker.certify(pkcs8, { name: CERTIFICATE_NAME, now });
  if (der === undefined) {
    throw new Failure(
      "data",
      `Cannot use the TLS key ${
        visible(paths.key)
      }: it is no P-256 key in PKCS #8 PEM; put back your copy of it, or ` +
        "move it away to have a new one made.",
    );
  }
  await orFailure(() => placePrivateFile(paths.certificate, utf8(certificatePem(der))), {
    exit: "cannotCreate",
    cannot: `Cannot write the TLS certificate ${visible(paths.certificate)}`,
    remedy: "choose another folder with --data-dir",
  });
  return await read(paths.certificate, "TLS certificate");
}

async function unlessMissing(path: string, what: string): Promise<PemFile | undefined> {
  try {
    return await read(path, what);
  } catch (error) {
    if (error instanceof Failure && isMissing(error.cause)) return undefined;
    throw error;
  }
}

async function read(path: string, what: string): Promise<PemFile> {
  const cannot = `Cannot read the ${what} ${visible(path)}`;
  const { octets, sharedMode } = await orFailure(() => readPrivateFile(path, CERTIFICATE_FILE_BYTES_MAX), {
    exit: "noInput",
    cannot,
    remedy: "name a file that you can read",
  });
  const text = octets.length > CERTIFICATE_FILE_BYTES_MAX ? undefined : utf8Text(octets);
  if (text !== undefined) return { text, sharedMode };
  throw new Failure("data", `${cannot}: it is no text of PEM; name the file that holds it.`);
}
