/**
 * A server's host key as people see and compare it: its fingerprint, its words, and what they type to name
 * it.
 *
 * @module
 */

import { ED25519_KEY_BYTES, type Provider } from "../crypto/port.ts";
import { words } from "../text/words.ts";
import { type Bytes, concat, utf8 } from "../wire/bytes.ts";
import { base64Octets } from "./base64.ts";

/** What a host key is called in known hosts and where a key is typed. */
export const HOST_KEY_TYPE = "sotto-ed25519";

/** Words that stand for a host key: 132 bits, beyond what anyone can search for a look-alike key. */
export const HOST_KEY_WORDS = 12;

/** Octets of a fingerprint: SHA-256. */
const SHA256_BYTES = 32;

const FINGERPRINT_PREFIX = "SHA256:";

/** What is hashed before the key, so that these words are never those of anything else. */
const WORDS_LABEL = utf8("sotto/1 host key words\0");

/** A host key as a person names it: by itself, or by its fingerprint. */
export type HostKeyReference =
  /** The key, 32 octets. */
  | { readonly kind: "key"; readonly publicKey: Bytes }
  /** Its SHA-256, 32 octets. */
  | { readonly kind: "fingerprint"; readonly sha256: Bytes };

/**
 * The fingerprint whose 32-octet hash is `sha256`, as OpenSSH prints one: `SHA256:` and unpadded base64.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { fingerprint } from "./host_key.ts";
 * equal(fingerprint(new Uint8Array(32)), `SHA256:${"A".repeat(43)}`);
 * ```
 */
export function fingerprint(sha256: Bytes): string {
  return FINGERPRINT_PREFIX + sha256.toBase64({ omitPadding: true });
}

/**
 * What a person typed for a host key, or `undefined` where it is none: a fingerprint `SHA256:…`, or the key
 * in base64, alone or after `sotto-ed25519`; padded or not. Whether the key is a point to be trusted is
 * checked where a server proves it (PROTOCOL §4).
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parseHostKeyReference } from "./host_key.ts";
 * equal(parseHostKeyReference(`SHA256:${"A".repeat(43)}`)?.kind, "fingerprint");
 * equal(parseHostKeyReference(`sotto-ed25519 ${"A".repeat(43)}=`)?.kind, "key");
 * equal(parseHostKeyReference("MD5:00"), undefined);
 * ```
 */
export function parseHostKeyReference(text: string): HostKeyReference | undefined {
  if (text.startsWith(FINGERPRINT_PREFIX)) {
    const sha256 = base64Octets(text.slice(FINGERPRINT_PREFIX.length), SHA256_BYTES);
    return sha256 === undefined ? undefined : { kind: "fingerprint", sha256 };
  }
  const [first = "", second, ...rest] = text.split(/ +/);
  const typed = second === undefined ? first : first === HOST_KEY_TYPE && rest.length === 0 ? second : "";
  const publicKey = parseHostKey(typed);
  return publicKey === undefined ? undefined : { kind: "key", publicKey };
}

/** The 32 octets of a host key in base64, padded or not; `undefined` where `base64` is none. */
export function parseHostKey(base64: string): Bytes | undefined {
  return base64Octets(base64, ED25519_KEY_BYTES);
}

/**
 * The {@linkcode HOST_KEY_WORDS} words that two people compare aloud: the first 132 bits of
 * SHA-512("sotto/1 host key words" 00 | host key).
 */
export async function hostKeyWords(publicKey: Bytes, provider: Provider): Promise<readonly string[]> {
  return words(await provider.sha512(concat(WORDS_LABEL, publicKey)), HOST_KEY_WORDS);
}
