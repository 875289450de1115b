import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  ByteReader,
  type Bytes,
  concat,
  equal,
  lengthPrefixed,
  u16,
  u32,
  u64,
  u8,
  utf8,
  utf8Text,
} from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("integers are written big-endian and refuse what does not fit", () => {
  assert.deepEqual(u8(0xfe), Uint8Array.of(0xfe));
  assert.deepEqual(u16(0x0102), Uint8Array.of(1, 2));
  assert.deepEqual(u32(0x01020304), Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual(u32(2 ** 32 - 1), Uint8Array.of(255, 255, 255, 255));
  assert.deepEqual(u64(2 ** 53 - 1), Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255));
  for (const [write, over] of [[u8, 2 ** 8], [u16, 2 ** 16], [u32, 2 ** 32], [u64, 2 ** 53]] as const) {
    for (const value of [over, -1, 0.5, NaN, Infinity]) assert.throws(() => write(value), RangeError);
  }
});

test("a length prefix has one octet and refuses what is longer", () => {
  assert.deepEqual(lengthPrefixed(Uint8Array.of(7, 8)), Uint8Array.of(2, 7, 8));
  assert.equal(lengthPrefixed(new Uint8Array(255)).length, 256);
  assert.throws(() => lengthPrefixed(new Uint8Array(256)), RangeError);
});

test("octet strings are joined and compared", () =>
  check(fc.property(octets(40), octets(40), octets(40), (a, b, c) => {
    assert.deepEqual(Array.from(concat(a, b, c)), [...a, ...b, ...c]);
    assert.equal(equal(a, b), a.toHex() === b.toHex());
    assert.ok(equal(a, a.slice()));
  })));

test("text goes to UTF-8 and back, and what is not UTF-8 is no text", () => {
  for (const text of ["", "Grüße", "\ufeffmark kept", "👩🏽‍🚀", "\0"]) assert.equal(utf8Text(utf8(text)), text);
  const bad = ["ff", "c0af", "eda080", "f4908080", "e282", "80"];
  for (const hex of bad) assert.equal(utf8Text(Uint8Array.fromHex(hex)), undefined, hex);
});

test("a reader gives what is there, zeros beyond, and tells which it was", () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3, 4, 5));
  assert.equal(reader.u8(), 1);
  assert.equal(reader.u16(), 0x0203);
  assert.equal(reader.remaining, 2);
  assert.ok(reader.whole && !reader.finished);
  assert.deepEqual(reader.take(2), Uint8Array.of(4, 5));
  assert.ok(reader.finished);
  assert.deepEqual(reader.take(3), new Uint8Array(3));
  assert.ok(!reader.whole && !reader.finished);
  assert.deepEqual(reader.take(0), new Uint8Array(0));
  assert.ok(!reader.finished, "a short read is remembered");
});

test("what a reader gives is a copy", () => {
  const source = Uint8Array.of(1, 2);
  const taken = new ByteReader(source).take(2);
  source[0] = 9;
  assert.deepEqual(taken, Uint8Array.of(1, 2));
});

function octets(maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ maxLength }).map((array): Bytes => new Uint8Array(array));
}
