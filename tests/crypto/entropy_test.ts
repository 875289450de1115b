import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { test } from "../sanitized.ts";

test("entropy has the length asked for, beyond one call's limit too, and every part is filled", () => {
  for (const length of [0, 1, 32, 65_535, 65_536, 65_537, 200_000]) {
    assert.equal(systemEntropy(length).length, length);
  }
  const long = systemEntropy(200_000);
  for (let from = 0; from < long.length; from += 32) {
    assert(long.subarray(from, from + 32).some((octet) => octet !== 0), `from octet ${from}`);
  }
});

test("two draws of entropy differ", () => {
  assert.notDeepEqual(systemEntropy(32), systemEntropy(32));
});

test("entropy of a negative length throws", () => {
  assert.throws(() => systemEntropy(-1), RangeError);
});
