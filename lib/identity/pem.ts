/**
 * PEM, the text form of certificates and keys (RFC 7468).
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";

/** What a block may hold here. */
export type PemLabel = "CERTIFICATE" | "PRIVATE KEY";

/** Characters of a line of base64 (RFC 7468 §2). */
const LINE_CHARS = 64;

/**
 * `der` as one block.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { pemText } from "./pem.ts";
 * equal(
 *   pemText("CERTIFICATE", Uint8Array.of(1, 2, 3)),
 *   "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n",
 * );
 * ```
 */
export function pemText(label: PemLabel, der: Bytes): string {
  const lines = der.toBase64().match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** The octets of each block of `text` with that label, whatever stands around them; `undefined` where one is damaged. */
export function pemBlocks(label: PemLabel, text: string): readonly Bytes[] | undefined {
  const blocks: Bytes[] = [];
  for (const [, base64 = ""] of text.matchAll(blockOf(label))) {
    try {
      blocks.push(Uint8Array.fromBase64(base64.replaceAll(/\s/g, "")));
    } catch {
      return undefined;
    }
  }
  return blocks;
}

function blockOf(label: PemLabel): RegExp {
  return new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, "g");
}
