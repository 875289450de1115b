import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { safetyWords } from "../../lib/identity/safety_words.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY, keyOf } from "./people.ts";

test("both people have the same words, and others than anyone else", async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, async (_, at) => (await keyOf(at)).publicKey));
  const seen = new Set<string>();
  for (const [at, one] of keys.entries()) {
    for (const other of keys.slice(at + 1)) {
      const words = await safetyWords(provider, HOST_KEY, [one, other]);
      equal(words.length, 12);
      deepEqual(await safetyWords(provider, HOST_KEY, [other, one]), words);
      seen.add(words.join(" "));
    }
  }
  equal(seen.size, 28);
});

test("the words are those of one server", async () => {
  const [one, other] = [(await keyOf(2)).publicKey, (await keyOf(3)).publicKey];
  notDeepEqual(
    await safetyWords(provider, HOST_KEY, [one, other]),
    await safetyWords(provider, one, [one, other]),
  );
});
