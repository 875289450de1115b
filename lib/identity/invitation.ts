/**
 * Invitations: all that a newcomer needs to reach a server and register there, as one URL.
 *
 *     sotto://HOST:PORT/KEY[?code=CODE][&tls=CERTIFICATE]
 *
 * KEY is the host key, CODE what allows to register, CERTIFICATE the server's own for TLS as DER; all in base64url. The
 * first of `code` and `tls` follows `?`. An invitation is a secret as long as its code is good.
 *
 * @module
 */

import { ED25519_KEY_BYTES } from "../crypto/port.ts";
import type { Bytes } from "../wire/bytes.ts";
import { type Endpoint, endpointText, parseEndpointText } from "./endpoint.ts";

/** What every invitation begins with, and no other address of a server. */
export const INVITATION_SCHEME = "sotto://";

/** Octets of a code: 128 bits, of which nobody guesses one. */
export const INVITATION_CODE_BYTES = 16;

/** Longest certificate in an invitation: one that signs itself has 400 octets with our key, 1,500 with a large RSA one. */
export const INVITED_CERTIFICATE_BYTES_MAX = 4_096;

/** Longest text read for an invitation: the longest parts, and the words between. */
export const INVITATION_CHARS_MAX = 8_192;

/** What an invitation says. */
export interface Invitation {
  /** Where the server answers; its port is not 0. */
  readonly endpoint: Endpoint;
  /** The key that it must prove, 32 octets. */
  readonly hostKey: Bytes;
  /** Allows to register; {@linkcode INVITATION_CODE_BYTES} octets. An address alone has none. */
  readonly code: Bytes | undefined;
  /** DER of the server's own TLS certificate, where it has one; 1 to {@linkcode INVITED_CERTIFICATE_BYTES_MAX} octets. */
  readonly certificate: Bytes | undefined;
}

/** What a text turned out to be. */
export type ParsedInvitation =
  | { readonly kind: "invitation"; readonly invitation: Invitation }
  /** No invitation; `sentence` says why and what to do. It is safe for a terminal, and tells nothing of the code. */
  | { readonly kind: "refused"; readonly sentence: string };

/**
 * The URL of an invitation. Throws a `RangeError` where a part has a length that none has, or the port is 0.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { invitationText } from "./invitation.ts";
 * const endpoint = { host: "chat.example.org", port: 8443 };
 * const invitation = { endpoint, hostKey: new Uint8Array(32), code: new Uint8Array(16), certificate: undefined };
 * equal(invitationText(invitation), `sotto://chat.example.org:8443/${"A".repeat(43)}?code=${"A".repeat(22)}`);
 * ```
 */
export function invitationText({ endpoint, hostKey, code, certificate }: Invitation): string {
  const codeFits = code === undefined || code.length === INVITATION_CODE_BYTES;
  const certificateFits = certificate === undefined ||
    certificate.length > 0 && certificate.length <= INVITED_CERTIFICATE_BYTES_MAX;
  if (endpoint.port === 0 || hostKey.length !== ED25519_KEY_BYTES || !codeFits || !certificateFits) {
    throw new RangeError(
      "Cannot write an invitation: its port is 0, or its key, code or certificate has a wrong length",
    );
  }
  const options = [
    ...code === undefined ? [] : [`code=${base64url(code)}`],
    ...certificate === undefined ? [] : [`tls=${base64url(certificate)}`],
  ];
  const query = options.length === 0 ? "" : `?${options.join("&")}`;
  return `${INVITATION_SCHEME}${endpointText(endpoint)}/${base64url(hostKey)}${query}`;
}

/**
 * Reads an invitation, exactly as {@linkcode invitationText} writes one. Whether the host key is one to be trusted is
 * checked where the server proves it (PROTOCOL §4).
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parseInvitation } from "./invitation.ts";
 * equal(parseInvitation(`sotto://[::1]:8443/${"A".repeat(43)}`).kind, "invitation");
 * equal(parseInvitation(`sotto://[::1]:8443/${"A".repeat(42)}`).kind, "refused");
 * ```
 */
export function parseInvitation(text: string): ParsedInvitation {
  if (!text.startsWith(INVITATION_SCHEME)) return refused(`it does not begin with ${INVITATION_SCHEME}`);
  if (text.length > INVITATION_CHARS_MAX) return refused("it is too long");
  const [, where = "", key, query] =
    /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.slice(INVITATION_SCHEME.length)) ?? [];
  const endpoint = parseEndpointText(where);
  if (endpoint === undefined || endpoint.port === 0) return refused("it names no server as HOST:PORT");
  const hostKey = base64urlOctets(key ?? "");
  if (hostKey?.length !== ED25519_KEY_BYTES) {
    return refused("the server's key in it is incomplete or altered");
  }
  const options = parseOptions(query);
  if (options === undefined) return refused("what follows the server's key is incomplete or altered");
  const invitation: Invitation = { endpoint, hostKey, ...options };
  return invitationText(invitation) === text
    ? { kind: "invitation", invitation }
    : refused("it is not spelled as a server spells it");
}

function parseOptions(query: string | undefined): Pick<Invitation, "code" | "certificate"> | undefined {
  if (query === undefined) return { code: undefined, certificate: undefined };
  const [, codeText, certificateText] = /^(?:code=([\w\-]*))?&?(?:tls=([\w\-]*))?$/.exec(query) ?? [];
  if (codeText === undefined && certificateText === undefined) return undefined;
  const code = codeText === undefined ? undefined : base64urlOctets(codeText);
  const certificate = certificateText === undefined ? undefined : base64urlOctets(certificateText);
  if (codeText !== undefined && code?.length !== INVITATION_CODE_BYTES) return undefined;
  if (certificateText === undefined) return { code, certificate };
  const fits = certificate !== undefined && certificate.length > 0 &&
    certificate.length <= INVITED_CERTIFICATE_BYTES_MAX;
  return fits ? { code, certificate } : undefined;
}

function refused(why: string): ParsedInvitation {
  return { kind: "refused", sentence: `Cannot use the invitation: ${why}; copy it anew, all of it.` };
}

function base64url(bytes: Bytes): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** `undefined` where the text is no base64url; a length of 1 more than whole groups holds no whole octet. */
function base64urlOctets(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_\-]*$/.test(text) || text.length % 4 === 1) return undefined;
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}
