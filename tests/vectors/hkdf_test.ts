import assert from "node:assert/strict";
import * as v from "valibot";
import { expand, extract } from "../../lib/secure/hkdf.ts";
import { provider } from "../crypto/test_provider.ts";
import { hex, readJson, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const WYCHEPROOF = wycheproof(v.object({
  tests: v.array(
    v.object({ tcId: v.number(), ikm: hex, salt: hex, info: hex, size: v.number(), okm: hex, result }),
  ),
}));

vectorTest("HKDF-SHA-512 of our two halves agrees with Wycheproof", async () => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/hkdf_sha512_test.json", WYCHEPROOF)) {
    for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
      const expanded = expand(provider, await extract(provider, salt, ikm), info, size);
      if (result === "valid") assert.deepEqual(await expanded, okm, `case ${tcId}`);
      else await assert.rejects(expanded, RangeError, `case ${tcId}`);
      tally.add(result);
      if (salt.length === 0) tally.add("of these without a salt");
    }
  }
  assert.deepEqual(tally.counts, { "valid": 80, "invalid": 3, "of these without a salt": 22 });
});
