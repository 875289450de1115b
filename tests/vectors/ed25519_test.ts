import assert from "node:assert/strict";
import * as v from "valibot";
import { provider } from "../crypto/test_provider.ts";
import { hex, readJson, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const WYCHEPROOF = wycheproof(v.object({
  publicKey: v.object({ curve: v.literal("edwards25519"), pk: hex }),
  tests: v.array(v.object({ tcId: v.number(), msg: hex, sig: hex, result, flags: v.array(v.string()) })),
}));

// No key of the file is of small order; tests/crypto/provider_test.ts has all of those.
vectorTest("Ed25519 verifies what Wycheproof calls valid and nothing else", async () => {
  const tally = new Tally();
  for (const { publicKey, tests } of await readJson("wycheproof/ed25519_test.json", WYCHEPROOF)) {
    const key = await provider.ed25519VerifyingKey(publicKey.pk);
    assert(key !== undefined);
    for (const { tcId, msg, sig, result, flags } of tests) {
      assert.equal(await key.verify(msg, sig), result === "valid", `case ${tcId}`);
      // S not below the order L: WebCrypto alone stands against these.
      tally.add(flags.includes("SignatureMalleability") ? `${result}, malleable` : result);
    }
  }
  assert.deepEqual(tally.counts, { "valid": 88, "invalid": 55, "invalid, malleable": 8 });
});
