import assert from "node:assert/strict";
import * as v from "valibot";
import { recordCipher } from "../../lib/secure/aead.ts";
import { concat } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { hex, readJson, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const WYCHEPROOF = wycheproof(v.object({
  tests: v.array(
    v.object({ tcId: v.number(), key: hex, iv: hex, aad: hex, msg: hex, ct: hex, tag: hex, result }),
  ),
}));

const RFC7518 = v.array(
  v.object({ K: hex, MAC_KEY: hex, ENC_KEY: hex, P: hex, IV: hex, A: hex, E: hex, T: hex }),
);

vectorTest("the record cipher agrees with Wycheproof's A256CBC-HS512", async () => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/a256cbc_hs512_test.json", WYCHEPROOF)) {
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
      const cipher = await recordCipher(provider, "a256cbc-hs512", key);
      const opened = await cipher.open(aad, iv, ct, tag);
      assert.deepEqual(opened, result === "valid" ? msg : undefined, `case ${tcId}`);
      const sealed = await cipher.seal(aad, iv, msg);
      if (result === "valid") assert.deepEqual(sealed, { ciphertext: ct, tag }, `case ${tcId}`);
      tally.add(result);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 67, "invalid": 27 });
});

vectorTest("the cipher of what is kept agrees with Wycheproof's A256CBC-HS512", async () => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/a256cbc_hs512_test.json", WYCHEPROOF)) {
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
      const cipher = provider.a256cbcHs512(key);
      const opened = cipher.open(concat(iv, ct, tag), aad);
      assert.deepEqual(opened, result === "valid" ? msg : undefined, `case ${tcId}`);
      if (result === "valid") {
        assert.deepEqual(cipher.seal(iv, msg, aad), concat(iv, ct, tag), `case ${tcId}`);
      }
      tally.add(result);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 67, "invalid": 27 });
});

vectorTest("the record cipher computes RFC 7518's example B.3", async () => {
  const examples = await readJson("jose/rfc7518_b3.json", RFC7518);
  for (const { K, MAC_KEY, ENC_KEY, P, IV, A, E, T } of examples) {
    assert.deepEqual(concat(MAC_KEY, ENC_KEY), K);
    const cipher = await recordCipher(provider, "a256cbc-hs512", K);
    assert.deepEqual(await cipher.seal(A, IV, P), { ciphertext: E, tag: T });
    assert.deepEqual(await cipher.open(A, IV, E, T), P);
    const atOnce = provider.a256cbcHs512(K);
    assert.deepEqual(atOnce.seal(IV, P, A), concat(IV, E, T));
    assert.deepEqual(atOnce.open(concat(IV, E, T), A), P);
  }
  assert.equal(examples.length, 1);
});
