import { deepEqual, equal, notDeepEqual, rejects } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { PieceSeal } from "../../lib/store/piece_seal.ts";
import { REST_SECRET_BYTES, rowSeal } from "../../lib/store/row_seal.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const KEY = new Uint8Array(64).fill(3);
const PLACE = utf8("a place");
const PIECE = new Uint8Array(100).fill(9);

test("a piece is sealed as by the cipher that seals at once: each opens what the other has sealed", async () => {
  const pieces = await PieceSeal.of(provider, systemEntropy, KEY);
  const atOnce = provider.a256cbcHs512(KEY);
  const values = fc.uint8Array({ maxLength: 300 }).map((value): Bytes => new Uint8Array(value));
  await check(fc.asyncProperty(values, values, async (place, piece) => {
    const sealed = await pieces.seal(place, piece);
    deepEqual(atOnce.open(sealed, place), piece);
    deepEqual(sealed, atOnce.seal(sealed.slice(0, 16), piece, place));
    deepEqual(await pieces.open(place, sealed), piece);
  }));
});

test("attack 42: a piece with any bit changed, cut or bound to something else does not open", async () => {
  const pieces = await PieceSeal.of(provider, systemEntropy, KEY);
  const sealed = await pieces.seal(PLACE, PIECE);
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1 << at % 8;
    equal(await pieces.open(PLACE, changed), undefined, `octet ${at}`);
  }
  for (let length = 0; length < sealed.length; length++) {
    equal(await pieces.open(PLACE, sealed.slice(0, length)), undefined);
  }
  equal(await pieces.open(utf8("a place "), sealed), undefined);
  const others = await PieceSeal.of(provider, systemEntropy, KEY.map((octet) => octet ^ 1));
  equal(await others.open(PLACE, sealed), undefined);
  notDeepEqual(await pieces.seal(PLACE, PIECE), sealed);
});

test("pieces of a row's secret are what its erasable rows are", async () => {
  const seal = await rowSeal(provider, systemEntropy, new Uint8Array(REST_SECRET_BYTES).fill(1));
  const secret = new Uint8Array(REST_SECRET_BYTES).fill(2);
  const pieces = await seal.pieces("rows", secret);
  deepEqual(seal.erasable("rows", secret).open(PLACE, await pieces.seal(PLACE, PIECE)), PIECE);
  equal(await (await seal.pieces("row", secret)).open(PLACE, await pieces.seal(PLACE, PIECE)), undefined);
  await rejects(seal.pieces("rows", secret.slice(1)), RangeError);
});

test("a key of another length is refused", async () => {
  await rejects(PieceSeal.of(provider, systemEntropy, KEY.slice(1)), RangeError);
});
