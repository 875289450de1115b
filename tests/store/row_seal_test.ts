import { deepEqual, equal, notDeepEqual, rejects, throws } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { REST_SECRET_BYTES, type RowSeal, rowSeal, SEAL_BYTES } from "../../lib/store/row_seal.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { octets } from "./spoken_room.ts";

const PLACE = utf8("a place");
const ROW = utf8("what a row says");

test("what was sealed opens in its place, whatever it is", async () => {
  const seal = await sealOf(1);
  const values = fc.uint8Array({ maxLength: 200 }).map((value): Bytes => new Uint8Array(value));
  await check(fc.property(values, values, (place, row) => {
    const sealed = seal.seal("rows", place, row);
    equal(sealed.length <= row.length + SEAL_BYTES, true);
    deepEqual(seal.open("rows", place, sealed), row);
    const erasable = seal.erasable("rows", octets(REST_SECRET_BYTES, 7));
    deepEqual(erasable.open(place, erasable.seal(place, row)), row);
  }));
});

test("attack 42: what was sealed opens in no other place or table, and under no other secret", async () => {
  const [seal, other] = [await sealOf(1), await sealOf(2)];
  const sealed = seal.seal("rows", PLACE, ROW);
  equal(seal.open("rows", utf8("a place "), sealed), undefined);
  equal(seal.open("row", utf8("sa place"), sealed), undefined);
  equal(other.open("rows", PLACE, sealed), undefined);
  const erasable = seal.erasable("rows", octets(REST_SECRET_BYTES, 7)).seal(PLACE, ROW);
  equal(seal.erasable("rows", octets(REST_SECRET_BYTES, 8)).open(PLACE, erasable), undefined);
  equal(seal.erasable("row", octets(REST_SECRET_BYTES, 7)).open(PLACE, erasable), undefined);
  equal(other.erasable("rows", octets(REST_SECRET_BYTES, 7)).open(PLACE, erasable), undefined);
  equal(seal.open("rows", PLACE, erasable), undefined);
});

test("attack 42: a row with any bit changed does not open", async () => {
  const seal = await sealOf(1);
  const sealed = seal.seal("rows", PLACE, ROW);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    equal(seal.open("rows", PLACE, changed), undefined, `bit ${bit}`);
  }
});

test("the same row never looks the same twice, and a tag always does, in its table", async () => {
  const [seal, other] = [await sealOf(1), await sealOf(2)];
  notDeepEqual(seal.seal("rows", PLACE, ROW), seal.seal("rows", PLACE, ROW));
  deepEqual(seal.tag("people", ROW), (await sealOf(1)).tag("people", ROW));
  equal(seal.tag("people", ROW).length, 32);
  for (const tag of [seal.tag("rooms", ROW), seal.tag("people", PLACE), other.tag("people", ROW)]) {
    notDeepEqual(tag, seal.tag("people", ROW));
  }
});

test("a secret of another length is refused", async () => {
  await rejects(rowSeal(provider, systemEntropy, octets(31, 1)), RangeError);
  const seal = await sealOf(1);
  throws(() => seal.erasable("rows", octets(33, 1)), RangeError);
});

function sealOf(secret: number): Promise<RowSeal> {
  return rowSeal(provider, systemEntropy, octets(REST_SECRET_BYTES, secret));
}
