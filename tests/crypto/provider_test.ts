import fc from "npm:fast-check@4.10.2";
import assert from "node:assert/strict";
import { SMALL_ORDER_ENCODINGS } from "../../lib/crypto/ed25519_points.ts";
import { isReduced } from "../../lib/crypto/field25519.ts";
import { isAllZero } from "../../lib/crypto/x25519_points.ts";
import { recordCipher } from "../../lib/secure/aead.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { provider } from "./test_provider.ts";

/** The prime of both curves' field. */
const PRIME = 2n ** 255n - 19n;

/** The constant d of the Edwards curve, -121665 / 121666 (RFC 8032 §5.1). */
const EDWARDS_D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;

/** `length` octets that count up, so that a swap of two is seen. */
function octets(length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => at);
}

/** The 32 octets of `value`, little-endian, as both curves encode field elements. */
function encodeLittleEndian(value: bigint): Bytes {
  return Uint8Array.fromHex(value.toString(16).padStart(64, "0")).reverse();
}

function decodeLittleEndian(encoding: Bytes): bigint {
  return BigInt(`0x${Uint8Array.from(encoding).reverse().toHex()}`);
}

/** All u or y not below the prime that 255 bits hold, without and with the top bit. */
const NOT_REDUCED = Array.from({ length: 19 }, (_, above) => PRIME + BigInt(above))
  .flatMap((value) => [value, value + 2n ** 255n])
  .map(encodeLittleEndian);

const anyOctets = (constraints: fc.IntArrayConstraints) =>
  fc.uint8Array(constraints).map((bytes) => Uint8Array.from(bytes));

test("hashes are those of FIPS 180's example abc", async () => {
  const [short, long] = [await provider.sha256(utf8("abc")), await provider.sha512(utf8("abc"))];
  assert.equal(short.toHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(long.length, 64);
  assert(long.toHex().startsWith("ddaf35a193617abacc417349ae204131"));
});

test("a SHA-256 at once, and one of pieces, is the same as WebCrypto's", async () => {
  const someOctets = anyOctets({ maxLength: 300 });
  await check(
    fc.asyncProperty(fc.array(someOctets, { maxLength: 5 }), async (pieces) => {
      const running = provider.runningSha256();
      for (const piece of pieces) running.update(piece);
      const expected = await provider.sha256(concat(...pieces));
      assert.deepEqual(provider.sha256Now(concat(...pieces)), expected);
      assert.deepEqual(running.digest(), expected);
    }),
  );
});

test("what is sealed at once opens with its key and associated octets, and with nothing altered", async () => {
  const cipher = provider.a256cbcHs512(octets(64));
  await check(
    fc.property(
      anyOctets({ maxLength: 70 }),
      anyOctets({ maxLength: 9 }),
      fc.nat(),
      (text, associated, at) => {
        const sealed = cipher.seal(octets(16), text, associated);
        assert.deepEqual(cipher.open(sealed, associated), text);
        const flipped = at % sealed.length;
        const altered = sealed.with(flipped, (sealed[flipped] ?? 0) ^ 1);
        assert.equal(cipher.open(altered, associated), undefined);
        assert.equal(cipher.open(sealed.slice(0, flipped), associated), undefined);
        assert.equal(cipher.open(sealed, concat(associated, octets(1))), undefined);
        assert.equal(provider.a256cbcHs512(octets(64).fill(9, 0, 1)).open(sealed, associated), undefined);
      },
    ),
  );
});

test("what is sealed at once is what the record cipher seals, octet for octet", async () => {
  await check(
    fc.asyncProperty(anyOctets({ maxLength: 70 }), anyOctets({ maxLength: 40 }), async (text, associated) => {
      const [key, iv] = [octets(64), octets(16)];
      const cipher = await recordCipher(provider, "a256cbc-hs512", key);
      const { ciphertext, tag } = await cipher.seal(associated, iv, text);
      assert.deepEqual(provider.a256cbcHs512(key).seal(iv, text, associated), concat(iv, ciphertext, tag));
    }),
  );
});

test("what a wrong padding hides under a right tag opens to nothing", async () => {
  const key = octets(64);
  const ctr = await provider.aes256Ctr(key.slice(32));
  const mac = await provider.hmacSha512(key.slice(0, 32));
  const ivAndCiphertext = concat(octets(16), await ctr.encrypt(octets(16), octets(32)));
  const tag = (await mac.sign(concat(ivAndCiphertext, new Uint8Array(8)))).slice(0, 32);
  assert.equal(provider.a256cbcHs512(key).open(concat(ivAndCiphertext, tag), octets(0)), undefined);
});

test("an empty HMAC key throws", async () => {
  await assert.rejects(provider.hmacSha512(octets(0)), RangeError);
  await assert.rejects(provider.hmacSha256(octets(0)), RangeError);
});

test("seeds and keys of our own that have a wrong length throw", async () => {
  for (const length of [0, 16, 31, 33, 64]) {
    await assert.rejects(provider.x25519Pair(octets(length)), RangeError);
    await assert.rejects(provider.ed25519SigningKey(octets(length)), RangeError);
    await assert.rejects(provider.aes256Cbc(octets(length)), RangeError);
    await assert.rejects(provider.aes256Ctr(octets(length)), RangeError);
    assert.throws(() => provider.a256cbcHs512(octets(length + 1)), RangeError);
  }
  for (const length of [0, 15, 17, 24, 32]) {
    await assert.rejects(provider.aes128Cbc(octets(length)), RangeError);
  }
});

test("each HMAC has the length of its hash", async () => {
  assert.equal((await (await provider.hmacSha256(octets(16))).sign(octets(3))).length, 32);
  assert.equal((await (await provider.hmacSha512(octets(16))).sign(octets(3))).length, 64);
});

test("both ends of X25519 agree, and a third does not", async () => {
  const [ours, theirs, other] = [
    await provider.x25519Pair(octets(32)),
    await provider.x25519Pair(octets(32).fill(7)),
    await provider.x25519Pair(octets(32).fill(8)),
  ];
  const secret = await ours.agree(theirs.share);
  assert.equal(ours.share.length, 32);
  assert.equal(secret?.length, 32);
  assert.deepEqual(await theirs.agree(ours.share), secret);
  assert.notDeepEqual(await other.agree(ours.share), secret);
});

test("attack 12: an X25519 share of a wrong length is refused", async () => {
  const pair = await provider.x25519Pair(octets(32));
  for (const length of [0, 1, 31, 33, 64]) {
    assert.equal(await pair.agree(octets(length)), undefined, `${length} octets`);
  }
});

test("attack 12: an X25519 share of small order is refused", async () => {
  const pair = await provider.x25519Pair(octets(32));
  const smallOrders = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  for (const share of smallOrders) {
    assert.equal(await pair.agree(Uint8Array.fromHex(share)), undefined, share);
  }
});

test("attack 12: another spelling of an X25519 share is refused, though WebCrypto takes it", async () => {
  const pair = await provider.x25519Pair(octets(32));
  const share = encodeLittleEndian(9n);
  const respelt = encodeLittleEndian(9n + 2n ** 255n);
  assert.notEqual(await pair.agree(share), undefined);
  assert.deepEqual(await agreeByWebCryptoAlone(octets(32), respelt), await pair.agree(share));
  for (const spelling of [respelt, ...NOT_REDUCED]) {
    assert.equal(await pair.agree(spelling), undefined, spelling.toHex());
  }
});

/** The secret of a seed and a share, without the provider's checks. */
async function agreeByWebCryptoAlone(seed: Bytes, share: Bytes): Promise<Bytes> {
  const pkcs8 = concat(Uint8Array.fromHex("302e020100300506032b656e04220420"), seed);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "X25519", false, ["deriveBits"]);
  const publicKey = await crypto.subtle.importKey("raw", share, "X25519", false, []);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "X25519", public: publicKey }, privateKey, 256),
  );
}

test("attack 12: a secret is seen to be zero only where all its octets are", () => {
  assert(isAllZero(new Uint8Array(32)));
  for (let bit = 0; bit < 256; bit++) assert(!isAllZero(encodeLittleEndian(2n ** BigInt(bit))), `bit ${bit}`);
});

test("attack 12: a zero secret is refused even where the runtime gives one", async () => {
  const [ours, theirs] = [
    await provider.x25519Pair(octets(32)),
    await provider.x25519Pair(octets(32).fill(7)),
  ];
  await withFakeSubtle("deriveBits", () => Promise.resolve(new ArrayBuffer(32)), async () => {
    assert.equal(await ours.agree(theirs.share), undefined);
  });
  assert.notEqual(await ours.agree(theirs.share), undefined);
});

test("a signature of a wrong length is refused even where the runtime takes it", async () => {
  const { publicKey } = await provider.ed25519SigningKey(octets(32));
  const key = await provider.ed25519VerifyingKey(publicKey);
  await withFakeSubtle("verify", () => Promise.resolve(true), async () => {
    for (const length of [0, 32, 63, 65]) assert.equal(await key?.verify(octets(0), octets(length)), false);
    assert.equal(await key?.verify(octets(0), octets(64)), true);
  });
});

/** Runs `body` with a runtime that is less careful than those we know. */
async function withFakeSubtle(
  method: "deriveBits" | "verify",
  fake: () => Promise<unknown>,
  body: () => Promise<void>,
): Promise<void> {
  Object.defineProperty(crypto.subtle, method, { value: fake, configurable: true });
  try {
    await body();
  } finally {
    Reflect.deleteProperty(crypto.subtle, method);
  }
}

test("a field element is reduced exactly where it is below the prime", async () => {
  for (const encoding of NOT_REDUCED) assert(!isReduced(encoding), encoding.toHex());
  for (const value of [0n, 1n, PRIME - 1n]) assert(isReduced(encodeLittleEndian(value)));
  assert(!isReduced(octets(31)) && !isReduced(octets(33)));
  // Octets from a few values, lest the prime's own never come.
  const likely = fc.array(fc.constantFrom(0x00, 0x7f, 0x80, 0xec, 0xed, 0xee, 0xff), {
    minLength: 32,
    maxLength: 32,
  });
  await check(fc.property(likely, (values) => {
    const encoding = Uint8Array.from(values);
    return isReduced(encoding) === (decodeLittleEndian(encoding) % 2n ** 255n < PRIME);
  }));
});

test("Ed25519 signs RFC 8032's first example and verifies it", async () => {
  const key = await provider.ed25519SigningKey(
    Uint8Array.fromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
  );
  assert.equal(
    key.publicKey.toHex(),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  const signature = await key.sign(octets(0));
  assert.equal(
    signature.toHex(),
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555" +
      "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
  const verifying = await provider.ed25519VerifyingKey(key.publicKey);
  assert.deepEqual(verifying?.publicKey, key.publicKey);
  assert.equal(await verifying?.verify(octets(0), signature), true);
  assert.equal(await verifying?.verify(octets(1), signature), false);
  for (const length of [0, 32, 63, 65]) {
    assert.equal(await verifying?.verify(octets(0), octets(length)), false, `${length} octets`);
  }
  assert.equal(await verifying?.verify(octets(0), concat(signature, octets(1))), false);
});

test("attack 12: an Ed25519 key of a wrong length is refused", async () => {
  for (const length of [0, 1, 31, 33, 64]) {
    assert.equal(await provider.ed25519VerifyingKey(octets(length)), undefined, `${length} octets`);
  }
});

test("attack 12: WebCrypto verifies a signature forged under the neutral key, which is refused", async () => {
  const neutral = encodeLittleEndian(1n);
  const forged = concat(neutral, encodeLittleEndian(0n));
  const key = await crypto.subtle.importKey("raw", neutral, "Ed25519", false, ["verify"]);
  for (const message of ["pay Mallory", "sotto/1 server auth", ""]) {
    assert(await crypto.subtle.verify("Ed25519", key, forged, utf8(message)), message);
  }
  assert.equal(await provider.ed25519VerifyingKey(neutral), undefined);
});

test("attack 12: every encoding of an Ed25519 key of small order is refused", async () => {
  for (const encoding of SMALL_ORDER_ENCODINGS) {
    assert.equal(await provider.ed25519VerifyingKey(Uint8Array.fromHex(encoding)), undefined, encoding);
  }
});

test("attack 12: WebCrypto verifies forgeries under all 8 canonical keys of small order", async () => {
  const forgeable: string[] = [];
  for (const encoding of SMALL_ORDER_ENCODINGS) {
    const key = await crypto.subtle.importKey("raw", Uint8Array.fromHex(encoding), "Ed25519", false, [
      "verify",
    ]);
    const forged = concat(encodeLittleEndian(1n), encodeLittleEndian(0n));
    const tries = Array.from({ length: 64 }, (_, at) => Uint8Array.of(at));
    const verified = await Promise.all(
      tries.map((message) => crypto.subtle.verify("Ed25519", key, forged, message)),
    );
    if (verified.includes(true)) forgeable.push(encoding);
  }
  assert.equal(forgeable.length, 8);
});

test("attack 12: the list of small-order keys is all encodings of the roots of their equations", () => {
  const listed = [...SMALL_ORDER_ENCODINGS].map((text) => decodeLittleEndian(Uint8Array.fromHex(text)));
  const ys = new Set(listed.map((encoding) => encoding % 2n ** 255n % PRIME));
  for (const y of ys) {
    // Orders 1 and 2: x = 0; order 4: y = 0; order 8: doubling gives y = 0, so x^2 = -y^2.
    const squared = y * y % PRIME;
    const eighth = (EDWARDS_D * squared * squared + 2n * squared - 1n) % PRIME;
    assert(y === 0n || squared === 1n || eighth === 0n, y.toString(16));
  }
  // A torsion group of 8 points: y = 1 and -1 once each, 0 and the two of order 8 with both signs of x.
  assert.equal(ys.size, 5);
  const encodings = [...ys].flatMap((y) => [y, y + PRIME]).filter((y) => y < 2n ** 255n)
    .flatMap((y) => [y, y + 2n ** 255n]);
  assert.deepEqual(new Set(listed), new Set(encodings));
  assert.equal(listed.length, 14);
});

test("attack 12: an Ed25519 key whose y is not below the prime is refused", async () => {
  for (const encoding of NOT_REDUCED) {
    assert.equal(await provider.ed25519VerifyingKey(encoding), undefined, encoding.toHex());
  }
});

test("nothing verifies under an Ed25519 key that is no point", async () => {
  // y = 2 is on no point of the curve.
  const key = await provider.ed25519VerifyingKey(encodeLittleEndian(2n));
  const forged = concat(encodeLittleEndian(1n), encodeLittleEndian(0n));
  for (let at = 0; at < 64; at++) assert.equal(await key?.verify(Uint8Array.of(at), forged), false);
});

test("all ciphers of AES give back what they encrypted", async () => {
  const modes = [
    await provider.aes256Cbc(octets(32)),
    await provider.aes256Ctr(octets(32)),
    await provider.aes128Cbc(octets(16)),
  ];
  const block = anyOctets({ minLength: 16, maxLength: 16 });
  await check(fc.asyncProperty(block, anyOctets({ maxLength: 100 }), async (iv, plaintext) => {
    for (const mode of modes) {
      assert.deepEqual(await mode.decrypt(iv, await mode.encrypt(iv, plaintext)), plaintext);
    }
  }));
});

test("CBC pads with 1 to 16 octets, CTR with none", async () => {
  const [cbc, ctr] = [await provider.aes256Cbc(octets(32)), await provider.aes256Ctr(octets(32))];
  for (const [length, padded] of [[0, 16], [1, 16], [15, 16], [16, 32], [17, 32]] as const) {
    assert.equal((await cbc.encrypt(octets(16), octets(length))).length, padded);
    assert.equal((await ctr.encrypt(octets(16), octets(length))).length, length);
  }
});

test("CTR counts in all 128 bits of its block", async () => {
  const ctr = await provider.aes256Ctr(octets(32));
  const carried = await ctr.encrypt(octets(16).fill(0xff), new Uint8Array(32));
  assert.deepEqual(carried.slice(16), await ctr.encrypt(new Uint8Array(16), new Uint8Array(16)));
});

test("an initialisation vector of a wrong length throws", async () => {
  for (const mode of [await provider.aes256Cbc(octets(32)), await provider.aes256Ctr(octets(32))]) {
    for (const length of [0, 12, 15, 17]) {
      await assert.rejects(mode.encrypt(octets(length), octets(16)), RangeError);
      await assert.rejects(mode.decrypt(octets(length), octets(16)), RangeError);
    }
  }
});

test("a CBC ciphertext of a wrong length or with wrong padding gives undefined", async () => {
  const cbc = await provider.aes256Cbc(octets(32));
  for (const length of [0, 1, 15, 17, 31]) {
    assert.equal(await cbc.decrypt(octets(16), octets(length)), undefined, `${length} octets`);
  }
  const ciphertext = await cbc.encrypt(octets(16), octets(15));
  // The last octet of the plaintext block is the length of the padding, 1; a flip of it in the IV makes it 0.
  const iv = octets(16).with(15, 15 ^ 1);
  assert.equal(await cbc.decrypt(iv, ciphertext), undefined);
});

test("scrypt refuses a cost that is no power of two and one beyond its memory", async () => {
  for (const cost of [1_000, 2 ** 20]) {
    const beyond = provider.scrypt(octets(0), octets(0), { cost, blockSize: 8, parallelization: 1 }, 32);
    await assert.rejects(beyond, Error);
  }
});

test("the comparison in constant time tells equal from unequal at every octet", () => {
  assert(provider.equalInConstantTime(octets(32), octets(32)));
  assert(provider.equalInConstantTime(octets(0), octets(0)));
  assert(!provider.equalInConstantTime(octets(32), octets(31)));
  for (let at = 0; at < 32; at++) {
    assert(
      !provider.equalInConstantTime(octets(32), octets(32).with(at, 0xff)),
      `octet ${at}`,
    );
  }
});
