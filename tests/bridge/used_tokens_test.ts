import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { CLOCK_SKEW_SECONDS_MAX, TOKEN_SECONDS_MAX } from "../../lib/bridge/fernet.ts";
import { USED_TOKENS_MAX, UsedTokens } from "../../lib/bridge/used_tokens.ts";
import { u32 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const START = 1_000_000;

test("attack 4: no token is ever taken twice, whatever the clock does meanwhile", () =>
  check(
    fc.property(
      fc.array(fc.record({ number: fc.nat({ max: 5 }), step: fc.integer({ min: -200, max: 200 }) })),
      (events) => {
        const used = new UsedTokens(START);
        const taken = new Set<number>();
        let now = START;
        for (const { number, step } of events) {
          now += step;
          const verdict = used.take({ seconds: START + 30 * number, tag: u32(number) }, now);
          assert.ok(verdict !== "taken" || !taken.has(number), `token ${number} at ${now - START}`);
          if (verdict === "taken") taken.add(number);
        }
      },
    ),
    2_000,
  ));

test("a token made before the start, too old or too far ahead is untimely", () => {
  const used = new UsedTokens(START);
  const verdict = (seconds: number, now: number) => used.take({ seconds, tag: u32(seconds) }, now);
  assert.equal(verdict(START - 1, START), "untimely", "an earlier run may have taken it");
  assert.equal(verdict(START, START + TOKEN_SECONDS_MAX + 1), "untimely");
  assert.equal(verdict(START, START), "untimely", "and stays so when the clock is set back");
  const now = START + TOKEN_SECONDS_MAX + 1;
  assert.equal(verdict(now + CLOCK_SKEW_SECONDS_MAX + 1, now), "untimely");
  assert.equal(verdict(now + CLOCK_SKEW_SECONDS_MAX, now), "taken");
});

test("attack 33: beyond the limit new tokens are refused, none is forgotten too early, and in two minutes all is well", () => {
  const used = new UsedTokens(START);
  const take = (number: number, now: number) => used.take({ seconds: now, tag: u32(number) }, now);
  for (let number = 0; number < USED_TOKENS_MAX; number++) assert.equal(take(number, START), "taken");
  assert.equal(take(USED_TOKENS_MAX, START), "tooMany");
  assert.equal(take(0, START), "used");
  const later = START + TOKEN_SECONDS_MAX + CLOCK_SKEW_SECONDS_MAX;
  assert.equal(take(USED_TOKENS_MAX, later), "tooMany");
  assert.equal(take(USED_TOKENS_MAX, later + 1), "taken");
});
