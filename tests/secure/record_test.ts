import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { Provider } from "../../lib/crypto/port.ts";
import { recordCipher } from "../../lib/secure/aead.ts";
import { CONTENT_BYTES_MAX, type ContentKind, encodeInner } from "../../lib/secure/inner.ts";
import { Opener, REKEY_BYTES_MAX, REKEY_RECORDS_MAX, Sealer } from "../../lib/secure/record.ts";
import { recordKey } from "../../lib/secure/schedule.ts";
import {
  ciphertextBytes,
  parseSuite,
  type Suite,
  suiteCode,
  suiteOfCode,
  SUITES,
} from "../../lib/secure/suite.ts";
import { type Bytes, concat, u16, u32, u64 } from "../../lib/wire/bytes.ts";
import { encodeFrame } from "../../lib/wire/frame.ts";
import { FRAME_HEADER_BYTES, PADDING_BUCKETS_BYTES, RECORD_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { FULL } from "./extent.ts";
import { repeatable } from "./recorded_session.ts";
import { seededEntropy } from "./seeded_entropy.ts";

const SECRET: Bytes = new Uint8Array(64).fill(7);
const KINDS: readonly ContentKind[] = ["handshake", "message", "rekey", "ping", "close", "roomKey"];

for (const suite of SUITES) {
  test(`what is sealed opens to the same, in order, ${suite}`, () =>
    check(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...KINDS), octets(600)), { minLength: 1, maxLength: 8 }),
        async (contents) => {
          const { sealer, opener } = await direction(suite);
          for (const [kind, content] of contents) {
            const opened = await opener.open(bodyOf(await sealer.seal(kind, content)));
            assert.deepEqual(opened, { kind, content, room: undefined });
          }
        },
      ),
      40,
    ));

  test(`seals and opens of a burst keep their order, ${suite}`, async () => {
    const { sealer, opener } = await direction(suite);
    const contents = Array.from({ length: 200 }, (_, at) => new Uint8Array(at * 37 % 1_500).fill(at));
    const frames = await Promise.all(contents.map((content) => sealer.seal("message", content)));
    const opened = await Promise.all(frames.map((frame) => opener.open(bodyOf(frame))));
    assert.deepEqual(opened.map((inner) => summary(inner?.content)), contents.map(summary));
  });

  test(`a burst of seals with rekeys among them keeps its order, ${suite}`, async () => {
    const { sealer, opener } = await direction(suite);
    const frames = await Promise.all(
      Array.from(
        { length: 60 },
        (_, at) => at % 7 === 6 ? sealer.rekey() : sealer.seal("message", Uint8Array.of(at)),
      ),
    );
    for (const [at, frame] of frames.entries()) {
      const inner = await opener.open(bodyOf(frame));
      assert.deepEqual(
        inner,
        at % 7 === 6
          ? { kind: "rekey", content: new Uint8Array(0), room: undefined }
          : { kind: "message", content: Uint8Array.of(at), room: undefined },
      );
      if (inner?.kind === "rekey") await opener.rekey();
    }
  });

  test(`every size of content gives one of five sizes of record, the longest within the limit, ${suite}`, async () => {
    const { sealer } = await direction(suite);
    const sizes = new Set<number>();
    for (const length of [0, 61, 62, 253, 254, 1_021, 1_022, 4_093, 4_094, CONTENT_BYTES_MAX]) {
      sizes.add((await sealer.seal("message", new Uint8Array(length))).length - FRAME_HEADER_BYTES);
    }
    const expected = PADDING_BUCKETS_BYTES.map((bucket) => 16 + ciphertextBytes(suite, bucket) + 32);
    assert.deepEqual(Array.from(sizes), expected);
    assert.ok(expected.every((size) => size <= RECORD_BYTES_MAX));
    await assert.rejects(sealer.seal("message", new Uint8Array(CONTENT_BYTES_MAX + 1)), RangeError);
    assert.equal(
      (await sealer.seal("ping", new Uint8Array(0))).length,
      (expected[0] ?? 0) + FRAME_HEADER_BYTES,
    );
  });

  test(`a record says nothing of an epoch, a sequence number or a length other than its own, ${suite}`, async () => {
    const key = await recordKey(repeatable, SECRET, suite);
    const cipher = await recordCipher(repeatable, suite, key);
    const inner = encodeInner("message", Uint8Array.of(1));
    const iv = new Uint8Array(16).fill(9);
    const length = 16 + ciphertextBytes(suite, inner.length) + 32;
    const places = [[1, 0, length], [0, 1, length], [2, 0, length], [1, 2 ** 32, length], [
      1,
      0,
      length + 1,
    ]] as const;
    for (const [epoch, sequence, bodyBytes] of places) {
      const associated = concat(u32(epoch), u64(sequence), u16(bodyBytes));
      const { ciphertext, tag } = await cipher.seal(associated, iv, inner);
      const { opener } = await direction(suite);
      const genuine = epoch === 1 && sequence === 0 && bodyBytes === length;
      const opened = await opener.open(concat(iv, ciphertext, tag));
      assert.equal(
        opened !== undefined,
        genuine,
        `epoch ${epoch}, sequence ${sequence}, ${bodyBytes} octets`,
      );
    }
  });

  test(`a right tag over a wrong inside is refused like a wrong tag, ${suite}`, async () => {
    const insides: readonly Bytes[] = [
      // Sizes that are no bucket, whatever CBC makes of them.
      new Uint8Array(0),
      new Uint8Array(48),
      new Uint8Array(80),
      // Unknown kinds, a length that does not fit, padding that is not zero, a bucket larger than needed.
      new Uint8Array(64),
      new Uint8Array(64).with(0, 7),
      new Uint8Array(64).with(0, 2).with(2, 62),
      new Uint8Array(64).with(0, 2).with(1, 0xff),
      new Uint8Array(64).with(0, 2).with(63, 1),
      new Uint8Array(256).with(0, 2),
      new Uint8Array(256).with(0, 2).with(2, 61),
    ];
    const key = await recordKey(repeatable, SECRET, suite);
    const cipher = await recordCipher(repeatable, suite, key);
    for (const inside of insides) {
      const iv = new Uint8Array(16);
      const bodyBytes = 16 + ciphertextBytes(suite, inside.length) + 32;
      const associated = concat(u32(1), u64(0), u16(bodyBytes));
      const { ciphertext, tag } = await cipher.seal(associated, iv, inside);
      const { opener } = await direction(suite);
      assert.equal(await opener.open(concat(iv, ciphertext, tag)), undefined, inside.subarray(0, 4).toHex());
    }
  });

  test(`no two records of equal content look alike, ${suite}`, async () => {
    const { sealer } = await direction(suite);
    const frames = new Set<string>();
    for (let count = 0; count < 50; count++) {
      frames.add((await sealer.seal("ping", new Uint8Array(0))).toHex());
    }
    assert.equal(frames.size, 50);
  });

  test(`a rekey changes the keys of its direction, and only what comes after it, ${suite}`, async () => {
    const { sealer, opener } = await direction(suite);
    assert.deepEqual((await opener.open(bodyOf(await sealer.rekey())))?.kind, "rekey");
    const next = bodyOf(await sealer.seal("message", Uint8Array.of(1)));
    assert.equal(await opener.open(next), undefined, "not under the old keys");
    await opener.rekey();
    assert.equal((await opener.open(next))?.kind, "message");
  });
}

test("a CBC padding that is wrong under a right tag is refused", async () => {
  const key = await recordKey(repeatable, SECRET, "a256cbc-hs512");
  const iv = new Uint8Array(16);
  // The CTR composition under the CBC keys makes a right tag over octets that are no CBC ciphertext of ours.
  const foreign = await recordCipher(repeatable, "a256ctr-hs512", key);
  const associated = concat(u32(1), u64(0), u16(16 + 80 + 32));
  const { ciphertext, tag } = await foreign.seal(associated, iv, new Uint8Array(80).fill(3));
  const { opener } = await direction("a256cbc-hs512");
  assert.equal(await opener.open(concat(iv, ciphertext, tag)), undefined);
});

test("a record cipher takes a key of 64 octets alone", async () => {
  for (const length of [0, 32, 63, 65]) {
    await assert.rejects(recordCipher(repeatable, "a256cbc-hs512", new Uint8Array(length)), RangeError);
  }
});

test("a direction is due for new keys after a GiB", async () => {
  // A cipher that does nothing but be long: what counts here is the count.
  const long = new Uint8Array(65_000);
  const idle: Provider = {
    ...repeatable,
    aes256Cbc: () =>
      Promise.resolve({ encrypt: () => Promise.resolve(long), decrypt: () => Promise.resolve(long) }),
  };
  const sealer = await startSealer("a256cbc-hs512", { ...idle, hmacSha512: await constantMac() });
  const records = Math.ceil(REKEY_BYTES_MAX / long.length);
  for (let count = 1; count < records; count++) await sealer.seal("ping", new Uint8Array(0));
  assert.equal(sealer.rekeyDue, false);
  await sealer.seal("ping", new Uint8Array(0));
  assert.equal(sealer.rekeyDue, true);
  await sealer.rekey();
  assert.equal(sealer.rekeyDue, false);
});

if (FULL) {
  test("a direction is due for new keys after 2^20 records", async () => {
    const short = new Uint8Array(80);
    const idle: Provider = {
      ...repeatable,
      aes256Cbc: () =>
        Promise.resolve({ encrypt: () => Promise.resolve(short), decrypt: () => Promise.resolve(short) }),
    };
    const sealer = await startSealer("a256cbc-hs512", { ...idle, hmacSha512: await constantMac() });
    for (let count = 1; count < REKEY_RECORDS_MAX; count++) await sealer.seal("ping", new Uint8Array(0));
    assert.equal(sealer.rekeyDue, false);
    await sealer.seal("ping", new Uint8Array(0));
    assert.equal(sealer.rekeyDue, true);
  });
}

test("suites have codes and names that lead back to them, and no others do", () => {
  for (const suite of SUITES) {
    assert.equal(suiteOfCode(suiteCode(suite)), suite);
    assert.equal(parseSuite(suite), suite);
  }
  const known = Array.from({ length: 256 }, (_, code) => suiteOfCode(code)).filter((suite) =>
    suite !== undefined
  );
  assert.deepEqual(known, SUITES);
  for (const name of ["", "A256CBC-HS512", "a256cbc", "aes", "__proto__"]) {
    assert.equal(parseSuite(name), undefined);
  }
});

async function direction(suite: Suite): Promise<{ readonly sealer: Sealer; readonly opener: Opener }> {
  const start = { suite, secret: SECRET, epoch: 1, trace: () => {} };
  return { sealer: await startSealer(suite, repeatable), opener: await Opener.start(start, repeatable) };
}

function startSealer(suite: Suite, provider: Provider): Promise<Sealer> {
  return Sealer.start(
    { suite, secret: SECRET, epoch: 1, trace: () => {} },
    provider,
    seededEntropy("records"),
  );
}

function constantMac(): Promise<Provider["hmacSha512"]> {
  const tag = new Uint8Array(64);
  return Promise.resolve(() => Promise.resolve({ sign: () => Promise.resolve(tag) }));
}

function bodyOf(frame: Bytes): Bytes {
  assert.deepEqual(encodeFrame(frame.slice(FRAME_HEADER_BYTES)), frame);
  return frame.slice(FRAME_HEADER_BYTES);
}

function octets(maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ maxLength }).map((array): Bytes => new Uint8Array(array));
}

/** Enough to tell contents apart: the difference of two hundred whole ones takes minutes to print. */
function summary(content: Bytes | undefined): string {
  return content === undefined ? "refused" : `${content.length} octets of ${content[0]}`;
}
