/**
 * The server's TLS certificate as people and invitations carry it, and what a client that has it insists on.
 *
 * @module
 */

import { type Bytes, utf8 } from "../wire/bytes.ts";
import { pemBlocks, pemText } from "./pem.ts";

/**
 * The name in certificates that a server makes for itself. Nobody can own it (RFC 6761 §6.4), so no authority
 * certifies it, and whoever asks for it means the very certificate that they were given.
 */
export const CERTIFICATE_NAME = "sotto.invalid";

/** What a client takes for its server. */
export interface CertificateTrust {
  /** The name that the server's certificate must be for. */
  readonly name: string;
  /** Certificates trusted beside the system's, in PEM. */
  readonly certificates: readonly string[];
}

/** A certificate, DER as in an invitation, as PEM. */
export function certificatePem(der: Bytes): string {
  return pemText("CERTIFICATE", der);
}

/** The first certificate in `pem`, as DER; `undefined` where there is none. */
export function certificateDer(pem: string): Bytes | undefined {
  return pemBlocks("CERTIFICATE", pem)?.[0];
}

/** Whether a certificate, DER, is for {@linkcode CERTIFICATE_NAME}. */
export function isServersOwn(der: Bytes): boolean {
  // As any text, the name stands in DER as it is; who puts it elsewhere in a certificate wins nothing by it.
  return der.toHex().includes(utf8(CERTIFICATE_NAME).toHex());
}

/**
 * What to insist on when `host` is connected to by TLS. Where the certificates in `pem` hold a server's own, the name
 * is that one's, whatever the host is called; else it is the host's, to be certified by them or by the system's
 * authorities.
 */
export function certificateTrust(pem: string | undefined, host: string): CertificateTrust {
  if (pem === undefined) return { name: host, certificates: [] };
  const own = pemBlocks("CERTIFICATE", pem)?.some(isServersOwn) ?? false;
  return { name: own ? CERTIFICATE_NAME : host, certificates: [pem] };
}
