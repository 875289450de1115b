import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { type Allowance, FULL_ALLOWANCE, isFull, RATES, ratesOf, spend } from "../../lib/chat/rate.ts";
import { ENTRY_KINDS } from "../../lib/wire/entry_body.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

/** What is left after `count` were spent of a rate at `now`, and how many of them there were. */
function drained(
  allowance: Allowance,
  now: number,
): { readonly allowance: Allowance; readonly count: number } {
  let left = allowance;
  for (let count = 0; count <= RATES.acts.burst; count++) {
    const spending = spend(left, ["acts"], now);
    if (spending.kind === "tooFast") return { allowance: left, count };
    left = spending.allowance;
  }
  throw new Error("more is let through than a burst");
}

test("attack 33: a burst is let through, and then as many as the rate gives", () => {
  const { allowance, count } = drained(FULL_ALLOWANCE, 1_000);
  equal(count, RATES.acts.burst);
  deepEqual(spend(allowance, ["acts"], 1_000), { kind: "tooFast", wait: 1_000 });
  deepEqual(spend(allowance, ["acts"], 1_400), { kind: "tooFast", wait: 600 });
  equal(drained(allowance, 4_500).count, 3);
  equal(drained(allowance, 10_000_000).count, RATES.acts.burst);
});

test("what is refused costs nothing, of no rate", () => {
  const { allowance } = drained(FULL_ALLOWANCE, 0);
  const both = spend(allowance, ["entries", "acts"], 500);
  deepEqual(both, { kind: "tooFast", wait: 500 });
  equal(spend(allowance, ["entries"], 500).kind, "spent", "the other rate is its own");
  ok(spend(allowance, ["entries", "acts"], 1_000).kind === "spent");
});

test("attack 29: a clock that goes back a little gives nothing, and one that goes back far keeps nobody waiting", () => {
  const { allowance } = drained(FULL_ALLOWANCE, 1_000_000);
  deepEqual(spend(allowance, ["acts"], 999_400), { kind: "tooFast", wait: 1_600 });
  equal(spend(allowance, ["acts"], 1_001_000).kind, "spent");
  equal(drained(allowance, 969_999).count, RATES.acts.burst);
  const some = spend(FULL_ALLOWANCE, ["acts"], 1_000_000);
  ok(some.kind === "spent");
  const back = spend(some.allowance, ["acts"], 999_000);
  ok(back.kind === "spent");
  equal(drained(back.allowance, 1_000_000).count, RATES.acts.burst - 2 + 1);
});

test("over any run no more is spent than the burst and what the time gave", () =>
  check(
    fc.property(fc.array(fc.nat({ max: 3_000 }), { maxLength: 200 }), (pauses) => {
      let allowance = FULL_ALLOWANCE;
      let now = 0;
      let spent = 0;
      for (const pause of pauses) {
        now += pause;
        const spending = spend(allowance, ["acts"], now);
        if (spending.kind === "tooFast") {
          const again = spend(allowance, ["acts"], now + spending.wait);
          equal(again.kind, "spent", "after the wait it goes through");
          continue;
        }
        spent++;
        allowance = spending.allowance;
        ok(spent <= RATES.acts.burst + RATES.acts.perSecond * now / 1_000);
      }
    }),
  ));

test("an allowance is full again after a rest, and then need not be remembered", () => {
  ok(isFull(FULL_ALLOWANCE, 0));
  const { allowance } = drained(FULL_ALLOWANCE, 0);
  ok(!isFull(allowance, 29_999));
  ok(isFull(allowance, 30_000));
});

test("talk costs an entry, and everything that settles something an act besides", () => {
  const talk = ENTRY_KINDS.filter((kind) => ratesOf(kind).length === 1);
  deepEqual(talk, ["text", "reply", "edit", "reaction"]);
  deepEqual(ratesOf("moderation"), ["entries", "acts"]);
});
