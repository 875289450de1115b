/**
 * Times as people type them: `30m` for how long, `2h`, `14:30` or `2026-11-20` for since when.
 *
 * @module
 */

/** Milliseconds of each unit that may follow a number. */
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * How long `text` lasts in milliseconds, as in `90s`, `30m`, `2h`, `7d` and `4w`; `undefined` where it is no such time.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { lastingOf } from "./typed_time.ts";
 * equal(lastingOf("30m"), 1_800_000);
 * equal(lastingOf("30"), undefined);
 * ```
 */
export function lastingOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ""];
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs;
}

/**
 * The time that `text` means, in milliseconds since 1970: `2h` ago; `14:30`, the last time that it was; a day such as
 * `2026-11-20`, from its first moment on; or a day and a time of day. Days and times of day are those of this machine's
 * time zone. `undefined` where it is none of these, or there is no such day; `now` is the present time.
 */
export function sinceOf(text: string, now: number): number | undefined {
  const ago = lastingOf(text);
  if (ago !== undefined) return Math.max(now - ago, 0);
  const ofDay = timeOfDay(text);
  if (ofDay !== undefined) return lastTime(ofDay, now);
  const [, year, month, day, rest] = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]+(\S+))?$/.exec(text) ?? [];
  const at = rest === undefined ? [0, 0, 0] as const : timeOfDay(rest);
  if (year === undefined || at === undefined) return undefined;
  const date = new Date(Number(year), Number(month) - 1, Number(day), ...at);
  // Where there is no such day, a calendar goes on with the next month.
  return date.getTime() >= 0 && date.getDate() === Number(day) && date.getMonth() === Number(month) - 1
    ? date.getTime()
    : undefined;
}

function lastTime(at: readonly [number, number, number], now: number): number {
  const today = new Date(now);
  const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
  const then = new Date(year, month, day, ...at).getTime();
  // By the calendar, since not every day has 24 hours.
  return then <= now ? then : new Date(year, month, day - 1, ...at).getTime();
}

function timeOfDay(text: string): readonly [number, number, number] | undefined {
  const [, hour, minute, second = "0"] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? [];
  const at = [Number(hour), Number(minute), Number(second)] as const;
  return hour !== undefined && at[0] < 24 && at[1] < 60 && at[2] < 60 ? at : undefined;
}
