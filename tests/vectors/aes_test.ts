import assert from "node:assert/strict";
import * as v from "valibot";
import { provider } from "../crypto/test_provider.ts";
import { hex, readJson, readLines, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const WYCHEPROOF = wycheproof(v.object({
  keySize: v.number(),
  tests: v.array(v.object({ tcId: v.number(), key: hex, iv: hex, msg: hex, ct: hex, result })),
}));

const RFC3686 = v.object({ COUNT: v.string(), KEY: hex, IV: hex, PLAINTEXT: hex, CIPHERTEXT: hex });

vectorTest("AES-256-CBC agrees with Wycheproof, and shorter keys are refused", async () => {
  const tally = new Tally();
  for (const { keySize, tests } of await readJson("wycheproof/aes_cbc_pkcs5_test.json", WYCHEPROOF)) {
    for (const { tcId, key, iv, msg, ct, result } of tests) {
      if (keySize !== 256) {
        await assert.rejects(provider.aes256Cbc(key), RangeError, `case ${tcId}`);
        tally.add(`${keySize} bits, refused`);
        continue;
      }
      const cipher = await provider.aes256Cbc(key);
      if (result === "valid") assert.deepEqual(await cipher.encrypt(iv, msg), ct, `case ${tcId}`);
      assert.deepEqual(await cipher.decrypt(iv, ct), result === "valid" ? msg : undefined, `case ${tcId}`);
      tally.add(`256 bits, ${result}`);
    }
  }
  assert.deepEqual(tally.counts, {
    "128 bits, refused": 72,
    "192 bits, refused": 72,
    "256 bits, valid": 24,
    "256 bits, invalid": 48,
  });
});

vectorTest("AES-128-CBC agrees with Wycheproof, and longer keys are refused", async () => {
  const tally = new Tally();
  for (const { keySize, tests } of await readJson("wycheproof/aes_cbc_pkcs5_test.json", WYCHEPROOF)) {
    for (const { tcId, key, iv, msg, ct, result } of tests) {
      if (keySize !== 128) {
        await assert.rejects(provider.aes128Cbc(key), RangeError, `case ${tcId}`);
        tally.add(`${keySize} bits, refused`);
        continue;
      }
      const cipher = await provider.aes128Cbc(key);
      if (result === "valid") assert.deepEqual(await cipher.encrypt(iv, msg), ct, `case ${tcId}`);
      assert.deepEqual(await cipher.decrypt(iv, ct), result === "valid" ? msg : undefined, `case ${tcId}`);
      tally.add(`128 bits, ${result}`);
    }
  }
  assert.deepEqual(tally.counts, {
    "128 bits, valid": 24,
    "128 bits, invalid": 48,
    "192 bits, refused": 72,
    "256 bits, refused": 72,
  });
});

vectorTest("AES-256-CTR computes RFC 3686's examples", async () => {
  const cases = await readLines("aes/aes-256-ctr.txt", "COUNT", RFC3686);
  for (const { COUNT, KEY, IV, PLAINTEXT, CIPHERTEXT } of cases) {
    const cipher = await provider.aes256Ctr(KEY);
    assert.deepEqual(await cipher.encrypt(IV, PLAINTEXT), CIPHERTEXT, `example ${COUNT}`);
    assert.deepEqual(await cipher.decrypt(IV, CIPHERTEXT), PLAINTEXT, `example ${COUNT}`);
  }
  assert.equal(cases.length, 3);
});
