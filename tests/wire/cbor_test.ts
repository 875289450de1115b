import assert from "node:assert/strict";
import { decode } from "cborg";
import fc from "npm:fast-check@4.10.2";
import { decodeCbor, encodeCbor } from "../../lib/wire/cbor.ts";
import { isDeterministic } from "../../lib/wire/cbor_form.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("maps, arrays, texts, octets and integers come back as they went", () =>
  check(fc.property(value(), (given) => {
    assert.deepEqual(decodeCbor(encodeCbor(given)), given);
  })));

test("a value has one encoding, whatever the order its keys were set in", () =>
  check(fc.property(fc.dictionary(key(), fc.integer(), { maxKeys: 8, noNullPrototype: true }), (map) => {
    const reversed = Object.fromEntries(Object.entries(map).toReversed());
    assert.deepEqual(encodeCbor(reversed), encodeCbor(map));
  })));

const REFUSED: Readonly<Record<string, string>> = {
  "nothing": "",
  "an integer longer than needed, 1 octet": "1817",
  "an integer longer than needed, 2 octets": "1900ff",
  "an integer longer than needed, 4 octets": "1a0000ffff",
  "an integer longer than needed, 8 octets": "1b00000000ffffffff",
  "a negative integer longer than needed": "3800",
  "a text whose length is longer than needed": "780161",
  "octets whose length is longer than needed": "580101",
  "an array whose length is longer than needed": "980101",
  "a map whose length is longer than needed": "b801616101",
  "an indefinite array": "9f01ff",
  "an indefinite map": "bf616101ff",
  "an indefinite text": "7f6161ff",
  "indefinite octets": "5f4101ff",
  "keys out of order, by length": "a262616101616201",
  "keys out of order, by octets": "a2616201616101",
  "the same key twice": "a2616101616102",
  "the same key twice, in a map within": "a16161a2616201616202",
  "an integer key": "a10102",
  "octets for a key": "a1416101",
  "undefined": "f7",
  "undefined within": "81f7",
  "a simple value without meaning": "f0",
  "a whole number as a half float": "f93c00",
  "a whole number as a double": "fb3ff0000000000000",
  "a double that fits in a half float": "fb3ff8000000000000",
  "a tag": "c11a514b67b0",
  "a big integer's tag": "c249010000000000000000",
  "a text that is not UTF-8": "61ff",
  "a text with a surrogate": "63eda080",
  "a text with an overlong slash": "62c0af",
  "a key that is not UTF-8": "a161ff01",
  "octets left over": "0101",
  "a map left open": "a16161",
  "a text cut short": "6261",
  "a length of 2^32 - 1": "5affffffff",
  "a length of 2^53": "5b0020000000000000",
  "an array of 2^32 - 1": "9affffffff",
  "a map of 2^32 - 1": "baffffffff",
  "a break by itself": "ff",
  "a reserved length": "1c",
};

for (const [what, hex] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => assert.equal(decodeCbor(Uint8Array.fromHex(hex)), undefined));
}

test("what is found deterministic at once is what encodes to the same octets, whatever octet is another", () => {
  const reencoded = (bytes: Bytes): boolean => {
    try {
      const value: unknown = decode(bytes, {
        strict: true,
        allowIndefinite: false,
        rejectDuplicateMapKeys: true,
      });
      return encodeCbor(value).toHex() === bytes.toHex();
    } catch {
      return false;
    }
  };
  let found = 0;
  return check(
    fc.property(value(), fc.nat(), fc.nat({ max: 255 }), (given, place, octet) => {
      const bytes = encodeCbor(given);
      found += isDeterministic(bytes) ? 1 : 0;
      for (
        const each of [bytes, bytes.with(place % bytes.length, octet), bytes.slice(0, place % bytes.length)]
      ) {
        if (isDeterministic(each)) assert.equal(reencoded(each), true, each.toHex());
      }
    }),
    5_000,
  ).then(() => assert.ok(found > 500, "most values are found so"));
});

test("what is not deterministic is not found to be so at once", () => {
  for (const [what, hex] of Object.entries(REFUSED)) {
    assert.equal(isDeterministic(Uint8Array.fromHex(hex)), false, what);
  }
});

test("a key named __proto__ touches no prototype", () => {
  for (const hex of ["a1695f5f70726f746f5f5fa1617801", "a2617801695f5f70726f746f5f5fa1617901"]) {
    const decoded = decodeCbor(Uint8Array.fromHex(hex));
    if (decoded !== undefined) assert.equal(Object.getPrototypeOf(decoded), Object.prototype, hex);
  }
  assert.equal("x" in {}, false);
});

test("nesting as deep as a message can hold is an answer or a refusal, never a crash", () => {
  for (const opening of [0x81, 0xa1]) {
    for (const depth of [10, 100, 1_000, 16_378]) {
      const bytes = opening === 0x81
        ? new Uint8Array(depth + 1).fill(opening).with(depth, 0)
        : Uint8Array.from([...Array.from({ length: depth }, () => [0xa1, 0x61, 0x61]).flat(), 0]);
      const decoded = decodeCbor(bytes);
      assert.ok(decoded === undefined || typeof decoded === "object");
    }
  }
});

test("what CBOR has no plain type for cannot be encoded", () => {
  for (const wrong of [() => {}, Symbol("s"), { deep: [() => {}] }]) assert.throws(() => encodeCbor(wrong));
});

function value(): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.maxSafeInteger(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
    ),
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      tie("leaf"),
      fc.array(tie("node"), { maxLength: 4 }),
      fc.dictionary(key(), tie("node"), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).node;
}

function key(): fc.Arbitrary<string> {
  return fc.string({ maxLength: 12 }).filter((text) => text !== "__proto__");
}
