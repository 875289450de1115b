import { deepEqual, equal } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { base64Octets } from "../../lib/identity/base64.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("octets are read back, padded or not, at their own length only", async () => {
  await check(fc.property(fc.uint8Array({ maxLength: 70 }), (given) => {
    const octets = Uint8Array.from(given);
    deepEqual(base64Octets(octets.toBase64(), octets.length), octets);
    deepEqual(base64Octets(octets.toBase64({ omitPadding: true }), octets.length), octets);
    equal(base64Octets(octets.toBase64(), octets.length + 1), undefined);
  }));
});

test("a value has one spelling", () => {
  deepEqual(base64Octets("+/8=", 2), Uint8Array.of(0xfb, 0xff));
  for (const text of ["-_8=", "+/9=", "+/8==", "+/8=\n", "+/ 8=", "+/8", "+/8=x", "====", ""]) {
    const expected = text === "+/8" ? Uint8Array.of(0xfb, 0xff) : undefined;
    deepEqual(base64Octets(text, 2), expected, JSON.stringify(text));
  }
});
