import { deepEqual, equal, throws } from "node:assert/strict";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import fc from "npm:fast-check@4.10.2";
import { WORD_BITS, words } from "../../lib/text/words.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("words are the bits of the octets, eleven at a time", async () => {
  await check(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 64 }), (octets) => {
      const bits = Uint8Array.from(octets);
      const digits = Array.from(bits, (octet) => octet.toString(2).padStart(8, "0")).join("");
      const count = Math.floor(digits.length / WORD_BITS);
      const read = words(bits, count).map((word) =>
        wordlist.indexOf(word).toString(2).padStart(WORD_BITS, "0")
      );
      equal(read.join(""), digits.slice(0, count * WORD_BITS));
    }),
    1_000,
  );
});

test("words agree with BIP 39's own vectors, but for its checksum", () => {
  const cases: readonly (readonly [hex: string, count: number, phrase: string])[] = [
    ["7f".repeat(16), 11, "legal winner thank year wave sausage worth useful legal winner thank"],
    ["80".repeat(16), 11, "letter advice cage absurd amount doctor acoustic avoid letter advice cage"],
    ["ff".repeat(17), 12, Array.from({ length: 12 }, () => "zoo").join(" ")],
    [
      "9e885d952ad362caeb4efe34a8e91bd2",
      11,
      "ozone drill grab fiber curtain grace pudding thank cruise elder eight",
    ],
  ];
  for (const [hex, count, phrase] of cases) {
    deepEqual(words(Uint8Array.fromHex(hex), count), phrase.split(" "));
  }
});

test("twelve words take 17 octets, and the bits beyond them do not matter", () => {
  throws(() => words(new Uint8Array(16), 12), {
    name: "RangeError",
    message: /12 words of 16 octets: they need 17/,
  });
  deepEqual(
    words(Uint8Array.fromHex("00".repeat(17)), 12),
    words(Uint8Array.fromHex("00".repeat(16) + "0fff"), 12),
  );
});

test("a count that is no positive integer is our mistake and thrown", () => {
  for (const count of [0, -1, 1.5, NaN, Infinity]) throws(() => words(new Uint8Array(99), count), RangeError);
});
