import assert from "node:assert/strict";
import * as v from "valibot";
import { provider } from "../crypto/test_provider.ts";
import { hex, readJson, readLines, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const WYCHEPROOF = wycheproof(v.object({
  tagSize: v.picklist([128, 256, 512]),
  tests: v.array(v.object({ tcId: v.number(), key: hex, msg: hex, tag: hex, result })),
}));

const RFC4231 = v.object({ Key: hex, Msg: hex, MD: hex });

vectorTest("HMAC-SHA-512, whole and cut to half, agrees with Wycheproof", async () => {
  const tally = new Tally();
  for (const { tagSize, tests } of await readJson("wycheproof/hmac_sha512_test.json", WYCHEPROOF)) {
    for (const { tcId, key, msg, tag, result } of tests) {
      const computed = (await (await provider.hmacSha512(key)).sign(msg)).slice(0, tagSize / 8);
      assert.equal(provider.equalInConstantTime(computed, tag), result === "valid", `case ${tcId}`);
      tally.add(`${tagSize} bits, ${result}`);
    }
  }
  assert.deepEqual(tally.counts, {
    "512 bits, valid": 33,
    "512 bits, invalid": 54,
    "256 bits, valid": 33,
    "256 bits, invalid": 54,
  });
});

vectorTest("HMAC-SHA-512 computes RFC 4231's examples", async () => {
  const cases = await readLines("kdf/rfc-4231-sha512.txt", "Len", RFC4231);
  for (const { Key, Msg, MD } of cases) {
    assert.deepEqual(await (await provider.hmacSha512(Key)).sign(Msg), MD);
  }
  assert.equal(cases.length, 6);
});

vectorTest("HMAC-SHA-256, whole and cut to half, agrees with Wycheproof", async () => {
  const tally = new Tally();
  for (const { tagSize, tests } of await readJson("wycheproof/hmac_sha256_test.json", WYCHEPROOF)) {
    for (const { tcId, key, msg, tag, result } of tests) {
      const computed = (await (await provider.hmacSha256(key)).sign(msg)).slice(0, tagSize / 8);
      assert.equal(provider.equalInConstantTime(computed, tag), result === "valid", `case ${tcId}`);
      tally.add(`${tagSize} bits, ${result}`);
    }
  }
  assert.deepEqual(tally.counts, {
    "256 bits, valid": 33,
    "256 bits, invalid": 54,
    "128 bits, valid": 33,
    "128 bits, invalid": 54,
  });
});

vectorTest("HMAC-SHA-256 computes RFC 4231's examples", async () => {
  const cases = await readLines("kdf/rfc-4231-sha256.txt", "Len", RFC4231);
  for (const { Key, Msg, MD } of cases) {
    assert.deepEqual(await (await provider.hmacSha256(Key)).sign(Msg), MD);
  }
  assert.equal(cases.length, 6);
});
