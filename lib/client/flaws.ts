/**
 * What is at fault in a room's log, as one list: flaws stay in it, and neighbours of one kind are one.
 *
 * @module
 */

import { type Flaw, FLAWS_MAX } from "./keepers.ts";

/**
 * The flaws with one more; the same list where it is in it already, or the list is full.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { withFlaw } from "./flaws.ts";
 * const flaws = withFlaw([{ kind: "missing", from: 3, to: 4 }], { kind: "missing", from: 5, to: 5 });
 * deepEqual(flaws, [{ kind: "missing", from: 3, to: 5 }]);
 * ```
 */
export function withFlaw(flaws: readonly Flaw[], flaw: Flaw): readonly Flaw[] {
  if (flaws.some((each) => each.kind === flaw.kind && each.from <= flaw.from && flaw.to <= each.to)) {
    return flaws;
  }
  const joined = flaws.filter((each) => touches(each, flaw));
  const { kind } = flaw;
  const whole: Flaw = {
    kind,
    from: Math.min(flaw.from, ...joined.map(({ from }) => from)),
    to: Math.max(flaw.to, ...joined.map(({ to }) => to)),
  };
  if (joined.length === 0) return flaws.length < FLAWS_MAX ? [...flaws, whole] : flaws;
  return flaws.flatMap((each) => each === joined[0] ? [whole] : joined.includes(each) ? [] : [each]);
}

/** The flaws of both lists. */
export function allFlaws(flaws: readonly Flaw[], others: readonly Flaw[]): readonly Flaw[] {
  return others.reduce(withFlaw, flaws);
}

function touches(a: Flaw, b: Flaw): boolean {
  return a.kind === b.kind && a.from <= b.to + 1 && b.from <= a.to + 1;
}
