import { equal } from "node:assert/strict";
import { lastingOf, sinceOf } from "../../lib/client/typed_time.ts";
import { test } from "../sanitized.ts";

const NOW = new Date(2026, 10, 21, 12, 0, 0).getTime();

test("how long something lasts is a number and a unit", () => {
  const cases = { "90s": 90_000, "30m": 1_800_000, "2h": 7_200_000, "7d": 604_800_000, "4w": 2_419_200_000 };
  for (const [text, lasting] of Object.entries(cases)) equal(lastingOf(text), lasting);
  for (const text of ["", "30", "m", "1.5h", "-1h", "2 h", "2H", "1e3s", "9999999999s"]) {
    equal(lastingOf(text), undefined, text);
  }
});

test("since when is a time ago, a time of day, a day, or both", () => {
  const cases = {
    "2h": NOW - 7_200_000,
    "11:30": new Date(2026, 10, 21, 11, 30).getTime(),
    "12:00": NOW,
    "12:00:01": new Date(2026, 10, 20, 12, 0, 1).getTime(),
    "9:05": new Date(2026, 10, 21, 9, 5).getTime(),
    "2026-11-20": new Date(2026, 10, 20).getTime(),
    "2024-02-29": new Date(2024, 1, 29).getTime(),
    "2026-11-20 14:30": new Date(2026, 10, 20, 14, 30).getTime(),
    "2026-11-20T14:30:15": new Date(2026, 10, 20, 14, 30, 15).getTime(),
    "2030-01-01": new Date(2030, 0, 1).getTime(),
  };
  for (const [text, time] of Object.entries(cases)) equal(sinceOf(text, NOW), time, text);
});

test("what is no time of any calendar or clock is none", () => {
  const texts = [
    "",
    "noon",
    "24:00",
    "12:60",
    "12:00:60",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-11-20 x",
  ];
  for (const text of [...texts, "0000-01-01", "2026-11", "20.11.2026"]) {
    equal(sinceOf(text, NOW), undefined, text);
  }
  equal(sinceOf("999999999w", NOW), 0);
});
