import { equal, notEqual, ok } from "node:assert/strict";
import type { Provider } from "../../lib/crypto/port.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider as real } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { Dice } from "./dice.ts";
import { simulatedProvider } from "./simulated_provider.ts";

const { entropy } = new Dice(1);
const simulated = simulatedProvider();

test("the simulated provider encrypts, hashes and authenticates as the real one", async () => {
  const [data, key, iv] = [entropy(100), entropy(32), entropy(16)];
  const works: readonly ((provider: Provider) => Promise<Bytes | undefined>)[] = [
    (provider) => provider.sha256(data),
    (provider) => provider.sha512(data),
    async (provider) => (await provider.hmacSha512(key)).sign(data),
    async (provider) => (await provider.hmacSha256(key)).sign(data),
    async (provider) => (await provider.aes256Cbc(key)).encrypt(iv, data),
    async (provider) => (await provider.aes256Cbc(key)).decrypt(iv, data.slice(0, 96)),
    async (provider) => (await provider.aes256Ctr(key)).encrypt(iv, data),
    async (provider) => (await provider.aes128Cbc(key.slice(0, 16))).encrypt(iv, data),
  ];
  for (const work of works) equal((await work(simulated))?.toHex(), (await work(real))?.toHex());
});

test("simulated agreements agree, and with nobody else", async () => {
  const [one, other, third] = await Promise.all([1, 2, 3].map(() => simulated.x25519Pair(entropy(32))));
  ok(one !== undefined && other !== undefined && third !== undefined);
  const secret = (await one.agree(other.share))?.toHex();
  equal((await other.agree(one.share))?.toHex(), secret);
  notEqual((await other.agree(third.share))?.toHex(), secret);

  const pair = await simulated.mlKemPair(entropy(64));
  const sent = await simulated.mlKemEncapsulate(pair.encapsulationKey, entropy);
  ok(sent !== undefined);
  equal((await pair.decapsulate(sent.ciphertext))?.toHex(), sent.sharedSecret.toHex());
});

test("simulated signatures verify for their key and octets alone", async () => {
  const [key, other] = await Promise.all([1, 2].map(() => simulated.ed25519SigningKey(entropy(32))));
  ok(key !== undefined && other !== undefined);
  const data = entropy(40);
  const signature = await key.sign(data);
  const verifying = await simulated.ed25519VerifyingKey(key.publicKey);
  equal(await verifying?.verify(data, signature), true);
  equal(await verifying?.verify(entropy(40), signature), false);
  equal(await verifying?.verify(data, await other.sign(data)), false);
});
