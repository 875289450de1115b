import { deepEqual, equal, notDeepEqual, rejects } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import * as v from "valibot";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { openBox, sealBox } from "../../lib/identity/secret_box.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { hex, readJson, vectorTest } from "../vectors/vector_files.ts";

const RUNS = 300;
const KEY = Uint8Array.from({ length: 64 }, (_, at) => at);
const ASSOCIATED = utf8("whose");
const SECRET = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);

const RFC7518 = v.array(v.object({ K: hex, P: hex, IV: hex, A: hex, E: hex, T: hex }));

vectorTest("a box is RFC 7518's example B.3, its initialisation vector in front", async () => {
  const examples = await readJson("jose/rfc7518_b3.json", RFC7518);
  for (const { K: key, P: secret, IV, A: associated, E, T } of examples) {
    const box = await sealBox(provider, () => IV, { key, associated, secret });
    deepEqual(box, concat(IV, E, T));
    deepEqual(await openBox(provider, { key, associated, box }), secret);
  }
  equal(examples.length, 1);
});

test("a box opens to what was sealed, and two of the same secret differ", async () => {
  const one = await sealBox(provider, systemEntropy, { key: KEY, associated: ASSOCIATED, secret: SECRET });
  const two = await sealBox(provider, systemEntropy, { key: KEY, associated: ASSOCIATED, secret: SECRET });
  equal(one.length, 96);
  notDeepEqual(one, two);
  deepEqual(await openBox(provider, { key: KEY, associated: ASSOCIATED, box: one }), SECRET);
});

test("a box in which any bit was changed, or any octet is missing, does not open", async () => {
  const box = await sealBox(provider, systemEntropy, { key: KEY, associated: ASSOCIATED, secret: SECRET });
  for (let at = 0; at < 8 * box.length; at++) {
    const place = Math.floor(at / 8);
    const altered = box.with(place, (box[place] ?? 0) ^ 1 << at % 8);
    equal(
      await openBox(provider, { key: KEY, associated: ASSOCIATED, box: altered }),
      undefined,
      `bit ${at}`,
    );
  }
  for (let length = 0; length < box.length; length++) {
    const cut = box.slice(0, length);
    equal(
      await openBox(provider, { key: KEY, associated: ASSOCIATED, box: cut }),
      undefined,
      `${length} octets`,
    );
  }
});

test("a box opens with its key and associated data alone", async () => {
  const box = await sealBox(provider, systemEntropy, { key: KEY, associated: ASSOCIATED, secret: SECRET });
  for (const at of [0, 31, 32, 63]) {
    // The last 32 octets decrypt and do not authenticate.
    const opened = await openBox(provider, { key: KEY.with(at, 0xff), associated: ASSOCIATED, box });
    if (at < 32) equal(opened, undefined);
    else notDeepEqual(opened, SECRET);
  }
  equal(await openBox(provider, { key: KEY, associated: utf8("whoso"), box }), undefined);
  equal(await openBox(provider, { key: KEY, associated: new Uint8Array(0), box }), undefined);
});

test("attack 26: random octets are no box", async () => {
  const random = fc.uint8Array({ maxLength: 200 }).map((octets): Bytes => new Uint8Array(octets));
  await check(
    fc.asyncProperty(random, async (box) => {
      equal(await openBox(provider, { key: KEY, associated: ASSOCIATED, box }), undefined);
    }),
    RUNS,
  );
});

test("a key of another length is refused", async () => {
  const short = { key: KEY.slice(1), associated: ASSOCIATED };
  await rejects(sealBox(provider, systemEntropy, { ...short, secret: SECRET }), RangeError);
  await rejects(openBox(provider, { ...short, box: new Uint8Array(96) }), RangeError);
});
