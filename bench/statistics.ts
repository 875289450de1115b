/**
 * What is made of many measurements: medians, quantiles, and the line that separates a fixed cost from one that grows.
 *
 * @module
 */

/** The middle one of `figures`, `NaN` where there are none. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** The figure below which the share `share` of all lies, `NaN` where there are none. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = Float64Array.from(figures).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** A line through measurements. */
export interface Line {
  /** What it costs with nobody there. */
  readonly fixed: number;
  /** What each one more costs. */
  readonly slope: number;
}

/**
 * The line nearest to all points, each distance taken as a share of its point: a room of a thousand is not to count a
 * hundred times as much as one of ten. `undefined` below two different points.
 */
export function lineThrough(points: readonly (readonly [count: number, cost: number])[]): Line | undefined {
  const weighed = points.map(([count, cost]) => ({ count, cost, weight: 1 / cost ** 2 }));
  const sum = (of: (point: { count: number; cost: number; weight: number }) => number): number =>
    weighed.reduce((total, point) => total + of(point), 0);
  const all = sum(({ weight }) => weight);
  const counts = sum(({ weight, count }) => weight * count);
  const squares = sum(({ weight, count }) => weight * count ** 2);
  const costs = sum(({ weight, cost }) => weight * cost);
  const products = sum(({ weight, count, cost }) => weight * count * cost);
  const determinant = all * squares - counts ** 2;
  if (points.length < 2 || !(Math.abs(determinant) > Number.EPSILON * all * squares)) return undefined;
  return {
    fixed: (squares * costs - counts * products) / determinant,
    slope: (all * products - counts * costs) / determinant,
  };
}
