import { equal, ok } from "node:assert/strict";
import { lineThrough, median, quantile } from "../../bench/statistics.ts";
import { test } from "../sanitized.ts";

test("a median is the middle of what was measured, in whatever order", () => {
  equal(median([9, 1, 5]), 5);
  equal(quantile([4, 3, 2, 1], 0.99), 4);
  ok(Number.isNaN(median([])));
});

test("a line through points that lie on one is that one", () => {
  const line = lineThrough([[9, 59], [99, 149], [999, 1_049]]);
  ok(line !== undefined);
  ok(Math.abs(line.fixed - 50) < 1e-6, String(line.fixed));
  ok(Math.abs(line.slope - 1) < 1e-9, String(line.slope));
});

test("there is no line through one point, nor through the same one twice", () => {
  equal(lineThrough([[9, 59]]), undefined);
  equal(lineThrough([[9, 59], [9, 59]]), undefined);
});
