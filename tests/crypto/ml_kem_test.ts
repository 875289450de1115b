import fc from "npm:fast-check@4.10.2";
import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { isEncapsulationKey, type MlKem } from "../../lib/crypto/ml_kem.ts";
import { chosenMlKem } from "../../lib/crypto/ml_kem_choice.ts";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { webCryptoMlKem } from "../../lib/crypto/ml_kem_webcrypto.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { skipped, test } from "../sanitized.ts";
import { bothMlKemsTest, HAS_RUNTIME_ML_KEM, MISSING_ML_KEM } from "./test_provider.ts";

const SEED = new Uint8Array(64).fill(7);

/** How many coefficients of 12 bits a key has before its seed. */
const COEFFICIENTS = 768;

/** `key` with one coefficient set to `value`. */
function withCoefficient(key: Bytes, at: number, value: number): Bytes {
  const changed = Uint8Array.from(key);
  const from = Math.floor(at / 2) * 3;
  const [low = 0, middle = 0, high = 0] = key.subarray(from, from + 3);
  changed.set(
    at % 2 === 0
      ? [value & 0xff, (middle & 0xf0) | value >> 8, high]
      : [low, (middle & 0x0f) | (value & 0x0f) << 4, value >> 4],
    from,
  );
  return changed;
}

bothMlKemsTest("what one encapsulates to a key, its owner decapsulates", async (mlKem) => {
  const provider = webCryptoProvider(mlKem);
  const pair = await provider.mlKemPair(SEED);
  const sent = await provider.mlKemEncapsulate(pair.encapsulationKey, systemEntropy);
  assert(sent !== undefined);
  assert.equal(pair.encapsulationKey.length, 1_184);
  assert.equal(sent.ciphertext.length, 1_088);
  assert.equal(sent.sharedSecret.length, 32);
  assert.deepEqual(await pair.decapsulate(sent.ciphertext), sent.sharedSecret);
});

bothMlKemsTest("an ML-KEM seed of a wrong length throws", async (mlKem) => {
  for (const length of [0, 32, 63, 65]) {
    await assert.rejects(mlKem.pair(new Uint8Array(length)), RangeError, `${length} octets`);
  }
});

bothMlKemsTest("two encapsulations to one key differ", async (mlKem) => {
  const { encapsulationKey } = await mlKem.pair(SEED);
  const first = await mlKem.encapsulate(encapsulationKey, systemEntropy);
  const second = await mlKem.encapsulate(encapsulationKey, systemEntropy);
  assert.notDeepEqual(first?.ciphertext, second?.ciphertext);
  assert.notDeepEqual(first?.sharedSecret, second?.sharedSecret);
});

bothMlKemsTest("attack 13: a malformed ML-KEM key is refused", async (mlKem) => {
  const { encapsulationKey } = await mlKem.pair(SEED);
  const malformed = [
    new Uint8Array(0),
    encapsulationKey.slice(0, -1),
    Uint8Array.from([...encapsulationKey, 0]),
    new Uint8Array(1_184).fill(0xff),
    withCoefficient(encapsulationKey, 0, 3_329),
    withCoefficient(encapsulationKey, COEFFICIENTS - 1, 4_095),
  ];
  for (const key of malformed) assert.equal(await mlKem.encapsulate(key, systemEntropy), undefined);
  const extreme = withCoefficient(encapsulationKey, COEFFICIENTS - 1, 3_328);
  assert.notEqual(await mlKem.encapsulate(extreme, systemEntropy), undefined);
});

bothMlKemsTest(
  "attack 13: an altered ML-KEM ciphertext gives another secret, the same each time",
  async (mlKem) => {
    const pair = await mlKem.pair(SEED);
    const sent = await mlKem.encapsulate(pair.encapsulationKey, systemEntropy);
    assert(sent !== undefined);
    for (const at of [0, 500, 1_087]) {
      const altered: Bytes = sent.ciphertext.with(at, (sent.ciphertext[at] ?? 0) ^ 1);
      const secret = await pair.decapsulate(altered);
      assert.equal(secret?.length, 32);
      assert.notDeepEqual(secret, sent.sharedSecret);
      assert.deepEqual(await pair.decapsulate(altered), secret);
    }
  },
);

bothMlKemsTest("attack 13: an ML-KEM ciphertext of a wrong length is refused", async (mlKem) => {
  const pair = await mlKem.pair(SEED);
  for (const length of [0, 1_087, 1_089]) {
    assert.equal(await pair.decapsulate(new Uint8Array(length)), undefined, `${length} octets`);
  }
});

test("attack 13: the modulus check sees any one coefficient", async () => {
  const { encapsulationKey } = await nobleMlKem.pair(SEED);
  const position = fc.nat({ max: COEFFICIENTS - 1 });
  await check(
    fc.property(position, fc.nat({ max: 4_095 }), (at, value) => {
      return isEncapsulationKey(withCoefficient(encapsulationKey, at, value)) === value < 3_329;
    }),
    1_000,
  );
  for (let at = 0; at < COEFFICIENTS; at++) {
    assert(isEncapsulationKey(withCoefficient(encapsulationKey, at, 3_328)), `coefficient ${at}`);
    assert(!isEncapsulationKey(withCoefficient(encapsulationKey, at, 3_329)), `coefficient ${at}`);
  }
});

test("noble's ML-KEM takes its randomness from the argument alone", async () => {
  const { encapsulationKey } = await nobleMlKem.pair(SEED);
  const drawn: number[] = [];
  const entropy = (length: number): Bytes => {
    drawn.push(length);
    return new Uint8Array(length).fill(5);
  };
  const [first, second] = [
    await nobleMlKem.encapsulate(encapsulationKey, entropy),
    await nobleMlKem.encapsulate(encapsulationKey, entropy),
  ];
  assert.deepEqual(first, second);
  assert.deepEqual(drawn, [32, 32]);
  await assert.rejects(nobleMlKem.encapsulate(encapsulationKey, () => new Uint8Array(31)), RangeError);
});

test("the ML-KEM chosen is the runtime's exactly where it has one", async () => {
  assert.equal(await chosenMlKem(), HAS_RUNTIME_ML_KEM ? webCryptoMlKem : nobleMlKem);
});

const INTEROPERATE = "the two ML-KEMs make the same keys and open what the other sent";
if (HAS_RUNTIME_ML_KEM) test(INTEROPERATE, interoperate);
else skipped(INTEROPERATE, MISSING_ML_KEM);

async function interoperate(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const seed = systemEntropy(64);
    await exchange(webCryptoMlKem, nobleMlKem, seed);
    await exchange(nobleMlKem, webCryptoMlKem, seed);
  }
}

async function exchange(owner: MlKem, sender: MlKem, seed: Bytes): Promise<void> {
  const [pair, twin] = [await owner.pair(seed), await sender.pair(seed)];
  assert.deepEqual(pair.encapsulationKey, twin.encapsulationKey);
  const sent = await sender.encapsulate(pair.encapsulationKey, systemEntropy);
  assert(sent !== undefined);
  assert.deepEqual(await pair.decapsulate(sent.ciphertext), sent.sharedSecret);
  // A ciphertext of neither: the secret of implicit rejection comes of z, which must be read alike.
  const noise = systemEntropy(1_088);
  assert.deepEqual(await pair.decapsulate(noise), await twin.decapsulate(noise));
}
