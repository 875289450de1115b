import assert from "node:assert/strict";
import * as v from "valibot";
import { utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { hex, readLines, Tally, vectorTest } from "./vector_files.ts";

const number = v.pipe(v.string(), v.digits(), v.transform(Number));

const RFC7914 = v.object({
  COUNT: v.string(),
  PASSWORD: v.string(),
  SALT: v.string(),
  N: number,
  r: number,
  p: number,
  LENGTH: number,
  DERIVED_KEY: hex,
});

// The example with N = 2^20 takes 1 GiB, four times what one derivation may.
vectorTest("scrypt computes RFC 7914's examples within its memory and refuses the one beyond", async () => {
  const tally = new Tally();
  for (const example of await readLines("kdf/scrypt.txt", "COUNT", RFC7914)) {
    const { COUNT, PASSWORD, SALT, N, r, p, LENGTH, DERIVED_KEY } = example;
    const cost = { cost: N, blockSize: r, parallelization: p };
    const derived = provider.scrypt(utf8(PASSWORD), utf8(SALT), cost, LENGTH);
    if (N < 2 ** 20) assert.deepEqual(await derived, DERIVED_KEY, `example ${COUNT}`);
    else await assert.rejects(derived, Error, `example ${COUNT}`);
    tally.add(N < 2 ** 20 ? "computed" : "refused");
  }
  assert.deepEqual(tally.counts, { "computed": 3, "refused": 1 });
});
