import fc from "npm:fast-check@4.10.2";
import assert from "node:assert/strict";
import { SMALL_ORDER_ENCODINGS } from "../../lib/crypto/ed25519_points.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { Provider } from "../../lib/crypto/port.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { provider as reference } from "./test_provider.ts";

const provider = nodeProvider(reference);

const anyOctets = (constraints: fc.IntArrayConstraints) =>
  fc.uint8Array(constraints).map((bytes) => Uint8Array.from(bytes));

const anySeed = anyOctets({ minLength: 32, maxLength: 32 });

/** What a call comes to: its result, or that it threw, and what. */
async function outcome<Result>(call: () => Promise<Result>): Promise<Result | string> {
  try {
    return await call();
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** Asserts that `call` comes to the same with both providers. */
async function same(call: (provider: Provider) => Promise<unknown>): Promise<void> {
  assert.deepEqual(await outcome(() => call(provider)), await outcome(() => call(reference)));
}

test("hashes and HMACs are WebCrypto's, octet for octet, with keys of any length", async () => {
  await check(
    fc.asyncProperty(anyOctets({ maxLength: 300 }), anyOctets({ maxLength: 300 }), async (key, data) => {
      await same(({ sha256 }) => sha256(data));
      await same(({ sha512 }) => sha512(data));
      for (const name of ["hmacSha256", "hmacSha512"] as const) {
        await same(async (each) => {
          const mac = await each[name](key);
          return [await mac.sign(data), await mac.sign(concat(data, data)), await mac.sign(data)];
        });
      }
    }),
  );
});

test("what is computed at once is WebCrypto's, octet for octet, and refuses the same", async () => {
  const atOnce = async (work: () => Bytes): Promise<Bytes | string> => await outcome(() => Promise.try(work));
  const tagOf = (key: Bytes, ...parts: readonly Bytes[]): Bytes => {
    const into = new Uint8Array(40);
    reference.hmacSha256Now(key).tag(into, ...parts);
    return into.slice(0, 32);
  };
  await check(
    fc.asyncProperty(
      anyOctets({ maxLength: 300 }),
      anyOctets({ minLength: 31, maxLength: 33 }),
      anyOctets({ minLength: 15, maxLength: 17 }),
      async (data, key, iv) => {
        assert.deepEqual(reference.sha256Now(data), await reference.sha256(data));
        assert.deepEqual(reference.sha512Now(data), await reference.sha512(data));
        for (const macKey of [data, key]) {
          const awaited = await outcome(async () =>
            (await reference.hmacSha256(macKey)).sign(concat(iv, data))
          );
          assert.deepEqual(await atOnce(() => tagOf(macKey, iv, data)), awaited);
          assert.deepEqual(await atOnce(() => tagOf(macKey, concat(iv, data))), awaited);
        }
        assert.deepEqual(
          await atOnce(() => reference.aes256CbcNow(key, iv, data)),
          await outcome(async () => (await reference.aes256Cbc(key)).encrypt(iv, data)),
        );
      },
    ),
  );
});

test("AES in both modes is WebCrypto's, octet for octet, and refuses the same", async () => {
  await check(
    fc.asyncProperty(
      fc.constantFrom("aes256Cbc" as const, "aes256Ctr" as const),
      anyOctets({ minLength: 31, maxLength: 33 }),
      anyOctets({ minLength: 15, maxLength: 17 }),
      anyOctets({ maxLength: 200 }),
      async (name, key, iv, text) => {
        await same(async (each) => (await each[name](key)).encrypt(iv, text));
        await same(async (each) => (await each[name](key)).decrypt(iv, text));
        await same(async (each) => {
          const cipher = await each[name](key);
          return cipher.decrypt(iv, await cipher.encrypt(iv, text));
        });
      },
    ),
  );
});

test("X25519 agrees with WebCrypto's on shares and secrets, and refuses the same shares", async () => {
  await check(
    fc.asyncProperty(anySeed, anyOctets({ minLength: 31, maxLength: 33 }), async (seed, peer) => {
      await same(async ({ x25519Pair }) => (await x25519Pair(seed)).share);
      await same(async ({ x25519Pair }) => (await x25519Pair(peer)).share);
      await same(async ({ x25519Pair }) => (await x25519Pair(seed)).agree(peer));
    }),
    30,
  );
  const pair = await provider.x25519Pair(new Uint8Array(32).fill(7));
  for (const share of SMALL_ORDER_SHARES) assert.equal(await pair.agree(share), undefined, share.toHex());
});

test("Ed25519 agrees with WebCrypto's on keys and signatures, and refuses the same", async () => {
  await check(
    fc.asyncProperty(anySeed, anyOctets({ maxLength: 100 }), fc.nat(63), async (seed, data, at) => {
      await same(async ({ ed25519SigningKey }) => {
        const key = await ed25519SigningKey(seed);
        return [key.publicKey, await key.sign(data)];
      });
      const key = await reference.ed25519SigningKey(seed);
      const signature = await key.sign(data);
      for (const each of [signature, flipped(signature, at), signature.slice(1), concat(signature, data)]) {
        await same(async ({ ed25519VerifyingKey }) =>
          (await ed25519VerifyingKey(key.publicKey))?.verify(data, each)
        );
      }
      await same(async ({ ed25519VerifyingKey }) =>
        (await ed25519VerifyingKey(seed))?.verify(data, signature)
      );
      await same(({ ed25519SigningKey }) => ed25519SigningKey(seed.slice(1)));
    }),
    30,
  );
  for (const encoding of SMALL_ORDER_ENCODINGS) {
    assert.equal(await provider.ed25519VerifyingKey(Uint8Array.fromHex(encoding)), undefined);
  }
});

/** Points of small order in their reduced spelling (RFC 7748 §6.1 tells how to find them by their zero secret). */
const SMALL_ORDER_SHARES: readonly Bytes[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Uint8Array.fromHex(hex));

function flipped(bytes: Bytes, at: number): Bytes {
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}
