import assert from "node:assert/strict";
import { recordCipher } from "../../lib/secure/aead.ts";
import { Opener, Sealer } from "../../lib/secure/record.ts";
import { recordKey } from "../../lib/secure/schedule.ts";
import { ciphertextBytes } from "../../lib/secure/suite.ts";
import { type Bytes, concat, u16, u32, u64 } from "../../lib/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { sampled, sampler } from "./extent.ts";
import { seededEntropy } from "./seeded_entropy.ts";

const SUITE = "a256cbc-hs512";
const SECRET: Bytes = new Uint8Array(64).fill(7);
const DIRECTION = { suite: SUITE, secret: SECRET, epoch: 1, trace: () => {} } as const;

/** Tries in all, as the attack has it; the first tenth warms the runtime up and is not compared. */
const TRIES = 10_000;
const WARM_UP = TRIES / 10;

/** How often one of two refusals measured side by side may be the slower, of a hundred; 50 where nothing tells them apart. */
const SLOWER_PERCENT = { from: 20, to: 80 } as const;

/** Where an octet of a record of 1,024 octets is altered, and what would be found if that were looked at first. */
const BODY_BYTES = 16 + ciphertextBytes(SUITE, 1_024) + 32;
const ALTERED = {
  "a wrong tag": BODY_BYTES - 1,
  "a wrong padding": BODY_BYTES - 32 - 17,
  "a wrong inner length": 2,
} as const;

test("attack 10: a wrong tag, padding or inner length altered in flight is refused in times that overlap", () =>
  sampled(async () => {
    const pick = sampler("refusals");
    const genuine = await genuineBody();
    const opener = await Opener.start(DIRECTION, provider);
    const kinds = Object.entries(ALTERED);
    const times = kinds.map((): number[] => []);
    for (let round = 0; round < TRIES / kinds.length; round++) {
      for (let turn = 0; turn < kinds.length; turn++) {
        const at = (round + turn) % kinds.length;
        const place = kinds[at]?.[1] ?? assert.fail("there is one");
        const body = genuine.with(place, (genuine[place] ?? 0) ^ (1 + pick(255)));
        const began_ms = performance.now();
        const opened = await opener.open(body);
        const took_ms = performance.now() - began_ms;
        assert.equal(opened, undefined);
        if (round * kinds.length >= WARM_UP) times[at]?.push(took_ms);
      }
    }
    assert.notEqual(await opener.open(genuine), undefined, "only the altered octets were at fault");
    compare(kinds.map(([name]) => name), times);
  }));

test("attack 10: under a right tag, a wrong padding and a wrong inner length are the same refusal as a wrong tag", async () => {
  const key = await recordKey(provider, SECRET, SUITE);
  const cbc = await recordCipher(provider, SUITE, key);
  // The CTR composition under the same keys makes a right tag over octets that are no CBC ciphertext of anything.
  const foreign = await recordCipher(provider, "a256ctr-hs512", key);
  const iv = new Uint8Array(16);
  const associated = concat(u32(1), u64(0), u16(BODY_BYTES));
  const inside: Bytes = new Uint8Array(1_024).with(0, 2).with(1, 0xff);
  const made = {
    padding: await foreign.seal(associated, iv, new Uint8Array(ciphertextBytes(SUITE, 1_024)).fill(3)),
    length: await cbc.seal(associated, iv, inside),
  };
  for (const { ciphertext, tag } of Object.values(made)) {
    const opener = await Opener.start(DIRECTION, provider);
    assert.equal(await opener.open(concat(iv, ciphertext, tag)), undefined);
    assert.equal(await opener.open(concat(iv, ciphertext, tag.with(0, (tag[0] ?? 0) ^ 1))), undefined);
  }
});

async function genuineBody(): Promise<Bytes> {
  const sealer = await Sealer.start(DIRECTION, provider, seededEntropy("refusals"));
  const body = (await sealer.seal("message", new Uint8Array(1_000).fill(1))).slice(FRAME_HEADER_BYTES);
  assert.equal(body.length, BODY_BYTES);
  return body;
}

function compare(names: readonly string[], times: readonly (readonly number[])[]): void {
  const [first = [], ...others] = times;
  for (const [at, other] of others.entries()) {
    const told = `${names[at + 1]} beside ${names[0]}`;
    assert.ok(
      middle(other).from_ms <= middle(first).to_ms && middle(first).from_ms <= middle(other).to_ms,
      told,
    );
    const slower = 100 * first.filter((time_ms, round) => time_ms > (other[round] ?? 0)).length /
      first.length;
    assert.ok(slower >= SLOWER_PERCENT.from && slower <= SLOWER_PERCENT.to, `${told}: ${slower} % slower`);
  }
}

/** The middle half of some times, which a busy machine leaves alone. */
function middle(times: readonly number[]): { readonly from_ms: number; readonly to_ms: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * sorted.length)] ?? assert.fail("measured");
  return { from_ms: at(0.25), to_ms: at(0.75) };
}
