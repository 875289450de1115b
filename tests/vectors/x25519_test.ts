import assert from "node:assert/strict";
import * as v from "valibot";
import { provider } from "../crypto/test_provider.ts";
import { hex, readJson, readLines, result, Tally, vectorTest, wycheproof } from "./vector_files.ts";

const WYCHEPROOF = wycheproof(v.object({
  curve: v.literal("curve25519"),
  tests: v.array(v.object({
    tcId: v.number(),
    public: hex,
    private: hex,
    shared: hex,
    result,
  })),
}));

const PRIME = 2n ** 255n - 19n;

const RFC7748 = v.object({ COUNT: v.string(), INPUT_SCALAR: hex, INPUT_U: hex, OUTPUT_U: hex });

vectorTest("attack 12: X25519 agrees with Wycheproof, zero and respelt shares refused", async () => {
  const tally = new Tally();
  for (const { tests } of await readJson("wycheproof/x25519_test.json", WYCHEPROOF)) {
    for (const { tcId, public: share, private: seed, shared, result } of tests) {
      const secret = await (await provider.x25519Pair(seed)).agree(share);
      const canonical = BigInt(`0x${Uint8Array.from(share).reverse().toHex()}`) < PRIME;
      const zero = shared.every((octet) => octet === 0);
      assert.deepEqual(secret, canonical && !zero ? shared : undefined, `case ${tcId}`);
      tally.add(`${result}, ${!canonical ? "not canonical" : zero ? "zero" : "agreed"}`);
    }
  }
  assert.deepEqual(tally.counts, {
    "valid, agreed": 264,
    "acceptable, agreed": 210,
    "acceptable, not canonical": 29,
    "acceptable, zero": 15,
  });
});

vectorTest("X25519 computes RFC 7748's examples, the one with a top bit once that is cleared", async () => {
  const tally = new Tally();
  for (
    const { COUNT, INPUT_SCALAR, INPUT_U, OUTPUT_U } of await readLines("kdf/rfc7748.txt", "COUNT", RFC7748)
  ) {
    const pair = await provider.x25519Pair(INPUT_SCALAR);
    const hasTopBit = (INPUT_U.at(-1) ?? 0) >= 0x80;
    if (hasTopBit) assert.equal(await pair.agree(INPUT_U), undefined, `example ${COUNT}`);
    const share = INPUT_U.with(-1, (INPUT_U.at(-1) ?? 0) & 0x7f);
    assert.deepEqual(await pair.agree(share), OUTPUT_U, `example ${COUNT}`);
    tally.add(hasTopBit ? "refused, then agreed" : "agreed");
  }
  assert.deepEqual(tally.counts, { "agreed": 2, "refused, then agreed": 1 });
});
