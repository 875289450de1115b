/**
 * The cipher suites of a channel: how records are encrypted and authenticated (PROTOCOL §5.1).
 *
 * @module
 */

import { AES_BLOCK_BYTES } from "../crypto/port.ts";

/** A suite's name, as flags and key-schedule labels have it. */
export type Suite = "a256cbc-hs512" | "a256ctr-hs512";

/** All suites, the default first. */
export const SUITES: readonly Suite[] = ["a256cbc-hs512", "a256ctr-hs512"];

const SUITE_CODES = { "a256cbc-hs512": 1, "a256ctr-hs512": 2 } as const;

/** The octet that stands for a suite in Hello and Reply. */
export function suiteCode(suite: Suite): number {
  return SUITE_CODES[suite];
}

/** The suite of a code, or `undefined` for a code this version does not know. */
export function suiteOfCode(code: number): Suite | undefined {
  return SUITES.find((suite) => SUITE_CODES[suite] === code);
}

/** The suite of a name as a person types it, or `undefined`. */
export function parseSuite(name: string): Suite | undefined {
  return SUITES.find((suite) => suite === name);
}

/** Octets of ciphertext for `plaintext` octets: CBC adds PKCS #7 padding, a whole block for whole blocks. */
export function ciphertextBytes(suite: Suite, plaintext: number): number {
  switch (suite) {
    case "a256cbc-hs512":
      return plaintext + AES_BLOCK_BYTES - plaintext % AES_BLOCK_BYTES;
    case "a256ctr-hs512":
      return plaintext;
  }
}
