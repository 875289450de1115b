/**
 * Whether a server is talked to through TLS, and by which certificates: what is said counts, then what is remembered of
 * the server. Nothing leads from TLS that is remembered back to none.
 *
 * @module
 */

import { type Bytes, equal } from "../wire/bytes.ts";

/** What is known before the connection. All certificates are in DER. */
export interface TlsSituation {
  /** The certificate in the invitation, where there is one. */
  readonly invited: Bytes | undefined;
  /** The certificates of `--tls-ca`; none of them with `--tls` alone; `undefined` without either. */
  readonly said: readonly Bytes[] | undefined;
  /** Those by which the server was known last time, beside the system's; `undefined` where it was met without TLS, or not yet. */
  readonly remembered: readonly Bytes[] | undefined;
}

/** TLS as it is to be used. */
export interface ChosenTls {
  /** Tells it from the other choices. */
  readonly kind: "tls";
  /** The certificates to trust beside the system's, in DER. */
  readonly certificates: readonly Bytes[];
  /** Whether they are those that are remembered; else they are to be, once the server has proved its host key. */
  readonly remembered: boolean;
}

/** What is chosen. */
export type TlsChoice =
  | ChosenTls
  | { readonly kind: "plain" }
  /** The invitation has a certificate by which the server is not known here. */
  | { readonly kind: "contradicted" };

/** Chooses. */
export function chooseTls({ invited, said, remembered }: TlsSituation): TlsChoice {
  if (said !== undefined && said.length > 0) return { kind: "tls", certificates: said, remembered: false };
  if (remembered !== undefined) {
    // An invitation may come from anybody: it does not take the place of what is known.
    const isKnown = invited === undefined || remembered.some((certificate) => equal(certificate, invited));
    return isKnown ? { kind: "tls", certificates: remembered, remembered: true } : { kind: "contradicted" };
  }
  if (invited !== undefined) return { kind: "tls", certificates: [invited], remembered: false };
  return said === undefined ? { kind: "plain" } : { kind: "tls", certificates: said, remembered: false };
}
