import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import assert from "node:assert/strict";
import * as v from "valibot";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { bothMlKemsTest } from "../crypto/test_provider.ts";
import { hex, readJson, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const PARAMETERS = v.literal("ML-KEM-768");

const KEYGEN = wycheproof(v.object({
  parameterSet: PARAMETERS,
  tests: v.array(v.object({ tcId: v.number(), seed: hex, ek: hex, result: v.literal("valid") })),
}));

const DECAPS = wycheproof(v.object({
  parameterSet: PARAMETERS,
  tests: v.array(v.object({ tcId: v.number(), seed: hex, ek: v.optional(hex), c: hex, K: hex, result })),
}));

const ENCAPS = wycheproof(v.object({
  parameterSet: PARAMETERS,
  tests: v.array(v.object({ tcId: v.number(), m: hex, ek: hex, c: hex, K: hex, result })),
}));

const SEMI_EXPANDED = wycheproof(v.object({
  parameterSet: PARAMETERS,
  tests: v.array(v.object({ tcId: v.number(), dk: hex, c: hex, K: v.optional(hex), result })),
}));

bothMlKemsTest("ML-KEM-768 makes the encapsulation keys of Wycheproof's seeds", async (mlKem) => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/mlkem_768_keygen_seed_test.json", KEYGEN)) {
    for (const { tcId, seed, ek, result } of tests) {
      assert.deepEqual((await mlKem.pair(seed)).encapsulationKey, ek, `case ${tcId}`);
      tally.add(result);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 100 });
}, vectorTest);

bothMlKemsTest("ML-KEM-768 decapsulates what Wycheproof calls valid and nothing else", async (mlKem) => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/mlkem_768_test.json", DECAPS)) {
    for (const { tcId, seed, ek, c, K, result } of tests) {
      // The file gives no encapsulation key where the seed has a wrong length.
      if (ek === undefined) {
        await assert.rejects(mlKem.pair(seed), RangeError, `case ${tcId}`);
        tally.add(`${result}, wrong seed`);
        continue;
      }
      const pair = await mlKem.pair(seed);
      assert.deepEqual(pair.encapsulationKey, ek, `case ${tcId}`);
      assert.deepEqual(await pair.decapsulate(c), result === "valid" ? K : undefined, `case ${tcId}`);
      tally.add(result === "valid" ? result : `${result}, wrong ciphertext`);
    }
  }
  assert.deepEqual(tally.counts, {
    "valid": 153,
    "invalid, wrong seed": 20,
    "invalid, wrong ciphertext": 20,
  });
}, vectorTest);

bothMlKemsTest("attack 13: ML-KEM-768 refuses Wycheproof's malformed keys alone", async (mlKem) => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/mlkem_768_encaps_test.json", ENCAPS)) {
    for (const { tcId, ek, result } of tests) {
      const sent = await mlKem.encapsulate(ek, systemEntropy);
      assert.equal(sent !== undefined, result === "valid", `case ${tcId}`);
      tally.add(result === "valid" || ek.length !== 1_184 ? result : `${result}, modulus`);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 133, "invalid": 20, "invalid, modulus": 112 });
}, vectorTest);

vectorTest("noble's ML-KEM-768 encapsulates Wycheproof's messages", async () => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/mlkem_768_encaps_test.json", ENCAPS)) {
    for (const { tcId, m, ek, c, K, result } of tests) {
      const expected = result === "valid" ? { ciphertext: c, sharedSecret: K } : undefined;
      assert.deepEqual(await nobleMlKem.encapsulate(ek, () => m), expected, `case ${tcId}`);
      tally.add(result);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 133, "invalid": 132 });
});

// Our pairs come of seeds, so this one asks the library itself: it is what decapsulates on older runtimes.
vectorTest("noble's ML-KEM-768 decapsulates with Wycheproof's expanded keys", async () => {
  const tally = new Tally();
  const groups = await readJson("wycheproof/mlkem_768_semi_expanded_decaps_test.json", SEMI_EXPANDED);
  for (const { tests } of groups) {
    for (const { tcId, dk, c, K, result } of tests) {
      if (result === "valid") assert.deepEqual(ml_kem768.decapsulate(c, dk), K, `case ${tcId}`);
      else assert.throws(() => ml_kem768.decapsulate(c, dk), Error, `case ${tcId}`);
      tally.add(result);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 3, "invalid": 6 });
});
